//! FindCoordinator, key 10, versions 0–6: there are no groups or transactions yet, so there is no
//! coordinator to be found. Served because librdkafka takes the key for the sign that a broker
//! knows LZ4.

use crate::core::{CloseReason, Core, Handled, Request};
use precursor_model::ErrorCode;
use precursor_protocol::messages::FindCoordinatorResponse;
use precursor_protocol::messages::find_coordinator_response::Coordinator;
use precursor_protocol::views::FindCoordinatorRequestView;

const WHY: &str = "this broker does not coordinate groups or transactions yet";

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    let Ok(view) = FindCoordinatorRequestView::parse(request.body, request.version) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    core.stats.other_requests.add(1);
    let mut response = FindCoordinatorResponse::default();
    let code = ErrorCode::CoordinatorNotAvailable.code();
    // Kafka's own "no node": id -1, no host, port -1.
    if request.version < 4 {
        response.error_code = code;
        response.error_message = (request.version >= 1).then(|| WHY.to_owned());
        response.node_id = -1;
        response.port = -1;
    } else {
        let keys = view.coordinator_keys;
        response.coordinators = keys
            .map(|key| Coordinator {
                key: key.to_owned(),
                node_id: -1,
                port: -1,
                error_code: code,
                error_message: Some(WHY.to_owned()),
                ..Coordinator::default()
            })
            .collect();
    }
    super::answer_message(core, request, |out| response.encode(out, request.version))
}
