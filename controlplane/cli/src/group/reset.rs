//! `precursor group reset-offsets`.

use std::collections::BTreeMap;

use precursor_config::Endpoint;
use precursor_model::ErrorCode;
use serde_json::{Value, json};

use super::describe::describe;
use crate::client::cluster::Cluster;
use crate::client::coordinator::{Coordinator, TopicPartition, group_failure};
use crate::client::topic::{EARLIEST, LATEST, topic_failure};
use crate::failure::Failure;
use crate::moment::{now_ms, parse_duration, parse_moment};
use crate::output::Output;

/// The arguments of `precursor group reset-offsets`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("target").required(true))]
#[command(group = clap::ArgGroup::new("scope").multiple(true))]
pub struct ResetArguments {
    group: String,
    /// Partitions of this topic, as often as needed [default: whatever the group has committed]
    #[arg(long = "topic", value_name = "TOPIC[:N,N]", group = "scope", value_parser = parse_scope)]
    topics: Vec<Scope>,
    /// To the first record that is there
    #[arg(long, group = "target")]
    to_earliest: bool,
    /// To the end
    #[arg(long, group = "target")]
    to_latest: bool,
    /// To this offset, or the nearest that is there
    #[arg(long, group = "target", value_name = "OFFSET", value_parser = clap::value_parser!(i64).range(0..))]
    to_offset: Option<i64>,
    /// To the first record of this time: milliseconds since 1970, or a date and time of UTC
    #[arg(long, group = "target", value_name = "TIME", value_parser = parse_moment, allow_hyphen_values = true)]
    to_time: Option<i64>,
    /// To the first record of the last 15m, 2h, 7d
    #[arg(long, group = "target", value_name = "DURATION", value_parser = parse_duration)]
    by_duration: Option<i64>,
    /// By so many records forwards, or backwards with a minus
    #[arg(long, group = "target", value_name = "N", allow_hyphen_values = true)]
    shift_by: Option<i64>,
    /// Do it; without this only what would be done is shown
    #[arg(long, visible_alias = "yes", short_alias = 'y')]
    execute: bool,
}

/// A topic, and some of its partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Scope {
    topic: String,
    /// Empty: all.
    partitions: Vec<i32>,
}

fn parse_scope(text: &str) -> Result<Scope, String> {
    let (topic, numbers) = text.split_once(':').unwrap_or((text, ""));
    let numbers = numbers.split(',').filter(|number| !number.is_empty());
    let partitions: Result<Vec<i32>, _> = numbers.map(str::parse).collect();
    match partitions {
        Ok(partitions) if !topic.is_empty() && partitions.iter().all(|number| *number >= 0) => {
            Ok(Scope {
                topic: topic.to_owned(),
                partitions,
            })
        }
        _ => Err("it takes TOPIC or TOPIC:0,1".to_owned()),
    }
}

/// One partition's move.
struct Move {
    from: Option<i64>,
    to: i64,
}

/// Shows where the group's offsets would be, and commits them with --execute.
///
/// # Errors
/// The group has members, a topic is missing, or the coordinator refuses.
pub fn run(
    bootstrap: &Endpoint,
    arguments: &ResetArguments,
    output: Output,
) -> Result<(), Failure> {
    let mut coordinator = Coordinator::find(bootstrap, &arguments.group)?;
    let mut cluster = Cluster::open(bootstrap)?;
    let committed = coordinator.committed()?;
    let partitions = scope(arguments, &cluster, &committed)?;
    let moves = plan(arguments, &mut cluster, &partitions, &committed)?;
    if arguments.execute {
        refuse_with_members(&mut coordinator)?;
        let offsets = moves.iter().map(|(key, step)| (key.clone(), step.to));
        let error = coordinator.commit(None, &offsets.collect())?;
        if error != ErrorCode::None {
            return Err(group_failure(&arguments.group, error));
        }
    }
    show(arguments, &moves, output)
}

/// A new group is welcome; one with members would overwrite what is committed for it.
fn refuse_with_members(coordinator: &mut Coordinator) -> Result<(), Failure> {
    match describe(coordinator) {
        Ok(described) if !described.members.is_empty() => {
            Err(group_failure(coordinator.group(), ErrorCode::NonEmptyGroup))
        }
        _ => Ok(()),
    }
}

