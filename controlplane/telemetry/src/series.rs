//! The numbers that clients have pushed, as Prometheus has them.

use crate::otlp::{Sample, SampleKind};
use std::collections::{BTreeMap, HashMap};

/// Series that one client has at most; more are left out.
pub const SERIES_PER_CLIENT_MAX: usize = 1_000;
/// Series of all clients together.
pub const SERIES_MAX: usize = 20_000;

/// One name with everything that was pushed under it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientFamily {
    /// As Prometheus takes it, without `_total`.
    pub name: String,
    /// The numbers only grow.
    pub counter: bool,
    pub series: Vec<ClientSeries>,
}

/// One number of one client.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientSeries {
    pub labels: Vec<(String, String)>,
    pub value: f64,
}

/// Labels that we give ourselves.
pub(crate) const OWN_LABELS: [&str; 2] = ["client_instance_id", "client_id"];
const COUNTER_SUFFIX: &str = "_total";
/// What the names of Kafka's own clients begin with.
const COMMON_PREFIX: &str = "org.apache.kafka.";

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// The family's whole name.
    name: String,
    labels: Vec<(String, String)>,
}

/// What one client has pushed.
#[derive(Debug, Default)]
pub(crate) struct OfClient(BTreeMap<Key, f64>);

/// How many series there are, and whether a name stands for a counter: it cannot be both.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    series: usize,
    names: HashMap<String, Name>,
}

#[derive(Debug)]
struct Name {
    counter: bool,
    series: usize,
}

impl Shelf {
    /// Adds a sample to a client's; false when there is no room for it or it says nothing.
    pub fn add(&mut self, client: &mut OfClient, sample: &Sample) -> bool {
        let counter = sample.kind != SampleKind::Gauge;
        let key = Key {
            name: whole_name(&sample.name, counter),
            labels: labels(&sample.labels),
        };
        if let Some(present) = client.0.get_mut(&key) {
            if self
                .names
                .get(&key.name)
                .is_some_and(|name| name.counter != counter)
            {
                return false;
            }
            match sample.kind {
                SampleKind::Increase => *present += sample.value,
                SampleKind::Gauge | SampleKind::Total => *present = sample.value,
            }
            return true;
        }
        if client.0.len() >= SERIES_PER_CLIENT_MAX || self.series >= SERIES_MAX {
            return false;
        }
        let name = self.names.entry(key.name.clone());
        let name = name.or_insert(Name { counter, series: 0 });
        if name.counter != counter {
            return false;
        }
        name.series += 1;
        self.series += 1;
        client.0.insert(key, sample.value);
        true
    }

    /// Lets go of everything that a client has pushed.
    pub fn remove(&mut self, client: &mut OfClient) {
        for (key, _) in std::mem::take(&mut client.0) {
            self.series -= 1;
            if let Some(name) = self.names.get_mut(&key.name) {
                name.series -= 1;
                if name.series == 0 {
                    self.names.remove(&key.name);
                }
            }
        }
    }

    pub fn series(&self) -> usize {
        self.series
    }

    /// Every family in order of name, each client's series with its own labels in front.
    pub fn families<'a>(
        &self,
        clients: impl Iterator<Item = ([&'a str; 2], &'a OfClient)>,
    ) -> Vec<ClientFamily> {
        let mut families: BTreeMap<&str, ClientFamily> = BTreeMap::new();
        for (own, client) in clients {
            for (key, value) in &client.0 {
                let counter = self.names.get(&key.name).is_some_and(|name| name.counter);
                let family = families.entry(&key.name).or_insert_with(|| ClientFamily {
                    name: match key.name.strip_suffix(COUNTER_SUFFIX) {
                        Some(name) if counter => name.to_owned(),
                        _ => key.name.clone(),
                    },
                    counter,
                    series: Vec::new(),
                });
                let own = OWN_LABELS.iter().zip(own);
                let own = own.map(|(name, value)| ((*name).to_owned(), value.to_owned()));
                family.series.push(ClientSeries {
                    labels: own.chain(key.labels.iter().cloned()).collect(),
                    value: *value,
                });
            }
        }
        families.into_values().collect()
    }
}

