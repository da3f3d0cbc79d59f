//! What Okta's public documents say, and what is served from them alone.

use std::{borrow::Cow, sync::LazyLock};

use dtu_contract::{
    backing::{Backed, Backing, Rules},
    contract::Contract,
    differences::Differences,
    generic::{Neighbour, Store, refusal::Refused},
    violation::{Part, Rule, Violation},
};
use dtu_kernel::operation::OperationInfo;
use smol_str::SmolStr;

use crate::{Okta, error::Error, model::State};

/// The contract made from Okta's public documents.
pub fn contract() -> &'static Contract {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::embedded(include_str!("../contract.json")));
    &CONTRACT
}

fn backing() -> &'static Backing {
    static BACKING: LazyLock<Backing> = LazyLock::new(|| {
        let differences = Differences::parse("differences.yaml", include_str!("../differences.yaml"));
        let differences = differences.expect("a test reads the list of differences");
        Backing::new(contract(), "okta", differences, Rules { absent: ABSENT, also_get: false })
    });
    &BACKING
}

const SIGNED: &str = "its tokens and pages must be made by the authorization server itself, which is not there yet";
const FLOW: &str = "a step of a sign-in flow that is not there yet";

/// What a made-up answer would be a lie about: programs act on tokens, keys and addresses.
const ABSENT: &[(&str, &str)] = &[
    ("authorize", FLOW),
    ("authorizeCustomAS", FLOW),
    ("authorizeCustomASWithPost", FLOW),
    ("authorizeWithPost", FLOW),
    ("bcAuthorize", FLOW),
    ("bcAuthorizeCustomAS", FLOW),
    ("challenge", FLOW),
    ("challenge-custom-as", FLOW),
    ("deviceAuthorize", FLOW),
    ("deviceAuthorizeCustomAS", FLOW),
    ("getWellKnownOAuthConfigurationCustomAS", SIGNED),
    ("getWellKnownOpenIDConfiguration", SIGNED),
    ("getWellKnownOpenIDConfigurationCustomAS", SIGNED),
    ("globalTokenRevocation", SIGNED),
    ("introspect", SIGNED),
    ("introspectCustomAS", SIGNED),
    ("logout", FLOW),
    ("logoutCustomAS", FLOW),
    ("logoutCustomASWithPost", FLOW),
    ("logoutWithPost", FLOW),
    ("oauthKeys", SIGNED),
    ("oauthKeysCustomAS", SIGNED),
    ("oob-authenticate", FLOW),
    ("oob-authenticate-custom-as", FLOW),
    ("par", FLOW),
    ("parCustomAS", FLOW),
    ("primary-authenticate", FLOW),
    ("primary-authenticate-custom-as", FLOW),
    ("revoke", SIGNED),
    ("revokeCustomAS", SIGNED),
    ("token", SIGNED),
    ("tokenCustomAS", SIGNED),
    ("userinfo", SIGNED),
    ("userinfoCustomAS", SIGNED),
];

impl Backed for Okta {
    fn backing(&self) -> &'static Backing {
        backing()
    }

    fn objects(state: &State) -> &Store {
        &state.objects
    }

    fn objects_mut(state: &mut State) -> &mut Store {
        &mut state.objects
    }

    fn refuse(_: &OperationInfo, refused: Refused) -> Error {
        match refused {
            Refused::Invalid(violations) => invalid(&violations),
            Refused::NotFound { collection, id } => {
                Error::NotFound { id: id.to_string(), kind: Cow::Owned(kind_of(&collection)) }
            }
            Refused::Exists { member, .. } => {
                let cause = format!("{member}: An object with this field already exists in the current organization");
                Error::Validation { about: member, causes: vec![cause] }
            }
            Refused::BadCursor { .. } => Error::Cursor { search: false },
            Refused::MediaType { sent } if sent.is_empty() => Error::NoMediaType,
            Refused::MediaType { .. } => Error::MediaType,
            Refused::Unserved { .. } => Error::Unsupported,
        }
    }

    fn neighbour(state: &State, collection: &str, id: &str) -> Option<Neighbour> {
        let found = match collection {
            "/api/v1/users" if id == "me" => return None,
            "/api/v1/users" => state.users.find(id).map(|user| user.id.clone()),
            "/api/v1/groups" => state.groups.get(id).map(|group| group.id.clone()),
            "/api/v1/eventHooks" => state.hooks.get(id).map(|hook| hook.id.clone()),
            "/api/v1/api-tokens" => state.tokens.get(id).map(|token| token.id.clone()),
            _ => return None,
        };
        Some(found.map_or(Neighbour::Missing, Neighbour::Is))
    }
}

/// A body or parameters that do not fit, as Okta says it: parameters first, then the body as a whole, then its members.
fn invalid(violations: &[Violation]) -> Error {
    let of = |violation: &Violation| violation.part != Part::Body;
    if let Some(violation) = violations.iter().find(|violation| of(violation)) {
        return match violation.rule {
            Rule::Required => Error::MissingParameter,
            _ => Error::TypeMismatch { what: violation.to_string() },
        };
    }
    if violations
        .iter()
        .any(|violation| violation.rule == Rule::Syntax || violation.at.is_empty() && violation.member.is_empty())
    {
        return Error::Malformed;
    }
    let cause = |violation: &Violation| match violation.rule {
        Rule::Required => format!("{}: The field cannot be left blank", field(violation)),
        _ => format!("{}: {}", field(violation), violation.what),
    };
    let about = violations.first().map(field).unwrap_or_default();
    Error::Validation { about: about.into(), causes: violations.iter().map(cause).collect() }
}

/// The name of the member that a violation is about.
fn field(violation: &Violation) -> String {
    let at = violation.at.rsplit('/').next().unwrap_or_default();
    if violation.member.is_empty() { at.to_owned() } else { violation.member.to_string() }
}

/// Okta's names for the kinds of objects in its collections, as recorded.
const KINDS: &[(&str, &str)] = &[
    ("agentPools", "AppInstance"),
    ("api-services", "APIServiceIntegration"),
    ("apps", "AppInstance"),
    ("authorizationServers", "AuthorizationServer"),
    ("behaviors", "BehaviorSettings"),
    ("claims", "OAuth2Claim"),
    ("clients", "PublicClientApp"),
    ("csrs", "CertificateSigningRequest"),
    ("device-assurances", "DeviceAssuranceEntity"),
    ("factors", "UserFactor"),
    ("features", "PublicAppFeatureSetName"),
    ("groups", "UserGroup"),
    ("idps", "IdpTrust"),
    ("keys", "IdpTrust"),
    ("linkedObjects", "LinkedObjectProperty"),
    ("logStreams", "AppInstance"),
    ("mappings", "ProfileMapping"),
    ("principal-rate-limits", "PrincipalRateLimit"),
    ("resource-sets", "IAMPolicy"),
    ("roles", "CustomRole"),
    ("rules", "PolicyRule"),
    ("scopes", "OAuth2Scope"),
    ("sessions", "AppSession"),
    ("uischemas", "UISchemaEntity"),
    ("user", "CVDType"),
];

/// Okta's name for the kind of object in a collection; where none is recorded, the collection's own name as a type.
fn kind_of(collection: &SmolStr) -> String {
    if let Some((_, kind)) = KINDS.iter().find(|(name, _)| name == collection) {
        return (*kind).to_owned();
    }
    let stem = collection.strip_suffix("ies").map(|stem| format!("{stem}y"));
    let stem = stem.unwrap_or_else(|| collection.strip_suffix('s').unwrap_or(collection).to_owned());
    let mut letters = stem.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
