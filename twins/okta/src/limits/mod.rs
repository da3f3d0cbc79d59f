//! The org's rate limits.
//!
//! Recorded `x-rate-limit-limit` values of a workforce org; developer.okta.com/docs/reference/rate-limits/ for how
//! they count: an exact path first, then the longest prefix. Who may use up how much of a bucket stands in
//! [`allowances`], what the System Log says of it in [`notes`].

pub mod allowances;
pub mod notes;

use dtu_kernel::{operation::OperationInfo, twin::Limit};
use smol_str::SmolStr;

use crate::Caller;

/// Calls a minute by bucket.
pub const LIMITS: &[(&str, u32)] = &[
    ("users", 600),
    ("users/{id} read", 2_000),
    ("users/{id} write", 600),
    ("groups", 500),
    ("groups/{id}", 1_000),
    ("apps", 100),
    ("apps/{id}", 500),
    ("logs", 120),
    ("eventHooks", 1_000),
    ("inlineHooks", 1_000),
    ("api-tokens", 300),
    ("oauth2 authorize", 2_000),
    ("oauth2 token", 2_000),
    ("oauth2", 2_000),
    ("oauth2 pages", 2_000),
    // Documents and keys are not limited.
    ("oauth2 documents", 1_000_000),
    ("authorizationServers", 1_000),
    ("authn", 500),
    // As many as the Authentication API has: inferred.
    ("idx", 500),
    ("sessions", 375),
    ("devices", 100),
    ("devices/{id}/users", 600),
    ("device-posture-checks", 100),
    ("other", 1_000),
];

/// Calls that a workforce org takes at once (developer.okta.com/docs/reference/rl2-concurrency/).
pub const CONCURRENT: u32 = 75;

/// How much of a bucket one token or OAuth client may use up, in percent, unless its limits say otherwise
/// (developer.okta.com/docs/reference/rl2-token-oauth/).
pub const SHARE: u8 = 50;
/// All of it.
pub const WHOLE: u8 = 100;

/// What a caller may use up of the bucket of an operation: a token or client its share, anybody else all of it.
/// Recorded: a token is shown 50 where the org has 100.
pub fn limit(operation: &OperationInfo, caller: &Caller) -> Limit {
    let whole = bucket(operation);
    Limit { per_minute: share(whole.per_minute, caller.share), ..whole }
}

/// So many percent of a limit, at least one call.
fn share(calls: u32, percent: u8) -> u32 {
    u32::try_from(u64::from(calls) * u64::from(percent) / 100).unwrap_or(u32::MAX).max(1)
}

/// The org's limit of an operation. What is served from the contract counts by the first part of its path behind the
/// version, and has the limit of all that Okta names no limit for.
pub fn bucket(operation: &OperationInfo) -> Limit {
    let bucket = if operation.limit.is_empty() {
        SmolStr::new(operation.path.splitn(5, '/').take(4).collect::<Vec<_>>().join("/"))
    } else {
        SmolStr::new_static(operation.limit)
    };
    let named = LIMITS.iter().find(|(name, _)| *name == bucket).or_else(|| LIMITS.last());
    Limit { bucket, per_minute: named.map_or(1_000, |(_, calls)| *calls) }
}

#[cfg(test)]
mod tests {
    use dtu_kernel::{
        host::host,
        operation::{Level, OperationInfo},
    };

    #[test]
    fn each_operation_has_a_bucket() {
        for operation in host(crate::Okta)
            .operations()
            .iter()
            .filter(|operation| operation.behaves() && operation.contract.is_none())
        {
            let known = super::LIMITS.iter().any(|(name, _)| *name == operation.limit);
            assert!(known, "{} has the unknown limit `{}`", operation.id, operation.limit);
        }
    }

    #[test]
    fn what_the_contract_serves_counts_by_its_path() {
        let check = |path: &'static str, bucket: &str| {
            let limit = super::bucket(&OperationInfo::untyped("x", &[], path, Level::Stores));
            assert_eq!((limit.bucket.as_str(), limit.per_minute), (bucket, 1_000));
        };
        check("/api/v1/zones", "/api/v1/zones");
        check("/api/v1/zones/{zoneId}/lifecycle/activate", "/api/v1/zones");
        check("/webauthn-registration/api/v1/enroll", "/webauthn-registration/api/v1");
    }

    #[test]
    fn shares_are_of_the_whole() {
        let check = |calls: u32, percent: u8, expected: u32| assert_eq!(super::share(calls, percent), expected);
        check(120, 50, 60);
        check(120, 100, 120);
        check(25, 50, 12);
        check(100, 1, 1);
        check(20, 1, 1);
        check(1_000_000, 75, 750_000);
    }
}
