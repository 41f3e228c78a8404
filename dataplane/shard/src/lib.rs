//! The poll loop: connections, dispatch, handlers, fetch wait list, control bridge.
#![forbid(unsafe_code)]
