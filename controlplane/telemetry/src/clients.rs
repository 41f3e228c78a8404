//! What is known of each client that pushes, and the answers to both requests of KIP-714.

use crate::otlp::Decoded;
use crate::series::{ClientFamily, OfClient, Shelf};
use crate::subscription::{EVERYTHING, INTERVAL_MS_DEFAULT, Property, Subscription};
use precursor_model::{ErrorCode, TopicId};
use precursor_protocol::records::Codec;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Clients that are known at a time; the one that is nearest to being forgotten makes room.
pub const INSTANCES_MAX: usize = 4_096;
/// A client is forgotten after three of its intervals without a request, and not before this.
const FORGOTTEN_AFTER_MS_MIN: u64 = 60_000;
/// What is kept of a text that a client states.
const TEXT_BYTES_MAX: usize = 128;
/// Ids that are nobody's: zero, and the metadata topic's.
const RESERVED: [InstanceId; 2] = [[0; 16], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]];

/// Codecs of pushes by Kafka's numbers, in the order in which they are recommended.
pub const ACCEPTED_CODECS: [i8; 4] = [4, 3, 1, 2];

/// A client instance's id.
type InstanceId = [u8; 16];

/// Who sends a request.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    pub id: &'a str,
    pub software_name: &'a str,
    pub software_version: &'a str,
    pub address: &'a str,
    pub port: &'a str,
}

/// What a client is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    pub instance_id: InstanceId,
    pub subscription_id: i32,
    pub push_interval_ms: i32,
    pub metrics: Vec<String>,
}

/// Numbers of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub clients: usize,
    pub series: usize,
    pub pushes: u64,
    pub pushes_refused: u64,
    pub samples_left_out: u64,
}

/// Subscriptions, clients and their series. Times are milliseconds of a clock that never goes back.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// The metadata's version that the subscriptions are of.
    metadata_version: Option<u64>,
    options: BTreeMap<String, BTreeMap<String, String>>,
    subscriptions: Vec<Subscription>,
    /// Counts changes of the subscriptions.
    version: u64,
    instances: HashMap<InstanceId, Instance>,
    /// When each is forgotten.
    deadlines: BTreeSet<(u64, InstanceId)>,
    shelf: Shelf,
    counts: Counts,
}

#[derive(Debug)]
struct Instance {
    name: String,
    client_id: String,
    granted: Granted,
    /// Of the subscriptions that it was granted from.
    version: u64,
    asked_ms: Option<u64>,
    pushed_ms: Option<u64>,
    last_error: ErrorCode,
    terminating: bool,
    forgotten_ms: u64,
    series: OfClient,
}

impl Telemetry {
    /// Whether the subscriptions are those of this version of the metadata.
    pub fn is_of(&self, metadata_version: u64) -> bool {
        self.metadata_version == Some(metadata_version)
    }

    /// Puts subscriptions in force: the options of each resource by its name.
    pub fn subscribe(
        &mut self,
        metadata_version: u64,
        options: BTreeMap<String, BTreeMap<String, String>>,
    ) {
        self.metadata_version = Some(metadata_version);
        if self.options == options {
            return;
        }
        // What was once checked and is not taken any more asks for nothing.
        let subscriptions = options
            .values()
            .filter_map(|set| Subscription::new(set).ok());
        self.subscriptions = subscriptions.collect();
        self.options = options;
        self.version += 1;
    }

    /// What a client with this id is to push, GetTelemetrySubscriptions.
    ///
    /// # Errors
    /// Kafka's code: the client asks more often than it was told.
    pub fn ask(
        &mut self,
        id: InstanceId,
        client: &Client<'_>,
        now_ms: u64,
    ) -> Result<Granted, ErrorCode> {
        let instance = self.instance(id, client, now_ms);
        let last = instance.asked_ms.max(instance.pushed_ms);
        let soon = !instance.has_waited_since(last, now_ms);
        // It is to ask anew after these, at once.
        let may_ask = matches!(
            instance.last_error,
            ErrorCode::UnknownSubscriptionId | ErrorCode::UnsupportedCompressionType
        );
        if soon && !may_ask {
            return Err(ErrorCode::ThrottlingQuotaExceeded);
        }
        if !soon {
            instance.asked_ms = Some(now_ms);
        }
        instance.last_error = ErrorCode::None;
        Ok(instance.granted.clone())
    }

