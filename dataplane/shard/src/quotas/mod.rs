//! Quotas of clients (KIP-13, KIP-55, KIP-124, KIP-219): what a client owes, and for how long its
//! connection is not read on because of it.
//!
//! A quota is a rate of the whole broker, whichever shards its clients are connected to: the shards
//! keep the accounts in one table of atomic words (`buckets`). Where there is no quota, a request
//! costs one look at a flag.

mod buckets;
mod table;

pub(crate) use buckets::{BURST_NS, Buckets};
pub(crate) use table::{Kind, QuotaChange};

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use table::QuotaTable;

/// Clients whose limits are remembered; more are looked up anew.
const CLIENTS_MAX: usize = 4_096;
/// A longer client id is looked up anew each time: remembered ids are bounded in bytes too.
const CLIENT_ID_BYTES_MAX: usize = 256;
/// Longest time for which a connection is not read on for the bytes it moved. What is owed beyond
/// it stays owed.
const BYTES_THROTTLE_MS_MAX: u64 = 3_600_000;
/// The same for the time that its requests took; Kafka's bound is its window of a second too.
const REQUEST_THROTTLE_MS_MAX: u64 = 1_000;

/// An account and its rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Account {
    kind: Kind,
    key: u64,
    /// Units per second: bytes, or nanoseconds of a shard's thread.
    rate: f64,
}

impl Account {
    /// Most units that are let pass at once; Kafka bounds a fetch by its window in the same way.
    pub fn burst(&self) -> usize {
        (self.rate * BURST_NS as f64 / 1e9).max(1.0) as usize
    }
}

/// The accounts of one client, by kind.
pub(crate) type Accounts = [Option<Account>; 3];

/// The quotas of the image as one shard applies them.
pub(crate) struct Quotas {
    table: QuotaTable,
    /// By client id: all clients are one user until there is authentication.
    clients: HashMap<Box<str>, Accounts>,
    buckets: Arc<Buckets>,
    /// Nanoseconds from the buckets' origin to that of this shard's clock.
    origin_ns: u64,
    active: bool,
}

impl Quotas {
    pub fn new(buckets: Arc<Buckets>, clock_origin: Instant) -> Self {
        let ahead = clock_origin.saturating_duration_since(buckets.origin());
        Quotas {
            table: QuotaTable::default(),
            clients: HashMap::new(),
            // Never so early that nothing could have been saved up yet.
            origin_ns: ahead.as_nanos() as u64 + BURST_NS,
            buckets,
            active: false,
        }
    }

    /// Puts the quotas of an image in force.
    pub fn apply(&mut self, full: bool, named: Vec<QuotaChange>) {
        self.table.apply(full, named);
        self.clients.clear();
        self.active = !self.table.is_empty();
    }

    /// Whether there is any quota at all.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// Whose accounts a request is on.
    pub fn accounts(&mut self, user: &str, client_id: &str) -> Accounts {
        if let Some(accounts) = self.clients.get(client_id) {
            return *accounts;
        }
        let accounts = Kind::ALL.map(|kind| self.find(kind, user, client_id));
        if client_id.len() > CLIENT_ID_BYTES_MAX {
            return accounts;
        }
        if self.clients.len() >= CLIENTS_MAX {
            self.clients.clear();
        }
        self.clients.insert(Box::from(client_id), accounts);
        accounts
    }

    fn find(&self, kind: Kind, user: &str, client_id: &str) -> Option<Account> {
        let found = self.table.find(kind, user, client_id)?;
        let user = found.per_user.then_some(user);
        let client_id = found.per_client_id.then_some(client_id);
        let rate = match kind {
            Kind::Produce | Kind::Fetch => found.limit,
            // Percent of one thread.
            Kind::Request => found.limit * 1e7,
        };
        // A changed limit is another account: what was owed under the old one is no measure of it.
        let identity = (kind, user, client_id, rate.to_bits());
        Some(Account {
            kind,
            key: self.buckets.key(&identity),
            rate,
        })
    }

    /// Milliseconds that the account is behind: 0 while it is within its quota.
    pub fn throttle_ms(&self, account: Option<Account>, now_us: u64) -> i32 {
        let Some(account) = account else { return 0 };
        let owed_ns = self.buckets.owed_ns(account.key, self.now_ns(now_us));
        in_milliseconds(account.kind, owed_ns)
    }

