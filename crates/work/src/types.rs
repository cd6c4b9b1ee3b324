//! The small types that every crate of the chain shares: hashes, ids, targets, packed assignments.

use borsh::{BorshDeserialize, BorshSerialize};
pub use ruint::aliases::U256;

/// A BLAKE3 hash.
pub type Hash = [u8; 32];

/// Chained legs of an attempt.
pub const LEGS: usize = 4;
/// Chips that one leg simulates: a job that booked `N` chips is due `N / 64` legs a block.
pub const CHIPS_PER_BANK: u64 = 64;
/// The most variables of a problem on the chain, whatever a network's rules say.
pub const VARIABLES_LIMIT: u32 = 1 << 20;
/// The most literals or couplings of a problem on the chain, whatever a network's rules say.
pub const ELEMENTS_LIMIT: u32 = 1 << 20;

/// Domain-separated BLAKE3: the key-derivation mode with the context `hysteron/<name>/1`, over the
/// concatenation of `parts`. Parts must have widths that their domain fixes, since nothing marks where one ends.
pub fn hash(domain: &'static str, parts: &[&[u8]]) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key(&format!("hysteron/{domain}/1"));
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// Makes a 32-byte identifier type.
macro_rules! identifier {
    ($(#[$text:meta])* $name:ident) => {
        $(#[$text])*
        #[derive(
            BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default,
        )]
        pub struct $name(pub Hash);

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    };
}

identifier! {
    /// A job: the hash of the transaction that opened it.
    JobId
}
identifier! {
    /// A problem: [`hysteron_problem::Problem::content_id`].
    ProblemId
}

impl ProblemId {
    /// The id of a problem.
    pub fn of(problem: &hysteron_problem::Problem) -> Self {
        Self(problem.content_id())
    }
}

/// A threshold, 256 bits big-endian: a hash wins if and only if it is below.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Target(pub Hash);

impl Target {
    /// Whether `hash`, read as a big-endian number, is below the target.
    pub fn is_met_by(&self, hash: &Hash) -> bool {
        // Big-endian numbers of one width are ordered as their bytes are.
        hash < &self.0
    }
    /// Hashes that one expects to try until one is below: `2^256 / target`, rounded down, at most
    /// `u128::MAX` (which also is what a target of 0 gives, that nothing meets).
    pub fn expected_tries(&self) -> u128 {
        let target = self.to_u256();
        if target.is_zero() {
            return u128::MAX;
        }
        // 2^256 / t = (2^256 - t) / t + 1, and 2^256 - t is the wrapping negation of t.
        let tries = (target.wrapping_neg() / target).saturating_add(U256::from(1u64));
        u128::try_from(tries).unwrap_or(u128::MAX)
    }
    /// The target that is met once in `tries` tries: `2^256 / tries`, rounded down, at most
    /// [`Self::easiest`]; `tries` 0 counts as 1.
    pub fn from_expected_tries(tries: u128) -> Self {
        if tries <= 1 {
            return Self::easiest();
        }
        let tries = U256::from(tries);
        // (2^256 - tries) / tries + 1, as above.
        Self::from_u256(tries.wrapping_neg() / tries + U256::from(1u64))
    }
    /// The target that every hash but one meets.
    pub const fn easiest() -> Self {
        Self([0xff; 32])
    }
    /// As a number.
    pub fn to_u256(&self) -> U256 {
        U256::from_be_bytes(self.0)
    }
    /// From a number.
    pub fn from_u256(value: U256) -> Self {
        Self(value.to_be_bytes())
    }
}

/// One value a variable, eight a byte, the lowest bit first; bits behind the last variable are zero, so that an
/// assignment has one encoding. Decoding refuses anything else, and more than [`VARIABLES_LIMIT`] variables.
#[derive(BorshSerialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Assignment {
    variables: u32,
    bits: Vec<u8>,
}

