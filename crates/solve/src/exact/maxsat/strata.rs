//! Which weights are looked at next: wishes of great weight first, in strata of like weights.

/// A level is low enough when it has this many wishes, times four, for five distinct weights.
/// The diversity heuristic of Ansotegui, Bonet, Gabas, Levy, *Improving SAT-based weighted MaxSAT
/// solvers*, CP 2012.
const DIVERSITY: (u64, u64) = (5, 4);

/// The next level below `above`: wishes of at least this weight are asked for. 0 if there is no
/// wish below. `weights` are those of all wishes, in any order.
pub fn next_level(weights: &mut Vec<u64>, above: u64) -> u64 {
    weights.retain(|&w| w > 0);
    weights.sort_unstable_by(|a, b| b.cmp(a));
    let (mut seen, mut distinct) = (0u64, 0u64);
    let mut place = 0;
    let mut level = 0;
    while place < weights.len() {
        let weight = weights[place];
        while place < weights.len() && weights[place] == weight {
            place += 1;
            seen += 1;
        }
        distinct += 1;
        if weight < above {
            level = weight;
            if seen * DIVERSITY.1 > distinct * DIVERSITY.0 {
                break;
            }
        }
    }
    level
}

#[cfg(test)]
mod tests {
    use super::next_level;

    #[test]
    fn levels_fall_to_the_least_weight_and_then_to_nothing() {
        let weights = vec![9, 9, 9, 4, 3, 3, 3, 3, 1];
        assert_eq!(next_level(&mut weights.clone(), u64::MAX), 9);
        assert_eq!(next_level(&mut weights.clone(), 9), 4);
        assert_eq!(next_level(&mut weights.clone(), 4), 3);
        assert_eq!(next_level(&mut weights.clone(), 3), 1);
        assert_eq!(next_level(&mut weights.clone(), 1), 0);
        assert_eq!(next_level(&mut vec![5, 4, 3, 2], u64::MAX), 2);
    }
}
