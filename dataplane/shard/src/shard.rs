//! The loop itself.

mod connections;

use crate::clock::Clock;
use crate::connection::Connections;
use crate::control::{self, ControlLink, Describing};
use crate::core::Core;
use crate::fetch::{self, Reads, SessionCache};
use crate::follows::{self, Follows};
use crate::handlers::produce::native::NativeBatch;
use crate::idle::{Idle, Rest};
use crate::image::Image;
use crate::maintenance;
use crate::options::{IdlePolicy, ShardOptions};
use crate::own::{self, OwnRequests};
use crate::parked::{self, ParkedAppends};
use crate::peers::{self, PeerLinks};
use crate::queries::Queries;
use crate::quotas::Quotas;
use crate::stats::Stats;
use crate::timer::TimerWheel;
use crate::traffic::TrafficTable;
use crate::trim::Trimming;
use crate::waiters::WaiterTable;
use crate::writes;
use precursor_memory::Slab;
use precursor_shm::{Doorbell, DoorbellName, Region, ring};
use precursor_storage::{Now, OpenError, Store, StoreEvent, StoreOptions};
use precursor_transport_port::{ConnectionId, Event, LOANS_MAX, Transport, TransportError, Wait};
use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// What wakes a sleeping shard besides its connections, as tokens of the transport.
const WOKEN_BY_DOORBELL: u32 = 0;
const WOKEN_BY_STORE: u32 = 1;

/// Events taken from the transport in one turn.
const EVENTS_PER_TURN: usize = 256;
/// Connections served in one turn, and how long, so that events, timers and the control plane have
/// theirs: a request that passes through the control plane waits for several turns.
const SERVED_PER_TURN: usize = 256;
const SERVE_US_PER_TURN: u64 = 100;
/// Of the buffers, the part that may be with appends that wait for workers.
const PARKED_SHARE: usize = 4;
/// Objects made before the first request; more are made when more are in use at once.
const PREPARED: usize = 64;

/// What a shard is made of besides its options.
pub struct ShardParts<T> {
    pub transport: T,
    pub region: Region,
    pub store: StoreOptions,
    /// Where to listen, once there is an image to serve from.
    pub listen: SocketAddr,
    /// This shard's share of [`crate::peer_links`].
    pub peers: PeerLinks,
}

/// Why a shard cannot start or go on.
#[derive(Debug)]
pub enum ShardError {
    Store(OpenError),
    Transport(TransportError),
    Doorbell(std::io::Error),
}

impl fmt::Display for ShardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShardError::Store(error) => write!(f, "{error}"),
            ShardError::Transport(error) => write!(f, "{error}"),
            ShardError::Doorbell(error) => write!(f, "opening a doorbell: {error}"),
        }
    }
}

impl std::error::Error for ShardError {}

impl From<TransportError> for ShardError {
    fn from(error: TransportError) -> Self {
        ShardError::Transport(error)
    }
}

/// One shard: a transport, a store, and what connects them. Made and used on its own thread.
pub struct Shard<T: Transport> {
    transport: T,
    core: Core,
    inbox: ring::Consumer,
    doorbell: Doorbell,
    clock: Clock,
    idle: Idle,
    events: Vec<Event>,
    store_events: Vec<StoreEvent>,
    fired: Vec<crate::core::Timer>,
    holds_memory: bool,
    /// Set until the listener is open.
    listen: Option<SocketAddr>,
    next_sweep_ms: u64,
    next_memory_retry_us: u64,
}

