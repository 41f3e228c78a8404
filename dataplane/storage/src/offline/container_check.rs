//! What is wrong with the container of a cold segment.

use super::finding::Finding;
use super::verify::Report;
use crate::coldseg::{check, container_path, dictionary_file, is_cold};
use precursor_disk::FileSystem;
use precursor_model::Offset;
use std::io;
use std::path::Path;

/// Checks a segment's container, if it has one. What the batches in it are like is checked as with
/// any segment.
pub(super) fn check_container(
    files: &dyn FileSystem,
    directory: &Path,
    base: Offset,
    report: &mut Report<'_>,
) -> io::Result<()> {
    if !is_cold(files, directory, base)? {
        return Ok(());
    }
    let path = container_path(directory, base);
    let found = check(files, directory, base)?;
    let mut wrong = |what: &str| {
        report.found(Finding::damage("container", path.clone(), what));
    };
    match found.summaries_sound {
        [true, true] => {}
        [false, false] => {
            wrong("neither of its summaries can be read: it holds nothing");
            return Ok(());
        }
        [false, true] => wrong("the summary at its beginning is damaged; the other one is used"),
        [true, false] => wrong("the summary at its end is damaged; the other one is used"),
    }
    if !found.index_sound {
        wrong("its chunk index is damaged; chunks are found without it, one after another");
    }
    if !found.dictionary_sound {
        let dictionary = dictionary_file(directory, found.dictionary);
        let what = format!(
            "it is missing or damaged, and {} needs it",
            path.file_name().unwrap_or_default().to_string_lossy()
        );
        report.found(Finding::damage("dictionary", dictionary, what));
    }
    if let Some(first) = found.first_damaged {
        let what = format!(
            "{} of its {} chunks cannot be read, the first is number {first}",
            found.damaged, found.chunks
        );
        report.found(Finding::damage("chunk", path, what));
    }
    Ok(())
}
