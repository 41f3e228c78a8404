//! What one shard has lent to its clients: windows bound and invalidated in their queue pairs, and
//! what the thread is asked for meanwhile.

use precursor_transport_port::{ConnectionId, Event, LOANS_MAX, Reach};

use crate::lane::loan_user;
use crate::listener::FromShard;
use crate::loan::LoanWindows;
use crate::transport::RdmaTransport;

/// Loans that one client may have.
const LOANS_PER_CLIENT: u32 = 16;
/// Requests about windows that one client's send queue has room for.
pub(crate) const WINDOW_REQUESTS: u32 = 4;

/// How far a loan is.
enum Stage {
    /// The thread registers its memory.
    Asked,
    /// To be bound.
    Registered(LoanWindows),
    Bound(LoanWindows),
    /// Being invalidated.
    Closing,
    /// The thread is to end it, or does so with its connection.
    Ending,
}

struct Entry {
    slot: u32,
    /// The thread's name of the connection.
    key: u64,
    stage: Stage,
    recalled: bool,
    /// Requests that did not complete.
    under_way: u32,
}

/// The loans of one transport, by their numbers, and what is to be reported of them.
pub(crate) struct Lending {
    entries: Box<[Option<Entry>]>,
    pub events: Vec<Event>,
}

impl Lending {
    pub fn new() -> Lending {
        Lending {
            entries: (0..LOANS_MAX).map(|_| None).collect(),
            // Two of each loan at most.
            events: Vec::with_capacity(2 * LOANS_MAX as usize),
        }
    }

    fn entry(&mut self, loan: u32) -> Option<&mut Entry> {
        self.entries.get_mut(loan as usize)?.as_mut()
    }
}

impl RdmaTransport {
    pub(crate) fn lend(&mut self, id: ConnectionId, loan: u32, memory: Reach) -> bool {
        let free =
            |entries: &[Option<Entry>]| entries.get(loan as usize).is_some_and(Option::is_none);
        if !free(&self.lending.entries) {
            return false;
        }
        let Some(client) = self.client(id) else {
            return false;
        };
        // Who was granted no memory of its own reaches nothing: the pair answers no reads.
        if client.gone || client.lane.totals().is_none() || client.loans >= LOANS_PER_CLIENT {
            return false;
        }
        client.loans += 1;
        let key = client.key;
        self.lending.entries[loan as usize] = Some(Entry {
            slot: id.slot,
            key,
            stage: Stage::Asked,
            recalled: false,
            under_way: 0,
        });
        self.tell_thread(FromShard::Lend { key, loan, memory });
        true
    }

    pub(crate) fn recall(&mut self, loan: u32) {
        if let Some(entry) = self.lending.entry(loan) {
            entry.recalled = true;
            self.advance(loan);
        }
    }

    /// The thread has registered the memory.
    pub(crate) fn registered(&mut self, loan: u32, windows: LoanWindows) {
        if let Some(entry) = self.lending.entry(loan) {
            entry.stage = Stage::Registered(windows);
            self.advance(loan);
        }
    }

    /// The thread has ended it, or could not make it.
    pub(crate) fn returned(&mut self, loan: u32) {
        let Some(entry) = self.lending.entries[loan as usize].take() else {
            return;
        };
        let client = self.slots[entry.slot as usize].client.as_mut();
        if let Some(client) = client.filter(|client| client.key == entry.key) {
            client.loans -= 1;
        }
        self.lending.events.push(Event::Returned { loan });
    }

    /// A request about a window has completed.
    pub(crate) fn window_done(&mut self, slot: u32, loan: u32) {
        if let Some(client) = &mut self.slots[slot as usize].client {
            client.window_requests = client.window_requests.saturating_sub(1);
        }
        if let Some(entry) = self.lending.entry(loan) {
            entry.under_way = entry.under_way.saturating_sub(1);
        }
        for loan in 0..LOANS_MAX {
            if self.lending.entry(loan).is_some_and(|e| e.slot == slot) {
                self.advance(loan);
            }
        }
    }

    /// Goes on with a loan as far as its client's send queue has room.
    fn advance(&mut self, loan: u32) {
        let Some(entry) = self.lending.entries[loan as usize].as_mut() else {
            return;
        };
        let client = self.slots[entry.slot as usize].client.as_mut();
        let here = |client: &&mut crate::transport::Client| !client.left && client.key == entry.key;
        // Of a client that was left the thread ends everything.
        let Some(client) = client.filter(here) else {
            return;
        };
        let has_room = client.window_requests + 2 <= WINDOW_REQUESTS;
        let (pair, user) = (client.lane.pair(), loan_user(entry.slot, loan));
        let posted = match &entry.stage {
            Stage::Registered(_) if entry.recalled => None,
            Stage::Registered(windows) if has_room => {
                let windows = *windows;
                entry.stage = Stage::Bound(windows);
                let keys = windows.keys();
                self.lending.events.push(Event::Lent { loan, keys });
                Some(windows.each(|window| window.open(pair, user)))
            }
            Stage::Bound(windows) if entry.recalled && entry.under_way == 0 && has_room => {
                let windows = *windows;
                entry.stage = Stage::Closing;
                Some(windows.each(|window| window.close(pair, user)))
            }
            Stage::Closing if entry.under_way == 0 => None,
            _ => return,
        };
        let Some((count, all)) = posted else {
            entry.stage = Stage::Ending;
            let key = entry.key;
            return self.tell_thread(FromShard::EndLoan { key, loan });
        };
        entry.under_way += count;
        client.window_requests += count;
        if !all {
            // A pair that takes nothing any more is broken; with it ends what it may read.
            client.gone = true;
            let slot = entry.slot;
            self.list(slot);
        }
    }
}
