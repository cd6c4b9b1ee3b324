//! A block comes in: judged, stored, and perhaps the new tip.

use std::collections::{BTreeMap, VecDeque};

use hysteron_ledger::{Applied, BlockContext, BlockInput, Event};
use hysteron_work::types::{Hash, JobId, LEGS};
use hysteron_work::{Table, Task, draw, leg_seed, next_hash, pre_hash};

use super::cursor::misfit;
use super::{Chain, Connected, Outcome, Submission, Tip, WorkDone};
use crate::archive::{Entry, Meta, Records, SCHEMA_VERSION};
use crate::block::Block;
use crate::claims::{Claims, Rerun};
use crate::context::HeaderContext;
use crate::error::ChainError;
use crate::header::Header;
use crate::pipeline;
use crate::storage::{Batch, Column, Storage};

/// Whether a block's work is run again.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum WorkPolicy<'a> {
    /// It is, unless it was run ahead.
    Rerun(Option<&'a WorkDone>),
    /// A release vouches for it, and the sample did not draw it.
    Vouched,
}

impl<S: Storage> Chain<S> {
    /// Takes a block, at Unix time `now` seconds.
    ///
    /// # Errors
    /// Why it is refused, with the score of who sent it ([`ChainError::ban_score`]). A block whose parent is missing is
    /// no error but [`Outcome::Orphan`].
    pub fn submit_block(&mut self, block: Block, now: u64) -> Result<Submission, ChainError> {
        self.submit_block_with(block, None, now)
    }

    /// The same with the result of the block's work, run before ([`Self::work_ahead`]).
    ///
    /// # Errors
    /// As of [`Self::submit_block`].
    pub fn submit_block_with(
        &mut self,
        block: Block,
        work: Option<&WorkDone>,
        now: u64,
    ) -> Result<Submission, ChainError> {
        let hash = block.hash();
        if self.archive.entry(&hash)?.is_some() {
            return Ok(Submission::new(hash, Outcome::Known));
        }
        if self.orphans.contains(&hash) {
            let missing = self.orphans.missing_ancestor(&block.header.parent);
            return Ok(Submission::new(hash, Outcome::Orphan { missing }));
        }
        self.refuse_known_invalid(&hash, &block.header)?;
        pipeline::check_header_alone(&block.header)?;
        pipeline::check_body(&block)?;
        if self.archive.entry(&block.header.parent)?.is_none() {
            return self.keep_orphan(hash, block).map(|outcome| Submission::new(hash, outcome));
        }
        let mut submission = Submission::new(hash, Outcome::SideBranch);
        let depth_max = self.options.side_depth_max;
        let policy = WorkPolicy::Rerun(work);
        let result = self.accept(&block, hash, policy, depth_max, now, &mut submission);
        if let Ok(outcome) = &result {
            submission.outcome = outcome.clone();
            self.adopt_orphans(hash, now, &mut submission);
        }
        self.return_to_tip()?;
        self.settle(&mut submission)?;
        result.map(|_| submission)
    }

    /// The checks of a header that need no simulation, for relaying before a block is judged in full.
    ///
    /// # Errors
    /// As of [`Self::submit_block`]; [`ChainError::ParentUnknown`] if the parent is not stored.
    pub fn check_header(&self, header: &Header, now: u64) -> Result<(), ChainError> {
        let hash = header.hash();
        if self.invalid.contains(&hash) || self.invalid.contains(&header.parent) {
            return Err(ChainError::KnownInvalid);
        }
        pipeline::check_header_alone(header)?;
        let Some(parent) = self.archive.entry(&header.parent)? else {
            return Err(ChainError::ParentUnknown { parent: header.parent });
        };
        let context = self.context_after(&header.parent, &parent)?;
        pipeline::check_header_on(header, &hash, &context, &self.rules, now)
    }

    fn refuse_known_invalid(&mut self, hash: &Hash, header: &Header) -> Result<(), ChainError> {
        if self.invalid.contains(&header.parent) {
            self.invalid.add(*hash);
        }
        if self.invalid.contains(hash) { Err(ChainError::KnownInvalid) } else { Ok(()) }
    }

