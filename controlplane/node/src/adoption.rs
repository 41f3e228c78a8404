//! Takes in what `precursor storage adopt` put into the data directory, once.

use precursor_config::NodeConfig;
use precursor_consensus::Consensus;
use precursor_metadata::{ADOPTION_DONE_FILE, ADOPTION_FILE, Adoption, Command, Outcome};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// What waits to be taken in.
///
/// # Errors
/// One sentence: the file is there and cannot be read.
pub fn find(data_dir: &Path) -> Result<Option<Adoption>, String> {
    let path = data_dir.join(ADOPTION_FILE);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|error| format!("{} cannot be read: {error}", path.display()))?,
    };
    let adoption = serde_json::from_slice(&bytes);
    let adoption = adoption.map_err(|error| format!("{} makes no sense: {error}", path.display()));
    adoption.map(Some)
}

/// Makes the topics whose logs are there, by ordinary commands. A start that is broken off goes on
/// the next time; what is there already is left as it is.
///
/// # Errors
/// One sentence: a topic is refused, or the file cannot be renamed.
pub async fn take_in(
    consensus: &Consensus,
    config: &NodeConfig,
    adoption: &Adoption,
    shards: u16,
) -> Result<(), String> {
    let commands = consensus.read(|state| adoption.commands(state, config.node_id, shards));
    for command in commands {
        let names: Vec<String> = match &command {
            Command::CreateTopics { topics } => topics.iter().map(|t| t.name.clone()).collect(),
            _ => Vec::new(),
        };
        let reply = consensus.propose(command).await;
        match reply.map_err(|error| error.to_string())?.outcome {
            Outcome::TopicsCreated(created) => {
                for (name, created) in names.iter().zip(created) {
                    created.map_err(|refusal| {
                        format!("the topic {name} of {ADOPTION_FILE} is refused: {refusal}")
                    })?;
                }
            }
            Outcome::ProducerIds(taken) => drop(taken.map_err(|refusal| refusal.to_string())?),
            other => return Err(format!("an unexpected outcome: {other:?}")),
        }
    }
    let topics = adoption.topics.len();
    tracing::info!(
        topics,
        cluster_id = adoption.cluster_id,
        "taken over from Apache Kafka"
    );
    let rename =
        |from: &str, to: &str| fs::rename(config.data_dir.join(from), config.data_dir.join(to));
    rename(ADOPTION_FILE, ADOPTION_DONE_FILE)
        .map_err(|error| format!("{ADOPTION_FILE} cannot be renamed: {error}"))
}
