//! DescribeClientQuotas, key 48, versions 0 and 1 (KIP-546).

use super::alter_client_quotas::{CLIENT_ID, IP, USER};
use super::error_fields;
use crate::api::Api;
use precursor_metadata::{QuotaEntity, QuotaLimits, QuotaName, Refusal};
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::DescribeClientQuotasRequest as Request;
use precursor_protocol::messages::DescribeClientQuotasResponse;
use precursor_protocol::messages::describe_client_quotas_request::ComponentData;
use precursor_protocol::messages::describe_client_quotas_response::{
    EntityData, EntryData, ValueData,
};

/// Kafka's types of matches.
const EXACT: i8 = 0;
const DEFAULT: i8 = 1;
const ANY_SPECIFIED: i8 = 2;

/// What one dimension of an entity must be.
enum Wanted {
    Exactly(QuotaName),
    Something,
}

/// What both dimensions must be; `None`: the request does not say.
#[derive(Default)]
struct Filter {
    user: Option<Wanted>,
    client_id: Option<Wanted>,
    /// Entities of addresses are asked for, of which there are none.
    ip: bool,
    strict: bool,
}

pub(crate) async fn handle(
    api: &Api,
    _version: i16,
    request: Request,
) -> DescribeClientQuotasResponse {
    let filter = match read(request) {
        Ok(filter) => filter,
        Err(refusal) => {
            let (error_code, error_message) = error_fields(refusal);
            return DescribeClientQuotasResponse {
                error_code,
                error_message,
                entries: None,
                ..DescribeClientQuotasResponse::default()
            };
        }
    };
    let entries = api.consensus.read(|state| {
        let quotas = state.quotas().filter(|(entity, _)| filter.takes(entity));
        quotas
            .map(|(entity, limits)| entry(entity, limits))
            .collect()
    });
    DescribeClientQuotasResponse {
        entries: Some(entries),
        ..DescribeClientQuotasResponse::default()
    }
}

fn read(request: Request) -> Result<Filter, Refusal> {
    let mut filter = Filter {
        strict: request.strict,
        ..Filter::default()
    };
    let invalid = |message: String| Refusal::new(ErrorCode::InvalidRequest, message);
    for component in request.components {
        let kind = component.entity_type.as_str();
        // What is no type of entity is said before what is wrong with its match.
        if kind.is_empty() {
            return Err(invalid(
                "Unexpected empty filter component entity type".into(),
            ));
        }
        if ![USER, CLIENT_ID, IP].contains(&kind) {
            let shown: String = kind.chars().take(64).collect();
            return Err(Refusal::new(
                ErrorCode::UnsupportedVersion,
                format!("Custom entity type '{shown}' not supported"),
            ));
        }
        let wanted = wanted(&component)?;
        let twice = match kind {
            USER => filter.user.replace(wanted).is_some(),
            CLIENT_ID => filter.client_id.replace(wanted).is_some(),
            _ => std::mem::replace(&mut filter.ip, true),
        };
        if twice {
            return Err(invalid(format!(
                "Duplicate {kind} filter component entity type"
            )));
        }
    }
    if filter.ip && (filter.user.is_some() || filter.client_id.is_some()) {
        return Err(invalid(
            "Invalid entity filter component combination, IP filter component should not be used \
             with user or clientId filter component."
                .into(),
        ));
    }
    Ok(filter)
}

fn wanted(component: &ComponentData) -> Result<Wanted, Refusal> {
    let invalid = |message: String| Err(Refusal::new(ErrorCode::InvalidRequest, message));
    match (component.match_type, &component.r#match) {
        (EXACT, Some(name)) => Ok(Wanted::Exactly(QuotaName::Named(name.clone()))),
        (EXACT, None) => {
            invalid("Request specified MATCH_TYPE_EXACT, but set no match string.".into())
        }
        (DEFAULT, None) => Ok(Wanted::Exactly(QuotaName::Default)),
        (ANY_SPECIFIED, None) => Ok(Wanted::Something),
        (DEFAULT | ANY_SPECIFIED, Some(_)) => invalid(
            "Request specified a match type without a name, but also set a match string.".into(),
        ),
        (other, _) => invalid(format!("Unknown match type {other}")),
    }
}

impl Filter {
    fn takes(&self, entity: &QuotaEntity) -> bool {
        let fits = |wanted: &Option<Wanted>, name: &Option<QuotaName>| match (wanted, name) {
            (None, None) => true,
            (None, Some(_)) => !self.strict,
            (Some(Wanted::Something), name) => name.is_some(),
            (Some(Wanted::Exactly(wanted)), name) => name.as_ref() == Some(wanted),
        };
        !self.ip && fits(&self.user, &entity.user) && fits(&self.client_id, &entity.client_id)
    }
}

fn entry(entity: &QuotaEntity, limits: &QuotaLimits) -> EntryData {
    let dimensions = [(USER, &entity.user), (CLIENT_ID, &entity.client_id)];
    let parts = dimensions.into_iter().filter_map(|(kind, name)| {
        Some(EntityData {
            entity_type: kind.to_owned(),
            entity_name: match name.as_ref()? {
                QuotaName::Default => None,
                QuotaName::Named(name) => Some(name.clone()),
            },
            ..EntityData::default()
        })
    });
    let values = limits.iter().map(|(key, limit)| ValueData {
        key: key.name().to_owned(),
        value: limit.value(),
        ..ValueData::default()
    });
    EntryData {
        entity: parts.collect(),
        values: values.collect(),
        ..EntryData::default()
    }
}
