//! Answers whose status or body is another than the public documents have first.

use dtu_kernel::wire::Answer;
use http::StatusCode;

/// How an operation answers.
enum Told {
    /// With this status.
    Status(StatusCode),
    /// Without a body.
    Nothing,
    /// With an empty object.
    Empty,
}

/// As recorded.
const TOLD: &[(&str, Told)] = &[
    ("activateLogStream", Told::Nothing),
    ("deactivateLogStream", Told::Nothing),
    ("deleteGroupRule", Told::Empty),
    ("assignRoleToGroup", Told::Status(StatusCode::CREATED)),
    ("createIdentitySourceSession", Told::Status(StatusCode::CREATED)),
    ("generateIdentityProviderSigningKey", Told::Status(StatusCode::CREATED)),
];

/// An operation's answer as Okta gives it.
pub(crate) fn told(operation: &str, answer: Answer) -> Answer {
    let Some((_, told)) = TOLD.iter().find(|(name, _)| *name == operation) else { return answer };
    match told {
        _ if !answer.status.is_success() => answer,
        Told::Status(status) => Answer { status: *status, ..answer },
        Told::Nothing => Answer { body: None, ..answer },
        Told::Empty => Answer { body: Answer::json(&serde_json::Map::new()).body, ..answer },
    }
}

/// Operations of features that an org has only where Okta has switched them on, which it has not here: recorded with
/// the refusal.
const SWITCHED_OFF: &[&str] = &[
    "listAllCustomAAGUIDs",
    "createCustomAAGUID",
    "getCustomAAGUID",
    "replaceCustomAAGUID",
    "updateCustomAAGUID",
    "deleteCustomAAGUID",
    "createDevicePostureCheck",
    "listDevicePostureChecks",
    "listDefaultDevicePostureChecks",
    "getDevicePostureCheck",
    "replaceDevicePostureCheck",
    "deleteDevicePostureCheck",
    "getAllWellKnownURIs",
    "getRootBrandWellKnownURI",
    "getBrandWellKnownURI",
    "replaceBrandWellKnownURI",
];

/// Whether an operation is of a feature that the org has not.
pub(crate) fn is_switched_off(operation: &str) -> bool {
    SWITCHED_OFF.contains(&operation)
}
