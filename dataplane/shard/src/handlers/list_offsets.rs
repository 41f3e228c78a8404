//! ListOffsets, key 2, versions 1–11.

use crate::core::{CloseReason, Core, Handled, Request};
use crate::peers::Query;
use crate::queries::{self, Asked};
use precursor_protocol::views::ListOffsetsRequestView;
use precursor_protocol::writers::{ListOffsetsPartition, ListOffsetsResponseWriter};

/// Bytes between the beginning of a partition in the response and its error code: the index.
const FIELDS_PLACE: usize = 4;
/// `READ_COMMITTED` in ListOffsetsRequest.IsolationLevel.
const READ_COMMITTED: i8 = 1;

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    let Ok(view) = ListOffsetsRequestView::parse(request.body, request.version) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    core.stats.list_offsets_requests.add(1);
    let version = request.version;
    let key = core.begin_answer(request);
    let mut head = std::mem::take(&mut core.answers[key].head);
    let mut w =
        ListOffsetsResponseWriter::new(&mut head, version, core.throttle_ms, view.topics.len());
    for topic in view.topics {
        w.topic(topic.name, topic.partitions.len());
        for asked in topic.partitions {
            let reply = queries::ask(
                core,
                &Asked {
                    topic: topic.name,
                    partition: asked.partition_index,
                    known_epoch: asked.current_leader_epoch,
                    query: Query::Offset {
                        timestamp: asked.timestamp,
                        version,
                        read_committed: view.isolation_level == READ_COMMITTED,
                    },
                    answer: key,
                    at: w.position() + FIELDS_PLACE,
                },
            );
            w.partition(&ListOffsetsPartition {
                index: asked.partition_index,
                error: reply.error,
                timestamp: reply.timestamp,
                offset: reply.offset,
                leader_epoch: reply.epoch,
            });
        }
    }
    let written = w.finish();
    core.answers[key].head = head;
    queries::end(core, key, written)
}
