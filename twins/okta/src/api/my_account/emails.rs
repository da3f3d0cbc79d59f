//! One's own mail addresses: those of the profile, and those that wait to be proven.
//!
//! What waits is kept with the generic twin's objects, below the person; the code is in the message that was sent.

use std::time::Duration;

use dtu_kernel::{
    ids::{ALNUM, IdShape},
    operation::{Operation, Typed},
    time::Timestamp,
    twin::{Read, Scene, Write},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Body, Change, DELETE, GET, LIMIT, Nothing, POST, Sent, Which, flag, link, only, own, taken, text};
use crate::{
    Okta,
    api::{Empty, act, no_content, stamp},
    error::Error,
    input::object,
    model::{
        Act, SITE, State,
        accounts::{self, Credentials},
        event_type::{PRIMARY_EMAIL, SECONDARY_EMAIL},
        factor,
        log::Party,
        profile::{Attribute, is_email},
        user::User,
    },
};

/// The rows of the table.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/idp/myaccount/emails";
    const ONE: &str = "/idp/myaccount/emails/{id}";
    const CHALLENGE: &str = "/idp/myaccount/emails/{id}/challenge";
    const POLL: &str = "/idp/myaccount/emails/{id}/challenge/{challengeId}";
    const VERIFY: &str = "/idp/myaccount/emails/{id}/challenge/{challengeId}/verify";
    vec![
        Operation::read("listEmails", GET, ALL, list).limit(LIMIT),
        Operation::write("createEmail", POST, ALL, create).limit(LIMIT),
        Operation::read("getEmail", GET, ONE, get).limit(LIMIT),
        Operation::write("deleteEmail", DELETE, ONE, delete).limit(LIMIT),
        Operation::write("sendEmailChallenge", POST, CHALLENGE, challenge).limit(LIMIT),
        Operation::read("pollChallengeForEmailMagicLink", GET, POLL, poll).limit(LIMIT),
        Operation::write("verifyEmailOtp", POST, VERIFY, verify).limit(LIMIT),
    ]
}

/// How long a code is good, in seconds. The document does not say; inferred from codes of the mail authenticator.
const LIFE: Duration = Duration::from_secs(300);
const CHALLENGE_ID: IdShape =
    IdShape { site: SITE.child("my account challenge"), prefix: "myaccount.", alphabet: ALNUM, drawn: 22, suffix: "" };

const ROLES: [(&str, Attribute); 2] = [("PRIMARY", Attribute::EMAIL), ("SECONDARY", Attribute::SECOND_EMAIL)];

/// A mail address of somebody's.
struct Email {
    id: String,
    address: String,
    roles: Vec<&'static str>,
    verified: bool,
}

fn place(user: &User) -> String {
    format!("/idp/myaccount/{}/emails", user.id)
}

fn challenges(user: &User, id: &str) -> String {
    format!("{}/{id}/challenges", place(user))
}

/// An address keeps its id while it waits and when it is proven.
fn id_of(user: &User, address: &str) -> String {
    let hash = blake3::hash(format!("{} {}", user.id, address.to_lowercase()).as_bytes());
    hash.to_hex()[..32].to_owned()
}

fn text_of<'a>(members: &'a Map<String, Value>, name: &str) -> &'a str {
    members.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The proven addresses, then those that wait.
fn all(state: &State, user: &User) -> Vec<Email> {
    let mut all: Vec<Email> = Vec::new();
    for (role, attribute) in ROLES {
        let address = user.profile.get(attribute);
        let known = all.iter().position(|email| email.address.eq_ignore_ascii_case(address));
        match known {
            _ if address.is_empty() => {}
            Some(at) => all[at].roles.push(role),
            None => all.push(Email {
                id: id_of(user, address),
                address: address.to_owned(),
                roles: vec![role],
                verified: true,
            }),
        }
    }
    for (id, waiting) in state.objects.members(&place(user)) {
        let role = if text_of(waiting, "role") == "SECONDARY" { "SECONDARY" } else { "PRIMARY" };
        let address = text_of(waiting, "email").to_owned();
        if text_of(waiting, "status") == "UNVERIFIED" && all.iter().all(|email| email.id != *id) {
            all.push(Email { id: id.to_string(), address, roles: vec![role], verified: false });
        }
    }
    all
}

