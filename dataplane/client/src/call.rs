//! Request and reply over topics: a request names where its reply goes and by which id, in the
//! headers that Spring's Kafka clients use for the same.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::client::Client;
use crate::error::ClientError;
use crate::fetch::FetchedRecord;
use crate::produce::Record;

const REPLY_TOPIC: &str = "kafka_replyTopic";
const REPLY_PARTITION: &str = "kafka_replyPartition";
const CORRELATION: &str = "kafka_correlationId";

/// Sends requests and waits for their replies, one at a time.
pub struct Caller {
    requests: (String, i32),
    replies: (String, i32),
    /// Where the next reply may be.
    offset: i64,
    /// Of this caller; with a number behind it the id of a request.
    id: u64,
    number: u64,
}

/// A request that waits for its reply.
#[derive(Clone, Debug)]
pub struct Call {
    pub request: FetchedRecord,
    reply_to: Option<(String, i32)>,
    correlation: Option<Vec<u8>>,
}

/// Takes requests from a partition and sends replies.
pub struct Responder {
    requests: (String, i32),
    /// Where the next request is.
    offset: i64,
}

impl Caller {
    /// Requests go to one partition, replies are expected in another (often of a topic that callers
    /// share: each takes those of its own).
    ///
    /// # Errors
    /// There is no such reply partition.
    pub fn new(
        client: &mut Client,
        requests: (&str, i32),
        replies: (&str, i32),
    ) -> Result<Caller, ClientError> {
        let (_, end) = client.offsets(replies.0, replies.1)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_nanos() as u64);
        Ok(Caller {
            requests: (requests.0.to_owned(), requests.1),
            replies: (replies.0.to_owned(), replies.1),
            offset: end,
            id: now ^ u64::from(std::process::id()) << 32,
            number: 0,
        })
    }

    /// Sends a request and waits for its reply's value.
    ///
    /// # Errors
    /// [`ClientError::TimedOut`] when no reply came in time: the request may have been carried out.
    pub fn call(
        &mut self,
        client: &mut Client,
        value: &[u8],
        timeout: Duration,
    ) -> Result<Vec<u8>, ClientError> {
        self.number += 1;
        let mut id = self.id.to_be_bytes().to_vec();
        id.extend_from_slice(&self.number.to_be_bytes());
        let partition = self.replies.1.to_be_bytes();
        let headers = [
            (REPLY_TOPIC, Some(self.replies.0.as_bytes())),
            (REPLY_PARTITION, Some(&partition[..])),
            (CORRELATION, Some(&id[..])),
        ];
        let request = Record {
            value: Some(value),
            headers: &headers,
            ..Record::default()
        };
        client.produce_batch(&self.requests.0, self.requests.1, &[request])?;
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ClientError::TimedOut);
            }
            let fetched = client.fetch(&self.replies.0, self.replies.1, self.offset, left)?;
            self.offset = fetched.next_offset;
            let mut replies = fetched.records.into_iter();
            if let Some(reply) = replies.find(|reply| header(reply, CORRELATION) == Some(&id[..])) {
                return Ok(reply.value.unwrap_or_default());
            }
        }
    }
}

impl Responder {
    /// Takes the requests that come to a partition from now on.
    ///
    /// # Errors
    /// There is no such partition.
    pub fn new(client: &mut Client, topic: &str, partition: i32) -> Result<Responder, ClientError> {
        let (_, end) = client.offsets(topic, partition)?;
        Ok(Responder {
            requests: (topic.to_owned(), partition),
            offset: end,
        })
    }

    /// The requests that came, waited for up to `wait`.
    ///
    /// # Errors
    /// As [`Client::fetch`].
    pub fn poll(&mut self, client: &mut Client, wait: Duration) -> Result<Vec<Call>, ClientError> {
        let fetched = client.fetch(&self.requests.0, self.requests.1, self.offset, wait)?;
        self.offset = fetched.next_offset;
        Ok(fetched.records.into_iter().map(Call::of).collect())
    }
}

impl Call {
    fn of(request: FetchedRecord) -> Call {
        let topic = header(&request, REPLY_TOPIC).map(<[u8]>::to_vec);
        let topic = topic.and_then(|name| String::from_utf8(name).ok());
        let partition = header(&request, REPLY_PARTITION).and_then(|bytes| bytes.first_chunk());
        let partition = partition.map_or(0, |bytes| i32::from_be_bytes(*bytes));
        Call {
            reply_to: topic.map(|topic| (topic, partition)),
            correlation: header(&request, CORRELATION).map(<[u8]>::to_vec),
            request,
        }
    }

    /// Sends the reply to where the request asks for it; false when it asks for none.
    ///
    /// # Errors
    /// As [`Client::produce_batch`].
    pub fn reply(&self, client: &mut Client, value: &[u8]) -> Result<bool, ClientError> {
        let Some((topic, partition)) = &self.reply_to else {
            return Ok(false);
        };
        let headers = [(CORRELATION, self.correlation.as_deref())];
        let reply = Record {
            value: Some(value),
            headers: &headers,
            ..Record::default()
        };
        client.produce_batch(topic, *partition, &[reply])?;
        Ok(true)
    }
}

fn header<'a>(record: &'a FetchedRecord, name: &str) -> Option<&'a [u8]> {
    let found = record.headers.iter().find(|(key, _)| key == name)?;
    found.1.as_deref()
}
