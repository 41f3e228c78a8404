//! What a node tells the cluster about itself when it starts.

use crate::adoption;
use precursor_config::NodeConfig;
use precursor_consensus::Consensus;
use precursor_metadata::{Broker, Command, Outcome};
use precursor_model::TopicId;

/// Names the cluster when it has no name yet (as it was called where it was taken over from), registers this node's
/// broker, and takes in the topics of a data directory that was taken over.
///
/// # Errors
/// One sentence: what was not accepted.
pub async fn register(
    consensus: &Consensus,
    config: &NodeConfig,
    shards: u16,
) -> Result<(), String> {
    let adoption = adoption::find(&config.data_dir)?;
    if consensus.read(|state| state.cluster_id().is_none()) {
        // Kafka writes cluster ids like topic ids: a random UUID in base64.
        let cluster_id = match &adoption {
            Some(adoption) => adoption.cluster_id.clone(),
            None => TopicId(*uuid::Uuid::new_v4().as_bytes()).to_string(),
        };
        tracing::info!(cluster_id, "a new cluster");
        propose(consensus, Command::SetClusterId { cluster_id }).await?;
    }
    // Without an advertised address it is the one that the listener is bound to, which the data
    // plane knows.
    let (host, port) = match &config.advertised_listener {
        Some(endpoint) => (endpoint.host.clone(), endpoint.port),
        None => (String::new(), 0),
    };
    let broker = Broker {
        id: config.node_id,
        host,
        port,
        rack: String::new(),
    };
    if consensus.read(|state| state.broker(broker.id) != Some(&broker)) {
        propose(consensus, Command::RegisterBroker { broker }).await?;
    }
    match &adoption {
        Some(adoption) => adoption::take_in(consensus, config, adoption, shards).await,
        None => Ok(()),
    }
}

async fn propose(consensus: &Consensus, command: Command) -> Result<(), String> {
    let reply = consensus.propose(command).await;
    match reply.map_err(|error| error.to_string())?.outcome {
        Outcome::Done(outcome) => outcome.map_err(|refusal| refusal.to_string()),
        other => Err(format!("an unexpected outcome: {other:?}")),
    }
}
