//! The client: connections, versions, topics, and any request of Kafka's protocol.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use precursor_model::{ErrorCode, TopicId};
use precursor_protocol::header::{parse_response, request_header};
use precursor_protocol::messages::api_versions_response::ApiVersion;
use precursor_protocol::messages::create_topics_request::CreatableTopic;
use precursor_protocol::messages::metadata_request::MetadataRequestTopic;
use precursor_protocol::messages::{ApiVersionsRequest, CreateTopicsRequest, MetadataRequest};
use precursor_protocol::{ApiKey, Message, Request};

use crate::error::ClientError;
use crate::link::Link;
use crate::options::{ClientOptions, Wait};
use crate::write::WriteCounts;

/// How long a connection may be unused before it is looked at before the next request: a broker
/// that was restarted meanwhile is then connected to anew, with nothing lost.
const UNUSED: Duration = Duration::from_millis(5);
/// Between two attempts at what passes by itself.
const PAUSE: Duration = Duration::from_millis(10);

/// What is known of a topic.
pub(crate) struct Topic {
    pub id: TopicId,
    pub partitions: i32,
    /// Per partition, the shard that owns it, once an answer has told.
    owners: HashMap<i32, u16>,
}

/// Where single records went last: most go where the one before went.
struct Route {
    topic: String,
    partition: i32,
    topic_id: TopicId,
    owner: Option<u16>,
}

/// A client of one broker. It belongs to one thread.
pub struct Client {
    pub(crate) options: ClientOptions,
    link: Option<Link>,
    /// Over shared memory: connections to other shards than the first one's.
    shard_links: HashMap<u16, Link>,
    used: Instant,
    /// Times that all connections were given up.
    given_up: u64,
    versions: Vec<ApiVersion>,
    correlation: i32,
    topics: HashMap<String, Topic>,
    route: Option<Route>,
    frame: Vec<u8>,
    /// Where a single record's frame is put together.
    pub(crate) scratch: Vec<u8>,
    pub(crate) writes: WriteCounts,
}

impl Client {
    /// Connects to the broker.
    ///
    /// # Errors
    /// No broker is there within `reconnect_timeout`, or it does not let this process in.
    pub fn connect(options: ClientOptions) -> Result<Client, ClientError> {
        let mut client = Client {
            options,
            link: None,
            shard_links: HashMap::new(),
            used: Instant::now(),
            given_up: 0,
            versions: Vec::new(),
            correlation: 0,
            topics: HashMap::new(),
            route: None,
            frame: Vec::new(),
            scratch: Vec::new(),
            writes: WriteCounts::default(),
        };
        client.link(None)?;
        Ok(client)
    }

    /// Sends any request of Kafka's protocol in the highest version that both sides know, and waits
    /// for its answer. `wait` is what the request itself asks the broker to wait.
    ///
    /// # Errors
    /// The connection broke, or the broker does not offer the request.
    pub fn request<R: Request>(
        &mut self,
        request: &R,
        wait: Duration,
    ) -> Result<R::Response, ClientError> {
        self.link(None)?;
        let version = self.version_of::<R>()?;
        let mut body = std::mem::take(&mut self.frame);
        body.clear();
        let encoded = request.encode(&mut body, version);
        let answer = match encoded {
            Ok(()) => self.exchange(R::KEY, version, &body, wait),
            Err(error) => Err(ClientError::Usage(format!(
                "the request cannot be written: {error}"
            ))),
        };
        self.frame = body;
        let answer = answer?;
        let (_, body) = parse_response(&answer, R::KEY, version)
            .map_err(|error| ClientError::Malformed(error.to_string()))?;
        let decoded = R::Response::decode_prefix(body, version);
        decoded
            .map(|(response, _)| response)
            .map_err(|error| self.broken(ClientError::Malformed(error.to_string())))
    }

