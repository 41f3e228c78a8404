//! DeleteRecords, key 21, versions 0–2.
//!
//! Kafka answers once every replica has moved its log's start; with one replica that is at once.

use crate::core::{CloseReason, Core, Handled, Request};
use crate::partitions::{self, Place};
use precursor_model::ErrorCode;
use precursor_protocol::views::DeleteRecordsRequestView;
use precursor_protocol::writers::DeleteRecordsResponseWriter;

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    let Ok(view) = DeleteRecordsRequestView::parse(request.body, request.version) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    let key = core.begin_answer(request);
    let mut head = std::mem::take(&mut core.answers[key].head);
    let topics = view.topics.len();
    let mut w = DeleteRecordsResponseWriter::new(&mut head, request.version, 0, topics);
    for topic in view.topics {
        w.topic(topic.name, topic.partitions.len());
        for asked in topic.partitions {
            let outcome = delete(core, topic.name, asked.partition_index, asked.offset);
            let error = outcome.err().unwrap_or(ErrorCode::None);
            w.partition(asked.partition_index, outcome.unwrap_or(-1), error);
        }
    }
    let written = w.finish();
    core.answers[key].head = head;
    super::end(core, key, written)
}

fn delete(core: &mut Core, topic: &str, partition: i32, before: i64) -> Result<i64, ErrorCode> {
    match partitions::locate(core, topic, partition, -1)? {
        Place::Local(log) => core.store.delete_records(log, before),
        Place::Remote { .. } => Err(ErrorCode::NotLeaderOrFollower),
    }
}
