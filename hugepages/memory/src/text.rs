//! Gives back the pages of program text that only the start needed.

use std::ffi::c_void;

/// Drops this process's mappings of executable pages that came from files, and returns how many
/// bytes were mapped there. What still runs is mapped again from the page cache at its next
/// instruction, a fraction of a microsecond each; what ran once at the start stays out of the
/// resident set. For a process that starts with a parser and then polls for months.
///
/// Only `r-x` private file mappings are dropped: such pages were never written, so the file still
/// has every byte of them. Where `/proc` is not to be read this does nothing and returns 0.
pub fn release_start_text() -> usize {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else {
        return 0;
    };
    maps.lines()
        .filter_map(file_text_range)
        .map(|(start, end)| release(start, end))
        .sum()
}

/// The address range of one line of `/proc/self/maps`, if it is executable, private, never written
/// and of a file.
fn file_text_range(line: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let range = fields.next()?;
    let (permissions, path) = (fields.next()?, fields.nth(3)?);
    if permissions != "r-xp" || !path.starts_with('/') {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some((address(start)?, address(end)?))
}

fn release(start: usize, end: usize) -> usize {
    // SAFETY: the range is a private file mapping without write permission, so no page of it
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
    fn only_unwritten_text_of_files_is_meant() {
        let text = "55d0c0a00000-55d0c0c00000 r-xp 00010000 fe:00 1234  /usr/bin/thing";
        assert_eq!(
            file_text_range(text),
            Some((0x55d0c0a00000, 0x55d0c0c00000))
        );
        for other in [
            "55d0c0a00000-55d0c0c00000 rw-p 00010000 fe:00 1234  /usr/bin/thing",
            "55d0c0a00000-55d0c0c00000 r--p 00010000 fe:00 1234  /usr/bin/thing",
            "55d0c0a00000-55d0c0c00000 rwxp 00010000 fe:00 1234  /usr/bin/thing",
            "7fbd42962000-7fbd42963000 r-xp 00000000 00:00 0  [vdso]",
            "7fbd42962000-7fbd42963000 r-xp 00000000 00:00 0",
            "",
        ] {
            assert_eq!(file_text_range(other), None, "{other}");
        }
    }

    #[test]
    fn the_program_goes_on_after_its_text_was_dropped() {
        assert!(release_start_text() > 0);
        assert_eq!(format!("{:?}", [1, 2, 3]), "[1, 2, 3]");
    }
}
