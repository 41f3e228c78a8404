//! OffsetForLeaderEpoch, key 23, versions 2–4 (KIP-320).

use crate::core::{CloseReason, Core, Handled, Request};
use crate::partitions::{self, Place};
use precursor_model::ErrorCode;
use precursor_protocol::views::OffsetForLeaderEpochRequestView;
use precursor_protocol::writers::{EpochEnd, OffsetForLeaderEpochResponseWriter};

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    let Ok(view) = OffsetForLeaderEpochRequestView::parse(request.body, request.version) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    let key = core.begin_answer(request);
    let mut head = std::mem::take(&mut core.answers[key].head);
    let topics = view.topics.len();
    let mut w = OffsetForLeaderEpochResponseWriter::new(&mut head, request.version, 0, topics);
    for topic in view.topics {
        w.topic(topic.topic, topic.partitions.len());
        for asked in topic.partitions {
            let known = asked.current_leader_epoch;
            let found = partitions::locate(core, topic.topic, asked.partition, known);
            let (error, leader_epoch, end_offset) = match found {
                Ok(Place::Local(log)) => {
                    let (epoch, end) = core.store.offset_for_leader_epoch(log, asked.leader_epoch);
                    (ErrorCode::None, epoch, end)
                }
                Ok(Place::Remote { .. }) => (ErrorCode::NotLeaderOrFollower, -1, -1),
                Err(error) => (error, -1, -1),
            };
            w.partition(&EpochEnd {
                index: asked.partition,
                error,
                leader_epoch,
                end_offset,
            });
        }
    }
    let written = w.finish();
    core.answers[key].head = head;
    super::end(core, key, written)
}
