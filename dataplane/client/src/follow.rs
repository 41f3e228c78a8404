//! Following a partition: over RDMA by reading new records where they lie in the broker's memory,
//! without a request; elsewhere, and where they are not in memory, by fetching.

use std::ops::Range;
use std::time::{Duration, Instant};

use precursor_model::ErrorCode;
use precursor_protocol::native::follow::{Follow, Followed, Granted, OPEN, WORDS_BYTES, Words};
use precursor_protocol::records::{BatchError, split_batches};
use precursor_transport_rdma::{LOOK_BYTES_MAX, Lent};

use crate::client::Client;
use crate::error::ClientError;
use crate::fetch::{self, Fetched};
use crate::options::Wait;

/// Bytes that are read with each look at the words, before it is known whether there are any.
const GUESSED_BYTES: u32 = 2048;
/// Bytes of records that one look brings.
const READ_BYTES_MAX: u32 = (LOOK_BYTES_MAX - WORDS_BYTES) as u32;
/// Fetches between two questions whether there is something to read from afar.
const FETCHES_BETWEEN: u32 = 16;
/// Bytes of one batch that are read piece by piece, at most.
const CARRIED_BYTES_MAX: usize = 128 << 20;
/// Between two looks of a client that may sleep.
const NAP: Duration = Duration::from_micros(200);

/// How a follower got its records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FollowCounts {
    /// Looks at the broker's memory: each is one RDMA READ, or two, and no work for the broker.
    pub looks: u64,
    /// Bytes of batches that came so.
    pub read_bytes: u64,
    /// Requests for the right to read, and those that got it.
    pub asked: u64,
    pub granted: u64,
    /// Fetches, as any consumer's.
    pub fetches: u64,
    /// Rights that the broker took back while they were used.
    pub taken_back: u64,
}

/// What may be read.
struct Sight {
    granted: Granted,
    /// The connection that it is for.
    shard: Option<u16>,
    connections: u64,
    /// Bytes of the extent that were read.
    read: u32,
    /// What was committed when they last were looked at.
    committed: u32,
    /// Nothing is added any more, said the last look.
    closed: bool,
}

impl Sight {
    fn extent(&self) -> Lent {
        let granted = &self.granted;
        Lent {
            address: granted.address,
            key: granted.key,
            bytes: granted.bytes,
        }
    }

    fn words(&self) -> Lent {
        Lent {
            address: self.granted.words_address,
            key: self.granted.words_key,
            bytes: WORDS_BYTES as u32,
        }
    }

    /// What is to be read next: what is there, as far as is known, or what may be there soon.
    fn wanted(&self) -> Range<u32> {
        let known = self.committed.saturating_sub(self.read);
        let wanted = known.clamp(GUESSED_BYTES, READ_BYTES_MAX);
        self.read..self.granted.bytes.min(self.read.saturating_add(wanted))
    }

    /// Takes note of a look: how many of the bytes that it brought are records. `None`: that cannot
    /// be.
    fn looked(&mut self, words: Words, brought: u32) -> Option<u32> {
        let committed = u32::try_from(words.committed).ok()?;
        let possible = self.read.max(self.committed)..=self.granted.bytes;
        if words.generation != self.granted.generation || !possible.contains(&committed) {
            return None;
        }
        self.committed = committed;
        let new = (committed - self.read).min(brought);
        self.read += new;
        Some(new)
    }

    /// Whether nothing more comes of this extent. Its words may be read while they are written: only
    /// a second look sees for certain all that was there when the first saw it closed.
    fn is_over(&mut self, state: u32) -> bool {
        if self.read < self.committed {
            return false;
        }
        let closed = std::mem::replace(&mut self.closed, state != OPEN);
        self.read == self.granted.bytes || (closed && self.closed)
    }
}

/// What a look came to.
enum Looked {
    /// Records, or the end of the wait.
    Done(Fetched),
    /// The extent is read through.
    Over,
    /// What was read makes no sense: a fetch will tell.
    Torn,
}

/// Reads a partition from an offset on, in order, each record once.
pub struct Follower {
    topic: String,
    partition: i32,
    offset: i64,
    sight: Option<Sight>,
    /// The beginning of a batch whose end was not read.
    carried: Vec<u8>,
    /// Fetches until the right to read is asked for again.
    ask_after: u32,
    bytes: Vec<u8>,
    counts: FollowCounts,
}

impl Follower {
    /// From this offset of a partition on. Asks nobody yet.
    pub fn new(topic: &str, partition: i32, offset: i64) -> Follower {
        Follower {
            topic: topic.to_owned(),
            partition,
            offset,
            sight: None,
            carried: Vec::new(),
            ask_after: 0,
            bytes: Vec::new(),
            counts: FollowCounts::default(),
        }
    }

