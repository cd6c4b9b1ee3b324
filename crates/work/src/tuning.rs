//! Dynamic parameter tuning: which of a class's parameter sets legs draw, by weights that are learnt from verified
//! results, in integers. Steps are sized so that a leg costs the same with every set, hence parameters change what is
//! found and never what it costs.
//!
//! A verified result multiplies the weight of its set by `1 + r / (S p)`, at most 5/4, where `p` is the chance with
//! which the set was drawn, `S` the number of sets and `r` 1/16: results of rarely drawn sets count more, as in Exp3
//! (Auer, Cesa-Bianchi, Freund, Schapire 2002). Every weight then moves by 1/256 towards the mean, so that no set is
//! ever forgotten and the landscape may change.

use std::io;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::table::Class;

/// Parameter sets of a class.
pub const SETS: usize = 32;
/// The weight that every set begins with; weights are scaled so that their mean stays about this.
const WEIGHT_MEAN: u32 = 1 << 16;
/// No weight falls below a sixteenth of the mean.
const WEIGHT_LEAST: u32 = WEIGHT_MEAN / 16;

/// The weights of all classes' parameter sets.
#[derive(BorshSerialize, Clone, PartialEq, Eq, Debug)]
pub struct Tuning {
    weights: [[u32; SETS]; Class::ALL.len()],
}

impl Default for Tuning {
    fn default() -> Self {
        Self { weights: [[WEIGHT_MEAN; SETS]; Class::ALL.len()] }
    }
}

impl Tuning {
    /// The set that a uniform word draws.
    pub fn draw(&self, class: Class, word: u64) -> u8 {
        let weights = &self.weights[class as usize];
        let sum: u64 = weights.iter().map(|&w| u64::from(w)).sum();
        let mut at = ((u128::from(word) * u128::from(sum)) >> 64) as u64;
        for (set, &weight) in weights.iter().enumerate() {
            if at < u64::from(weight) {
                return set as u8;
            }
            at -= u64::from(weight);
        }
        unreachable!("a word is scaled below the sum of the weights")
    }

    /// The weights of a class.
    pub fn weights(&self, class: Class) -> &[u32; SETS] {
        &self.weights[class as usize]
    }

    /// Learns that a leg of this class and set gave a verified improvement. Sets out of range teach nothing.
    pub fn reward(&mut self, class: Class, set: u8) {
        let weights = &mut self.weights[class as usize];
        let Some(&weight) = weights.get(usize::from(set)) else { return };
        let sum: u64 = weights.iter().map(|&w| u64::from(w)).sum();
        // weight * r / (S p) with p = weight / sum: sum r / S.
        let gain = (sum / (16 * SETS as u64)).min(u64::from(weight) / 4);
        weights[usize::from(set)] = weight + gain as u32;
        let mean = (sum + gain) / SETS as u64;
        for weight in weights.iter_mut() {
            let (mean, old) = (mean as i64, i64::from(*weight));
            // The mean drifts upwards with rewards; scaling by WEIGHT_MEAN / mean keeps it.
            let pulled = old + (mean - old) / 256;
            let scaled = pulled * i64::from(WEIGHT_MEAN) / mean;
            *weight = scaled.max(i64::from(WEIGHT_LEAST)) as u32;
        }
    }
}

impl BorshDeserialize for Tuning {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let weights = <[[u32; SETS]; Class::ALL.len()]>::deserialize_reader(reader)?;
        let most = SETS as u32 * WEIGHT_MEAN;
        if weights.iter().flatten().any(|w| !(WEIGHT_LEAST..=most).contains(w)) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a tuning weight is out of its range"));
        }
        Ok(Self { weights })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_the_weights() {
        let mut tuning = Tuning::default();
        for _ in 0..200 {
            tuning.reward(Class::SparseSpins, 7);
        }
        let weights = tuning.weights(Class::SparseSpins);
        assert!(weights[7] > 8 * WEIGHT_MEAN, "{weights:?}");
        assert!(weights.iter().all(|&w| w >= WEIGHT_LEAST));
        assert_eq!(tuning.weights(Class::DenseSpins), &[WEIGHT_MEAN; SETS], "classes learn apart");
        let sum: u64 = weights.iter().map(|&w| u64::from(w)).sum();
        let mut counts = [0u64; SETS];
        let draws = 1u64 << 14;
        for k in 0..draws {
            counts[usize::from(tuning.draw(Class::SparseSpins, k << 50))] += 1;
        }
        for (count, &weight) in counts.iter().zip(weights) {
            let expected = draws * u64::from(weight) / sum;
            assert!(count.abs_diff(expected) <= 2, "{counts:?}");
        }
        assert_eq!(tuning.draw(Class::SparseSpins, 0), 0);
        assert_eq!(tuning.draw(Class::SparseSpins, u64::MAX), 31);
    }

    #[test]
    fn the_better_set_wins_by_draws() {
        // Set 3 succeeds in half of its legs, others in a tenth.
        let mut tuning = Tuning::default();
        for k in 0..20_000u64 {
            let word = hysteron_circuit::rom::mix64(k);
            let set = tuning.draw(Class::LongClauses, word);
            let luck = hysteron_circuit::rom::mix64(word) % 100;
            if luck < if set == 3 { 50 } else { 10 } {
                tuning.reward(Class::LongClauses, set);
            }
        }
        let weights = tuning.weights(Class::LongClauses);
        let best = (0..SETS).max_by_key(|&s| weights[s]).unwrap();
        assert_eq!(best, 3, "{weights:?}");
    }

    #[test]
    fn bounds_hold_and_decode() {
        let mut tuning = Tuning::default();
        for k in 0..100_000u64 {
            let set = (hysteron_circuit::rom::mix64(k) % 3) as u8;
            tuning.reward(Class::ShortClauses, set);
        }
        tuning.reward(Class::ShortClauses, 32);
        let bytes = borsh::to_vec(&tuning).unwrap();
        assert_eq!(borsh::from_slice::<Tuning>(&bytes).unwrap(), tuning);
        assert!(borsh::from_slice::<Tuning>(&vec![0; bytes.len()]).is_err());
    }
}
