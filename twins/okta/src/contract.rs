//! What Okta's public documents say, and what is served from them alone.

use std::{borrow::Cow, sync::LazyLock};

use dtu_contract::{
    backing::{Backed, Backing, Place, Rules},
    contract::Contract,
    differences::Differences,
    generic::{Done, Neighbour, Store, customs::Customs, refusal::Refused},
    validate::{Arguments, Sent},
    violation::{Part, Rule, Violation},
};
use dtu_kernel::{
    operation::OperationInfo,
    twin::{Scene, Write},
};
use serde_json::Value;
use smol_str::SmolStr;

use crate::{
    Caller, Okta, api,
    error::Error,
    input::Input,
    model::{State, authorization_server::COLLECTION},
    resources::{self, House, answers, constraints, reading},
};

/// The contract made from Okta's public documents.
pub fn contract() -> &'static Contract {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::embedded(include_str!("../contract.json")));
    &CONTRACT
}

fn backing() -> &'static Backing {
    static BACKING: LazyLock<Backing> = LazyLock::new(|| {
        let differences = Differences::parse("differences.yaml", include_str!("../differences.yaml"));
        let differences = differences.expect("a test reads the list of differences");
        Backing::new(contract(), "okta", differences, Rules { behaves: resources::BEHAVES, ..Rules::default() })
    });
    &BACKING
}

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

    fn refuse(operation: &OperationInfo, refused: Refused) -> Error {
        match refused {
            Refused::Invalid(violations) => invalid(&violations),
            Refused::NotFound { collection, id } => {
                let own = OWN_KINDS.iter().find(|(name, _)| *name == operation.id).map(|(_, kind)| (*kind).to_owned());
                Error::NotFound { id: id.to_string(), kind: Cow::Owned(own.unwrap_or_else(|| kind_of(&collection))) }
            }
            Refused::Exists { collection, member, .. } if collection == "roles" && member == "label" => {
                let cause = "label: There is already an admin role with this name.".to_owned();
                Error::Validation { about: member, causes: vec![cause] }
            }
            Refused::Exists { member, .. } => {
                let cause = format!("{member}: An object with this field already exists in the current organization");
                Error::Validation { about: member, causes: vec![cause] }
            }
            Refused::BadCursor { .. } => Error::Cursor { search: false },
            Refused::MediaType { sent } if sent.is_empty() => Error::NoMediaType,
            Refused::MediaType { .. } => Error::MediaType,
            Refused::Unserved { .. } => Error::Unsupported,
            Refused::Rule { code: "E0000007", about, causes } => {
                Error::NotFound { id: about.to_string(), kind: Cow::Owned(causes.concat()) }
            }
            Refused::Rule { code: "E0000001", about, causes } => Error::Validation { about, causes },
            Refused::Rule { code: "E0000031", causes, .. } => Error::Search(causes.concat()),
            // Recorded of one code, whose cause says more than a sentence.
            Refused::Rule { code: code @ "E0000166", about, .. } => Error::Exceeded { code, domain: about },
            Refused::Rule { code, .. } => Error::coded(code),
        }
    }

    fn customs<'a>(state: &'a State, caller: &'a Caller, scene: &'a Scene<'_>) -> Box<dyn Customs + 'a> {
        Box::new(House {
            state,
            request: scene.request,
            caller: caller.client.as_ref().filter(|_| caller.user.is_empty()).unwrap_or(&caller.user),
        })
    }

    fn follow(cx: &mut Write<'_, '_, Self>, done: &Done) -> Result<(), Error> {
        let body: Value = serde_json::from_slice(&cx.scene.request.body).unwrap_or_default();
        api::act(cx, |act| {
            resources::follow(act, done, &body);
            Ok(())
        })
    }

    /// A member whose value is null counts as one that was not sent, where the document does not take null: recorded.
    fn arguments(place: Place, scene: &Scene<'_>, input: Input) -> Result<Arguments, Refused> {
        drop(input);
        if answers::is_switched_off(scene.operation.id) {
            return Err(Refused::Rule { code: "E0000015", about: SmolStr::default(), causes: Vec::new() });
        }
        answers::check(scene)?;
        let sent = Sent::of(scene.request);
        if scene.operation.id == "updateProfileMapping" {
            return without_properties(place, &sent);
        }
        if let Some(body) = constraints::in_capitals(scene.operation.id, sent.body) {
            let own = reading::read(place, &sent);
            let mut arguments = reading::read(place, &Sent { body: &body, ..sent.clone() })?;
            arguments.body = own.map_or_else(|_| serde_json::from_slice(sent.body).ok(), |own| own.body);
            return Ok(arguments);
        }
        reading::read(place, &sent)
    }

    fn neighbour(state: &State, collection: &str, id: &str) -> Option<Neighbour> {
        let found = match collection {
            "/api/v1/users" if id == "me" => return None,
            "/api/v1/users" => state.users.find(id).map(|user| user.id.clone()),
            "/api/v1/apps" => state.apps.get(id).map(|app| app.id.clone()),
            "/api/v1/groups" => state.groups.get(id).map(|group| group.id.clone()),
            "/api/v1/eventHooks" => state.hooks.get(id).map(|hook| hook.id.clone()),
            COLLECTION => state.servers.find(id).map(|server| server.id.clone()),
            "/api/v1/api-tokens" => state.tokens.get(id).map(|token| token.id.clone()),
            _ => return None,
        };
        Some(found.map_or(Neighbour::Missing, Neighbour::Is))
    }
}

