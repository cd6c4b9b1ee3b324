//! Attempts and proofs: the pre-hash, four chained legs, the post-hash.
//!
//! ```text
//! h0  = B3("pre"  | th | nonce)              must be below T_pre
//! s_i = B3("leg"  | h_{i-1} | i)             draws the leg
//! d_i = the digest of the leg's run
//! h_i = B3("next" | h_{i-1} | d_i)
//! win   <=>   B3("post" | h_4) < T_post
//! ```

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use borsh::{BorshDeserialize, BorshSerialize};

use crate::error::WorkError;
use crate::meter::Meter;
use crate::prehash::Grinder;
use crate::rules::WorkRules;
use crate::runner::{LegOutput, LegRunner};
use crate::table::{Table, draw};
use crate::types::{Hash, LEGS, Target, hash};

/// The part of a header that work owns.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Proof {
    /// What makes the pre-hash meet its target.
    pub nonce: u64,
    /// The digest of each leg.
    pub digests: [Hash; LEGS],
}

/// One attempt, won or lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// What a header would state.
    pub proof: Proof,
    /// What the legs gave.
    pub outputs: [LegOutput; LEGS],
    /// The hash that is compared with the target.
    pub post: Hash,
}

impl Attempt {
    /// Whether it wins.
    pub fn wins(&self, post_target: &Target) -> bool {
        post_target.is_met_by(&self.post)
    }
}

/// `h0`.
pub fn pre_hash(th: &Hash, nonce: u64) -> Hash {
    hash("pre", &[th, &nonce.to_le_bytes()])
}

/// The seed of leg `leg` (1 to 4) after `previous`.
pub fn leg_seed(previous: &Hash, leg: u8) -> Hash {
    hash("leg", &[previous, &[leg]])
}

/// `h_i` from `h_{i-1}` and `d_i`.
pub fn next_hash(previous: &Hash, digest: &Hash) -> Hash {
    hash("next", &[previous, digest])
}

/// The hash that wins or loses.
pub fn post_hash(last: &Hash) -> Hash {
    hash("post", &[last])
}

/// `h_0 ..= h_n` for `n` digests.
pub(crate) fn chain(th: &Hash, nonce: u64, digests: &[Hash]) -> Vec<Hash> {
    let mut hashes = vec![pre_hash(th, nonce)];
    for digest in digests {
        let next = next_hash(hashes.last().expect("h0 is there"), digest);
        hashes.push(next);
    }
    hashes
}

/// One attempt: grinds nonces from `nonce_start` on, then runs the four legs. `th` is the hash of the header
/// without nonce and digests. `None` if `stop` was set before it was done, or there are no nonces left.
///
/// # Errors
/// What the runner says of a leg; [`WorkError::Interrupted`] becomes `None`.
pub fn attempt(
    th: &Hash,
    table: &Table,
    rules: &WorkRules,
    runner: &dyn LegRunner,
    nonce_start: u64,
    stop: &AtomicBool,
    meter: &Meter,
) -> Result<Option<Attempt>, WorkError> {
    let started = meter.now();
    let found = Grinder::new(th, &rules.pre_target()).grind(nonce_start, stop);
    let ground = meter.now();
    meter.add_hashing(started, ground);
    let Some(nonce) = found else { return Ok(None) };
    let mut last = pre_hash(th, nonce);
    let mut digests = [[0; 32]; LEGS];
    let mut outputs = Vec::with_capacity(LEGS);
    for leg in 1..=LEGS as u8 {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let output = match runner.run(table, &draw(table, &leg_seed(&last, leg)), stop) {
            Err(WorkError::Interrupted) => return Ok(None),
            result => result?,
        };
        digests[usize::from(leg) - 1] = output.digest;
        last = next_hash(&last, &output.digest);
        outputs.push(output);
    }
    meter.add_computing(ground, meter.now());
    meter.add_attempt();
    let outputs = outputs.try_into().expect("four legs");
    Ok(Some(Attempt { proof: Proof { nonce, digests }, outputs, post: post_hash(&last) }))
}

/// The checks that need no simulation: the post-hash over the stated digests, then the pre-hash. Microseconds.
///
/// # Errors
/// [`WorkError::PostHash`], [`WorkError::PreHash`].
pub fn check_cheap(
    th: &Hash,
    proof: &Proof,
    rules: &WorkRules,
    post_target: &Target,
) -> Result<(), WorkError> {
    let hashes = chain(th, proof.nonce, &proof.digests);
    if !post_target.is_met_by(&post_hash(&hashes[LEGS])) {
        return Err(WorkError::PostHash);
    }
    if !rules.pre_target().is_met_by(&hashes[0]) {
        return Err(WorkError::PreHash);
    }
    Ok(())
}

/// Verifies a proof on all cores of this machine: [`verify_on`].
///
/// # Errors
/// As [`verify_on`].
pub fn verify(
    th: &Hash,
    proof: &Proof,
    table: &Table,
    rules: &WorkRules,
    post_target: &Target,
    runner: &dyn LegRunner,
) -> Result<[LegOutput; LEGS], WorkError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    verify_on(cores, th, proof, table, rules, post_target, runner)
}

/// Verifies a proof: [`check_cheap`], then the legs in their order, up to `cores` of them (at least one) at a time, each on
/// a thread of its own. All seeds follow from the stated digests, so no leg waits for another. The first leg that differs stops
/// the others. Gives what the legs found.
///
/// # Errors
/// The first failure, in the order above; among legs the one of the least number that was seen to fail.
/// Whether an error blames the sender: [`WorkError::is_forgery`].
pub fn verify_on(
    cores: usize,
    th: &Hash,
    proof: &Proof,
    table: &Table,
    rules: &WorkRules,
    post_target: &Target,
    runner: &dyn LegRunner,
) -> Result<[LegOutput; LEGS], WorkError> {
    check_cheap(th, proof, rules, post_target)?;
    let hashes = chain(th, proof.nonce, &proof.digests);
    let (stop, next) = (AtomicBool::new(false), AtomicUsize::new(0));
    let check = |index: usize| {
        let leg = index as u8 + 1;
        let output = runner.run(table, &draw(table, &leg_seed(&hashes[index], leg)), &stop)?;
        if output.digest == proof.digests[index] { Ok(output) } else { Err(WorkError::Digest { leg }) }
    };
    let work = || {
        let mut done = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= LEGS {
                break;
            }
            let result = check(index);
            if result.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            done.push((index, result));
        }
        done
    };
    let mut results = std::thread::scope(|scope| {
        let others: Vec<_> = (1..cores.clamp(1, LEGS)).map(|_| scope.spawn(work)).collect();
        let mut results = work();
        for thread in others {
            results.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    });
    results.sort_by_key(|r| r.0);
    let failures: Vec<&WorkError> = results.iter().filter_map(|r| r.1.as_ref().err()).collect();
    // Legs that were stopped because another failed say nothing.
    if let Some(&error) = failures.iter().find(|e| ***e != WorkError::Interrupted).or(failures.first()) {
        return Err(error.clone());
    }
    let outputs: Vec<LegOutput> = results.into_iter().filter_map(|r| r.1.ok()).collect();
    Ok(outputs.try_into().expect("no leg failed, so all were run"))
}
