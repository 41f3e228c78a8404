// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

pub mod api_keys;
pub mod messages;
pub mod views;
