//! How offsets go: OffsetDelete, deletion of groups and topics, expiry (KIP-211).

use crate::classic::{ClassicGroup, group_key};
use crate::command::{Record, Response};
use crate::group::{Deletion, Group, Kind};
use crate::records::RecordKey;
use crate::turn::{AppendQueue, Change, OffsetChange, Reply, Turn};
use precursor_model::ErrorCode;
use precursor_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use precursor_protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Partitions whose offsets are to go.
type Partitions = BTreeSet<(Arc<str>, i32)>;

impl Group {
    /// Takes the offsets of partitions that nobody in the group subscribes to.
    pub(crate) fn delete_offsets(
        &mut self,
        token: u64,
        request: &OffsetDeleteRequest,
        turn: &mut Turn<'_>,
    ) {
        let refusal = match &self.kind {
            _ if self.is_dead() && self.appends_pending == 0 => Some(ErrorCode::GroupIdNotFound),
            Kind::Classic(classic) if !classic.is_empty() && !classic.uses_consumer_protocol() => {
                Some(ErrorCode::NonEmptyGroup)
            }
            _ => None,
        };
        if let Some(error) = refusal {
            let response = OffsetDeleteResponse {
                error_code: error.code(),
                ..OffsetDeleteResponse::default()
            };
            turn.reply(token, Response::OffsetDelete(response));
            return;
        }
        let mut removed = Partitions::new();
        let mut response = OffsetDeleteResponse::default();
        for topic in &request.topics {
            let subscribed = self.is_subscribed(&topic.name);
            let error = if subscribed {
                ErrorCode::GroupSubscribedToTopic
            } else {
                ErrorCode::None
            };
            let name: Arc<str> = topic.name.as_str().into();
            let partitions = topic.partitions.iter().map(|partition| {
                let index = partition.partition_index;
                if !subscribed && self.may_have_offset(&name, index, turn) {
                    removed.insert((name.clone(), index));
                }
                OffsetDeleteResponsePartition {
                    partition_index: index,
                    error_code: error.code(),
                }
            });
            response.topics.push(OffsetDeleteResponseTopic {
                name: topic.name.clone(),
                partitions: partitions.collect(),
            });
        }
        self.append_removals(removed, turn);
        turn.reply_when_durable(token, Response::OffsetDelete(response));
    }

    /// Also an offset whose commit is being appended: the tombstone comes after it.
    fn may_have_offset(&self, topic: &str, partition: i32, turn: &Turn<'_>) -> bool {
        let number = turn.topics.names.find(topic);
        self.appends_pending > 0
            || number.is_some_and(|number| self.offsets.get(number, partition).is_some())
    }

    /// Begins to delete the group; `reply` comes when it is gone.
    pub(crate) fn delete(&mut self, reply: Option<Reply>, turn: &mut Turn<'_>) {
        let mut removed = Partitions::new();
        for (topic, partition, _) in self.offsets.iter() {
            removed.insert((turn.topics.names.value(topic).clone(), partition));
        }
        removed.extend(pending(turn.appends, &self.id));
        self.deletion = Some(Deletion::default());
        let mut chunks = self.tombstones(removed, turn.config.limits.append_bytes_max);
        let (mut records, changes) = chunks.pop().unwrap_or_default();
        for (records, changes) in chunks {
            turn.append(&self.id, records, Change::Offsets(changes), None);
        }
        // Also for simple groups, as Kafka does.
        records.push(Record {
            key: group_key(&self.id),
            value: None,
        });
        turn.append(&self.id, records, Change::Tombstone(changes), reply);
    }

    /// A topic is gone, and with it what was or is being committed to it.
    pub(crate) fn topic_deleted(&mut self, topic: &str, turn: &mut Turn<'_>) {
        let mut removed = Partitions::new();
        if let Some(number) = turn.topics.names.find(topic) {
            let name = turn.topics.names.value(number);
            let partitions = self.offsets.of_topic(number);
            removed.extend(partitions.map(|partition| (name.clone(), partition)));
        }
        if self.appends_pending > 0 {
            let pending = pending(turn.appends, &self.id);
            removed.extend(pending.filter(|(name, _)| &**name == topic));
        }
        if self.deletion.is_none() {
            self.append_removals(removed, turn);
        }
    }

    /// Takes what has expired; a group of which nothing is left goes too.
    pub(crate) fn expire(&mut self, turn: &mut Turn<'_>) {
        if self.appends_pending > 0 || self.deletion.is_some() {
            return;
        }
        let mut expired = Partitions::new();
        for (topic, partition, offset) in self.offsets.iter() {
            let base = match &self.kind {
                Kind::Simple => Some(offset.commit_timestamp_ms),
                Kind::Classic(classic) => classic.retention_base(offset.commit_timestamp_ms),
            };
            let Some(base) = base else {
                break;
            };
            let expires_at = offset
                .expire_timestamp_ms()
                .unwrap_or_else(|| base.saturating_add(turn.config.offsets_retention_ms));
            let name = turn.topics.names.value(topic);
            if turn.now.wall_ms >= expires_at && !self.is_subscribed(name) {
                expired.insert((name.clone(), partition));
            }
        }
        let all = expired.len() == self.offsets.len();
        let awaited = self.classic().is_some_and(ClassicGroup::has_pending_joins);
        if all && self.is_empty() && !awaited {
            self.delete(None, turn);
        } else {
            self.append_removals(expired, turn);
        }
    }

    fn append_removals(&mut self, removed: Partitions, turn: &mut Turn<'_>) {
        for (records, changes) in self.tombstones(removed, turn.config.limits.append_bytes_max) {
            turn.append(&self.id, records, Change::Offsets(changes), None);
        }
    }

    /// Tombstones in batches of at most so many bytes.
    fn tombstones(
        &self,
        removed: Partitions,
        bytes_max: usize,
    ) -> Vec<(Vec<Record>, Vec<OffsetChange>)> {
        let mut chunks = Vec::new();
        let mut records = Vec::new();
        let mut changes = Vec::new();
        let mut bytes = 0;
        for (topic, partition) in removed {
            let key = RecordKey::Offset {
                group_id: &self.id,
                topic: &topic,
                partition,
            };
            // Names that are in the store came out of a message or a record.
            let Ok(key) = key.encode() else {
                continue;
            };
            bytes += key.len();
            records.push(Record { key, value: None });
            changes.push(OffsetChange {
                topic,
                partition,
                offset: None,
            });
            if bytes >= bytes_max {
                bytes = 0;
                chunks.push((std::mem::take(&mut records), std::mem::take(&mut changes)));
            }
        }
        if !records.is_empty() {
            chunks.push((records, changes));
        }
        chunks
    }

    /// Makes changes that are durable.
    pub(crate) fn change_offsets(&mut self, changes: Vec<OffsetChange>, turn: &mut Turn<'_>) {
        for change in changes {
            let (topic, partition) = (&*change.topic, change.partition);
            match &change.offset {
                Some(new) => self
                    .offsets
                    .set(turn.topics, topic, partition, &new.value()),
                None => self.offsets.remove(turn.topics, topic, partition),
            }
        }
    }
}

fn pending<'a>(
    appends: &'a AppendQueue,
    group_id: &'a str,
) -> impl Iterator<Item = (Arc<str>, i32)> + 'a {
    appends
        .pending_offsets(group_id)
        .map(|change| (change.topic.clone(), change.partition))
}
