//! Deadlines of what is parked: a hashed wheel with a slot per millisecond.

const SLOTS: usize = 1024;
const NONE: u32 = u32::MAX;
/// A tick is 1,024 µs: a shift instead of a division.
const TICK_SHIFT: u32 = 10;

/// Names one armed timer. Cancelling it twice, or after it fired, is misuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerId(u32);

struct Node<T> {
    deadline_us: u64,
    previous: u32,
    next: u32,
    what: Option<T>,
}

/// Arms and cancels in constant time, allocates only when more timers are armed than ever before.
///
/// Deadlines past the wheel's second stay in their slot and are looked at once a round.
pub(crate) struct TimerWheel<T> {
    nodes: Vec<Node<T>>,
    free: Vec<u32>,
    heads: Box<[u32; SLOTS]>,
    /// Tick up to which everything was looked at.
    tick: u64,
    armed: usize,
}

impl<T> TimerWheel<T> {
    pub fn new(now_us: u64) -> Self {
        TimerWheel {
            nodes: Vec::new(),
            free: Vec::new(),
            heads: Box::new([NONE; SLOTS]),
            tick: now_us >> TICK_SHIFT,
            armed: 0,
        }
    }

    fn slot(deadline_us: u64) -> usize {
        (deadline_us >> TICK_SHIFT) as usize % SLOTS
    }

    /// Arms a timer that fires at the first [`expire`](Self::expire) at or after `deadline_us`.
    pub fn arm(&mut self, deadline_us: u64, what: T) -> TimerId {
        // A tick fires as a whole: one that begins at the deadline or later is never early. A deadline
        // in the past would land in a slot that the hand has left.
        let tick = (deadline_us.div_ceil(1 << TICK_SHIFT)).max(self.tick + 1);
        let deadline_us = tick << TICK_SHIFT;
        let slot = Self::slot(deadline_us);
        let next = self.heads[slot];
        let node = Node {
            deadline_us,
            previous: NONE,
            next,
            what: Some(what),
        };
        let index = match self.free.pop() {
            Some(index) => {
                self.nodes[index as usize] = node;
                index
            }
            None => {
                self.nodes.push(node);
                self.free.reserve(self.nodes.len());
                (self.nodes.len() - 1) as u32
            }
        };
        if next != NONE {
            self.nodes[next as usize].previous = index;
        }
        self.heads[slot] = index;
        self.armed += 1;
        TimerId(index)
    }

    /// Disarms a timer that has not fired.
    pub fn cancel(&mut self, id: TimerId) {
        if self.nodes[id.0 as usize].what.is_some() {
            self.unlink(id.0);
        }
    }

    fn unlink(&mut self, index: u32) -> Option<T> {
        let node = &mut self.nodes[index as usize];
        let (previous, next) = (node.previous, node.next);
        let slot = Self::slot(node.deadline_us);
        let what = node.what.take();
        if previous == NONE {
            self.heads[slot] = next;
        } else {
            self.nodes[previous as usize].next = next;
        }
        if next != NONE {
            self.nodes[next as usize].previous = previous;
        }
        self.free.push(index);
        self.armed -= 1;
        what
    }

    /// Appends everything due at `now_us` to `fired`.
    pub fn expire(&mut self, now_us: u64, fired: &mut Vec<T>) {
        let now_tick = now_us >> TICK_SHIFT;
        if self.armed == 0 {
            self.tick = self.tick.max(now_tick);
            return;
        }
        // One round visits every slot; more would visit them twice.
        let first = (self.tick + 1).max(now_tick.saturating_sub(SLOTS as u64 - 1));
        for tick in first..=now_tick {
            let mut index = self.heads[tick as usize % SLOTS];
            while index != NONE {
                let next = self.nodes[index as usize].next;
                if self.nodes[index as usize].deadline_us >> TICK_SHIFT <= now_tick {
                    fired.extend(self.unlink(index));
                }
                index = next;
            }
        }
        self.tick = self.tick.max(now_tick);
    }

    /// A time not after the earliest deadline, for a sleep; `None` with nothing armed.
    pub fn next_deadline_us(&self) -> Option<u64> {
        if self.armed == 0 {
            return None;
        }
        let occupied = (1..=SLOTS as u64).find(|ahead| {
            let tick = self.tick + ahead;
            self.heads[tick as usize % SLOTS] != NONE
        });
        occupied.map(|ahead| (self.tick + ahead) << TICK_SHIFT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_once_never_early_and_in_time() {
        let mut seed = 0x2545_f491_4f6c_dd1du64;
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let mut wheel = TimerWheel::new(5_000);
        let mut now = 5_000u64;
        let mut armed: Vec<(u64, u64, TimerId)> = Vec::new();
        let mut fired = Vec::new();
        for number in 0..20_000u64 {
            let deadline = now + random() % 3_000_000;
            armed.push((number, deadline, wheel.arm(deadline, number)));
            if random() % 3 == 0 {
                let at = (random() % armed.len() as u64) as usize;
                let (_, _, id) = armed.swap_remove(at);
                wheel.cancel(id);
            }
            now += random() % 2_000;
            fired.clear();
            wheel.expire(now, &mut fired);
            for number in &fired {
                let at = armed.iter().position(|(n, _, _)| n == number);
                let (_, deadline, _) = armed.swap_remove(at.expect("fires once"));
                assert!(now >= deadline, "never early");
            }
            // Late by two ticks at most: one for rounding, one for a deadline already past.
            assert!(armed.iter().all(|(_, d, _)| d + 2048 >= now), "in time");
            if let Some(next) = wheel.next_deadline_us() {
                assert!(armed.iter().all(|(_, d, _)| next <= (*d).max(now) + 1024));
            }
        }
    }
}
