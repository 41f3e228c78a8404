//! Gives back the pages of the program that only the start needed.

use std::ffi::c_void;

/// Drops this process's mappings of text and constants that came from files, and returns how many
/// bytes were mapped there. What still runs or is read is mapped again from the page cache at its
/// next use, a fraction of a microsecond each; what was used once at the start stays out of the
/// resident set. For a process that starts with a parser and then polls for months.
///
/// Only private file mappings that cannot be written and have no page of their own (relocated
/// tables have) are dropped: the file still has every byte of them. Where `/proc` is not to be read
/// this does nothing and returns 0.
pub fn release_start_text() -> usize {
    let Ok(smaps) = std::fs::read_to_string("/proc/self/smaps") else {
        return 0;
    };
    unwritten_ranges(&smaps)
        .into_iter()
        .map(|(start, end)| release(start, end))
        .sum()
}

/// The ranges in the text of `/proc/self/smaps` that are private, of a file, read-only and as the
/// file has them.
fn unwritten_ranges(smaps: &str) -> Vec<(usize, usize)> {
    let (mut ranges, mut range) = (Vec::new(), None);
    for line in smaps.lines() {
        if let Some(anonymous) = line.strip_prefix("Anonymous:") {
            if anonymous.trim() == "0 kB" {
                ranges.extend(range.take());
            }
        } else if !line
            .split(' ')
            .next()
            .is_some_and(|word| word.ends_with(':'))
        {
            range = read_only_file_range(line);
        }
    }
    ranges
}

/// The address range of a mapping's first line, if it is private, read-only and of a file.
fn read_only_file_range(line: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let range = fields.next()?;
    let (permissions, path) = (fields.next()?, fields.nth(3)?);
    if !["r-xp", "r--p"].contains(&permissions) || !path.starts_with('/') {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some((address(start)?, address(end)?))
}

fn release(start: usize, end: usize) -> usize {
    // SAFETY: the range is a private file mapping without write permission and without a page that
    // differs from the file: MADV_DONTNEED drops page-table entries, and the next access maps the
    // same bytes again. The kernel keeps the range mapped throughout.
    let dropped = unsafe {
        libc::madvise(
            std::ptr::with_exposed_provenance_mut::<c_void>(start),
            end - start,
            libc::MADV_DONTNEED,
        )
    };
    if dropped == 0 { end - start } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_file_has_too_is_meant() {
        let mapping = |head: &str, anonymous: &str| {
            format!("{head}\nSize: 4 kB\nAnonymous: {anonymous:>12}\nVmFlags: rd mr mw me\n")
        };
        let meant = [(0x1000, 0x2000)];
        for permissions in ["r-xp", "r--p"] {
            let head = format!("1000-2000 {permissions} 00010000 fe:00 1234  /usr/bin/thing");
            assert_eq!(unwritten_ranges(&mapping(&head, "0 kB")), meant);
            assert_eq!(unwritten_ranges(&mapping(&head, "4 kB")), [], "relocated");
        }
        for other in [
            "1000-2000 rw-p 00010000 fe:00 1234  /usr/bin/thing",
            "1000-2000 r--s 00010000 fe:00 1234  /usr/bin/thing",
            "1000-2000 rwxp 00010000 fe:00 1234  /usr/bin/thing",
            "1000-2000 r-xp 00000000 00:00 0  [vdso]",
            "1000-2000 r-xp 00000000 00:00 0",
            "",
        ] {
            assert_eq!(unwritten_ranges(&mapping(other, "0 kB")), [], "{other}");
        }
    }

    #[test]
    fn the_program_goes_on_after_its_text_was_dropped() {
        assert!(release_start_text() > 0);
        assert_eq!(format!("{:?}", [1, 2, 3]), "[1, 2, 3]");
    }
}
