//! Which partition of `__consumer_offsets` holds a group.

/// The compacted topic that holds groups and committed offsets.
pub const GROUP_METADATA_TOPIC: &str = "__consumer_offsets";

/// The partition of `__consumer_offsets` that a group belongs to, as every Kafka broker and tool
/// computes it: Java's `String.hashCode` (over UTF-16 units) without its sign, modulo the count.
///
/// # Panics
/// If `partition_count` is not positive.
pub fn partition_for_group(group_id: &str, partition_count: i32) -> i32 {
    assert!(partition_count > 0, "a topic has partitions");
    let hash = group_id.encode_utf16().fold(0_i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    // Kafka's Utils.abs: i32::MIN becomes 0, other negative numbers their magnitude.
    hash.checked_abs().unwrap_or(0) % partition_count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_those_of_javas_hash_code() {
        // Java's String.hashCode: "polygenelubricants" is Integer.MIN_VALUE, the last two are
        // negative.
        for (group_id, partition) in [
            ("polygenelubricants", 0),
            ("", 0),
            ("test", 48),
            ("console-consumer-1", 24),
            ("größe", 7),
            ("界🦀", 10),
            ("zzzzzzzzzzzzzz", 0),
            ("my-group", 12),
        ] {
            assert_eq!(partition_for_group(group_id, 50), partition, "{group_id}");
        }
    }
}
