//! The genesis: everything that makes a network, and that nothing on the chain can change.

use std::ops::RangeInclusive;

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_work::WorkRules;
use hysteron_work::types::{Hash, Target, hash};

use crate::LedgerError;
use crate::amount::{ATOMS_PER_HYS, CAP_ATOMS};
use crate::committee::Committee;
use crate::keys::{Address, PublicKey};
use crate::oracle::RATES;

/// Accounts that a genesis may fund, at most.
pub const ALLOCATIONS_MAX: usize = 1 << 16;

/// Floors of fees, in atoms.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct FeeRules {
    /// For each byte of the transaction, and of the problem that comes with it.
    pub atoms_per_byte: u64,
    /// For each signature to check.
    pub atoms_per_signature: u64,
    /// For the leg that a claim makes every node run.
    pub atoms_per_leg: u64,
    /// For scoring a reveal, and for each 1024 bytes of a problem that are normalised.
    pub atoms_per_score: u64,
}

/// Prices, bonds and delays of jobs.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct MarketRules {
    /// Price of a chip for one block, in millionths of a euro cent.
    pub microcents_per_chip_block: u64,
    /// The rate at first, in euro cents for one HYS.
    pub euro_cents_per_hys: u64,
    /// Whether that rate holds for ever (devnet), so that quotes are refused and nothing is stale.
    pub rate_is_fixed: bool,
    /// For so many seconds a quote holds.
    pub quote_seconds: u64,
    /// After so many seconds without a quote jobs pause.
    pub stale_seconds: u64,
    /// Blocks between a job's opening (or approval) and its first credited block: its data spreads meanwhile.
    pub waiting_blocks: u64,
    /// Atoms of the bond of a claim and of a commitment, at least 1.
    pub claim_bond: u64,
    /// Claims and reveals of a block, at most: each makes every node run a leg, or score.
    pub claims_per_block: u32,
    /// The fewest blocks from a commitment to its reveal.
    pub reveal_after_blocks: u64,
    /// The most blocks from a commitment to its reveal; then its bond burns.
    pub reveal_within_blocks: u64,
    /// Problems with at least so many literals or couplings are held for review.
    pub held_from_elements: u64,
    /// Blocks between a change of the committee and the new committee's office.
    pub committee_delay_blocks: u64,
}

/// A network.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct Genesis {
    /// The network's name, 1 to 32 letters, digits or hyphens: `hysteron-main`, `hysteron-devnet`.
    pub network: String,
    /// The human-readable part of addresses, 1 to 8 lower-case letters: `hys`, `hysd`.
    pub address_prefix: String,
    /// Unix time of block 0, in seconds.
    pub time: u64,
    /// Seconds between blocks that the difficulty aims at.
    pub spacing_seconds: u64,
    /// Half-life of the difficulty's adjustment, in blocks.
    pub half_life_blocks: u64,
    /// The target of the first block.
    pub post_target: Target,
    /// Blocks after which a block's reward may be spent.
    pub maturity_blocks: u64,
    /// Blocks between a job's end and its settlement; what clients wait for.
    pub confirmation_blocks: u64,
    /// Coins that exist from the start: account and atoms, accounts strictly increasing.
    pub allocations: Vec<(Address, u64)>,
    /// Floors of fees.
    pub fees: FeeRules,
    /// Jobs.
    pub market: MarketRules,
    /// Work.
    pub work: WorkRules,
    /// The first committee.
    pub committee: Committee,
}

/// What people decide when they found a main network; everything else of it is [`Genesis::main`]'s.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Founding {
    /// Unix time of block 0, in seconds: nobody can mine before it.
    pub time: u64,
    /// The first committee, its members in any order.
    pub committee: Committee,
    /// Coins that exist from the start, in any order.
    pub allocations: Vec<(Address, u64)>,
    /// The rate at first, in euro cents for one HYS.
    pub euro_cents_per_hys: u64,
}

/// Attempts that the first blocks of a main network are expected to take. An attempt takes a core of the reference CPU
/// seven tenths of a second, so sixteen cores find a block in two minutes; the difficulty follows whoever comes.
const FIRST_ATTEMPTS: u128 = 2_700;

