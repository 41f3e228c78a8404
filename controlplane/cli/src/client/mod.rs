//! A small synchronous Kafka client: one request at a time per connection, standard library
//! sockets. Enough for the command line; programs should use a Kafka client library.

pub mod cluster;
pub mod coordinator;
pub mod member;
pub mod topic;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use precursor_config::Endpoint;
use precursor_protocol::ApiKey;
use precursor_protocol::header::{parse_response, request_header};
use precursor_protocol::messages::ApiVersionsRequest;
use precursor_protocol::messages::api_versions_response::ApiVersion;
use precursor_protocol::{Message, Request};

use crate::failure::Failure;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may take, beyond what the request itself asks to wait.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);

/// The longest answer that is believed: Kafka's own limit for a fetch is 50 MiB by default.
const ANSWER_BYTES_MAX: usize = 512 << 20;

/// The name that the command line gives itself in its requests.
const CLIENT_ID: &str = "precursor-cli";

/// One connection to one broker, with the versions that it offers.
pub struct Connection {
    stream: TcpStream,
    /// As the user or the broker named it.
    endpoint: Endpoint,
    offered: Vec<ApiVersion>,
    correlation: i32,
    frame: Vec<u8>,
}

impl Connection {
    /// Connects and asks for the broker's versions.
    ///
    /// # Errors
    /// Nothing answers there, or what answers is no Kafka broker.
    pub fn open(endpoint: &Endpoint) -> Result<Connection, Failure> {
        let mut connection = Connection {
            stream: connect(endpoint)?,
            endpoint: endpoint.clone(),
            offered: Vec::new(),
            correlation: 0,
            frame: Vec::new(),
        };
        let request = ApiVersionsRequest {
            client_software_name: CLIENT_ID.to_owned(),
            client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..ApiVersionsRequest::default()
        };
        // Every broker that is alive today knows version 3; a wrong one is answered, not fatal.
        let response = connection.call_version(&request, 3)?;
        connection.offered = response.api_keys;
        Ok(connection)
    }

    /// The address that this connection was made to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends a request in the highest version that both sides know, and waits for its answer.
    ///
    /// # Errors
    /// The connection broke, or the broker does not offer the request.
    pub fn call<R: Request>(&mut self, request: &R) -> Result<R::Response, Failure> {
        let version = self.version_of::<R>()?;
        self.call_version(request, version)
    }

    /// The highest version of a request that both sides know.
    ///
    /// # Errors
    /// There is none.
    pub fn version_of<R: Request>(&self) -> Result<i16, Failure> {
        let key = R::KEY;
        let ours = (R::VERSION_MIN, R::VERSION_MAX.min(version_max(key)));
        let offered = self
            .offered
            .iter()
            .find(|range| range.api_key == key.code());
        let common =
            offered.map(|range| (range.min_version.max(ours.0), range.max_version.min(ours.1)));
        match common {
            Some((low, high)) if low <= high => Ok(high),
            _ => Err(Failure::refused(format!(
                "the broker at {} does not offer {key:?} in a version that this program knows",
                self.endpoint
            ))
            .next("Is it as old or as new as this program? Compare: precursor --version")),
        }
    }

    fn call_version<R: Request>(
        &mut self,
        request: &R,
        version: i16,
    ) -> Result<R::Response, Failure> {
        self.send(request, version)?;
        self.receive::<R>(version)
    }

    /// Sends a request without waiting. Answers come in the order of the requests.
    ///
    /// # Errors
    /// The connection broke.
    pub fn send<R: Request>(&mut self, request: &R, version: i16) -> Result<(), Failure> {
        self.correlation = self.correlation.wrapping_add(1);
        self.frame.clear();
        self.frame.extend_from_slice(&[0; 4]);
        request_header(
            &mut self.frame,
            R::KEY,
            version,
            self.correlation,
            Some(CLIENT_ID),
        );
        request
            .encode(&mut self.frame, version)
            .map_err(|error| Failure::new(format!("the request cannot be written: {error}")))?;
        let length = (self.frame.len() - 4) as u32;
        self.frame[..4].copy_from_slice(&length.to_be_bytes());
        self.stream
            .write_all(&self.frame)
            .map_err(|error| self.broken(&error))
    }

