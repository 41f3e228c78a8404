//! What the bridge asks of whoever answers requests.

use precursor_model::ErrorCode;
use std::fmt;
use std::future::Future;

/// A whole Kafka request from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The shard that the connection is on.
    pub shard: u16,
    /// Names the request among those of its shard.
    pub token: u64,
    pub connection: u64,
    pub origin: Origin,
    /// Header and body, without the length before them.
    pub frame: Vec<u8>,
}

/// Who sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The peer's address, as text.
    pub peer: String,
    pub listener: String,
    pub principal: String,
    /// What the client says of itself in ApiVersions; empty when it does not.
    pub software_name: String,
    pub software_version: String,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Header and body, without the length before them.
    Frame(Vec<u8>),
    /// The shard had it already, held for the success of an append ([`crate::HeldResponse`]).
    Sent,
}

/// The request cannot be answered in the protocol; its connection has to be closed. Says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswerable(pub String);

impl fmt::Display for Unanswerable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Answers requests. Requests of one connection come one after another, others at once.
pub trait Service: Send + Sync + 'static {
    /// # Errors
    /// The connection is to be closed instead.
    fn answer(&self, request: Request)
    -> impl Future<Output = Result<Answer, Unanswerable>> + Send;

    /// Makes these topics with the broker's defaults where they do not exist: one outcome a name,
    /// in order. Returns when every shard serves an image that has them.
    fn ensure_topics(&self, names: Vec<String>) -> impl Future<Output = Vec<ErrorCode>> + Send;
}
