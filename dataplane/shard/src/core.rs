//! Everything of a shard but its transport: what handlers work on.

use crate::answer::{self, Answer, Waits};
use crate::connection::{Connections, is_own};
use crate::control::{ControlLink, Describing};
use crate::fetch::{FetchWork, Reads, SessionCache};
use crate::follows::Follows;
use crate::handlers::describe_producers::ProducersWork;
use crate::handlers::metadata::MetadataWait;
use crate::handlers::produce::ProduceWork;
use crate::handlers::produce::native::NativeBatch;
use crate::image::{Broker, Image};
use crate::options::ShardOptions;
use crate::own::OwnRequests;
use crate::parked::ParkedAppends;
use crate::peers::{PeerLinks, StalledAppend};
use crate::queries::Queries;
use crate::quotas::{Account, Quotas};
use crate::stats::Stats;
use crate::timer::TimerWheel;
use crate::traffic::TrafficTable;
use crate::trim::Trimming;
use crate::waiters::WaiterTable;
use crate::writes::Stalled;
use precursor_memory::{Slab, SlabKey as Key};
use precursor_protocol::{ApiKey, header};
use precursor_shm::BufferPool;
use precursor_storage::{Now, Store};
use precursor_transport_port::ConnectionId;
use std::collections::VecDeque;

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// A fetch is answered with what there is.
    Fetch(Key),
    /// A fetch whose reads found no room tries again.
    FetchRetry(Key),
    /// A produce waited too long for durability.
    Produce(Key),
    /// A Metadata request waited too long for topics to be made.
    Metadata(Key),
    /// A connection has waited as its quota wants.
    Unmute(ConnectionId),
}

/// One request of a connection, borrowed from its receive buffer.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub connection: ConnectionId,
    pub key: ApiKey,
    pub version: i16,
    pub correlation_id: i32,
    pub client_id: Option<&'a str>,
    /// Header and body, without the length prefix.
    pub frame: &'a [u8],
    pub body: &'a [u8],
}

/// Why a connection is closed by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// A frame or request that cannot be read.
    BadFrame,
    /// The peer ended the stream.
    Ended,
    /// An answer that its version cannot carry: a mistake of ours.
    Unanswerable,
    /// A produce with acks=0 failed: there is no answer to carry the error.
    UnacknowledgedError,
    /// The control plane went away with one of its requests.
    RequestLost,
    /// No bytes moved for too long.
    Idle,
    /// It holds memory that others need and takes no bytes.
    Stalled,
}

/// What a handler did with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handled {
    /// Answered, or its answer is queued.
    Done,
    /// Not taken (or not whole) now: the same frame comes again when something has changed.
    Blocked,
    Close(CloseReason),
}

/// A shard's state.
pub(crate) struct Core {
    pub options: ShardOptions,
    /// As at the start, before anything changed at run time.
    pub first_options: ShardOptions,
    pub now: Now,
    pub stats: Stats,
    pub store: Store,
    pub buffers: BufferPool,
    pub connections: Connections,
    pub answers: Slab<Answer>,
    pub image: Image,
    pub control: ControlLink,
    pub describing: Describing,
    pub waiters: WaiterTable,
    pub traffic: TrafficTable,
    pub quotas: Quotas,
    /// What the request in work tells its client; 0 between requests.
    pub throttle_ms: i32,
    /// The account of the bytes that it moves.
    pub throttle_account: Option<Account>,
    pub fetches: Slab<FetchWork>,
    pub reads: Reads,
    pub sessions: SessionCache,
    pub follows: Follows,
    /// Batches that were written from afar, and wait for memory to be copied to.
    pub writes: VecDeque<Stalled>,
    pub produces: Slab<ProduceWork>,
    pub native: NativeBatch,
    pub queries: Queries,
    pub trimming: Trimming,
    pub producers_asked: Slab<ProducersWork>,
    pub peers: PeerLinks,
    pub own: OwnRequests,
    /// Appends of other shards that wait for memory, oldest first.
    pub stalled_appends: VecDeque<StalledAppend>,
    /// Appends that wait for a worker, or behind one that does.
    pub parked: ParkedAppends,
    pub metadata_waits: Slab<MetadataWait>,
    /// When the topic of committed offsets may be asked for again, while it is not there.
    pub offsets_topic_due_ms: u64,
    pub timers: TimerWheel<Timer>,
    /// Fetches to look at again.
    pub due_fetches: Vec<Key>,
    /// Connections with answers that became ready.
    pub to_flush: Vec<ConnectionId>,
    /// Connections with bytes to read or requests to handle.
    pub to_serve: VecDeque<ConnectionId>,
    /// The same of those that send much: after the others, which would wait long for them.
    pub to_serve_bulk: VecDeque<ConnectionId>,
    /// Connections that stopped before a request for want of memory.
    pub out_of_memory: Vec<ConnectionId>,
    /// Connections that stopped before a request because the way to the control plane is full.
    pub out_of_control: Vec<ConnectionId>,
    /// Connections to be closed at the end of the turn.
    pub to_close: Vec<(ConnectionId, CloseReason)>,
}

