//! Random histories against an oracle in memory: appends, those of blanks among them, reads, polls, deletions, clean stops,
//! crashes, power cuts. One seed is one history.

use crate::support::{self, Bench, batch, stored};
use precursor_disk::sim::Random;
use precursor_model::{ColdCompression, FlushPolicy, LogConfig};
use precursor_storage::{AppendError, Blank, LogId, ReadOptions, StoreEvent, Written};

struct Oracle {
    uid: u64,
    topic: String,
    id: LogId,
    config: LogConfig,
    /// Every batch ever acknowledged, as it is stored.
    batches: Vec<(i64, Vec<u8>)>,
    start: i64,
    end: i64,
    /// Reported durable: survives power loss.
    durable: i64,
    next_sequence: i32,
}

struct History {
    bench: Bench,
    random: Random,
    logs: Vec<Oracle>,
    /// What is lent to be written, and of which log.
    blanks: Vec<(usize, Blank)>,
    /// Batches that are in the log where they were written.
    in_place: usize,
    seed: u64,
}

impl History {
    fn new(seed: u64) -> History {
        let mut random = Random::new(seed);
        let mut bench = Bench::new(4 << 20, seed);
        bench.options.cold.backoff_ms = 50;
        bench.options.recovery_bytes_max = 30_000 + random.below(200_000);
        bench.store = None;
        bench.start(seed);
        let policies = [
            FlushPolicy::Os,
            FlushPolicy::EveryWrite,
            FlushPolicy::Interval,
        ];
        let kinds = [
            ColdCompression::None,
            ColdCompression::ZstdDict,
            ColdCompression::Lzma,
        ];
        let logs = (0..3)
            .map(|n| {
                let config = LogConfig {
                    flush_policy: policies[n as usize],
                    flush_interval_ms: 20,
                    segment_bytes: 20_000 + random.below(80_000) as u32,
                    index_interval_bytes: random.below(8192) as u32,
                    cold_compression: kinds[n as usize],
                    cold_compression_chunk_bytes: 4096,
                    ..LogConfig::default()
                };
                let topic = format!("t{n}");
                let id = bench.open_log(n + 1, &topic, &config);
                Oracle {
                    uid: n + 1,
                    topic,
                    id,
                    config,
                    batches: Vec::new(),
                    start: 0,
                    end: 0,
                    durable: 0,
                    next_sequence: 0,
                }
            })
            .collect();
        History {
            bench,
            random,
            logs,
            blanks: Vec::new(),
            in_place: 0,
            seed,
        }
    }

    /// Tells how many segments were cold in the end.
    fn run(&mut self, steps: u64) -> usize {
        for _ in 0..steps {
            let log = self.random.below(3) as usize;
            match self.random.below(1000) {
                0..280 => self.append(log),
                280..360 => self.lend(log),
                360..400 => self.append_lent(),
                400..700 => self.read(log),
                700..900 => self.poll(),
                900..950 => self.bench.pass(self.random.below(700)),
                950..970 => self.delete_records(log),
                970..980 => self.retry(log),
                980..988 => self.crash(),
                988..994 => self.lose_power(),
                994..998 => self.stop(),
                _ => self.crash_twice(),
            }
        }
        for log in 0..3 {
            self.check_all(log);
        }
        let paths = self.bench.files.paths();
        let is_cold = |path: &&std::path::PathBuf| path.to_string_lossy().ends_with(".log.cold");
        paths.iter().filter(is_cold).count()
    }

    /// The next batch of a log, of so many records.
    fn next_batch(&mut self, at: usize) -> (usize, Vec<u8>) {
        let bytes = match self.random.below(10) {
            0 => 15_000,
            1..4 => self.random.below(6000),
            _ => self.random.below(300),
        } as usize;
        let count = 1 + self.random.below(5) as usize;
        let log = &self.logs[at];
        let producer = Some((77, 0, log.next_sequence));
        (count, batch(count, bytes, log.end, producer))
    }

    /// Lends room for a batch, which is written there at once, or after others have come.
    fn lend(&mut self, at: usize) {
        let bytes = 500 + self.random.below(18_000) as usize;
        if self.blanks.len() < 4
            && let Some(blank) = self.bench.lend_blank(self.logs[at].id, bytes)
        {
            self.blanks.push((at, blank));
        }
        if self.random.once_in(2) {
            self.append_lent();
        }
    }

