//! One partition as a task: loads its log, then runs its engine.

use crate::coordinator::{Early, LoadGauge};
use crate::log::{Appended, PartitionLog, walk};
use crate::writer::Writer;
use precursor_bridge::HeldResponse;
use precursor_groups::{
    Command, GroupConfig, GroupCoordinator, Now, Request, RequestContext, Response,
};
use precursor_model::{ErrorCode, Offset};
use std::collections::HashMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

/// A load that failed begins anew after this.
const RELOAD_PAUSE: Duration = Duration::from_millis(100);

/// What a partition's task is told.
pub(crate) enum Message {
    /// The context comes without token and time.
    Request {
        asked: Box<(Request, RequestContext)>,
        caller: Caller,
    },
    /// These topics are gone, and with them what was committed for them.
    TopicsDeleted(Arc<[String]>),
    /// The data plane is another one: what was in its memory may be lost.
    DataPlaneRestarted,
}

/// What a caller gets.
pub(crate) enum Answered {
    Response(Response),
    /// The shard has sent it.
    Sent,
}

/// Who waits for an answer.
pub(crate) struct Caller {
    reply: oneshot::Sender<Answered>,
    early: Option<Early>,
    /// The shard has the answer and sends it with the success of the append that is under way.
    held: bool,
}

impl Caller {
    pub fn new(reply: oneshot::Sender<Answered>, early: Option<Early>) -> Self {
        Caller {
            reply,
            early,
            held: false,
        }
    }
}

/// What a partition's task is made of.
pub(crate) struct PartitionParts {
    pub log: PartitionLog,
    pub config: GroupConfig,
    pub inbox: mpsc::UnboundedReceiver<Message>,
    /// Bounds how many partitions load at a time.
    pub loads: Arc<Semaphore>,
    pub gauge: Arc<LoadGauge>,
}

pub(crate) struct PartitionTask {
    parts: PartitionParts,
    engine: GroupCoordinator,
    writer: Writer,
    /// Who waits, by token.
    callers: HashMap<u64, Caller>,
    /// What came while the shard held answers. Their clients may have them before the engine hears
    /// of it, and whatever they or others do next must find that it has.
    postponed: Vec<Message>,
    /// Tokens of the callers whose answers the shard holds.
    held: Vec<u64>,
    next_token: u64,
    commands: Vec<Command>,
    /// The offset that the next append gets, if nobody lost anything.
    next_offset: Offset,
    began: Instant,
}

/// Nobody holds the partition's other end: this broker does not lead it any more.
struct Closed;

/// Why serving ended.
enum Ended {
    Closed,
    /// The log ends before what was acknowledged: the engine knows more than the log.
    LogLost,
}

type Appending = Pin<Box<dyn Future<Output = Appended> + Send>>;
type Looking = Pin<Box<dyn Future<Output = (Offset, Offset)> + Send>>;

impl PartitionTask {
    pub fn new(parts: PartitionParts) -> Self {
        PartitionTask {
            engine: GroupCoordinator::new(parts.config.clone()),
            parts,
            writer: Writer::default(),
            callers: HashMap::new(),
            postponed: Vec::new(),
            held: Vec::new(),
            next_token: 0,
            commands: Vec::new(),
            next_offset: 0,
            began: Instant::now(),
        }
    }

    /// Runs until nobody holds the other end of its inbox.
    pub async fn run(mut self) {
        loop {
            if self.load().await.is_err() {
                self.parts.gauge.end(0);
                break;
            }
            match self.serve().await {
                Ended::Closed => break,
                Ended::LogLost => {
                    let partition = self.parts.log.place.partition;
                    tracing::warn!(
                        partition,
                        "__consumer_offsets lost its end and is read anew"
                    );
                    self.parts.gauge.begin();
                    self.unload();
                    self.engine = GroupCoordinator::new(self.parts.config.clone());
                }
            }
        }
        self.unload();
    }

    /// Every caller that waits is told; what waits to be written is let go.
    fn unload(&mut self) {
        self.let_go_of_held(false);
        self.engine.unload(&mut self.commands);
        self.carry_out();
        self.writer.clear();
        self.callers.clear();
    }

