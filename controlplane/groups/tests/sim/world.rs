//! Clock, network, log and faults.

use crate::client::{Client, Step, Told, fetch};
use crate::invariants::{Commits, Ownership, refused_as_past};
use precursor_groups::{
    Command, GroupConfig, GroupCoordinator, Now, Record, Request, RequestContext, Response,
};
use precursor_model::ErrorCode;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub const GROUP: &str = "g";
pub const PARTITIONS: u8 = 8;
const FAULTS_MS: u64 = 180_000;
const HEAL_MS: u64 = 180_000;

/// xorshift64*: the only source of chance.
pub struct Rng(u64);

impl Rng {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    /// One time out of so many.
    pub fn chance(&mut self, out_of: u64) -> bool {
        self.below(out_of) == 0
    }
}

/// What happened in a history.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub restarts: u64,
    pub generations: u64,
    pub takeovers: u64,
    pub commits_acknowledged: u64,
    pub past_requests: u64,
    pub appends_failed: u64,
    pub requests: u64,
    pub records: u64,
}

impl Seen {
    pub fn add(&mut self, other: &Seen) {
        self.restarts += other.restarts;
        self.generations += other.generations;
        self.takeovers += other.takeovers;
        self.commits_acknowledged += other.commits_acknowledged;
        self.past_requests += other.past_requests;
        self.appends_failed += other.appends_failed;
        self.requests += other.requests;
        self.records += other.records;
    }
}

enum Event {
    Request(u64, Request),
    Response(u64, Response),
}

/// A request on its way or parked.
struct Sent {
    client: usize,
    version: i16,
    commit: Option<(i32, i64)>,
    /// What the request says of its sender; `None` where it says nothing.
    generation: Option<i32>,
    /// Whether the generation was past when the request was delivered.
    is_past: bool,
}

pub struct World {
    rng: Rng,
    now: u64,
    coordinator: GroupCoordinator,
    clients: Vec<Client>,
    log: Vec<Record>,
    /// Appends on their way, in order: id, records, when they arrive.
    appends: VecDeque<(u64, Vec<Record>, u64)>,
    network: BTreeMap<(u64, u64), Event>,
    sent: BTreeMap<u64, Sent>,
    /// What the present coordinator owes.
    owed: BTreeSet<u64>,
    next_token: u64,
    next_event: u64,
    /// The newest that the present coordinator has told a member of.
    generation: i32,
    ownership: Ownership,
    commits: Commits,
    seen: Seen,
}

fn config() -> GroupConfig {
    GroupConfig {
        initial_rebalance_delay_ms: 500,
        ..GroupConfig::default()
    }
}

