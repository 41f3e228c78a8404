//! One of the two brokers: its connection, and the ids that it made up.

use precursor_model::TopicId;
use precursor_protocol::header::parse_response;
use precursor_protocol::messages::api_versions_response::ApiVersionsResponse;
use precursor_protocol::{ApiKey, Message, Request};
use precursor_tests_cluster::client::Connection;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;

/// A broker under comparison.
pub(crate) struct Subject {
    address: SocketAddr,
    connection: Option<Connection>,
    pub versions: HashMap<i16, (i16, i16)>,
    /// What the broker calls it → what both answers shall call it.
    names: HashMap<String, String>,
    topic_ids: HashMap<String, TopicId>,
    /// Texts and numbers made up by the broker, by our name for them.
    made_up: HashMap<String, String>,
}

impl Subject {
    pub fn new(address: SocketAddr) -> io::Result<Subject> {
        let mut connection = Connection::open(address)?;
        let answer: ApiVersionsResponse = connection.api_versions()?;
        let versions = answer.api_keys.iter();
        Ok(Subject {
            address,
            connection: Some(connection),
            versions: versions
                .map(|key| (key.api_key, (key.min_version, key.max_version)))
                .collect(),
            names: HashMap::new(),
            topic_ids: HashMap::new(),
            made_up: HashMap::new(),
        })
    }

    /// The shared name of something that this broker made up.
    pub fn name_of(&self, own: &str) -> Option<String> {
        self.names.get(own).cloned()
    }

    /// Remembers what this broker calls it.
    pub fn learn(&mut self, name: &str, own: &str) {
        self.names.insert(own.to_owned(), name.to_owned());
        self.made_up.insert(name.to_owned(), own.to_owned());
    }

    /// Remembers a number that this broker made up, which is to be sent back and not compared.
    pub fn learn_number(&mut self, name: &str, own: i64) {
        self.made_up.insert(name.to_owned(), own.to_string());
    }

    pub fn learn_topic(&mut self, topic: &str, id: TopicId) {
        if id != TopicId::ZERO {
            self.names.insert(id.to_string(), format!("id of {topic}"));
            self.topic_ids.insert(topic.to_owned(), id);
        }
    }

    /// The last id that a topic of this name had; one that nobody has, if none.
    pub fn topic_id(&self, topic: &str) -> TopicId {
        self.topic_ids
            .get(topic)
            .copied()
            .unwrap_or(TopicId([9; 16]))
    }

    /// This broker's word for a name of ours; the name itself if it was never told one.
    pub fn own(&self, name: &str) -> String {
        self.made_up
            .get(name)
            .cloned()
            .unwrap_or_else(|| name.to_owned())
    }

    pub fn own_number(&self, name: &str) -> i64 {
        self.made_up
            .get(name)
            .and_then(|own| own.parse().ok())
            .unwrap_or(-1)
    }

    /// Sends a request and reads its answer; an error when the broker ended the connection.
    pub fn call<Q: Request>(&mut self, request: &Q, version: i16) -> io::Result<Q::Response> {
        let mut body = Vec::new();
        request.encode(&mut body, version).map_err(unreadable)?;
        let frame = self.exchange(Q::KEY, version, &body);
        if frame.is_err() {
            self.connection = None;
        }
        let frame = frame?;
        let (_, body) = parse_response(&frame, Q::KEY, version).map_err(unreadable)?;
        let (answer, rest) = Q::Response::decode_prefix(body, version).map_err(unreadable)?;
        if rest.is_empty() {
            Ok(answer)
        } else {
            Err(unreadable(format!(
                "{} bytes behind the answer",
                rest.len()
            )))
        }
    }

    fn exchange(&mut self, key: ApiKey, version: i16, body: &[u8]) -> io::Result<Vec<u8>> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::open(self.address)?),
        };
        connection.send(key, version, body)?;
        connection.receive()
    }
}

fn unreadable<E: std::fmt::Debug>(error: E) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{error:?}"))
}
