//! Both brokers in step.

use crate::compare::{Difference, differences, fields, without_numbers};
use crate::dice::Dice;
use crate::known;
use crate::subject::Subject;
use precursor_protocol::messages::describe_groups_request::DescribeGroupsRequest;
use precursor_protocol::messages::find_coordinator_request::FindCoordinatorRequest;
use precursor_protocol::messages::init_producer_id_request::InitProducerIdRequest;
use precursor_protocol::{ApiKey, Request};
use precursor_tests_cluster::node::wait_until;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// A field in which the answers to one request differed, with all that is needed to see it again.
#[derive(Clone, Debug)]
pub struct Finding {
    pub request: String,
    pub difference: Difference,
}

impl Finding {
    /// Request, field and both values: what two findings of the same cause share.
    pub fn kind(&self) -> String {
        let request = self.request.split(' ').next().unwrap_or_default();
        let value = |side: &Option<String>| side.clone().unwrap_or("(not there)".to_owned());
        format!(
            "{request} {}: Kafka {:.60}, Precursor {:.60}",
            without_numbers(&self.difference.field),
            value(&self.difference.kafka),
            value(&self.difference.ours)
        )
    }
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// Requests answered, by key and version.
    pub compared: BTreeMap<(ApiKey, i16), usize>,
    /// Differences that nobody has named.
    pub findings: Vec<Finding>,
    /// How often each named difference was seen.
    pub known: BTreeMap<&'static str, usize>,
}

/// Apache Kafka and Precursor.
pub struct Pair {
    pub(crate) kafka: Subject,
    pub(crate) ours: Subject,
    pub report: Report,
}

/// Both answers to one request.
pub(crate) struct Answers<A> {
    pub kafka: A,
    pub ours: A,
}

impl Pair {
    /// Connects to both.
    ///
    /// # Errors
    /// One of them cannot be reached.
    pub fn new(kafka: SocketAddr, ours: SocketAddr) -> io::Result<Pair> {
        Ok(Pair {
            kafka: Subject::new(kafka)?,
            ours: Subject::new(ours)?,
            report: Report::default(),
        })
    }

    /// Waits until both serve groups of these names and give out producer ids: what stands behind
    /// that is made when it is first asked for.
    ///
    /// # Errors
    /// One of them does not within `longest`.
    pub fn wait_for_groups(&mut self, names: &[String], longest: Duration) -> io::Result<()> {
        // COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR.
        let not_yet = 14..=16;
        let describe = DescribeGroupsRequest {
            groups: names.to_vec(),
            ..Default::default()
        };
        let producer = InitProducerIdRequest {
            transaction_timeout_ms: 60_000,
            ..Default::default()
        };
        for (name, subject) in [("Kafka", &mut self.kafka), ("Precursor", &mut self.ours)] {
            let ready = wait_until(longest, || {
                let groups = subject.call(&describe, 0).is_ok_and(|answer| {
                    let mut groups = answer.groups.iter();
                    groups.all(|group| !not_yet.contains(&group.error_code))
                });
                let id = subject.call(&producer, 0);
                groups && id.is_ok_and(|answer| answer.error_code == 0)
            });
            if !ready {
                let text = format!("{name} does not serve groups and producer ids");
                return Err(io::Error::other(text));
            }
        }
        Ok(())
    }

    /// Waits until both have a coordinator for groups: its topic is made when it is first asked for.
    ///
    /// # Errors
    /// One of them has none within `longest`.
    pub fn wait_for_coordinators(&mut self, longest: Duration) -> io::Result<()> {
        let request = FindCoordinatorRequest {
            key: "first".to_owned(),
            ..Default::default()
        };
        for (name, subject) in [("Kafka", &mut self.kafka), ("Precursor", &mut self.ours)] {
            let mut error_code = -1;
            let found = wait_until(longest, || {
                error_code = subject
                    .call(&request, 0)
                    .map_or(-1, |answer| answer.error_code);
                error_code == 0
            });
            if !found {
                let text = format!("{name} has no group coordinator: error {error_code}");
                return Err(io::Error::other(text));
            }
        }
        Ok(())
    }

