//! DescribeProducers, key 61, version 0: who writes to a partition (KIP-664).

use crate::answer::Waits;
use crate::core::{CloseReason, Core, Handled, Request};
use crate::partitions::{self, Place, TopicRef};
use crate::peers::{Message, Ticket};
use precursor_memory::SlabKey as Key;
use precursor_model::{ErrorCode, validate_topic_name};
use precursor_protocol::messages::describe_producers_response::{
    PartitionResponse, ProducerState, TopicResponse,
};
use precursor_protocol::messages::{DescribeProducersRequest, DescribeProducersResponse};
use precursor_storage::{ActiveProducer, LogId};

/// A request that waits for other shards.
#[derive(Default)]
pub(crate) struct ProducersWork {
    answer: Option<Key>,
    version: i16,
    response: DescribeProducersResponse,
    /// Of each partition in the request's order: its topic and its place there.
    places: Vec<(u32, u32)>,
    outstanding: usize,
}

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    let Ok(asked) = DescribeProducersRequest::decode(request.body, request.version) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    core.stats.other_requests.add(1);
    let answer = core.begin_answer(request);
    let key = core.producers_asked.take();
    let mut work = ProducersWork {
        answer: Some(answer),
        version: request.version,
        ..ProducersWork::default()
    };
    work.response.throttle_time_ms = core.throttle_ms;
    for topic in &asked.topics {
        let mut answered = TopicResponse {
            name: topic.name.clone(),
            ..TopicResponse::default()
        };
        for partition in &topic.partition_indexes {
            let number = work.places.len() as u32;
            let place = answered.partitions.len() as u32;
            work.places.push((work.response.topics.len() as u32, place));
            let ticket = Ticket { key, place: number };
            let found = ask(core, &topic.name, *partition, ticket);
            work.outstanding += usize::from(found.is_none());
            let told = found.unwrap_or(Ok(Vec::new()));
            answered.partitions.push(write(*partition, told));
        }
        work.response.topics.push(answered);
    }
    let waits = work.outstanding > 0;
    core.producers_asked[key] = work;
    if waits {
        core.answers[answer].waits = Waits::Producers(key);
        Handled::Done
    } else {
        finish(core, key)
    }
}

/// The producers of one partition; `None` when another shard was asked.
fn ask(
    core: &mut Core,
    topic: &str,
    partition: i32,
    ticket: Ticket,
) -> Option<Result<Vec<ActiveProducer>, ErrorCode>> {
    if validate_topic_name(topic).is_err() {
        return Some(Err(ErrorCode::InvalidTopicException));
    }
    match partitions::locate(core, TopicRef::Name(topic), partition, -1) {
        Err(error) => Some(Err(error)),
        Ok(Place::Local(log)) => Some(Ok(core.store.active_producers(log))),
        Ok(Place::Remote { shard, log }) => {
            let message = Message::AskProducers { ticket, log };
            core.peers.send(shard, message);
            None
        }
    }
}

fn write(index: i32, told: Result<Vec<ActiveProducer>, ErrorCode>) -> PartitionResponse {
    let error = told.as_ref().err().copied().unwrap_or(ErrorCode::None);
    let producers = told.unwrap_or_default().into_iter();
    PartitionResponse {
        partition_index: index,
        error_code: error.code(),
        active_producers: producers
            .map(|producer| ProducerState {
                producer_id: producer.producer_id,
                producer_epoch: i32::from(producer.epoch),
                last_sequence: producer.last_sequence,
                last_timestamp: producer.last_timestamp,
                coordinator_epoch: producer.coordinator_epoch,
                current_txn_start_offset: producer.transaction_start_offset,
                ..ProducerState::default()
            })
            .collect(),
        ..PartitionResponse::default()
    }
}

/// Another shard asks.
pub(crate) fn asked_by_peer(
    core: &mut Core,
    shard: u16,
    ticket: Ticket,
    log: Result<LogId, ErrorCode>,
) {
    let told = log.map(|log| core.store.active_producers(log));
    core.peers
        .send(shard, Message::ToldProducers { ticket, told });
}

/// Another shard has answered.
pub(crate) fn told(core: &mut Core, ticket: Ticket, told: Result<Vec<ActiveProducer>, ErrorCode>) {
    let Some(work) = core.producers_asked.get_mut(ticket.key) else {
        return;
    };
    let (topic, place) = work.places[ticket.place as usize];
    let partition = &mut work.response.topics[topic as usize].partitions[place as usize];
    *partition = write(partition.partition_index, told);
    work.outstanding -= 1;
    let answer = work.answer;
    if work.outstanding == 0
        && let Handled::Close(reason) = finish(core, ticket.key)
        && let Some(answer) = answer.and_then(|answer| core.answers.get(answer))
        && let Some(connection) = answer.connection
    {
        core.close_later(connection, reason);
    }
}

fn finish(core: &mut Core, key: Key) -> Handled {
    let work = std::mem::take(&mut core.producers_asked[key]);
    core.producers_asked.give_back(key);
    let Some(answer) = work.answer else {
        return Handled::Done;
    };
    let head = &mut core.answers[answer].head;
    let written = work.response.encode(head, work.version);
    super::end(core, answer, written)
}

/// The connection is gone.
pub(crate) fn abandon(core: &mut Core, key: Key) {
    if let Some(work) = core.producers_asked.get_mut(key) {
        *work = ProducersWork::default();
        core.producers_asked.give_back(key);
    }
}
