//! The pools' numbers, from a broker's metrics.

use serde_json::{Value, json};

use crate::top::Samples;

pub const HEADER: [&str; 14] = [
    "pool",
    "shard",
    "maximum",
    "backed",
    "on huge pages",
    "in use",
    "high water",
    "free",
    "fragmented",
    "hits",
    "misses",
    "hit ratio",
    "refused",
    "given back",
];

/// The pools of a shard: what they are called, what they are counted in, and how their metrics begin.
const POOLS: [(&str, Unit, &str); 3] = [
    ("extents", Unit::Bytes, "pool"),
    ("buffers", Unit::Bytes, "buffer"),
    ("slabs", Unit::Objects, "slab"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Bytes,
    Objects,
}

/// One pool of a shard, or of all.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolRow {
    pool: &'static str,
    unit: Unit,
    /// `None`: all together.
    shard: Option<usize>,
    maximum: Option<u64>,
    in_use: u64,
    in_use_max: u64,
    free: u64,
    /// Of what is free, what lies in 2 MiB chunks of which nothing is lent.
    free_whole: Option<u64>,
    hits: u64,
    misses: u64,
    exhausted: u64,
    /// Bytes that lie on huge pages.
    huge: Option<u64>,
    trims: Option<u64>,
    trimmed_bytes: Option<u64>,
}

/// Every pool of every shard.
pub fn rows(samples: &Samples) -> Vec<PoolRow> {
    let shard_exists = |shard: &usize| {
        let label = shard.to_string();
        let turns = samples.labelled("loop_turns_total", "shard", &label);
        turns.is_some()
    };
    let shards = (0..).take_while(shard_exists);
    let all = shards.flat_map(|shard| {
        POOLS
            .iter()
            .filter_map(move |(pool, unit, prefix)| row(samples, shard, pool, *unit, prefix))
    });
    all.collect()
}

/// `None` for a broker that does not count this pool.
fn row(
    samples: &Samples,
    shard: usize,
    pool: &'static str,
    unit: Unit,
    prefix: &str,
) -> Option<PoolRow> {
    let label = shard.to_string();
    let value = |name: &str| {
        let value = samples.labelled(&format!("{prefix}_{name}"), "shard", &label)?;
        Some(value as u64)
    };
    let counted = |name: &str| match unit {
        Unit::Bytes => value(&format!("bytes_{name}")),
        Unit::Objects => value(&format!("objects_{name}")),
    };
    let in_use = counted("in_use")?;
    Some(PoolRow {
        pool,
        unit,
        shard: Some(shard),
        maximum: counted("max"),
        in_use,
        in_use_max: counted("in_use_max")?,
        free: match unit {
            Unit::Bytes => counted("free")?,
            Unit::Objects => value("objects")?.saturating_sub(in_use),
        },
        free_whole: counted("free_whole"),
        hits: value("hits_total")?,
        misses: value("misses_total")?,
        exhausted: value("exhausted_total").unwrap_or(0),
        huge: counted("huge"),
        trims: value("trims_total"),
        trimmed_bytes: value("trimmed_bytes_total"),
    })
}

/// The same pools of all shards as one row each.
pub fn added_up(rows: &[PoolRow]) -> Vec<PoolRow> {
    let mut sums: Vec<PoolRow> = Vec::new();
    for row in rows {
        match sums.iter_mut().find(|sum| sum.pool == row.pool) {
            Some(sum) => sum.add(row),
            None => sums.push(PoolRow {
                shard: None,
                ..row.clone()
            }),
        }
    }
    sums
}

impl PoolRow {
    fn add(&mut self, other: &PoolRow) {
        let both = |a: Option<u64>, b: Option<u64>| Some(a? + b?);
        self.maximum = both(self.maximum, other.maximum);
        self.free_whole = both(self.free_whole, other.free_whole);
        self.huge = both(self.huge, other.huge);
        self.trims = both(self.trims, other.trims);
        self.trimmed_bytes = both(self.trimmed_bytes, other.trimmed_bytes);
        self.in_use += other.in_use;
        self.in_use_max += other.in_use_max;
        self.free += other.free;
        self.hits += other.hits;
        self.misses += other.misses;
        self.exhausted += other.exhausted;
    }

    /// The part of what is free that is in pieces, 0 to 1.
    fn fragmentation(&self) -> Option<f64> {
        let whole = self.free_whole?.min(self.free);
        Some(match self.free {
            0 => 0.0,
            free => (free - whole) as f64 / free as f64,
        })
    }

    /// The part of what was asked for that was there, 0 to 1.
    fn hit_ratio(&self) -> Option<f64> {
        let asked = self.hits + self.misses + self.exhausted;
        (asked > 0).then(|| self.hits as f64 / asked as f64)
    }

