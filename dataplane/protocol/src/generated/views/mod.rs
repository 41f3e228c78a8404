// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Requests borrowed from their frame. A request's parts are in the module of its name.

pub mod delete_records_request;
pub mod fetch_request;
pub mod find_coordinator_request;
pub mod list_offsets_request;
pub mod metadata_request;
pub mod offset_for_leader_epoch_request;
pub mod produce_request;

pub use delete_records_request::DeleteRecordsRequestView;
pub use fetch_request::FetchRequestView;
pub use find_coordinator_request::FindCoordinatorRequestView;
pub use list_offsets_request::ListOffsetsRequestView;
pub use metadata_request::MetadataRequestView;
pub use offset_for_leader_epoch_request::OffsetForLeaderEpochRequestView;
pub use produce_request::ProduceRequestView;
