// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareGroupHeartbeatRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::share_group_heartbeat_request as theirs;
use precursor_protocol::messages::share_group_heartbeat_request as ours;

impl ToOracle<theirs::ShareGroupHeartbeatRequest> for ours::ShareGroupHeartbeatRequest {
    fn to_oracle(&self, version: i16) -> theirs::ShareGroupHeartbeatRequest {
        let mut theirs = theirs::ShareGroupHeartbeatRequest::default();
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.member_id = self.member_id.to_oracle(version);
        theirs.member_epoch = self.member_epoch.to_oracle(version);
        theirs.rack_id = self.rack_id.to_oracle(version);
        theirs.subscribed_topic_names = self.subscribed_topic_names.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