    /// Whether a push is taken, PushTelemetry; `bytes_max` is `telemetry.max.bytes`. The codec of
    /// its bytes.
    ///
    /// # Errors
    /// Kafka's code for why not.
    pub fn admit(
        &mut self,
        push: &Push,
        bytes_max: usize,
        client: &Client<'_>,
        now_ms: u64,
    ) -> Result<Codec, ErrorCode> {
        if RESERVED.contains(&push.instance_id) {
            self.counts.pushes_refused += 1;
            return Err(ErrorCode::InvalidRequest);
        }
        let instance = self.instance(push.instance_id, client, now_ms);
        let admitted = instance.admit(push, bytes_max, now_ms);
        instance.last_error = admitted.err().unwrap_or(ErrorCode::None);
        match admitted {
            Ok(_) => self.counts.pushes += 1,
            Err(_) => self.counts.pushes_refused += 1,
        }
        admitted
    }

    /// Keeps what an admitted push has brought.
    pub fn record(&mut self, id: InstanceId, decoded: &Decoded) {
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let mut left_out = decoded.left_out;
        for sample in &decoded.samples {
            left_out += u64::from(!self.shelf.add(&mut instance.series, sample));
        }
        self.counts.samples_left_out += left_out;
    }

    /// An admitted push could not be read.
    pub fn unreadable(&mut self, id: InstanceId) {
        self.counts.pushes_refused += 1;
        if let Some(instance) = self.instances.get_mut(&id) {
            instance.last_error = ErrorCode::InvalidRecord;
        }
    }

    /// Forgets clients that were not heard of for long.
    pub fn forget(&mut self, now_ms: u64) {
        while let Some((deadline, id)) = self.deadlines.first().copied()
            && deadline <= now_ms
        {
            self.remove(id);
        }
    }

    /// Every series, by family.
    pub fn families(&self) -> Vec<ClientFamily> {
        // In order of their ids, so that two scrapes are alike.
        let mut instances: Vec<&Instance> = self.instances.values().collect();
        instances.sort_by(|a, b| a.name.cmp(&b.name));
        let clients = instances.into_iter();
        let clients = clients.map(|i| ([i.name.as_str(), i.client_id.as_str()], &i.series));
        self.shelf.families(clients)
    }

    pub fn counts(&self) -> Counts {
        Counts {
            clients: self.instances.len(),
            series: self.shelf.series(),
            ..self.counts
        }
    }

    fn remove(&mut self, id: InstanceId) {
        if let Some(mut instance) = self.instances.remove(&id) {
            self.deadlines.remove(&(instance.forgotten_ms, id));
            self.shelf.remove(&mut instance.series);
        }
    }

    /// The client's entry, made or brought up to date with the subscriptions.
    fn instance(&mut self, id: InstanceId, client: &Client<'_>, now_ms: u64) -> &mut Instance {
        self.forget(now_ms);
        let known = self.instances.get(&id);
        if known.is_none_or(|instance| instance.version != self.version) {
            let mut fresh = self.evaluate(id, client);
            if let Some(old) = self.instances.remove(&id) {
                self.deadlines.remove(&(old.forgotten_ms, id));
                fresh.series = old.series;
            } else if self.instances.len() >= INSTANCES_MAX
                && let Some((_, oldest)) = self.deadlines.first().copied()
            {
                self.remove(oldest);
            }
            self.instances.insert(id, fresh);
        }
        let Some(instance) = self.instances.get_mut(&id) else {
            unreachable!("it was there, or has just been put in")
        };
        self.deadlines.remove(&(instance.forgotten_ms, id));
        let intervals = u64::from(instance.granted.push_interval_ms.unsigned_abs()) * 3;
        instance.forgotten_ms = now_ms + intervals.max(FORGOTTEN_AFTER_MS_MIN);
        self.deadlines.insert((instance.forgotten_ms, id));
        instance
    }