fn find(state: &State, user: &User, id: &str) -> Result<Email, Error> {
    all(state, user).into_iter().find(|email| email.id == id).ok_or_else(|| Error::not_found(id, "UserProfileEmail"))
}

fn shown(scene: &Scene<'_>, email: &Email) -> Value {
    let own = format!("/emails/{}", email.id);
    let mut links = json!({ "self": link(scene, &own, if email.verified { &["GET"] } else { &["GET", "DELETE"] }) });
    if !email.verified {
        links["challenge"] = link(scene, &format!("{own}/challenge"), &["POST"]);
    }
    json!({
        "id": email.id,
        "profile": { "email": email.address },
        "roles": email.roles,
        "status": status(email.verified),
        "_links": links,
    })
}

const fn status(verified: bool) -> &'static str {
    if verified { "VERIFIED" } else { "UNVERIFIED" }
}

fn list(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Vec<Value>>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    Ok(Typed::ok(&all(cx.state, &user).iter().map(|email| shown(cx.scene, email)).collect::<Vec<_>>()))
}

fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    Ok(Typed::ok(&shown(cx.scene, &find(cx.state, &user, &args.id)?)))
}

/// What a body says of a new address.
struct Wanted {
    address: String,
    role: &'static str,
    sends: bool,
    state: String,
}

fn wanted(body: &Body) -> Result<Wanted, Error> {
    only(body, &["profile", "sendEmail", "state", "role"])?;
    let address = text(body, "profile.email")?;
    if !is_email(address) {
        return Err(Error::invalid("email", "Invalid email address."));
    }
    let role = match body.get("role").map(Value::as_str) {
        None | Some(Some("PRIMARY")) => "PRIMARY",
        Some(Some("SECONDARY")) => "SECONDARY",
        Some(_) => return Err(Error::fields(&[("role", "The field has an invalid value")])),
    };
    let state = match body.get("state") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(state)) => state.clone(),
        Some(_) => return Err(Error::Malformed),
    };
    Ok(Wanted { address: address.to_owned(), role, sends: flag(body, "sendEmail", true)?, state })
}

fn create(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let wanted = wanted(&args.body)?;
    let id = id_of(&user, &wanted.address);
    if all(cx.state, &user).iter().any(|email| email.id == id && email.verified) {
        let cause = format!("The email {} is already registered to the current user profile.", wanted.address);
        return Err(taken("email", cause));
    }
    act(cx, |act| {
        let row = json!({ "id": id, "email": wanted.address, "role": wanted.role, "status": "UNVERIFIED" });
        keep(act, &place(&user), &id, row);
        if wanted.sends {
            send(act, &user, &id, &wanted.address, &wanted.state);
        }
        Ok(())
    })?;
    let email = find(cx.state, &user, &id)?;
    let mut body = shown(cx.scene, &email);
    if let Some((challenge, _)) = cx.state.objects.members(&challenges(&user, &id)).last().filter(|_| wanted.sends) {
        for (name, value) in challenge_links(cx.scene, &id, challenge) {
            body["_links"][name] = value;
        }
    }
    Ok(Typed::ok(&body).with_status(StatusCode::CREATED))
}

fn keep(act: &mut Act<'_, '_>, place: &str, id: &str, row: Value) {
    if let Value::Object(members) = row {
        act.state.objects.keep(&mut act.tx.changes, place, id, members);
    }
}

/// Sends a code to an address that waits; the challenge's id.
fn send(act: &mut Act<'_, '_>, user: &User, id: &str, address: &str, state: &str) -> SmolStr {
    let challenge = act.tx.id(&CHALLENGE_ID);
    let expires = factor::mail(act, user, &address.into(), &challenge, LIFE);
    let row = json!({
        "id": challenge, "status": "UNVERIFIED", "email": address, "state": state, "expiresAt": stamp(expires),
        "expires": expires,
    });
    keep(act, &challenges(user, id), &challenge, row);
    challenge
}

fn challenge_links(scene: &Scene<'_>, id: &str, challenge: &str) -> [(&'static str, Value); 2] {
    let own = format!("/emails/{id}/challenge/{challenge}");
    [("verify", link(scene, &format!("{own}/verify"), &["POST"])), ("poll", link(scene, &own, &["GET"]))]
}