    /// The next offset.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// How records came so far.
    pub fn counts(&self) -> FollowCounts {
        self.counts
    }

    /// The next records, waited for up to `wait`; none when it is over. The high watermark is that of
    /// the last fetch, or where what was read ends.
    ///
    /// A broker that takes its memory back ends the client's connection by that; the client connects
    /// anew and fetches. Whoever sends by a pipeline at the same time has a client of its own for it.
    ///
    /// # Errors
    /// As [`Client::fetch`]. The same follower may be asked again.
    pub fn poll(&mut self, client: &mut Client, wait: Duration) -> Result<Fetched, ClientError> {
        let began = Instant::now();
        loop {
            let stale = |sight: &Sight| sight.connections != client.connections();
            if self.sight.as_ref().is_some_and(stale) {
                self.lose();
            }
            if self.sight.is_none() && self.ask_after == 0 {
                self.ask_or_fetch(client)?;
            }
            if self.sight.is_none() {
                return self.fetch(client, wait.saturating_sub(began.elapsed()));
            }
            match self.look_until(client, began, wait) {
                Ok(Looked::Done(fetched)) => return Ok(fetched),
                Ok(Looked::Over) => self.ask_or_fetch(client)?,
                Ok(Looked::Torn) => self.lose(),
                Err(error) if error.ends_connection() => {
                    self.counts.taken_back += u64::from(error.was_taken_back());
                    client.broken(error);
                    self.lose();
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What was read of a batch is fetched again, from its beginning.
    fn lose(&mut self) {
        self.sight = None;
        self.carried.clear();
        self.ask_after = 1;
    }

    fn fetch(&mut self, client: &mut Client, wait: Duration) -> Result<Fetched, ClientError> {
        self.carried.clear();
        self.counts.fetches += 1;
        let fetched = client.fetch(&self.topic, self.partition, self.offset, wait)?;
        let moved = fetched.next_offset > self.offset;
        self.offset = fetched.next_offset;
        // Who is at the end reads on there.
        self.ask_after = match moved && self.offset >= fetched.high_watermark {
            true => 0,
            false => self.ask_after.saturating_sub(1),
        };
        Ok(fetched)
    }

    /// Asks for the right to read on; where the connection breaks, a fetch makes it anew.
    fn ask_or_fetch(&mut self, client: &mut Client) -> Result<(), ClientError> {
        match self.ask(client) {
            Err(error) if !error.ends_connection() => Err(error),
            _ => Ok(()),
        }
    }

    /// Asks for the right to read on, of the shard that owns the partition.
    fn ask(&mut self, client: &mut Client) -> Result<(), ClientError> {
        let place = self.sight.take().filter(|_| !self.carried.is_empty());
        let place = place.map(|sight| {
            let position = sight.granted.position + u64::from(sight.read);
            (sight.granted.segment, position)
        });
        self.ask_after = FETCHES_BETWEEN;
        // Twice: the first answer may name another shard.
        for _ in 0..2 {
            let (topic_id, shard) = client.route(&self.topic, self.partition)?;
            if !client.reaches_afar(shard)? {
                return Ok(());
            }
            let request = Follow {
                correlation_id: client.next_correlation(),
                topic_id,
                partition: self.partition,
                offset: self.offset,
                place,
            };
            self.counts.asked += 1;
            let answer = client.ask_afar(shard, &request.encode(), |frame| {
                Followed::parse(frame)
                    .filter(|answer| answer.correlation_id == request.correlation_id)
            })?;
            match (answer.error, answer.granted) {
                (ErrorCode::None, Some(granted)) => {
                    self.counts.granted += 1;
                    self.sight = Some(Sight {
                        granted,
                        shard,
                        connections: client.connections(),
                        read: granted.begin,
                        committed: 0,
                        closed: false,
                    });
                    return Ok(());
                }
                (ErrorCode::NotLeaderOrFollower, _) if answer.shard >= 0 => {
                    client.owner_told(&self.topic, self.partition, answer.shard);
                }
                // A fetch says what is the matter.
                (error, _) => {
                    if error == ErrorCode::UnknownTopicId {
                        client.forget_topic(&self.topic);
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Looks again and again, until there are records or the wait is over.
    fn look_until(
        &mut self,
        client: &mut Client,
        began: Instant,
        wait: Duration,
    ) -> Result<Looked, ClientError> {
        loop {
            let looked = self.look(client)?;
            if let Some(looked) = looked {
                return Ok(looked);
            }
            let waited = began.elapsed();
            if waited >= wait {
                return Ok(Looked::Done(self.nothing()));
            }
            match client.options.wait {
                Wait::PollThenSleep(time) if waited >= time => {
                    std::thread::sleep(NAP.min(wait - waited));
                }
                Wait::Poll | Wait::PollThenSleep(_) => std::hint::spin_loop(),
            }
        }
    }

    fn nothing(&self) -> Fetched {
        Fetched {
            next_offset: self.offset,
            high_watermark: self.offset,
            ..Fetched::default()
        }
    }

    /// One look; `None` when there was nothing new.
    fn look(&mut self, client: &mut Client) -> Result<Option<Looked>, ClientError> {
        let Some(sight) = &mut self.sight else {
            return Ok(Some(Looked::Over));
        };
        let wanted = sight.wanted();
        let brought = wanted.len() as u32;
        // The words first: what they say is committed is there when the bytes are read.
        let words = (sight.words(), 0..WORDS_BYTES as u32);
        let pieces = [words, (sight.extent(), wanted)];
        let count = if brought == 0 { 1 } else { 2 };
        self.bytes.clear();
        client.look(sight.shard, &pieces[..count], &mut self.bytes)?;
        self.counts.looks += 1;
        let Some((words, bytes)) = self.bytes.split_first_chunk() else {
            return Ok(Some(Looked::Torn));
        };
        let words = Words::parse(words);
        let Some(new) = sight.looked(words, brought) else {
            return Ok(Some(Looked::Torn));
        };
        if new == 0 {
            return Ok(sight.is_over(words.state).then_some(Looked::Over));
        }
        self.counts.read_bytes += u64::from(new);
        self.carried.extend_from_slice(&bytes[..new as usize]);
        Ok(self.take_records())
    }

    /// Takes whole batches out of what was carried.
    fn take_records(&mut self) -> Option<Looked> {
        let Some(length) = whole_batches(&self.carried, self.offset) else {
            return Some(Looked::Torn);
        };
        if length == 0 {
            let torn = self.carried.len() > CARRIED_BYTES_MAX;
            return torn.then_some(Looked::Torn);
        }
        let mut fetched = self.nothing();
        if fetch::read(&self.carried[..length], &mut fetched).is_err() {
            return Some(Looked::Torn);
        }
        self.carried.drain(..length);
        self.offset = fetched.next_offset;
        fetched.high_watermark = fetched.next_offset;
        // Markers, and what was before the first offset, are no records.
        (!fetched.records.is_empty()).then_some(Looked::Done(fetched))
    }
}

/// How many bytes are whole batches that follow each other from `offset` on; `None` where they do
/// not, which their checksums say nothing of.
fn whole_batches(bytes: &[u8], offset: i64) -> Option<usize> {
    let (mut length, mut next) = (0, offset);
    for batch in split_batches(bytes) {
        let batch = match batch {
            Ok(batch) => batch,
            Err(BatchError::Truncated) => break,
            Err(_) => return None,
        };
        let (first, last) = (batch.base_offset(), batch.last_offset());
        let follows = match length {
            0 => (first..=last).contains(&next),
            _ => first == next,
        };
        if !follows {
            return None;
        }
        next = last + 1;
        length += batch.bytes().len();
    }
    Some(length)
}

impl Client {
    /// Whether the connection to a shard may reach the broker's memory.
    pub(crate) fn reaches_afar(&mut self, shard: Option<u16>) -> Result<bool, ClientError> {
        Ok(self.link(shard)?.one_sided_bytes().is_some())
    }

    /// Sends a request of our own about the broker's memory, and waits for the answer to it.
    pub(crate) fn ask_afar<A>(
        &mut self,
        shard: Option<u16>,
        request: &[u8],
        parse: impl FnOnce(&[u8]) -> Option<A>,
    ) -> Result<A, ClientError> {
        let deadline = Instant::now() + self.options.request_timeout;
        let link = self.link(shard)?;
        let answered = link
            .send_all(request, deadline)
            .and_then(|()| link.wait_frame(deadline))
            .and_then(|frame| {
                parse(frame).ok_or_else(|| {
                    ClientError::Malformed("an answer to another request".to_owned())
                })
            });
        answered.map_err(|error| self.broken(error))
    }

    /// Reads pieces of the broker's memory over a connection that stands.
    fn look(
        &mut self,
        shard: Option<u16>,
        pieces: &[(Lent, Range<u32>)],
        into: &mut Vec<u8>,
    ) -> Result<(), ClientError> {
        let deadline = Instant::now() + self.options.request_timeout;
        match self.open_link(shard) {
            Some(link) => link.look_afar(pieces, into, deadline),
            None => Err(ClientError::ConnectionLost(
                std::io::ErrorKind::NotConnected.into(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_protocol::records::BatchBuilder;

    fn batch(offset: i64, count: usize) -> Vec<u8> {
        let mut builder = BatchBuilder::new();
        for at in 0..count {
            builder.append(at as i64, None, Some(b"value"), &[]);
        }
        let mut bytes = Vec::new();
        builder.build(&mut bytes);
        bytes[..8].copy_from_slice(&offset.to_be_bytes());
        bytes
    }

    fn sight(bytes: u32, read: u32) -> Sight {
        Sight {
            granted: Granted {
                address: 0x1000,
                key: 1,
                bytes,
                words_address: 0x2000,
                words_key: 2,
                generation: 5,
                begin: read,
                segment: 0,
                position: 0,
            },
            shard: None,
            connections: 0,
            read,
            committed: 0,
            closed: false,
        }
    }

    fn words(committed: u64, state: u32) -> Words {
        Words {
            committed,
            state,
            generation: 5,
        }
    }

    #[test]
    fn only_what_is_committed_is_taken() {
        let mut sight = sight(16 << 10, 100);
        assert_eq!(sight.wanted(), 100..100 + GUESSED_BYTES);
        assert_eq!(sight.looked(words(100, OPEN), GUESSED_BYTES), Some(0));
        assert_eq!(sight.looked(words(130, OPEN), GUESSED_BYTES), Some(30));
        assert_eq!(sight.looked(words(9_000, OPEN), GUESSED_BYTES), Some(2048));
        assert_eq!(sight.wanted(), 2178..9_000, "what is known to be there");
        assert_eq!(sight.looked(words(16 << 10, 2), 9_000 - 2178), Some(6822));
        assert!(!sight.is_over(2), "there is more");
        let rest = sight.wanted();
        assert_eq!(
            sight.looked(words(16 << 10, 2), rest.len() as u32),
            Some(rest.len() as u32)
        );
        assert!(sight.is_over(2) && sight.wanted().is_empty());
    }

    #[test]
    fn words_that_cannot_be_are_torn() {
        let torn = |told: Words| {
            let mut sight = sight(16 << 10, 100);
            sight.committed = 200;
            sight.looked(told, GUESSED_BYTES).is_none()
        };
        assert!(!torn(words(200, OPEN)));
        assert!(torn(words(199, OPEN)), "less than before");
        assert!(torn(words((16 << 10) + 1, OPEN)));
        assert!(torn(words(u64::MAX, OPEN)));
        assert!(torn(words(1 << 32 | 200, OPEN)));
        let generation = 6;
        assert!(
            torn(Words {
                generation,
                ..words(200, OPEN)
            }),
            "lent to another"
        );
    }

    /// The state may be newer than what is committed, where both are read as they change.
    #[test]
    fn an_extent_is_over_when_two_looks_say_so() {
        let mut sight = sight(16 << 10, 0);
        assert_eq!(sight.looked(words(50, 2), GUESSED_BYTES), Some(50));
        assert!(!sight.is_over(2));
        assert_eq!(sight.looked(words(80, 2), GUESSED_BYTES), Some(30));
        assert!(sight.is_over(2), "the second look saw all");
        let mut sight = self::sight(16 << 10, 0);
        sight.looked(words(50, OPEN), GUESSED_BYTES);
        assert!(!sight.is_over(OPEN) && !sight.is_over(OPEN));
        assert!(!sight.is_over(0) && sight.is_over(0), "nobody's any more");
    }

    #[test]
    fn batches_that_do_not_follow_are_torn() {
        let two = [batch(10, 3), batch(13, 2)].concat();
        assert_eq!(whole_batches(&two, 10), Some(two.len()));
        assert_eq!(whole_batches(&two, 12), Some(two.len()), "from within");
        assert_eq!(whole_batches(&two, 13), None);
        assert_eq!(whole_batches(&two, 9), None);
        let first = batch(10, 3).len();
        for end in [0, 1, first - 1] {
            assert_eq!(whole_batches(&two[..end], 10), Some(0));
        }
        assert_eq!(whole_batches(&two[..two.len() - 1], 10), Some(first));
        // A base offset that was not written yet: no checksum covers it.
        let gap = [batch(10, 3), batch(0, 2)].concat();
        assert_eq!(whole_batches(&gap, 10), None);
        assert_eq!(whole_batches(&[0; 200], 10), None, "memory that was wiped");
    }
}