    /// Waits for the next answer.
    ///
    /// # Errors
    /// The connection broke, or the answer cannot be read.
    pub fn receive<R: Request>(&mut self, version: i16) -> Result<R::Response, Failure> {
        let mut prefix = [0; 4];
        self.stream
            .read_exact(&mut prefix)
            .map_err(|error| self.broken(&error))?;
        let length = u32::from_be_bytes(prefix) as usize;
        if length > ANSWER_BYTES_MAX {
            return Err(self.not_kafka(&format!("an answer of {length} bytes")));
        }
        self.frame.clear();
        let taken = (&self.stream)
            .take(length as u64)
            .read_to_end(&mut self.frame)
            .map_err(|error| self.broken(&error))?;
        if taken < length {
            return Err(self.broken(&std::io::ErrorKind::UnexpectedEof.into()));
        }
        let (_, body) = parse_response(&self.frame, R::KEY, version)
            .map_err(|error| self.not_kafka(&error.to_string()))?;
        R::Response::decode_prefix(body, version)
            .map(|(response, _)| response)
            .map_err(|error| self.not_kafka(&error.to_string()))
    }

    fn broken(&self, error: &std::io::Error) -> Failure {
        use std::io::ErrorKind::{TimedOut, UnexpectedEof, WouldBlock};
        let what = match error.kind() {
            UnexpectedEof => "closed the connection".to_owned(),
            WouldBlock | TimedOut => "did not answer in time".to_owned(),
            _ => format!("cannot be reached any more: {error}"),
        };
        Failure::unreachable(format!("the broker at {} {what}", self.endpoint))
            .next("Look at its standard error, and try again")
    }

    fn not_kafka(&self, what: &str) -> Failure {
        Failure::unreachable(format!(
            "what listens at {} does not speak the Kafka protocol as expected: {what}",
            self.endpoint
        ))
        .next("Name the broker's Kafka listener: --bootstrap HOST:PORT")
    }
}

/// Where this client stays below the newest version: later ones name topics by id or take part in
/// transactions version 2, and neither is what this client does.
fn version_max(key: ApiKey) -> i16 {
    match key {
        ApiKey::Produce => 11,
        ApiKey::Fetch => 12,
        ApiKey::OffsetCommit | ApiKey::OffsetFetch => 9,
        // Version 6 can name topics by id.
        ApiKey::DeleteTopics => 5,
        _ => i16::MAX,
    }
}

/// Reads `HOST:PORT` of the command line.
///
/// # Errors
/// It has another form.
pub fn parse_endpoint(option: &str, text: &str) -> Result<Endpoint, Failure> {
    Endpoint::parse(text)
        .filter(|endpoint| endpoint.port > 0)
        .ok_or_else(|| {
            Failure::usage(format!("{option} cannot be '{text}': it takes HOST:PORT"))
                .next(format!("For example: {option} 127.0.0.1:9092"))
        })
}

/// Reads `--acks`.
pub fn parse_acks(text: &str) -> Result<i16, String> {
    match text {
        "0" => Ok(0),
        "1" => Ok(1),
        "all" | "-1" => Ok(-1),
        _ => Err("known are 0, 1 and all".to_owned()),
    }
}

fn connect(endpoint: &Endpoint) -> Result<TcpStream, Failure> {
    let open = || {
        let stream = TcpStream::connect_timeout(&endpoint.resolve()?, CONNECT_TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        Ok::<_, std::io::Error>(stream)
    };
    open().map_err(|error| {
        Failure::unreachable(format!("no broker answers at {endpoint}: {error}"))
            .next("Start one with 'precursor serve', or name another: --bootstrap HOST:PORT")
    })
}

#[cfg(test)]
mod tests;
