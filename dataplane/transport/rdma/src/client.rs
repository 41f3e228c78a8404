//! The client's side: one connection to a broker.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use precursor_rdma_sys::{
    EVENT_DEVICE_REMOVAL, EVENT_DISCONNECTED, WC_SUCCESS, WC_WITH_IMM, WorkCompletion,
};

use crate::connect::{ConnectError, Connecting, Ends, next_news};
use crate::flow::Kind;
use crate::grant::Mirror;
use crate::lane::{Completed, Lane, PUT};
use crate::memory::Memory;
use crate::queue::Failure;
use crate::reach::{Far, REACH_MIN};
use crate::sys;

/// How often a client that polls looks whether its broker is still there.
const LOOKS_BETWEEN_CHECKS: u32 = 1 << 14;
/// How long what was sent may take to leave when a connection is dropped.
const LINGER: Duration = Duration::from_millis(200);
/// Completions taken at a time.
const BATCH: usize = 32;

/// A connection to a broker. Bytes go in order each way, as over a socket.
pub struct RdmaConnection {
    lane: Lane,
    pub(crate) ends: Ends,
    shard: u16,
    shards: u16,
    /// The broker is gone, or lied.
    pub(crate) gone: bool,
    /// It is gone because it had taken back what was read or written.
    pub(crate) taken_back: bool,
    /// What this side lacked for what the broker granted; it is gone then.
    lacked: Option<Failure>,
    looks: u32,
}

impl RdmaConnection {
    /// Connects to a broker, to a certain shard or to any. Waits for it.
    ///
    /// # Errors
    /// [`ConnectError`] says why not.
    pub fn connect(
        address: SocketAddr,
        shard: Option<u16>,
    ) -> Result<RdmaConnection, ConnectError> {
        let mut connecting = Connecting::start(address, shard)?;
        loop {
            if let Some(connection) = connecting.poll()? {
                return Ok(connection);
            }
            let left = connecting
                .deadline
                .saturating_duration_since(Instant::now());
            let descriptor = connecting.device.event_descriptor();
            sys::wait_readable([descriptor], Some(left)).map_err(|source| {
                let what = "waiting for the broker's answer";
                ConnectError::System { what, source }
            })?;
        }
    }

    /// One that stands; its shard, and how many the broker has.
    pub(crate) fn new(ends: Ends, (shard, shards): (u16, u16)) -> RdmaConnection {
        RdmaConnection {
            lane: Lane::new(ends.pair, 0, None),
            ends,
            shard,
            shards,
            gone: false,
            taken_back: false,
            lacked: None,
            looks: 0,
        }
    }

    /// The shard that serves this connection, and how many the broker has.
    pub fn shard(&self) -> (u16, u16) {
        (self.shard, self.shards)
    }

    /// Bytes that were written into the broker's memory, and read from there, without a SEND of them;
    /// `None` where the broker has granted none (yet).
    pub fn one_sided(&self) -> Option<(u64, u64)> {
        self.lane.totals()
    }

    /// Why nothing is sent and received any more.
    pub(crate) fn why(&self) -> io::Error {
        if self.taken_back {
            let what = "the broker has taken back the memory that was used";
            return io::Error::new(io::ErrorKind::PermissionDenied, what);
        }
        match &self.lacked {
            Some((what, error)) => {
                let limit = "is the limit of locked memory (ulimit -l) large enough?";
                io::Error::new(error.kind(), format!("{what}: {error}; {limit}"))
            }
            None => gone(),
        }
    }

