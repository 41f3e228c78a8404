//! `precursor group describe`.

use std::collections::BTreeMap;

use precursor_config::Endpoint;
use precursor_model::ErrorCode;
use precursor_protocol::messages::DescribeGroupsRequest;
use precursor_protocol::messages::describe_groups_response::{
    DescribedGroup, DescribedGroupMember,
};
use serde_json::{Value, json};

use crate::client::cluster::Cluster;
use crate::client::coordinator::{Coordinator, TopicPartition, group_failure};
use crate::client::member::all_assigned;
use crate::client::topic::{LATEST, error_of};
use crate::failure::Failure;
use crate::output::{Field, Output, Tone};

/// Where a group stands in a partition.
struct Standing {
    committed: Option<i64>,
    end: Option<i64>,
    /// The member that reads it, by its place in the list of members.
    member: Option<usize>,
}

impl Standing {
    fn lag(&self) -> Option<i64> {
        Some((self.end? - self.committed?).max(0))
    }
}

/// Shows a group.
///
/// # Errors
/// There is no such group, or its coordinator does not answer.
pub fn run(bootstrap: &Endpoint, group: &str, output: Output) -> Result<(), Failure> {
    let mut coordinator = Coordinator::find(bootstrap, group)?;
    let described = describe(&mut coordinator)?;
    let committed = coordinator.committed()?;
    if described.group_state == "Dead" && committed.is_empty() {
        return Err(group_failure(group, ErrorCode::GroupIdNotFound));
    }
    let mut cluster = Cluster::open(bootstrap)?;
    let standings = standings(&mut cluster, &described.members, &committed)?;
    match output.json() {
        true => output.value(&to_json(&described, &standings)),
        false => print(&described, &standings, output),
    }
}

/// Asks for one group.
///
/// # Errors
/// The coordinator refuses, or does not know it.
pub fn describe(coordinator: &mut Coordinator) -> Result<DescribedGroup, Failure> {
    let group = coordinator.group().to_owned();
    let request = DescribeGroupsRequest {
        groups: vec![group.clone()],
        ..DescribeGroupsRequest::default()
    };
    let (error, response) = coordinator.call_patiently(&request, |response| {
        let described = response.groups.first();
        described.map_or(ErrorCode::UnknownServerError, |described| {
            error_of(described.error_code)
        })
    })?;
    match (error, response.groups.into_iter().next()) {
        (ErrorCode::None, Some(described)) => Ok(described),
        (error, _) => Err(group_failure(&group, error)),
    }
}

fn standings(
    cluster: &mut Cluster,
    members: &[DescribedGroupMember],
    committed: &BTreeMap<TopicPartition, i64>,
) -> Result<BTreeMap<TopicPartition, Standing>, Failure> {
    let mut standings: BTreeMap<TopicPartition, Standing> = BTreeMap::new();
    for (key, offset) in committed {
        let standing = Standing {
            committed: Some(*offset),
            end: None,
            member: None,
        };
        standings.insert(key.clone(), standing);
    }
    for (index, member) in members.iter().enumerate() {
        // An assignment that another kind of member made stays a secret of its own.
        for key in all_assigned(&member.member_assignment).unwrap_or_default() {
            let standing = standings.entry(key).or_insert(Standing {
                committed: None,
                end: None,
                member: None,
            });
            standing.member = Some(index);
        }
    }
    let keys: Vec<TopicPartition> = standings.keys().cloned().collect();
    let ends = cluster.offsets(&keys, LATEST)?;
    for (key, standing) in &mut standings {
        standing.end = ends.get(key).copied();
    }
    Ok(standings)
}

fn print(
    described: &DescribedGroup,
    standings: &BTreeMap<TopicPartition, Standing>,
    output: Output,
) -> Result<(), Failure> {
    let lag: i64 = standings.values().filter_map(Standing::lag).sum();
    output.line(&format!(
        "group {} is {} with {} members and a lag of {lag}",
        described.group_id,
        described.group_state,
        described.members.len()
    ))?;
    let number =
        |number: Option<i64>| Field::from(number.map_or("-".to_owned(), |n| n.to_string()));
    let rows: Vec<Vec<Field>> = standings
        .iter()
        .map(|((topic, partition), standing)| {
            let lag = match standing.lag() {
                Some(0) => Field::toned("0", Tone::Good),
                lag => number(lag),
            };
            let member = standing
                .member
                .and_then(|index| described.members.get(index));
            vec![
                topic.into(),
                partition.into(),
                number(standing.committed),
                number(standing.end),
                lag,
                member.map_or("-", |member| &member.member_id).into(),
            ]
        })
        .collect();
    let header = ["topic", "partition", "committed", "end", "lag", "member"];
    output.table(&header, &rows)?;
    if described.members.is_empty() {
        return Ok(());
    }
    let rows: Vec<Vec<&str>> = described
        .members
        .iter()
        .map(|member| {
            vec![
                member.member_id.as_str(),
                member.group_instance_id.as_deref().unwrap_or("-"),
                member.client_id.as_str(),
                member.client_host.as_str(),
            ]
        })
        .collect();
    output.table(&["member", "instance", "client", "host"], &rows)
}

fn to_json(described: &DescribedGroup, standings: &BTreeMap<TopicPartition, Standing>) -> Value {
    let member_id = |index: usize| described.members.get(index).map(|member| &member.member_id);
    let partitions = standings.iter().map(|((topic, partition), standing)| {
        json!({
            "topic": topic,
            "partition": partition,
            "committed": standing.committed,
            "end": standing.end,
            "lag": standing.lag(),
            "member": standing.member.and_then(member_id),
        })
    });
    let members = described.members.iter().map(|member| {
        json!({
            "member": member.member_id,
            "instance": member.group_instance_id,
            "client": member.client_id,
            "host": member.client_host,
        })
    });
    json!({
        "group": described.group_id,
        "state": described.group_state,
        "protocol_type": described.protocol_type,
        "assignor": described.protocol_data,
        "lag": standings.values().filter_map(Standing::lag).sum::<i64>(),
        "partitions": partitions.collect::<Vec<_>>(),
        "members": members.collect::<Vec<_>>(),
    })
}
