//! Distortions: what becomes of a target's calls where somebody plays a bad program by means of a good one.

use crate::{operation::OperationInfo, wire::Request};

/// What is done to the target's calls before a twin sees them.
pub trait Distort: Send + Sync + std::fmt::Debug {
    /// Whether a call only seems to happen: it is answered as if it had, no fault strikes it, nothing of it stays, and
    /// the ledger does not know it.
    fn pretends(&self, twin: &str, operation: &OperationInfo) -> bool;
    /// Puts something else into a call.
    fn rewrite(&self, twin: &str, operation: &OperationInfo, request: &mut Request);
    /// A call as the twin sees it.
    fn seen(&self, slot: usize, operation: usize, request: &Request);
}
