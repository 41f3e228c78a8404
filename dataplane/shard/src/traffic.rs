//! What went into each log and out of it since the shard started.

use precursor_storage::LogId;

/// One log's sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub records_in: u64,
    pub batches_in: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    generation: u32,
    traffic: Traffic,
}

/// The traffic of every local log, by the store's slot.
#[derive(Default)]
pub(crate) struct TrafficTable {
    slots: Vec<Slot>,
}

impl TrafficTable {
    /// Makes room for a log; one that was in its slot before is forgotten.
    pub fn prepare(&mut self, log: LogId) {
        let slot = log.slot as usize;
        if slot >= self.slots.len() {
            self.slots.resize(slot + 1, Slot::default());
        }
        if self.slots[slot].generation != log.generation {
            self.slots[slot] = Slot {
                generation: log.generation,
                traffic: Traffic::default(),
            };
        }
    }

    pub fn get(&self, log: LogId) -> Traffic {
        let slot = self.slots.get(log.slot as usize);
        let slot = slot.filter(|slot| slot.generation == log.generation);
        slot.map_or(Traffic::default(), |slot| slot.traffic)
    }

    fn get_mut(&mut self, log: LogId) -> Option<&mut Traffic> {
        let slot = self.slots.get_mut(log.slot as usize)?;
        (slot.generation == log.generation).then_some(&mut slot.traffic)
    }

    pub fn batch_in(&mut self, log: LogId, records: u32, bytes: usize) {
        if let Some(traffic) = self.get_mut(log) {
            traffic.records_in += u64::from(records);
            traffic.batches_in += 1;
            traffic.bytes_in += bytes as u64;
        }
    }

    pub fn bytes_out(&mut self, log: LogId, bytes: usize) {
        if let Some(traffic) = self.get_mut(log) {
            traffic.bytes_out += bytes as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_the_slot_of_another_begins_at_zero() {
        let mut table = TrafficTable::default();
        let first = LogId {
            slot: 3,
            generation: 0,
        };
        let second = LogId {
            generation: 1,
            ..first
        };
        table.batch_in(first, 1, 1);
        assert_eq!(table.get(first), Traffic::default(), "not prepared");
        table.prepare(first);
        table.batch_in(first, 2, 100);
        table.bytes_out(first, 40);
        table.prepare(first);
        let seen = table.get(first);
        assert_eq!((seen.records_in, seen.batches_in), (2, 1));
        assert_eq!((seen.bytes_in, seen.bytes_out), (100, 40));
        table.prepare(second);
        assert_eq!(table.get(second), Traffic::default());
        assert_eq!(table.get(first), Traffic::default());
    }
}
