//! What may be done, as bits by the numbers of Kafka's `AclOperation` (KIP-430). There are no rules
//! yet, so that everybody may do everything that a resource of that kind knows.

const READ: i32 = 1 << 3;
const WRITE: i32 = 1 << 4;
const CREATE: i32 = 1 << 5;
const DELETE: i32 = 1 << 6;
const ALTER: i32 = 1 << 7;
const DESCRIBE: i32 = 1 << 8;
const CLUSTER_ACTION: i32 = 1 << 9;
const DESCRIBE_CONFIGS: i32 = 1 << 10;
const ALTER_CONFIGS: i32 = 1 << 11;
const IDEMPOTENT_WRITE: i32 = 1 << 12;

/// Sets of operations, as responses carry them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operations;

impl Operations {
    /// Everything that may be done to a topic.
    pub const TOPIC: i32 =
        READ | WRITE | CREATE | DELETE | ALTER | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS;
    /// Everything that may be done to the cluster.
    pub const CLUSTER: i32 = CREATE
        | ALTER
        | DESCRIBE
        | CLUSTER_ACTION
        | DESCRIBE_CONFIGS
        | ALTER_CONFIGS
        | IDEMPOTENT_WRITE;
    /// Everything that may be done to a group.
    pub const GROUP: i32 = READ | DELETE | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS;
    /// They were not asked for.
    pub const UNKNOWN: i32 = i32::MIN;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_the_numbers_that_kafka_4_answers() {
        assert_eq!(Operations::TOPIC, 3_576);
        assert_eq!(Operations::CLUSTER, 8_096);
        assert_eq!(Operations::GROUP, 3_400);
    }
}
