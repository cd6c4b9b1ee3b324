//! The tree of blocks: real headers, targets and cumulative work, and the real ledger. Only the lottery is stubbed: a
//! block's nonce and digests are those of an attempt that *ran*, by [`StubRunner`], and that the simulator declared won.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hysteron_chain::Block as WholeBlock;
use hysteron_chain::asert::Asert;
use hysteron_chain::difficulty::{MEDIAN_TIME_BLOCKS, block_work, median_time};
use hysteron_chain::testing::StubRunner;
use hysteron_chain::{HEADER_VERSION, Header, HeaderBase, genesis_block};
use hysteron_ledger::{Address, BlockContext, BlockInput, Delta, Event, NoClaims, SignedTransaction, State};
use hysteron_work::types::{Hash, JobId, LEGS, Target, hash};
use hysteron_work::{LegRunner, Proof, Table, Task, draw, leg_seed, next_hash, pre_hash};

use crate::SimError;
use crate::jobs::Market;
use crate::random::Random;

/// A block of the tree, by its index; 0 is the genesis.
pub type BlockIndex = usize;

/// A block.
pub struct Block {
    /// Its header.
    pub header: Header,
    /// The header's hash.
    pub hash: Hash,
    /// Its parent; its own index for the genesis.
    pub parent: BlockIndex,
    /// Work up to and including it.
    pub total_work: u128,
    /// The target of its children.
    pub next_target: Target,
    /// Attempts that its children are expected to take.
    pub next_tries: f64,
    /// What its children's legs draw from.
    pub table: Arc<Table>,
    /// When its attempt ended, seconds after the genesis.
    pub found_s: f64,
    /// Who found it.
    pub miner: usize,
    /// Atoms of its coinbase.
    pub reward: u64,
    /// Atoms of those that were issued.
    pub issued: u64,
    /// Times of the last blocks up to this.
    times: VecDeque<u64>,
    /// Jobs that its legs drew.
    legs: Vec<JobId>,
    delta: Delta,
}

/// A solution: who found it, on what, when.
pub struct Found {
    /// The parent.
    pub parent: BlockIndex,
    /// The miner.
    pub miner: usize,
    /// The time that its header states, if it exceeds the median of its ancestors. Unix seconds.
    pub time: u64,
    /// When the attempt ended, seconds after the genesis.
    pub found_s: f64,
}

/// All blocks, and the ledger's state at one of them.
pub struct Tree {
    blocks: Vec<Block>,
    state: State,
    at: BlockIndex,
    asert: Asert,
    attempt_work: u64,
    openings: Vec<SignedTransaction>,
    problem: Vec<u8>,
    runner: StubRunner,
}

impl std::ops::Index<BlockIndex> for Tree {
    type Output = Block;
    fn index(&self, block: BlockIndex) -> &Block {
        &self.blocks[block]
    }
}

impl Tree {
    /// The genesis of a market. Its jobs are opened in block 1 of every branch.
    ///
    /// # Errors
    /// What the ledger says of the genesis.
    pub fn new(market: &Market) -> Result<Self, SimError> {
        let genesis = &market.genesis;
        let state = State::genesis(genesis)?;
        let header = genesis_block(genesis, state.root()).header;
        let first = Block {
            hash: header.hash(),
            parent: 0,
            total_work: 0,
            next_target: genesis.post_target,
            next_tries: genesis.post_target.expected_tries() as f64,
            table: Arc::new(state.table()),
            found_s: 0.0,
            miner: usize::MAX,
            reward: 0,
            issued: 0,
            times: VecDeque::from([header.time]),
            legs: Vec::new(),
            delta: Delta::default(),
            header,
        };
        Ok(Self {
            blocks: vec![first],
            state,
            at: 0,
            asert: Asert { spacing_s: genesis.spacing_seconds, half_life_blocks: genesis.half_life_blocks },
            attempt_work: genesis.work.attempt_work(),
            openings: market.openings.clone(),
            problem: market.problem.clone(),
            runner: StubRunner::without_problems(),
        })
    }

    /// Blocks, the genesis included.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }
    /// Height of a block.
    pub fn height(&self, block: BlockIndex) -> u64 {
        self.blocks[block].header.height
    }
    /// The time that a block on `parent` must exceed, Unix seconds.
    pub fn median_time(&self, parent: BlockIndex) -> u64 {
        median_time(&self.blocks[parent].times.iter().copied().collect::<Vec<_>>())
    }
    /// The last block that two branches have.
    pub fn fork(&self, mut a: BlockIndex, mut b: BlockIndex) -> BlockIndex {
        while a != b {
            if self.height(a) >= self.height(b) { a = self[a].parent } else { b = self[b].parent }
        }
        a
    }
    /// The branch that ends in `tip`, the genesis first.
    pub fn branch(&self, tip: BlockIndex) -> Vec<BlockIndex> {
        let mut branch = vec![tip];
        while let Some(&last) = branch.last().filter(|&&last| last != 0) {
            branch.push(self[last].parent);
        }
        branch.reverse();
        branch
    }

    /// The ledger's state after a block.
    ///
    /// # Errors
    /// A fault of the ledger.
    pub fn state_at(&mut self, block: BlockIndex) -> Result<&State, SimError> {
        let fork = self.fork(self.at, block);
        while self.at != fork {
            self.state.revert(&self.blocks[self.at].delta)?;
            self.at = self.blocks[self.at].parent;
        }
        let mut up = Vec::new();
        let mut next = block;
        while next != fork {
            up.push(next);
            next = self.blocks[next].parent;
        }
        for next in up.into_iter().rev() {
            self.state.replay(&self.blocks[next].delta)?;
            self.at = next;
        }
        Ok(&self.state)
    }