impl<T: Transport> Shard<T> {
    /// Opens the store and greets the control plane. Clients are accepted once the first image is in.
    ///
    /// # Errors
    /// The data directory cannot be used, or the host refuses a descriptor.
    pub fn new(options: ShardOptions, parts: ShardParts<T>) -> Result<Self, ShardError> {
        let ShardParts {
            mut transport,
            region,
            store,
            listen,
            mut peers,
        } = parts;
        let shard = options.shard;
        let mut clock = Clock::new();
        let now = clock.now();
        let mut extents = region.extent_pool(shard);
        extents.prepare(options.memory.extents);
        let store = Store::open(store, extents, now).map_err(ShardError::Store)?;
        let pool_bytes = store.pool_use().bytes;
        let bell = |name| region.doorbell(name).map_err(ShardError::Doorbell);
        let doorbell = bell(DoorbellName::Shard(shard))?;
        let control_bell = bell(DoorbellName::Control)?;
        let peer_bell = |peer| region.doorbell(DoorbellName::Shard(peer));
        peers.set_bells(peer_bell).map_err(ShardError::Doorbell)?;
        transport.watch(
            std::os::fd::AsRawFd::as_raw_fd(&doorbell),
            WOKEN_BY_DOORBELL,
        )?;
        transport.watch(store.wake_descriptor(), WOKEN_BY_STORE)?;
        let mut buffers = region.buffer_pool(shard);
        buffers.prepare(options.memory.buffers);
        buffers.set_large_bytes_max(options.large_request_bytes_max);
        let parked = ParkedAppends::new(buffers.capacity() / PARKED_SHARE);
        let producer = region.to_control_producer(shard);
        let mut core = Core {
            now,
            stats: Stats::new(region.clone(), shard),
            store,
            buffers,
            connections: Connections::new(options.connections_max),
            answers: Slab::new(PREPARED),
            image: Image::new(options.node_id, options.topic_defaults.clone()),
            control: ControlLink::new(producer, control_bell, options.generation),
            describing: Describing::default(),
            waiters: WaiterTable::default(),
            traffic: TrafficTable::default(),
            quotas: Quotas::new(peers.quota_buckets(), clock.origin()),
            throttle_ms: 0,
            throttle_account: None,
            fetches: Slab::new(PREPARED),
            reads: Reads::default(),
            sessions: SessionCache::new(options.fetch_session_slots_max),
            follows: Follows::new(options.follow_bytes_max, pool_bytes),
            writes: VecDeque::with_capacity(LOANS_MAX as usize),
            produces: Slab::new(PREPARED),
            native: NativeBatch::default(),
            queries: Queries::new(),
            trimming: Trimming::default(),
            producers_asked: Slab::new(0),
            peers,
            own: OwnRequests::default(),
            stalled_appends: VecDeque::new(),
            parked,
            metadata_waits: Slab::new(0),
            offsets_topic_due_ms: 0,
            timers: TimerWheel::new(now.monotonic_us),
            due_fetches: Vec::with_capacity(PREPARED),
            to_flush: Vec::with_capacity(PREPARED),
            to_serve: VecDeque::with_capacity(PREPARED),
            to_serve_bulk: VecDeque::with_capacity(PREPARED),
            out_of_memory: Vec::with_capacity(PREPARED),
            out_of_control: Vec::new(),
            to_close: Vec::new(),
            first_options: options.clone(),
            options,
        };
        core.stats.connections.set(0);
        control::hello(&mut core);
        Ok(Shard {
            holds_memory: transport.capabilities().send_holds_memory,
            transport,
            inbox: region.to_data_consumer(shard),
            doorbell,
            clock,
            idle: Idle::default(),
            core,
            events: Vec::with_capacity(EVENTS_PER_TURN),
            store_events: Vec::with_capacity(EVENTS_PER_TURN),
            fired: Vec::with_capacity(PREPARED),
            listen: Some(listen),
            next_sweep_ms: 0,
            next_memory_retry_us: 0,
        })
    }

    /// Whether clients are accepted.
    pub fn is_listening(&self) -> bool {
        self.listen.is_none()
    }

    /// Connections open now.
    pub fn connection_count(&self) -> usize {
        self.core.connections.count()
    }

