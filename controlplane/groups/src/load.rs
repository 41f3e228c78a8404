//! Replay of the log.

use crate::classic::ClassicGroup;
use crate::coordinator::GroupCoordinator;
use crate::group::{Group, Kind};
use crate::records::{GroupValue, OffsetValue, RecordKey};
use precursor_protocol::DecodeError;
use std::collections::HashMap;
use std::sync::Arc;

impl GroupCoordinator {
    /// Takes one record of the log, in the log's order, before [`GroupCoordinator::loaded`].
    ///
    /// # Errors
    /// When the record is damaged. It is left out; loading can go on with the next.
    pub fn load(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), DecodeError> {
        match RecordKey::decode(key)? {
            RecordKey::Offset {
                group_id,
                topic,
                partition,
            } => match value.map(OffsetValue::decode).transpose()? {
                Some(value) => {
                    let group = group_or_new(&mut self.groups, group_id);
                    group
                        .offsets
                        .set(&mut self.topics, topic, partition, &value);
                }
                None => {
                    if let Some(group) = self.groups.get_mut(group_id) {
                        group.offsets.remove(&mut self.topics, topic, partition);
                    }
                    self.drop_blank(group_id);
                }
            },
            RecordKey::Group { group_id } => match value.map(GroupValue::decode).transpose()? {
                Some(value) => {
                    let group = group_or_new(&mut self.groups, group_id);
                    let classic = ClassicGroup::from_value(group.id.clone(), value);
                    group.kind = Kind::Classic(Box::new(classic));
                }
                None => {
                    if let Some(group) = self.groups.get_mut(group_id) {
                        group.kind = Kind::Simple;
                    }
                    self.drop_blank(group_id);
                }
            },
            RecordKey::Unknown { .. } => self.records_unknown += 1,
        }
        Ok(())
    }

    fn drop_blank(&mut self, group_id: &str) {
        if self.groups.get(group_id).is_some_and(Group::is_blank) {
            self.groups.remove(group_id);
        }
    }
}

pub(crate) fn group_or_new<'a>(
    groups: &'a mut HashMap<Arc<str>, Group>,
    id: &str,
) -> &'a mut Group {
    // Two look-ups, but a known group takes no allocation.
    if !groups.contains_key(id) {
        let id: Arc<str> = id.into();
        groups.insert(id.clone(), Group::new(id));
    }
    groups.get_mut(id).expect("it was there, or is now")
}
