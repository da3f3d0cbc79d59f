//! All refusals, and the only place that knows their envelope, codes and statuses.
//!
//! See developer.okta.com/docs/reference/error-codes/.

use std::{borrow::Cow, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dtu_kernel::{args::ArgError, fault::Injected, time::Timestamp, wire::Answer};
use http::{StatusCode, header};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use crate::{
    oauth::error::OAuthError,
    query::{Fault, Operator},
};

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// No token, or one that is not believed.
    InvalidToken,
    /// An access token that is not believed; why stands in a header.
    BadAccessToken {
        /// `WWW-Authenticate`.
        challenge: String,
    },
    /// Somebody's name and password are not believed.
    SignIn,
    /// The token's owner may not do this.
    Forbidden,
    /// Something that the org has not switched on. Okta answers 401, not 403.
    FeatureOff,
    /// An object that there is not.
    NotFound {
        /// The id as given.
        id: String,
        /// Okta's name for the kind of object.
        kind: Cow<'static, str>,
    },
    /// Nothing at the path.
    NoPath,
    /// Okta has the operation, the twin has not.
    Unsupported,
    /// Not by this method.
    NoMethod,
    /// The body is too long.
    TooLarge,
    /// The body cannot be read.
    Malformed,
    /// The body's media type is not taken.
    MediaType,
    /// A body without a media type.
    NoMediaType,
    /// No answer in the media types that the caller takes.
    NotAcceptable,
    /// There are as many of a kind as there may be.
    Exceeded {
        /// The code.
        code: &'static str,
        /// What kind of thing.
        domain: SmolStr,
    },
    /// A query parameter of another type.
    TypeMismatch {
        /// The parameter.
        name: String,
    },
    /// A required query parameter is missing.
    MissingParameter,
    /// The request says something that cannot be.
    Validation {
        /// The field or object.
        about: SmolStr,
        /// Why, one line a field.
        causes: Vec<String>,
    },
    /// Only staged and deactivated people can be activated.
    AlreadyActive,
    /// Not in this status.
    NotInStatus,
    /// Not locked out.
    NotLockedOut,
    /// A password that is to expire at once, without a password.
    ExpiryNeedsPassword,
    /// A password that is to expire at once, without activation.
    ExpiryNeedsActivation,
    /// Too many groups at once.
    TooManyGroups,
    /// An app that is to be deleted while it is in use.
    AppActive,
    /// An app for a person who is deactivated.
    InactiveUser,
    /// Credentials that the app's scheme leaves to others.
    AppCredentials,
    /// The entity tag is another one.
    TagMismatch,
    /// The entity tag cannot be read.
    TagMalformed,
    /// A query together with a filter.
    QueryAndFilter,
    /// A search or filter that cannot be read; with its causes.
    Search(String),
    /// A cursor that is not one; of a search or of a list.
    Cursor {
        /// Whether the list is a search's.
        search: bool,
    },
    /// A bad question to the System Log, in the log's own envelope.
    Log {
        /// The code.
        code: &'static str,
        /// The summary.
        summary: String,
        /// The causes.
        causes: Vec<String>,
    },
    /// Too many calls.
    RateLimited {
        /// How long until the window ends.
        retry_after: Duration,
    },
    /// The credential has lost scopes: what that looks like depends on the kind of credential.
    ScopesCut {
        /// The scopes; the operation's own where none are named.
        needed: Vec<SmolStr>,
    },
    /// More calls are under way than the org takes at once.
    TooManyAtOnce,
    /// A refusal of an OAuth endpoint, or of an access token, in the envelope of that standard.
    OAuth(Box<OAuthError>),
    /// A refusal of the Identity Engine's own API, with its whole answer.
    Idx(Box<crate::idx::Refused>),
    /// A refusal by its code, with causes of its own.
    Coded {
        /// The code.
        code: &'static str,
        /// Why.
        causes: Vec<String>,
    },
    /// A refusal by its code, whose summary says something of its own.
    Worded {
        /// The code.
        code: &'static str,
        /// The summary.
        summary: String,
        /// Why.
        causes: Vec<String>,
    },
    /// The service's own failure.
    Failure {
        /// The HTTP status.
        status: u16,
        /// The code.
        code: SmolStr,
    },
}

