//! Answers whose status or body is another than the public documents have first.

use dtu_contract::generic::refusal::Refused;
use dtu_kernel::{twin::Scene, wire::Answer};
use http::StatusCode;

use crate::error::Error;

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
];

/// An operation's answer as Okta gives it.
pub(crate) fn told(operation: &str, answer: Answer) -> Answer {
    if operation == "createCustomDomain" && answer.status.is_success() && !names_brand(&answer) {
        // Recorded of orgs of the Classic Engine, whose domains belong to no brand.
        return Answer { status: StatusCode::CREATED, ..answer };
    }
    let Some((_, told)) = TOLD.iter().find(|(name, _)| *name == operation) else { return answer };
    match told {
        _ if !answer.status.is_success() => answer,
        Told::Status(status) => Answer { status: *status, ..answer },
        Told::Nothing => Answer { body: None, ..answer },
        Told::Empty => Answer { body: Answer::json(&serde_json::Map::new()).body, ..answer },
    }
}

fn names_brand(answer: &Answer) -> bool {
    let body = answer.body.as_ref().map(|(_, body)| serde_json::from_slice::<serde_json::Value>(body));
    body.and_then(Result::ok).is_some_and(|body| body.get("brandId").is_some())
}

/// Whether a refusal is an answer without a body: what is not there is removed as what is. Recorded.
pub(crate) fn is_forgiven(operation: &str, refused: &Error) -> bool {
    operation == "deleteUISchemas" && matches!(refused, Error::NotFound { .. })
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
];

/// Whether an operation is of a feature that the org has not.
pub(crate) fn is_switched_off(operation: &str) -> bool {
    SWITCHED_OFF.contains(&operation)
}

/// Whether Okta does not count a read that it refuses since the org has not the feature: recorded. It counts others.
pub(crate) fn is_uncounted(operation: &str) -> bool {
    is_switched_off(operation) || SWITCHES.contains(&operation)
}

/// Reads of features that an org can switch on.
const SWITCHES: &[&str] = &[
    "getAllWellKnownURIs",
    "getRootBrandWellKnownURI",
    "getBrandWellKnownURI",
    "listDevicePostureChecks",
    "listDefaultDevicePostureChecks",
    "getDevicePostureCheck",
];

/// What Okta refuses whatever the public document says.
///
/// # Errors
/// A list of limits without the kind of principals: recorded.
pub(crate) fn check(scene: &Scene<'_>) -> Result<(), Refused> {
    let request = scene.request;
    match scene.operation.id {
        "listPrincipalRateLimitEntities" => {
            let filter = request.query_pairs().find(|(name, _)| name == "filter").map(|(_, value)| value.into_owned());
            if filter.is_some_and(|filter| filter.contains("principalType")) {
                return Ok(());
            }
            // The misspelling is Okta's.
            let cause = "The provided filter parameter did not contain the required attrbute filter \"principalType\"";
            Err(super::resource::invalid("principalRateLimitMediated", cause))
        }
        _ => Ok(()),
    }
}
