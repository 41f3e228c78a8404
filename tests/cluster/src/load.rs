//! Load with a memory: writers that number their records and remember what was acknowledged,
//! readers that remember what they saw, and the comparison of both with what the log holds.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::batch::Sequence;
use crate::client::{CallError, Connection, Refused};

/// How long a client keeps trying before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);
const IN_FLIGHT_MAX: usize = 5;
const RECORDS_PER_BATCH: u64 = 20;
const DUPLICATE_SEQUENCE_NUMBER: i16 = 46;

/// What a writer is like.
#[derive(Clone, Debug)]
pub struct Writing {
    pub topic: String,
    pub partition: i32,
    pub idempotent: bool,
    pub acks: i16,
    /// Bytes of a record beside its number.
    pub filler_bytes: usize,
    /// Rest between batches; none for as fast as answers come.
    pub pause: Duration,
}

/// Acknowledged records from the first to the last, in order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    pub number: u64,
    pub count: u64,
    /// None when a retry was answered as a duplicate too old to be remembered.
    pub base_offset: Option<i64>,
}

/// What a writer saw until it was stopped.
#[derive(Debug, Default)]
pub struct Written {
    pub acknowledged: Vec<Acknowledged>,
    /// Numbers given out, acknowledged or not.
    pub numbers: u64,
    /// Connections that broke, and answers that refused.
    pub disconnections: u64,
    pub refusals: Vec<i16>,
}

impl Written {
    pub fn acknowledged_records(&self) -> u64 {
        self.acknowledged.iter().map(|batch| batch.count).sum()
    }
}

/// A thread that can be told to end.
pub struct Running<T> {
    stop: Arc<AtomicBool>,
    progress: Arc<AtomicU64>,
    thread: JoinHandle<T>,
}

impl<T> Running<T> {
    /// Records acknowledged or read so far.
    pub fn progress(&self) -> u64 {
        self.progress.load(Ordering::Relaxed)
    }

    /// Waits until this many more records went through.
    pub fn wait_for_progress(&self, more: u64) -> bool {
        let goal = self.progress() + more;
        crate::node::wait_until(PATIENCE, || {
            self.progress() >= goal || self.thread.is_finished()
        }) && self.progress() >= goal
    }

    pub fn finish(self) -> T {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the load's thread ends well")
    }
}

fn value(number: u64, filler_bytes: usize) -> Vec<u8> {
    let mut value = number.to_be_bytes().to_vec();
    let filler = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
    value.extend(filler.iter().cycle().take(filler_bytes));
    value
}

/// The number in a record that [`write`] wrote; None when the record is not one of those.
fn number_of(record: &[u8]) -> Option<u64> {
    let number = u64::from_be_bytes(record.get(..8)?.try_into().ok()?);
    (record == value(number, record.len() - 8)).then_some(number)
}