    /// Adds the block of a solution. `runs` says of each leg (0 to 3) and what it drew whether the finder would run it; the
    /// attempt is drawn again until it would run all.
    ///
    /// # Errors
    /// A fault of the ledger.
    pub fn add(
        &mut self,
        found: &Found,
        random: &mut Random,
        runs: &dyn Fn(usize, Task) -> bool,
    ) -> Result<BlockIndex, SimError> {
        self.state_at(found.parent)?;
        let parent = &self.blocks[found.parent];
        let time = found.time.max(self.median_time(found.parent) + 1);
        let height = parent.header.height + 1;
        let miner = miner_address(found.miner);
        let (openings, problems) = match height {
            1 => (self.openings.clone(), vec![self.problem.clone()]),
            _ => (Vec::new(), Vec::new()),
        };
        let context = BlockContext {
            height,
            parent: parent.hash,
            time,
            miner,
            post_target: parent.next_target,
            parent_legs: &parent.legs,
            work: &NoClaims,
        };
        let applied =
            self.state.apply(&BlockInput { context, transactions: &openings, problems: &problems })?;
        let base = HeaderBase {
            version: HEADER_VERSION,
            height,
            parent: parent.hash,
            transaction_root: WholeBlock::transaction_root(&openings),
            state_root: self.state.root(),
            data_root: WholeBlock::data_root(&problems),
            miner,
            time,
            post_target: parent.next_target,
            local_pool_root: [0; 32],
        };
        let (proof, legs) = self.attempt(&base.seed(), &parent.table, random, runs)?;
        let header = base.with(&proof);
        let mut times = parent.times.clone();
        times.push_back(time);
        if times.len() > MEDIAN_TIME_BLOCKS {
            times.pop_front();
        }
        let next_target = next_target(&self.asert, &header, parent.header.time);
        let (mut reward, mut issued_now) = (0, 0);
        for event in &applied.events {
            if let Event::Mined { issued, fees, pot, .. } = event {
                reward += issued + fees + pot;
                issued_now += issued;
            }
        }
        let block = Block {
            hash: header.hash(),
            parent: found.parent,
            total_work: parent.total_work.saturating_add(block_work(self.attempt_work, &header.post_target)),
            next_target,
            next_tries: next_target.expected_tries() as f64,
            table: Arc::new(self.state.table()),
            found_s: found.found_s,
            miner: found.miner,
            reward,
            issued: issued_now,
            times,
            legs,
            delta: applied.delta,
            header,
        };
        self.at = self.blocks.len();
        self.blocks.push(block);
        Ok(self.at)
    }

    /// A completed attempt: its proof, and the jobs that its legs drew.
    fn attempt(
        &self,
        seed: &Hash,
        table: &Table,
        random: &mut Random,
        runs: &dyn Fn(usize, Task) -> bool,
    ) -> Result<(Proof, Vec<JobId>), SimError> {
        let stop = AtomicBool::new(false);
        'attempt: loop {
            let nonce = random.word();
            let (mut last, mut digests, mut jobs) = (pre_hash(seed, nonce), [[0; 32]; LEGS], Vec::new());
            for leg in 0..LEGS {
                let drawn = draw(table, &leg_seed(&last, leg as u8 + 1));
                if !runs(leg, drawn.task) {
                    continue 'attempt;
                }
                if let Task::Job(index) = drawn.task {
                    jobs.push(table.entries[index as usize].job);
                }
                digests[leg] = self.runner.run(table, &drawn, &stop)?.digest;
                last = next_hash(&last, &digests[leg]);
            }
            return Ok((Proof { nonce, digests }, jobs));
        }
    }
}

/// The target after a header, as `HeaderContext::next_target` has it (a test compares them): the first two blocks keep the
/// genesis' own.
fn next_target(asert: &Asert, header: &Header, parent_time: u64) -> Target {
    if header.height < 2 {
        return header.post_target;
    }
    asert.next(header.post_target, header.time as i64 - parent_time as i64)
}

/// The account of a miner.
pub fn miner_address(miner: usize) -> Address {
    Address(hash("sim-miner", &[&(miner as u64).to_le_bytes()]))
}

#[cfg(test)]
mod tests {
    use hysteron_chain::testing::{easy_genesis, mine};
    use hysteron_chain::{Chain, ChainOptions, MemoryStorage, TemplateLimits};

    use super::*;

    #[test]
    fn targets_are_those_of_the_chain() {
        let genesis = easy_genesis();
        let runner = Arc::new(StubRunner::without_problems());
        let storage = Arc::new(MemoryStorage::default());
        let mut chain =
            Chain::open(genesis.clone(), storage, runner.clone(), ChainOptions::default()).unwrap();
        let asert = Asert { spacing_s: genesis.spacing_seconds, half_life_blocks: genesis.half_life_blocks };
        let (mut now, mut parent_time, mut expected) = (genesis.time, genesis.time, genesis.post_target);
        for step in [3u64, 9, 1, 40, 2, 2, 7, 30, 5, 1] {
            now += step;
            let template = chain.template(miner_address(1), now, TemplateLimits::default()).unwrap();
            assert_eq!(template.header.post_target, expected);
            let block = mine(template, &genesis.work, &*runner);
            expected = next_target(&asert, &block.header, parent_time);
            parent_time = block.header.time;
            chain.submit_block(block, now).unwrap();
        }
    }
}
