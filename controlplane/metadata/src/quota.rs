//! Client quotas (KIP-546): limits by user, client id, or both.

use crate::command::Change;
use crate::refusal::Refusal;
use crate::state::Metadata;
use crate::{QUOTA_NAME_LENGTH_MAX, QUOTAS_MAX};
use precursor_model::ErrorCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A dimension's value: one name, or everybody without a quota of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum QuotaName {
    Default,
    Named(String),
}

/// Whom a quota limits; at least one dimension is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QuotaEntity {
    pub user: Option<QuotaName>,
    pub client_id: Option<QuotaName>,
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum QuotaKey {
    /// Bytes of Produce requests per second.
    ProducerByteRate,
    /// Bytes of Fetch responses per second.
    ConsumerByteRate,
    /// Share of a shard thread's time, in percent of one thread.
    RequestPercentage,
}

impl QuotaKey {
    pub const ALL: [QuotaKey; 3] = [
        QuotaKey::ProducerByteRate,
        QuotaKey::ConsumerByteRate,
        QuotaKey::RequestPercentage,
    ];

    /// Kafka's name.
    pub fn name(self) -> &'static str {
        match self {
            QuotaKey::ProducerByteRate => "producer_byte_rate",
            QuotaKey::ConsumerByteRate => "consumer_byte_rate",
            QuotaKey::RequestPercentage => "request_percentage",
        }
    }

    pub fn find(name: &str) -> Option<QuotaKey> {
        QuotaKey::ALL.into_iter().find(|key| key.name() == name)
    }
}

/// A limit: finite and positive. Written as text, so that every copy reads the same number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuotaLimit(f64);

impl Eq for QuotaLimit {}

impl QuotaLimit {
    /// `None` unless finite and above 0.
    pub fn new(limit: f64) -> Option<QuotaLimit> {
        (limit.is_finite() && limit > 0.0).then_some(QuotaLimit(limit))
    }

    pub fn value(self) -> f64 {
        self.0
    }
}

impl Serialize for QuotaLimit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for QuotaLimit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let limit = text.parse().ok().and_then(QuotaLimit::new);
        limit.ok_or_else(|| serde::de::Error::custom("a quota is a finite number above 0"))
    }
}

/// New limits of one entity; `None` takes a limit away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaAlteration {
    pub entity: QuotaEntity,
    pub limits: BTreeMap<QuotaKey, Option<QuotaLimit>>,
}

/// The limits of one entity.
pub type QuotaLimits = BTreeMap<QuotaKey, QuotaLimit>;

impl Metadata {
    /// Every entity with its limits, in order.
    pub fn quotas(&self) -> impl ExactSizeIterator<Item = (&QuotaEntity, &QuotaLimits)> {
        self.quotas.iter()
    }

    pub fn quota(&self, entity: &QuotaEntity) -> Option<&QuotaLimits> {
        self.quotas.get(entity)
    }

    /// Whether the alteration could be made now.
    ///
    /// # Errors
    /// Kafka's refusal.
    pub fn check_quota(&self, alteration: &QuotaAlteration) -> Result<(), Refusal> {
        let entity = &alteration.entity;
        let refuse = |error, message: String| Err(Refusal::new(error, message));
        if entity.user.is_none() && entity.client_id.is_none() {
            return refuse(
                ErrorCode::InvalidRequest,
                "Invalid empty client quota entity".into(),
            );
        }
        for name in [&entity.user, &entity.client_id].into_iter().flatten() {
            if matches!(name, QuotaName::Named(name) if name.len() > QUOTA_NAME_LENGTH_MAX) {
                return refuse(
                    ErrorCode::InvalidRequest,
                    format!(
                        "A quota's entity has a name of at most {QUOTA_NAME_LENGTH_MAX} bytes."
                    ),
                );
            }
        }
        let adds = alteration.limits.values().any(Option::is_some);
        if adds && self.quotas.len() >= QUOTAS_MAX && !self.quotas.contains_key(entity) {
            return refuse(
                ErrorCode::PolicyViolation,
                format!("There are at most {QUOTAS_MAX} entities with quotas."),
            );
        }
        Ok(())
    }

    pub(crate) fn alter_quota(
        &mut self,
        alteration: &QuotaAlteration,
        changes: &mut Vec<Change>,
    ) -> Result<(), Refusal> {
        self.check_quota(alteration)?;
        let before = self.quotas.get(&alteration.entity);
        let mut limits = before.cloned().unwrap_or_default();
        for (key, limit) in &alteration.limits {
            match limit {
                Some(limit) => drop(limits.insert(*key, *limit)),
                None => drop(limits.remove(key)),
            }
        }
        if before.is_some_and(|before| *before == limits) || before.is_none() && limits.is_empty() {
            return Ok(());
        }
        changes.push(Change::Quota(alteration.entity.clone()));
        if limits.is_empty() {
            self.quotas.remove(&alteration.entity);
        } else {
            self.quotas.insert(alteration.entity.clone(), limits);
        }
        Ok(())
    }
}
