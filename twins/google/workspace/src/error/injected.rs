//! What fault rules ask for, in the API's words.

use dtu_kernel::{fault::Injected, operation::OperationInfo};
use serde_json::json;
use smol_str::SmolStr;

use super::{
    bad_credential,
    contract::bad_value,
    said::{Said, canonical, http_status, named},
    scope,
};
use crate::{caller::Caller, family::Family, limits};

/// A failure that a rule asks for. Google sends no `Retry-After` with spent quotas.
pub(super) fn said(family: Family, operation: &OperationInfo, caller: Option<&Caller>, injected: &Injected) -> Said {
    match injected {
        Injected::Revoked | Injected::Expired => bad_credential(),
        Injected::ScopesCut { .. } => scope(family, operation, operation.scopes),
        Injected::BadCursor => match family {
            Family::Drive => bad_value("pageToken"),
            Family::Sheets | Family::Docs => Said::invalid(),
        },
        Injected::QuotaExhausted { .. } if family == Family::Drive => drive_failure(None, Some("dailyLimitExceeded")),
        Injected::RateLimited { .. } | Injected::QuotaExhausted { .. } | Injected::TooManyAtOnce => match family {
            Family::Drive => drive_failure(None, Some("userRateLimitExceeded")),
            Family::Sheets | Family::Docs => quota(family, operation, caller),
        },
        Injected::Failure { status, code } => {
            let code = code.as_deref();
            match family {
                Family::Drive => drive_failure(*status, code),
                Family::Sheets | Family::Docs => failure(family, operation, caller, *status, code),
            }
        }
    }
}

/// Drive's reasons for failures: status, message, domain.
const DRIVE: &[(&str, u16, &str, &str)] = &[
    ("internalError", 500, "Internal Error", "global"),
    ("backendError", 503, "The service is currently unavailable.", "global"),
    ("badGateway", 502, "Bad Gateway", "global"),
    ("gatewayTimeout", 504, "Gateway Timeout", "global"),
    ("transientError", 500, "Internal Error", "global"),
    ("userRateLimitExceeded", 403, "User Rate Limit Exceeded", "usageLimits"),
    ("rateLimitExceeded", 403, "Rate Limit Exceeded", "usageLimits"),
    ("rateLimitExceeded", 429, "Rate Limit Exceeded", "usageLimits"),
    ("dailyLimitExceeded", 403, "Daily Limit Exceeded", "usageLimits"),
    ("sharingRateLimitExceeded", 403, "Rate Limit Exceeded", "global"),
    ("storageQuotaExceeded", 403, "The user's Drive storage quota has been exceeded.", "usageLimits"),
    ("insufficientFilePermissions", 403, "The user does not have sufficient permissions for this file.", "global"),
    ("domainPolicy", 403, "The domain administrators have disabled Drive apps.", "global"),
    ("notFound", 404, "Not Found", "global"),
];

/// A failure of Drive, by reason, else by status, else the usual one.
fn drive_failure(status: Option<u16>, reason: Option<&str>) -> Said {
    let fits = |row: &&(&str, u16, &str, &str)| {
        reason.is_none_or(|reason| row.0 == reason) && status.is_none_or(|status| row.1 == status)
    };
    let by_reason = || DRIVE.iter().find(|row| Some(row.0) == reason);
    let row = DRIVE.iter().find(fits).or_else(by_reason);
    let known = row.map_or((500, "Internal Error", "global"), |row| (row.1, row.2, row.3));
    let (status, message, domain) = (status.unwrap_or(known.0), known.1, known.2);
    let reason = reason.or_else(|| row.map(|row| row.0)).unwrap_or("backendError");
    Said::new(canonical(status), SmolStr::new(reason), message).with_status(status).in_domain(domain)
}

/// A failure of Sheets or Docs, by canonical status, else by HTTP status, else the usual one.
fn failure(
    family: Family,
    operation: &OperationInfo,
    caller: Option<&Caller>,
    status: Option<u16>,
    code: Option<&str>,
) -> Said {
    let name = code.and_then(named).unwrap_or_else(|| canonical(status.unwrap_or(500)));
    let message = match name {
        "RESOURCE_EXHAUSTED" => return quota(family, operation, caller),
        "UNAUTHENTICATED" => return bad_credential(),
        "PERMISSION_DENIED" => "The caller does not have permission",
        "NOT_FOUND" => "Requested entity was not found.",
        "ALREADY_EXISTS" => "Requested entity already exists",
        "ABORTED" => "The operation was aborted.",
        "CANCELLED" => "The operation was cancelled.",
        "UNIMPLEMENTED" => "Operation is not implemented, or supported, or enabled.",
        "UNAVAILABLE" => "The service is currently unavailable.",
        "DEADLINE_EXCEEDED" => "Deadline expired before operation could complete.",
        "INTERNAL" => "Internal error encountered.",
        "UNKNOWN" => "Unknown Error.",
        _ => "Request contains an invalid argument.",
    };
    let known = http_status(name);
    Said::new(name, "backendError", message).with_status(status.unwrap_or(known))
}

/// A spent quota of Sheets or Docs.
fn quota(family: Family, operation: &OperationInfo, caller: Option<&Caller>) -> Said {
    let (rate, service) = (limits::rate(family, operation), family.service());
    let project = caller.map(|caller| caller.project.as_str()).unwrap_or_default();
    let (metric, value) = (format!("{service}/{}", rate.metric), rate.per_minute.to_string());
    let message = format!(
        "Quota exceeded for quota metric '{0}' and limit '{0} per minute per user' of service '{service}' for consumer \
         'project_number:{project}'.",
        rate.title
    );
    let metadata = [
        ("service", service),
        ("consumer", &*format!("projects/{project}")),
        ("quota_metric", &metric),
        ("quota_limit", rate.name),
        ("quota_limit_value", &value),
        ("quota_location", "global"),
    ];
    let help = json!({
        "@type": "type.googleapis.com/google.rpc.Help",
        "links": [{
            "description": "Request a higher quota limit.",
            "url": "https://cloud.google.com/docs/quota#requesting_higher_quota",
        }],
    });
    Said::new("RESOURCE_EXHAUSTED", "rateLimitExceeded", message)
        .detail(Said::info("RATE_LIMIT_EXCEEDED", "googleapis.com", &metadata))
        .detail(help)
}
