//! From a frame to its handler and back.

use crate::api::Api;
use crate::handlers::{
    create_partitions, create_topics, delete_topics, describe_cluster, describe_configs,
    init_producer_id,
};
use precursor_bridge::{Request, Unanswerable};
use precursor_protocol::header::response_header;
use precursor_protocol::{ApiKey, DecodeError, EncodeError, RequestHeader};

/// One API that is answered here: its versions, and how.
macro_rules! handlers {
    ($($key:ident $min:literal..=$max:literal => $module:ident),+ $(,)?) => {
        /// Every API that is answered here with its range of versions.
        #[cfg(test)]
        const ANSWERED: &[(ApiKey, i16, i16)] = &[$((ApiKey::$key, $min, $max)),+];

        async fn handle(
            api: &Api,
            key: ApiKey,
            version: i16,
            body: &[u8],
            out: &mut Vec<u8>,
        ) -> Result<(), Unanswerable> {
            match key {
                $(ApiKey::$key if ($min..=$max).contains(&version) => {
                    let request = $module::Request::decode(body, version).map_err(unreadable)?;
                    let response = $module::handle(api, version, request).await;
                    response.encode(out, version).map_err(unwritable)
                })+
                _ => Err(Unanswerable(format!(
                    "{key:?} version {version} is not answered by the control plane"
                ))),
            }
        }
    };
}

handlers! {
    CreateTopics 2..=7 => create_topics,
    DeleteTopics 1..=6 => delete_topics,
    InitProducerId 0..=5 => init_producer_id,
    DescribeConfigs 1..=4 => describe_configs,
    CreatePartitions 0..=3 => create_partitions,
    DescribeCluster 0..=2 => describe_cluster,
}

/// The answer to a frame: header and body.
pub(crate) async fn answer(api: &Api, request: &Request) -> Result<Vec<u8>, Unanswerable> {
    let (header, body) = RequestHeader::parse(&request.frame).map_err(unreadable)?;
    let key = ApiKey::from_i16(header.api_key)
        .ok_or_else(|| Unanswerable(format!("{} is not the key of an API", header.api_key)))?;
    let mut out = Vec::new();
    response_header(&mut out, key, header.api_version, header.correlation_id);
    handle(api, key, header.api_version, body, &mut out).await?;
    Ok(out)
}

fn unreadable(error: DecodeError) -> Unanswerable {
    Unanswerable(error.to_string())
}

/// Our own mistake: logged, because nobody else will say it.
fn unwritable(error: EncodeError) -> Unanswerable {
    tracing::error!(%error, "an answer cannot be written");
    Unanswerable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::ANSWERED;
    use precursor_protocol::api::{AnsweredBy, SERVED};

    #[test]
    fn what_the_shards_forward_is_answered_here() {
        let forwarded: Vec<_> = SERVED
            .iter()
            .filter(|served| served.answered_by == AnsweredBy::ControlPlane)
            .map(|served| (served.key, served.version_min, served.version_max))
            .collect();
        for served in &forwarded {
            assert!(ANSWERED.contains(served), "{served:?} has no handler");
        }
    }
}
