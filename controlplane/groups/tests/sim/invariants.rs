//! What must hold in every history.

use crate::world::PARTITIONS;
use precursor_groups::records::{OffsetValue, RecordKey};
use precursor_groups::{Record, Response};
use std::collections::BTreeMap;

/// A partition is owned by at most one member per generation.
#[derive(Default)]
pub struct Ownership {
    owners: BTreeMap<(i32, u8), usize>,
}

impl Ownership {
    pub fn assigned(&mut self, client: usize, generation: i32, partitions: &[u8]) {
        for partition in partitions {
            let owner = self
                .owners
                .entry((generation, *partition))
                .or_insert(client);
            assert_eq!(
                *owner, client,
                "partition {partition} has two owners in generation {generation}"
            );
        }
    }

    /// In the end every partition is owned, by one of the clients that stayed.
    pub fn complete(&self, generation: i32, staying: usize) {
        for partition in 0..PARTITIONS {
            let owner = self.owners.get(&(generation, partition));
            assert!(
                owner.is_some_and(|owner| *owner < staying),
                "nobody alive owns {partition} in generation {generation}"
            );
        }
    }
}

/// A committed offset that was acknowledged never goes back, and what a coordinator tells is what
/// its log has.
#[derive(Default)]
pub struct Commits {
    acknowledged: BTreeMap<i32, i64>,
}

impl Commits {
    pub fn acknowledged(&mut self, partition: i32, offset: i64) {
        let highest = self.acknowledged.entry(partition).or_insert(offset);
        *highest = offset.max(*highest);
    }

    pub fn fetched(&self, told: &BTreeMap<i32, i64>) {
        for (partition, offset) in &self.acknowledged {
            let now = told.get(partition).copied().unwrap_or(-1);
            assert!(
                now >= *offset,
                "partition {partition} went back from {offset} to {now}"
            );
        }
    }

    pub fn replayed(&self, told: &BTreeMap<i32, i64>, log: &[Record]) {
        let mut expected = BTreeMap::new();
        for record in log {
            if let Ok(RecordKey::Offset { partition, .. }) = RecordKey::decode(&record.key) {
                let value = record.value.as_deref().expect("nothing expires here");
                expected.insert(partition, OffsetValue::decode(value).unwrap().offset);
            }
        }
        assert_eq!(
            *told, expected,
            "a replay tells something else than the log"
        );
    }
}

/// Whoever is of a generation that is past does nothing to the group: neither commits, nor stays
/// alive, nor gets an assignment.
pub fn refused_as_past(response: &Response) {
    let code = match response {
        Response::OffsetCommit(response) => response.topics[0].partitions[0].error_code,
        Response::Heartbeat(response) => response.error_code,
        Response::SyncGroup(response) => response.error_code,
        _ => return,
    };
    assert_ne!(
        code, 0,
        "a member of a past generation was served: {response:?}"
    );
}
