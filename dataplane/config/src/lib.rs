//! The node's options as one table, and their TOML loader.
#![forbid(unsafe_code)]
