//! Holds the crates to the architecture's dependency edges and the house rules.
#![forbid(unsafe_code)]
