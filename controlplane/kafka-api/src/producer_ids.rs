//! Producer ids, taken from the cluster a block at a time.

use crate::api::Api;
use precursor_metadata::{Command, Outcome, Refusal};
use precursor_model::ErrorCode;
use std::time::Duration;
use tokio::sync::Mutex;

/// Kafka's own block: one agreement for a thousand producers; a restart skips the rest of it.
const BLOCK: u32 = 1_000;
const PATIENCE: Duration = Duration::from_secs(10);

/// What is left of the block that this process took.
#[derive(Debug, Default)]
pub(crate) struct ProducerIds {
    left: Mutex<std::ops::Range<i64>>,
}

impl Api {
    /// A producer id that nobody was given before.
    ///
    /// # Errors
    /// No block could be taken.
    pub(crate) async fn next_producer_id(&self) -> Result<i64, Refusal> {
        // Held over the agreement: who comes meanwhile wants the same block.
        let mut left = self.producer_ids.left.lock().await;
        if let Some(id) = left.next() {
            return Ok(id);
        }
        let take = Command::AllocateProducerIds { count: BLOCK };
        match self.propose(take, PATIENCE).await?.outcome {
            Outcome::ProducerIds(first) => {
                let first = first?;
                *left = first + 1..first + i64::from(BLOCK);
                Ok(first)
            }
            _ => Err(Refusal::new(
                ErrorCode::UnknownServerError,
                "The answer to another command came.",
            )),
        }
    }
}
