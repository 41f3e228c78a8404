//! Which limits a client has: the most specific quota that fits it, for each kind of limit.

use precursor_shm::control::{QuotaEntity, QuotaLimits};
use std::collections::HashMap;

/// A [`QuotaEntity`] that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Entity {
    Any,
    Default,
    Name(Box<str>),
}

impl From<QuotaEntity<'_>> for Entity {
    fn from(entity: QuotaEntity<'_>) -> Self {
        match entity {
            QuotaEntity::Any => Entity::Any,
            QuotaEntity::Default => Entity::Default,
            QuotaEntity::Name(name) => Entity::Name(Box::from(name)),
        }
    }
}

/// A quota as an image names it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct QuotaChange {
    user: Entity,
    client_id: Entity,
    limits: QuotaLimits,
}

impl QuotaChange {
    pub fn new(user: QuotaEntity<'_>, client_id: QuotaEntity<'_>, limits: QuotaLimits) -> Self {
        QuotaChange {
            user: user.into(),
            client_id: client_id.into(),
            limits,
        }
    }
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Produce,
    Fetch,
    Request,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Produce, Kind::Fetch, Kind::Request];

    fn of(self, limits: &QuotaLimits) -> Option<f64> {
        match self {
            Kind::Produce => limits.producer_byte_rate,
            Kind::Fetch => limits.consumer_byte_rate,
            Kind::Request => limits.request_percentage,
        }
    }
}

/// A limit that was found, and who shares it: clients of the same user, of the same id, or both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found {
    pub limit: f64,
    pub per_user: bool,
    pub per_client_id: bool,
}

/// Every quota of the image.
#[derive(Debug, Default)]
pub(crate) struct QuotaTable {
    quotas: HashMap<(Entity, Entity), QuotaLimits>,
}

impl QuotaTable {
    /// Puts the quotas of an image in force.
    pub fn apply(&mut self, full: bool, named: Vec<QuotaChange>) {
        if full {
            self.quotas.clear();
        }
        for change in named {
            let key = (change.user, change.client_id);
            if change.limits.is_empty() {
                self.quotas.remove(&key);
            } else {
                self.quotas.insert(key, change.limits);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.quotas.is_empty()
    }

    /// The limit of a client. Of the quotas that fit, the first in this order (KIP-55):
    /// user and client id, user and default client id, user, default user and client id, default
    /// user and default client id, default user, client id, default client id.
    pub fn find(&self, kind: Kind, user: &str, client_id: &str) -> Option<Found> {
        let users = [Entity::Name(Box::from(user)), Entity::Default, Entity::Any];
        let clients = [
            Entity::Name(Box::from(client_id)),
            Entity::Default,
            Entity::Any,
        ];
        for user in users {
            for client_id in &clients {
                let key = (user.clone(), client_id.clone());
                let limits = self.quotas.get(&key);
                if let Some(limit) = limits.and_then(|limits| kind.of(limits)) {
                    return Some(Found {
                        limit,
                        per_user: key.0 != Entity::Any,
                        per_client_id: key.1 != Entity::Any,
                    });
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn produce(user: QuotaEntity<'_>, client_id: QuotaEntity<'_>, rate: f64) -> QuotaChange {
        let limits = QuotaLimits {
            producer_byte_rate: Some(rate),
            ..QuotaLimits::default()
        };
        QuotaChange::new(user, client_id, limits)
    }

    #[test]
    fn the_most_specific_quota_counts() {
        use QuotaEntity::{Any, Default, Name};
        let order = [
            (Name("u"), Name("c")),
            (Name("u"), Default),
            (Name("u"), Any),
            (Default, Name("c")),
            (Default, Default),
            (Default, Any),
            (Any, Name("c")),
            (Any, Default),
        ];
        let mut table = QuotaTable::default();
        assert_eq!(table.find(Kind::Produce, "u", "c"), None);
        let quotas = order.iter().zip(1..);
        let changes = quotas.map(|((user, client), rate)| produce(*user, *client, f64::from(rate)));
        table.apply(true, changes.collect());
        for ((user, client), rate) in order.iter().zip(1..) {
            let found = table.find(Kind::Produce, "u", "c").unwrap();
            assert_eq!(found.limit, f64::from(rate));
            assert_eq!(found.per_user, *user != Any);
            assert_eq!(found.per_client_id, *client != Any);
            assert_eq!(table.find(Kind::Fetch, "u", "c"), None);
            let gone = QuotaChange::new(*user, *client, QuotaLimits::default());
            table.apply(false, vec![gone]);
        }
        assert!(table.is_empty());
    }

    #[test]
    fn kinds_are_looked_for_by_themselves_and_a_whole_image_replaces() {
        use QuotaEntity::{Any, Default, Name};
        let mut table = QuotaTable::default();
        let fetch = QuotaLimits {
            consumer_byte_rate: Some(7.0),
            ..QuotaLimits::default()
        };
        let general = QuotaChange::new(Any, Default, fetch);
        table.apply(true, vec![produce(Name("u"), Any, 5.0), general]);
        let found = |table: &QuotaTable, kind, user| table.find(kind, user, "c").map(|f| f.limit);
        assert_eq!(found(&table, Kind::Produce, "u"), Some(5.0));
        assert_eq!(found(&table, Kind::Fetch, "u"), Some(7.0));
        assert_eq!(found(&table, Kind::Produce, "v"), None);
        table.apply(true, vec![produce(Default, Any, 9.0)]);
        assert_eq!(found(&table, Kind::Produce, "u"), Some(9.0));
        assert_eq!(found(&table, Kind::Fetch, "u"), None);
    }
}
