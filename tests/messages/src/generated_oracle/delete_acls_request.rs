// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteAclsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::delete_acls_request as theirs;
use precursor_protocol::messages::delete_acls_request as ours;

impl ToOracle<theirs::DeleteAclsRequest> for ours::DeleteAclsRequest {
    fn to_oracle(&self, version: i16) -> theirs::DeleteAclsRequest {
        let mut theirs = theirs::DeleteAclsRequest::default();
        theirs.filters = self.filters.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DeleteAclsFilter> for ours::DeleteAclsFilter {
    fn to_oracle(&self, version: i16) -> theirs::DeleteAclsFilter {
        let mut theirs = theirs::DeleteAclsFilter::default();
        theirs.resource_type_filter = self.resource_type_filter.to_oracle(version);
        theirs.resource_name_filter = self.resource_name_filter.to_oracle(version);
        theirs.pattern_type_filter = self.pattern_type_filter.to_oracle(version);
        theirs.principal_filter = self.principal_filter.to_oracle(version);
        theirs.host_filter = self.host_filter.to_oracle(version);
        theirs.operation = self.operation.to_oracle(version);
        theirs.permission_type = self.permission_type.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
