//! Changing options while the node runs.

use super::describe::TopicDefaults;
use super::groups::GroupOption;
use super::resource::ConfigTarget;
use crate::api::Api;
use precursor_config::changeable;
use precursor_metadata::{
    Command, ConfigAlteration, Metadata, Outcome, Refusal, check_topic_configs,
};
use precursor_model::{ErrorCode, LogConfig, TopicOption, ValueKind};
use precursor_telemetry::OptionError;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Kafka's `AlterConfigOp` (KIP-339).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigOperation {
    Set(String),
    /// Takes the resource's own value away.
    Delete,
    /// Adds items to a list.
    Append(String),
    /// Removes items from a list.
    Subtract(String),
}

/// Changes of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigChange {
    pub target: ConfigTarget,
    /// By option; each option once.
    pub operations: Vec<(String, ConfigOperation)>,
    /// Whether every option that is not named loses its value (AlterConfigs, before KIP-339).
    pub replace: bool,
}

impl Api {
    /// Changes options, or with `validate_only` says what would come of it. One outcome a change,
    /// in order; returns when every shard has what concerns it.
    pub async fn alter_configs(
        &self,
        changes: &[ConfigChange],
        validate_only: bool,
        limit: Duration,
    ) -> Vec<Result<(), Refusal>> {
        // A change is worked out from what is there: nobody else may change it meanwhile.
        let _alone = self.altering.lock().await;
        let plans: Vec<Result<ConfigAlteration, Refusal>> = self.consensus.read(|state| {
            let defaults = TopicDefaults::new(&self.settings, state);
            let plan = |change| self.plan_change(state, &defaults, change);
            changes.iter().map(plan).collect()
        });
        let alterations: Vec<ConfigAlteration> = plans.iter().flatten().cloned().collect();
        if validate_only || alterations.is_empty() {
            return plans.into_iter().map(|plan| plan.map(drop)).collect();
        }
        let refused = |refusal: &Refusal, plans: Vec<Result<ConfigAlteration, Refusal>>| {
            let plans = plans.into_iter();
            plans.map(|plan| plan.and(Err(refusal.clone()))).collect()
        };
        let reply = match self
            .propose(Command::AlterConfigs { alterations }, limit)
            .await
        {
            Ok(reply) => reply,
            Err(refusal) => return refused(&refusal, plans),
        };
        let Outcome::Altered(outcomes) = reply.outcome else {
            return refused(&crate::topics::other_answer(), plans);
        };
        self.shown(reply.version).await;
        let mut outcomes = outcomes.into_iter();
        let mut outcome = |plan: Result<ConfigAlteration, Refusal>| {
            plan?;
            outcomes
                .next()
                .unwrap_or_else(|| Err(crate::topics::other_answer()))
        };
        plans.into_iter().map(&mut outcome).collect()
    }

    fn plan_change(
        &self,
        state: &Metadata,
        defaults: &TopicDefaults,
        change: &ConfigChange,
    ) -> Result<ConfigAlteration, Refusal> {
        let resource = match self.resolve(state, &change.target) {
            Ok(resource) => resource,
            Err(refusal) => {
                // Values are looked at before it is said that there is no such topic, as in Kafka.
                if let ConfigTarget::Topic(_) = change.target {
                    check_topic_configs(&values_alone(change))?;
                }
                return Err(refusal);
            }
        };
        let mut seen = BTreeSet::new();
        let mut values = BTreeMap::new();
        for (name, operation) in &change.operations {
            if !seen.insert(name) {
                return Err(Refusal::new(
                    ErrorCode::InvalidRequest,
                    "Error due to duplicate config keys",
                ));
            }
            let (name, value) = self.plan_operation(state, defaults, change, name, operation)?;
            values.insert(name, value);
        }
        if change.replace {
            for name in state.configs(&resource).keys() {
                values.entry(name.clone()).or_insert(None);
            }
        }
        let alteration = ConfigAlteration { resource, values };
        state.check_alteration(&alteration)?;
        Ok(alteration)
    }

    /// The option's name as it is kept, and its new value.
    fn plan_operation(
        &self,
        state: &Metadata,
        defaults: &TopicDefaults,
        change: &ConfigChange,
        name: &str,
        operation: &ConfigOperation,
    ) -> Result<(String, Option<String>), Refusal> {
        if let (ConfigTarget::Topic(_), ConfigOperation::Delete) = (&change.target, operation) {
            // What nobody knows is not set: there is nothing to take away.
            return Ok((name.to_owned(), None));
        }
        let (kept, kind) = known(&change.target, name)?;
        let value = match operation {
            ConfigOperation::Delete => return Ok((kept, None)),
            ConfigOperation::Set(value) => value.clone(),
            ConfigOperation::Append(_) | ConfigOperation::Subtract(_)
                if kind != ValueKind::List =>
            {
                return Err(no_list(&kept, operation));
            }
            ConfigOperation::Append(items) | ConfigOperation::Subtract(items) => {
                let all = self.describe_in(state, defaults, &change.target)?;
                let present = all.iter().find(|value| value.name == kept);
                let present = present.map_or("", |value| value.value.as_str());
                let append = matches!(operation, ConfigOperation::Append(_));
                list(present, items, append)
            }
        };
        let value = checked(&change.target, &kept, &value)?;
        Ok((kept, Some(value)))
    }
}