/// Whether a text may be one of Okta's ids.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A mapping's properties are named by those of its target: the document describes one of them where all stand.
fn without_properties(place: Place, sent: &Sent<'_>) -> Result<Arguments, Refused> {
    let mut body: Value = serde_json::from_slice(sent.body).unwrap_or_default();
    let properties = body.as_object_mut().and_then(|members| members.shift_remove("properties"));
    let Some(properties) = properties.filter(Value::is_object) else { return place.check(sent) };
    // The document also asks for the members of one property beside them.
    let stand_in = serde_json::json!({ "properties": {}, "expression": "", "pushStatus": "PUSH" }).to_string();
    let mut arguments = place.check(&Sent { body: stand_in.as_bytes(), ..sent.clone() })?;
    arguments.body = Some(serde_json::json!({ "properties": properties }));
    Ok(arguments)
}

/// A body or parameters that do not fit, as Okta says it: parameters first, then the body as a whole, then its members.
fn invalid(violations: &[Violation]) -> Error {
    let of = |violation: &Violation| violation.part != Part::Body;
    if let Some(violation) = violations.iter().find(|violation| of(violation)) {
        return match violation.rule {
            Rule::Required => Error::MissingParameter,
            Rule::Range | Rule::Length | Rule::Pattern => {
                let cause = format!("{}: The field has an invalid value", violation.at);
                Error::Validation { about: violation.at.as_str().into(), causes: vec![cause] }
            }
            _ => Error::mismatch(&*violation.at),
        };
    }
    if violations
        .iter()
        .any(|violation| is_unreadable(violation.rule) || violation.at.is_empty() && violation.member.is_empty())
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

/// Whether a body cannot be read at all: it is no JSON, or something in it is of another type, or of none that it could
/// be of.
const fn is_unreadable(rule: Rule) -> bool {
    matches!(rule, Rule::Syntax | Rule::Type | Rule::Alternatives)
}

/// The name of the member that a violation is about.
fn field(violation: &Violation) -> String {
    let at = violation.at.rsplit('/').next().unwrap_or_default();
    if violation.member.is_empty() { at.to_owned() } else { violation.member.to_string() }
}

/// Okta's names for the kinds of objects in its collections, as recorded; that of zones is their schema's.
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
    ("zones", "NetworkZone"),
];

/// Names that only one operation has for the kind, as recorded.
const OWN_KINDS: &[(&str, &str)] =
    &[("getDeviceAssurancePolicy", "DeviceAssuranceRuleManagerImpl"), ("getSmsTemplate", "AppInstance")];

/// Okta's name for the kind of object in a collection; where none is recorded, the collection's own name as a type.
fn kind_of(collection: &SmolStr) -> String {
    if let Some((_, kind)) = KINDS.iter().find(|(name, _)| name == collection) {
        return (*kind).to_owned();
    }
    let stem = collection.strip_suffix("ies").map(|stem| format!("{stem}y"));
    let stem = stem.unwrap_or_else(|| collection.strip_suffix('s').unwrap_or(collection).to_owned());
    stem.split('-').map(capitalized).collect()
}

/// A word with a capital letter.
pub(crate) fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
