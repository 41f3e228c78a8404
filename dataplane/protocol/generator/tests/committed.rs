//! The committed output is what the schema gives.

use std::path::Path;

#[test]
fn generated_files_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let stale = precursor_protocol_generator::check(&root).expect("the schema can be read");
    assert!(stale.is_empty(), "run `cargo xtask generate`: {stale:?}");
}
