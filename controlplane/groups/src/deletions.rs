//! DeleteGroups requests whose groups go one by one.

use crate::command::{Command, Response};
use precursor_model::ErrorCode;
use precursor_protocol::messages::delete_groups_response::DeletableGroupResult;
use std::collections::BTreeMap;

/// Answers in the making, by the request's token.
#[derive(Debug, Default)]
pub(crate) struct Deletions {
    pending: BTreeMap<u64, Pending>,
}

#[derive(Debug)]
struct Pending {
    results: Vec<DeletableGroupResult>,
    outstanding: usize,
}

impl Deletions {
    /// An answer of which `outstanding` results are to come; given at once if there are none.
    pub(crate) fn begin(
        &mut self,
        token: u64,
        results: Vec<DeletableGroupResult>,
        outstanding: usize,
        out: &mut Vec<Command>,
    ) {
        if outstanding == 0 {
            let response = Response::DeleteGroups(results);
            out.push(Command::Reply { token, response });
        } else {
            let pending = Pending {
                results,
                outstanding,
            };
            self.pending.insert(token, pending);
        }
    }

    /// One more result; the last one sends the answer.
    pub(crate) fn resolve(
        &mut self,
        token: u64,
        index: usize,
        error: ErrorCode,
        out: &mut Vec<Command>,
    ) {
        let Some(pending) = self.pending.get_mut(&token) else {
            return;
        };
        pending.results[index].error_code = error.code();
        pending.outstanding -= 1;
        if pending.outstanding == 0
            && let Some(pending) = self.pending.remove(&token)
        {
            let response = Response::DeleteGroups(pending.results);
            out.push(Command::Reply { token, response });
        }
    }

    /// Answers everything that is outstanding.
    pub(crate) fn abandon(&mut self, error: ErrorCode, out: &mut Vec<Command>) {
        for (token, mut pending) in std::mem::take(&mut self.pending) {
            for result in &mut pending.results {
                if result.error_code == 0 {
                    result.error_code = error.code();
                }
            }
            let response = Response::DeleteGroups(pending.results);
            out.push(Command::Reply { token, response });
        }
    }
}
