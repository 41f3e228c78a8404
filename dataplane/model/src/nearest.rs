//! The known name that was probably meant.

/// More bytes of a name are not compared: the work grows with their product.
const COMPARED_MAX: usize = 128;

/// The known name with the smallest edit distance to `name`; empty when nothing is known.
pub fn nearest_name<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> &'a str {
    known
        .min_by_key(|candidate| edit_distance(name, candidate))
        .unwrap_or("")
}

/// Insertions, removals and replacements of bytes that make `b` of `a`; only the first 128 bytes of
/// each are looked at.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let a = &a.as_bytes()[..a.len().min(COMPARED_MAX)];
    let b = &b.as_bytes()[..b.len().min(COMPARED_MAX)];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance(&"x".repeat(1 << 20), ""), COMPARED_MAX);
        assert_eq!(
            nearest_name("retention.m", ["a", "retention.ms"].into_iter()),
            "retention.ms"
        );
    }
}
