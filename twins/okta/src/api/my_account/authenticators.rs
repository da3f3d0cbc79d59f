//! The org's authenticators as one person sees them, and one's own enrolments in them.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Scene, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Body, GET, LIMIT, PATCH, link, only, own};
use crate::{
    Okta,
    api::{act, bad_expand, factor_body, stamp},
    error::Error,
    input::object,
    model::{
        State,
        factor::{self, Factor, Kind},
        profile::Attribute,
        user::User,
    },
};

/// The rows of the table. The document's ids of the first two are also those of the org's authenticators.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/idp/myaccount/authenticators";
    const ONE: &str = "/idp/myaccount/authenticators/{authenticatorId}";
    const OWN: &str = "/idp/myaccount/authenticators/{authenticatorId}/enrollments";
    const ENROLLMENT: &str = "/idp/myaccount/authenticators/{authenticatorId}/enrollments/{enrollmentId}";
    vec![
        Operation::read("listOwnAuthenticators", GET, ALL, list).limit(LIMIT),
        Operation::read("getOwnAuthenticator", GET, ONE, get).limit(LIMIT),
        Operation::read("listEnrollments", GET, OWN, list_enrollments).limit(LIMIT),
        Operation::read("getEnrollment", GET, ENROLLMENT, get_enrollment).limit(LIMIT),
        Operation::write("updateEnrollment", PATCH, ENROLLMENT, update_enrollment).limit(LIMIT),
    ]
}

/// Where the org's authenticators are kept.
const AUTHENTICATORS: &str = "/api/v1/authenticators";

/// An authenticator of the org that is in use.
#[derive(Clone, Copy)]
struct Authenticator<'a> {
    id: &'a SmolStr,
    key: &'a str,
    name: &'a str,
}

fn authenticators(state: &State) -> impl Iterator<Item = Authenticator<'_>> {
    let all = state.objects.members(AUTHENTICATORS);
    all.filter_map(|(id, members)| {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        text("status").filter(|status| *status == "ACTIVE")?;
        Some(Authenticator { id, key: text("key")?, name: text("name")? })
    })
}

fn find<'a>(state: &'a State, id: &str) -> Result<Authenticator<'a>, Error> {
    let found = authenticators(state).find(|one| one.id == id);
    found.ok_or_else(|| Error::not_found(id, "Authenticator"))
}

/// What a person is enrolled in.
struct Enrolled<'a> {
    state: &'a State,
    scene: &'a Scene<'a>,
    user: &'a User,
}

impl Enrolled<'_> {
    fn nickname(&self, id: &str) -> Option<&Value> {
        self.state.objects.member(&place(self.user), id)?.get("nickname")
    }

    fn links(&self, of: Authenticator<'_>, id: &str, leaves: bool) -> Value {
        let own = format!("/authenticators/{}", of.id);
        let mut links = json!({
            "self": link(self.scene, &format!("{own}/enrollments/{id}"), &["GET"]),
            "authenticator": link(self.scene, &own, &["GET"]),
        });
        let modify = match of.key {
            "phone_number" if leaves => Some(format!("/phones/{id}")),
            "webauthn" if leaves => Some(format!("/webauthn/{id}")),
            _ => None,
        };
        if let Some(path) = modify {
            links["unenroll"] = link(self.scene, &path, &["DELETE"]);
        }
        if of.key == "okta_password" {
            links["modify"] = link(self.scene, "/password", &["PUT"]);
        }
        links
    }

    fn shown(&self, of: Authenticator<'_>, id: &str, name: &str, leaves: bool) -> Value {
        let mut body = json!({
            "id": id,
            "name": name,
            "canReset": true,
            "canUnenroll": leaves,
            "_links": self.links(of, id, leaves),
        });
        if let Some(nickname) = self.nickname(id) {
            body["nickname"] = nickname.clone();
        }
        body
    }

    fn factor(&self, of: Authenticator<'_>, factor: &Factor) -> Value {
        let mut body = self.shown(of, &factor.id, of.name, true);
        body["created"] = json!(stamp(factor.created));
        if let Some(at) = factor.last_verified {
            body["lastChallenged"] = json!(stamp(at));
        }
        if let Some(profile) = factor_body::profile(factor) {
            body["profile"] = profile;
        }
        body
    }

    /// What everybody has who has a password or a mail address.
    fn inborn(&self, of: Authenticator<'_>, prefix: &str) -> Value {
        let id = format!("{prefix}{}", self.user.id.get(3..).unwrap_or_default());
        let mut body = self.shown(of, &id, of.name, false);
        body["created"] = json!(stamp(self.user.created));
        body
    }

    fn all(&self, of: Authenticator<'_>) -> Vec<Value> {
        let own = self.state.factors.of_user(&self.user.id).into_iter();
        let own = own.filter(|factor| factor.is_active() && factor.kind.authenticator() == of.key);
        let mut all: Vec<Value> = own.map(|factor| self.factor(of, &factor)).collect();
        if of.key == "okta_password" && self.user.has_password {
            let mut password = self.inborn(of, "lae");
            password["canChangePassword"] = json!(true);
            password["canResetPassword"] = json!(true);
            all.push(password);
        }
        if of.key == "okta_email" && all.is_empty() {
            let mut mail = self.inborn(of, "eae");
            mail["profile"] = json!({ "email": self.user.profile.get(Attribute::EMAIL) });
            all.push(mail);
        }
        all
    }

    fn authenticator(&self, of: Authenticator<'_>, expands: bool) -> Value {
        let may = |kind: &Kind| kind.authenticator() == of.key;
        let enrollable = factor::enrollable(self.state, self.user).iter().any(|(kind, _)| may(kind));
        let own = format!("/authenticators/{}", of.id);
        let mut body = json!({
            "id": of.id,
            "key": of.key,
            "name": of.name,
            "enrollable": enrollable,
            "_links": {
                "self": link(self.scene, &own, &["GET"]),
                "enrollments": link(self.scene, &format!("{own}/enrollments"), &["GET"]),
            },
        });
        if expands {
            body["_embedded"] = json!({ "enrollments": self.all(of) });
        }
        body
    }
}