    /// Puts so many units on the account; the milliseconds that it is behind then.
    pub fn charge(&self, account: Option<Account>, units: u64, now_us: u64) -> i32 {
        let Some(account) = account else { return 0 };
        let cost_ns = (units as f64 * 1e9 / account.rate.max(1e-6)) as u64;
        let now_ns = self.now_ns(now_us);
        let owed_ns = self.buckets.charge(account.key, cost_ns, now_ns);
        in_milliseconds(account.kind, owed_ns)
    }

    fn now_ns(&self, now_us: u64) -> u64 {
        self.origin_ns + now_us * 1_000
    }
}

fn in_milliseconds(kind: Kind, owed_ns: u64) -> i32 {
    let most = match kind {
        Kind::Produce | Kind::Fetch => BYTES_THROTTLE_MS_MAX,
        Kind::Request => REQUEST_THROTTLE_MS_MAX,
    };
    owed_ns.div_ceil(1_000_000).min(most) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_shm::control::{QuotaEntity, QuotaLimits};

    fn quotas(shards: usize, rate: f64, client_id: QuotaEntity<'_>) -> Vec<Quotas> {
        let buckets = Arc::new(Buckets::new());
        let limits = QuotaLimits {
            producer_byte_rate: Some(rate),
            ..QuotaLimits::default()
        };
        let make = |_| {
            let mut quotas = Quotas::new(buckets.clone(), buckets.origin());
            let change = QuotaChange::new(QuotaEntity::Any, client_id, limits);
            quotas.apply(true, vec![change]);
            quotas
        };
        (0..shards).map(make).collect()
    }

    /// A client that waits as told is held to its rate, over all shards together.
    #[test]
    fn a_rate_holds_over_all_shards() {
        const RATE: f64 = 1e6;
        let mut shards = quotas(2, RATE, QuotaEntity::Default);
        let (mut now_us, mut sent, mut turn) = (5_000_000, 0u64, 0);
        let (mut began_us, mut began) = (0, 0);
        while now_us < 60_000_000 {
            let shard = &mut shards[turn % 2];
            turn += 1;
            let account = shard.accounts("u", "c")[0];
            let bytes = 1_000 + (turn as u64 * 7_919) % 200_000;
            let throttle = shard.charge(account, bytes, now_us);
            sent += bytes;
            now_us += 50 + throttle as u64 * 1_000;
            if began_us == 0 && now_us > 10_000_000 {
                (began_us, began) = (now_us, sent);
            }
        }
        let rate = (sent - began) as f64 * 1e6 / (now_us - began_us) as f64;
        assert!((rate / RATE - 1.0).abs() < 0.01, "{rate}");
    }

    #[test]
    fn clients_with_a_quota_each_do_not_pay_for_another() {
        let mut shards = quotas(1, 1_000.0, QuotaEntity::Default);
        let [a, b] = ["a", "b"].map(|id| shards[0].accounts("u", id)[0]);
        assert!(shards[0].charge(a, 1_000_000, 0) > 990_000);
        assert_eq!(shards[0].throttle_ms(b, 0), 0);
        assert!(shards[0].throttle_ms(a, 0) > 990_000);
        // A quota of another rate begins anew.
        let limits = QuotaLimits {
            producer_byte_rate: Some(2_000.0),
            ..QuotaLimits::default()
        };
        let change = QuotaChange::new(QuotaEntity::Any, QuotaEntity::Default, limits);
        shards[0].apply(false, vec![change]);
        let a = shards[0].accounts("u", "a")[0];
        assert_eq!(shards[0].throttle_ms(a, 0), 0);
    }

    #[test]
    fn more_client_ids_than_are_remembered_cost_no_more_memory() {
        let mut shards = quotas(1, 1_000.0, QuotaEntity::Default);
        for number in 0..20_000 {
            let id = format!("client-{number}");
            assert!(shards[0].accounts("u", &id)[0].is_some());
            assert!(shards[0].clients.len() <= CLIENTS_MAX);
        }
        let before = shards[0].clients.len();
        let long = "x".repeat(30_000);
        assert!(shards[0].accounts("u", &long)[0].is_some());
        assert_eq!(shards[0].clients.len(), before);
    }
}
