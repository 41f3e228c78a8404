//! DeleteRecords, key 21, versions 0–2.
//!
//! Kafka answers once every replica has moved its log's start; with one replica that is at once.

use crate::core::{CloseReason, Core, Handled, Request};
use crate::peers::Query;
use crate::queries::{self, Asked};
use precursor_protocol::views::DeleteRecordsRequestView;
use precursor_protocol::writers::DeleteRecordsResponseWriter;

/// Bytes between the beginning of a partition in the response and its offset: the index.
const FIELDS_PLACE: usize = 4;

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    let Ok(view) = DeleteRecordsRequestView::parse(request.body, request.version) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    core.stats.other_requests.add(1);
    let key = core.begin_answer(request);
    let mut head = std::mem::take(&mut core.answers[key].head);
    let topics = view.topics.len();
    let throttle_ms = core.throttle_ms;
    let mut w = DeleteRecordsResponseWriter::new(&mut head, request.version, throttle_ms, topics);
    for topic in view.topics {
        w.topic(topic.name, topic.partitions.len());
        for asked in topic.partitions {
            let reply = queries::ask(
                core,
                &Asked {
                    topic: topic.name,
                    partition: asked.partition_index,
                    known_epoch: -1,
                    query: Query::Delete {
                        before: asked.offset,
                    },
                    answer: key,
                    at: w.position() + FIELDS_PLACE,
                },
            );
            w.partition(asked.partition_index, reply.offset, reply.error);
        }
    }
    let written = w.finish();
    core.answers[key].head = head;
    queries::end(core, key, written)
}