    /// What the subscriptions ask of a client: all that fit it, together.
    fn evaluate(&self, id: InstanceId, client: &Client<'_>) -> Instance {
        let name = TopicId(id).to_string();
        let fits = |subscription: &&Subscription| {
            subscription.fits(|property| match property {
                Property::InstanceId => &name,
                Property::Id => client.id,
                Property::SoftwareName => client.software_name,
                Property::SoftwareVersion => client.software_version,
                Property::SourceAddress => client.address,
                Property::SourcePort => client.port,
            })
        };
        let (mut metrics, mut push_interval_ms) = (BTreeSet::new(), INTERVAL_MS_DEFAULT);
        for subscription in self.subscriptions.iter().filter(fits) {
            metrics.extend(subscription.metrics.iter().cloned());
            push_interval_ms = push_interval_ms.min(subscription.interval_ms);
        }
        if metrics.contains(EVERYTHING) {
            metrics = BTreeSet::from([EVERYTHING.to_owned()]);
        }
        // The same after a restart of the broker, and another when anything changes.
        let mut hash = crc32c::crc32c(&push_interval_ms.to_be_bytes());
        for metric in &metrics {
            hash = crc32c::crc32c_append(hash, metric.as_bytes());
            hash = crc32c::crc32c_append(hash, &[0]);
        }
        let subscription_id = crc32c::crc32c_append(hash, &id) as i32;
        let granted = Granted {
            instance_id: id,
            subscription_id,
            push_interval_ms,
            metrics: metrics.into_iter().collect(),
        };
        Instance {
            client_id: cut(client.id),
            name,
            granted,
            version: self.version,
            asked_ms: None,
            pushed_ms: None,
            last_error: ErrorCode::None,
            terminating: false,
            forgotten_ms: 0,
            series: OfClient::default(),
        }
    }
}

/// A push, without its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Push {
    pub instance_id: InstanceId,
    pub subscription_id: i32,
    pub terminating: bool,
    pub compression_type: i8,
    /// Bytes of its metrics.
    pub length: usize,
}

impl Instance {
    fn has_waited_since(&self, last_ms: Option<u64>, now_ms: u64) -> bool {
        let interval_ms = u64::from(self.granted.push_interval_ms.unsigned_abs());
        last_ms.is_none_or(|last| now_ms.saturating_sub(last) >= interval_ms)
    }

    /// In Kafka's order of checks.
    fn admit(&mut self, push: &Push, bytes_max: usize, now_ms: u64) -> Result<Codec, ErrorCode> {
        if self.terminating {
            return Err(ErrorCode::InvalidRequest);
        }
        // The first push after an answer may come before the interval is over: clients spread
        // themselves out.
        let first = self.asked_ms > self.pushed_ms;
        if first || self.has_waited_since(self.pushed_ms, now_ms) {
            self.pushed_ms = Some(now_ms);
        } else if !push.terminating {
            return Err(ErrorCode::ThrottlingQuotaExceeded);
        }
        if push.subscription_id != self.granted.subscription_id {
            return Err(ErrorCode::UnknownSubscriptionId);
        }
        let codec = match push.compression_type {
            code @ 0..=4 => Codec::from_attributes(i16::from(code)),
            _ => return Err(ErrorCode::UnsupportedCompressionType),
        };
        if push.length > bytes_max {
            return Err(ErrorCode::TelemetryTooLarge);
        }
        self.terminating = push.terminating;
        Ok(codec)
    }
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
#[path = "clients_tests.rs"]
mod tests;
