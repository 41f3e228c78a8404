//! Which neighbouring segments become one.

use crate::index::relative;
use precursor_model::Offset;

/// A sealed segment as it is before it is cleaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub base: Offset,
    /// Bytes of its file.
    pub size: u64,
    /// The offset behind its last record: the next segment's base.
    pub end: Offset,
}

/// What a segment may come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupLimits {
    /// `segment.bytes`.
    pub bytes: u64,
    /// `segment.index.bytes`.
    pub index_bytes: u64,
}

/// Puts segments together as long as they fit into one as they are (Kafka:
/// `Cleaner.groupSegmentsBySize`). `index_bytes` tells the size of a segment's index.
pub(crate) fn group_segments(
    sources: &[Source],
    limits: GroupLimits,
    index_bytes: impl Fn(&Source) -> u64,
) -> Vec<Vec<Source>> {
    let mut groups: Vec<Vec<Source>> = Vec::new();
    let (mut bytes, mut index) = (0, 0);
    for source in sources {
        let source_index = index_bytes(source);
        let joins = groups.last().and_then(|group| group.first());
        let joins = joins.is_some_and(|first| {
            bytes + source.size <= limits.bytes
                && index + source_index <= limits.index_bytes
                && relative(source.end - 1, first.base).is_some()
        });
        match groups.last_mut().filter(|_| joins) {
            Some(group) => group.push(*source),
            None => {
                groups.push(vec![*source]);
                (bytes, index) = (0, 0);
            }
        }
        bytes += source.size;
        index += source_index;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(base: Offset, size: u64, end: Offset) -> Source {
        Source { base, size, end }
    }

    #[test]
    fn neighbours_are_joined_as_far_as_they_fit() {
        let far = i64::from(i32::MAX);
        let sources = [
            source(0, 40, 10),
            source(10, 40, 20),
            source(20, 40, 30),
            source(30, 200, 40),
            source(40, 1, far),
            source(far, 1, far + 100),
        ];
        let limits = GroupLimits {
            bytes: 100,
            index_bytes: 1000,
        };
        let groups = group_segments(&sources, limits, |_| 8);
        let bases: Vec<Vec<Offset>> = groups
            .iter()
            .map(|group| group.iter().map(|source| source.base).collect())
            .collect();
        // The last one's offsets do not fit an index that begins at 40.
        assert_eq!(bases[..3], [vec![0, 10], vec![20], vec![30]]);
        assert_eq!(bases[3..], [vec![40], vec![far]]);
        let narrow = GroupLimits {
            bytes: 1000,
            index_bytes: 15,
        };
        assert_eq!(group_segments(&sources, narrow, |_| 8).len(), 6);
    }
}