/// Opens a connection, trying again while the broker is away.
fn connect(address: SocketAddr, deadline: Instant) -> Connection {
    loop {
        match Connection::open(address) {
            Ok(connection) => return connection,
            Err(error) if Instant::now() > deadline => panic!("no connection: {error}"),
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Starts a writer.
pub fn write(address: SocketAddr, writing: Writing) -> Running<Written> {
    let stop = Arc::new(AtomicBool::new(false));
    let progress = Arc::new(AtomicU64::new(0));
    let thread = thread::spawn({
        let (stop, progress) = (stop.clone(), progress.clone());
        move || Writer::new(address, writing, stop, progress).run()
    });
    Running {
        stop,
        progress,
        thread,
    }
}

struct Writer {
    address: SocketAddr,
    writing: Writing,
    stop: Arc<AtomicBool>,
    progress: Arc<AtomicU64>,
    producer: Option<(i64, i16)>,
    written: Written,
    /// First numbers of batches without an answer, in order; some may not be sent yet.
    open: VecDeque<u64>,
}

impl Writer {
    fn new(
        address: SocketAddr,
        writing: Writing,
        stop: Arc<AtomicBool>,
        progress: Arc<AtomicU64>,
    ) -> Writer {
        Writer {
            address,
            writing,
            stop,
            progress,
            producer: None,
            written: Written::default(),
            open: VecDeque::new(),
        }
    }

    fn run(mut self) -> Written {
        let mut deadline = Instant::now() + PATIENCE;
        loop {
            let before = self.progress.load(Ordering::Relaxed);
            let mut connection = connect(self.address, deadline);
            match self.on_connection(&mut connection) {
                Ok(()) => return self.written,
                Err(CallError::Connection(_)) => self.written.disconnections += 1,
                Err(CallError::Refused(Refused(code))) => self.written.refusals.push(code),
            }
            if self.progress.load(Ordering::Relaxed) > before {
                deadline = Instant::now() + PATIENCE;
            }
            assert!(
                Instant::now() < deadline,
                "no progress; refusals end with {:?}",
                self.written
                    .refusals
                    .iter()
                    .rev()
                    .take(5)
                    .collect::<Vec<_>>()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends what is open again, then goes on until stopped and everything is answered.
    fn on_connection(&mut self, connection: &mut Connection) -> Result<(), CallError> {
        if self.writing.idempotent && self.producer.is_none() {
            self.producer = Some(connection.init_producer_id()?);
        }
        let mut sent = 0;
        loop {
            let stopping = self.stop.load(Ordering::Relaxed);
            // The first batch goes alone: a broker that has not seen a producer takes any sequence.
            let room = if self.written.acknowledged.is_empty() {
                1
            } else {
                IN_FLIGHT_MAX
            };
            while !stopping && self.open.len() < room {
                self.open.push_back(self.written.numbers);
                self.written.numbers += RECORDS_PER_BATCH;
            }
            while sent < self.open.len().min(room) {
                self.send(connection, self.open[sent])?;
                sent += 1;
            }
            if self.open.is_empty() {
                return Ok(());
            }
            self.take_answer(connection)?;
            sent -= 1;
            if !self.writing.pause.is_zero() {
                thread::sleep(self.writing.pause);
            }
        }
    }

    fn send(&self, connection: &mut Connection, number: u64) -> Result<(), CallError> {
        let values: Vec<Vec<u8>> = (number..number + RECORDS_PER_BATCH)
            .map(|number| value(number, self.writing.filler_bytes))
            .collect();
        let sequence = self.producer.map(|(producer_id, producer_epoch)| Sequence {
            producer_id,
            producer_epoch,
            first: (number % (1 << 31)) as i32,
        });
        let (topic, partition) = (&self.writing.topic, self.writing.partition);
        connection.send_produce(topic, partition, self.writing.acks, &values, sequence)?;
        Ok(())
    }

    fn take_answer(&mut self, connection: &mut Connection) -> Result<(), CallError> {
        let (_, produced) = connection.produced()?;
        let base_offset = match produced.error_code {
            0 => Some(produced.base_offset),
            DUPLICATE_SEQUENCE_NUMBER if self.writing.idempotent => None,
            code => return Err(CallError::Refused(Refused(code))),
        };
        if let Some(number) = self.open.pop_front() {
            self.written.acknowledged.push(Acknowledged {
                number,
                count: RECORDS_PER_BATCH,
                base_offset,
            });
        }
        self.progress
            .fetch_add(RECORDS_PER_BATCH, Ordering::Relaxed);
        Ok(())
    }
}

/// What a reader saw: the number in every record, in order of offset from 0 on.
#[derive(Debug, Default)]
pub struct Read {
    pub numbers: Vec<u64>,
    pub disconnections: u64,
    pub refusals: Vec<i16>,
}

/// Starts a reader, which follows the log from offset 0 and fails on any gap or foreign record.
pub fn read(address: SocketAddr, topic: &str, partition: i32) -> Running<Read> {
    let stop = Arc::new(AtomicBool::new(false));
    let progress = Arc::new(AtomicU64::new(0));
    let topic = topic.to_owned();
    let thread = thread::spawn({
        let (stop, progress) = (stop.clone(), progress.clone());
        move || {
            let mut read = Read::default();
            let mut deadline = Instant::now() + PATIENCE;
            while !stop.load(Ordering::Relaxed) {
                let before = read.numbers.len();
                let mut connection = connect(address, deadline);
                match follow(
                    &mut connection,
                    &topic,
                    partition,
                    &mut read,
                    &stop,
                    &progress,
                ) {
                    Ok(()) => break,
                    Err(CallError::Connection(_)) => read.disconnections += 1,
                    Err(CallError::Refused(Refused(code))) => read.refusals.push(code),
                }
                if read.numbers.len() > before {
                    deadline = Instant::now() + PATIENCE;
                }
                let last = read.refusals.last();
                assert!(
                    Instant::now() < deadline,
                    "no progress, last refusal {last:?}"
                );
                thread::sleep(Duration::from_millis(5));
            }
            read
        }
    });
    Running {
        stop,
        progress,
        thread,
    }
}

fn follow(
    connection: &mut Connection,
    topic: &str,
    partition: i32,
    read: &mut Read,
    stop: &AtomicBool,
    progress: &AtomicU64,
) -> Result<(), CallError> {
    while !stop.load(Ordering::Relaxed) {
        let offset = read.numbers.len() as i64;
        let fetched = connection.fetch(topic, partition, offset, 200)?;
        for record in fetched.records {
            let wanted = read.numbers.len() as i64;
            assert_eq!(
                record.offset, wanted,
                "offsets of {topic}-{partition} are dense"
            );
            let number = number_of(&record.value);
            read.numbers
                .push(number.expect("a record that a writer wrote"));
        }
        progress.store(read.numbers.len() as u64, Ordering::Relaxed);
    }
    Ok(())
}

/// Reads a partition from its start to its end.
pub fn read_whole(connection: &mut Connection, topic: &str, partition: i32) -> Vec<u64> {
    let mut read = Read::default();
    loop {
        let offset = read.numbers.len() as i64;
        let fetched = connection.fetch_when_open(topic, partition, offset);
        if fetched.high_watermark <= offset {
            return read.numbers;
        }
        assert!(
            !fetched.records.is_empty(),
            "records below the high watermark are handed out"
        );
        for record in fetched.records {
            assert_eq!(
                record.offset,
                read.numbers.len() as i64,
                "offsets are dense"
            );
            let number = number_of(&record.value);
            read.numbers
                .push(number.expect("a record that a writer wrote"));
        }
    }
}

/// Holds a partition's content against what its writer was told. Fails with what was lost.
pub fn check(stored: &[u64], written: &Written, idempotent: bool) {
    for batch in &written.acknowledged {
        let Some(base) = batch.base_offset else {
            continue;
        };
        for n in 0..batch.count {
            let at = base as usize + n as usize;
            assert_eq!(
                stored.get(at).copied(),
                Some(batch.number + n),
                "acknowledged record {} belongs at offset {at}; {} records are stored",
                batch.number + n,
                stored.len()
            );
        }
    }
    if idempotent {
        // Everything was answered before the writer ended, so exactly its numbers are there.
        let wanted: Vec<u64> = (0..written.numbers).collect();
        assert_eq!(stored.len(), wanted.len(), "records lost or doubled");
        assert!(stored == wanted, "records out of order");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(base_offset: i64) -> Written {
        Written {
            acknowledged: vec![Acknowledged {
                number: 0,
                count: 3,
                base_offset: Some(base_offset),
            }],
            numbers: 3,
            ..Default::default()
        }
    }

    #[test]
    fn what_is_there_passes() {
        check(&[0, 1, 2], &written(0), true);
        check(&[9, 9, 0, 1, 2], &written(2), false);
    }

    #[test]
    #[should_panic(expected = "acknowledged record 2")]
    fn a_lost_record_is_seen() {
        check(&[0, 1], &written(0), false);
    }

    #[test]
    #[should_panic(expected = "lost or doubled")]
    fn a_doubled_record_is_seen() {
        check(&[0, 1, 2, 2], &written(0), true);
    }

    #[test]
    fn numbers_survive_their_record_and_damage_does_not() {
        let mut record = value(77, 50);
        assert_eq!(number_of(&record), Some(77));
        record[30] ^= 1;
        assert_eq!(number_of(&record), None);
    }
}