    /// Reads the log into the engine; answers meanwhile that it loads.
    async fn load(&mut self) -> Result<(), Closed> {
        let began = Instant::now();
        let loads = Arc::clone(&self.parts.loads);
        // Never closed.
        let permit = self.answering(loads.acquire_owned()).await?;
        let records = loop {
            match self.read_all().await? {
                Some(records) => break records,
                None => {
                    self.answering(tokio::time::sleep(RELOAD_PAUSE)).await?;
                    self.engine = GroupCoordinator::new(self.parts.config.clone());
                }
            }
        };
        drop(permit);
        let now = self.now();
        self.engine.loaded(now, &mut self.commands);
        self.carry_out();
        let partition = self.parts.log.place.partition;
        let ms = began.elapsed().as_millis() as u64;
        tracing::debug!(partition, records, ms, "a partition of groups is loaded");
        self.parts.gauge.end(records);
        Ok(())
    }

    /// The number of records; `None` when the log changed under way.
    async fn read_all(&mut self) -> Result<Option<u64>, Closed> {
        let log = self.parts.log.clone();
        let (start, end) = self.answering(log.offsets()).await?;
        let (mut next, mut records) = (start, 0);
        while next < end {
            let bytes = match self.answering(log.read(next, end)).await? {
                Ok(bytes) => bytes,
                Err(error) => {
                    let partition = log.place.partition;
                    tracing::debug!(partition, %error, "loading begins anew");
                    return Ok(None);
                }
            };
            let engine = &mut self.engine;
            let after = walk(&bytes, next, |record| {
                records += 1;
                let loaded = record.key.map(|key| engine.load(key, record.value));
                if let Some(Err(error)) = loaded {
                    tracing::error!(%error, "a record of __consumer_offsets is left out");
                }
            });
            if after == next {
                // The end of a compacted log may be without records.
                break;
            }
            next = after;
            tokio::task::yield_now().await;
        }
        self.next_offset = end;
        Ok(Some(records))
    }

    /// Waits for `future`, and gives requests to the engine meanwhile.
    async fn answering<F: Future>(&mut self, future: F) -> Result<F::Output, Closed> {
        let mut future = pin!(future);
        loop {
            tokio::select! {
                biased;
                output = &mut future => return Ok(output),
                message = self.parts.inbox.recv() => match message {
                    None => return Err(Closed),
                    Some(message) => self.take(message),
                },
            }
        }
    }

    async fn serve(&mut self) -> Ended {
        let mut appending: Option<Appending> = None;
        let mut looking: Option<Looking> = None;
        let mut lost = false;
        loop {
            if appending.is_none() {
                if lost {
                    return Ended::LogLost;
                }
                appending = self.begin_append();
            }
            let due = self.due();
            tokio::select! {
                biased;
                appended = ready(&mut appending), if appending.is_some() => {
                    appending = None;
                    match appended {
                        Appended::Not(batch) => {
                            self.let_go_of_held(false);
                            let log = self.parts.log.clone();
                            appending = Some(Box::pin(async move { log.append(batch).await }));
                        }
                        Appended::Ended(outcome) => {
                            lost |= matches!(outcome, Ok(offset) if offset < self.next_offset);
                            self.appended(outcome);
                        }
                    }
                }
                (_, end) = ready(&mut looking), if looking.is_some() => {
                    looking = None;
                    lost |= end < self.next_offset;
                }
                message = self.parts.inbox.recv() => match message {
                    None => return Ended::Closed,
                    Some(Message::DataPlaneRestarted) => {
                        let log = self.parts.log.clone();
                        looking = Some(Box::pin(async move { log.offsets().await }));
                    }
                    Some(message) => self.receive(message),
                },
                () = tokio::time::sleep_until(due) => {
                    let now = self.now();
                    self.engine.tick(now, &mut self.commands);
                    self.carry_out();
                }
            }
        }
    }

    fn begin_append(&mut self) -> Option<Appending> {
        let now = self.now();
        let batch = self.writer.begin(now.wall_ms)?;
        let held = self.hold_answers();
        let log = self.parts.log.clone();
        Some(Box::pin(async move {
            if held.is_empty() {
                log.append(batch).await
            } else {
                log.append_holding(batch, held).await
            }
        }))
    }

    /// The answers that the success of the batch under way will give, for the shard to send.
    fn hold_answers(&mut self) -> Vec<HeldResponse> {
        let mut held = Vec::new();
        for append_id in self.writer.under_way() {
            let Some((token, response)) = self.engine.answer_on_success(*append_id) else {
                continue;
            };
            let Some(caller) = self.callers.get_mut(&token) else {
                continue;
            };
            let shard = self.parts.log.place.shard;
            let Some(early) = caller.early.take_if(|early| early.shard == shard) else {
                continue;
            };
            if let Some(frame) = (early.frame)(response) {
                caller.held = true;
                self.held.push(token);
                held.push(HeldResponse {
                    token: early.token,
                    frame,
                });
            }
        }
        held
    }

