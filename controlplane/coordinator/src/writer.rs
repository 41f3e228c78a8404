//! Records on their way into the log: what waits goes together into one batch.

use precursor_groups::Record;
use precursor_protocol::records::BatchBuilder;
use std::collections::VecDeque;

/// Most bytes of records of several appends in one batch; a single append may be larger.
const BATCH_BYTES_MAX: usize = 512 * 1024;

#[derive(Debug)]
struct Waiting {
    id: u64,
    records: Vec<Record>,
    bytes: usize,
}

/// Appends that have not begun, in order.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    waiting: VecDeque<Waiting>,
    under_way: UnderWay,
}

/// A batch's appends, and its number of records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct UnderWay {
    pub appends: Vec<u64>,
    pub records: i64,
}

impl Writer {
    pub fn push(&mut self, id: u64, records: Vec<Record>) {
        let length = |record: &Record| {
            record.key.len() + record.value.as_ref().map_or(0, |value| value.len())
        };
        let bytes = records.iter().map(length).sum();
        self.waiting.push_back(Waiting { id, records, bytes });
    }

    /// The next batch, when none is under way and something waits.
    pub fn begin(&mut self, now_ms: i64) -> Option<Vec<u8>> {
        if !self.under_way.appends.is_empty() {
            return None;
        }
        let mut builder = BatchBuilder::new();
        let mut bytes = 0;
        while let Some(append) = self.waiting.front()
            && (self.under_way.appends.is_empty() || bytes + append.bytes <= BATCH_BYTES_MAX)
        {
            bytes += append.bytes;
            for record in &append.records {
                builder.append(now_ms, Some(&record.key), record.value.as_deref(), &[]);
            }
            self.under_way.appends.push(append.id);
            self.under_way.records += append.records.len() as i64;
            self.waiting.pop_front();
        }
        if self.under_way.appends.is_empty() {
            return None;
        }
        let mut batch = Vec::new();
        builder.build(&mut batch);
        Some(batch)
    }

    /// The appends of the batch that is under way.
    pub fn under_way(&self) -> &[u64] {
        &self.under_way.appends
    }

    /// The batch is written, or is not to be: what it had.
    pub fn end(&mut self) -> UnderWay {
        std::mem::take(&mut self.under_way)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Writer::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_protocol::records::split_batches;

    fn record(text: &str) -> Record {
        Record {
            key: text.into(),
            value: Some(vec![7]),
        }
    }

    #[test]
    fn what_waits_goes_together_in_order_and_within_the_bound() {
        let mut writer = Writer::default();
        assert!(writer.begin(5).is_none());
        writer.push(1, vec![record("a")]);
        let first = writer.begin(5).unwrap();
        writer.push(2, vec![record("b"), record("c")]);
        writer.push(3, vec![record("d")]);
        let large = Record {
            key: vec![1],
            value: Some(vec![0; BATCH_BYTES_MAX]),
        };
        writer.push(4, vec![large]);
        assert!(writer.begin(5).is_none(), "one at a time");
        assert_eq!(writer.end().appends, [1]);
        let second = writer.begin(6).unwrap();
        assert_eq!(writer.end().appends, [2, 3]);
        let keys = |batch: &[u8]| -> Vec<u8> {
            let batch = split_batches(batch).next().unwrap().unwrap();
            assert!(batch.crc_is_right());
            let records = batch
                .records()
                .map(|record| record.unwrap().key.unwrap()[0]);
            records.collect()
        };
        assert_eq!(keys(&first), b"a");
        assert_eq!(keys(&second), b"bcd");
        assert!(writer.begin(7).unwrap().len() > BATCH_BYTES_MAX);
        assert_eq!(writer.end().appends, [4]);
        assert!(writer.begin(8).is_none());
    }
}
