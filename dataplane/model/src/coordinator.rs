//! Where a group's coordinator is.

/// The internal topic that groups and their committed offsets are kept in.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// The partition of the coordinator's topic that a group belongs to, as Kafka has it: Java's hash of
/// the text (over UTF-16 units), without its sign, over `partitions`, which is not 0.
pub fn coordinator_partition(group_id: &str, partitions: usize) -> usize {
    let hash = group_id.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    // `Utils.abs`: the smallest number has no counterpart and stands for 0.
    let positive = hash.checked_abs().unwrap_or(0);
    positive as usize % partitions
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
            assert_eq!(coordinator_partition(group_id, 50), partition, "{group_id}");
        }
    }

    #[test]
    fn the_hash_is_javas() {
        // Of `String.hashCode`: "a" 97, "group" 98629247, and two whose sums wrap around.
        assert_eq!(coordinator_partition("a", 50), 97 % 50);
        assert_eq!(coordinator_partition("group", 50), 98_629_247 % 50);
        assert_eq!(coordinator_partition("", 50), 0);
        // "polygenelubricants" hashes to the smallest number.
        assert_eq!(coordinator_partition("polygenelubricants", 50), 0);
        // U+1F600 is two units: 0xd83d * 31 + 0xde00.
        assert_eq!(
            coordinator_partition("\u{1f600}", 1 << 30),
            0xd83d * 31 + 0xde00
        );
    }
}
