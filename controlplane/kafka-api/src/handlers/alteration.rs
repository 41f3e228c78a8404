//! What AlterConfigs and IncrementalAlterConfigs share: from what a request says of each resource to
//! one outcome for each.

use crate::api::{Api, CHANGE_PATIENCE};
use crate::configs::{ConfigChange, ConfigOperation, ConfigTarget, ResourceType, check_lists};
use precursor_metadata::Refusal;
use precursor_model::ErrorCode;
use std::collections::{BTreeMap, BTreeSet};

/// A resource as a request names it, and what shall become of its options.
pub(super) struct Alteration {
    pub resource_type: i8,
    pub resource_name: String,
    /// By option, or what is wrong with one of them.
    pub operations: Result<Vec<(String, ConfigOperation)>, Refusal>,
    /// Whether every option that is not named loses its value.
    pub replace: bool,
}

/// A resource and what became of it.
pub(super) struct Altered {
    pub resource_type: i8,
    pub resource_name: String,
    pub error_code: i16,
    pub error_message: Option<String>,
}

/// Makes the changes, or says what would come of them; one outcome a resource.
pub(super) async fn alter(
    api: &Api,
    alterations: Vec<Alteration>,
    validate_only: bool,
) -> Vec<Altered> {
    let mut times: BTreeMap<(i8, String), usize> = BTreeMap::new();
    for alteration in &alterations {
        *times.entry(key(alteration)).or_default() += 1;
    }
    let (mut changes, mut accepted, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
    for alteration in alterations {
        let key = key(&alteration);
        let change = match times.insert(key.clone(), 0) {
            // Told already.
            Some(0) => continue,
            Some(1) => read(alteration),
            _ => Err(invalid("Each resource must appear at most once.".into())),
        };
        match change {
            Ok(change) => {
                changes.push(change);
                accepted.push(key);
            }
            Err(refusal) => outcomes.push(outcome(key, Err(refusal))),
        }
    }
    let made = api
        .alter_configs(&changes, validate_only, CHANGE_PATIENCE)
        .await;
    let accepted = accepted.into_iter().zip(made);
    outcomes.extend(accepted.map(|(key, made)| outcome(key, made)));
    outcomes
}

fn key(alteration: &Alteration) -> (i8, String) {
    (alteration.resource_type, alteration.resource_name.clone())
}

/// Looks at everything in Kafka's order: the options' names, their operations, the resource.
fn read(alteration: Alteration) -> Result<ConfigChange, Refusal> {
    let operations = alteration.operations?;
    let mut seen = BTreeSet::new();
    if !operations.iter().all(|(name, _)| seen.insert(name)) {
        return Err(invalid("Error due to duplicate config keys".into()));
    }
    let is_topic = alteration.resource_type == ResourceType::Topic as i8;
    if is_topic {
        check_lists(&operations)?;
        if alteration.resource_name.is_empty() {
            return Err(invalid("Default topic resources are not allowed.".into()));
        }
    }
    Ok(ConfigChange {
        target: ConfigTarget::read(alteration.resource_type, &alteration.resource_name)?,
        operations,
        replace: alteration.replace,
    })
}

pub(super) fn invalid(message: String) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, message)
}

fn outcome((resource_type, resource_name): (i8, String), outcome: Result<(), Refusal>) -> Altered {
    let (error_code, error_message) = outcome.err().map_or((0, None), super::error_fields);
    Altered {
        resource_type,
        resource_name,
        error_code,
        error_message,
    }
}
