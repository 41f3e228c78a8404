//! What a record costs who builds batches: `cargo bench -p precursor-protocol --bench records`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use precursor_protocol::records::BatchBuilder;

/// Records of a batch of about 16 KiB.
const RECORDS: usize = 128;

fn records(criterion: &mut Criterion) {
    let (key, value) = ([1_u8; 16], [2_u8; 100]);
    let headers: [(&str, Option<&[u8]>); 2] =
        [("source", Some(b"shop")), ("trace", Some(&[3; 16]))];
    let mut builder = BatchBuilder::new();
    criterion.bench_function("record: key, value of 100 bytes, two headers", |bench| {
        bench.iter(|| {
            if builder.record_count() == RECORDS {
                builder.clear();
            }
            let (key, value) = (black_box(&key[..]), black_box(&value[..]));
            builder.append(
                1_795_446_245_067,
                Some(key),
                Some(value),
                black_box(&headers),
            );
        });
    });
    let mut batch = Vec::new();
    criterion.bench_function("batch of 128 such records: built, summed", |bench| {
        bench.iter(|| {
            builder.clear();
            for _ in 0..RECORDS {
                builder.append(1_795_446_245_067, Some(&key), Some(&value), &headers);
            }
            batch.clear();
            builder.build(&mut batch);
            black_box(&batch);
        });
    });
}

criterion_group!(benches, records);
criterion_main!(benches);
