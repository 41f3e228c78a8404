//! What a region costs before anything is in it: a large pool, and book-keeping on few pages.

use std::path::Path;

use precursor_shm::Region;

use crate::support::{Fixture, Running, options};

/// A number of kibibytes from `/proc/self/status`.
fn kibibytes(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// In a process of its own, because other tests touch memory too.
pub fn attach_and_measure(data: &Path) {
    let mut options = options(data);
    options.pool_bytes = 1 << 30;
    options.buffer_bytes = 256 << 20;
    let before = (kibibytes("RssAnon"), kibibytes("RssShmem"));
    let region = Region::attach_existing(&options).unwrap();
    let mut pool = region.extent_pool(0);
    let buffers = region.buffer_pool(0);
    let rings = (region.to_control_producer(0), region.to_data_consumer(0));
    region.stats(0).logs.set(1);
    region.status().begin_data(1);
    let own = kibibytes("RssAnon") - before.0;
    let shared = kibibytes("RssShmem") - before.1;
    println!("{own} KiB of book-keeping, {shared} KiB of the region");
    std::fs::write(data.join("measured"), format!("{own} {shared}")).unwrap();
    // Only now is anything lent.
    assert!(pool.allocate_cache(4096).is_some());
    drop((pool, buffers, rings));
}

#[test]
fn an_idle_region_of_a_gibibyte_costs_next_to_nothing() {
    let mut fixture = Fixture::new();
    fixture.options.pool_bytes = 1 << 30;
    fixture.options.buffer_bytes = 256 << 20;
    let _region = fixture.region();
    let child = Running::start("idle", fixture.data.path(), 0);
    assert!(child.succeeded());
    let measured = std::fs::read_to_string(fixture.data.path().join("measured")).unwrap();
    let (own, shared) = measured.split_once(' ').unwrap();
    println!("{own} KiB of book-keeping, {shared} KiB of the region");
    assert!(own.parse::<u64>().unwrap() <= 256, "{own} KiB");
    assert!(shared.parse::<u64>().unwrap() <= 64, "{shared} KiB");
}