    /// One of the versions that both take and that we can write; `None` when there is none.
    pub(crate) fn version<Q: Request>(&self, dice: &mut Dice) -> Option<i16> {
        let key = Q::KEY.code();
        let (kafka, ours) = (
            self.kafka.versions.get(&key)?,
            self.ours.versions.get(&key)?,
        );
        // Produce is advertised from 0, and taken from 3 (KAFKA-18659).
        let least = kafka.0.max(ours.0).max(Q::VERSION_MIN);
        let most = kafka.1.min(ours.1).min(Q::VERSION_MAX);
        (least <= most).then(|| dice.between(least, most))
    }

    /// Sends what `make` makes for each broker, compares the answers after `tidy`, which sorts what
    /// has no order, and gives them back; `None` when a connection was ended, or the message cannot
    /// be written in this version.
    pub(crate) fn exchange<Q: Request>(
        &mut self,
        version: i16,
        make: impl Fn(&Subject) -> Q,
        tidy: impl Fn(&mut Q::Response),
    ) -> Option<Answers<Q::Response>> {
        self.exchange_learning(version, make, tidy, |_, _| {})
    }

    /// As [`exchange`](Self::exchange), for answers that hold something the broker made up: `learn`
    /// tells the broker's side of the comparison before the answers are compared.
    pub(crate) fn exchange_learning<Q: Request>(
        &mut self,
        version: i16,
        make: impl Fn(&Subject) -> Q,
        tidy: impl Fn(&mut Q::Response),
        learn: impl Fn(&mut Subject, &Q::Response),
    ) -> Option<Answers<Q::Response>> {
        let requests = [make(&self.kafka), make(&self.ours)];
        if requests
            .iter()
            .any(|r| r.encode(&mut Vec::new(), version).is_err())
        {
            return None;
        }
        *self.report.compared.entry((Q::KEY, version)).or_default() += 1;
        let mut kafka = self.kafka.call(&requests[0], version);
        let mut ours = self.ours.call(&requests[1], version);
        for answer in [&mut kafka, &mut ours].into_iter().flatten() {
            tidy(answer);
        }
        for (subject, answer) in [(&mut self.kafka, &kafka), (&mut self.ours, &ours)] {
            if let Ok(answer) = answer {
                learn(subject, answer);
            }
        }
        let shown = format!("{:?} version {version}: {:?}", Q::KEY, requests[1]);
        match (kafka, ours) {
            (Ok(kafka), Ok(ours)) => {
                let of_kafka = fields(&kafka, |own| self.kafka.name_of(own));
                let of_ours = fields(&ours, |own| self.ours.name_of(own));
                for difference in differences(&of_kafka, &of_ours) {
                    self.note(Q::KEY, &shown, difference);
                }
                Some(Answers { kafka, ours })
            }
            (Err(_), Err(_)) => None,
            (kafka, ours) => {
                let text = |outcome: Option<io::Error>| match outcome {
                    Some(error) => format!("no answer: {error}"),
                    None => "answered".to_owned(),
                };
                let difference = Difference {
                    field: "(the connection)".to_owned(),
                    kafka: Some(text(kafka.err())),
                    ours: Some(text(ours.err())),
                };
                self.note(Q::KEY, &shown, difference);
                None
            }
        }
    }

    fn note(&mut self, key: ApiKey, request: &str, difference: Difference) {
        match known::find(key, &difference) {
            Some(name) => *self.report.known.entry(name).or_default() += 1,
            None => self.report.findings.push(Finding {
                request: request.to_owned(),
                difference,
            }),
        }
    }

    /// Both brokers learn the ids of a topic that they made.
    pub(crate) fn learn_topic(&mut self, topic: &str, ids: Answers<precursor_model::TopicId>) {
        self.kafka.learn_topic(topic, ids.kafka);
        self.ours.learn_topic(topic, ids.ours);
    }
}