impl From<OAuthError> for Error {
    fn from(refused: OAuthError) -> Self {
        Self::OAuth(Box::new(refused))
    }
}

impl Error {
    /// A validation error with one cause.
    pub fn invalid(about: &'static str, cause: impl Into<String>) -> Self {
        Self::Validation { about: SmolStr::new_static(about), causes: vec![cause.into()] }
    }

    /// Validation errors by field: the summary names the first field, each cause its own.
    pub fn fields(problems: &[(&'static str, &'static str)]) -> Self {
        let about = problems.first().map_or("", |(field, _)| field);
        let causes = problems.iter().map(|(field, message)| format!("{field}: {message}")).collect();
        Self::Validation { about: SmolStr::new_static(about), causes }
    }

    /// A refusal by its code, with one cause.
    pub fn because(code: &'static str, cause: impl Into<String>) -> Self {
        Self::Coded { code, causes: vec![cause.into()] }
    }

    /// A refusal whose cause says again what its summary says.
    pub fn repeated(code: &'static str) -> Self {
        Self::because(code, known(code).1)
    }

    /// Fields with what is wrong with each; the first of them is what the refusal is about.
    pub fn problems(problems: &[(SmolStr, &'static str)]) -> Self {
        let about = problems.first().map(|(field, _)| field.clone()).unwrap_or_default();
        let causes = problems.iter().map(|(field, message)| format!("{field}: {message}")).collect();
        Self::Validation { about, causes }
    }

    /// A refusal of which there is nothing to say but its code.
    pub fn coded(code: &'static str) -> Self {
        Self::Failure { status: known(code).0, code: SmolStr::new_static(code) }
    }

    /// An id that names nothing.
    pub fn not_found(id: &str, kind: &'static str) -> Self {
        Self::NotFound { id: id.to_owned(), kind: Cow::Borrowed(kind) }
    }

    /// A value that someone else has.
    pub fn taken(field: &'static str) -> Self {
        Self::fields(&[(field, "An object with this field already exists in the current organization")])
    }

    /// An argument that is missing or does not fit. What is in the body is the body's matter.
    pub fn argument(error: ArgError) -> Self {
        match error {
            ArgError::Missing(name) if name == "body" => Self::Malformed,
            ArgError::Missing(_) => Self::MissingParameter,
            ArgError::Invalid(name, _) if name == "body" => Self::Malformed,
            ArgError::Invalid(name, _) => Self::mismatch(name),
        }
    }

    /// A query parameter of another type.
    pub fn mismatch(name: impl Into<String>) -> Self {
        Self::TypeMismatch { name: name.into() }
    }

    /// A search or filter of people or groups that is refused.
    pub fn search(text: &str, fault: &Fault, operators: &[Operator]) -> Self {
        Self::Search(match fault {
            Fault::Syntax { .. } => "Invalid search syntax.".to_owned(),
            other => format!("Invalid filter '{text}': {}", explain(other, operators)),
        })
    }

    /// A filter of the System Log that is refused.
    /// See developer.okta.com/docs/reference/system-log-query/#errors.
    pub fn log_filter(text: &str, fault: &Fault, operators: &[Operator]) -> Self {
        let (code, summary) = match fault {
            Fault::Attribute { path, .. } => ("E0000053", format!("field is not valid: {path}")),
            Fault::Combination { path, operator, .. } => {
                let pair = format!("Operator: {}, Field: {path}", operator.text());
                (
                    "E0000031",
                    format!("The supplied combination of operator and field is not currently supported. {pair}"),
                )
            }
            other => ("E0000053", format!("Invalid filter '{text}': {}", explain(other, operators))),
        };
        Self::Log { code, summary, causes: Vec::new() }
    }

    /// The code, for the ledger and for people.
    pub fn code(&self) -> SmolStr {
        self.shape().1
    }

    /// In words, for a person who meets it in the admin console.
    pub fn words(&self) -> String {
        let (_, _, summary, causes) = self.shape();
        if causes.is_empty() { summary } else { causes.join("; ") }
    }

    /// Status, code, summary, causes.
    fn shape(&self) -> (u16, SmolStr, String, Vec<String>) {
        let known = |code: &'static str| {
            let (status, summary) = known(code);
            (status, SmolStr::new_static(code), summary.to_owned(), Vec::new())
        };
        let with = |code: &'static str, causes: Vec<String>| {
            let (status, code, summary, _) = known(code);
            (status, code, summary, causes)
        };
        let same = |code: &'static str| with(code, vec![known(code).2]);
        let summary = |code: &'static str, rest: &str| {
            let (status, code, summary, causes) = known(code);
            (status, code, format!("{summary}{rest}"), causes)
        };
        match self {
            Self::InvalidToken | Self::BadAccessToken { .. } => known("E0000011"),
            Self::SignIn => known("E0000004"),
            Self::Forbidden | Self::ScopesCut { .. } => known("E0000006"),
            Self::FeatureOff => known("E0000015"),
            Self::NotFound { id, kind } => summary("E0000007", &format!("Resource not found: {id} ({kind})")),
            Self::NoPath => known("E0000008"),
            Self::NoMethod => known("E0000022"),
            Self::Unsupported => known("E0000060"),
            Self::TooLarge => (413, SmolStr::new_static("E0000003"), known("E0000003").2, Vec::new()),
            Self::Malformed => known("E0000003"),
            Self::MediaType => known("E0000021"),
            Self::NoMediaType => known("E0000018"),
            Self::NotAcceptable => known("E0000019"),
            // The two spaces are Okta's. See
            // gblues.hashnode.dev/more-okta-gotchas-type-mismatch-exception-could-not-convert-parameter-limit-to-the-required-type.
            Self::TypeMismatch { name } => {
                summary("E0000037", &format!(" Could not convert parameter '{name}' to the required type."))
            }
            Self::MissingParameter => known("E0000028"),
            Self::Validation { about, causes } => {
                let (status, code, summary, _) = summary("E0000001", about);
                (status, code, summary, causes.clone())
            }
            Self::AlreadyActive => known("E0000016"),
            Self::NotInStatus => known("E0000038"),
            Self::NotLockedOut => with("E0000032", vec!["The user is not locked out.".to_owned()]),
            Self::ExpiryNeedsPassword => same("E0000124"),
            Self::ExpiryNeedsActivation => same("E0000125"),
            Self::TooManyGroups => with("E0000093", vec!["The number of group targets is too large".to_owned()]),
            Self::AppActive => {
                with("E0000056", vec!["The application must be deactivated before deletion.".to_owned()])
            }
            Self::InactiveUser => known("E0000117"),
            Self::AppCredentials => known("E0000041"),
            Self::TagMismatch => known("E0000231"),
            Self::TagMalformed => known("E0000242"),
            Self::QueryAndFilter => known("E0000033"),
            Self::Search(cause) => with("E0000031", vec![cause.clone()]),
            Self::Cursor { search } => {
                let code = if *search { "E0000031" } else { "E0000029" };
                with(code, vec!["Invalid cursor.".to_owned()])
            }
            Self::Log { code, summary, causes } => (400, SmolStr::new_static(code), summary.clone(), causes.clone()),
            Self::RateLimited { .. } | Self::TooManyAtOnce => known("E0000047"),
            Self::Coded { code, causes } => with(code, causes.clone()),
            Self::Exceeded { code, .. } => same(code),
            Self::Worded { code, summary, causes } => {
                let (status, code, ..) = known(code);
                (status, code, summary.clone(), causes.clone())
            }
            Self::Idx(refused) => (refused.status, refused.key.clone(), refused.key.to_string(), Vec::new()),
            Self::OAuth(refused) => {
                (refused.status(), SmolStr::new_static(refused.error), refused.description.to_string(), Vec::new())
            }
            Self::Failure { status, code } => {
                let summary =
                    CODES.iter().find(|(known, ..)| known == code).map_or(known("E0000009").2, |c| c.2.into());
                (*status, code.clone(), summary, Vec::new())
            }
        }
    }

    /// The refusal in its envelope, and the code for the ledger.
    pub fn answer(&self, bits: (u64, u64)) -> (Answer, SmolStr) {
        match self {
            Self::OAuth(refused) => return refused.answer(),
            Self::Idx(refused) => return refused.answer(),
            _ => {}
        }
        let (status, code, summary, causes) = self.shape();
        let mut causes: Vec<Value> = causes.into_iter().map(|cause| json!({ "errorSummary": cause })).collect();
        if let (Self::Exceeded { domain, .. }, Some(Value::Object(cause))) = (self, causes.first_mut()) {
            // Recorded, also that it lies in the address.
            cause.extend([
                ("reason".to_owned(), json!("EXCEEDS_MAX_VALUE")),
                ("locationType".to_owned(), json!("url")),
                ("domain".to_owned(), json!(domain)),
            ]);
        }
        let mut body = Map::new();
        body.insert("errorCode".to_owned(), json!(code));
        body.insert("errorSummary".to_owned(), json!(summary));
        if matches!(self, Self::Log { .. }) {
            // The log's errors have no link, and no causes where there are none.
            body.insert("errorId".to_owned(), json!(log_error_id(bits)));
            if !causes.is_empty() {
                body.insert("errorCauses".to_owned(), json!(causes));
            }
        } else {
            body.insert("errorLink".to_owned(), json!(code));
            body.insert("errorId".to_owned(), json!(error_id(bits)));
            body.insert("errorCauses".to_owned(), json!(causes));
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let answer = Answer::json(&body).with_status(status);
        match self {
            Self::BadAccessToken { challenge } => (answer.with_header(header::WWW_AUTHENTICATE, challenge), code),
            _ => (answer, code),
        }
    }

    /// When the rate window ends, where this is about one: at least a second away, in whole seconds.
    pub fn resets(&self, now: Timestamp) -> Option<Timestamp> {
        let Self::RateLimited { retry_after } = self else {
            return None;
        };
        let end = now.after((*retry_after).max(Duration::from_secs(1)));
        let whole = end.floor_secs();
        Some(if whole < end { whole.after(Duration::from_secs(1)) } else { whole })
    }
}

