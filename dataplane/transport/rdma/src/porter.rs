//! The thread that lets clients in and out: whatever rdma_cm has to do happens here.

use std::collections::HashMap;
use std::ffi::c_void;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use precursor_memory::spsc;
use precursor_rdma_sys::{
    CmId, ConnectionParameters, EVENT_CONNECT_ERROR, EVENT_CONNECT_REQUEST, EVENT_DEVICE_REMOVAL,
    EVENT_DISCONNECTED, EVENT_ESTABLISHED, EVENT_REJECTED, EVENT_UNREACHABLE,
};
use precursor_transport_port::Reach;

use crate::grant::Grant;
use crate::handshake::{HELLO_BYTES, Hello, Status, Welcome};
use crate::listener::{
    Arrived, Door, ESTABLISHED, FromShard, Left, OneSided, Pair, Shared, TAKEN, ToShard,
};
use crate::loan::Loan;
use crate::memory::Memory;
use crate::queue::{Device, Queue};
use crate::sys;

/// Clients that may wait for a slot; one more is turned away.
const WAITING_MAX: usize = 64;
/// How long they may.
const WAITING: Duration = Duration::from_secs(2);
/// How long a connection that its shard has left may take to deliver what was sent.
const LINGER: Duration = Duration::from_secs(2);
/// How often times are looked at, while there is something that has one.
const SWEEP: Duration = Duration::from_millis(50);
/// And how often at what clients have to read, while there are clients that read.
const LOOK: Duration = Duration::from_millis(500);
/// A device that meets no receive buffer tries again, without end: one comes.
pub(crate) const RNR_RETRY_FOREVER: u8 = 7;

/// The thread's ends of the ways to and from one shard.
pub(crate) struct Way {
    pub door: Arc<Door>,
    pub to_shard: spsc::Sender<ToShard>,
    pub leavers: spsc::Receiver<FromShard>,
    pub queue: Arc<Queue>,
    pub slots: usize,
    /// Slots that are not free.
    pub used: usize,
}

impl Way {
    /// There is room for all that can be told; a shard that has ended needs to hear nothing.
    fn tell(&mut self, told: ToShard) {
        let _ = self.to_shard.try_send(told);
        self.door.tell_shard();
    }
}

/// An id of a client that has not come to a shard yet.
#[derive(Clone)]
pub(crate) struct Waiting {
    id: *mut CmId,
    hello: Hello,
    since: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its shard does not know it yet.
    Offered,
    /// The client was answered.
    Accepted,
    /// Its shard has left it, then.
    Leaving(Instant),
}

pub(crate) struct Connection {
    id: *mut CmId,
    shard: usize,
    shared: Arc<Shared>,
    stage: Stage,
    slot: Option<u32>,
    /// Memory that its client reaches; it ends before the pair.
    grant: Option<Grant>,
    /// Memory of the log that it reaches, by the loans' numbers; the same holds.
    loans: HashMap<u32, Loan>,
    /// What it last was told to read, and since when.
    exposed: (u64, Instant),
}

pub(crate) struct Porter {
    pub device: Arc<Device>,
    pub bell: Arc<OwnedFd>,
    pub ways: Vec<Way>,
    pub connections: HashMap<u64, Connection>,
    /// Of an id, its connection.
    pub keys: HashMap<usize, u64>,
    pub next_key: u64,
    pub waiting: Vec<Waiting>,
    pub clients_total: Arc<AtomicUsize>,
    pub clients_max: usize,
    pub one_sided: OneSided,
    /// The last client got no memory.
    pub lacks_memory: bool,
    /// The last loan could not be made.
    pub cannot_lend: bool,
    /// Reads of a client that are answered at a time.
    pub reads: u8,
    pub access_timeout: Duration,
    pub stop: Arc<AtomicBool>,
}

// SAFETY: ids may be used by any thread, and these by the one alone that this is moved to.
unsafe impl Send for Porter {}

/// What an event says, once it is acknowledged.
struct CmNews {
    id: *mut CmId,
    event: i32,
    hello: Option<Hello>,
}

