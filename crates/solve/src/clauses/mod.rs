//! Searchers for clauses: switching and memcomputing chips, belief propagation, focused local search.

mod beliefs;
mod focused;
mod general;
mod memcomputing;
mod pairs;
mod partial;
mod partial_start;
#[cfg(test)]
mod samples;
mod switching;
mod walk;

pub use beliefs::Beliefs;
pub use focused::focused_searcher;
pub use general::General;
pub use memcomputing::Memcomputing;
pub use pairs::pair_searcher;
pub use partial::Partial;
pub use switching::{switching_searchers, unweighted_searchers};

/// The sequence 1, 1, 2, 1, 1, 2, 4, … (Luby, Sinclair, Zuckerman 1993), from index 1.
fn luby(mut index: u64) -> u64 {
    loop {
        let power = (index + 1).next_power_of_two();
        if power == index + 1 {
            return power / 2;
        }
        index -= power / 2 - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::luby;

    #[test]
    fn luby_is_luby() {
        let first: Vec<u64> = (1..=15).map(luby).collect();
        assert_eq!(first, [1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8]);
    }
}