    fn keep_orphan(&mut self, hash: Hash, block: Block) -> Result<Outcome, ChainError> {
        let tip_target = self.stored(&self.tip.hash)?.header.post_target;
        pipeline::check_orphan(&block.header, &tip_target, &self.rules.work)?;
        let missing = self.orphans.missing_ancestor(&block.header.parent);
        let bytes = block.encode().len();
        self.orphans.add(hash, block, bytes);
        Ok(Outcome::Orphan { missing })
    }

    /// Accepts the orphans that wait for a block, and those that wait for them.
    fn adopt_orphans(&mut self, parent: Hash, now: u64, submission: &mut Submission) {
        let mut accepted = VecDeque::from([parent]);
        while let Some(parent) = accepted.pop_front() {
            for block in self.orphans.take_children(&parent) {
                let hash = block.hash();
                let depth_max = self.options.side_depth_max;
                let result = self.accept(&block, hash, WorkPolicy::Rerun(None), depth_max, now, submission);
                if result.is_ok() {
                    accepted.push_back(hash);
                }
                submission.orphans.push((hash, result));
            }
        }
    }

    /// Judges a block whose parent is stored, stores it, and follows it if its branch has the most work. The state
    /// may be left on its branch: [`Self::return_to_tip`] brings it back.
    pub(super) fn accept(
        &mut self,
        block: &Block,
        hash: Hash,
        policy: WorkPolicy<'_>,
        depth_max: u64,
        now: u64,
        submission: &mut Submission,
    ) -> Result<Outcome, ChainError> {
        let result = self.judge(block, hash, policy, depth_max, now);
        if let Err(error) = &result
            && error.condemns_header()
        {
            self.invalid.add(hash);
        }
        let (entry, applied) = result?;
        match self.keep(block, hash, entry, &applied, submission) {
            Ok(outcome) => Ok(outcome),
            Err(error) => {
                // Nothing was written: the state goes back to what is stored.
                self.state.revert(&applied.delta).map_err(misfit)?;
                Err(error)
            }
        }
    }

    /// The pipeline. On success the state is after the block, and `at` still the parent.
    fn judge(
        &mut self,
        block: &Block,
        hash: Hash,
        policy: WorkPolicy<'_>,
        depth_max: u64,
        now: u64,
    ) -> Result<(Entry, Applied), ChainError> {
        let header = &block.header;
        let (parent, context) = self.check_before_work(block, hash, depth_max, now)?;
        self.move_to(&header.parent)?;
        let table = self.table_after(&header.parent)?;
        match policy {
            WorkPolicy::Vouched => {}
            WorkPolicy::Rerun(done) => match done.and_then(|done| done.of(&hash)) {
                Some(result) => result?,
                None => pipeline::check_work(header, &table, &self.rules.work, &*self.runner)?,
            },
        }
        let tables = self.claim_tables(&header.parent, &block.transactions)?;
        let claims = Claims {
            tables,
            rules: &self.rules.work,
            runner: &*self.runner,
            problems: &self.archive,
            verdicts: &self.verdicts,
            rerun: Rerun::Here,
        };
        claims.run_ahead(&block.transactions, self.genesis.market.claims_per_block as usize);
        let input = BlockInput {
            context: BlockContext {
                height: header.height,
                parent: header.parent,
                time: header.time,
                miner: header.miner,
                post_target: header.post_target,
                parent_legs: &parent.legs,
                work: &claims,
            },
            transactions: &block.transactions,
            problems: &block.problems,
        };
        let applied = pipeline::apply(&mut self.state, &input, &header.state_root)?;
        let total_work = context.total_work_with(header, &self.rules);
        Ok((Entry { header: header.clone(), total_work, legs: drawn_jobs(header, &table) }, applied))
    }

    /// The pipeline up to the work: all that needs no simulation, with the body's roots.
    pub(super) fn check_before_work(
        &mut self,
        block: &Block,
        hash: Hash,
        depth_max: u64,
        now: u64,
    ) -> Result<(Entry, HeaderContext), ChainError> {
        let header = &block.header;
        self.refuse_known_invalid(&hash, header)?;
        pipeline::check_header_alone(header)?;
        pipeline::check_body(block)?;
        let parent =
            self.archive.entry(&header.parent)?.ok_or(ChainError::ParentUnknown { parent: header.parent })?;
        let context = self.context_after(&header.parent, &parent)?;
        pipeline::check_header_on(header, &hash, &context, &self.rules, now)?;
        self.check_depth(&header.parent, &parent, depth_max)?;
        pipeline::check_roots(block)?;
        Ok((parent, context))
    }

