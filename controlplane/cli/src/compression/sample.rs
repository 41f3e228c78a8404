//! A topic's records, from places all over its log.

use crate::client::topic::{EARLIEST, LATEST, Patience, Topic, error_of};
use crate::codec;
use crate::failure::Failure;
use precursor_model::ErrorCode;
use precursor_protocol::messages::FetchRequest;
use precursor_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use precursor_protocol::records::{BatchView, Records, split_batches};

/// Places of each partition's log that are looked at.
const PLACES: i64 = 8;
/// Bytes of one fetch.
const FETCH_BYTES: (usize, usize) = (64 << 10, 4 << 20);

/// Batches of a topic, decompressed.
#[derive(Debug, Default)]
pub struct Sample {
    /// Each batch's records, as they are before compression.
    pub batches: Vec<Vec<u8>>,
    /// Where each record of a batch ends.
    pub ends: Vec<Vec<usize>>,
    pub records: u64,
    /// Bytes of all records, and of the batches as the topic has them.
    pub plain_bytes: usize,
    pub stored_bytes: usize,
}

impl Sample {
    /// Fetches about so many bytes of records.
    ///
    /// # Errors
    /// A partition cannot be read, a batch cannot be decompressed, or there are no records.
    pub fn take(
        topic: &mut Topic,
        name: &str,
        partitions: &[i32],
        bytes: usize,
    ) -> Result<Sample, Failure> {
        let mut sample = Sample::default();
        for (done, partition) in partitions.iter().enumerate() {
            let left = bytes.saturating_sub(sample.plain_bytes);
            sample.add_partition(topic, name, *partition, left / (partitions.len() - done))?;
        }
        match sample.batches.is_empty() {
            false => Ok(sample),
            true => Err(
                Failure::new(format!("topic '{name}' has no records to measure"))
                    .next("Produce some first, or name another topic or partition"),
            ),
        }
    }

    fn add_partition(
        &mut self,
        topic: &mut Topic,
        name: &str,
        partition: i32,
        bytes: usize,
    ) -> Result<(), Failure> {
        let start = topic.offset_at(partition, EARLIEST)?.unwrap_or(0);
        let end = topic.offset_at(partition, LATEST)?.unwrap_or(0);
        let enough = self.plain_bytes + bytes;
        let mut next = start;
        for place in 0..PLACES {
            let left = enough.saturating_sub(self.plain_bytes);
            let until = self.plain_bytes + left / (PLACES - place) as usize;
            next = next.max(start + (end - start) / PLACES * place);
            while next < end && self.plain_bytes < until {
                let most = (until - self.plain_bytes).clamp(FETCH_BYTES.0, FETCH_BYTES.1);
                let records = fetch(topic, name, (partition, next), most)?;
                let before = next;
                for batch in split_batches(&records).map_while(Result::ok) {
                    if self.plain_bytes >= until {
                        break;
                    }
                    if batch.last_offset() >= next {
                        next = batch.last_offset() + 1;
                        self.add_batch(&batch)?;
                    }
                }
                if next == before {
                    // Nothing that could be read to its end: what is left is not there any more.
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn add_batch(&mut self, batch: &BatchView<'_>) -> Result<(), Failure> {
        if batch.is_control() || batch.record_count() <= 0 {
            return Ok(());
        }
        let unreadable = |why: String| {
            let offset = batch.base_offset();
            Failure::new(format!(
                "the batch at offset {offset} cannot be read: {why}"
            ))
            .next("Measure another partition: --partition N")
        };
        let plain = codec::decompress(batch.codec(), batch.record_bytes());
        let plain = plain.map_err(|error| unreadable(error.to_string()))?;
        let mut ends = Vec::new();
        let mut rest = Records::new(&plain, batch.record_count());
        while let Some(record) = rest.next() {
            record.map_err(|error| unreadable(error.to_string()))?;
            ends.push(plain.len() - rest.rest().len());
        }
        self.records += ends.len() as u64;
        self.plain_bytes += plain.len();
        self.stored_bytes += batch.record_bytes().len();
        self.batches.push(plain);
        self.ends.push(ends);
        Ok(())
    }

    /// The records of a batch.
    pub fn records_of(&self, batch: usize) -> impl Iterator<Item = &[u8]> {
        let plain = &self.batches[batch];
        let starts = std::iter::once(&0).chain(&self.ends[batch]);
        starts
            .zip(&self.ends[batch])
            .map(|(start, end)| &plain[*start..*end])
    }
}

fn fetch(
    topic: &mut Topic,
    name: &str,
    (partition, offset): (i32, i64),
    bytes: usize,
) -> Result<Vec<u8>, Failure> {
    let request = FetchRequest {
        replica_id: -1,
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: bytes as i32,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: name.to_owned(),
            partitions: vec![FetchPartition {
                partition,
                current_leader_epoch: -1,
                fetch_offset: offset,
                last_fetched_epoch: -1,
                log_start_offset: -1,
                partition_max_bytes: bytes as i32,
                ..FetchPartition::default()
            }],
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    };
    let mut patience = Patience::default();
    loop {
        let response = topic.leader(partition)?.call(&request)?;
        let answers = response.responses.into_iter();
        let mut answers = answers.flat_map(|topic| topic.partitions);
        let answer = answers.next();
        let answer = answer.ok_or_else(|| Failure::refused("the broker left its answer empty"))?;
        match error_of(answer.error_code) {
            ErrorCode::None => return Ok(answer.records.unwrap_or_default()),
            error => patience.wait(name, error)?,
        }
    }
}
