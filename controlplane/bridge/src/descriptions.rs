//! Questions to one shard about its logs.

use crate::data_plane::OwnError;
use precursor_shm::control::{DirectoryDescription, LogDescription, Malformed};
use std::collections::HashMap;
use tokio::sync::oneshot;

/// More logs than a node can have are a peer's mistake.
const LOGS_MAX: usize = precursor_metadata::PARTITIONS_MAX;

pub(crate) type DescriptionReply = oneshot::Sender<Result<DescribedLogs, OwnError>>;

/// What shards say of their logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribedLogs {
    pub logs: Vec<LogDescription>,
    /// The node's log directories, in the order of its configuration.
    pub directories: Vec<DirectoryDescription>,
}

#[derive(Debug)]
struct Pending {
    reply: DescriptionReply,
    described: DescribedLogs,
}

/// By token. What is dropped from here says [`OwnError::Lost`] to its caller.
#[derive(Debug, Default)]
pub(crate) struct Descriptions {
    pending: HashMap<u64, Pending>,
    next_token: u64,
}

impl Descriptions {
    /// Remembers who waits; the question's token, which was never used before.
    pub fn begin(&mut self, reply: DescriptionReply) -> u64 {
        self.next_token += 1;
        let pending = Pending {
            reply,
            described: DescribedLogs::default(),
        };
        self.pending.insert(self.next_token, pending);
        self.next_token
    }

    /// Takes some of an answer.
    pub fn take(
        &mut self,
        token: u64,
        last: bool,
        entries: Vec<LogDescription>,
    ) -> Result<(), Malformed> {
        // Of a question that was given up: nobody's.
        let Some(pending) = self.pending.get_mut(&token) else {
            return Ok(());
        };
        if pending.described.logs.len() + entries.len() > LOGS_MAX {
            self.pending.remove(&token);
            return Err(Malformed("more logs than there can be"));
        }
        pending.described.logs.extend(entries);
        if last && let Some(pending) = self.pending.remove(&token) {
            // The caller may have gone.
            let _ = pending.reply.send(Ok(pending.described));
        }
        Ok(())
    }

    /// Takes what an answer says of the directories.
    pub fn take_directories(&mut self, token: u64, directories: Vec<DirectoryDescription>) {
        if let Some(pending) = self.pending.get_mut(&token) {
            pending.described.directories = directories;
        }
    }

    /// Everything is lost. Tokens go on, so that late answers find nobody.
    pub fn clear(&mut self) {
        self.pending.clear();
    }
}