    /// The shard holds nothing any more: it has `sent` the answers, or never will.
    fn let_go_of_held(&mut self, sent: bool) {
        for token in self.held.drain(..) {
            if let Some(caller) = self.callers.get_mut(&token) {
                caller.held = sent;
            }
        }
        if !sent {
            self.take_postponed();
        }
    }

    fn take_postponed(&mut self) {
        for message in std::mem::take(&mut self.postponed) {
            self.take(message);
        }
    }

    fn appended(&mut self, outcome: Result<Offset, ErrorCode>) {
        let now = self.now();
        let batch = self.writer.end();
        if let Ok(offset) = outcome {
            self.next_offset = offset + batch.records;
        }
        self.let_go_of_held(outcome.is_ok());
        for append_id in batch.appends {
            self.engine
                .appended(append_id, outcome, now, &mut self.commands);
        }
        self.carry_out();
        self.take_postponed();
    }

    /// Takes a message, or keeps it until the engine knows what clients may know already.
    fn receive(&mut self, message: Message) {
        if self.held.is_empty() {
            self.take(message);
        } else {
            self.postponed.push(message);
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Request { asked, caller } => {
                let (request, mut context) = *asked;
                self.next_token += 1;
                context.token = self.next_token;
                context.now = self.now();
                self.callers.insert(self.next_token, caller);
                self.engine.request(&context, request, &mut self.commands);
            }
            Message::TopicsDeleted(names) => {
                let now = self.now();
                self.engine.topics_deleted(&names, now, &mut self.commands);
            }
            // The load that is under way notices by itself.
            Message::DataPlaneRestarted => {}
        }
        self.carry_out();
    }

    fn carry_out(&mut self) {
        for command in self.commands.drain(..) {
            match command {
                Command::Reply { token, response } => {
                    if let Some(caller) = self.callers.remove(&token) {
                        let answer = match caller.held {
                            true => Answered::Sent,
                            false => Answered::Response(response),
                        };
                        // The caller may have gone.
                        let _ = caller.reply.send(answer);
                    }
                }
                Command::Append { append_id, records } => self.writer.push(append_id, records),
            }
        }
    }

    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        Now {
            monotonic_ms: self.began.elapsed().as_millis() as u64,
            wall_ms: wall.map_or(0, |since| since.as_millis() as i64),
        }
    }

    /// When the engine wants its next tick.
    fn due(&self) -> Instant {
        let far = self.began.elapsed().as_millis() as u64 + 3_600_000;
        let due_ms = self.engine.next_deadline().unwrap_or(far).min(far);
        // Not early by what a millisecond is cut off.
        self.began + Duration::from_millis(due_ms)
    }
}