    /// Sends a request whose body is encoded already and gives back the answer's body, header and
    /// all but the length taken off.
    ///
    /// # Errors
    /// The connection broke, or the key is not one of Kafka's.
    pub fn request_raw(
        &mut self,
        api_key: i16,
        version: i16,
        body: &[u8],
    ) -> Result<Vec<u8>, ClientError> {
        let key = ApiKey::from_i16(api_key).ok_or(ClientError::NotOffered { api_key })?;
        let answer = self.exchange(key, version, body, Duration::ZERO)?;
        let (_, body) = parse_response(&answer, key, version)
            .map_err(|error| ClientError::Malformed(error.to_string()))?;
        Ok(body.to_vec())
    }

    /// Makes a topic; one that is there already is as good.
    ///
    /// # Errors
    /// The broker refuses.
    pub fn create_topic(&mut self, name: &str, partitions: i32) -> Result<(), ClientError> {
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: name.to_owned(),
                num_partitions: partitions,
                replication_factor: -1,
                ..CreatableTopic::default()
            }],
            timeout_ms: 10_000,
            ..CreateTopicsRequest::default()
        };
        let response = self.request(&request, Duration::from_secs(10))?;
        let answer = response.topics.first();
        match answer.map(|topic| error_of(topic.error_code)) {
            Some(ErrorCode::None | ErrorCode::TopicAlreadyExists) => Ok(()),
            Some(error) => Err(ClientError::refused(error, format!("topic '{name}'"))),
            None => Err(ClientError::Malformed("an answer of no topic".to_owned())),
        }
    }

    /// How many partitions a topic has. A topic that was just made, or is being recovered, is waited
    /// for.
    ///
    /// # Errors
    /// There is no such topic.
    pub fn partitions(&mut self, topic: &str) -> Result<i32, ClientError> {
        self.topic(topic).map(|topic| topic.partitions)
    }

    pub(crate) fn topic(&mut self, name: &str) -> Result<&Topic, ClientError> {
        if !self.topics.contains_key(name) {
            let deadline = Instant::now() + self.options.request_timeout;
            let found = loop {
                match self.look_up(name) {
                    Err(error) if is_passing(&error) && Instant::now() < deadline => {
                        std::thread::sleep(PAUSE);
                    }
                    found => break found?,
                }
            };
            self.topics.insert(name.to_owned(), found);
        }
        Ok(&self.topics[name])
    }

    fn look_up(&mut self, name: &str) -> Result<Topic, ClientError> {
        let request = MetadataRequest {
            topics: Some(vec![MetadataRequestTopic {
                name: Some(name.to_owned()),
                ..MetadataRequestTopic::default()
            }]),
            allow_auto_topic_creation: false,
            ..MetadataRequest::default()
        };
        let response = self.request(&request, Duration::ZERO)?;
        let found = response.topics.into_iter().next();
        let found = found.ok_or_else(|| ClientError::Malformed("no topic".to_owned()))?;
        let topic_error = error_of(found.error_code);
        let partitions = found.partitions.iter();
        let error = partitions
            .map(|partition| error_of(partition.error_code))
            .find(|error| !matches!(error, ErrorCode::None | ErrorCode::ReplicaNotAvailable))
            .filter(|_| topic_error == ErrorCode::None)
            .unwrap_or(topic_error);
        if error != ErrorCode::None {
            return Err(ClientError::refused(error, format!("topic '{name}'")));
        }
        Ok(Topic {
            id: found.topic_id,
            partitions: found.partitions.len() as i32,
            owners: HashMap::new(),
        })
    }

    /// What was known of a topic may be old.
    pub(crate) fn forget_topic(&mut self, name: &str) {
        self.topics.remove(name);
        self.route = None;
    }

    /// A topic's id, and the shard to send a partition's records to where it is known and matters.
    pub(crate) fn route(
        &mut self,
        topic: &str,
        partition: i32,
    ) -> Result<(TopicId, Option<u16>), ClientError> {
        if let Some(route) = &self.route
            && route.partition == partition
            && route.topic == topic
        {
            return Ok((route.topic_id, route.owner));
        }
        let topic_id = self.topic(topic)?.id;
        let owner = self.owner_of(topic, partition);
        self.route = Some(Route {
            topic: topic.to_owned(),
            partition,
            topic_id,
            owner,
        });
        Ok((topic_id, owner))
    }

    /// An answer named the shard that owns a partition.
    pub(crate) fn owner_told(&mut self, topic: &str, partition: i32, shard: i16) {
        if let (Some(topic), Ok(shard)) = (self.topics.get_mut(topic), u16::try_from(shard)) {
            topic.owners.insert(partition, shard);
            self.route = None;
        }
    }

    /// Whether it matters which shard a record is sent to.
    pub(crate) fn has_shards(&self) -> bool {
        let shards = self.link.as_ref().and_then(Link::shard);
        shards.is_some_and(|(_, shards)| shards > 1)
    }

    /// The shard to send a partition's records to, where it is known and matters.
    pub(crate) fn owner_of(&self, topic: &str, partition: i32) -> Option<u16> {
        let (_, shards) = self.link.as_ref()?.shard()?;
        // One that became less is no shard any more.
        let owner = self.topics.get(topic)?.owners.get(&partition);
        owner.copied().filter(|owner| *owner < shards)
    }

    fn exchange(
        &mut self,
        key: ApiKey,
        version: i16,
        body: &[u8],
        wait: Duration,
    ) -> Result<Vec<u8>, ClientError> {
        let deadline = Instant::now() + self.options.request_timeout + wait;
        let correlation = self.next_correlation();
        let mut frame = vec![0; 4];
        request_header(
            &mut frame,
            key,
            version,
            correlation,
            Some(&self.options.client_id),
        );
        frame.extend_from_slice(body);
        let length = i32::try_from(frame.len() - 4)
            .map_err(|_| ClientError::Usage("a request longer than a frame can be".to_owned()))?;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        let link = self.link(None)?;
        let exchanged = link
            .send_all(&frame, deadline)
            .and_then(|()| link.wait_frame(deadline))
            .and_then(|answer| match answer.first_chunk::<4>() {
                Some(id) if i32::from_be_bytes(*id) == correlation => Ok(answer.to_vec()),
                _ => Err(ClientError::Malformed(
                    "an answer to another request".to_owned(),
                )),
            });
        exchanged.map_err(|error| self.broken(error))
    }

    pub(crate) fn next_correlation(&mut self) -> i32 {
        self.correlation = self.correlation.wrapping_add(1);
        self.correlation
    }

    /// After correlation ids were used elsewhere.
    pub(crate) fn set_correlation(&mut self, last: i32) {
        self.correlation = last;
    }

    /// Gives connections up that an error has ended.
    pub(crate) fn broken(&mut self, error: ClientError) -> ClientError {
        if error.ends_connection() {
            self.give_up();
        }
        error
    }

    /// Gives all connections up.
    pub(crate) fn give_up(&mut self) {
        self.link = None;
        self.given_up += 1;
        self.shard_links.clear();
        // A broker that was started anew may have another number of shards.
        for topic in self.topics.values_mut() {
            topic.owners.clear();
        }
        self.route = None;
    }

    /// Changes when connections are made anew: what one was granted is not the next one's.
    pub(crate) fn connections(&self) -> u64 {
        self.given_up
    }

    /// What waiting does, from now on.
    pub fn set_wait(&mut self, wait: Wait) {
        self.options.wait = wait;
        for link in self.link.iter_mut().chain(self.shard_links.values_mut()) {
            link.set_wait(wait);
        }
    }

    /// Over RDMA: bytes that were written into the broker's memory, and read from there, by the
    /// connections that stand; the others went by SEND. `None` where no broker has granted any.
    pub fn one_sided_bytes(&self) -> Option<(u64, u64)> {
        let links = self.link.iter().chain(self.shard_links.values());
        let totals = links.filter_map(Link::one_sided_bytes);
        totals.reduce(|(w, r), (written, read)| (w + written, r + read))
    }

    /// The connection that [`Client::link`] made, if it still stands.
    pub(crate) fn open_link(&mut self, shard: Option<u16>) -> Option<&mut Link> {
        let first = self.link.as_ref().and_then(Link::shard);
        match shard.filter(|shard| first.is_some_and(|(first, _)| first != *shard)) {
            Some(shard) => self.shard_links.get_mut(&shard),
            None => self.link.as_mut(),
        }
    }

    /// The connection to the broker, or over shared memory to one of its shards; made (anew) where
    /// there is none.
    pub(crate) fn link(&mut self, shard: Option<u16>) -> Result<&mut Link, ClientError> {
        self.link_at(shard, Instant::now())
    }

    /// The same for who has looked at the clock.
    pub(crate) fn link_at(
        &mut self,
        shard: Option<u16>,
        now: Instant,
    ) -> Result<&mut Link, ClientError> {
        if now.saturating_duration_since(self.used) > UNUSED {
            let broken = |link: &mut Link| link.check().is_err();
            if self.link.as_mut().is_some_and(broken) || self.shard_links.values_mut().any(broken) {
                self.give_up();
            }
        }
        self.used = now;
        if self.link.is_none() {
            self.reconnect()?;
        }
        let first = self.link.as_ref().and_then(Link::shard);
        if let (Some(shard), Some((first, _))) = (shard, first)
            && shard != first
            && !self.shard_links.contains_key(&shard)
        {
            let link = Link::open(&self.options, Some(shard))?;
            self.shard_links.insert(shard, link);
        }
        Ok(self.open_link(shard).expect("it was just made"))
    }

    fn reconnect(&mut self) -> Result<(), ClientError> {
        let deadline = Instant::now() + self.options.reconnect_timeout;
        loop {
            match self.open() {
                Err(error) if error.is_transient() && Instant::now() < deadline => {
                    std::thread::sleep(PAUSE);
                }
                outcome => return outcome,
            }
        }
    }

    /// Connects and asks for the broker's versions.
    fn open(&mut self) -> Result<(), ClientError> {
        let mut link = Link::open(&self.options, None)?;
        let request = ApiVersionsRequest {
            client_software_name: "precursor-client".to_owned(),
            client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..ApiVersionsRequest::default()
        };
        let mut frame = vec![0; 4];
        let key = ApiKey::ApiVersions;
        request_header(&mut frame, key, 3, 0, Some(&self.options.client_id));
        request
            .encode(&mut frame, 3)
            .map_err(|error| ClientError::Malformed(error.to_string()))?;
        let length = (frame.len() - 4) as i32;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        let deadline = Instant::now() + self.options.request_timeout;
        link.send_all(&frame, deadline)?;
        let malformed =
            |error: precursor_protocol::DecodeError| ClientError::Malformed(error.to_string());
        let answer = link.wait_frame(deadline)?;
        let (_, body) = parse_response(answer, key, 3).map_err(malformed)?;
        type Response = <ApiVersionsRequest as Request>::Response;
        let (response, _) = Response::decode_prefix(body, 3).map_err(malformed)?;
        self.versions = response.api_keys;
        self.link = Some(link);
        Ok(())
    }

    fn version_of<R: Request>(&self) -> Result<i16, ClientError> {
        let key = R::KEY;
        let ours = (R::VERSION_MIN, R::VERSION_MAX.min(version_max(key)));
        let offered = self
            .versions
            .iter()
            .find(|range| range.api_key == key.code());
        offered
            .map(|range| (range.min_version.max(ours.0), range.max_version.min(ours.1)))
            .filter(|(low, high)| low <= high)
            .map(|(_, high)| high)
            .ok_or(ClientError::NotOffered {
                api_key: key.code(),
            })
    }
}

/// The error of a code from the wire; a code that Kafka does not define is unknown.
pub(crate) fn error_of(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).unwrap_or(ErrorCode::UnknownServerError)
}

/// Whether a refusal passes by itself: a log that is being opened or recovered.
pub(crate) fn is_passing(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Refused {
            error: ErrorCode::NotLeaderOrFollower
                | ErrorCode::LeaderNotAvailable
                | ErrorCode::OffsetNotAvailable
                | ErrorCode::BrokerNotAvailable,
            ..
        }
    )
}

/// Where this client stays below the newest version: later ones name topics by id.
fn version_max(key: ApiKey) -> i16 {
    match key {
        ApiKey::Produce => 11,
        ApiKey::Fetch => 12,
        ApiKey::DeleteTopics => 5,
        _ => i16::MAX,
    }
}
