//! One look at a broker: what it counts, where partitions end, where groups stand.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use precursor_config::Endpoint;
use precursor_protocol::messages::ApiVersionsRequest;

use super::scrape::{Samples, scrape};
use crate::admin::Admin;
use crate::client::cluster::Cluster;
use crate::client::coordinator::TopicPartition;
use crate::client::topic::LATEST;
use crate::client::{Connection, parse_endpoint};
use crate::common::CommonArguments;
use crate::failure::Failure;

/// Requests whose round trips are measured at each look.
const PINGS: usize = 10;

/// Groups whose offsets are asked for at each look; the others are only counted.
const GROUPS_MAX: usize = 500;

/// Where the numbers come from.
pub struct Source {
    common: CommonArguments,
    bootstrap: Endpoint,
    /// The metrics' address; `None`: the broker is not one of ours, or does not tell.
    metrics: Option<Endpoint>,
    cluster: Cluster,
    ping: Connection,
}

/// A group at one moment.
#[derive(Clone, Debug)]
pub struct GroupStanding {
    pub group: String,
    pub state: String,
    pub partitions: usize,
    pub lag: i64,
}

/// A broker at one moment.
#[derive(Clone, Debug)]
pub struct Look {
    pub at: Instant,
    pub samples: Option<Samples>,
    pub ends: BTreeMap<TopicPartition, i64>,
    pub groups: Vec<GroupStanding>,
    /// Of all groups, also those that were not asked for their offsets.
    pub group_count: usize,
    /// Round trips of a small request, shortest first.
    pub round_trips: Vec<Duration>,
}

impl Source {
    /// Connects.
    ///
    /// # Errors
    /// No broker.
    pub fn open(common: &CommonArguments) -> Result<Source, Failure> {
        let bootstrap = parse_endpoint("--bootstrap", &common.bootstrap)?;
        Ok(Source {
            common: common.clone(),
            metrics: metrics_address(common, &bootstrap),
            cluster: Cluster::open(&bootstrap)?,
            ping: Connection::open(&bootstrap)?,
            bootstrap,
        })
    }

    /// The broker's address as the user named it.
    pub fn bootstrap(&self) -> &Endpoint {
        &self.bootstrap
    }

    /// Connects again, if somebody is there: a broker that was restarted has new connections.
    pub fn reconnect(&mut self) {
        let fresh = Cluster::open(&self.bootstrap)
            .and_then(|cluster| Ok((cluster, Connection::open(&self.bootstrap)?)));
        if let Ok((cluster, ping)) = fresh {
            self.cluster = cluster;
            self.ping = ping;
            // A control plane that was restarted may serve its metrics elsewhere.
            self.metrics = metrics_address(&self.common, &self.bootstrap);
        }
    }

    /// Looks once.
    ///
    /// # Errors
    /// The broker does not answer any more.
    pub fn look(&mut self) -> Result<Look, Failure> {
        let mut round_trips = Vec::with_capacity(PINGS);
        for _ in 0..PINGS {
            let began = Instant::now();
            self.ping.call(&ApiVersionsRequest {
                client_software_name: "precursor-cli".to_owned(),
                client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
                ..ApiVersionsRequest::default()
            })?;
            round_trips.push(began.elapsed());
        }
        round_trips.sort_unstable();
        self.cluster.refresh()?;
        let partitions: Vec<TopicPartition> = self.cluster.partitions().cloned().collect();
        let ends = self.cluster.offsets(&partitions, LATEST)?;
        let (groups, group_count) = self.groups(&ends)?;
        // A control plane that is being restarted must not end the view.
        let samples = self.metrics.as_ref();
        let samples = samples.and_then(|address| scrape(address).ok());
        Ok(Look {
            at: Instant::now(),
            samples,
            ends,
            groups,
            group_count,
            round_trips,
        })
    }

    fn groups(
        &mut self,
        ends: &BTreeMap<TopicPartition, i64>,
    ) -> Result<(Vec<GroupStanding>, usize), Failure> {
        let listed = self.cluster.groups()?;
        let asked = &listed[..listed.len().min(GROUPS_MAX)];
        let committed = self.cluster.committed_of(asked)?;
        let standings = asked.iter().map(|(_, listed)| {
            let own = committed.get(&listed.group_id);
            let own = own.into_iter().flatten();
            let lags: Vec<i64> = own
                .filter_map(|(key, offset)| Some((ends.get(key)? - offset).max(0)))
                .collect();
            GroupStanding {
                group: listed.group_id.clone(),
                state: listed.group_state.clone(),
                partitions: lags.len(),
                lag: lags.iter().sum(),
            }
        });
        let mut standings: Vec<GroupStanding> = standings.collect();
        standings.sort_by(|a, b| b.lag.cmp(&a.lag).then_with(|| a.group.cmp(&b.group)));
        Ok((standings, listed.len()))
    }
}

/// Where a broker serves its metrics; `None` for one that is not ours, or that does not answer.
pub fn metrics_address(common: &CommonArguments, bootstrap: &Endpoint) -> Option<Endpoint> {
    let status = Admin::connect(common)
        .and_then(|admin| admin.status())
        .ok()?;
    let mut address = Endpoint::parse(&status.node?.metrics_address)?;
    // A control plane that listens everywhere is where its broker is.
    if matches!(address.host.as_str(), "0.0.0.0" | "::") {
        address.host = bootstrap.host.clone();
    }
    Some(address)
}