/// The seed of a key that everybody knows: devnet's committee and funded accounts. Not for anything of worth.
pub fn devnet_seed(name: &str) -> [u8; 32] {
    let name = hash("devnet-name", &[name.as_bytes()]);
    hash("devnet-key", &[&name])
}

/// The public key of [`devnet_seed`].
pub fn devnet_key(name: &str) -> PublicKey {
    PublicKey(ed25519_dalek::SigningKey::from_bytes(&devnet_seed(name)).verifying_key().to_bytes())
}

impl Genesis {
    /// The main network, or one like it.
    pub fn main(founding: Founding) -> Self {
        let Founding { time, mut committee, mut allocations, euro_cents_per_hys } = founding;
        committee.reviewers.sort_unstable();
        committee.oracles.sort_unstable();
        allocations.sort_unstable();
        Self {
            network: "hysteron-main".into(),
            address_prefix: "hys".into(),
            time,
            spacing_seconds: 120,
            half_life_blocks: 60,
            post_target: Target::from_expected_tries(FIRST_ATTEMPTS),
            maturity_blocks: 60,
            confirmation_blocks: 20,
            allocations,
            // A full block costs a tenth of a HYS, a claim of a thousand variables two ten-thousandths.
            fees: FeeRules {
                atoms_per_byte: 100,
                atoms_per_signature: 10_000,
                atoms_per_leg: 100_000,
                atoms_per_score: 10_000,
            },
            market: MarketRules {
                // A chip is a 64th of a leg of 170 ms: at this price an hour of a core costs five and a half cents.
                microcents_per_chip_block: 4,
                euro_cents_per_hys,
                rate_is_fixed: false,
                quote_seconds: 30 * 60,
                stale_seconds: 6 * 3_600,
                waiting_blocks: 1,
                claim_bond: ATOMS_PER_HYS / 100,
                // Legs that nobody has run before take two cores three seconds of the 120.
                claims_per_block: 32,
                reveal_after_blocks: 2,
                reveal_within_blocks: 20,
                held_from_elements: 1 << 16,
                // A day.
                committee_delay_blocks: 720,
            },
            work: WorkRules::main(),
            committee,
        }
    }

    /// A network for one machine: blocks every 5 seconds, small legs, four funded accounts (`customer`, `miner`,
    /// `alice`, `bob`; see [`devnet_seed`]), a fixed rate, a committee of `reviewer-1` to `reviewer-3`.
    pub fn devnet() -> Self {
        let mut reviewers: Vec<PublicKey> = (1..=3).map(|i| devnet_key(&format!("reviewer-{i}"))).collect();
        reviewers.sort_unstable();
        let mut allocations: Vec<(Address, u64)> = ["customer", "miner", "alice", "bob"]
            .iter()
            .map(|name| (devnet_key(name).address(), 10_000 * ATOMS_PER_HYS))
            .collect();
        allocations.sort_unstable();
        Self {
            network: "hysteron-devnet".into(),
            address_prefix: "hysd".into(),
            time: 1_764_547_200, // 1 December 2025, 00:00 UTC
            spacing_seconds: 5,
            half_life_blocks: 60,
            // About sixty attempts of four legs of ten milliseconds and their pre-hash: five seconds of half a core.
            post_target: Target::from_expected_tries(60),
            maturity_blocks: 5,
            confirmation_blocks: 3,
            allocations,
            fees: FeeRules {
                atoms_per_byte: 10,
                atoms_per_signature: 1_000,
                atoms_per_leg: 10_000,
                atoms_per_score: 1_000,
            },
            market: MarketRules {
                microcents_per_chip_block: 100,
                euro_cents_per_hys: 10,
                rate_is_fixed: true,
                quote_seconds: 1_800,
                stale_seconds: 6 * 3_600,
                waiting_blocks: 1,
                claim_bond: ATOMS_PER_HYS / 100,
                claims_per_block: 64,
                reveal_after_blocks: 2,
                reveal_within_blocks: 20,
                held_from_elements: 1 << 16,
                committee_delay_blocks: 10,
            },
            work: WorkRules::devnet(),
            committee: Committee { reviewers, threshold: 2, oracles: Vec::new() },
        }
    }

    /// The network's identity: the hash of everything in here. Also the parent of block 0.
    pub fn hash(&self) -> Hash {
        hash("genesis", &[&borsh::to_vec(self).expect("writing to memory does not fail")])
    }