    /// Sends what there is room for; 0 when there is none.
    ///
    /// # Errors
    /// The broker is gone.
    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.lane.has_room() || bytes.len() >= REACH_MIN {
            self.complete();
        }
        if self.gone {
            return Err(self.why());
        }
        let slices = [IoSlice::new(bytes)];
        let sent = self.lane.write(&self.ends.queue, &slices);
        let sent = sent.map_err(|_| self.lost())?;
        if sent == 0 && !bytes.is_empty() {
            self.check_now_and_then();
        }
        Ok(sent)
    }

    /// Receives what is there: `None` when nothing is, 0 at the end.
    ///
    /// # Errors
    /// The broker is gone.
    pub fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        if !self.lane.has_bytes() {
            self.complete();
        }
        if self.lane.has_bytes() {
            let (pair, queue) = (self.ends.pair, &self.ends.queue);
            let mut release = |buffer| {
                queue.post_receive(pair, buffer);
            };
            let length = self.lane.read(queue, buffer, &mut release);
            self.gone |= self.lane.tell(queue).is_err();
            return Ok(Some(length));
        }
        if self.lane.is_ended() {
            return Ok(Some(0));
        }
        if self.gone {
            return Err(self.why());
        }
        self.check_now_and_then();
        Ok(None)
    }

    /// No more is sent; what comes can still be received.
    pub fn finish_sending(&mut self) {
        self.gone |= self.lane.finish(&self.ends.queue).is_err();
    }

    /// Sleeps until something may be received, or sent where `for_room`, at most `timeout`. It may
    /// end early.
    ///
    /// # Errors
    /// The operating system refuses to wait.
    pub fn wait(&mut self, for_room: bool, timeout: Option<Duration>) -> io::Result<()> {
        let armed = self.ends.queue.arm();
        self.complete();
        let ready = self.lane.has_bytes()
            || self.lane.is_ended()
            || self.gone
            || (for_room && self.lane.has_room());
        if ready || !armed {
            return Ok(());
        }
        let descriptors = [
            self.ends.queue.descriptor(),
            self.ends.device.event_descriptor(),
        ];
        sys::wait_readable(descriptors, timeout)?;
        self.ends.queue.hear();
        self.hear();
        Ok(())
    }

    /// Asks the kernel whether the broker is still there.
    ///
    /// # Errors
    /// It is gone, or has ended the connection, and nothing is left to be received.
    pub fn check(&mut self) -> io::Result<()> {
        self.hear();
        self.complete();
        let over = self.gone || self.lane.is_ended();
        match over && !self.lane.has_bytes() {
            true => Err(self.why()),
            false => Ok(()),
        }
    }

    fn hear(&mut self) {
        while let Some(news) = next_news(&self.ends.device) {
            self.gone |= matches!(news.event, EVENT_DISCONNECTED | EVENT_DEVICE_REMOVAL);
        }
    }

    /// A poller hears of its broker's end as well, but not by asking the kernel each time.
    pub(crate) fn check_now_and_then(&mut self) {
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(LOOKS_BETWEEN_CHECKS) {
            self.hear();
        }
    }

    pub(crate) fn lost(&mut self) -> io::Error {
        self.gone = true;
        self.why()
    }

    pub(crate) fn complete(&mut self) {
        let mut batch = [WorkCompletion::default(); BATCH];
        loop {
            let count = self.ends.queue.poll(&mut batch);
            for completion in &batch[..count] {
                self.completed(completion);
            }
            if count < BATCH {
                return;
            }
        }
    }

    fn completed(&mut self, completion: &WorkCompletion) {
        let sound = completion.status == WC_SUCCESS;
        match Completed::of(completion.user) {
            Completed::Send { bytes, .. } => {
                self.lane.sent(bytes);
                self.gone |= !sound;
                if sound {
                    self.gone |= self.lane.tell(&self.ends.queue).is_err();
                }
            }
            Completed::Reach { read, .. } => {
                self.gone |= !sound;
                if sound && read {
                    self.lane.has_read();
                }
            }
            Completed::Loan { loan: PUT, .. } => self.put_completed(completion),
            Completed::Loan { .. } => self.look_completed(completion),
            Completed::Receive { .. } if !sound => self.gone = true,
            Completed::Receive { buffer } => {
                let immediate = u32::from_be(completion.immediate);
                let told = completion.flags & WC_WITH_IMM != 0;
                let kind = match told {
                    true => {
                        let queue = &self.ends.queue;
                        let taken = self.lane.take(queue, buffer, completion.length, immediate);
                        taken.ok()
                    }
                    false => None,
                };
                if kind != Some(Kind::Bytes) {
                    self.ends.queue.post_receive(self.ends.pair, buffer);
                }
                self.gone |= kind.is_none();
                if let Some((landing, shelf)) = self.lane.take_granted() {
                    self.lacked = self.mirror(landing, shelf).err();
                    self.gone |= self.lacked.is_some();
                }
                if kind == Some(Kind::End) {
                    // What was read is told of, so that the broker need not wait.
                    self.gone |= self.lane.tell(&self.ends.queue).is_err();
                }
            }
        }
    }

    /// Memory of one's own for what the broker has granted.
    fn mirror(&mut self, landing: Far, shelf: Far) -> Result<(), Failure> {
        let mirror = Mirror::new(&self.ends.device, landing.bytes, shelf.bytes)?;
        let areas = mirror.areas(landing.bytes, shelf.bytes);
        self.ends.mirror = Some(mirror);
        self.lane
            .set_memory(Memory::of_client(landing, shelf, areas));
        Ok(())
    }
}

#[cfg(all(test, feature = "lab"))]
impl RdmaConnection {
    pub(crate) fn raw_pair(&self) -> *mut precursor_rdma_sys::QueuePair {
        self.ends.pair
    }

    pub(crate) fn raw_fars(&self) -> Option<(Far, Far)> {
        self.lane.raw_fars()
    }

    pub(crate) fn raw_queue(&self) -> &crate::queue::Queue {
        &self.ends.queue
    }
}

impl Drop for RdmaConnection {
    fn drop(&mut self) {
        let start = Instant::now();
        self.hear();
        while !self.gone && self.lane.is_sending() && start.elapsed() < LINGER {
            self.complete();
            std::thread::yield_now();
        }
    }
}

fn gone() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionReset,
        "the broker is gone: it stopped, or was killed",
    )
}