impl Core {
    pub fn now_ms(&self) -> u64 {
        self.now.monotonic_us / 1_000
    }

    /// Host and port that clients are told. This broker's own port is known here, where it has no
    /// fixed address.
    pub fn address_of<'a>(&'a self, broker: &'a Broker) -> (&'a str, u16) {
        if broker.id == self.image.node_id && broker.port == 0 {
            let options = &self.options;
            (&options.advertised_host, options.advertised_port)
        } else {
            (&broker.host, broker.port)
        }
    }

    /// Begins the answer to a request, at its place in the connection's order. Its head holds room
    /// for the length, and the response header.
    pub fn begin_answer(&mut self, request: &Request<'_>) -> Key {
        let key = self.take_answer(request);
        let answer = &mut self.answers[key];
        header::response_header(
            &mut answer.head,
            request.key,
            request.version,
            request.correlation_id,
        );
        self.place_answer(request.connection, key);
        key
    }

    /// As [`begin_answer`](Self::begin_answer), for a response that somebody else writes whole.
    pub fn begin_forwarded_answer(&mut self, request: &Request<'_>) -> Key {
        let key = self.take_answer(request);
        self.place_answer(request.connection, key);
        key
    }

    fn take_answer(&mut self, request: &Request<'_>) -> Key {
        let key = self.answers.take();
        let answer = &mut self.answers[key];
        answer.head.extend_from_slice(&[0; 4]);
        answer.api_key = request.key.code();
        // The turn in which it was taken up: what it waited for others in this turn is part of it.
        answer.began_us = self.now.monotonic_us;
        key
    }

    fn place_answer(&mut self, connection: ConnectionId, key: Key) {
        match self.connections.get_mut(connection) {
            Some(connection) => connection.push_answer(&mut self.answers, key),
            None => unreachable!("requests are handled only while their connection is open"),
        }
    }

    /// Completes an answer; it leaves at the end of the turn, if it is the next of its connection.
    pub fn finish_answer(&mut self, key: Key) {
        let Some(answer) = self.answers.get_mut(key) else {
            return;
        };
        answer.finish();
        // A fetch says so itself: whether it was parked or not, it came through here.
        answer.waited |= !matches!(answer.waits, Waits::Nothing | Waits::Fetch(_));
        answer.waits = Waits::Nothing;
        let Some(connection) = answer.connection else {
            return;
        };
        if let Some(connection) = self.connections.get_mut(connection)
            && !connection.flush_queued
        {
            connection.flush_queued = true;
            self.to_flush.push(connection.id);
        }
    }

    /// Closes a connection at the end of the turn.
    pub fn close_later(&mut self, id: ConnectionId, reason: CloseReason) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.closing = true;
            self.to_close.push((id, reason));
        }
    }

    /// Reads no more of a connection for so long; what it is owed leaves (KIP-219).
    pub fn mute(&mut self, id: ConnectionId, api_key: ApiKey, throttle_ms: i32) {
        if let Some(connection) = self.connections.get_mut(id)
            && !std::mem::replace(&mut connection.muted, true)
        {
            let throttle_ms = u64::from(throttle_ms.unsigned_abs());
            self.stats.requests_throttled.add(1);
            self.stats.throttle_ms.add(throttle_ms);
            if let Some(key) = self.stats.latency().key(api_key.code()) {
                key.throttle_ms.add(throttle_ms);
            }
            let until = self.now.monotonic_us + throttle_ms * 1_000;
            self.timers.arm(until, Timer::Unmute(id));
        }
    }

    /// The connection has waited.
    pub fn unmute(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.muted = false;
            self.serve_later(id);
        }
    }

    /// Puts a connection on the list of those to serve.
    pub fn serve_later(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id)
            && !connection.queued
            && !connection.closing
        {
            connection.queued = true;
            match connection.sends_little() {
                true => self.to_serve.push_back(id),
                false => self.to_serve_bulk.push_back(id),
            }
        }
    }

    /// Lets go of everything that a connection held; its id is stale afterwards.
    pub fn forget_connection(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(id) else {
            return;
        };
        if let Some(progress) = connection.progress {
            self.produces[progress].clear();
            self.produces.give_back(progress);
        }
        let mut next = connection.first;
        while let Some(key) = next {
            let answer = &self.answers[key];
            next = answer.next;
            match answer.waits {
                Waits::Nothing | Waits::Control => {}
                Waits::Fetch(fetch) => crate::fetch::abandon(self, fetch),
                Waits::Produce(produce) => crate::handlers::produce::abandon(self, produce),
                Waits::Metadata(wait) => crate::handlers::metadata::abandon(self, wait),
                Waits::Producers(work) => {
                    crate::handlers::describe_producers::abandon(self, work);
                }
                Waits::Queries => crate::queries::abandon(self, key),
                Waits::Follow(loan) => crate::follows::abandon(self, loan),
            }
            answer::discard(&mut self.answers, &mut self.store, key);
        }
        if connection.forwarded > 0 {
            self.control.give_up(id);
        }
        if is_own(id) {
            self.own.close(id);
        }
        self.stats.connections.set(self.connections.count() as u64);
    }
}
