//! AlterClientQuotas, key 49, versions 0 and 1 (KIP-546).

use super::error_fields;
use crate::api::{Api, CHANGE_PATIENCE};
use crate::quotas::read_quota_limit;
use precursor_metadata::{QuotaAlteration, QuotaEntity, QuotaName, Refusal};
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::AlterClientQuotasRequest as Request;
use precursor_protocol::messages::AlterClientQuotasResponse;
use precursor_protocol::messages::alter_client_quotas_request as request;
use precursor_protocol::messages::alter_client_quotas_response::{EntityData, EntryData};
use std::collections::{BTreeMap, BTreeSet};

/// Kafka's types of entities.
pub(super) const USER: &str = "user";
pub(super) const CLIENT_ID: &str = "client-id";
pub(super) const IP: &str = "ip";

pub(crate) async fn handle(
    api: &Api,
    _version: i16,
    request: Request,
) -> AlterClientQuotasResponse {
    let (mut entries, mut accepted, mut alterations) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for entry in request.entries {
        let alteration = read(&entry).and_then(|alteration| {
            if seen.insert(alteration.entity.clone()) {
                return Ok(alteration);
            }
            Err(invalid("Duplicate quota entity in the request".into()))
        });
        match alteration {
            Ok(alteration) => {
                alterations.push(alteration);
                accepted.push(entry.entity);
            }
            Err(refusal) => entries.push(response(entry.entity, Err(refusal))),
        }
    }
    let outcomes = api
        .alter_quotas(alterations, request.validate_only, CHANGE_PATIENCE)
        .await;
    entries.extend(
        accepted
            .into_iter()
            .zip(outcomes)
            .map(|(entity, o)| response(entity, o)),
    );
    AlterClientQuotasResponse {
        entries,
        ..AlterClientQuotasResponse::default()
    }
}

fn read(entry: &request::EntryData) -> Result<QuotaAlteration, Refusal> {
    let mut entity = QuotaEntity::default();
    if entry.entity.is_empty() {
        return Err(invalid("Invalid empty client quota entity".into()));
    }
    for part in &entry.entity {
        let dimension = match part.entity_type.as_str() {
            USER => &mut entity.user,
            CLIENT_ID => &mut entity.client_id,
            IP => {
                return Err(invalid(
                    "Quotas of addresses are not enforced here, so they are not taken; quotas are \
                     set on user and client-id."
                        .into(),
                ));
            }
            other => {
                return Err(invalid(format!(
                    "Unhandled client quota entity type: {}",
                    shown(other)
                )));
            }
        };
        let name = match &part.entity_name {
            None => QuotaName::Default,
            Some(name) if name.is_empty() => {
                return Err(invalid(format!("Empty {} not supported", part.entity_type)));
            }
            Some(name) => QuotaName::Named(name.clone()),
        };
        if dimension.replace(name).is_some() {
            return Err(invalid(format!("Duplicate {} entity", part.entity_type)));
        }
    }
    let mut limits = BTreeMap::new();
    for op in &entry.ops {
        let value = (!op.remove).then_some(op.value);
        let (key, limit) = match read_quota_limit(&op.key, value) {
            // What nobody knows is not set: there is nothing to take away.
            Err(_) if op.remove => continue,
            limit => limit?,
        };
        if limits.insert(key, limit).is_some() {
            return Err(invalid(format!("Duplicate quota key {}", key.name())));
        }
    }
    Ok(QuotaAlteration { entity, limits })
}

fn invalid(message: String) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, message)
}

fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

fn response(entity: Vec<request::EntityData>, outcome: Result<(), Refusal>) -> EntryData {
    let (error_code, error_message) = outcome.err().map_or((0, None), error_fields);
    let entity = entity.into_iter().map(|part| EntityData {
        entity_type: part.entity_type,
        entity_name: part.entity_name,
        ..EntityData::default()
    });
    EntryData {
        error_code,
        error_message,
        entity: entity.collect(),
        ..EntryData::default()
    }
}