fn whole_name(name: &str, counter: bool) -> String {
    let name = name.strip_prefix(COMMON_PREFIX).unwrap_or(name);
    let mut whole = format!("client_{}", word(name));
    if counter && !whole.ends_with(COUNTER_SUFFIX) {
        whole += COUNTER_SUFFIX;
    }
    whole
}

fn word(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    text.chars().map(plain).collect()
}

/// Labels as Prometheus takes them, in order of name; of two with one name the first.
fn labels(pushed: &[(String, String)]) -> Vec<(String, String)> {
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in pushed {
        let mut name = word(name);
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            name.insert(0, '_');
        }
        // Names with two of them in front are Prometheus' own.
        let inner = name.trim_start_matches('_').len();
        let name = name.split_off(name.len() - (inner + usize::from(inner < name.len())));
        if !OWN_LABELS.contains(&name.as_str()) {
            labels.entry(name).or_insert_with(|| value.clone());
        }
    }
    labels.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str, kind: SampleKind, value: f64) -> Sample {
        let labels = [
            ("node.id", "1"),
            ("client_id", "liar"),
            ("__x", "y"),
            ("9", "z"),
        ];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Sample {
            name: name.to_owned(),
            kind,
            labels: labels.to_vec(),
            value,
        }
    }

    #[test]
    fn increases_add_up_and_names_are_prometheus_own() {
        let (mut shelf, mut client) = (Shelf::default(), OfClient::default());
        let increase = sample(
            "org.apache.kafka.producer.byte.total",
            SampleKind::Increase,
            2.0,
        );
        assert!(shelf.add(&mut client, &increase) && shelf.add(&mut client, &increase));
        assert!(shelf.add(&mut client, &sample("x.rate", SampleKind::Gauge, 1.0)));
        assert!(shelf.add(&mut client, &sample("x.rate", SampleKind::Gauge, 0.5)));
        // A gauge of a counter's name would make the page unreadable.
        let gauge = sample(
            "org.apache.kafka.producer.byte.total",
            SampleKind::Gauge,
            9.0,
        );
        assert!(!shelf.add(&mut client, &gauge));
        let families = shelf.families([(["i", "c"], &client)].into_iter());
        let [bytes, rate] = &families[..] else {
            panic!("{families:?}")
        };
        assert_eq!(
            (bytes.name.as_str(), bytes.counter),
            ("client_producer_byte", true)
        );
        assert_eq!(bytes.series[0].value, 4.0);
        assert_eq!((rate.name.as_str(), rate.counter), ("client_x_rate", false));
        assert_eq!(rate.series[0].value, 0.5);
        let labels: Vec<_> = rate.series[0]
            .labels
            .iter()
            .map(|(n, v)| (&**n, &**v))
            .collect();
        let expected = [
            ("client_instance_id", "i"),
            ("client_id", "c"),
            ("_9", "z"),
            ("_x", "y"),
            ("node_id", "1"),
        ];
        assert_eq!(labels, expected);
    }

    #[test]
    fn series_are_bounded_and_leave_with_their_client() {
        let mut shelf = Shelf::default();
        let mut clients: Vec<OfClient> = (0..30).map(|_| OfClient::default()).collect();
        for client in &mut clients {
            let taken = (0..2_000).filter(|number| {
                let sample = sample(&format!("m{number}"), SampleKind::Gauge, 0.0);
                shelf.add(client, &sample)
            });
            assert!(taken.count() <= SERIES_PER_CLIENT_MAX);
        }
        assert_eq!(shelf.series(), SERIES_MAX);
        clients.iter_mut().for_each(|client| shelf.remove(client));
        assert_eq!((shelf.series(), shelf.names.len()), (0, 0));
    }
}