impl World {
    pub fn new(seed: u64) -> World {
        let mut rng = Rng((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let clients = (0..2 + rng.below(5) as usize).map(|index| Client::new(index, &mut rng));
        let clients = clients.collect::<Vec<_>>();
        let mut world = World {
            rng,
            now: 0,
            coordinator: GroupCoordinator::new(config()),
            clients,
            log: Vec::new(),
            appends: VecDeque::new(),
            network: BTreeMap::new(),
            sent: BTreeMap::new(),
            owed: BTreeSet::new(),
            next_token: 0,
            next_event: 0,
            generation: 0,
            ownership: Ownership::default(),
            commits: Commits::default(),
            seen: Seen::default(),
        };
        world.coordinator.loaded(world.clock(), &mut Vec::new());
        for index in 0..world.clients.len() {
            let at = world.rng.below(5_000);
            world.clients[index].start(at);
        }
        world
    }

    fn clock(&self) -> Now {
        Now {
            monotonic_ms: self.now,
            wall_ms: 1_700_000_000_000 + self.now as i64,
        }
    }

    fn faulty(&self) -> bool {
        self.now < FAULTS_MS
    }

    pub fn run(mut self) -> Seen {
        let mut fault_at = 2_000;
        let mut healing = false;
        while self.now < FAULTS_MS + HEAL_MS {
            let due = self
                .next_due()
                .min(if self.faulty() { fault_at } else { u64::MAX });
            self.now = due.max(self.now).min(FAULTS_MS + HEAL_MS);
            if self.faulty() && fault_at <= self.now {
                self.fault();
                fault_at = self.now + 200 + self.rng.below(4_000);
            }
            if !self.faulty() && !healing {
                healing = true;
                // One is gone for good: the others must take over what it owned.
                let staying = self.staying();
                for client in &mut self.clients[staying..] {
                    client.crash();
                }
                for index in 0..staying {
                    if self.clients[index].step == Step::Down {
                        self.clients[index].start(self.now);
                    }
                }
            }
            self.step();
        }
        self.healed();
        self.seen.records = self.log.len() as u64;
        self.seen
    }

    /// How many clients live on after the faults: all but the last.
    fn staying(&self) -> usize {
        self.clients.len() - 1
    }

    fn next_due(&self) -> u64 {
        let network = self.network.keys().next().map(|(at, _)| *at);
        let append = self.appends.front().map(|(_, _, at)| *at);
        let clients = self.clients.iter().map(|client| client.act_at).min();
        let timers = self.coordinator.next_deadline();
        let due = [network, append, clients, timers];
        due.into_iter().flatten().min().unwrap_or(u64::MAX)
    }

    /// Everything that is due now.
    fn step(&mut self) {
        while self
            .appends
            .front()
            .is_some_and(|(_, _, at)| *at <= self.now)
        {
            self.append_arrives();
        }
        while let Some(entry) = self.network.first_entry()
            && entry.key().0 <= self.now
        {
            match entry.remove() {
                Event::Request(token, request) => self.deliver(token, request),
                Event::Response(token, response) => self.respond(token, &response),
            }
        }
        if self
            .coordinator
            .next_deadline()
            .is_some_and(|at| at <= self.now)
        {
            let mut out = Vec::new();
            self.coordinator.tick(self.clock(), &mut out);
            self.execute(out);
        }
        for index in 0..self.clients.len() {
            if self.clients[index].act_at <= self.now {
                self.client_acts(index);
            }
        }
    }

    fn client_acts(&mut self, index: usize) {
        let client = &mut self.clients[index];
        client.act_at = u64::MAX;
        let Some((request, timeout)) = client.act(self.now, &mut self.rng) else {
            return;
        };
        let token = self.send(index, request);
        let client = &mut self.clients[index];
        client.outstanding = Some((token, self.now + timeout));
        client.act_at = self.now + timeout;
    }

    fn send(&mut self, client: usize, request: Request) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        let commit = match &request {
            Request::OffsetCommit(request) => {
                let partition = &request.topics[0].partitions[0];
                Some((partition.partition_index, partition.committed_offset))
            }
            _ => None,
        };
        let generation = match &request {
            Request::OffsetCommit(request) => Some(request.generation_id_or_member_epoch),
            Request::Heartbeat(request) => Some(request.generation_id),
            Request::SyncGroup(request) => Some(request.generation_id),
            _ => None,
        };
        let version = match &request {
            // Keys have versions of their own; what matters here are JoinGroup's.
            Request::JoinGroup(_) => self.clients[client].version,
            Request::SyncGroup(_) | Request::LeaveGroup(_) => self.clients[client].version.min(5),
            _ => 8,
        };
        let sent = Sent {
            client,
            version,
            commit,
            generation,
            is_past: false,
        };
        self.sent.insert(token, sent);
        self.transmit(Event::Request(token, request));
        token
    }

    fn transmit(&mut self, event: Event) {
        if self.faulty() && self.rng.chance(25) {
            return;
        }
        let late = self.faulty() && self.rng.chance(20);
        let delay = 1 + self.rng.below(if late { 900 } else { 20 });
        self.next_event += 1;
        self.network
            .insert((self.now + delay, self.next_event), event);
    }

    fn deliver(&mut self, token: u64, request: Request) {
        let sent = self.sent.get_mut(&token).expect("it was sent");
        sent.is_past = sent.generation.is_some_and(|told| told < self.generation);
        self.seen.past_requests += u64::from(sent.is_past);
        let context = RequestContext {
            token,
            version: sent.version,
            client_id: format!("client-{}", sent.client),
            client_host: "/192.0.2.1".into(),
            now: self.clock(),
            uuid: u128::from(token).to_be_bytes(),
        };
        self.owed.insert(token);
        self.seen.requests += 1;
        let mut out = Vec::new();
        self.coordinator.request(&context, request, &mut out);
        self.execute(out);
    }

    fn execute(&mut self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Append { append_id, records } => {
                    let last = self.appends.back().map_or(0, |(_, _, at)| *at);
                    let slow = self.faulty() && self.rng.chance(10);
                    let at = self.now + 1 + self.rng.below(if slow { 3_000 } else { 10 });
                    self.appends.push_back((append_id, records, at.max(last)));
                }
                Command::Reply { token, response } => {
                    assert!(self.owed.remove(&token), "{token} is not owed an answer");
                    self.note(token, &response);
                    self.transmit(Event::Response(token, response));
                }
            }
        }
    }

    fn note(&mut self, token: u64, response: &Response) {
        let sent = &self.sent[&token];
        if sent.is_past {
            refused_as_past(response);
        }
        match response {
            Response::OffsetCommit(response) => {
                if let (0, Some((partition, offset))) =
                    (response.topics[0].partitions[0].error_code, sent.commit)
                {
                    self.commits.acknowledged(partition, offset);
                    self.seen.commits_acknowledged += 1;
                    let told = self.fetch();
                    self.commits.fetched(&told);
                }
            }
            Response::JoinGroup(response) => {
                let mut bytes = Vec::new();
                let carried = response.encode(&mut bytes, sent.version);
                carried.expect("the request's version carries the answer");
                self.generation = self.generation.max(response.generation_id);
                self.seen.takeovers += u64::from(response.skip_assignment);
                self.seen.generations += u64::from(!response.members.is_empty());
            }
            _ => {}
        }
    }

    fn respond(&mut self, token: u64, response: &Response) {
        let Some(sent) = self.sent.remove(&token) else {
            return;
        };
        let client = &mut self.clients[sent.client];
        if client
            .outstanding
            .is_none_or(|(awaited, _)| awaited != token)
        {
            return;
        }
        match client.answered(response, self.now, &mut self.rng) {
            Told::Nothing => {}
            Told::Assigned => {
                self.ownership
                    .assigned(client.index, client.generation, &client.owned);
            }
            Told::Fetched(told) => assert!(told.len() <= usize::from(PARTITIONS)),
        }
    }

    fn append_arrives(&mut self) {
        let Some((append_id, records, _)) = self.appends.pop_front() else {
            return;
        };
        let fails = self.faulty() && self.rng.chance(15);
        // A failure that was reported may still be in the log.
        if !fails || self.rng.chance(2) {
            self.log.extend(records);
        }
        self.seen.appends_failed += u64::from(fails);
        let outcome = if fails {
            Err(ErrorCode::RequestTimedOut)
        } else {
            Ok(self.log.len() as i64)
        };
        let mut out = Vec::new();
        let now = self.clock();
        self.coordinator.appended(append_id, outcome, now, &mut out);
        self.execute(out);
    }

    fn fault(&mut self) {
        let index = self.rng.below(self.clients.len() as u64) as usize;
        match self.rng.below(8) {
            0 => self.restart(),
            1..=2 => self.clients[index].crash(),
            3 if self.clients[index].step == Step::Stable => {
                let request = self.clients[index].leave();
                self.send(index, request);
                self.clients[index].crash();
            }
            4 if self.clients[index].generation > 1 => {
                let request = self.clients[index].speak_of_the_past(&mut self.rng);
                self.send(index, request);
            }
            _ => {
                let at = self.now + 2_000;
                if self.clients[index].step == Step::Down {
                    self.clients[index].start(at);
                }
            }
        }
    }

    /// The coordinator dies; of what it had begun to append, a part arrives. Its successor replays
    /// the log.
    fn restart(&mut self) {
        self.seen.restarts += 1;
        let arrived = self.rng.below(self.appends.len() as u64 + 1) as usize;
        for (_, records, _) in self.appends.drain(..).take(arrived) {
            self.log.extend(records);
        }
        self.appends.clear();
        self.owed.clear();
        // A generation that was not durable may come again.
        self.generation = 0;
        self.coordinator = GroupCoordinator::new(config());
        for record in &self.log {
            let loaded = self.coordinator.load(&record.key, record.value.as_deref());
            loaded.expect("what was written can be read");
        }
        let mut out = Vec::new();
        self.coordinator.loaded(self.clock(), &mut out);
        self.execute(out);
        let told = self.fetch();
        self.commits.fetched(&told);
        self.commits.replayed(&told, &self.log);
    }

    fn fetch(&mut self) -> BTreeMap<i32, i64> {
        let context = RequestContext {
            token: u64::MAX,
            version: 8,
            now: self.clock(),
            ..RequestContext::default()
        };
        let mut out = Vec::new();
        self.coordinator.request(&context, fetch(), &mut out);
        let Some(Command::Reply {
            response: Response::OffsetFetch(group),
            ..
        }) = out.pop()
        else {
            panic!("no offsets")
        };
        let partitions = group.topics.into_iter().flat_map(|topic| topic.partitions);
        partitions
            .map(|p| (p.partition_index, p.committed_offset))
            .collect()
    }

    /// After the faults every client is a member again, of one generation that owns everything.
    fn healed(&mut self) {
        let generation = self.clients[0].generation;
        let staying = self.staying();
        for client in &self.clients[..staying] {
            let state = (client.step, client.generation);
            assert_eq!(state, (Step::Stable, generation), "client {}", client.index);
            assert!(client.outstanding.is_none_or(|(_, until)| until > self.now));
        }
        self.ownership.complete(generation, staying);
        let told = self.fetch();
        self.commits.fetched(&told);
        let forgotten: Vec<u64> = self.owed.iter().copied().collect();
        assert!(
            forgotten.len() <= self.clients.len(),
            "not answered: {forgotten:?}"
        );
        let oldest = self.next_token.saturating_sub(1_000);
        assert!(
            forgotten.iter().all(|token| *token >= oldest),
            "{forgotten:?}"
        );
    }
}
