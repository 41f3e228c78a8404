//! One file per API key: the request, the response and `handle` between them.

pub(crate) mod create_partitions;
pub(crate) mod create_topics;
pub(crate) mod delete_topics;
pub(crate) mod describe_cluster;
pub(crate) mod describe_configs;
pub(crate) mod init_producer_id;

use precursor_metadata::Refusal;

/// Code and message of a refusal, as responses carry them.
fn error_fields(refusal: Refusal) -> (i16, Option<String>) {
    (refusal.error().code(), Some(refusal.message))
}
