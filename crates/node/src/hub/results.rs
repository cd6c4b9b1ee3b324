//! What workers find: blocks and claims.

use std::sync::Arc;

use hysteron_api::worker::{LegClaim, Tally};
use hysteron_chain::{ChainError, HeaderBase, MempoolError, Outcome, SubmitError};
use hysteron_ledger::{LedgerError, Score, SignedTransaction, format_hys};
use hysteron_work::{Claim, Hash, JobId, Proof, Task, WorkError};

use super::{Hub, Made};
use crate::chain_task::Unanswered;
use crate::parcel::Parcel;
use crate::relay::Sender;

/// What most claims that come too late are told.
const NO_IMPROVEMENT: ResultError = ResultError::Useless("is no improvement; another came first");

/// Why a result was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResultError {
    /// The work is not known (any more).
    #[error("The work that the result names is too old.")]
    WorkUnknown,
    /// Another block came first.
    #[error("Another block came first.")]
    Late,
    /// The chain refuses the block.
    #[error("{0}")]
    Block(#[from] ChainError),
    /// The claim is not true, or could not be run.
    #[error("The claim does not hold: {0}.")]
    Claim(#[from] WorkError),
    /// It is of no use.
    #[error("The claim {0}.")]
    Useless(&'static str),
    /// The chain refuses the transaction.
    #[error("{0}")]
    Transaction(#[from] SubmitError),
    /// Neither the node's own account nor the bounty can pay for it.
    #[error(
        "The bounty of {} HYS does not pay the claim's fee of {}, and the node's account {address} cannot pay that and a bond; send \
         it some HYS.",
        format_hys(*bounty), format_hys(*fee)
    )]
    Poor {
        /// The account.
        address: String,
        /// Atoms that the claim would earn.
        bounty: u64,
        /// Atoms that it costs.
        fee: u64,
    },
    /// Too many addresses.
    #[error("The node makes templates for as many addresses as it can.")]
    Payees,
    /// The chain does not answer.
    #[error("{0}")]
    Unanswered(#[from] Unanswered),
    /// The operating system.
    #[error("The node's machine refuses: {0}.")]
    System(String),
}

impl ResultError {
    /// Whether only a program that does not run legs honestly can have sent it.
    pub(crate) fn is_forgery(&self) -> bool {
        match self {
            Self::Block(error) => error.ban_score() >= hysteron_chain::BAN_SCORE,
            Self::Claim(error) => error.is_forgery(),
            _ => false,
        }
    }
}

impl Hub {
    /// A worker's winning attempt.
    pub(crate) async fn found(
        &self,
        work: u64,
        proof: &Proof,
        tally: &mut Tally,
    ) -> Result<Hash, ResultError> {
        let made = self.board().work(work);
        let result = match made {
            Some(made) => self.submit(&made, proof).await,
            None => Err(ResultError::WorkUnknown),
        };
        self.settle(&result, tally, true);
        result
    }

    /// A header that was mined on a template over HTTP.
    pub(crate) async fn found_header(&self, base: &HeaderBase, proof: &Proof) -> Result<Hash, ResultError> {
        let made = self.board().by_seed(&base.seed()).ok_or(ResultError::WorkUnknown)?;
        let result = self.submit(&made, proof).await;
        self.settle(&result, &mut Tally::default(), true);
        result
    }

    async fn submit(&self, made: &Made, proof: &Proof) -> Result<Hash, ResultError> {
        // Cheap checks first, so that a forger costs nothing but his place.
        hysteron_work::check_cheap(
            &made.header.seed(),
            proof,
            &self.parts.genesis.work,
            &made.header.post_target,
        )
        .map_err(ChainError::Work)?;
        let (block, chain) = (made.complete(proof), &self.parts.chain);
        let (bytes, parent) = (block.encode(), block.header.parent);
        let Some(work) = chain.work_ahead(block.clone()).await?? else { return Err(ResultError::Late) };
        let passed_on = self.parts.gate.admits(chain, Sender::Own, &parent, &work);
        if passed_on {
            self.parts.gossip.block(bytes.clone());
        }
        let result = chain.submit_block_with(block, work).await;
        let is_false = matches!(&result, Ok(Err(error)) if error.ban_score() > 0);
        self.parts.gate.settled(Sender::Own, passed_on, !is_false);
        let submission = result??;
        let was_stored = !matches!(submission.outcome, Outcome::Known | Outcome::Orphan { .. });
        if was_stored && !passed_on {
            self.parts.gossip.block(bytes);
        }
        match submission.outcome {
            Outcome::Extended | Outcome::Reorganised { .. } => Ok(submission.hash),
            // Others may like it better.
            Outcome::SideBranch => Err(ResultError::Late),
            Outcome::Known | Outcome::Orphan { .. } => Err(ResultError::Late),
        }
    }

    /// A worker's claim.
    pub(crate) async fn claim(
        &self,
        work: u64,
        claim: LegClaim,
        tally: &mut Tally,
    ) -> Result<Hash, ResultError> {
        let made = self.board().work(work);
        let result = match made {
            Some(made) => {
                let claim = claim.with_header(made.header_bytes.to_vec());
                self.check_and_wrap(&made, claim).await
            }
            None => Err(ResultError::WorkUnknown),
        };
        self.settle(&result, tally, false);
        result
    }

    /// A whole claim, from HTTP; its header must be of a template of this node.
    pub(crate) async fn claim_upload(&self, claim: Claim) -> Result<Hash, ResultError> {
        let seed = hysteron_work::hash("header", &[&claim.header]);
        let made = self.board().by_seed(&seed).ok_or(ResultError::WorkUnknown)?;
        let result = self.check_and_wrap(&made, claim).await;
        self.settle(&result, &mut Tally::default(), false);
        result
    }

    /// A claim of the node's own threads: its leg was run here.
    pub(crate) async fn own_claim(&self, job: JobId, energy: i64, claim: Claim) -> Result<Hash, ResultError> {
        // Threads claim nothing that breaks a hard clause.
        let score = Score { hard_unsatisfied: 0, energy };
        let result = self.wrap(job, score, claim).await;
        self.settle(&result, &mut Tally::default(), false);
        result
    }

    /// Scores first, then runs the leg, then puts coins at stake.
    async fn check_and_wrap(&self, made: &Arc<Made>, claim: Claim) -> Result<Hash, ResultError> {
        let (seed, rules) = (made.header.seed(), &self.parts.genesis.work);
        let leg = hysteron_work::check_claim_cheap(&seed, &claim, &made.table, rules)?;
        let entry = match leg.task {
            Task::Job(index) => made.table.entries.get(index as usize),
            Task::Public(_) => None,
        };
        let entry = entry.ok_or(ResultError::Useless("is of the public pool, which pays none"))?;
        let job = entry.job;
        let known = self.parts.chain.ask(move |writer| writer.chain.state().job(&job)).await?;
        let known = known.filter(|job| job.status.takes_claims());
        let best =
            known.ok_or(ResultError::Useless("is of a job that has ended"))?.best.map(|best| best.score);
        let _turn = self.checks.acquire().await.map_err(|_| Unanswered::Stopping)?;
        let (made, runner, problems) = (made.clone(), self.parts.runner.clone(), self.parts.problems.clone());
        let (rules, problem_id) = (rules.clone(), entry.problem);
        let check = tokio::task::spawn_blocking(move || {
            let problem = problems.problem(&problem_id).ok_or(WorkError::ProblemMissing(problem_id))?;
            let score = Score::of(&problem, &claim.assignment.unpack())
                .ok_or(WorkError::Malformed("its assignment has another number of variables"))?;
            if best.is_some_and(|best| best <= score) {
                return Err(NO_IMPROVEMENT);
            }
            hysteron_work::verify_claim(&seed, &claim, &made.table, &rules, &*runner)?;
            Ok((claim, score))
        });
        let (claim, score) = check.await.map_err(|e| ResultError::System(e.to_string()))??;
        self.wrap(job, score, claim).await
    }

    async fn wrap(&self, job: JobId, score: Score, claim: Claim) -> Result<Hash, ResultError> {
        let height = self.parts.chain.standing().tip.height;
        if !self.board().claims.improves(job, score, height) {
            return Err(NO_IMPROVEMENT);
        }
        let signed = self.sign_and_submit(claim).await.inspect_err(|_| self.board().claims.forget(&job))?;
        let id = signed.id();
        self.parts.gossip.transaction(Parcel { transaction: signed, problem: None }.encode());
        Ok(id)
    }

    async fn sign_and_submit(&self, claim: Claim) -> Result<SignedTransaction, ResultError> {
        let account = self.parts.account.clone();
        let result = self.parts.chain.ask(move |writer| account.claim(writer, claim)).await?;
        result.map_err(|error| match error {
            SubmitError::Ledger(LedgerError::BountyBelowFee { bounty, fee }) => {
                let address = self.parts.convert.address(&self.parts.account.address());
                ResultError::Poor { address, bounty, fee }
            }
            SubmitError::Mempool(MempoolError::Overtaken) => NO_IMPROVEMENT,
            error => error.into(),
        })
    }
}
