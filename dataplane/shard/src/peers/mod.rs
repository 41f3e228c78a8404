//! Messages between the shards of a process: partition requests to the shard that owns the log, and
//! its answers. Record bytes travel in buffers that are moved by value.
//!
//! A connection stays on the shard that accepted it; what it asks of other shards' partitions goes
//! through here, and its answer is put together on its own shard.

mod inbound;

pub(crate) use inbound::{StalledAppend, read_done, receive, retry_appends, tell_appended};

use crate::quotas::Buckets;
use precursor_memory::SlabKey as Key;
use precursor_memory::spsc::{self, Receiver, Sender};
use precursor_model::{ErrorCode, LogUid, Offset};
use precursor_protocol::writers::AbortedTransaction;
use precursor_shm::{Buffer, Doorbell};
use precursor_storage::ActiveProducer;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};

/// Messages in a channel; more wait with their sender.
const CHANNEL_CAPACITY: usize = 1024;

/// Whose partition a message concerns: an object of the asking shard, and a place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub key: Key,
    pub place: u32,
}

/// What is asked of a log besides its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    /// ListOffsets.
    Offset {
        timestamp: i64,
        version: i16,
        read_committed: bool,
    },
    /// OffsetForLeaderEpoch.
    EpochEnd { epoch: i32 },
    /// DeleteRecords.
    Delete { before: Offset },
}

/// The answer to a [`Query`]; what each number means is its asker's to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub error: ErrorCode,
    pub offset: Offset,
    pub timestamp: i64,
    pub epoch: i32,
}

impl Reply {
    pub fn failed(error: ErrorCode) -> Self {
        Reply {
            error,
            offset: -1,
            timestamp: -1,
            epoch: -1,
        }
    }
}

/// What became of an append or a read of another shard's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RemoteOffsets {
    pub error: ErrorCode,
    pub high_watermark: Offset,
    pub last_stable_offset: Offset,
    pub log_start_offset: Offset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RemoteAppended {
    pub error: ErrorCode,
    pub base_offset: Offset,
    pub log_append_time_ms: i64,
    pub log_start_offset: Offset,
    /// What the error's code does not say.
    pub message: Option<&'static str>,
}

/// Record bytes on their way to another shard.
#[derive(Debug)]
pub(crate) struct Transferred {
    pub bytes: Buffer,
    pub length: u32,
    /// Of a committed read.
    pub aborted: Vec<AbortedTransaction>,
}

#[derive(Debug)]
pub(crate) enum Message {
    Append {
        ticket: Ticket,
        log: LogUid,
        /// Of the Produce request.
        version: i16,
        records: Buffer,
        length: u32,
    },
    Appended {
        ticket: Ticket,
        appended: RemoteAppended,
    },
    Read {
        ticket: Ticket,
        log: LogUid,
        offset: Offset,
        bytes_max: u32,
        at_least_one: bool,
        /// For a consumer of committed records.
        committed: bool,
    },
    ReadDone {
        ticket: Ticket,
        offsets: RemoteOffsets,
        records: Option<Transferred>,
    },
    /// A log that the receiver read from has so many more bytes.
    Grown {
        log: LogUid,
        bytes: u32,
    },
    Ask {
        ticket: Ticket,
        log: LogUid,
        query: Query,
    },
    Told {
        ticket: Ticket,
        reply: Reply,
    },
    /// DescribeProducers.
    AskProducers {
        ticket: Ticket,
        log: LogUid,
    },
    ToldProducers {
        ticket: Ticket,
        told: Result<Vec<ActiveProducer>, ErrorCode>,
    },
}

/// One shard's ends of the channels to and from every other shard. Made for all shards at once
/// ([`peer_links`]) and given to each.
pub struct PeerLinks {
    own: u16,
    peers: Vec<Option<Peer>>,
    /// One flag per shard: it sleeps, or is about to.
    asleep: Arc<[AtomicBool]>,
    /// The accounts of quotas, which are the whole process's.
    quota_buckets: Arc<Buckets>,
}

struct Peer {
    sender: Sender<Message>,
    receiver: Receiver<Message>,
    /// Messages for which the channel had no room, oldest first.
    waiting: VecDeque<Message>,
    bell: Option<Doorbell>,
}

