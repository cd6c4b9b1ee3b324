//! The chain task: one thread that owns the chain, and the only writer. Everybody else sends it questions, closures that it
//! runs one after the other; what its answers changed is told through a watch (the tip) and a broadcast (events).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use hysteron_api::types as api;
use hysteron_chain::mempool::Inserted;
use hysteron_chain::{
    Admitted, Archive, Block, Chain, ChainError, Connected, ImportPlan, MempoolError, Submission,
    SubmitError, Tip, WorkAhead, WorkDone,
};
use hysteron_ledger::Event;
use hysteron_store::RedbStorage;
use hysteron_work::JobId;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::NodeError;
use crate::convert::Convert;
use crate::limits::{CHAIN_QUEUE_MAX, EVENTS_BEHIND_MAX};
use crate::parcel::Parcel;

/// The chain of a node.
pub(crate) type NodeChain = Chain<RedbStorage>;
/// Blocks and records, for any thread.
pub(crate) type NodeArchive = Archive<RedbStorage>;

/// The work of a block, to be run.
pub(crate) type Work = WorkAhead<RedbStorage>;

/// Sends the answer to a question.
type Answer = Box<dyn FnOnce() + Send>;

/// A question to the chain.
struct Question {
    /// Whether it wants the ledger's state, which an import may have left on its branch.
    wants_state: bool,
    /// Gives what sends the answer, once it has been told where the chain stands: whoever hears that something was done also
    /// sees it.
    work: Box<dyn FnOnce(&mut Writer) -> Answer + Send>,
}

/// Unix time, seconds.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Where the chain stands, for everybody who waits for a change.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Standing {
    /// The best chain's end.
    pub(crate) tip: Tip,
    /// Its state's root.
    pub(crate) state_root: [u8; 32],
    /// Transactions that wait.
    pub(crate) mempool_count: usize,
    /// Their bytes.
    pub(crate) mempool_bytes: usize,
    /// Rises with each transaction that is taken.
    pub(crate) mempool_changes: u64,
}

/// The chain with its tellers; what questions work on.
pub(crate) struct Writer {
    pub(crate) chain: NodeChain,
    convert: Convert,
    events: broadcast::Sender<Arc<api::Event>>,
    mempool_changes: u64,
}

impl Writer {
    /// Takes a block with the result of its work, and tells what it changed.
    pub(crate) fn submit_block(
        &mut self,
        block: Block,
        work: Option<&WorkDone>,
    ) -> Result<Submission, ChainError> {
        let result = self.chain.submit_block_with(block, work, now());
        if let Ok(submission) = &result {
            self.tell(submission);
        }
        result
    }

    /// Takes the next block of a longer history in the same way.
    fn import(
        &mut self,
        plan: &mut ImportPlan,
        block: &Block,
        work: Option<&WorkDone>,
    ) -> Result<(), ChainError> {
        let submission = self.chain.import_next(plan, block, work, now())?;
        self.tell(&submission);
        Ok(())
    }

    /// Takes a transaction.
    pub(crate) fn submit_transaction(&mut self, parcel: Parcel) -> Result<Admitted, SubmitError> {
        let admitted = self.chain.submit_transaction(parcel.transaction, parcel.problem)?;
        self.mempool_changed();
        Ok(admitted)
    }

    /// The same for one that was handed in here: it waits on the disk too. Handing in again what waits already is well.
    fn keep_transaction(&mut self, parcel: Parcel) -> Result<Admitted, SubmitError> {
        let id = parcel.transaction.id();
        let admitted = match self.submit_transaction(parcel) {
            Err(SubmitError::Mempool(MempoolError::Known)) => Admitted { id, inserted: Inserted::default() },
            other => other?,
        };
        // It waits, and may be mined: a refusal now would make its sender pay twice.
        if let Err(error) = self.chain.keep_waiting(&id) {
            tracing::error!(%error, "a transaction waits in memory alone");
        }
        Ok(admitted)
    }

    /// Notes that a transaction was taken.
    pub(crate) fn mempool_changed(&mut self) {
        self.mempool_changes += 1;
    }

    fn standing(&self) -> Standing {
        Standing {
            tip: self.chain.tip().clone(),
            state_root: self.chain.tip().state_root,
            mempool_count: self.chain.mempool().len(),
            mempool_bytes: self.chain.mempool().bytes(),
            mempool_changes: self.mempool_changes,
        }
    }

    fn tell(&self, submission: &Submission) {
        if submission.connected.is_empty() {
            return;
        }
        let tip = self.chain.tip();
        tracing::info!(height = tip.height, hash = %hysteron_api::Hex32(tip.hash), left = submission.disconnected.len(), "new tip");
        if self.events.receiver_count() == 0 {
            return;
        }
        if !submission.disconnected.is_empty() {
            let lowest = submission.connected.first().map_or(0, |block| block.height);
            let left = submission.disconnected.len() as u64;
            self.send(api::Event::Reorganised { fork_height: lowest.saturating_sub(1), left });
        }
        for block in &submission.connected {
            if let Ok(Some(header)) = self.chain.archive().header(&block.hash) {
                self.send(api::Event::Block(self.convert.header(&header, &block.hash, Some(tip.height))));
            }
        }
        for id in touched_jobs(&submission.connected) {
            if let Some(job) = self.chain.state().job(&id) {
                let job = self.convert.job(&id, &job);
                self.send(api::Event::Job {
                    job: job.id,
                    height: tip.height,
                    state: job.state,
                    progress: job.progress,
                });
            }
        }
    }