impl Porter {
    pub fn run(mut self) {
        loop {
            let stopping = self.stop.load(Ordering::Acquire);
            let closed = self.ways.iter().all(|way| way.leavers.is_closed());
            if stopping && closed && self.connections.is_empty() {
                break;
            }
            let leaving = |c: &Connection| matches!(c.stage, Stage::Leaving(_));
            let timed =
                stopping || !self.waiting.is_empty() || self.connections.values().any(leaving);
            let looks = self.connections.values().any(|c| c.grant.is_some());
            let wait = match (timed, looks) {
                (true, _) => Some(SWEEP),
                (false, true) => Some(LOOK.min(self.access_timeout)),
                (false, false) => None,
            };
            let descriptors = [self.device.event_descriptor(), self.bell.as_raw_fd()];
            if sys::wait_readable(descriptors, wait).is_err() {
                std::thread::sleep(SWEEP);
            }
            sys::quiet(self.bell.as_raw_fd());
            while let Some(news) = self.next_news() {
                self.hear(&news);
            }
            self.hear_shards();
            self.accept_taken();
            self.end_idle_readers();
            self.end_leavers();
            self.offer_waiting();
        }
        for waiting in std::mem::take(&mut self.waiting) {
            self.turn_away(waiting.id, Status::NoShard);
        }
    }

    fn next_news(&self) -> Option<CmNews> {
        let libraries = self.device.libraries;
        let mut event = std::ptr::null_mut();
        // SAFETY: the channel is open and does not block; the event and what it points to are read
        // before it is acknowledged, as many bytes as it says and there are.
        unsafe {
            if (libraries.get_cm_event)(self.device.channel, &mut event) != 0 {
                return None;
            }
            let parameters = &(*event).connection;
            let asks = (*event).event == EVENT_CONNECT_REQUEST;
            let enough = usize::from(parameters.private_data_length) >= HELLO_BYTES;
            let hello = match asks && enough && !parameters.private_data.is_null() {
                true => Hello::decode(std::slice::from_raw_parts(
                    parameters.private_data.cast(),
                    HELLO_BYTES,
                )),
                false => None,
            };
            let news = CmNews {
                id: (*event).id,
                event: (*event).event,
                hello,
            };
            (libraries.ack_cm_event)(event);
            Some(news)
        }
    }

    fn hear(&mut self, news: &CmNews) {
        if news.event == EVENT_CONNECT_REQUEST {
            if self.waiting.len() >= WAITING_MAX {
                self.offer_waiting();
            }
            // What does not speak as expected gets no answer of ours.
            return match news.hello {
                None => self.turn_away(news.id, Status::NoShard),
                Some(_) if self.waiting.len() >= WAITING_MAX => self.refuse(news.id),
                Some(hello) => self.waiting.push(Waiting {
                    id: news.id,
                    hello,
                    since: Instant::now(),
                }),
            };
        }
        let known = self.keys.get(&(news.id as usize));
        let Some(connection) = known.and_then(|key| self.connections.get(key)) else {
            return self.forget_waiting(news);
        };
        match news.event {
            EVENT_ESTABLISHED => connection
                .shared
                .stage
                .store(ESTABLISHED, Ordering::Release),
            EVENT_DISCONNECTED | EVENT_CONNECT_ERROR | EVENT_UNREACHABLE | EVENT_REJECTED
            | EVENT_DEVICE_REMOVAL => connection.shared.gone.store(true, Ordering::Release),
            _ => return,
        }
        self.ways[connection.shard].door.tell_shard();
    }

    /// A client that waits for a slot may give up.
    fn forget_waiting(&mut self, news: &CmNews) {
        if let Some(at) = self.waiting.iter().position(|w| w.id == news.id) {
            self.waiting.swap_remove(at);
            self.destroy(news.id);
        }
    }

    fn destroy(&self, id: *mut CmId) {
        // SAFETY: the id came with a request, has no pair, and its events are acknowledged; nobody
        // names it again.
        unsafe { (self.device.libraries.destroy_id)(id) };
    }

    fn turn_away(&self, id: *mut CmId, status: Status) {
        let answer = Welcome {
            status,
            shard: 0,
            shards: self.ways.len() as u16,
        }
        .encode();
        // SAFETY: the id came with a request that was not answered; the answer is copied.
        unsafe {
            let bytes = answer.as_ptr().cast::<c_void>();
            (self.device.libraries.reject)(id, bytes, answer.len() as u8);
        }
        self.destroy(id);
    }

    fn refuse(&self, id: *mut CmId) {
        if let Some(way) = self.ways.first() {
            way.door.refused.fetch_add(1, Ordering::Relaxed);
        }
        self.turn_away(id, Status::TooMany);
    }

