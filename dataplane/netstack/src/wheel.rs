//! A hierarchical timer wheel: one timer for each slot, set and removed in constant time.
//!
//! Each level has 64 places; a place of one level spans a whole turn of the level below. A timer
//! rests in the level where its time first differs from now, and moves down as time comes near.

use crate::config::Nanos;
use crate::list::NONE;

const LEVELS: usize = 6;
const PLACES: usize = 64;
/// One tick is 2¹⁶ ns, about 66 µs: a timer fires at most that much late, never early.
const TICK_SHIFT: u32 = 16;
const WHEN_MASK: u64 = (1 << 48) - 1;
/// The farthest a timer rests ahead; later ones fire then and are set again by their owner.
const AHEAD_MAX: u64 = (1 << 35) - 1;

#[derive(Clone, Copy)]
struct Timer {
    next: u32,
    previous: u32,
    /// The tick in the low 48 bits, the place (level × 64 + index) above; `UNSET` without a timer.
    when: u64,
}

const UNSET: u64 = u64::MAX;

/// Timers of the slots 0..n. Owned by one stack.
pub struct Wheel {
    timers: Vec<Timer>,
    heads: [u32; LEVELS * PLACES],
    occupied: [u64; LEVELS],
    /// All ticks up to here have fired.
    elapsed: u64,
    /// Timers that were due when they were set, or that fell due with others.
    due: u32,
}

/// The list of due timers has a place number of its own.
const DUE: u64 = (LEVELS * PLACES) as u64;

impl Wheel {
    pub fn new(capacity: usize, now: Nanos) -> Wheel {
        Wheel {
            timers: Vec::with_capacity(capacity),
            heads: [NONE; LEVELS * PLACES],
            occupied: [0; LEVELS],
            elapsed: now >> TICK_SHIFT,
            due: NONE,
        }
    }

    pub fn bytes(&self) -> usize {
        self.timers.capacity() * size_of::<Timer>()
    }

    /// Makes room for one more slot.
    pub fn grow(&mut self) {
        self.timers.push(Timer {
            next: NONE,
            previous: NONE,
            when: UNSET,
        });
    }

    /// Makes sure that `slot` fires at `deadline` or before. A timer that is set earlier stays:
    /// its owner looks at its deadlines then, and sets the next.
    pub fn set(&mut self, slot: u32, deadline: Nanos) {
        let tick = deadline.div_ceil(1 << TICK_SHIFT);
        let tick = tick.min(self.elapsed + AHEAD_MAX);
        let current = self.timers[slot as usize].when;
        if current != UNSET {
            if current & WHEN_MASK <= tick {
                return;
            }
            self.remove(slot);
        }
        self.insert(slot, tick);
    }

    pub fn remove(&mut self, slot: u32) {
        let timer = self.timers[slot as usize];
        if timer.when == UNSET {
            return;
        }
        let place = timer.when >> 48;
        match timer.previous {
            NONE if place == DUE => self.due = timer.next,
            NONE => {
                self.heads[place as usize] = timer.next;
                if timer.next == NONE {
                    self.occupied[place as usize / PLACES] &= !(1 << (place % PLACES as u64));
                }
            }
            previous => self.timers[previous as usize].next = timer.next,
        }
        if timer.next != NONE {
            self.timers[timer.next as usize].previous = timer.previous;
        }
        self.timers[slot as usize].when = UNSET;
    }

    /// Takes one timer that is due at `now`.
    pub fn pop_due(&mut self, now: Nanos) -> Option<u32> {
        let now_tick = now >> TICK_SHIFT;
        loop {
            if self.due != NONE {
                let slot = self.due;
                self.remove(slot);
                return Some(slot);
            }
            let Some((tick, level, index)) = self.next_place().filter(|next| next.0 <= now_tick)
            else {
                self.elapsed = self.elapsed.max(now_tick);
                return None;
            };
            self.elapsed = self.elapsed.max(tick);
            self.cascade(level * PLACES + index);
        }
    }

