//! The token hook: it is told what tokens of a custom authorization server would claim, and changes that.
//!
//! The session of whoever signed in is not told: tokens do not remember it.
//! See developer.okta.com/docs/reference/token-hook/.

use std::sync::Arc;

use dtu_kernel::{time::Timestamp, twin::Read, wire::Answer};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Caller, Stage, active, answer, ask, envelope, patch, processed, reply::Reply};
use crate::{
    Okta,
    error::Error,
    model::{Act, State, authorization_server::claim, client::ClientType, profile::Attribute, user::User},
    oauth::{
        authorize::{self, Asked, SignedIn},
        error,
        form::Form,
        mint::Draft,
        token::{self, Minting},
    },
};

/// The hook's type.
pub const TYPE: &str = "com.okta.oauth2.tokens.transform";

/// Claims that Okta adds when it signs: hooks do not see them.
const UNSEEN: [&str; 4] = ["iat", "exp", "scp", "at_hash"];
/// The shortest and the longest life that a hook can give a token, in seconds.
const LIVES: std::ops::RangeInclusive<u64> = 300..=86_400;
const LIFETIME: &str = "/token/lifetime/expiration";

/// Tokens that wait for a hook, and where they go then.
#[derive(Clone, Debug)]
pub struct Pending {
    minting: Minting,
    to: Goal,
}

/// Where tokens go.
#[derive(Clone, Debug)]
pub enum Goal {
    /// To whoever has called a token endpoint, with a nonce for the next proof of a key.
    Caller(Option<String>),
    /// To the client by the browser of somebody who has signed in.
    Browser(Box<(Asked, Arc<User>, SignedIn)>),
}

/// Asks the hook that the tokens' policy names; gives the tokens back where there is none, or it is off.
pub fn begin(
    act: &mut Act<'_, '_>,
    caller: &Caller,
    form: &Form,
    minting: Minting,
    to: Goal,
) -> Result<(), Box<Minting>> {
    let Some(hook) = of(act.state, &minting) else { return Err(Box::new(minting)) };
    let data = data(caller, form, &minting);
    let body = envelope(act, TYPE, caller.address(), data);
    ask(act, caller, hook, body, Stage::Tokens(Box::new(Pending { minting, to })));
    Ok(())
}

/// The hook that is asked about tokens, if any.
pub fn of(state: &State, minting: &Minting) -> Option<SmolStr> {
    let hook = minting.grant.asks.as_ref().and_then(|decision| decision.hook.clone());
    hook.filter(|hook| active(state, hook, TYPE).is_some())
}

/// The answer of a token endpoint that has waited.
///
/// # Errors
/// The hook's refusal.
pub fn answered(cx: &Read<'_, Okta>) -> Result<Answer, Error> {
    answer(cx)
}

fn data(caller: &Caller, form: &Form, minting: &Minting) -> Value {
    let mut data = json!({ "context": context(caller, form, minting) });
    if let Some(draft) = &minting.id {
        data["identity"] = shown(draft);
    }
    if let Some(draft) = &minting.access {
        let mut access = shown(draft);
        access["scopes"] = scopes(minting);
        data["access"] = access;
    }
    if let Some((_, id)) = &minting.refresh {
        data["refresh_token"] = json!({ "jti": id });
    }
    if let Some(user) = &minting.grant.user {
        data["context"]["user"] = person(&caller.origin, user);
    }
    data
}

fn context(caller: &Caller, form: &Form, minting: &Minting) -> Value {
    let grant = &minting.grant;
    let mut sent = Map::new();
    for name in ["scope", "state", "redirect_uri", "response_mode", "response_type", "grant_type"] {
        if let Some(value) = form.get(name) {
            sent.insert(name.to_owned(), json!(value));
        }
    }
    sent.insert("client_id".to_owned(), json!(grant.client.id));
    let public = matches!(grant.client.kind, ClientType::Browser | ClientType::Native);
    let (policy, rule) = grant.asks.as_ref().map(|decision| decision.rule.clone()).unwrap_or_default();
    json!({
        "request": caller.request(),
        "protocol": {
            "type": "OAUTH2.0",
            "request": sent,
            "issuer": { "uri": grant.issuer.url() },
            "client": {
                "id": grant.client.id,
                "name": grant.client.name,
                "type": if public { "PUBLIC" } else { "CONFIDENTIAL" },
            },
        },
        "policy": { "id": policy, "rule": { "id": rule } },
    })
}

