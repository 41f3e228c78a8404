//! Administration by gRPC, for synchronous commands: one runtime, one channel, one call at a time.

use std::future::Future;
use std::time::Duration;

use precursor_admin_api::KAFKA_ERROR_KEY;
use precursor_admin_api::v1::cluster_client::ClusterClient;
use precursor_admin_api::v1::topics_client::TopicsClient;
use precursor_admin_api::v1::{GetStatusRequest, GetStatusResponse};
use precursor_config::Endpoint;
use precursor_protocol::messages::DescribeClusterRequest;
use tokio::runtime::Runtime;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use crate::client::{Connection, parse_endpoint};
use crate::common::CommonArguments;
use crate::failure::Failure;

/// How long the connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection to a control plane.
pub struct Admin {
    runtime: Runtime,
    channel: Channel,
}

impl Admin {
    /// Connects to the control plane that --admin names, or else to the one that the broker at
    /// --bootstrap tells of.
    ///
    /// # Errors
    /// Nobody answers, or the broker does not say where its control plane is.
    pub fn connect(common: &CommonArguments) -> Result<Admin, Failure> {
        let address = match &common.admin {
            Some(text) => parse_endpoint("--admin", text)?,
            None => ask_broker(&parse_endpoint("--bootstrap", &common.bootstrap)?)?,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(format!("no runtime: {error}")))?;
        let unreachable = |error: &dyn std::error::Error| {
            // tonic's own words say only "transport error"; the reason stands below it.
            let mut reason = error;
            while let Some(source) = reason.source() {
                reason = source;
            }
            Failure::unreachable(format!("no control plane answers at {address}: {reason}"))
                .next("Is the broker still starting? Otherwise name its address: --admin HOST:PORT")
        };
        let endpoint = Channel::from_shared(format!("http://{address}"))
            .map_err(|error| unreachable(&error))?
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT);
        let channel = runtime
            .block_on(endpoint.connect())
            .map_err(|error| unreachable(&error))?;
        Ok(Admin { runtime, channel })
    }

    /// The service of topics.
    pub fn topics(&self) -> TopicsClient<Channel> {
        TopicsClient::new(self.channel.clone())
    }

    /// Waits for a call.
    ///
    /// # Errors
    /// What the control plane answered, in a sentence.
    pub fn wait<T>(
        &self,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Failure> {
        let answer = self.runtime.block_on(call);
        answer
            .map(Response::into_inner)
            .map_err(|status| failure_of(&status))
    }

    /// What the cluster is and how it does.
    ///
    /// # Errors
    /// The control plane does not answer.
    pub fn status(&self) -> Result<GetStatusResponse, Failure> {
        let mut cluster = ClusterClient::new(self.channel.clone());
        self.wait(cluster.get_status(GetStatusRequest {}))
    }
}

/// Asks the broker for its control plane's address (a tagged field of DescribeCluster's answer).
fn ask_broker(bootstrap: &Endpoint) -> Result<Endpoint, Failure> {
    let mut connection = Connection::open(bootstrap)?;
    let response = connection.call(&DescribeClusterRequest {
        endpoint_type: 1, // brokers
        ..DescribeClusterRequest::default()
    })?;
    let unknown = || {
        Failure::refused(format!(
            "the broker at {bootstrap} does not say where its control plane is"
        ))
        .next("Name its gRPC address: --admin HOST:PORT")
    };
    let address = response.admin_address.ok_or_else(unknown)?;
    let mut address = Endpoint::parse(&address)
        .filter(|endpoint| endpoint.port > 0)
        .ok_or_else(unknown)?;
    // A control plane that listens everywhere is where its broker is.
    if matches!(address.host.as_str(), "0.0.0.0" | "::") {
        address.host = bootstrap.host.clone();
    }
    Ok(address)
}

fn failure_of(status: &Status) -> Failure {
    let kafka = status.metadata().get(KAFKA_ERROR_KEY);
    let message = match kafka.and_then(|name| name.to_str().ok()) {
        Some(name) if !status.message().contains(name) => {
            format!("{} ({name})", status.message())
        }
        _ => status.message().to_owned(),
    };
    match status.code() {
        Code::Unavailable => Failure::unreachable(format!("the control plane says: {message}"))
            .next("Try again in a moment"),
        Code::DeadlineExceeded | Code::Cancelled => Failure::new(format!(
            "the control plane did not finish in time: {message}"
        ))
        .next("The change may still come: look with 'precursor topic list'"),
        Code::NotFound => Failure::refused(message).next("See what there is: precursor topic list"),
        Code::AlreadyExists => Failure::refused(message)
            .next("Choose another name, or see what is there: precursor topic describe NAME"),
        Code::InvalidArgument => {
            Failure::refused(message).next("See what may be given: precursor topic create --help")
        }
        _ => Failure::refused(message),
    }
}