    /// Refuses branches that leave the best chain too far below the tip, before the state is moved for them.
    pub(super) fn check_depth(&self, parent: &Hash, entry: &Entry, limit: u64) -> Result<(), ChainError> {
        let (mut hash, mut header) = (*parent, entry.header.clone());
        loop {
            let depth = self.tip.height.saturating_sub(header.height);
            if depth > limit {
                return Err(ChainError::TooDeep { depth, limit });
            }
            if self.archive.canonical(header.height)? == Some(hash) {
                return Ok(());
            }
            hash = header.parent;
            header = self.stored(&hash)?.header;
        }
    }

    /// Stores a judged block in one batch, with the change of tip if it has more work than the best: that is all of
    /// fork choice, and a tie stays with what came first.
    fn keep(
        &mut self,
        block: &Block,
        hash: Hash,
        entry: Entry,
        applied: &Applied,
        submission: &mut Submission,
    ) -> Result<Outcome, ChainError> {
        let mut batch = Batch::default();
        batch.put_block(&hash, block, &entry, applied);
        if entry.total_work <= self.tip.total_work {
            self.archive.commit(&batch)?;
            self.at = hash;
            return Ok(Outcome::SideBranch);
        }
        let paths = self.paths(&self.tip.hash, &block.header.parent)?;
        let mut state = BTreeMap::new();
        let mut abandoned = Vec::new();
        for old in &paths.down {
            let body = self.archive.block(old)?.ok_or(ChainError::Stale("a block to abandon is gone"))?;
            batch.disconnect(body.header.height, &body.transactions);
            for change in self.archive.delta(old)?.unwrap_or_default().changes {
                state.insert(change.key, change.old);
            }
            abandoned.push(body);
        }
        let mut connected = Vec::new();
        for new in &paths.up {
            let body = self.archive.block(new)?.ok_or(ChainError::Stale("a block to follow is gone"))?;
            batch.connect(new, body.header.height, &body.transactions);
            for change in self.archive.delta(new)?.unwrap_or_default().changes {
                state.insert(change.key, change.new);
            }
            connected.push((*new, body, self.archive.events(new)?));
        }
        batch.connect(&hash, block.header.height, &block.transactions);
        for change in &applied.delta.changes {
            state.insert(change.key.clone(), change.new.clone());
        }
        batch.changes.extend(state.into_iter().map(|(key, value)| (Column::State, key, value)));
        batch.put_meta(&Meta { schema: SCHEMA_VERSION, genesis: self.rules.genesis, tip: hash });
        self.archive.commit(&batch)?;
        self.at = hash;
        self.tip = Tip::of(hash, &entry);
        let depth = abandoned.len() as u64;
        for (old, body) in paths.down.iter().zip(abandoned) {
            // What came and went within one submission was never there for who listens.
            if submission.connected.last().is_some_and(|last| last.hash == *old) {
                submission.connected.pop();
            } else {
                submission.disconnected.push(*old);
            }
            self.pending.disconnected(body);
        }
        for (new, body, events) in connected {
            self.follow(new, &body, events, submission);
        }
        self.follow(hash, block, applied.events.clone(), submission);
        Ok(if depth == 0 && paths.up.is_empty() {
            Outcome::Extended
        } else {
            Outcome::Reorganised { fork: paths.fork, depth }
        })
    }

    fn follow(&mut self, hash: Hash, block: &Block, events: Vec<Event>, submission: &mut Submission) {
        self.pending.connected(block);
        submission.connected.push(Connected { hash, height: block.header.height, events });
    }
}

/// The jobs that the legs of a header's attempt drew from the table after its parent, public ones left out.
pub(crate) fn drawn_jobs(header: &Header, table: &Table) -> Vec<JobId> {
    let mut last = pre_hash(&header.seed(), header.nonce);
    let mut jobs = Vec::new();
    for leg in 1..=LEGS as u8 {
        if let Task::Job(index) = draw(table, &leg_seed(&last, leg)).task
            && let Some(entry) = table.entries.get(index as usize)
        {
            jobs.push(entry.job);
        }
        last = next_hash(&last, &header.digests[usize::from(leg) - 1]);
    }
    jobs
}
