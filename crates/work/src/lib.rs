//! Proof of useful work: a lottery whose tickets are simulations that customers booked, which every node can run again
//! bit for bit. Pure code: it reads no clock, disk or socket, and holds no float.
//!
//! # An attempt
//! ```text
//! th  = hash of the header without nonce and digests                 the chain's
//! h0  = B3("pre" | th | nonce)     must be below T_pre               ground: about 5 % of an attempt's cost
//! for i in 1..=4:
//!     s_i = B3("leg" | h_{i-1} | i)        draws job, start, parameter set, seed from the table   (draw)
//!     run one leg: as many steps as W_LEG pays for                                                (LegRunner)
//!     d_i = digest of final state, trace of every step, each lane's best
//!     h_i = B3("next" | h_{i-1} | d_i)
//! win  <=>  B3("post" | h_4) < T_post
//! ```
//! The seed binds the miner's key, the parent and the transactions through `th`, so work cannot be stolen, shared or
//! prepared. The pre-hash prices every re-draw at a twentieth of an attempt; the chain of legs hides the next job until
//! this one is paid for; and a verifier, who is given the four digests, runs the legs side by side. A proof is the nonce
//! and four digests ([`Proof`]).
//!
//! # The way through the code
//! [`attempt`] grinds ([`Grinder`]) and runs legs; [`verify`] does the cheap checks ([`check_cheap`]), then the four legs in
//! their order, one on each core at a time, and stops at the first that differs. [`draw`] is the whole schedule: a job that booked `N` chips is
//! drawn with probability `N / C`, the rest is the [`pool`]'s; nobody assigns anything. [`CpuRunner`] finds the problem,
//! compiles its circuits once ([`CircuitCache`]) and runs them ([`Compiled`]); a simulator puts its own [`LegRunner`] in
//! its place. [`cost`] says how many steps a leg has, [`kernel`] which chips a problem may run on, [`parameters`] with
//! which settings, [`Tuning`] how often each. [`normalisation_check`] admits problems. [`Claim`]s report what a leg found,
//! losing attempts included: [`check_claim_cheap`], then [`score`], then [`verify_claim`], which runs that one leg.
//! [`Meter`] tells hashing from computing by the host's clock.
//!
//! # Cost
//! Every leg costs [`WorkRules::leg_work`] nanoseconds of the reference core, whatever it simulates. Chips of fixed cost
//! (switching T, W and G, memcomputing side by side, crossbar A) get `(W_LEG - load) / cost` steps. Where the fastest way
//! to the same bits is event-driven (spins with many couplings), chips are defined so, and a leg is rounds of one chip
//! each, sized by a counter of visits and updates, which is part of the run, so that it reaches `W_LEG`. What a step costs follows
//! from the compiled circuit: [`cost`]. Which chips are admitted,
//! which are not, and why: `docs/decisions/0005-work-chips.md`. Solved circuits cost what others cost: switching chips
//! that satisfy every clause start again from their noise, all others simply go on; noise enters every element in every
//! step and every step enters the trace.
//!
//! # Starts, checkpoints, tuning
//! A leg starts at random with probability 1/2, else from one of the job's up to 16 best assignments, every chip with a
//! kick of its own, so the search composes over blocks. Which of the 32 parameter sets of its class it draws is learnt
//! from verified results. Steps are fixed by cost, so neither changes what a leg costs.
//!
//! # Known limits
//! * "No shortcut for an integer, dithered, fixed-step circuit" is a conjecture; no proof is known.
//! * Instances are public unless the customer blinds them.
//! * Delivery is statistical: small jobs see few legs.
//! * Header chains alone prove little: `T_post` over made-up digests is cheap, so legs of a sample must be run again.
//! * A claim's earlier digests are not checked; false ones only lead to another honest leg, at the cost of a hash.
//! * With no jobs the work is the public pool's.
//! * Compiling a circuit is not counted: it is kept ([`CircuitCache`]), and whoever meets a job first pays for it once.
//! * Costs are those of one CPU family. On another machine, kernels differ in speed by other ratios, and legs are less
//!   uniform there.
//! * Admission runs the normaliser of `hysteron_problem`, so a change of what it finds is a change of consensus.

mod admit;
mod cache;
mod chips;
mod claim;
pub mod cost;
mod error;
pub mod kernel;
mod meter;
pub mod parameters;
pub mod pool;
mod prehash;
mod proof;
mod rules;
mod runner;
mod size;
mod table;
mod tuning;
pub mod types;

pub use admit::{PROBLEM_BYTES_MAX, ROW_MEAN_MAX, STEP_BYTES_MAX, decode_problem, normalisation_check};
pub use cache::CircuitCache;
pub use chips::{Compiled, CpuRunner, RunOutput, RunRequest};
pub use claim::{CLAIM_HEADER_BYTES_MAX, Claim, check_claim_cheap, score, verify_claim};
pub use error::{Refusal, WorkError};
pub use meter::{Meter, Reading};
pub use pool::PublicPool;
pub use prehash::Grinder;
pub use proof::{
    Attempt, Proof, attempt, check_cheap, leg_seed, next_hash, post_hash, pre_hash, verify, verify_on,
};
pub use rules::WorkRules;
pub use runner::{LegOutput, LegRunner, Problems};
pub use size::Sizes;
pub use table::{
    CHECKPOINTS_MAX, Class, ENTRIES_MAX, Entry, KICKS_PER_MILLE, Leg, LegStart, Table, Task, draw,
};
pub use tuning::{SETS, Tuning};
pub use types::{
    Assignment, CHIPS_PER_BANK, ELEMENTS_LIMIT, Hash, JobId, LEGS, ProblemId, Target, U256, VARIABLES_LIMIT,
    hash,
};