/// Waits for a future that may not be there; then it is not to be asked.
async fn ready<T>(future: &mut Option<Pin<Box<dyn Future<Output = T> + Send>>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_bridge::{DataPlane, PartitionPlace};
    use precursor_protocol::messages::offset_commit_request::{
        OffsetCommitRequestPartition, OffsetCommitRequestTopic,
    };
    use precursor_protocol::messages::offset_fetch_request::{
        OffsetFetchRequestGroup, OffsetFetchRequestTopics,
    };
    use precursor_protocol::messages::{OffsetCommitRequest, OffsetFetchRequest};
    use tokio::sync::oneshot::Receiver;

    const SHARD: u16 = 3;

    /// A loaded partition, whose log nobody has.
    fn partition() -> PartitionTask {
        let place = PartitionPlace {
            shard: SHARD,
            topic: "__consumer_offsets".to_owned(),
            partition: 0,
        };
        let mut task = PartitionTask::new(PartitionParts {
            log: PartitionLog {
                data_plane: DataPlane::new(SHARD + 1).0,
                place,
            },
            config: GroupConfig::default(),
            inbox: mpsc::unbounded_channel().1,
            loads: Arc::new(Semaphore::new(1)),
            gauge: Arc::new(LoadGauge::new()),
        });
        let now = task.now();
        task.engine.loaded(now, &mut task.commands);
        task
    }

    fn ask(
        task: &mut PartitionTask,
        version: i16,
        request: Request,
        early: Option<Early>,
    ) -> Receiver<Answered> {
        let context = RequestContext {
            version,
            ..RequestContext::default()
        };
        let (reply, answer) = oneshot::channel();
        task.receive(Message::Request {
            asked: Box::new((request, context)),
            caller: Caller::new(reply, early),
        });
        answer
    }

    fn commit(task: &mut PartitionTask, offset: i64, shard: u16) -> Receiver<Answered> {
        let partition = OffsetCommitRequestPartition {
            committed_offset: offset,
            committed_leader_epoch: -1,
            ..OffsetCommitRequestPartition::default()
        };
        let request = OffsetCommitRequest {
            group_id: "g".to_owned(),
            generation_id_or_member_epoch: -1,
            topics: vec![OffsetCommitRequestTopic {
                name: "t".to_owned(),
                partitions: vec![partition],
                ..OffsetCommitRequestTopic::default()
            }],
            ..OffsetCommitRequest::default()
        };
        let early = Early {
            shard,
            token: 7,
            frame: Box::new(|_| Some(b"frame".to_vec())),
        };
        ask(task, 9, Request::OffsetCommit(request), Some(early))
    }

    fn fetch(task: &mut PartitionTask) -> Receiver<Answered> {
        let group = OffsetFetchRequestGroup {
            group_id: "g".to_owned(),
            topics: Some(vec![OffsetFetchRequestTopics {
                name: "t".to_owned(),
                partition_indexes: vec![0],
                ..OffsetFetchRequestTopics::default()
            }]),
            ..OffsetFetchRequestGroup::default()
        };
        let require_stable = OffsetFetchRequest::default().require_stable;
        let request = Request::OffsetFetch {
            group,
            require_stable,
        };
        ask(task, 9, request, None)
    }

    fn fetched(answer: &mut Receiver<Answered>) -> i64 {
        match answer.try_recv() {
            Ok(Answered::Response(Response::OffsetFetch(group))) => {
                group.topics[0].partitions[0].committed_offset
            }
            Ok(_) => panic!("another answer"),
            Err(error) => panic!("no answer: {error}"),
        }
    }

    #[test]
    fn whoever_asks_while_an_answer_is_held_finds_it_committed() {
        let mut task = partition();
        let mut committed = commit(&mut task, 5, SHARD);
        drop(task.begin_append().expect("a record to append"));
        assert_eq!(task.held.len(), 1, "the shard has the answer");
        let mut asked = fetch(&mut task);
        let mut second = commit(&mut task, 6, SHARD);
        assert!(asked.try_recv().is_err(), "the client may have its answer");
        task.appended(Ok(0));
        assert!(matches!(committed.try_recv(), Ok(Answered::Sent)));
        assert_eq!(fetched(&mut asked), 5);
        assert!(second.try_recv().is_err());
        drop(task.begin_append().expect("the second one's record"));
        task.appended(Ok(1));
        assert!(matches!(second.try_recv(), Ok(Answered::Sent)));
        assert_eq!(fetched(&mut fetch(&mut task)), 6);
    }

    #[test]
    fn what_was_held_for_a_failure_is_answered_from_here() {
        let mut task = partition();
        let mut committed = commit(&mut task, 5, SHARD);
        drop(task.begin_append());
        let mut asked = fetch(&mut task);
        task.appended(Err(ErrorCode::KafkaStorageError));
        let Ok(Answered::Response(Response::OffsetCommit(response))) = committed.try_recv() else {
            panic!("an error");
        };
        let code = response.topics[0].partitions[0].error_code;
        assert_eq!(code, ErrorCode::NotCoordinator.code());
        assert_eq!(fetched(&mut asked), -1);
    }

    #[test]
    fn a_request_of_another_shard_is_answered_from_here() {
        let mut task = partition();
        let mut committed = commit(&mut task, 5, SHARD - 1);
        drop(task.begin_append());
        assert!(task.held.is_empty());
        assert_eq!(fetched(&mut fetch(&mut task)), -1, "not yet, and at once");
        task.appended(Ok(0));
        assert!(matches!(committed.try_recv(), Ok(Answered::Response(_))));
    }

    #[test]
    fn a_coordinator_that_goes_answers_what_was_held_too() {
        let mut task = partition();
        let mut committed = commit(&mut task, 5, SHARD);
        drop(task.begin_append());
        let mut asked = fetch(&mut task);
        task.unload();
        assert!(matches!(committed.try_recv(), Ok(Answered::Response(_))));
        assert!(matches!(asked.try_recv(), Ok(Answered::Response(_))));
    }
}
