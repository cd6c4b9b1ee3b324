//! The progress bar: best value, chip updates per second, time left. On a terminal only.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error, or nothing.
pub struct Bar {
    bar: Option<ProgressBar>,
    limit: Option<Duration>,
}

impl Bar {
    /// A bar that fills as `limit` is used up; none if `wanted` is false or nobody watches.
    pub fn new(wanted: bool, limit: Option<Duration>) -> Self {
        let bar = (wanted && std::io::stderr().is_terminal()).then(|| {
            let length = limit.map_or(0, |l| l.as_millis() as u64);
            let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(8));
            let template = if limit.is_some() { "{bar:28} {msg}" } else { "{spinner} {msg}" };
            bar.set_style(
                ProgressStyle::with_template(template).expect("a valid template").progress_chars("█▉▊▋▌▍▎▏ "),
            );
            bar
        });
        Self { bar, limit }
    }

    /// Shows where the search is.
    pub fn update(&self, elapsed: Duration, best: &str, ecu: u64) {
        let Some(bar) = &self.bar else { return };
        let rate = ecu as f64 / elapsed.as_secs_f64().max(1e-3);
        let left = match self.limit {
            Some(limit) => format!("{:.0} s left", limit.saturating_sub(elapsed).as_secs_f64().ceil()),
            None => format!("{:.0} s", elapsed.as_secs_f64()),
        };
        bar.set_position(elapsed.as_millis() as u64);
        bar.set_message(format!("best {best} · {} updates/s · {left}", si(rate)));
    }

    /// Prints a line without tearing the bar.
    pub fn suspend<R>(&self, print: impl FnOnce() -> R) -> R {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A rate with an SI prefix: `12.3 G`.
pub fn si(value: f64) -> String {
    let prefixes = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    match prefixes.iter().find(|(scale, _)| value >= *scale) {
        Some((scale, prefix)) => format!("{:.1} {prefix}", value / scale),
        None => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn rates_read_well() {
        assert_eq!(super::si(12_340_000_000.0), "12.3 G");
        assert_eq!(super::si(7.0), "7");
    }
}
