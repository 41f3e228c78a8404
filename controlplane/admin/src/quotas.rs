//! The service `Quotas`.

use crate::status::status;
use precursor_admin_api::v1;
use precursor_admin_api::v1::quota_name::Name;
use precursor_admin_api::v1::quotas_server::Quotas;
use precursor_kafka_api::{Api, read_quota_limit};
use precursor_metadata::{QuotaAlteration, QuotaEntity, QuotaName};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Request, Response, Status};

/// How long a change may take to be agreed on.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct QuotasService {
    pub api: Arc<Api>,
}

#[tonic::async_trait]
impl Quotas for QuotasService {
    async fn list_quotas(
        &self,
        _request: Request<v1::ListQuotasRequest>,
    ) -> Result<Response<v1::ListQuotasResponse>, Status> {
        let quotas = self.api.consensus().read(|state| {
            let quotas = state.quotas().map(|(entity, limits)| v1::Quota {
                entity: Some(v1::QuotaEntity {
                    user: entity.user.as_ref().map(shown),
                    client_id: entity.client_id.as_ref().map(shown),
                }),
                limits: limits
                    .iter()
                    .map(|(key, limit)| v1::QuotaLimit {
                        key: key.name().to_owned(),
                        value: limit.value(),
                    })
                    .collect(),
            });
            quotas.collect()
        });
        Ok(Response::new(v1::ListQuotasResponse { quotas }))
    }

    async fn alter_quota(
        &self,
        request: Request<v1::AlterQuotaRequest>,
    ) -> Result<Response<v1::AlterQuotaResponse>, Status> {
        let request = request.into_inner();
        let entity = request.entity.unwrap_or_default();
        let entity = QuotaEntity {
            user: entity.user.map(name).transpose()?,
            client_id: entity.client_id.map(name).transpose()?,
        };
        let mut limits = BTreeMap::new();
        let set = request
            .set
            .into_iter()
            .map(|limit| (limit.key, Some(limit.value)));
        let unset = request.unset.into_iter().map(|key| (key, None));
        for (key, value) in set.chain(unset) {
            let (key, limit) = read_quota_limit(&key, value).map_err(|r| status(&r))?;
            if limits.insert(key, limit).is_some() {
                return Err(Status::invalid_argument(format!(
                    "{} is named twice",
                    key.name()
                )));
            }
        }
        let alterations = vec![QuotaAlteration { entity, limits }];
        let outcomes = self
            .api
            .alter_quotas(alterations, request.validate_only, PATIENCE)
            .await;
        for outcome in outcomes {
            outcome.map_err(|refusal| status(&refusal))?;
        }
        Ok(Response::new(v1::AlterQuotaResponse {}))
    }
}

fn shown(name: &QuotaName) -> v1::QuotaName {
    v1::QuotaName {
        name: Some(match name {
            QuotaName::Default => Name::EverybodyElse(v1::Everybody {}),
            QuotaName::Named(name) => Name::Named(name.clone()),
        }),
    }
}

fn name(stated: v1::QuotaName) -> Result<QuotaName, Status> {
    match stated.name {
        Some(Name::Named(name)) if !name.is_empty() => Ok(QuotaName::Named(name)),
        Some(Name::EverybodyElse(_)) => Ok(QuotaName::Default),
        _ => Err(Status::invalid_argument(
            "a quota's entity has no empty name",
        )),
    }
}
