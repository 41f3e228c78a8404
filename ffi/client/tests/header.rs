//! The header is what the source says. `PRECURSOR_WRITE_HEADER=1 cargo test -p precursor-ffi` writes
//! it anew.

use std::path::Path;

#[test]
fn the_header_is_what_the_source_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config {
        language: cbindgen::Language::C,
        include_guard: Some("PRECURSOR_H".to_owned()),
        cpp_compat: true,
        documentation_style: cbindgen::DocumentationStyle::C99,
        style: cbindgen::Style::Type,
        header: Some("/* Made from ffi/client/src/lib.rs; do not edit. */".to_owned()),
        ..cbindgen::Config::default()
    };
    let made = cbindgen::Builder::new()
        .with_src(root.join("src/lib.rs"))
        .with_config(config)
        .generate()
        .expect("the source can be read");
    let mut bytes = Vec::new();
    made.write(&mut bytes);
    let place = root.join("include/precursor.h");
    if std::env::var_os("PRECURSOR_WRITE_HEADER").is_some() {
        std::fs::write(&place, &bytes).unwrap();
    }
    let there = std::fs::read(&place).unwrap_or_default();
    assert!(
        there == bytes,
        "include/precursor.h is old: PRECURSOR_WRITE_HEADER=1 cargo test -p precursor-ffi"
    );
}