/// A fault in the words of the System Log's errors, which are the only ones documented.
fn explain(fault: &Fault, operators: &[Operator]) -> String {
    match fault {
        Fault::Syntax { at } => format!("Unexpected token at position {at}."),
        Fault::Operator { found, at } => {
            let expected: Vec<&str> = operators.iter().map(|operator| operator.text()).collect();
            format!("Unrecognized attribute operator '{found}' at position {at}. Expected: {}", expected.join(","))
        }
        Fault::Attribute { path, at } => format!("Unrecognized attribute '{path}' at position {at}."),
        Fault::Combination { path, operator, at } => {
            format!("Operator '{}' at position {at} is not supported for attribute '{path}'.", operator.text())
        }
        Fault::Value { value, at } => format!("Invalid date '{value}' at position {at}."),
        Fault::Not { at } => format!("Operator 'not' at position {at} is not supported."),
    }
}

/// Code, status, summary.
const CODES: &[(&str, u16, &str)] = &[
    ("E0000001", 400, "Api validation failed: "),
    ("E0000002", 400, "The request was not valid: Invalid policy type specified."),
    ("E0000003", 400, "The request body was not well-formed."),
    ("E0000004", 401, "Authentication failed"),
    ("E0000005", 403, "Invalid session"),
    ("E0000006", 403, "You do not have permission to perform the requested action"),
    ("E0000007", 404, "Not found: "),
    ("E0000008", 404, "The requested path was not found"),
    ("E0000009", 500, "Internal Server Error"),
    ("E0000010", 503, "Service is in read only mode"),
    ("E0000011", 401, "Invalid token provided"),
    ("E0000014", 403, "Update of credentials failed"),
    ("E0000015", 401, "You do not have permission to access the feature you are requesting"),
    ("E0000016", 403, "Activation failed because the user is already active"),
    ("E0000017", 403, "Password reset failed"),
    ("E0000018", 400, "Bad request. Accept and/or Content-Type headers are likely not set."),
    ("E0000019", 400, "Bad request. Accept and/or Content-Type headers likely do not match supported values."),
    ("E0000021", 400, "Bad request. Accept and/or Content-Type headers likely do not match supported values."),
    ("E0000022", 405, "The endpoint does not support the provided HTTP method"),
    ("E0000028", 400, "The request is missing a required parameter."),
    ("E0000029", 400, "Invalid paging request."),
    ("E0000031", 400, "Invalid search criteria."),
    ("E0000032", 403, "Unlock is not allowed for this user."),
    ("E0000033", 400, "Bad request. Can't specify a search query and filter in the same request."),
    ("E0000034", 403, "Forgot password not allowed on specified user."),
    ("E0000035", 403, "Change password not allowed on specified user."),
    ("E0000036", 403, "Change recovery question not allowed on specified user."),
    ("E0000037", 400, "Type mismatch exception. "),
    ("E0000038", 403, "This operation is not allowed in the user's current status."),
    ("E0000041", 400, "Credentials should not be set on this resource based on the scheme."),
    ("E0000046", 403, "Deactivate application for user forbidden."),
    ("E0000047", 429, "API call exceeded rate limit due to too many requests."),
    ("E0000056", 403, "Delete application forbidden."),
    ("E0000060", 501, "Unsupported operation."),
    ("E0000068", 403, "Invalid Passcode/Answer"),
    ("E0000069", 403, "User Locked"),
    ("E0000079", 403, "This operation is not allowed in the current authentication state."),
    ("E0000077", 403, "Cannot modify the conditions attribute because it is read-only."),
    ("E0000082", 403, "Each code can only be used once. Please wait for a new code and try again."),
    ("E0000087", 403, "The recovery question answer did not match our records."),
    ("E0000090", 409, "The role specified is already assigned to the user."),
    ("E0000091", 400, "The provided role type was not the same as required role type."),
    ("E0000093", 400, "Target count limit exceeded"),
    ("E0000095", 403, "Recovery not allowed for unknown user."),
    ("E0000100", 503, "Unable to perform search query."),
    ("E0000109", 429, "An SMS message was recently sent. Please wait 30 seconds before trying again."),
    (
        "E0000112",
        409,
        "Cannot update this user because they are still being activated. Please try again in a few minutes.",
    ),
    ("E0000117", 403, "Cannot assign apps or update app profiles for an inactive user."),
    ("E0000118", 429, "An email was recently sent. Please wait 5 seconds before trying again."),
    (
        "E0000124",
        400,
        "Could not create user. To create a user and expire their password immediately, a password must be specified",
    ),
    (
        "E0000125",
        400,
        "Could not create user. To create a user and expire their password immediately, \"activate\" must be true",
    ),
    ("E0000127", 409, "Invalid linked objection definition. Linked object identifier is already in use."),
    ("E0000133", 429, "A phone call was recently made. Please wait 30 seconds before trying again."),
    // The wording of these three is the twin's own.
    ("E0000134", 502, "The callback service could not be reached."),
    ("E0000135", 400, "The callback service returned an invalid response."),
    ("E0000137", 504, "The callback service timed out."),
    (
        "E0000148",
        403,
        "Cannot modify/disable this authenticator because it is enabled in one or more policies. To continue, disable the \
         authenticator in these policies.",
    ),
    ("E0000149", 406, "The HTTP request is not acceptable"),
    ("E0000157", 409, "Another authenticator with the same key is already active."),
    (
        "E0000166",
        403,
        "CAPTCHA count limit reached. At most one CAPTCHA instance is allowed per Org. Please remove existing CAPTCHA to create a new one.",
    ),
    ("E0000182", 409, "A default email template customization already exists."),
    ("E0000183", 409, "An email template customization for that language already exists."),
    ("E0000185", 409, "The isDefault parameter of the default email template customization can't be set to false."),
    ("E0000195", 409, "Api validation failed due to conflict: "),
    ("E0000197", 409, "Email domain already exists."),
    ("E0000200", 409, "A default brand cannot be deleted"),
    ("E0000201", 409, "A brand associated with a domain cannot be deleted"),
    ("E0000202", 409, "Brand name already exists."),
    ("E0000217", 400, "Invalid status. Can't validate email domain with current status."),
    ("E0000226", 400, "You must have an active telephony inline hook to activate and use the Phone authenticator."),
    ("E0000231", 412, "ETag value doesn't match."),
    ("E0000236", 502, "There are no connected agents"),
    ("E0000237", 504, "Timed out waiting for agent"),
    ("E0000239", 423, "Policy priorities are being reconciled. Please try again later."),
    ("E0000242", 400, "ETag value is not valid."),
    ("E0000249", 409, "Group rules are still being set up."),
];

