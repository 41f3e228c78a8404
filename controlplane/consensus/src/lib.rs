//! openraft around the metadata state machine.
#![forbid(unsafe_code)]