    fn send(&self, event: api::Event) {
        // Without listeners there is nobody to tell.
        let _ = self.events.send(Arc::new(event));
    }
}

fn touched_jobs(connected: &[Connected]) -> BTreeSet<JobId> {
    connected.iter().flat_map(|block| &block.events).filter_map(job_of).collect()
}

/// The job that an event is about.
pub(crate) fn job_of(event: &Event) -> Option<JobId> {
    match event {
        Event::JobOpened { job, .. }
        | Event::JobToppedUp { job, .. }
        | Event::JobApproved { job }
        | Event::JobStarted { job }
        | Event::JobCredited { job, .. }
        | Event::JobImproved { job, .. }
        | Event::JobEnded { job, .. }
        | Event::JobSettled { job, .. }
        | Event::Voted { job, .. } => Some(*job),
        _ => None,
    }
}

/// The chain task does not answer.
#[derive(Copy, Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// Too many questions wait.
    #[error("The node is busy: {CHAIN_QUEUE_MAX} questions wait for the chain.")]
    Busy,
    /// It ends.
    #[error("The node is stopping.")]
    Stopping,
}

/// Asks the chain task. Cheap to clone; the task ends when [`Self::stop`] was called.
#[derive(Clone)]
pub(crate) struct ChainHandle {
    questions: mpsc::Sender<Question>,
    stop: mpsc::Sender<()>,
    standing: watch::Receiver<Standing>,
    events: broadcast::Sender<Arc<api::Event>>,
    archive: NodeArchive,
    /// Held while a block's work is run: it takes several threads.
    turn: Arc<Mutex<()>>,
}

/// Starts the thread. The join handle gives the chain back when it was stopped.
pub(crate) fn start(
    chain: NodeChain,
    convert: Convert,
) -> Result<(ChainHandle, std::thread::JoinHandle<()>), NodeError> {
    let (questions, mut inbox) = mpsc::channel::<Question>(CHAIN_QUEUE_MAX);
    let (stop, mut stops) = mpsc::channel::<()>(1);
    let (events, _) = broadcast::channel(EVENTS_BEHIND_MAX);
    let archive = chain.archive().clone();
    let mut writer = Writer { chain, convert, events: events.clone(), mempool_changes: 0 };
    let (teller, standing) = watch::channel(writer.standing());
    let run = move || {
        while let Some(question) = inbox.blocking_recv() {
            if question.wants_state
                && let Err(error) = writer.chain.return_to_tip()
            {
                // Whoever asked hears that nobody answers; the next question may find the disk well again.
                tracing::error!(%error, "the state cannot be brought to the tip");
                continue;
            }
            let answer = (question.work)(&mut writer);
            let standing = writer.standing();
            teller.send_if_modified(|told| {
                let differs = *told != standing;
                *told = standing;
                differs
            });
            answer();
            if stops.try_recv().is_ok() {
                break;
            }
        }
    };
    let thread = std::thread::Builder::new()
        .name("chain".into())
        .spawn(run)
        .map_err(|e| NodeError::System { what: "a thread for the chain", reason: e.to_string() })?;
    Ok((ChainHandle { questions, stop, standing, events, archive, turn: Arc::default() }, thread))
}

fn pose<T: Send + 'static>(
    wants_state: bool,
    question: impl FnOnce(&mut Writer) -> T + Send + 'static,
) -> (Question, oneshot::Receiver<T>) {
    let (reply, answer) = oneshot::channel();
    let work = Box::new(move |writer: &mut Writer| {
        let value = question(writer);
        // Who asked may have gone.
        let answer: Answer = Box::new(move || drop(reply.send(value)));
        answer
    });
    (Question { wants_state, work }, answer)
}