    fn append_lent(&mut self) {
        let Some((at, blank)) = self.blanks.pop() else {
            return;
        };
        let (count, sent) = self.next_batch(at);
        if sent.len() > blank.bytes as usize || self.random.once_in(10) {
            return self.bench.store().return_blank(blank);
        }
        let appended = match self.bench.append_blank(blank, &sent) {
            Written::Done(appended) => appended,
            Written::Elsewhere(blank) => {
                let store = self.bench.store();
                assert!(store.blank_bytes(&blank, sent.len() as u32) == sent);
                store.return_blank(blank);
                return self.append_batch(at, count, &sent);
            }
        };
        let appended = appended.unwrap_or_else(|error| panic!("seed {}: {error:?}", self.seed));
        assert_eq!(
            appended.base_offset, self.logs[at].end,
            "seed {}",
            self.seed
        );
        self.in_place += 1;
        self.took(at, count, &sent);
    }

    fn took(&mut self, at: usize, count: usize, sent: &[u8]) {
        let log = &mut self.logs[at];
        log.batches.push((log.end, stored(sent, log.end)));
        log.end += count as i64;
        log.next_sequence += count as i32;
    }

    fn append(&mut self, at: usize) {
        let (count, sent) = self.next_batch(at);
        self.append_batch(at, count, &sent);
    }

    fn append_batch(&mut self, at: usize, count: usize, sent: &[u8]) {
        let log = &mut self.logs[at];
        match self.bench.append(log.id, sent) {
            Ok(appended) => {
                assert!(!appended.duplicate, "seed {}", self.seed);
                assert_eq!(appended.base_offset, log.end, "seed {}", self.seed);
                self.took(at, count, sent);
            }
            Err(AppendError::Busy) => self.poll(),
            Err(error) => panic!(
                "seed {}: {error:?} log {} sequence {} end {}",
                self.seed, log.uid, log.next_sequence, log.end
            ),
        }
    }

    /// The last batch comes again, as after an answer that was lost.
    fn retry(&mut self, at: usize) {
        let log = &self.logs[at];
        let Some((base, bytes)) = log.batches.last() else {
            return;
        };
        // A log whose records past its start were lost in a power cut begins anew there.
        if *base < log.start {
            return;
        }
        let mut sent = bytes.clone();
        sent[..8].fill(0);
        let appended = self.bench.append(log.id, &sent).unwrap();
        assert!(appended.duplicate, "seed {}", self.seed);
        assert_eq!(appended.base_offset, *base, "seed {}", self.seed);
    }

    fn read(&mut self, at: usize) {
        let log = &self.logs[at];
        let (id, start, end) = (log.id, log.start, log.end);
        let near_end = self.random.once_in(2);
        let from = if near_end { start.max(end - 50) } else { start };
        let offset = from + self.random.below((end - from + 1) as u64) as i64;
        let options = ReadOptions {
            offset,
            max_bytes: self.random.below(40_000) as usize,
            at_least_one: self.random.once_in(2),
            committed: false,
        };
        // Under every-write only what is durable is shown, and that grows while a read is waited for.
        let shown = self.bench.store().offsets(id).high_watermark;
        let got = self.bench.read(id, options);
        let got = got.unwrap_or_else(|error| panic!("seed {}: {error:?}", self.seed));
        let shown_after = self.bench.store().offsets(id).high_watermark;
        self.check_read(at, options, &got, shown);
        let last = self.logs[at]
            .batches
            .iter()
            .rfind(|batch| got.ends_with(&batch.1));
        if let (Some(last), false) = (last, got.is_empty()) {
            assert!(
                last.0 < shown_after,
                "seed {}: past the high watermark",
                self.seed
            );
        }
    }

    /// What must be shown is what lay before `shown` when the read began.
    fn check_read(&self, at: usize, options: ReadOptions, got: &[u8], shown: i64) {
        let log = &self.logs[at];
        let seed = self.seed;
        let first = log
            .batches
            .partition_point(|batch| batch.0 <= options.offset);
        if options.offset == log.end {
            return assert!(got.is_empty(), "seed {seed}");
        }
        if options.offset >= shown && got.is_empty() {
            return;
        }
        let mut rest = got;
        let mut taken = 0;
        for (base, bytes) in &log.batches[first - 1..] {
            if rest.is_empty() && *base >= shown {
                break;
            }
            if rest.is_empty() {
                let fits = taken + bytes.len() <= options.max_bytes;
                assert!(
                    taken > 0 || !(fits || options.at_least_one),
                    "seed {seed}: nothing"
                );
                break;
            }
            let whole = rest.get(..bytes.len());
            assert!(
                whole == Some(&bytes[..]),
                "seed {seed}: other bytes at {options:?}"
            );
            rest = &rest[bytes.len()..];
            taken += bytes.len();
        }
        assert!(rest.is_empty(), "seed {seed}: more than there is");
        let one = log.batches[first - 1].1.len();
        assert!(taken <= options.max_bytes.max(one), "seed {seed}: too much");
    }