    /// The transport, for what only its owner knows to ask.
    pub fn transport(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Takes one turn and then rests as the idle policy says, at most `longest`. Returns whether
    /// there was work.
    ///
    /// # Errors
    /// The transport is at its end; the shard cannot go on.
    pub fn run_once(&mut self, longest: Duration) -> Result<bool, ShardError> {
        let worked = self.turn(Wait::None)?;
        let ShardOptions { idle, spin_us, .. } = self.core.options;
        let now_us = self.core.now.monotonic_us;
        match self.idle.after_turn(idle, spin_us, worked, now_us) {
            Rest::Spin => std::hint::spin_loop(),
            Rest::Yield => std::thread::yield_now(),
            Rest::Sleep => return self.sleep(longest).map(|slept| slept || worked),
        }
        Ok(worked)
    }

    /// Sleeps until something happens or is due; the turn that ends the sleep is part of it.
    fn sleep(&mut self, longest: Duration) -> Result<bool, ShardError> {
        if !self.core.peers.announce_sleep() {
            return self.turn(Wait::None);
        }
        if !self.inbox.announce_sleep() {
            self.core.peers.announce_awake();
            return self.turn(Wait::None);
        }
        self.core.stats.loop_sleeps.add(1);
        let wait = self.time_to_next_duty(longest);
        let turned = self.turn(wait);
        self.inbox.announce_awake();
        self.core.peers.announce_awake();
        turned
    }

    fn time_to_next_duty(&self, longest: Duration) -> Wait {
        let now_us = self.core.now.monotonic_us;
        let sweep_us = self.next_sweep_ms * 1_000;
        let sweep = (self.core.connections.count() > 0).then_some(sweep_us);
        let core = &self.core;
        let starved = !core.out_of_memory.is_empty()
            || !core.stalled_appends.is_empty()
            || core.parked.is_starved();
        let retry = starved.then_some(self.next_memory_retry_us);
        let ring_full = self.core.own.is_blocked();
        let duties = [
            ring_full.then_some(now_us + own::RING_RETRY_US),
            self.core.timers.next_deadline_us(),
            self.core.store.deadline(),
            sweep,
            retry,
        ];
        let next = duties.into_iter().flatten().min();
        let until = next.map(|at| Duration::from_micros(at.saturating_sub(now_us)));
        Wait::AtMost(until.map_or(longest, |until| until.min(longest)))
    }

    /// One turn: takes what happened, serves who has bytes, sends what is owed.
    ///
    /// # Errors
    /// The transport is at its end.
    pub fn turn(&mut self, wait: Wait) -> Result<bool, ShardError> {
        self.events.clear();
        let wait = match self.core.to_serve.is_empty() && self.core.to_serve_bulk.is_empty() {
            true => wait,
            false => Wait::None,
        };
        self.transport.poll(wait, &mut self.events)?;
        self.core.now = self.clock.now();
        self.core.stats.loop_turns.add(1);
        let mut worked = !self.events.is_empty();
        for index in 0..self.events.len() {
            let event = self.events[index];
            self.transport_event(event);
        }
        worked |= self.serve_the_only_one();
        worked |= control::receive(&mut self.core, &mut self.inbox);
        worked |= control::describe_logs(&mut self.core);
        if self.core.options.shards > 1 {
            worked |= peers::receive(&mut self.core);
        }
        worked |= self.poll_store();
        worked |= parked::receive(&mut self.core);
        self.fire_timers();
        if self.core.control.is_backed_up() && self.core.control.pump() {
            while let Some(id) = self.core.out_of_control.pop() {
                self.core.serve_later(id);
            }
        }
        if self.core.own.is_blocked() {
            own::flush_blocked(&mut self.core);
        }
        self.retry_for_memory();
        // Answers of others leave before clients' requests, which may be long, have their turn.
        self.flush_connections();
        worked |= self.serve_connections();
        fetch::run_due(&mut self.core);
        self.flush_connections();
        self.close_connections();
        self.sweep_connections();
        self.lend_and_recall();
        self.listen_when_ready()?;
        if worked {
            self.core.stats.loop_turns_busy.add(1);
        }
        Ok(worked)
    }

    fn transport_event(&mut self, event: Event) {
        match event {
            Event::Accepted {
                connection, peer, ..
            } => self.accept(connection, peer),
            Event::Readable(id) => {
                if let Some(connection) = self.core.connections.get_mut(id) {
                    connection.readable = true;
                    if !connection.paused {
                        self.core.serve_later(id);
                    }
                }
            }
            Event::Writable(id) => {
                if let Some(connection) = self.core.connections.get_mut(id) {
                    connection.send_blocked = false;
                    self.flush_later(id);
                }
            }
            Event::Released { connection, bytes } => {
                let core = &mut self.core;
                if let Some(connection) = core.connections.get_mut(connection) {
                    connection.release(&mut core.answers, &mut core.store, bytes);
                    let id = connection.id;
                    self.resume_if_paused(id);
                }
            }
            Event::Failed(id) => {
                self.core.stats.closed_failed.add(1);
                self.core.forget_connection(id);
            }
            Event::Woken {
                token: WOKEN_BY_DOORBELL,
            } => {
                self.doorbell.drain();
            }
            Event::Woken { .. } => self.core.store.drain_wake(),
            Event::Lent { loan, keys } => follows::lent(&mut self.core, loan, keys),
            Event::Returned { loan } => follows::returned(&mut self.core, loan),
        }
    }

    fn accept(&mut self, id: ConnectionId, peer: SocketAddr) {
        self.core.stats.connections_accepted.add(1);
        if self.core.connections.count() >= self.core.options.connections_max {
            self.core.stats.closed_limit.add(1);
            self.transport.close(id);
            return;
        }
        let now_ms = self.core.now_ms();
        self.core.connections.open(id, peer, now_ms);
        let count = self.core.connections.count() as u64;
        self.core.stats.connections.set(count);
        self.core.serve_later(id);
    }

    fn poll_store(&mut self) -> bool {
        self.store_events.clear();
        let worked = self.core.store.poll(self.core.now, &mut self.store_events);
        for index in 0..self.store_events.len() {
            maintenance::store_event(&mut self.core, self.store_events[index]);
        }
        worked
    }

    fn fire_timers(&mut self) {
        let now_us = self.core.now.monotonic_us;
        self.fired.clear();
        self.core.timers.expire(now_us, &mut self.fired);
        for index in 0..self.fired.len() {
            maintenance::fire(&mut self.core, self.fired[index]);
        }
    }

    fn retry_for_memory(&mut self) {
        let now_us = self.core.now.monotonic_us;
        if !self.core.out_of_memory.is_empty() && now_us >= self.next_memory_retry_us {
            self.next_memory_retry_us = now_us + maintenance::MEMORY_RETRY_US;
            maintenance::serve_the_waiting_for_memory(&mut self.core);
        }
        if self.core.parked.is_starved() {
            parked::advance(&mut self.core);
        }
        if !self.core.stalled_appends.is_empty() {
            peers::retry_appends(&mut self.core);
        }
        if !self.core.writes.is_empty() {
            writes::retry(&mut self.core);
        }
        follows::relieve(&mut self.core);
    }

    /// What is reached from afar: ends first, for they make room.
    fn lend_and_recall(&mut self) {
        while let Some(loan) = self.core.follows.next_recall() {
            self.transport.recall(loan);
        }
        while let Some((loan, wanted)) = self.core.follows.next_loan() {
            let transport = &mut self.transport;
            let lent = wanted.is_some_and(|(id, memory)| transport.lend(id, loan, memory));
            if !lent {
                follows::returned(&mut self.core, loan);
            }
        }
    }

    fn sweep_connections(&mut self) {
        let now_ms = self.core.now_ms();
        if now_ms >= self.next_sweep_ms {
            self.next_sweep_ms = now_ms + maintenance::SWEEP_INTERVAL_MS;
            maintenance::sweep(&mut self.core);
            if let Some(wire) = self.transport.wire() {
                maintenance::publish_wire(&self.core.stats, &wire);
            }
        }
    }

    /// Opens the listener once there is an image: before it every topic would seem to be gone.
    fn listen_when_ready(&mut self) -> Result<(), ShardError> {
        if self.core.image.version != 0
            && let Some(address) = self.listen.take()
        {
            self.transport.listen(address)?;
        }
        Ok(())
    }

    /// Stops accepting, sends what is owed as far as it goes, and writes everything to disk.
    ///
    /// # Errors
    /// What could not be written; the region still has it.
    pub fn shut_down(mut self) -> Result<(), ShardError> {
        self.transport.stop_listening();
        let ids: Vec<ConnectionId> = self.core.connections.iter().map(|c| c.id).collect();
        for id in ids {
            self.flush(id);
            self.transport.close(id);
            self.core.forget_connection(id);
        }
        let now: Now = self.clock.now();
        self.core.store.shutdown(now).map_err(ShardError::Store)
    }

    /// The policy in force.
    pub fn idle_policy(&self) -> IdlePolicy {
        self.core.options.idle
    }
}
