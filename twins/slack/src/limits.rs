//! Slack's rate limits as data: calls a minute by tier, counted per method, workspace and app.
//!
//! <https://docs.slack.dev/apis/web-api/rate-limits>

use dtu_kernel::{operation::OperationInfo, twin::Limit};
use smol_str::format_smolstr;

use crate::Caller;

/// Once a minute.
pub(crate) const TIER_1: &str = "tier1";
/// Twenty a minute.
pub(crate) const TIER_2: &str = "tier2";
/// Fifty a minute.
pub(crate) const TIER_3: &str = "tier3";
/// A hundred a minute.
pub(crate) const TIER_4: &str = "tier4";
/// About one a second in each channel.
pub(crate) const POSTING: &str = "posting";
/// Methods and addresses that allow hundreds a minute.
pub(crate) const SPECIAL: &str = "special";

/// Calls a minute by the key of the operation table.
const PER_MINUTE: &[(&str, u32)] =
    &[(TIER_1, 1), (TIER_2, 20), (TIER_3, 50), (TIER_4, 100), (POSTING, 60), (SPECIAL, 600)];

/// The limit of a call.
pub(crate) fn limit(operation: &OperationInfo, caller: &Caller) -> Limit {
    let per_minute = PER_MINUTE.iter().find(|(key, _)| *key == operation.limit).map_or(600, |(_, rate)| *rate);
    let app = caller.token.as_ref().map_or("", |token| token.app.as_str());
    let bucket = if operation.limit == POSTING {
        format_smolstr!("{}/{app}/{}", operation.id, caller.channel)
    } else {
        format_smolstr!("{}/{app}", operation.id)
    };
    Limit { bucket, per_minute }
}