    fn offer_waiting(&mut self) {
        let mut at = 0;
        while at < self.waiting.len() {
            let Waiting { id, hello, since } = self.waiting[at].clone();
            let Some(shard) = self.choose(hello) else {
                self.waiting.swap_remove(at);
                self.turn_away(id, Status::NoShard);
                continue;
            };
            if self.clients_total.load(Ordering::Acquire) >= self.clients_max {
                self.waiting.swap_remove(at);
                self.ways[shard]
                    .door
                    .refused
                    .fetch_add(1, Ordering::Relaxed);
                self.turn_away(id, Status::TooMany);
            } else if self.ways[shard].used < self.ways[shard].slots {
                self.waiting.swap_remove(at);
                self.offer(id, shard);
            } else if since.elapsed() > WAITING {
                self.waiting.swap_remove(at);
                self.refuse(id);
            } else {
                at += 1;
            }
        }
    }

    fn choose(&self, hello: Hello) -> Option<usize> {
        let open = |way: &Way| way.door.open.load(Ordering::Acquire);
        let chosen = match hello.shard {
            Some(shard) => usize::from(shard),
            None => (0..self.ways.len())
                .filter(|way| open(&self.ways[*way]))
                .min_by_key(|way| self.ways[*way].door.clients.load(Ordering::Relaxed))?,
        };
        self.ways.get(chosen).is_some_and(open).then_some(chosen)
    }

    /// Memory for one more client. Where it cannot be had, as when the limit of locked memory is
    /// reached, SEND does everything; said once, until some can be had again.
    fn grant(&mut self) -> Option<Grant> {
        let OneSided::Granted(bytes) = self.one_sided else {
            return None;
        };
        match Grant::new(&self.device, bytes) {
            Ok(grant) => {
                self.lacks_memory = false;
                Some(grant)
            }
            Err((what, error)) => {
                if !std::mem::replace(&mut self.lacks_memory, true) {
                    tracing::warn!(
                        "an RDMA client is served by SEND alone: {what}: {error}; \
                         raise the limit of locked memory, or lower rdma.access.bytes"
                    );
                }
                None
            }
        }
    }

    fn offer(&mut self, id: *mut CmId, shard: usize) {
        let way = &mut self.ways[shard];
        let Ok(pair) = way.queue.open_pair(id) else {
            way.door.refused.fetch_add(1, Ordering::Relaxed);
            return self.turn_away(id, Status::Exhausted);
        };
        let grant = self.grant();
        let memory = grant
            .as_ref()
            .map(|g| Box::new(Memory::of_broker(g.granted())));
        let way = &mut self.ways[shard];
        let shared = Arc::new(Shared::default());
        let key = self.next_key;
        self.next_key += 1;
        // SAFETY: the id and its pair live; both fields stay as they are.
        let (number, peer) = unsafe { ((*pair).number, sys::from_storage(&(*id).destination)) };
        let arrived = Arrived {
            key,
            pair: Pair(pair),
            number,
            peer,
            shared: shared.clone(),
            memory,
        };
        self.clients_total.fetch_add(1, Ordering::AcqRel);
        way.door.clients.fetch_add(1, Ordering::AcqRel);
        way.used += 1;
        let offered = way.to_shard.try_send(ToShard::Arrived(arrived)).is_ok();
        way.door.tell_shard();
        let mut connection = Connection {
            id,
            shard,
            shared,
            stage: Stage::Offered,
            slot: None,
            grant,
            loans: HashMap::new(),
            exposed: (0, Instant::now()),
        };
        if !offered {
            // Its shard has ended.
            self.clients_total.fetch_sub(1, Ordering::AcqRel);
            connection.shared.drained.store(true, Ordering::Release);
            connection.stage = Stage::Leaving(Instant::now());
        }
        self.keys.insert(id as usize, key);
        self.connections.insert(key, connection);
    }

    /// Answers clients whose shards are ready for them.
    fn accept_taken(&mut self) {
        for connection in self.connections.values_mut() {
            let taken = connection.shared.stage.load(Ordering::Acquire) == TAKEN;
            if connection.stage != Stage::Offered || !taken {
                continue;
            }
            connection.stage = Stage::Accepted;
            let answer = Welcome {
                status: Status::Connected,
                shard: connection.shard as u16,
                shards: self.ways.len() as u16,
            }
            .encode();
            let mut parameters = parameters(&answer);
            if connection.grant.is_some() {
                parameters.responder_resources = self.reads;
            }
            // SAFETY: the id came with a request, has a pair, and was not answered; the answer is
            // copied.
            let accepted =
                unsafe { (self.device.libraries.accept)(connection.id, &mut parameters) };
            if accepted != 0 {
                connection.shared.gone.store(true, Ordering::Release);
                self.ways[connection.shard].door.tell_shard();
            }
        }
    }

