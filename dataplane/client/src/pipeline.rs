//! Many single records on the way at once, each acknowledged.

use std::time::Instant;

use precursor_model::{ErrorCode, TopicId};
use precursor_protocol::native::{ProduceOne, ProducedOne};

use crate::client::Client;
use crate::error::ClientError;
use crate::link::Link;

/// Bytes of requests that are put together before they are sent.
const SEND_BYTES: usize = 16 << 10;

/// The answer to some of a pipeline's records, which were numbered from 0 as they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The first record.
    pub first: u64,
    /// How many records, from `first` on.
    pub count: u32,
    /// The first one's offset; those of the others follow.
    pub base_offset: i64,
    /// Kafka's code where they were refused.
    pub error: ErrorCode,
}

/// Single records to one partition, many in flight. Answers come in order. Dropping it before
/// [`Pipeline::flush`] gives the connection up, with whatever was in flight.
pub struct Pipeline<'c> {
    client: &'c mut Client,
    shard: Option<u16>,
    topic_id: TopicId,
    partition: i32,
    in_flight_max: u64,
    sent: u64,
    answered: u64,
    /// The correlation id of record 0.
    first_correlation: i32,
    out: Vec<u8>,
}

impl Client {
    /// A pipeline to one partition with at most `in_flight_max` records without an answer.
    ///
    /// # Errors
    /// There is no such topic or partition, or the broker cannot be reached.
    pub fn pipeline(
        &mut self,
        topic: &str,
        partition: i32,
        in_flight_max: u32,
    ) -> Result<Pipeline<'_>, ClientError> {
        let (topic_id, partitions) = {
            let topic = self.topic(topic)?;
            (topic.id, topic.partitions)
        };
        if !(0..partitions).contains(&partition) || in_flight_max == 0 {
            return Err(ClientError::Usage(format!(
                "topic '{topic}' has partitions 0 to {}, and a pipeline holds a record at least",
                partitions - 1
            )));
        }
        let shard = self.owner_of(topic, partition);
        self.link(shard)?;
        let first_correlation = self.next_correlation();
        Ok(Pipeline {
            shard,
            topic_id,
            partition,
            in_flight_max: u64::from(in_flight_max),
            sent: 0,
            answered: 0,
            first_correlation,
            out: Vec::with_capacity(2 * SEND_BYTES),
            client: self,
        })
    }
}

impl Pipeline<'_> {
    /// Queues a record; waits for answers only when as many are in flight as may be, and tells each
    /// to `acknowledged`. Returns the record's number.
    ///
    /// # Errors
    /// The connection broke: what is not acknowledged by then may have been appended or not.
    pub fn send(
        &mut self,
        key: Option<&[u8]>,
        value: &[u8],
        mut acknowledged: impl FnMut(Acknowledged),
    ) -> Result<u64, ClientError> {
        if self.sent - self.answered >= self.in_flight_max {
            self.push()?;
            while self.sent - self.answered >= self.in_flight_max {
                acknowledged(self.next()?);
            }
        }
        let number = self.sent;
        let request = ProduceOne {
            correlation_id: self.first_correlation.wrapping_add(number as i32),
            topic_id: self.topic_id,
            partition: self.partition,
            timestamp: -1,
            key,
            value: Some(value),
        };
        if !request.encode(&mut self.out) {
            return Err(ClientError::Usage(
                "a record longer than a frame can be".to_owned(),
            ));
        }
        self.sent += 1;
        if self.out.len() >= SEND_BYTES {
            self.push()?;
            while let Some(answer) = self.try_next()? {
                acknowledged(answer);
            }
        }
        Ok(number)
    }

    /// Sends what is queued and waits for every answer.
    ///
    /// # Errors
    /// As [`Pipeline::send`].
    pub fn flush(&mut self, mut acknowledged: impl FnMut(Acknowledged)) -> Result<(), ClientError> {
        self.push()?;
        while self.answered < self.sent {
            acknowledged(self.next()?);
        }
        Ok(())
    }

    /// Records without an answer.
    pub fn in_flight(&self) -> u64 {
        self.sent - self.answered
    }

    fn push(&mut self) -> Result<(), ClientError> {
        let deadline = Instant::now() + self.client.options.request_timeout;
        let outcome =
            link(self.client, self.shard).and_then(|link| link.send_all(&self.out, deadline));
        self.out.clear();
        outcome.map_err(|error| self.client.broken(error))
    }

    /// The next answer, waited for.
    fn next(&mut self) -> Result<Acknowledged, ClientError> {
        let deadline = Instant::now() + self.client.options.request_timeout;
        let answer = link(self.client, self.shard)
            .and_then(|link| link.wait_frame(deadline).map(ProducedOne::parse));
        self.take(answer)
    }

    fn try_next(&mut self) -> Result<Option<Acknowledged>, ClientError> {
        let answer = link(self.client, self.shard).and_then(|link| {
            link.try_fill()?;
            Ok(link.next_frame().map(ProducedOne::parse))
        });
        match answer {
            Ok(None) => Ok(None),
            Ok(Some(answer)) => self.take(Ok(answer)).map(Some),
            Err(error) => self.take(Err(error)).map(Some),
        }
    }

    fn take(
        &mut self,
        answer: Result<Option<ProducedOne>, ClientError>,
    ) -> Result<Acknowledged, ClientError> {
        let first = self.answered;
        let expected = self.first_correlation.wrapping_add(first as i32);
        let answer = answer.and_then(|answer| {
            answer
                .filter(|answer| {
                    let fits = u64::from(answer.count) <= self.sent - first;
                    answer.correlation_id == expected && answer.count > 0 && fits
                })
                .ok_or_else(|| ClientError::Malformed("no answer to a record".to_owned()))
        });
        let answer = answer.map_err(|error| self.client.broken(error))?;
        self.answered += u64::from(answer.count);
        Ok(Acknowledged {
            first,
            count: answer.count,
            base_offset: answer.base_offset,
            error: answer.error,
        })
    }
}

/// The connection that the pipeline began on. One that was made anew meanwhile has none of its
/// answers.
fn link(client: &mut Client, shard: Option<u16>) -> Result<&mut Link, ClientError> {
    client
        .open_link(shard)
        .ok_or_else(|| ClientError::ConnectionLost(std::io::ErrorKind::NotConnected.into()))
}

impl Drop for Pipeline<'_> {
    fn drop(&mut self) {
        let last = self.first_correlation.wrapping_add(self.sent as i32);
        self.client.set_correlation(last);
        if self.in_flight() > 0 {
            self.client.give_up();
        }
    }
}
