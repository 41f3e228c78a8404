//! How a client reaches its broker.

use std::path::PathBuf;
use std::time::Duration;

/// What carries the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Memory shared with a broker on this host: the socket file that it attaches by.
    Shm { socket: PathBuf },
    /// RDMA: `HOST:PORT` of the broker's RDMA listener.
    Rdma { address: String },
    /// TCP: `HOST:PORT` of the Kafka listener.
    Tcp { address: String },
}

/// What a client does while it waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Looks again and again: shortest, and takes a processor.
    Poll,
    /// Looks for so long, then sleeps until it is woken.
    PollThenSleep(Duration),
}

/// How a client is made. The functions named as transports give the usual values.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    pub transport: Transport,
    /// What the client calls itself in its requests: quotas go by it.
    pub client_id: String,
    /// How long an answer may take, besides what a fetch asks to wait.
    pub request_timeout: Duration,
    /// How long a broker that is gone is tried again before a call fails.
    pub reconnect_timeout: Duration,
    pub wait: Wait,
    /// Over RDMA: batches of 256 KiB and more are written straight into memory of the log
    /// ([`crate::Client::produce_batch`]).
    pub write_in_place: bool,
}

impl ClientOptions {
    /// By shared memory, to the broker of this data directory on this host.
    pub fn shm(data_dir: impl Into<PathBuf>) -> ClientOptions {
        let socket = data_dir.into().join(precursor_transport_shm::SOCKET_NAME);
        ClientOptions::over(Transport::Shm { socket })
    }

    /// By RDMA, to `HOST:PORT` of an RDMA device of the broker's host.
    pub fn rdma(address: impl Into<String>) -> ClientOptions {
        let address = address.into();
        ClientOptions::over(Transport::Rdma { address })
    }

    /// By TCP, to `HOST:PORT`.
    pub fn tcp(address: impl Into<String>) -> ClientOptions {
        let address = address.into();
        ClientOptions::over(Transport::Tcp { address })
    }

    fn over(transport: Transport) -> ClientOptions {
        ClientOptions {
            transport,
            client_id: "precursor-client".to_owned(),
            request_timeout: Duration::from_secs(30),
            reconnect_timeout: Duration::from_secs(10),
            wait: Wait::PollThenSleep(Duration::from_micros(50)),
            write_in_place: false,
        }
    }
}