impl ChainHandle {
    /// Runs `question` on the chain; refuses at once when too many wait.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Writer) -> T + Send + 'static,
    ) -> Result<T, Unanswered> {
        let (question, answer) = pose(true, question);
        self.questions.try_send(question).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Unanswered::Busy,
            mpsc::error::TrySendError::Closed(_) => Unanswered::Stopping,
        })?;
        answer.await.map_err(|_| Unanswered::Stopping)
    }

    /// The same from a thread that may block, for questions that do not look at the ledger's state; waits for its turn.
    pub(crate) fn ask_anywhere<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Writer) -> T + Send + 'static,
    ) -> Result<T, Unanswered> {
        self.wait(false, question)
    }

    fn wait<T: Send + 'static>(
        &self,
        wants_state: bool,
        question: impl FnOnce(&mut Writer) -> T + Send + 'static,
    ) -> Result<T, Unanswered> {
        let (question, answer) = pose(wants_state, question);
        self.questions.blocking_send(question).map_err(|_| Unanswered::Stopping)?;
        answer.blocking_recv().map_err(|_| Unanswered::Stopping)
    }

    /// Runs a block's work on this thread, which may block; one block's at a time.
    fn run(&self, work: Work) -> WorkDone {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        work.run()
    }

    /// The checks of a block that need no simulation, and the work that is left; see [`Chain::work_ahead`].
    pub(crate) async fn work_ahead(
        &self,
        block: Block,
    ) -> Result<Result<Option<Work>, ChainError>, Unanswered> {
        self.ask(move |writer| writer.chain.work_ahead(&block, now())).await
    }

    /// Judges a block. Its work is run beside the chain.
    pub(crate) async fn submit_block(
        &self,
        block: Block,
    ) -> Result<Result<Submission, ChainError>, Unanswered> {
        let chain = self.clone();
        let judged = tokio::task::spawn_blocking(move || chain.submit_block_blocking(block)).await;
        judged.map_err(|_| Unanswered::Stopping)?
    }

    /// Runs a block's work, and then hands it in.
    pub(crate) async fn submit_block_with(
        &self,
        block: Block,
        work: Work,
    ) -> Result<Result<Submission, ChainError>, Unanswered> {
        let chain = self.clone();
        let judged = tokio::task::spawn_blocking(move || {
            let done = chain.run(work);
            chain.wait(true, move |writer| writer.submit_block(block, Some(&done)))
        });
        judged.await.map_err(|_| Unanswered::Stopping)?
    }

    /// [`Self::submit_block`] from a thread that may block.
    pub(crate) fn submit_block_blocking(
        &self,
        block: Block,
    ) -> Result<Result<Submission, ChainError>, Unanswered> {
        let (block, ahead) = self.wait(true, move |writer| {
            let ahead = writer.chain.work_ahead(&block, now());
            (block, ahead)
        })?;
        let done = match ahead {
            Ok(work) => work.map(|work| self.run(work)),
            Err(error) => return Ok(Err(error)),
        };
        self.wait(true, move |writer| writer.submit_block(block, done.as_ref()))
    }

    /// Imports the next block of a plan in the same way. Gives the plan back.
    pub(crate) fn import_blocking(
        &self,
        plan: ImportPlan,
        block: Block,
    ) -> Result<(ImportPlan, Result<(), ChainError>), Unanswered> {
        let (mut plan, block, ahead) = self.ask_anywhere(move |writer| {
            let ahead = writer.chain.import_ahead(&plan, &block, now());
            (plan, block, ahead)
        })?;
        let done = match ahead {
            Ok(work) => work.map(|work| self.run(work)),
            Err(error) => return Ok((plan, Err(error))),
        };
        self.ask_anywhere(move |writer| {
            let result = writer.import(&mut plan, &block, done.as_ref());
            (plan, result)
        })
    }

    /// Takes a transaction. The leg of a claim is run beside the chain, once all other checks have passed.
    pub(crate) async fn submit_transaction(
        &self,
        parcel: Parcel,
    ) -> Result<Result<Admitted, SubmitError>, Unanswered> {
        self.submit_with(parcel, Writer::submit_transaction).await
    }

    /// The same for a transaction that a user of this node hands in: who hears that it waits can rely on that, even if the
    /// process is killed.
    pub(crate) async fn keep_transaction(
        &self,
        parcel: Parcel,
    ) -> Result<Result<Admitted, SubmitError>, Unanswered> {
        self.submit_with(parcel, Writer::keep_transaction).await
    }

    async fn submit_with(
        &self,
        parcel: Parcel,
        take: impl FnOnce(&mut Writer, Parcel) -> Result<Admitted, SubmitError> + Send + 'static,
    ) -> Result<Result<Admitted, SubmitError>, Unanswered> {
        let transaction = parcel.transaction.clone();
        match self.ask(move |writer| writer.chain.claim_ahead(&transaction)).await? {
            Ok(None) => {}
            Ok(Some(leg)) => {
                let turn = self.turn.clone();
                let run = tokio::task::spawn_blocking(move || {
                    let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                    leg.run();
                });
                run.await.map_err(|_| Unanswered::Stopping)?;
            }
            Err(error) => return Ok(Err(error)),
        }
        self.ask(move |writer| take(writer, parcel)).await
    }

    /// Where the chain stands.
    pub(crate) fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }
    /// For waiting until it stands elsewhere.
    pub(crate) fn watch(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }
    /// Events from now on.
    pub(crate) fn events(&self) -> broadcast::Receiver<Arc<api::Event>> {
        self.events.subscribe()
    }
    /// Blocks and records.
    pub(crate) fn archive(&self) -> &NodeArchive {
        &self.archive
    }
    /// Ends the task after the question that it works on.
    pub(crate) async fn stop(&self) {
        // Full or closed: it ends already. The empty question wakes it.
        let _ = self.stop.try_send(());
        let _ =
            self.questions.send(Question { wants_state: false, work: Box::new(|_| Box::new(|| ())) }).await;
    }
}