fn known(code: &str) -> (u16, &'static str) {
    CODES.iter().find(|(known, ..)| *known == code).map_or((500, "Internal Server Error"), |row| (row.1, row.2))
}

/// `oae` and 128 bits in base64.
fn error_id((a, b): (u64, u64)) -> String {
    let bits = (u128::from(a.rotate_left(17)) << 64) | u128::from(b ^ 0x9e37_79b9_7f4a_7c15);
    format!("oae{}", URL_SAFE_NO_PAD.encode(bits.to_be_bytes()))
}

fn log_error_id((a, b): (u64, u64)) -> String {
    let (high, low) = (a.rotate_left(17), b ^ 0x9e37_79b9_7f4a_7c15);
    format!(
        "{:08x}-{:04x}-4{:03x}-{:x}{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        8 + (low >> 62),
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

impl From<Injected> for Error {
    fn from(injected: Injected) -> Self {
        match injected {
            Injected::RateLimited { retry_after: wait } | Injected::QuotaExhausted { resets: wait } => {
                Self::RateLimited { retry_after: wait }
            }
            Injected::TooManyAtOnce => Self::TooManyAtOnce,
            Injected::Revoked | Injected::Expired => Self::InvalidToken,
            Injected::ScopesCut { needed } => Self::ScopesCut { needed },
            Injected::BadCursor => Self::Cursor { search: false },
            Injected::Failure { status, code } => {
                let of_status = match status {
                    Some(503) => "E0000010",
                    _ => "E0000009",
                };
                let code = code.unwrap_or(SmolStr::new_static(of_status));
                Self::Failure { status: status.unwrap_or_else(|| known(&code).0), code }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn injected_faults_have_okta_s_shape() {
        let check = |injected: Injected, status: u16, code: &str| {
            let (answer, found) = Error::from(injected).answer((1, 2));
            assert_eq!((answer.status.as_u16(), found.as_str()), (status, code));
        };
        check(Injected::Revoked, 401, "E0000011");
        check(Injected::RateLimited { retry_after: Duration::ZERO }, 429, "E0000047");
        check(Injected::Failure { status: None, code: None }, 500, "E0000009");
        check(Injected::Failure { status: Some(503), code: None }, 503, "E0000010");
        check(Injected::Failure { status: Some(502), code: None }, 502, "E0000009");
        check(Injected::Failure { status: None, code: Some("E0000112".into()) }, 409, "E0000112");
    }

    #[test]
    fn windows_end_in_whole_seconds_that_are_to_come() {
        let now = Timestamp::from_micros(1_000_400_000);
        let resets = |millis| Error::RateLimited { retry_after: Duration::from_millis(millis) }.resets(now);
        assert_eq!(resets(0), Some(Timestamp::from_secs(1_002)));
        assert_eq!(resets(30_000), Some(Timestamp::from_secs(1_031)));
        assert_eq!(error_id((0, 0)).len(), 25);
    }
}