/// What a change would set on a topic on which nothing is set.
fn values_alone(change: &ConfigChange) -> BTreeMap<String, String> {
    let operations = change.operations.iter();
    let set = operations.filter_map(|(name, operation)| match operation {
        ConfigOperation::Set(value) | ConfigOperation::Append(value) => {
            Some((name.clone(), value.clone()))
        }
        ConfigOperation::Delete | ConfigOperation::Subtract(_) => None,
    });
    set.collect()
}

/// Whether only lists of a topic's options are added to or taken from.
///
/// # Errors
/// INVALID_CONFIG.
pub(crate) fn check_lists(operations: &[(String, ConfigOperation)]) -> Result<(), Refusal> {
    for (name, operation) in operations {
        let is_list = TopicOption::find(name).is_some_and(|o| o.kind == ValueKind::List);
        match operation {
            ConfigOperation::Append(_) | ConfigOperation::Subtract(_) if !is_list => {
                return Err(no_list(name, operation));
            }
            _ => {}
        }
    }
    Ok(())
}

fn no_list(name: &str, operation: &ConfigOperation) -> Refusal {
    let verb = match operation {
        ConfigOperation::Append(_) => "APPEND",
        _ => "SUBTRACT",
    };
    Refusal::new(
        ErrorCode::InvalidConfig,
        format!("Can't {verb} to key {name} because its type is not LIST."),
    )
}

/// The option that a name means on this target, and its type.
fn known(target: &ConfigTarget, name: &str) -> Result<(String, ValueKind), Refusal> {
    let invalid = |message: String| Refusal::new(ErrorCode::InvalidConfig, message);
    match target {
        ConfigTarget::Topic(_) => match TopicOption::find(name) {
            Some(option) => Ok((option.name.to_owned(), option.kind)),
            // The same sentence as when a topic is made.
            None => match LogConfig::default().set(name, "") {
                Err(error) => Err(invalid(error.to_string())),
                Ok(()) => Err(invalid(format!("unknown topic option '{name}'"))),
            },
        },
        ConfigTarget::Group(_) => {
            let option = GroupOption::find(name)?;
            Ok((option.name.to_owned(), option.kind()))
        }
        ConfigTarget::ClientMetrics(_) => match precursor_telemetry::find_option(name) {
            Some(option) => Ok((option.name.to_owned(), option.kind)),
            None => Err(of_subscription(OptionError::Unknown(name.to_owned()))),
        },
        _ => {
            // Kafka's code for what a broker does not take (KAFKA-13609).
            let setting = changeable(name)
                .map_err(|error| Refusal::new(ErrorCode::InvalidRequest, error.to_string()))?;
            Ok((setting.name.clone(), setting.kind()))
        }
    }
}

fn of_subscription(error: OptionError) -> Refusal {
    Refusal::new(error.code(), error.to_string())
}

/// The value as it is kept.
fn checked(target: &ConfigTarget, name: &str, value: &str) -> Result<String, Refusal> {
    match target {
        ConfigTarget::Topic(_) => {
            // As the client wrote it; the state machine checks it with the topic's other options.
            Ok(value.to_owned())
        }
        ConfigTarget::Group(_) => GroupOption::find(name)?.checked(value),
        ConfigTarget::ClientMetrics(_) => {
            precursor_telemetry::check_option(name, value).map_err(of_subscription)?;
            Ok(value.to_owned())
        }
        _ => changeable(name)
            .and_then(|setting| setting.checked(value))
            .map_err(|error| Refusal::new(ErrorCode::InvalidRequest, error.to_string())),
    }
}

/// A list with items added that it lacks, or with items removed.
fn list(present: &str, items: &str, append: bool) -> String {
    let split = |text: &str| -> Vec<String> {
        let items = text.split(',').map(str::trim);
        items
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (mut list, items) = (split(present), split(items));
    if append {
        let mut have: BTreeSet<String> = list.iter().cloned().collect();
        list.extend(items.into_iter().filter(|item| have.insert(item.clone())));
    } else {
        let gone: BTreeSet<String> = items.into_iter().collect();
        list.retain(|item| !gone.contains(item));
    }
    list.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_grow_and_shrink() {
        assert_eq!(list("", "a", true), "a");
        assert_eq!(list("a,b", "b, c,c", true), "a,b,c");
        assert_eq!(list("a,b,c", "b,x", false), "a,c");
        assert_eq!(list("a", "a", false), "");
        let many: Vec<String> = (0..100_000).map(|n| n.to_string()).collect();
        let many = many.join(",");
        assert_eq!(list(&many, &many, true), many);
        assert_eq!(list(&many, &many, false), "");
    }

    #[test]
    fn what_is_not_known_is_refused_with_the_nearest_name() {
        let topic = ConfigTarget::Topic("t".into());
        let refusal = known(&topic, "retention.m").unwrap_err();
        assert_eq!(refusal.error(), ErrorCode::InvalidConfig);
        assert!(refusal.message.contains("'retention.ms'"), "{refusal}");
        let refusal = known(&ConfigTarget::Brokers, "num.partition").unwrap_err();
        assert_eq!(refusal.error(), ErrorCode::InvalidRequest);
        assert!(refusal.message.contains("'num.partitions'"), "{refusal}");
        assert!(known(&ConfigTarget::Brokers, "node.id").is_err());
        let (kept, kind) = known(&ConfigTarget::Brokers, "topic.cleanup.policy").unwrap();
        assert_eq!(
            (kept.as_str(), kind),
            ("log.cleanup.policy", ValueKind::List)
        );
    }
}
