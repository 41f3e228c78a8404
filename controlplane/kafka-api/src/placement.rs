//! Which broker and which shard a new replica goes to.

use precursor_metadata::{Metadata, NewTopicPartition};

/// Chooses places one after another: brokers in turn, on each the shard with the fewest logs.
pub(crate) struct Placement {
    brokers: Vec<i32>,
    /// Logs by broker (as in `brokers`) and shard.
    loads: Vec<Vec<usize>>,
    next_broker: usize,
}

impl Placement {
    /// `shards` is this node's number; brokers of a cluster are taken to be alike.
    pub fn new(state: &Metadata, shards: u16) -> Self {
        let brokers: Vec<i32> = state.brokers().map(|broker| broker.id).collect();
        let loads = brokers
            .iter()
            .map(|broker| state.logs_per_shard(*broker, shards))
            .collect();
        Placement {
            brokers,
            loads,
            next_broker: 0,
        }
    }

    pub fn broker_count(&self) -> usize {
        self.brokers.len()
    }

    /// A partition with `replicas` of them, at most one a broker.
    pub fn partition(&mut self, replicas: usize) -> NewTopicPartition {
        let first = self.next_broker;
        self.next_broker += 1;
        let count = self.brokers.len();
        let replicas = (0..replicas.min(count))
            .map(|replica| self.replica((first + replica) % count))
            .collect();
        NewTopicPartition {
            replicas,
            leader_epoch: 0,
        }
    }

    /// A partition on these brokers; one that is not registered is left to the state machine to
    /// refuse.
    pub fn partition_on(&mut self, brokers: &[i32]) -> NewTopicPartition {
        let replicas = brokers
            .iter()
            .map(|id| match self.brokers.iter().position(|b| b == id) {
                Some(index) => self.replica(index),
                None => (*id, 0),
            })
            .collect();
        NewTopicPartition {
            replicas,
            leader_epoch: 0,
        }
    }

    fn replica(&mut self, broker: usize) -> (i32, u16) {
        let loads = &mut self.loads[broker];
        let shard = (0..loads.len())
            .min_by_key(|shard| loads[*shard])
            .unwrap_or(0);
        if let Some(load) = loads.get_mut(shard) {
            *load += 1;
        }
        (self.brokers[broker], shard as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_metadata::{Broker, Command};

    #[test]
    fn replicas_spread_over_brokers_and_shards() {
        let mut state = Metadata::default();
        for id in [1, 2, 3] {
            state.apply(&Command::RegisterBroker {
                broker: Broker {
                    id,
                    host: String::new(),
                    port: 0,
                    rack: String::new(),
                },
            });
        }
        let mut placement = Placement::new(&state, 2);
        assert_eq!(placement.partition(2).replicas, [(1, 0), (2, 0)]);
        assert_eq!(placement.partition(2).replicas, [(2, 1), (3, 0)]);
        assert_eq!(placement.partition(2).replicas, [(3, 1), (1, 1)]);
        assert_eq!(placement.partition(9).replicas.len(), 3);
        assert_eq!(placement.partition_on(&[7, 1]).replicas[0], (7, 0));
    }
}