fn shown_challenge(scene: &Scene<'_>, id: &str, challenge: &str, members: &Map<String, Value>) -> Value {
    let links: Map<String, Value> =
        challenge_links(scene, id, challenge).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    json!({
        "id": challenge,
        "status": members.get("status"),
        "expiresAt": members.get("expiresAt"),
        "profile": { "email": members.get("email") },
        "_links": links,
    })
}

/// Only what waits can be taken away.
fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    if find(cx.state, &user, &args.id)?.verified {
        return Err(Error::invalid("email", "Can't delete a verified email address."));
    }
    act(cx, |act| {
        act.state.objects.forget(&mut act.tx.changes, &place(&user), &args.id);
        Ok(())
    })?;
    Ok(no_content())
}

fn challenge(cx: &mut Write<'_, '_, Okta>, args: Change) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    only(&args.body, &["state"])?;
    let state = text(&args.body, "state")?.to_owned();
    let email = find(cx.state, &user, &args.id)?;
    if email.verified {
        return Err(Error::invalid("email", "The email address is verified already."));
    }
    let challenge = act(cx, |act| Ok(send(act, &user, &email.id, &email.address, &state)))?;
    let members = find_challenge(cx.state, &user, &email.id, &challenge)?;
    let body = shown_challenge(cx.scene, &email.id, &challenge, members);
    Ok(Typed::ok(&body).with_status(StatusCode::CREATED))
}

/// A challenge of an address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WhichChallenge {
    id: String,
    challenge_id: String,
}

/// An answer to a challenge.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Answered {
    id: String,
    challenge_id: String,
    #[serde(deserialize_with = "object")]
    body: Body,
}

fn find_challenge<'a>(
    state: &'a State,
    user: &User,
    id: &str,
    challenge: &str,
) -> Result<&'a Map<String, Value>, Error> {
    let found = state.objects.member(&challenges(user, id), challenge);
    found.ok_or_else(|| Error::not_found(challenge, "IdpMyAccountChallenge"))
}

fn poll(cx: &Read<'_, Okta>, args: WhichChallenge) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let members = find_challenge(cx.state, &user, &args.id, &args.challenge_id)?;
    Ok(Typed::ok(&shown_challenge(cx.scene, &args.id, &args.challenge_id, members)))
}

fn verify(cx: &mut Write<'_, '_, Okta>, args: Answered) -> Result<Typed<Empty>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    only(&args.body, &["verificationCode"])?;
    let code = text(&args.body, "verificationCode")?.to_owned();
    let members = find_challenge(cx.state, &user, &args.id, &args.challenge_id)?.clone();
    let over = members.get("expires").and_then(|at| serde_json::from_value::<Timestamp>(at.clone()).ok());
    let waits = text_of(&members, "status") == "UNVERIFIED" && over.is_some_and(|end| cx.scene.now < end);
    let sent = cx.state.factors.messages(&user.id);
    let right = sent.iter().any(|message| message.factor == args.challenge_id && message.code == code);
    if !waits || !right {
        return Err(Error::because("E0000068", "Your passcode doesn't match our records. Please try again."));
    }
    act(cx, |act| prove(act, &user, &args, members))?;
    Ok(Typed::ok(&Empty {}))
}

/// The address is proven, and takes its place in the profile.
fn prove(act: &mut Act<'_, '_>, user: &User, args: &Answered, challenge: Map<String, Value>) -> Result<(), Error> {
    let waiting = act.state.objects.member(&place(user), &args.id).cloned().unwrap_or_default();
    let secondary = text_of(&waiting, "role") == "SECONDARY";
    let (attribute, event) =
        if secondary { (Attribute::SECOND_EMAIL, &SECONDARY_EMAIL) } else { (Attribute::EMAIL, &PRIMARY_EMAIL) };
    let mut profile = user.profile.clone();
    profile.set(attribute, text_of(&waiting, "email"));
    let user = accounts::update(act, user, profile, Credentials::default(), None)?;
    act.log(event, vec![Party::user(&user)]);
    let done = |mut row: Map<String, Value>| {
        row.insert("status".to_owned(), json!("VERIFIED"));
        Value::Object(row)
    };
    keep(act, &place(&user), &args.id, done(waiting));
    keep(act, &challenges(&user, &args.id), &args.challenge_id, done(challenge));
    Ok(())
}