    /// Takes what the shards tell.
    fn hear_shards(&mut self) {
        for shard in 0..self.ways.len() {
            let closed = self.ways[shard].leavers.is_closed();
            while let Some(told) = self.ways[shard].leavers.try_receive() {
                match told {
                    FromShard::Left(Left { key, slot }) => {
                        if let Some(connection) = self.connections.get_mut(&key) {
                            connection.stage = Stage::Leaving(Instant::now());
                            connection.slot = slot;
                        }
                    }
                    FromShard::Lend { key, loan, memory } => {
                        let lent = self.lend(key, loan, memory);
                        self.ways[shard].tell(lent.unwrap_or(ToShard::Returned { loan }));
                    }
                    FromShard::EndLoan { key, loan } => {
                        let of = self.connections.get_mut(&key);
                        if let Some(ended) = of.and_then(|of| of.loans.remove(&loan)) {
                            drop(ended);
                            self.ways[shard].tell(ToShard::Returned { loan });
                        }
                    }
                }
            }
            if !closed {
                continue;
            }
            // A shard that has ended cannot tell any more what it knew.
            let its = self.connections.values_mut().filter(|c| c.shard == shard);
            for connection in its.filter(|c| !matches!(c.stage, Stage::Leaving(_))) {
                connection.stage = Stage::Leaving(Instant::now());
            }
        }
    }

    /// Registers memory of the log for a client, if that is still there and has been granted some of
    /// its own. Where it cannot be, that is said once, until some can be again.
    fn lend(&mut self, key: u64, loan: u32, memory: Reach) -> Option<ToShard> {
        let reads = |c: &&mut Connection| c.grant.is_some() && c.stage == Stage::Accepted;
        let connection = self.connections.get_mut(&key).filter(reads)?;
        match Loan::new(&self.device, memory) {
            Ok(made) => {
                self.cannot_lend = false;
                let windows = made.windows();
                connection.loans.insert(loan, made);
                Some(ToShard::Lent { loan, windows })
            }
            Err((what, error)) => {
                if !std::mem::replace(&mut self.cannot_lend, true) {
                    tracing::warn!(
                        "an RDMA client does by requests what it could do in the log's memory: \
                         {what}: {error}; raise the limit of locked memory, or lower rdma.follow.bytes"
                    );
                }
                None
            }
        }
    }

    /// Ends clients that were told of bytes to read, and read none for too long: their memory is held.
    fn end_idle_readers(&mut self) {
        for connection in self.connections.values_mut().filter(|c| c.grant.is_some()) {
            let exposed = connection.shared.exposed.load(Ordering::Relaxed);
            let (seen, since) = connection.exposed;
            if exposed == 0 || exposed != seen {
                connection.exposed = (exposed, Instant::now());
            } else if since.elapsed() > self.access_timeout {
                connection.shared.gone.store(true, Ordering::Release);
                self.ways[connection.shard].door.tell_shard();
            }
        }
    }

    fn end_leavers(&mut self) {
        let ready = |connection: &Connection| match connection.stage {
            Stage::Leaving(since) => {
                connection.shared.drained.load(Ordering::Acquire)
                    || connection.shared.gone.load(Ordering::Acquire)
                    || since.elapsed() > LINGER
            }
            _ => false,
        };
        let ended = self.connections.iter().filter(|(_, c)| ready(c));
        let ended: Vec<u64> = ended.map(|(key, _)| *key).collect();
        for key in ended {
            let Some(connection) = self.connections.remove(&key) else {
                continue;
            };
            self.keys.remove(&(connection.id as usize));
            let libraries = self.device.libraries;
            let loans: Vec<u32> = connection.loans.keys().copied().collect();
            // SAFETY: its shard has left it, or has ended: nobody posts to the pair. Its events are
            // acknowledged.
            unsafe {
                (libraries.disconnect)(connection.id);
                drop(connection.loans);
                drop(connection.grant);
                (libraries.destroy_qp)(connection.id);
                (libraries.destroy_id)(connection.id);
            }
            let way = &mut self.ways[connection.shard];
            way.used -= 1;
            for loan in loans {
                way.tell(ToShard::Returned { loan });
            }
            if let Some(slot) = connection.slot {
                way.tell(ToShard::Freed { slot });
            }
        }
    }
}

/// Of a connection whose ends read nothing of the other's memory, as long as nothing else is said.
pub(crate) fn parameters(private_data: &[u8]) -> ConnectionParameters {
    ConnectionParameters {
        private_data: private_data.as_ptr().cast(),
        private_data_length: private_data.len() as u8,
        responder_resources: 0,
        initiator_depth: 0,
        flow_control: 0,
        retry_count: 7,
        rnr_retry_count: RNR_RETRY_FOREVER,
        shared: 0,
        queue_pair: 0,
    }
}
