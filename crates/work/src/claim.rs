//! Claims: a leg of an attempt, won or lost, that found something.

use std::io;
use std::sync::atomic::AtomicBool;

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_problem::Problem;

use crate::error::WorkError;
use crate::proof::{Attempt, chain, leg_seed};
use crate::rules::WorkRules;
use crate::runner::{LegOutput, LegRunner};
use crate::table::{Leg, Table, draw};
use crate::types::{Assignment, Hash, LEGS};

/// The most bytes of the header in a claim.
pub const CLAIM_HEADER_BYTES_MAX: usize = 1024;

/// That a leg of an attempt found an assignment. Seeds bind it to the header, so to its miner's key: who copies it
/// into a header of his own has other seeds.
#[derive(BorshSerialize, Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The header without nonce and digests, as the chain encodes it; its hash is `th`. At most
    /// [`CLAIM_HEADER_BYTES_MAX`] bytes.
    pub header: Vec<u8>,
    /// The attempt's nonce.
    pub nonce: u64,
    /// Which leg found it, 1 to 4.
    pub leg: u8,
    /// The digests of the legs up to and including that one.
    pub digests: Vec<Hash>,
    /// The best lane of the leg.
    pub lane: u8,
    /// What it found.
    pub assignment: Assignment,
}

impl Claim {
    /// The claim of leg `leg` (1 to 4) of an attempt under `header`.
    pub fn of_attempt(header: Vec<u8>, attempt: &Attempt, leg: u8) -> Self {
        let output = &attempt.outputs[usize::from(leg) - 1];
        Self {
            header,
            nonce: attempt.proof.nonce,
            leg,
            digests: attempt.proof.digests[..usize::from(leg)].to_vec(),
            lane: output.lane,
            assignment: Assignment::pack(&output.assignment),
        }
    }

    fn check_form(&self) -> Result<(), &'static str> {
        if !(1..=LEGS as u8).contains(&self.leg) {
            return Err("there are four legs");
        }
        if self.digests.len() != usize::from(self.leg) {
            return Err("it needs one digest for each leg up to its own");
        }
        if self.header.len() > CLAIM_HEADER_BYTES_MAX {
            return Err("the header is too long");
        }
        Ok(())
    }
}

impl BorshDeserialize for Claim {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let invalid = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text);
        // Lengths come before what they count, so they are bounded before anything is allocated.
        let bounded = |length: u32, most: usize| {
            if length as usize <= most {
                Ok(length as usize)
            } else {
                Err(invalid("a part of a claim is too long"))
            }
        };
        let mut header = vec![0; bounded(u32::deserialize_reader(reader)?, CLAIM_HEADER_BYTES_MAX)?];
        reader.read_exact(&mut header)?;
        let nonce = u64::deserialize_reader(reader)?;
        let leg = u8::deserialize_reader(reader)?;
        let mut digests = vec![[0; 32]; bounded(u32::deserialize_reader(reader)?, LEGS)?];
        for digest in &mut digests {
            reader.read_exact(digest)?;
        }
        let lane = u8::deserialize_reader(reader)?;
        let assignment = Assignment::deserialize_reader(reader)?;
        let claim = Self { header, nonce, leg, digests, lane, assignment };
        claim.check_form().map_err(invalid)?;
        Ok(claim)
    }
}

/// What needs no simulation: the form and the pre-hash. Gives the leg that the claim is about, so that the caller
/// can score the assignment before it spends a run. `th` is the hash of [`Claim::header`] in the chain's terms.
///
/// # Errors
/// [`WorkError::Malformed`], [`WorkError::PreHash`].
pub fn check_claim_cheap(
    th: &Hash,
    claim: &Claim,
    table: &Table,
    rules: &WorkRules,
) -> Result<Leg, WorkError> {
    claim.check_form().map_err(WorkError::Malformed)?;
    let hashes = chain(th, claim.nonce, &claim.digests[..claim.digests.len() - 1]);
    if !rules.pre_target().is_met_by(&hashes[0]) {
        return Err(WorkError::PreHash);
    }
    Ok(draw(table, &leg_seed(hashes.last().expect("h0 is there"), claim.leg)))
}

/// Verifies a claim by running its one leg again. Whether the result is worth anything is the ledger's to say
/// (see [`score`]), and better said before.
///
/// Digests of earlier legs are not run again: false ones only lead to another honest leg.
///
/// # Errors
/// Those of [`check_claim_cheap`]; [`WorkError::Digest`], [`WorkError::Result`]; what the runner says.
pub fn verify_claim(
    th: &Hash,
    claim: &Claim,
    table: &Table,
    rules: &WorkRules,
    runner: &dyn LegRunner,
) -> Result<LegOutput, WorkError> {
    let leg = check_claim_cheap(th, claim, table, rules)?;
    let output = runner.run(table, &leg, &AtomicBool::new(false))?;
    if Some(&output.digest) != claim.digests.last() {
        return Err(WorkError::Digest { leg: claim.leg });
    }
    if output.lane != claim.lane || Assignment::pack(&output.assignment) != claim.assignment {
        return Err(WorkError::Result { leg: claim.leg });
    }
    Ok(output)
}

/// `(unsatisfied hard clauses, energy)` of an assignment in a problem's canonical units, less is better in that
/// order; a CNF's clauses are its energy. `None` if the assignment has another number of variables.
pub fn score(problem: &Problem, assignment: &[bool]) -> Option<(u64, i64)> {
    if assignment.len() != problem.variables() as usize {
        return None;
    }
    Some(match problem {
        Problem::Cnf(cnf) => (0, cnf.unsatisfied(assignment) as i64),
        Problem::Wcnf(wcnf) => (wcnf.hard_unsatisfied(assignment), wcnf.cost(assignment)),
        Problem::Ising(ising) => (0, ising.energy(assignment)),
    })
}