/// Channels between every two of so many shards.
pub fn peer_links(shards: u16) -> Vec<PeerLinks> {
    let count = usize::from(shards);
    let asleep: Arc<[AtomicBool]> = (0..count).map(|_| AtomicBool::new(false)).collect();
    let mut senders: Vec<Vec<Option<Sender<Message>>>> = Vec::new();
    let mut receivers: Vec<Vec<Option<Receiver<Message>>>> = Vec::new();
    for _ in 0..count {
        senders.push((0..count).map(|_| None).collect());
        receivers.push((0..count).map(|_| None).collect());
    }
    for from in 0..count {
        for to in (0..count).filter(|to| *to != from) {
            let (sender, receiver) = spsc::channel(CHANNEL_CAPACITY);
            senders[from][to] = Some(sender);
            receivers[to][from] = Some(receiver);
        }
    }
    let quota_buckets = Arc::new(Buckets::new());
    let ends = senders.into_iter().zip(receivers).enumerate();
    ends.map(|(own, (senders, receivers))| PeerLinks {
        own: own as u16,
        peers: senders
            .into_iter()
            .zip(receivers)
            .map(|(sender, receiver)| {
                Some(Peer {
                    sender: sender?,
                    receiver: receiver?,
                    waiting: VecDeque::new(),
                    bell: None,
                })
            })
            .collect(),
        asleep: asleep.clone(),
        quota_buckets: quota_buckets.clone(),
    })
    .collect()
}

impl PeerLinks {
    pub(crate) fn quota_buckets(&self) -> Arc<Buckets> {
        self.quota_buckets.clone()
    }

    /// Gives each peer's doorbell to its link.
    pub(crate) fn set_bells(
        &mut self,
        mut open: impl FnMut(u16) -> std::io::Result<Doorbell>,
    ) -> std::io::Result<()> {
        for (number, peer) in self.peers.iter_mut().enumerate() {
            if let Some(peer) = peer {
                peer.bell = Some(open(number as u16)?);
            }
        }
        Ok(())
    }

    /// Sends, or keeps until there is room. A message to nobody is dropped.
    pub(crate) fn send(&mut self, to: u16, message: Message) {
        let Some(Some(peer)) = self.peers.get_mut(usize::from(to)) else {
            return;
        };
        if !peer.waiting.is_empty() {
            peer.waiting.push_back(message);
            return;
        }
        match peer.sender.try_send(message) {
            Ok(()) => self.wake(to),
            Err(message) => peer.waiting.push_back(message),
        }
    }

    /// Rings for a peer that sleeps.
    fn wake(&mut self, to: u16) {
        // Pairs with the fence in `announce_sleep`: either this sees the flag, or the sleeper sees
        // the message.
        fence(Ordering::SeqCst);
        let asleep = &self.asleep[usize::from(to)];
        if asleep.load(Ordering::Relaxed)
            && asleep.swap(false, Ordering::Relaxed)
            && let Some(Some(peer)) = self.peers.get(usize::from(to))
            && let Some(bell) = &peer.bell
        {
            bell.ring();
        }
    }

    /// Sends what waited, as far as there is room.
    pub(crate) fn pump(&mut self) {
        for to in 0..self.peers.len() {
            let mut sent = false;
            if let Some(peer) = &mut self.peers[to] {
                while let Some(message) = peer.waiting.pop_front() {
                    if let Err(message) = peer.sender.try_send(message) {
                        peer.waiting.push_front(message);
                        break;
                    }
                    sent = true;
                }
            }
            if sent {
                self.wake(to as u16);
            }
        }
    }

    fn try_receive(&mut self, from: usize) -> Option<Message> {
        self.peers[from].as_mut()?.receiver.try_receive()
    }

    /// Says that this shard is about to sleep; false when messages came meanwhile.
    pub(crate) fn announce_sleep(&mut self) -> bool {
        let own = usize::from(self.own);
        self.asleep[own].store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let peers = self.peers.iter_mut().flatten();
        let mut quiet = true;
        for peer in peers {
            quiet &= peer.receiver.is_empty() && peer.waiting.is_empty();
        }
        if !quiet {
            self.announce_awake();
        }
        quiet
    }

    pub(crate) fn announce_awake(&mut self) {
        self.asleep[usize::from(self.own)].store(false, Ordering::Relaxed);
    }
}
