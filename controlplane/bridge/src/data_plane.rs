//! Kafka requests of the broker itself to its own data plane.

use crate::descriptions::{DescribedLogs, DescriptionReply};
use precursor_model::ErrorCode;
use std::fmt;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Requests to one shard that are under way at a time; more wait their turn. A shard takes 256.
pub const OWN_REQUESTS_PER_SHARD_MAX: usize = 200;
/// Longest answer that is kept, bytes.
pub const OWN_RESPONSE_LENGTH_MAX: usize = 64 * 1024 * 1024;

/// Why there is no answer. What was asked may have been done: whoever repeats it must be able to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnError {
    /// The data plane is not there, or was restarted with the request.
    Lost,
    /// The shard cannot serve such a request.
    Refused,
    /// An answer that cannot be read.
    Malformed,
    /// The answer says so.
    Kafka(ErrorCode),
}

impl fmt::Display for OwnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OwnError::Lost => f.write_str("the data plane is away"),
            OwnError::Refused => f.write_str("the shard refuses the request"),
            OwnError::Malformed => f.write_str("an answer that cannot be read"),
            OwnError::Kafka(code) => write!(f, "{code:?}"),
        }
    }
}

impl std::error::Error for OwnError {}

pub(crate) type Reply = oneshot::Sender<Result<Vec<u8>, OwnError>>;

/// One question on its way to the bridge's task.
#[derive(Debug)]
pub(crate) struct OwnCall {
    pub shard: u16,
    pub ask: Ask,
}

/// A response to a client that the shard sends by itself as soon as it has appended what the own
/// request brings that this goes with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldResponse {
    /// Of the client's request, which came from the same shard.
    pub token: u64,
    /// Header and body, without the length before them.
    pub frame: Vec<u8>,
}

#[derive(Debug)]
pub(crate) enum Ask {
    /// A Kafka request, and what leaves with its success.
    Request {
        frame: Vec<u8>,
        held: Vec<HeldResponse>,
        reply: Reply,
    },
    /// What the shard's logs are.
    DescribeLogs { reply: DescriptionReply },
}

/// The bridge's end of a [`DataPlane`].
#[derive(Debug)]
pub struct OwnCalls(pub(crate) mpsc::UnboundedReceiver<OwnCall>);

#[derive(Debug)]
struct Shared {
    calls: mpsc::UnboundedSender<OwnCall>,
    /// Per shard.
    permits: Vec<Semaphore>,
}

/// Asks the data plane's shards as the broker itself; clones share it.
#[derive(Clone, Debug)]
pub struct DataPlane {
    shared: Arc<Shared>,
}

impl DataPlane {
    /// For a data plane of so many shards, and what the bridge takes of it.
    pub fn new(shards: u16) -> (DataPlane, OwnCalls) {
        let (calls, receiver) = mpsc::unbounded_channel();
        let permits = || Semaphore::new(OWN_REQUESTS_PER_SHARD_MAX);
        let shared = Shared {
            calls,
            permits: (0..shards).map(|_| permits()).collect(),
        };
        let data_plane = DataPlane {
            shared: Arc::new(shared),
        };
        (data_plane, OwnCalls(receiver))
    }

    /// Sends a request frame (header and body, without the length before them) to a shard; the
    /// response frame. Answers come in any order.
    ///
    /// # Errors
    /// There is no answer; the request may or may not have been carried out.
    pub async fn request(&self, shard: u16, frame: Vec<u8>) -> Result<Vec<u8>, OwnError> {
        self.request_holding(shard, frame, Vec::new()).await
    }

    /// As [`Self::request`], of an append to one partition: its success lets go of what is held.
    pub(crate) async fn request_holding(
        &self,
        shard: u16,
        frame: Vec<u8>,
        held: Vec<HeldResponse>,
    ) -> Result<Vec<u8>, OwnError> {
        let permits = self.shared.permits.get(usize::from(shard));
        let permits = permits.ok_or(OwnError::Refused)?;
        // Held until the answer is there; never closed.
        let _permit = permits.acquire().await.map_err(|_| OwnError::Lost)?;
        let (reply, answer) = oneshot::channel();
        let ask = Ask::Request { frame, held, reply };
        let call = OwnCall { shard, ask };
        self.shared.calls.send(call).map_err(|_| OwnError::Lost)?;
        answer.await.unwrap_or(Err(OwnError::Lost))
    }

    /// Every log of every shard, and the directories that hold them, as they are now.
    ///
    /// # Errors
    /// A shard does not answer.
    pub async fn describe_logs(&self) -> Result<DescribedLogs, OwnError> {
        let mut all = DescribedLogs::default();
        for shard in 0..self.shared.permits.len() as u16 {
            let (reply, answer) = oneshot::channel();
            let ask = Ask::DescribeLogs { reply };
            let call = OwnCall { shard, ask };
            self.shared.calls.send(call).map_err(|_| OwnError::Lost)?;
            let described = answer.await.unwrap_or(Err(OwnError::Lost))?;
            all.logs.extend(described.logs);
            // Shards share their directories.
            all.directories = described.directories;
        }
        Ok(all)
    }
}
