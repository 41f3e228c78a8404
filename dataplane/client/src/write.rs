//! Producing over RDMA by writing a batch into memory of the log, where the broker lends some.

use std::time::Instant;

use precursor_model::ErrorCode;
use precursor_protocol::native::ProducedOne;
use precursor_protocol::native::write::{BATCH_BYTES_MAX, Commit, Lend, Lent, Room};
use precursor_transport_rdma::Lent as Piece;

use crate::client::Client;
use crate::error::ClientError;

/// A shorter batch is sent: memory that is lent for it costs more than a copy.
const BATCH_BYTES_MIN: usize = 256 << 10;

/// How batches went that could be written into the log's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteCounts {
    /// Requests for memory, and those that got some.
    pub asked: u64,
    pub lent: u64,
    /// Batches that were written there and acknowledged, and their bytes.
    pub batches: u64,
    pub bytes: u64,
    /// Memory that the broker had taken back before it was written to.
    pub taken_back: u64,
}

impl Client {
    /// How long batches went, with [`crate::ClientOptions::write_in_place`].
    pub fn write_counts(&self) -> WriteCounts {
        self.writes
    }

    /// Writes a batch into the log's memory; its first offset, or `None` where it was not appended and
    /// is to be sent.
    pub(crate) fn write_in_place(
        &mut self,
        topic: &str,
        partition: i32,
        batch: &[u8],
    ) -> Result<Option<i64>, ClientError> {
        let fits = (BATCH_BYTES_MIN..=BATCH_BYTES_MAX as usize).contains(&batch.len());
        if !self.options.write_in_place || !fits {
            return Ok(None);
        }
        // Twice: the first answer may name another shard.
        for _ in 0..2 {
            let (_, shard) = self.route(topic, partition)?;
            if !self.reaches_afar(shard)? {
                return Ok(None);
            }
            match self.ask_for_room((topic, partition), shard, batch.len() as u32) {
                Ok(Asked::Room(room)) => return self.fill(shard, room, batch),
                Ok(Asked::OfAnotherShard) => {}
                Ok(Asked::Nothing) => return Ok(None),
                // Nothing was appended: it is sent over a connection that is made anew.
                Err(error) if error.ends_connection() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn ask_for_room(
        &mut self,
        (topic, partition): (&str, i32),
        shard: Option<u16>,
        bytes: u32,
    ) -> Result<Asked, ClientError> {
        let (topic_id, _) = self.route(topic, partition)?;
        let request = Lend {
            correlation_id: self.next_correlation(),
            topic_id,
            partition,
            bytes,
        };
        self.writes.asked += 1;
        let answer = self.ask_afar(shard, &request.encode(), |frame| {
            Lent::parse(frame).filter(|answer| answer.correlation_id == request.correlation_id)
        })?;
        match (answer.error, answer.room) {
            (ErrorCode::None, Some(room)) if room.bytes >= bytes => {
                self.writes.lent += 1;
                Ok(Asked::Room(room))
            }
            (ErrorCode::NotLeaderOrFollower, _) if answer.shard >= 0 => {
                self.owner_told(topic, partition, answer.shard);
                Ok(Asked::OfAnotherShard)
            }
            // Sending it says what is the matter.
            _ => Ok(Asked::Nothing),
        }
    }

    /// Writes the batch, and says so.
    fn fill(
        &mut self,
        shard: Option<u16>,
        room: Room,
        batch: &[u8],
    ) -> Result<Option<i64>, ClientError> {
        let deadline = Instant::now() + self.options.request_timeout;
        let piece = Piece {
            address: room.address,
            key: room.key,
            bytes: room.bytes,
        };
        let Some(link) = self.open_link(shard) else {
            return Ok(None);
        };
        if let Err(error) = link.put_afar(piece, batch, deadline) {
            // The broker was not told of it, so that nothing was appended.
            self.writes.taken_back += u64::from(error.was_taken_back());
            self.broken(error);
            return Ok(None);
        }
        let request = Commit {
            correlation_id: self.next_correlation(),
            number: room.number,
            generation: room.generation,
            length: batch.len() as u32,
        };
        let answer = self.ask_afar(shard, &request.encode(), |frame| {
            let answer = ProducedOne::parse(frame);
            answer.filter(|answer| answer.correlation_id == request.correlation_id)
        })?;
        match answer.error {
            ErrorCode::None => {
                self.writes.batches += 1;
                self.writes.bytes += batch.len() as u64;
                Ok(Some(answer.base_offset))
            }
            // It was taken back meanwhile, or its leader is another: it was not appended.
            ErrorCode::InvalidRequest
            | ErrorCode::NotLeaderOrFollower
            | ErrorCode::LeaderNotAvailable => Ok(None),
            error => Err(ClientError::refused(
                error,
                format!("a batch of {} bytes in memory of the log", batch.len()),
            )),
        }
    }
}

/// What came of asking for memory.
enum Asked {
    Room(Room),
    OfAnotherShard,
    Nothing,
}