fn scope(
    arguments: &ResetArguments,
    cluster: &Cluster,
    committed: &BTreeMap<TopicPartition, i64>,
) -> Result<Vec<TopicPartition>, Failure> {
    if arguments.topics.is_empty() {
        if committed.is_empty() {
            return Err(Failure::refused(format!(
                "group '{}' has no offsets, so it is not known what is meant",
                arguments.group
            ))
            .next("Name topics: --topic TOPIC, or TOPIC:0,1 for some partitions"));
        }
        return Ok(committed.keys().cloned().collect());
    }
    let mut partitions = Vec::new();
    for scope in &arguments.topics {
        let count = cluster
            .partition_count(&scope.topic)
            .ok_or_else(|| topic_failure(&scope.topic, ErrorCode::UnknownTopicOrPartition))?;
        let all = 0..count as i32;
        if let Some(wrong) = scope.partitions.iter().find(|index| !all.contains(index)) {
            return Err(Failure::usage(format!(
                "topic '{}' has no partition {wrong}: its partitions are 0 to {}",
                scope.topic,
                count - 1
            ))
            .next("Name partitions that are there: --topic TOPIC:0,1"));
        }
        let named: Vec<i32> = match scope.partitions.is_empty() {
            true => all.collect(),
            false => scope.partitions.clone(),
        };
        partitions.extend(named.into_iter().map(|index| (scope.topic.clone(), index)));
    }
    Ok(partitions)
}

fn plan(
    arguments: &ResetArguments,
    cluster: &mut Cluster,
    partitions: &[TopicPartition],
    committed: &BTreeMap<TopicPartition, i64>,
) -> Result<BTreeMap<TopicPartition, Move>, Failure> {
    let starts = cluster.offsets(partitions, EARLIEST)?;
    let ends = cluster.offsets(partitions, LATEST)?;
    let time = arguments.to_time.or_else(|| {
        arguments
            .by_duration
            .map(|ago| now_ms().saturating_sub(ago))
    });
    let found = match time {
        Some(time) => cluster.offsets(partitions, time)?,
        None => BTreeMap::new(),
    };
    let mut moves = BTreeMap::new();
    for key in partitions {
        let (Some(start), Some(end)) = (starts.get(key), ends.get(key)) else {
            return Err(Failure::refused(format!(
                "partition {} of topic '{}' cannot be asked for its offsets",
                key.1, key.0
            ))
            .next("See whether it has a leader: precursor topic describe, or precursor top"));
        };
        let from = committed.get(key).copied();
        let wanted = if arguments.to_earliest {
            *start
        } else if arguments.to_latest {
            *end
        } else if let Some(offset) = arguments.to_offset {
            offset
        } else if let Some(shift) = arguments.shift_by {
            let from = from.ok_or_else(|| nothing_to_shift(arguments, key))?;
            from.saturating_add(shift)
        } else {
            // No record is that young: the end, as Kafka's own tool does.
            found
                .get(key)
                .copied()
                .filter(|at| *at >= 0)
                .unwrap_or(*end)
        };
        let to = wanted.clamp(*start, *end);
        moves.insert(key.clone(), Move { from, to });
    }
    Ok(moves)
}

fn nothing_to_shift(arguments: &ResetArguments, key: &TopicPartition) -> Failure {
    Failure::refused(format!(
        "group '{}' has no offset in partition {} of topic '{}' that could be shifted",
        arguments.group, key.1, key.0
    ))
    .next("Give it one first: --to-earliest, --to-latest or --to-offset")
}

fn show(
    arguments: &ResetArguments,
    moves: &BTreeMap<TopicPartition, Move>,
    output: Output,
) -> Result<(), Failure> {
    if output.json() {
        let partitions = moves.iter().map(|((topic, partition), step)| {
            json!({
                "topic": topic,
                "partition": partition,
                "from": step.from,
                "to": step.to,
            })
        });
        return output.value(&json!({
            "group": arguments.group,
            "executed": arguments.execute,
            "partitions": partitions.collect::<Vec<Value>>(),
        }));
    }
    let rows: Vec<Vec<String>> = moves
        .iter()
        .map(|((topic, partition), step)| {
            let from = step.from.map_or("-".to_owned(), |from| from.to_string());
            vec![
                topic.clone(),
                partition.to_string(),
                from,
                step.to.to_string(),
            ]
        })
        .collect();
    output.table(&["topic", "partition", "from", "to"], &rows)?;
    output.line(match arguments.execute {
        true => "done",
        false => "nothing was changed; add --execute to do it",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_name_topics_and_partitions() {
        let scope = |topic: &str, partitions: &[i32]| Scope {
            topic: topic.to_owned(),
            partitions: partitions.to_vec(),
        };
        assert_eq!(parse_scope("t"), Ok(scope("t", &[])));
        assert_eq!(parse_scope("t:0,3"), Ok(scope("t", &[0, 3])));
        for bad in ["", ":1", "t:x", "t:-1"] {
            assert!(parse_scope(bad).is_err(), "{bad}");
        }
    }
}