    /// When [`Wheel::pop_due`] should be called next; may be early, never late.
    pub fn next_deadline(&self) -> Option<Nanos> {
        if self.due != NONE {
            return Some(self.elapsed << TICK_SHIFT);
        }
        self.next_place().map(|(tick, ..)| tick << TICK_SHIFT)
    }

    /// The next place with timers: when it begins, its level and its index.
    fn next_place(&self) -> Option<(u64, usize, usize)> {
        for level in 0..LEVELS {
            if self.occupied[level] == 0 {
                continue;
            }
            let shift = 6 * level as u32;
            let current = (self.elapsed >> shift) & 63;
            let ahead = self.occupied[level]
                .rotate_right(current as u32)
                .trailing_zeros();
            let index = (current as usize + ahead as usize) % PLACES;
            let turn = (self.elapsed >> (shift + 6)) << (shift + 6);
            let mut begins = turn + ((index as u64) << shift);
            if index < current as usize {
                begins += 1 << (shift + 6);
            }
            return Some((begins.max(self.elapsed), level, index));
        }
        None
    }

    fn cascade(&mut self, place: usize) {
        let mut slot = self.heads[place];
        self.heads[place] = NONE;
        self.occupied[place / PLACES] &= !(1 << (place % PLACES));
        while slot != NONE {
            let timer = self.timers[slot as usize];
            self.insert(slot, timer.when & WHEN_MASK);
            slot = timer.next;
        }
    }

    fn insert(&mut self, slot: u32, tick: u64) {
        let (place, head) = if tick <= self.elapsed {
            (DUE, &mut self.due)
        } else {
            let differs = (self.elapsed ^ tick) | 63;
            let level = ((63 - differs.leading_zeros()) / 6).min(LEVELS as u32 - 1);
            let index = (tick >> (6 * level)) & 63;
            self.occupied[level as usize] |= 1 << index;
            let place = u64::from(level) * PLACES as u64 + index;
            (place, &mut self.heads[place as usize])
        };
        let next = *head;
        *head = slot;
        if next != NONE {
            self.timers[next as usize].previous = slot;
        }
        self.timers[slot as usize] = Timer {
            next,
            previous: NONE,
            when: place << 48 | tick,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const TICK: u64 = 1 << TICK_SHIFT;

    #[test]
    fn agrees_with_a_sorted_map_over_seeded_histories() {
        for seed in 0..20 {
            let mut random = crate::test_random::Random::new(seed);
            let mut now = random.next() % (1 << 50);
            let mut wheel = Wheel::new(64, now);
            let mut model: BTreeMap<u32, u64> = BTreeMap::new();
            (0..64).for_each(|_| wheel.grow());
            for _ in 0..4000 {
                let slot = random.below(64) as u32;
                match random.below(4) {
                    0 | 1 => {
                        let ahead = random.next() % (TICK << random.below(34));
                        let earlier = model.get(&slot).map_or(u64::MAX, |at| *at);
                        wheel.set(slot, now + ahead);
                        model.insert(slot, earlier.min(now + ahead));
                    }
                    2 => {
                        wheel.remove(slot);
                        model.remove(&slot);
                    }
                    _ => {
                        let first = model.values().min();
                        let told = wheel.next_deadline();
                        assert_eq!(told.is_some(), first.is_some());
                        if let (Some(told), Some(first)) = (told, first) {
                            assert!(told <= first.next_multiple_of(TICK).max(now));
                        }
                        now += random.next() % (TICK << random.below(30));
                        while let Some(fired) = wheel.pop_due(now) {
                            let at = model.remove(&fired).expect("set");
                            assert!(at <= now, "seed {seed}: {at} fired early, at {now}");
                        }
                        assert!(
                            model.values().all(|at| *at + TICK > now),
                            "seed {seed}: late"
                        );
                    }
                }
            }
        }
    }
}