    fn check_all(&mut self, at: usize) {
        let mut offset = self.logs[at].start;
        let (id, end) = (self.logs[at].id, self.logs[at].end);
        self.bench
            .poll_until(|store| store.offsets(id).high_watermark >= end);
        while offset < self.logs[at].end {
            let options = ReadOptions {
                offset,
                max_bytes: 100_000,
                at_least_one: true,
                committed: false,
            };
            let got = self.bench.read(self.logs[at].id, options).unwrap();
            self.check_read(at, options, &got, end);
            let mut rest = &got[..];
            while !rest.is_empty() {
                let length = i32::from_be_bytes([rest[8], rest[9], rest[10], rest[11]]) as usize;
                let count = i32::from_be_bytes([rest[57], rest[58], rest[59], rest[60]]);
                let base = i64::from_be_bytes(rest[..8].try_into().unwrap());
                offset = base + i64::from(count);
                rest = &rest[12 + length..];
            }
        }
    }

    fn poll(&mut self) {
        self.bench.poll();
        for event in std::mem::take(&mut self.bench.events) {
            if let StoreEvent::Durable { log, offset } = event {
                let log = self.logs.iter_mut().find(|known| known.id == log).unwrap();
                log.durable = log.durable.max(offset);
            }
        }
    }

    fn delete_records(&mut self, at: usize) {
        let log = &mut self.logs[at];
        let before = log.start + self.random.below((log.end - log.start + 1) as u64) as i64;
        // Some of the log must be left to read.
        let before = before.min(log.end - (log.end - log.start) / 2);
        log.start = self.bench.store().delete_records(log.id, before).unwrap();
        assert_eq!(log.start, before.max(log.start), "seed {}", self.seed);
    }

    fn reopen(&mut self) {
        // What was lent is nobody's.
        self.blanks.clear();
        let seed = self.random.number();
        self.bench.start(seed);
        for at in 0..3 {
            let log = &self.logs[at];
            let (uid, topic, config) = (log.uid, log.topic.clone(), log.config.clone());
            self.logs[at].id = self.bench.open_log(uid, &topic, &config);
            let offsets = self.bench.store().offsets(self.logs[at].id);
            // A deletion may be forgotten (as Kafka may), never invented.
            assert!(offsets.start <= self.logs[at].start, "seed {}", self.seed);
            self.logs[at].start = offsets.start;
            self.logs[at].durable = offsets.durable;
        }
    }

    fn expect_ends(&mut self) {
        for at in 0..3 {
            let end = self.bench.store().offsets(self.logs[at].id).end;
            assert_eq!(end, self.logs[at].end, "seed {}: log {at}", self.seed);
            self.check_all(at);
        }
    }

    fn crash(&mut self) {
        self.bench.crash();
        self.reopen();
        self.expect_ends();
    }

    /// Dies while the logs are being recovered.
    fn crash_twice(&mut self) {
        self.blanks.clear();
        self.bench.crash();
        let seed = self.random.number();
        self.bench.start(seed);
        for at in 0..3 {
            let (topic, config) = (self.logs[at].topic.clone(), self.logs[at].config.clone());
            self.bench.ensure(self.logs[at].uid, &topic, &config);
        }
        for _ in 0..self.random.below(4) {
            self.bench.poll();
        }
        self.crash();
    }

    fn stop(&mut self) {
        self.bench.shutdown();
        let starts: Vec<i64> = self.logs.iter().map(|log| log.start).collect();
        self.reopen();
        let now: Vec<i64> = self.logs.iter().map(|log| log.start).collect();
        assert_eq!(
            starts, now,
            "seed {}: a clean stop forgets nothing",
            self.seed
        );
        self.expect_ends();
    }

    fn lose_power(&mut self) {
        let durable: Vec<i64> = self.logs.iter().map(|log| log.durable).collect();
        self.bench.lose_power(&mut self.random);
        self.reopen();
        for (at, durable) in durable.into_iter().enumerate() {
            let end = self.bench.store().offsets(self.logs[at].id).end;
            let (seed, log) = (self.seed, &mut self.logs[at]);
            assert!(end >= durable, "seed {seed}: log {at}: {end} of {durable}");
            assert!(end <= log.end, "seed {seed}");
            log.batches.retain(|batch| batch.0 < end);
            log.end = end;
            log.next_sequence = end as i32;
            self.check_all(at);
        }
    }
}

#[test]
fn histories_agree_with_the_oracle() {
    let histories = support::histories(40);
    let first = std::env::var("PRECURSOR_MODEL_SEED");
    let first = first.ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let (mut cold, mut in_place) = (0, 0);
    for seed in first..first + histories {
        eprintln!("history {seed}");
        let mut history = History::new(seed);
        cold += history.run(600);
        in_place += history.in_place;
    }
    // Some history has any.
    assert!(
        cold > 0 && in_place > 300 || histories < 10,
        "{cold} {in_place}"
    );
}
