//! What is booked: the genesis of the simulated network, and the transactions that open its jobs in block 1.

use ed25519_dalek::{Signer, SigningKey};
use hysteron_ledger::{
    ATOMS_PER_HYS, Authorisation, Body, Genesis, JobTerms, PublicKey, Sender, Signature, SignedTransaction,
    Transaction, devnet_key, devnet_seed, emission, fee_floor,
};
use hysteron_problem::Problem;
use hysteron_problem::generate::{Content, Kind, PlantedSat, generate};
use hysteron_work::WorkRules;
use hysteron_work::types::{CHIPS_PER_BANK, JobId, LEGS, ProblemId, Target};

use crate::SimError;
use crate::scenario::{Attack, Scenario};

/// Who books for everybody, and who books the wash job: funded keys of the devnet.
const CUSTOMER: &str = "customer";
const WASHER: &str = "bob";
/// Coins of each at first. Together a tenth of all that there will be.
const FUNDS: u64 = 5_000_000 * ATOMS_PER_HYS;
/// The rate is only a unit here: a millionth of a cent is a thousandth of an atom.
const EURO_CENTS_PER_HYS: u64 = 1_000_000;
const MICROCENTS_PER_ATOM: f64 = 1000.0;

/// The network and its jobs.
pub struct Market {
    /// The network.
    pub genesis: Genesis,
    /// The customers' jobs.
    pub jobs: Vec<JobId>,
    /// The adversary's job.
    pub wash: Option<JobId>,
    /// The transactions that open them.
    pub openings: Vec<SignedTransaction>,
    /// The problem of all of them, canonical bytes.
    pub problem: Vec<u8>,
}

impl Market {
    /// A network whose first target takes `tries` attempts, and the jobs of a scenario, booked for their share of all blocks.
    ///
    /// # Errors
    /// If the problem cannot be made.
    pub fn new(scenario: &Scenario, tries: f64) -> Result<Self, SimError> {
        let capacity_chips = tries * LEGS as f64 * CHIPS_PER_BANK as f64;
        let genesis = genesis(scenario, tries, capacity_chips);
        let kind = Kind::PlantedSat(PlantedSat { variables: 200, clauses: 860, all_true_per_mille: 80 });
        let problem = match generate(&kind, 1).map(|made| made.content) {
            Ok(Content::Cnf(cnf)) => Problem::Cnf(cnf),
            _ => return Err(SimError::Scenario { reason: "the jobs' problem cannot be made".into() }),
        };
        let bytes = borsh::to_vec(&problem).expect("memory takes every byte");
        let all_blocks = (scenario.warmup_blocks + scenario.blocks) as f64;
        let mut terms = JobTerms {
            problem: ProblemId::of(&problem),
            data_bytes: bytes.len() as u32,
            chips: ((scenario.jobs.occupancy * capacity_chips / scenario.jobs.count as f64) as u64).max(1),
            blocks: ((all_blocks * scenario.jobs.duration) as u32).max(1),
            target: None,
            bounty_per_mille: 0,
            quoted_at: 0,
            price_max: FUNDS,
            review_blocks: 1,
        };
        let mut openings = Vec::new();
        for nonce in 0..scenario.jobs.count as u64 {
            openings.push(sign(&genesis, CUSTOMER, nonce, Body::JobOpen(terms.clone())));
            terms.data_bytes = 0;
        }
        let jobs = openings.iter().map(|opening| JobId(opening.id())).collect();
        let mut wash = None;
        if let Some(Attack::Wash { share, .. }) = scenario.adversary.as_ref().map(|a| a.attack) {
            terms.chips = (share * capacity_chips) as u64;
            terms.blocks = 2 * all_blocks as u32;
            let opening = sign(&genesis, WASHER, 0, Body::JobOpen(terms));
            wash = Some(JobId(opening.id()));
            openings.push(opening);
        }
        Ok(Self { genesis, jobs, wash, openings, problem: bytes })
    }
}

/// The main network's rules of work and time, with a fixed rate and a price by which the whole capacity costs the scenario's
/// fee.
fn genesis(scenario: &Scenario, tries: f64, capacity_chips: f64) -> Genesis {
    let mut genesis = Genesis::devnet();
    genesis.network = "hysteron-sim".into();
    genesis.work = WorkRules::main();
    genesis.spacing_seconds = 120;
    genesis.half_life_blocks = 60;
    genesis.maturity_blocks = 60;
    genesis.confirmation_blocks = 20;
    genesis.post_target = Target::from_expected_tries(tries as u128);
    genesis.allocations = [CUSTOMER, WASHER].iter().map(|name| (devnet_key(name).address(), FUNDS)).collect();
    genesis.allocations.sort_unstable();
    let reward = emission(2 * FUNDS) as f64;
    let atoms_per_chip_block = scenario.jobs.fee * reward / capacity_chips;
    genesis.market.euro_cents_per_hys = EURO_CENTS_PER_HYS;
    genesis.market.microcents_per_chip_block =
        ((atoms_per_chip_block * MICROCENTS_PER_ATOM).round() as u64).max(1);
    genesis
}

fn sign(genesis: &Genesis, who: &str, nonce: u64, body: Body) -> SignedTransaction {
    let key = SigningKey::from_bytes(&devnet_seed(who));
    let sender = Sender::Key(PublicKey(key.verifying_key().to_bytes()));
    let transaction = Transaction { network: genesis.network_id(), sender, nonce, fee: 0, body };
    let mut signed =
        SignedTransaction { transaction, authorisation: Authorisation::Single(Signature([0; 64])) };
    signed.transaction.fee = fee_floor(&genesis.fees, &signed);
    let signature = Signature(key.sign(&signed.transaction.id()).to_bytes());
    signed.authorisation = Authorisation::Single(signature);
    signed
}
