//! OffsetForLeaderEpoch, key 23, versions 2–4 (KIP-320).

use crate::core::{CloseReason, Core, Handled, Request};
use crate::peers::Query;
use crate::queries::{self, Asked};
use precursor_protocol::views::OffsetForLeaderEpochRequestView;
use precursor_protocol::writers::{EpochEnd, OffsetForLeaderEpochResponseWriter};

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    let Ok(view) = OffsetForLeaderEpochRequestView::parse(request.body, request.version) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    core.stats.other_requests.add(1);
    let key = core.begin_answer(request);
    let mut head = std::mem::take(&mut core.answers[key].head);
    let topics = view.topics.len();
    let throttle_ms = core.throttle_ms;
    let mut w =
        OffsetForLeaderEpochResponseWriter::new(&mut head, request.version, throttle_ms, topics);
    for topic in view.topics {
        w.topic(topic.topic, topic.partitions.len());
        for asked in topic.partitions {
            let reply = queries::ask(
                core,
                &Asked {
                    topic: topic.topic,
                    partition: asked.partition,
                    known_epoch: asked.current_leader_epoch,
                    query: Query::EpochEnd {
                        epoch: asked.leader_epoch,
                    },
                    answer: key,
                    // The error comes first in this response.
                    at: w.position(),
                },
            );
            w.partition(&EpochEnd {
                index: asked.partition,
                error: reply.error,
                leader_epoch: reply.epoch,
                end_offset: reply.offset,
            });
        }
    }
    let written = w.finish();
    core.answers[key].head = head;
    queries::end(core, key, written)
}
