//! Slack's rate limits as data: calls a minute by tier, counted per method, workspace and app.
//!
//! <https://docs.slack.dev/apis/web-api/rate-limits>

mod tiers;

use std::{collections::BTreeMap, sync::LazyLock};

use dtu_kernel::{
    operation::OperationInfo,
    twin::{Allowance, Limit},
};
use smol_str::format_smolstr;

use self::tiers::TIERS;
use crate::Caller;

/// Once a minute.
pub(crate) const TIER_1: &str = "tier1";
/// Twenty a minute.
pub(crate) const TIER_2: &str = "tier2";
/// Fifty a minute.
pub(crate) const TIER_3: &str = "tier3";
/// A hundred a minute.
pub(crate) const TIER_4: &str = "tier4";
/// About one a second in each channel, many of them at once if need be.
pub(crate) const POSTING: &str = "posting";
/// The same for each incoming webhook.
pub(crate) const WEBHOOK: &str = "webhook";
/// Methods and addresses that allow hundreds a minute.
pub(crate) const SPECIAL: &str = "special";

/// What identity providers read: <https://docs.slack.dev/reference/scim-api/rate-limits>.
pub(crate) const SCIM_READ: &str = "scim reads";
/// One person whom they read.
pub(crate) const SCIM_ONE: &str = "scim user";
/// What they change.
pub(crate) const SCIM_WRITE: &str = "scim writes";
/// People whom they change.
pub(crate) const SCIM_USER: &str = "scim user writes";

/// Calls a minute of identity providers.
const SCIM_PER_MINUTE: &[(&str, u32)] = &[(SCIM_READ, 1000), (SCIM_ONE, 300), (SCIM_WRITE, 600), (SCIM_USER, 180)];

/// Calls a minute by tier. Slack tolerates bursts within the minute and does not say how large: here as large as it.
const PER_MINUTE: &[(&str, u32)] =
    &[(TIER_1, 1), (TIER_2, 20), (TIER_3, 50), (TIER_4, 100), (POSTING, 60), (WEBHOOK, 60), (SPECIAL, 600)];

/// What apps read of conversations that are given to other companies without being listed in the Marketplace:
/// <https://docs.slack.dev/changelog/2025/05/29/rate-limit-changes-for-non-marketplace-apps>.
const UNLISTED: &[&str] = &["conversations.history", "conversations.replies"];
const UNLISTED_PER_MINUTE: u32 = 1;
/// The most messages of a page that such an app is given, and how many it is given unasked.
pub(crate) const UNLISTED_PAGE: usize = 15;

static TIER_OF: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    TIERS.iter().flat_map(|(tier, methods)| methods.iter().map(move |method| (*method, *tier))).collect()
});

/// The tier of an operation: its method's, or for an address the row's own.
pub(crate) fn tier(operation: &OperationInfo) -> &'static str {
    TIER_OF.get(operation.id).copied().unwrap_or(operation.limit)
}

/// The limit of a call.
pub(crate) fn limit(operation: &OperationInfo, caller: &Caller) -> Limit {
    let tier = tier(operation);
    // Of these all apps of a company are counted together, each method by itself.
    if let Some((_, per_minute)) = SCIM_PER_MINUTE.iter().find(|(key, _)| *key == tier) {
        return Limit { bucket: operation.id.into(), per_minute: *per_minute };
    }
    let usual = PER_MINUTE.iter().find(|(key, _)| *key == tier).map_or(600, |(_, rate)| *rate);
    let is_slowed = caller.unlisted && UNLISTED.contains(&operation.id);
    let per_minute = if is_slowed { UNLISTED_PER_MINUTE } else { usual };
    let app = caller.token.as_ref().map_or("", |token| token.app.as_str());
    let bucket = if tier == POSTING || tier == WEBHOOK {
        [operation.id, "/", app, "/", caller.channel.as_str()].concat()
    } else {
        [operation.id, "/", app].concat()
    };
    Limit { bucket: bucket.into(), per_minute }
}

/// How many messages an app posts in a whole workspace each minute: Slack says several hundred, and not how many.
const WORKSPACE_PER_MINUTE: u32 = 300;

/// All limits of a call: what is posted counts in its channel and in the workspace.
pub(crate) fn allowances(operation: &OperationInfo, caller: &Caller) -> Vec<Allowance> {
    let own = limit(operation, caller);
    if tier(operation) != POSTING {
        return vec![own.into()];
    }
    let app = caller.token.as_ref().map_or("", |token| token.app.as_str());
    let workspace = Limit { bucket: format_smolstr!("{}/{app}", operation.id), per_minute: WORKSPACE_PER_MINUTE };
    vec![own.into(), workspace.into()]
}

#[cfg(test)]
mod tests {
    use dtu_kernel::twin::Twin as _;

    use super::*;
    use crate::Slack;

    #[test]
    fn each_method_has_one_tier() {
        let listed: usize = TIERS.iter().map(|(_, methods)| methods.len()).sum();
        assert_eq!(listed, TIER_OF.len(), "a method is in two tiers");
        for (tier, methods) in TIERS {
            assert!(methods.is_sorted(), "{tier}");
            assert!(PER_MINUTE.iter().any(|(key, _)| key == tier), "{tier}");
        }
    }

    #[test]
    fn all_methods_of_the_documents_are_in_the_list() {
        let rows = Slack.operations();
        let methods =
            rows.iter().map(dtu_kernel::operation::Operation::info).filter(|info| info.path.starts_with("/api/"));
        let missing: Vec<&str> = methods
            .filter(|info| info.limit.is_empty() && !TIER_OF.contains_key(info.id))
            .map(|info| info.id)
            .collect();
        assert!(missing.is_empty(), "without a tier: {missing:?}");
    }
}
