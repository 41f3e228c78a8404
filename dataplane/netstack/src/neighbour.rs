//! Which hardware address a neighbour has: asked for by ARP or neighbour discovery, bounded, and
//! forgotten least-used first.

use std::collections::HashMap;
use std::hash::BuildHasher;

use siphasher::sip::SipHasher13;

use crate::config::{Nanos, SECOND};
use crate::wire::ethernet::Mac;
use crate::wire::ip::Address;

/// How long an answer is trusted before the neighbour is asked again.
const FRESH: Nanos = 60 * SECOND;
const ASK_INTERVAL: Nanos = SECOND;
/// Unanswered questions before a neighbour is taken for gone (RFC 4861: MAX_MULTICAST_SOLICIT).
const ASK_MAX: u8 = 3;
/// Entries looked at to find one that makes room.
const EVICT_LOOKS: usize = 16;

#[derive(Clone, Copy)]
struct Entry {
    address: Address,
    mac: Option<Mac>,
    /// Until when the answer is trusted.
    fresh_until: Nanos,
    asked: u8,
    ask_at: Nanos,
    used: bool,
    fixed: bool,
}

/// What is known of a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Known(Mac),
    /// Known, but old: use it, and ask `mac` whether it is still there.
    Confirm(Mac),
    /// Unknown: ask everybody now.
    Ask,
    /// Unknown and asked for.
    Wait,
}

#[derive(Clone)]
struct Keyed(SipHasher13);

impl BuildHasher for Keyed {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        self.0
    }
}

pub struct Neighbours {
    entries: Vec<Entry>,
    index: HashMap<Address, u32, Keyed>,
    capacity: usize,
    hand: usize,
    /// Entries without an answer.
    open: usize,
    /// No entry without an answer is to be asked for before this.
    next_ask_at: Nanos,
    pub learnt: u64,
    pub evicted: u64,
    pub unreachable: u64,
}

impl Neighbours {
    pub fn new(capacity: usize, key: [u8; 16]) -> Neighbours {
        let keyed = Keyed(SipHasher13::new_with_key(&key));
        Neighbours {
            entries: Vec::with_capacity(capacity),
            index: HashMap::with_capacity_and_hasher(capacity, keyed),
            capacity,
            hand: 0,
            open: 0,
            next_ask_at: Nanos::MAX,
            learnt: 0,
            evicted: 0,
            unreachable: 0,
        }
    }

    /// A neighbour that stays as it is.
    pub fn insert_fixed(&mut self, address: Address, mac: Mac) {
        if let Some(at) = self.entry(address, 0) {
            self.entries[at].fixed = true;
            self.answered(at, mac, Nanos::MAX);
        }
    }

    /// The way to `address`, as it will be used now.
    pub fn way(&mut self, address: Address, now: Nanos) -> Way {
        if let Some(at) = self.index.get(&address) {
            let entry = &mut self.entries[*at as usize];
            entry.used = true;
            return match entry.mac {
                Some(mac) if now < entry.fresh_until || now < entry.ask_at => Way::Known(mac),
                Some(mac) if entry.asked < ASK_MAX => {
                    entry.asked += 1;
                    entry.ask_at = now + ASK_INTERVAL;
                    Way::Confirm(mac)
                }
                Some(_) => {
                    // It does not answer any more: ask everybody, as if never known.
                    entry.mac = None;
                    entry.asked = 1;
                    entry.ask_at = now + ASK_INTERVAL;
                    self.next_ask_at = self.next_ask_at.min(entry.ask_at);
                    self.open += 1;
                    Way::Ask
                }
                None => Way::Wait,
            };
        }
        let Some(at) = self.entry(address, now) else {
            return Way::Wait;
        };
        self.entries[at].asked = 1;
        self.entries[at].ask_at = now + ASK_INTERVAL;
        self.next_ask_at = self.next_ask_at.min(now + ASK_INTERVAL);
        Way::Ask
    }

    /// What is known, without asking.
    pub fn known(&self, address: Address) -> Option<Mac> {
        let at = self.index.get(&address)?;
        self.entries.get(*at as usize)?.mac
    }

    /// An answer that was asked for, or news about an entry that is already there; strangers'
    /// unasked announcements make no entries.
    pub fn learn(&mut self, address: Address, mac: Mac, now: Nanos) {
        if let Some(at) = self.index.get(&address).copied() {
            self.answered(at as usize, mac, now + FRESH);
        }
    }

    /// A neighbour that proved to be at `mac`, by asking us or by a finished handshake.
    pub fn insert(&mut self, address: Address, mac: Mac, now: Nanos) {
        if let Some(at) = self.entry(address, now) {
            self.answered(at, mac, now + FRESH);
        }
    }