    pub fn to_json(&self) -> Value {
        json!({
            "pool": self.pool,
            "shard": self.shard,
            "unit": match self.unit {
                Unit::Bytes => "bytes",
                Unit::Objects => "objects",
            },
            "maximum": self.maximum,
            "backed": self.in_use + self.free,
            "in_use": self.in_use,
            "in_use_max": self.in_use_max,
            "free": self.free,
            "fragmentation": self.fragmentation(),
            "hits": self.hits,
            "misses": self.misses,
            "hit_ratio": self.hit_ratio(),
            "exhausted": self.exhausted,
            "huge": self.huge,
            "trims": self.trims,
            "trimmed_bytes": self.trimmed_bytes,
        })
    }

    /// In the order of [`HEADER`].
    pub fn fields(&self) -> Vec<String> {
        let amount = |amount: u64| match self.unit {
            Unit::Bytes => bytes(amount),
            Unit::Objects => amount.to_string(),
        };
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let percent = |part: f64| format!("{:.1} %", part * 100.0);
        vec![
            self.pool.to_owned(),
            self.shard
                .map_or_else(|| "all".to_owned(), |shard| shard.to_string()),
            or_dash(self.maximum.map(amount)),
            amount(self.in_use + self.free),
            or_dash(self.huge.map(bytes)),
            amount(self.in_use),
            amount(self.in_use_max),
            amount(self.free),
            or_dash(self.fragmentation().map(percent)),
            self.hits.to_string(),
            self.misses.to_string(),
            or_dash(self.hit_ratio().map(percent)),
            self.exhausted.to_string(),
            or_dash(self.trimmed_bytes.map(bytes)),
        ]
    }
}

/// With a unit that leaves at most four digits before the point.
fn bytes(amount: u64) -> String {
    match amount {
        0..0x400 => format!("{amount} B"),
        0x400..0x10_0000 => format!("{:.1} KiB", amount as f64 / 1024.0),
        0x10_0000..0x2_8000_0000 => format!("{:.1} MiB", amount as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", amount as f64 / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Samples {
        let mut text = String::new();
        for shard in 0..2 {
            let mut line = |name: &str, value: u64| {
                text.push_str(&format!("precursor_{name}{{shard=\"{shard}\"}} {value}\n"));
            };
            line("loop_turns_total", 9);
            line("pool_bytes_max", 8 << 20);
            line("pool_bytes_in_use", 1 << 20);
            line("pool_bytes_in_use_max", 2 << 20);
            line("pool_bytes_free", 3 << 20);
            line("pool_bytes_free_whole", 2 << 20);
            line("pool_hits_total", 98 + shard);
            line("pool_misses_total", 1);
            line("pool_exhausted_total", 1 - shard);
            line("slab_objects", 64);
            line("slab_objects_in_use", 3);
            line("slab_objects_in_use_max", 5);
            line("slab_hits_total", 0);
            line("slab_misses_total", 0);
        }
        Samples::parse(&text)
    }

    #[test]
    fn pools_are_read_by_shard_and_added_up() {
        let rows = rows(&samples());
        let named: Vec<_> = rows.iter().map(|row| (row.pool, row.shard)).collect();
        let expected = [
            ("extents", Some(0)),
            ("slabs", Some(0)),
            ("extents", Some(1)),
            ("slabs", Some(1)),
        ];
        assert_eq!(named, expected, "no metrics of buffers, no row");
        assert_eq!(rows[0].hit_ratio(), Some(0.98));
        assert_eq!(rows[1].hit_ratio(), None);
        assert_eq!((rows[1].free, rows[1].maximum), (61, None));
        let sums = added_up(&rows);
        assert_eq!(sums.len(), 2);
        assert_eq!(sums[0].maximum, Some(16 << 20));
        assert_eq!(sums[0].fragmentation(), Some(1.0 / 3.0));
        assert_eq!(sums[0].hit_ratio(), Some(0.985));
        assert_eq!(sums[0].to_json()["backed"], 8 << 20);
        assert_eq!(sums[0].fields().len(), HEADER.len());
        assert_eq!(sums[1].fragmentation(), None);
    }

    #[test]
    fn bytes_have_units() {
        let shown = [0, 1023, 1024, 3 << 20, 9 << 30, 20 << 30].map(bytes);
        let expected = [
            "0 B",
            "1023 B",
            "1.0 KiB",
            "3.0 MiB",
            "9216.0 MiB",
            "20.0 GiB",
        ];
        assert_eq!(shown, expected);
    }
}