/// Where a person's own names for enrolments are kept.
fn place(user: &User) -> String {
    format!("/idp/myaccount/{}/enrollments", user.id)
}

/// Arguments of listing.
#[derive(Debug, Deserialize, JsonSchema)]
struct List {
    expand: Option<String>,
}

/// An authenticator.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Which {
    authenticator_id: String,
    expand: Option<String>,
}

/// The enrolments in an authenticator.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Of {
    authenticator_id: String,
}

/// An enrolment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WhichEnrollment {
    authenticator_id: String,
    enrollment_id: String,
}

/// A change of an enrolment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Change {
    authenticator_id: String,
    enrollment_id: String,
    #[serde(deserialize_with = "object")]
    body: Body,
}

fn expands(wish: Option<&str>) -> Result<bool, Error> {
    match wish.map(str::trim).unwrap_or_default() {
        "" => Ok(false),
        "enrollments" => Ok(true),
        _ => Err(bad_expand()),
    }
}

fn list(cx: &Read<'_, Okta>, args: List) -> Result<Typed<Vec<Value>>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let expands = expands(args.expand.as_deref())?;
    let enrolled = Enrolled { state: cx.state, scene: cx.scene, user: &user };
    let all = authenticators(cx.state).map(|one| enrolled.authenticator(one, expands));
    Ok(Typed::ok(&all.collect::<Vec<_>>()))
}

fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let expands = expands(args.expand.as_deref())?;
    let found = find(cx.state, &args.authenticator_id)?;
    Ok(Typed::ok(&Enrolled { state: cx.state, scene: cx.scene, user: &user }.authenticator(found, expands)))
}

fn list_enrollments(cx: &Read<'_, Okta>, args: Of) -> Result<Typed<Vec<Value>>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let found = find(cx.state, &args.authenticator_id)?;
    Ok(Typed::ok(&Enrolled { state: cx.state, scene: cx.scene, user: &user }.all(found)))
}

fn enrollment(state: &State, scene: &Scene<'_>, user: &User, of: &str, id: &str) -> Result<Value, Error> {
    let found = find(state, of)?;
    let mut all = Enrolled { state, scene, user }.all(found).into_iter();
    all.find(|one| one["id"] == id).ok_or_else(|| Error::not_found(id, "AuthenticatorEnrollment"))
}

fn get_enrollment(cx: &Read<'_, Okta>, args: WhichEnrollment) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let body = enrollment(cx.state, cx.scene, &user, &args.authenticator_id, &args.enrollment_id)?;
    Ok(Typed::ok(&body))
}

/// A merge patch: null takes the name away.
fn update_enrollment(cx: &mut Write<'_, '_, Okta>, args: Change) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    only(&args.body, &["nickname"])?;
    enrollment(cx.state, cx.scene, &user, &args.authenticator_id, &args.enrollment_id)?;
    let nickname = args.body.get("nickname").cloned();
    if nickname.as_ref().is_some_and(|name| !name.is_string() && !name.is_null()) {
        return Err(Error::Malformed);
    }
    act(cx, |act| {
        let place = place(&user);
        match nickname {
            Some(Value::Null) => drop(act.state.objects.forget(&mut act.tx.changes, &place, &args.enrollment_id)),
            Some(name) => {
                let row = Map::from_iter([("nickname".to_owned(), name)]);
                act.state.objects.keep(&mut act.tx.changes, &place, &args.enrollment_id, row);
            }
            None => {}
        }
        Ok(())
    })?;
    let body = enrollment(cx.state, cx.scene, &user, &args.authenticator_id, &args.enrollment_id)?;
    Ok(Typed::ok(&body))
}