impl Assignment {
    /// Packs values.
    ///
    /// # Panics
    /// If there are more than [`VARIABLES_LIMIT`]: problems of the chain have no more.
    pub fn pack(values: &[bool]) -> Self {
        assert!(values.len() <= VARIABLES_LIMIT as usize, "more than {VARIABLES_LIMIT} variables");
        let bits = values
            .chunks(8)
            .map(|bits| bits.iter().enumerate().fold(0u8, |byte, (i, &bit)| byte | u8::from(bit) << i))
            .collect();
        Self { variables: values.len() as u32, bits }
    }
    /// The values.
    pub fn unpack(&self) -> Vec<bool> {
        (0..self.variables as usize).map(|i| self.bits[i / 8] >> (i % 8) & 1 == 1).collect()
    }
    /// The number of variables.
    pub fn variables(&self) -> u32 {
        self.variables
    }
    /// The packed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bits
    }
    /// From packed bytes; `None` if they are not the one encoding of so many variables.
    pub fn from_bytes(variables: u32, bits: Vec<u8>) -> Option<Self> {
        let fits = variables <= VARIABLES_LIMIT && bits.len() == (variables as usize).div_ceil(8);
        let tail = variables % 8;
        let is_clean = tail == 0 || bits.last().is_some_and(|last| last >> tail == 0);
        (fits && is_clean).then_some(Self { variables, bits })
    }
}

impl std::fmt::Debug for Assignment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Assignment({} variables, {:02x?}…)", self.variables, &self.bits[..self.bits.len().min(8)])
    }
}

impl BorshDeserialize for Assignment {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let invalid = |text: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, text);
        let variables = u32::deserialize_reader(reader)?;
        let length = u32::deserialize_reader(reader)?;
        if variables > VARIABLES_LIMIT || length != variables.div_ceil(8) {
            return Err(invalid("an assignment's length does not fit its variables"));
        }
        let mut bits = vec![0; length as usize];
        reader.read_exact(&mut bits)?;
        Self::from_bytes(variables, bits)
            .ok_or_else(|| invalid("an assignment has bits behind its last variable"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn targets_at_the_ends() {
        assert_eq!(Target::easiest().expected_tries(), 1);
        assert_eq!(Target([0; 32]).expected_tries(), u128::MAX);
        assert_eq!(Target::from_expected_tries(0), Target::easiest());
        assert_eq!(Target::from_expected_tries(1), Target::easiest());
        let half = Target::from_expected_tries(2);
        assert_eq!(half.0[0], 0x80);
        assert!(half.0[1..].iter().all(|&b| b == 0));
        assert!(half.is_met_by(&[0x7f; 32]));
        assert!(!half.is_met_by(&half.0), "the target itself does not win");
        let mut one = [0; 32];
        one[31] = 1;
        assert_eq!(Target(one).expected_tries(), u128::MAX, "2^256 saturates");
    }

    #[test]
    fn domains_differ() {
        assert_ne!(hash("pre", &[b"x"]), hash("post", &[b"x"]));
        assert_eq!(hash("pre", &[b"ab", b"c"]), hash("pre", &[b"a", b"bc"]), "parts are concatenated");
    }

    proptest! {
        #[test]
        fn tries_round_trip(tries in 1u128..) {
            let back = Target::from_expected_tries(tries).expected_tries();
            // Rounding twice is exact while the target keeps more bits than the number.
            prop_assert_eq!(back, tries);
        }

        #[test]
        fn harder_targets_take_more_tries(a in any::<Hash>(), b in any::<Hash>()) {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            prop_assert!(Target(low).expected_tries() >= Target(high).expected_tries());
        }

        #[test]
        fn assignments_round_trip(values in prop::collection::vec(any::<bool>(), 0..200)) {
            let packed = Assignment::pack(&values);
            prop_assert_eq!(packed.unpack(), values);
            let bytes = borsh::to_vec(&packed).unwrap();
            prop_assert_eq!(borsh::from_slice::<Assignment>(&bytes).unwrap(), packed);
        }

        #[test]
        fn what_decodes_is_the_one_encoding(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(assignment) = borsh::from_slice::<Assignment>(&bytes) {
                prop_assert_eq!(borsh::to_vec(&assignment).unwrap(), bytes);
            }
        }
    }
}
