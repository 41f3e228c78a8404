//! A bad network: whatever is cut, delayed or lost, what was acknowledged is there, once, in order.

use crate::harness::{Broker, batch, produce_body};
use precursor_protocol::ApiKey;
use precursor_protocol::messages::ProduceResponse;
use precursor_protocol::records::split_batches;
use precursor_transport_sim::SimFaults;

fn history(seed: u64) {
    println!("seed {seed}");
    let faults = SimFaults {
        delay_us: (0, 20),
        loss_per_mille: 2,
        partial_receive_per_mille: 400,
        partial_send_per_mille: 400,
        capacity_bytes: 2_000,
    };
    let mut broker = Broker::start_with(&[("t", 1)], seed, faults, |_| {});
    let mut acknowledged: Vec<(i64, Vec<u8>)> = Vec::new();
    let mut number = 0u64;
    for _ in 0..12 {
        let mut client = broker.connect();
        let mut pending = std::collections::VecDeque::new();
        for _ in 0..60 {
            number += 1;
            let value = [number.to_be_bytes(), [number as u8; 8]].concat();
            let records = batch(&[&value.repeat((number % 40) as usize + 1)]);
            let body = produce_body(9, 1, &[("t", 0, &records)]);
            let (_, frame) = client.frame(ApiKey::Produce, 9, &body);
            client.send_bytes(&mut broker, &frame);
            pending.push_back(records);
            while let Some(frame) = client.take_frame() {
                let response = ProduceResponse::decode(&frame[5..], 9).unwrap();
                let partition = &response.responses[0].partition_responses[0];
                assert_eq!(partition.error_code, 0);
                let records = pending.pop_front().unwrap();
                acknowledged.push((partition.base_offset, records));
            }
            if client.closed {
                break;
            }
        }
    }
    broker.network.set_faults(SimFaults::default());
    let mut reader = broker.connect();
    let mut offset = 0;
    let mut log = std::collections::BTreeMap::new();
    loop {
        let response = broker.fetch(&mut reader, 12, "t", 0, offset);
        let partition = &response.responses[0].partitions[0];
        let records = partition.records.clone().unwrap();
        for found in split_batches(&records) {
            let found = found.unwrap();
            assert_eq!(found.base_offset(), offset, "dense, in order");
            offset = found.last_offset() + 1;
            log.insert(found.base_offset(), found.record_bytes().to_vec());
        }
        if offset >= partition.high_watermark {
            break;
        }
    }
    assert!(
        acknowledged.len() > 20,
        "{} acknowledged",
        acknowledged.len()
    );
    for (offset, records) in acknowledged {
        assert_eq!(log[&offset][..], records[61..], "offset {offset}");
    }
}

#[test]
fn acknowledged_records_survive_a_bad_network() {
    for seed in 1..=4 {
        history(seed);
    }
}
