//! Why a call failed.

use std::fmt;
use std::io;

use precursor_model::ErrorCode;
use precursor_transport_rdma::ConnectError;
use precursor_transport_shm::AttachError;

/// Why a call failed; the text names the culprit.
#[derive(Debug)]
pub enum ClientError {
    /// The broker cannot be reached by shared memory.
    Attach(AttachError),
    /// The broker cannot be reached by RDMA.
    Rdma(ConnectError),
    /// The broker cannot be reached by TCP.
    Connect { address: String, source: io::Error },
    /// The connection ended while an answer was owed. Whether the request was carried out is not
    /// known: a produce may have been appended.
    ConnectionLost(io::Error),
    /// No answer came in time; the connection is given up.
    TimedOut,
    /// The broker answered with an error: Kafka's code, and what it was asked for.
    Refused { error: ErrorCode, what: String },
    /// The broker does not offer this request in a version that this client knows.
    NotOffered { api_key: i16 },
    /// The broker's answer cannot be read.
    Malformed(String),
    /// The call itself is wrong.
    Usage(String),
}

impl ClientError {
    /// Whether the same call may succeed a little later, after the client has reconnected or has
    /// asked for the metadata anew.
    pub fn is_transient(&self) -> bool {
        match self {
            ClientError::Attach(error) => !matches!(error, AttachError::Forbidden),
            ClientError::Rdma(error) => !matches!(error, ConnectError::NoRdma(_)),
            ClientError::Connect { .. } | ClientError::ConnectionLost(_) => true,
            ClientError::TimedOut => true,
            ClientError::Refused { error, .. } => matches!(
                error,
                ErrorCode::NotLeaderOrFollower
                    | ErrorCode::LeaderNotAvailable
                    | ErrorCode::UnknownTopicOrPartition
                    | ErrorCode::UnknownTopicId
                    | ErrorCode::CoordinatorLoadInProgress
                    | ErrorCode::CoordinatorNotAvailable
            ),
            ClientError::NotOffered { .. } | ClientError::Malformed(_) | ClientError::Usage(_) => {
                false
            }
        }
    }

    pub(crate) fn refused(error: ErrorCode, what: impl Into<String>) -> ClientError {
        let what = what.into();
        ClientError::Refused { error, what }
    }

    /// The broker has taken back memory that was read.
    pub(crate) fn was_taken_back(&self) -> bool {
        matches!(
            self,
            ClientError::ConnectionLost(error) if error.kind() == io::ErrorKind::PermissionDenied
        )
    }

    /// The connection is of no use any more.
    pub(crate) fn ends_connection(&self) -> bool {
        matches!(
            self,
            ClientError::ConnectionLost(_) | ClientError::TimedOut | ClientError::Malformed(_)
        )
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Attach(error) => error.fmt(f),
            ClientError::Rdma(error) => error.fmt(f),
            ClientError::Connect { address, source } => {
                write!(f, "no broker answers at {address}: {source}")
            }
            ClientError::ConnectionLost(source) => write!(
                f,
                "the connection ended before the answer came, so it is not known whether the \
                 request was carried out: {source}"
            ),
            ClientError::TimedOut => f.write_str("the broker did not answer in time"),
            ClientError::Refused { error, what } => write!(f, "{what}: {}", error.name()),
            ClientError::NotOffered { api_key } => write!(
                f,
                "the broker does not offer the request with key {api_key} in a version that this \
                 client knows"
            ),
            ClientError::Malformed(what) => {
                write!(f, "the broker's answer cannot be read: {what}")
            }
            ClientError::Usage(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<AttachError> for ClientError {
    fn from(error: AttachError) -> ClientError {
        ClientError::Attach(error)
    }
}

impl From<ConnectError> for ClientError {
    fn from(error: ConnectError) -> ClientError {
        ClientError::Rdma(error)
    }
}