    /// The first four bytes of the identity, little-endian: what transactions carry.
    pub fn network_id(&self) -> u32 {
        let hash = self.hash();
        u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
    }

    /// Checks that the network can work.
    ///
    /// # Errors
    /// [`LedgerError::Genesis`] with the rule that is broken.
    pub fn check(&self) -> Result<(), LedgerError> {
        let refuse = |reason| Err(LedgerError::Genesis { reason });
        let name_is_plain = self.network.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if self.network.is_empty() || self.network.len() > 32 || !name_is_plain {
            return refuse("the name must be 1 to 32 letters, digits or hyphens");
        }
        let prefix_is_plain = self.address_prefix.bytes().all(|b| b.is_ascii_lowercase());
        if self.address_prefix.is_empty() || self.address_prefix.len() > 8 || !prefix_is_plain {
            return refuse("the address prefix must be 1 to 8 lower-case letters");
        }
        if self.allocations.len() > ALLOCATIONS_MAX || !self.allocations.is_sorted_by(|a, b| a.0 < b.0) {
            return refuse("the allocations must be to at most 65,536 distinct accounts in increasing order");
        }
        let issued = self.allocations.iter().try_fold(0u64, |sum, a| sum.checked_add(a.1));
        if issued.is_none_or(|sum| sum > CAP_ATOMS) || self.allocations.iter().any(|a| a.1 == 0) {
            return refuse("the allocations must be positive and together at most the cap");
        }
        self.work.check().map_err(|name| LedgerError::GenesisWork { name })?;
        for (name, found, range) in self.numbers() {
            if !range.contains(&found) {
                return Err(LedgerError::GenesisNumber {
                    name,
                    found,
                    least: *range.start(),
                    most: *range.end(),
                });
            }
        }
        self.committee.check()
    }

    /// Numbers with their bounds.
    fn numbers(&self) -> [(&'static str, u64, RangeInclusive<u64>); 19] {
        let (market, fees) = (&self.market, &self.fees);
        let blocks = 1..=100_000;
        let floor = 0..=1 << 40;
        // One oracle unit is a millionth of a cent.
        let cents = RATES.start().div_ceil(1_000_000)..=RATES.end() / 1_000_000;
        [
            ("spacing_seconds", self.spacing_seconds, 1..=3_600),
            ("half_life_blocks", self.half_life_blocks, blocks.clone()),
            ("maturity_blocks", self.maturity_blocks, blocks.clone()),
            ("confirmation_blocks", self.confirmation_blocks, blocks.clone()),
            ("market.waiting_blocks", market.waiting_blocks, blocks.clone()),
            ("market.committee_delay_blocks", market.committee_delay_blocks, blocks),
            ("market.quote_seconds", market.quote_seconds, 1..=86_400),
            ("market.stale_seconds", market.stale_seconds, 1..=10_000_000),
            ("market.claims_per_block", market.claims_per_block.into(), 0..=10_000),
            ("market.reveal_after_blocks", market.reveal_after_blocks, 1..=1_000),
            ("market.reveal_within_blocks", market.reveal_within_blocks, market.reveal_after_blocks..=1_000),
            ("market.microcents_per_chip_block", market.microcents_per_chip_block, 1..=1 << 40),
            // No bond at all is what marks a claim without one.
            ("market.claim_bond", market.claim_bond, 1..=CAP_ATOMS),
            ("market.euro_cents_per_hys", market.euro_cents_per_hys, cents),
            ("work.pool_age_blocks", self.work.pool_age_blocks, 2..=10_000),
            ("fees.atoms_per_byte", fees.atoms_per_byte, floor.clone()),
            ("fees.atoms_per_signature", fees.atoms_per_signature, floor.clone()),
            ("fees.atoms_per_leg", fees.atoms_per_leg, floor.clone()),
            ("fees.atoms_per_score", fees.atoms_per_score, floor),
        ]
    }

    /// Decodes a genesis and checks it.
    ///
    /// # Errors
    /// [`LedgerError::Genesis`].
    pub fn decode(bytes: &[u8]) -> Result<Self, LedgerError> {
        let genesis: Self = borsh::from_slice(bytes)
            .map_err(|_| LedgerError::Genesis { reason: "the bytes are not one genesis" })?;
        genesis.check()?;
        Ok(genesis)
    }
}