/// A person as hooks are told of them.
pub(super) fn person(origin: &str, user: &User) -> Value {
    let own = |name: &str| Attribute::find(name).map_or("", |attribute| user.profile.get(attribute));
    let or = |value: &str, usual: &str| if value.is_empty() { usual.to_owned() } else { value.to_owned() };
    let link = |name: &str| json!({ "href": format!("{origin}/api/v1/users/{}/{name}", user.id) });
    json!({
        "id": user.id,
        "passwordChanged": user.password_changed.map(Timestamp::iso_millis),
        "profile": {
            "login": user.login(),
            "firstName": own("firstName"),
            "lastName": own("lastName"),
            "locale": or(own("locale"), "en"),
            "timeZone": or(own("timezone"), "America/Los_Angeles"),
        },
        "_links": { "groups": link("groups"), "factors": link("factors") },
    })
}

fn shown(draft: &Draft) -> Value {
    let seen = draft.claims.iter().filter(|(name, _)| !UNSEEN.contains(&name.as_str()));
    let claims: Map<String, Value> = seen.map(|(name, value)| (name.clone(), value.clone())).collect();
    json!({ "claims": claims, "token": { "lifetime": { "expiration": draft.life.as_secs() } } })
}

fn scopes(minting: &Minting) -> Value {
    let server = minting.grant.issuer.server.as_ref();
    let id = |name: &SmolStr| Some(server?.scopes.iter().find(|scope| scope.name == *name)?.id.clone());
    let granted = minting.grant.scopes.iter();
    granted.map(|name| (name.to_string(), json!({ "id": id(name), "action": "GRANT" }))).collect::<Map<_, _>>().into()
}

/// Signs the tokens as the hook would have them; unchanged where it has failed.
pub(super) fn go_on(act: &mut Act<'_, '_>, hook: &SmolStr, pending: Pending, reply: &Reply) -> Result<Answer, Error> {
    let Pending { mut minting, to } = pending;
    match reply {
        Reply::Refused(why, _) => {
            processed(act, hook, Some(why.clone()));
            token::undo(act, &minting);
            let refused = error::of_hook(why);
            return match to {
                Goal::Caller(_) => Err(refused.into()),
                Goal::Browser(waiting) => Ok(waiting.0.refused(&refused)),
            };
        }
        Reply::Commands(commands, _) => {
            let mut problem = None;
            for command in commands {
                if let Err(why) = obey(&mut minting, &command.kind, &command.value) {
                    problem = Some(why);
                }
            }
            processed(act, hook, problem);
        }
        Reply::TimedOut | Reply::Broken { .. } => {}
    }
    Ok(match to {
        Goal::Caller(nonce) => token::answered(&token::finish(act, &minting), nonce),
        Goal::Browser(waiting) => {
            let (asked, user, signed_in) = *waiting;
            authorize::complete(act, &asked, &user, &signed_in, &minting)
        }
    })
}

/// Does what a command says, whole or not at all.
fn obey(minting: &mut Minting, kind: &str, value: &Value) -> Result<(), String> {
    let draft = match kind {
        "com.okta.access.patch" => minting.access.as_mut().ok_or("There is no access token to patch")?,
        "com.okta.identity.patch" => minting.id.as_mut().ok_or("There is no ID token to patch")?,
        other => return Err(format!("The command '{other}' is not supported")),
    };
    let changes: Vec<patch::Change> =
        serde_json::from_value(value.clone()).map_err(|_| "The value of the command is not a list of operations")?;
    let mut document =
        json!({ "claims": draft.claims, "token": { "lifetime": { "expiration": draft.life.as_secs() } } });
    for change in &changes {
        check(change, kind == "com.okta.access.patch")?;
        patch::apply(&mut document, change)?;
    }
    let seconds = document.pointer(LIFETIME).and_then(Value::as_u64).unwrap_or_default();
    if changes.iter().any(|change| change.path == LIFETIME) && !LIVES.contains(&seconds) {
        return Err("The token lifetime must be between 300 and 86400 seconds".to_owned());
    }
    if let Some(Value::Object(claims)) = document.get_mut("claims").map(Value::take) {
        draft.claims = claims;
    }
    draft.live(seconds);
    Ok(())
}

/// Whether a hook may change what it wants to change. Of what Okta sets itself, only the audience and the subject of
/// access tokens can be other ones.
fn check(change: &patch::Change, is_access: bool) -> Result<(), String> {
    if change.path == LIFETIME {
        return if change.op == "replace" { Ok(()) } else { Err("A token lifetime can only be replaced".to_owned()) };
    }
    let claim = change.path.strip_prefix("/claims/").ok_or_else(|| format!("The path '{}' is invalid", change.path))?;
    let claim = claim.split('/').next().unwrap_or_default();
    let subject = claim == "sub" && (!is_access || change.op == "remove");
    let audience = claim == "aud" && is_access && change.op != "remove";
    if subject || claim::is_reserved(claim) && !audience {
        return Err(format!("The claim '{claim}' is a system claim and cannot be changed"));
    }
    Ok(())
}
