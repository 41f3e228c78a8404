//! Client quotas: what Kafka requests and gRPC share.

use crate::api::Api;
use crate::topics::other_answer;
use precursor_metadata::{Command, Outcome, QuotaAlteration, QuotaKey, QuotaLimit, Refusal};
use precursor_model::{ErrorCode, nearest_name};
use std::time::Duration;

impl Api {
    /// Changes quotas, or with `validate_only` says what would come of it. One outcome an entity,
    /// in order; returns when every shard has them.
    pub async fn alter_quotas(
        &self,
        alterations: Vec<QuotaAlteration>,
        validate_only: bool,
        limit: Duration,
    ) -> Vec<Result<(), Refusal>> {
        let count = alterations.len();
        if validate_only || count == 0 {
            return self
                .consensus
                .read(|state| alterations.iter().map(|a| state.check_quota(a)).collect());
        }
        let reply = match self
            .propose(Command::AlterQuotas { alterations }, limit)
            .await
        {
            Ok(reply) => reply,
            Err(refusal) => return vec![Err(refusal); count],
        };
        let Outcome::Altered(outcomes) = reply.outcome else {
            return vec![Err(other_answer()); count];
        };
        self.shown(reply.version).await;
        outcomes
    }
}

/// A limit as a client states it; without a value it is to be taken away.
///
/// # Errors
/// Kafka's refusal: no such limit, or not one that can be.
pub fn read_quota_limit(
    key: &str,
    value: Option<f64>,
) -> Result<(QuotaKey, Option<QuotaLimit>), Refusal> {
    let invalid = |message: String| Refusal::new(ErrorCode::InvalidRequest, message);
    let Some(key) = QuotaKey::find(key) else {
        return Err(invalid(match key {
            "controller_mutation_rate" | "connection_creation_rate" => format!(
                "{key} is not enforced here, so it is not taken; quotas are producer_byte_rate, \
                 consumer_byte_rate and request_percentage."
            ),
            key => {
                let nearest = nearest_name(key, QuotaKey::ALL.iter().map(|key| key.name()));
                let shown: String = key.chars().take(64).collect();
                format!("Invalid configuration key {shown}; did you mean {nearest}?")
            }
        }));
    };
    let Some(value) = value else {
        return Ok((key, None));
    };
    // Kafka's types: whole bytes, but any share of a thread.
    if key != QuotaKey::RequestPercentage && value.fract() != 0.0 {
        return Err(invalid(format!(
            "{} cannot be a fractional value.",
            key.name()
        )));
    }
    match QuotaLimit::new(value) {
        Some(limit) => Ok((key, Some(limit))),
        None => Err(invalid(format!(
            "Quota {} must be greater than 0",
            key.name()
        ))),
    }
}