    /// Asks again for neighbours that did not answer; forgets those that will not.
    pub fn poll(&mut self, now: Nanos, ask: &mut dyn FnMut(Address)) {
        if self.open == 0 || now < self.next_ask_at {
            return;
        }
        self.next_ask_at = Nanos::MAX;
        let mut at = 0;
        while at < self.entries.len() {
            let entry = &mut self.entries[at];
            if entry.mac.is_none() && now >= entry.ask_at {
                if entry.asked >= ASK_MAX {
                    self.unreachable += 1;
                    self.forget(at);
                    continue;
                }
                entry.asked += 1;
                entry.ask_at = now + ASK_INTERVAL;
                ask(entry.address);
            }
            if entry.mac.is_none() {
                self.next_ask_at = self.next_ask_at.min(entry.ask_at);
            }
            at += 1;
        }
    }

    /// When [`Neighbours::poll`] has something to do.
    pub fn next_deadline(&self) -> Option<Nanos> {
        (self.open > 0).then_some(self.next_ask_at)
    }

    fn answered(&mut self, at: usize, mac: Mac, fresh_until: Nanos) {
        let entry = &mut self.entries[at];
        if entry.fixed && entry.mac.is_some() {
            return;
        }
        if entry.mac.is_none() {
            self.open -= 1;
            self.learnt += 1;
        }
        entry.mac = Some(mac);
        entry.fresh_until = fresh_until;
        entry.asked = 0;
    }

    /// The entry of `address`, made where there is none; None where nothing can make room.
    fn entry(&mut self, address: Address, now: Nanos) -> Option<usize> {
        if let Some(at) = self.index.get(&address) {
            return Some(*at as usize);
        }
        if self.entries.len() >= self.capacity {
            let victim = self.victim()?;
            self.evicted += 1;
            self.forget(victim);
        }
        self.index.insert(address, self.entries.len() as u32);
        self.entries.push(Entry {
            address,
            mac: None,
            fresh_until: 0,
            asked: 0,
            ask_at: now,
            used: true,
            fixed: false,
        });
        self.open += 1;
        Some(self.entries.len() - 1)
    }

    /// One entry that was not used since the hand last came by, or the last one looked at.
    fn victim(&mut self) -> Option<usize> {
        let mut last = None;
        for _ in 0..EVICT_LOOKS.max(self.entries.len().min(64)) {
            self.hand = (self.hand + 1) % self.entries.len().max(1);
            let entry = self.entries.get_mut(self.hand)?;
            if entry.fixed {
                continue;
            }
            last = Some(self.hand);
            if !std::mem::take(&mut entry.used) {
                break;
            }
        }
        last
    }

    fn forget(&mut self, at: usize) {
        let gone = self.entries.swap_remove(at);
        self.index.remove(&gone.address);
        self.open -= usize::from(gone.mac.is_none());
        if let Some(moved) = self.entries.get(at) {
            self.index.insert(moved.address, at as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = [2, 0, 0, 0, 0, 1];

    fn address(last: u8) -> Address {
        Address::v4([10, 0, 0, last])
    }

    #[test]
    fn asks_answers_ages_and_gives_up() {
        let mut table = Neighbours::new(4, [1; 16]);
        assert_eq!(table.way(address(1), 0), Way::Ask);
        assert_eq!(table.way(address(1), 1), Way::Wait);
        table.learn(address(1), MAC, 2);
        assert_eq!(table.way(address(1), 3), Way::Known(MAC));
        let old = FRESH + SECOND;
        assert_eq!(table.way(address(1), old), Way::Confirm(MAC));
        assert_eq!(table.way(address(1), old + 1), Way::Known(MAC));
        assert_eq!(table.way(address(1), old + 2 * SECOND), Way::Confirm(MAC));
        assert_eq!(table.way(address(1), old + 4 * SECOND), Way::Confirm(MAC));
        assert_eq!(table.way(address(1), old + 6 * SECOND), Way::Ask);
        let mut asked = 0;
        for second in 7..12 {
            table.poll(old + second * SECOND, &mut |_| asked += 1);
        }
        assert_eq!(
            (asked, table.unreachable, table.next_deadline()),
            (2, 1, None)
        );
    }

    #[test]
    fn is_bounded_and_keeps_fixed_entries() {
        let mut table = Neighbours::new(4, [1; 16]);
        table.insert_fixed(address(9), MAC);
        for last in 20..200 {
            table.insert(address(last), [last; 6], 0);
        }
        table.insert(address(9), [9; 6], 0);
        assert_eq!(table.way(address(9), 1 << 60), Way::Known(MAC));
        assert_eq!((table.entries.len(), table.index.len()), (4, 4));
        table.learn(address(250), MAC, 0);
        assert_eq!(
            table.entries.len(),
            4,
            "an unasked announcement makes no entry"
        );
    }
}
