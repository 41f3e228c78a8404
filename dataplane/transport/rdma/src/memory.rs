//! A lane's memory beside its messages: pieces of the stream that lie in rings, which the client
//! writes to and reads from, and notes that say where.

use precursor_rdma_sys::{
    QueuePair, SEND_SIGNALED, SendRequest, Slice, WR_RDMA_READ, WR_RDMA_WRITE,
};

use crate::flow::{CREDITS, Violation};
use crate::grant::{Area, Granted, Window, post};
use crate::reach::{Far, Note, Ring};

/// Whose memory it is.
enum Side {
    Broker {
        landing: Window,
        shelf: Window,
        /// The client was told, and has the rights.
        open: bool,
    },
    Client {
        landing: Far,
        shelf: Far,
    },
}

pub(crate) struct Memory {
    side: Side,
    /// What this side puts: the broker's shelf, or the client's image of its landing ring.
    out: Area,
    out_ring: Ring,
    /// Of each message that the peer has not released, by its number: bytes of the ring.
    put: [u32; CREDITS as usize],
    /// What comes: the landing ring, or the client's image of the shelf.
    come: Area,
    come_ring: Ring,
    /// Bytes that were given back, and the peer was not told.
    untold: u32,
    /// Bytes that were put, and that came.
    pub totals: (u64, u64),
}

impl Memory {
    pub fn of_broker(granted: Granted) -> Memory {
        let side = Side::Broker {
            landing: granted.landing_window,
            shelf: granted.shelf_window,
            open: false,
        };
        Memory::new(side, granted.shelf, granted.landing)
    }

    /// Over areas of the sizes that were granted.
    pub fn of_client(landing: Far, shelf: Far, (out, come): (Area, Area)) -> Memory {
        Memory::new(Side::Client { landing, shelf }, out, come)
    }

    fn new(side: Side, out: Area, come: Area) -> Memory {
        Memory {
            side,
            out_ring: Ring::new(out.bytes()),
            come_ring: Ring::new(come.bytes()),
            out,
            put: [0; CREDITS as usize],
            come,
            untold: 0,
            totals: (0, 0),
        }
    }

    /// The broker's side: posts what gives the rights; what to tell the client.
    pub fn open(&mut self, pair: *mut QueuePair, user: u64) -> Option<Note> {
        let Side::Broker {
            landing,
            shelf,
            open,
        } = &mut self.side
        else {
            return None;
        };
        *open = landing.open(pair, user) && shelf.open(pair, user);
        open.then(|| Note::Granted {
            landing: landing.far(),
            shelf: shelf.far(),
        })
    }

    /// The broker's side: takes back the right to write and, with `all`, the one to read.
    pub fn revoke(&mut self, pair: *mut QueuePair, user: u64, all: bool) {
        if let Side::Broker {
            landing,
            shelf,
            open,
        } = &mut self.side
            && std::mem::take(open)
        {
            // Where the pair takes nothing any more, its end ends them.
            landing.close(pair, user);
            if all {
                shelf.close(pair, user);
            }
        }
    }

    /// How many of so many bytes may be put as one piece now.
    pub fn room(&self, wanted: usize) -> usize {
        match self.side {
            Side::Broker { open: false, .. } => 0,
            _ => self.out_ring.room(wanted),
        }
    }

    /// A piece goes with a message of this number; where it is to lie.
    pub fn put(&mut self, number: u32, length: u32) -> u32 {
        self.put[(number % CREDITS) as usize] = length;
        self.totals.0 += u64::from(length);
        self.out_ring.put(length)
    }

    pub fn write(&self, at: usize, bytes: &[u8]) {
        self.out.write(at, bytes);
    }

    /// The client's side: has the piece written to the broker.
    pub fn push(&self, pair: *mut QueuePair, user: u64, position: u32, length: u32) -> bool {
        match self.side {
            Side::Broker { .. } => true,
            Side::Client { landing, .. } => {
                let slice = self.out.slice(position, length);
                reach(pair, user, WR_RDMA_WRITE, slice, landing, position)
            }
        }
    }

    /// The peer released the message of this number.
    pub fn acknowledged(&mut self, number: u32) {
        let length = std::mem::take(&mut self.put[(number % CREDITS) as usize]);
        self.out_ring.release(length);
    }

    /// Bytes that were put and that the peer has not released.
    pub fn exposed(&self) -> u32 {
        self.out_ring.used()
    }

    /// Whether so much was put and not released that the peer, had it taken it, would tell.
    pub fn owes_word(&self) -> bool {
        self.out_ring.is_worth_telling(self.out_ring.used())
    }

    /// The peer says where bytes lie. Whether they are here: the client has them read first.
    pub fn come(
        &mut self,
        pair: *mut QueuePair,
        user: u64,
        (position, length): (u32, u32),
    ) -> Result<bool, Violation> {
        self.come_ring.expect(position, length)?;
        self.totals.1 += u64::from(length);
        let Side::Client { shelf, .. } = self.side else {
            return Ok(true);
        };
        let slice = self.come.slice(position, length);
        match reach(pair, user, WR_RDMA_READ, slice, shelf, position) {
            true => Ok(false),
            // There is room for as many reads as messages; a pair that takes none is broken.
            false => Err(Violation::Place),
        }
    }

    /// Copies from a piece that came.
    pub fn read(&self, from: u32, into: &mut [u8]) {
        self.come.read(from, into);
    }

    /// The oldest piece that came was taken.
    pub fn release(&mut self, length: u32) {
        self.come_ring.release(length);
        self.untold += length;
    }

    /// Whether the peer should be told of what was given back.
    pub fn owes(&self, last: bool) -> bool {
        self.come_ring.is_worth_telling(self.untold) || (last && self.untold > 0)
    }

    /// The peer is told of everything that was released.
    pub fn told(&mut self) {
        self.untold = 0;
    }
}

fn reach(
    pair: *mut QueuePair,
    user: u64,
    opcode: std::ffi::c_int,
    mut slice: Slice,
    far: Far,
    position: u32,
) -> bool {
    let mut request = SendRequest {
        user,
        slices: &mut slice,
        slice_count: 1,
        opcode,
        flags: SEND_SIGNALED,
        remote_address: far.address + u64::from(position),
        remote_key: far.key,
        ..SendRequest::EMPTY
    };
    post(pair, &mut request)
}

#[cfg(all(test, feature = "lab"))]
impl Memory {
    /// The client's: what it may write to, and read.
    pub(crate) fn raw_fars(&self) -> Option<(Far, Far)> {
        match self.side {
            Side::Client { landing, shelf } => Some((landing, shelf)),
            Side::Broker { .. } => None,
        }
    }
}
