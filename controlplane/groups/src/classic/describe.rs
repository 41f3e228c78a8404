//! What DescribeGroups and ListGroups tell of a group.

use super::{ClassicGroup, State};
use precursor_protocol::messages::describe_groups_response::{
    DescribedGroup, DescribedGroupMember,
};

impl State {
    /// Kafka's word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::PreparingRebalance => "PreparingRebalance",
            State::CompletingRebalance => "CompletingRebalance",
            State::Stable => "Stable",
        }
    }
}

impl ClassicGroup {
    pub(crate) fn protocol_type(&self) -> &str {
        self.protocol_type.as_deref().unwrap_or_default()
    }

    /// Metadata is told of stable groups only, assignments until there is a new one, as in Kafka.
    pub(crate) fn describe(&self) -> DescribedGroup {
        let stable = self.state == State::Stable;
        let protocol = self
            .protocol
            .as_deref()
            .filter(|_| stable)
            .unwrap_or_default();
        let members = self
            .members
            .iter()
            .map(|(id, member)| DescribedGroupMember {
                member_id: id.clone(),
                group_instance_id: member.instance_id.clone(),
                client_id: member.client_id.clone(),
                client_host: member.client_host.clone(),
                member_metadata: if stable {
                    member.offer.metadata(protocol).to_vec()
                } else {
                    Vec::new()
                },
                member_assignment: member.assignment.clone(),
                ..DescribedGroupMember::default()
            });
        DescribedGroup {
            group_id: self.id.to_string(),
            group_state: self.state.name().to_owned(),
            protocol_type: self.protocol_type().to_owned(),
            protocol_data: protocol.to_owned(),
            members: members.collect(),
            ..DescribedGroup::default()
        }
    }
}
