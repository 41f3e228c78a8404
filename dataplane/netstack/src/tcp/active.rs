//! What a connection has beyond its control block while there is data: buffers, the record of what
//! is in flight, and the state of loss recovery.

use super::bbr::Bbr;
use super::congestion::Cubic;
use super::delivery::Delivery;
use super::rack::Rack;
use super::receive_buffer::ReceiveBuffer;
use super::recovery::Recovery;
use super::scoreboard::Scoreboard;
use super::send_queue::SendQueue;
use crate::chunks::Chunks;
use crate::config::Nanos;
use crate::list::NONE;

#[derive(Default)]
pub struct Active {
    pub send: SendQueue,
    pub receive: ReceiveBuffer,
    pub board: Scoreboard,
    pub rack: Rack,
    pub recovery: Recovery,
    pub cubic: Cubic,
    pub bbr: Bbr,
    pub delivery: Delivery,
    /// When segments that are late become lost; 0: no such timer.
    pub reorder_at: Nanos,
    /// Sequence of a FIN that came before bytes that it follows.
    pub early_fin: Option<u32>,
    /// Bytes let go of and not yet told (lent memory only).
    pub released: u64,
    next_free: u32,
}

impl Active {
    /// Nothing is waiting in either direction: it can be given back.
    pub fn is_idle(&self) -> bool {
        self.send.is_empty()
            && self.board.is_empty()
            && self.receive.is_empty()
            && self.released == 0
    }

    /// Gives back all memory; the containers keep theirs for the next user.
    fn reset(&mut self, chunks: &mut Chunks) {
        self.send.clear(chunks);
        self.receive.clear(chunks);
        self.board.clear();
        self.rack = Rack::default();
        self.recovery = Recovery::default();
        self.cubic = Cubic::default();
        self.bbr = Bbr::default();
        self.delivery = Delivery::default();
        self.reorder_at = 0;
        self.early_fin = None;
        self.released = 0;
    }
}

/// A bounded pool of [`Active`]s.
pub struct Actives {
    all: Vec<Active>,
    limit: usize,
    free: u32,
    lent: usize,
}

impl Actives {
    pub fn new(limit: usize) -> Actives {
        Actives {
            all: Vec::with_capacity(limit),
            limit,
            free: NONE,
            lent: 0,
        }
    }

    pub fn lent(&self) -> usize {
        self.lent
    }

    pub fn has_free(&self) -> bool {
        self.lent < self.limit
    }

    pub fn take(&mut self) -> Option<u32> {
        let index = if self.free != NONE {
            let index = self.free;
            self.free = self.all[index as usize].next_free;
            index
        } else if self.all.len() < self.limit {
            self.all.push(Active::default());
            self.all.len() as u32 - 1
        } else {
            return None;
        };
        self.lent += 1;
        Some(index)
    }

    pub fn give_back(&mut self, index: u32, chunks: &mut Chunks) {
        let active = &mut self.all[index as usize];
        active.reset(chunks);
        active.next_free = self.free;
        self.free = index;
        self.lent -= 1;
    }

    pub fn find(&self, index: u32) -> Option<&Active> {
        self.all.get(index as usize)
    }

    pub fn find_mut(&mut self, index: u32) -> Option<&mut Active> {
        self.all.get_mut(index as usize)
    }
}
