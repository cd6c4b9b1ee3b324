//! The progress bar of a job. On a terminal only.

use std::io::IsTerminal;

use hysteron_api::types::Job;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar of a job: how much of what was booked has been delivered.
pub struct JobBar {
    bar: Option<ProgressBar>,
}

impl JobBar {
    /// A bar on standard error; none if it is not wanted or nobody watches.
    pub fn new(wanted: bool) -> Self {
        let bar = (wanted && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr_with_hz(8));
            bar.set_style(
                ProgressStyle::with_template("{bar:28} {msg}")
                    .expect("a valid template")
                    .progress_chars("█▉▊▋▌▍▎▏ "),
            );
            bar
        });
        Self { bar }
    }

    /// Whether there is a bar.
    pub fn is_shown(&self) -> bool {
        self.bar.is_some()
    }

    /// Shows where the job is; whether there is a bar to show it on.
    pub fn update(&self, job: &Job, line: &str) -> bool {
        let Some(bar) = &self.bar else { return false };
        bar.set_length(job.progress.booked_chip_blocks.max(1));
        bar.set_position(job.progress.credited_chip_blocks);
        bar.set_message(line.to_owned());
        true
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
