//! The SAML assertion hook: it is told what an app would be told of somebody, and changes that.
//!
//! It is asked for apps of the org's own that name it; of several the first that is on. Without an answer the assertion
//! goes out as it was. See developer.okta.com/docs/reference/saml-hook/.

use dtu_kernel::{time::Timestamp, wire::Answer};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    Caller, Stage, active, ask, envelope, patch, processed,
    reply::{Command, Reply},
    tokens::person,
};
use crate::{
    model::{Act, State, session::Session, user::User},
    saml::{
        sso::{self, Draft, Refused},
        told::Told,
    },
};

/// The hook's type.
pub(crate) const TYPE: &str = "com.okta.saml.tokens.transform";
/// The one command.
const PATCH: &str = "com.okta.assertion.patch";
/// The parts of an assertion that can be changed. That its life can be is inferred: the reference shows it beside the
/// others.
const PARTS: [&str; 5] = ["/subject/", "/authentication/", "/conditions/", "/claims/", "/lifetime/"];

/// A sign-on that waits.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    draft: Draft,
    /// The session that began with the call.
    begun: Option<SmolStr>,
}

/// The hook that is asked about an answer, if any.
pub(crate) fn of(state: &State, draft: &Draft) -> Option<SmolStr> {
    draft.hooks().into_iter().find(|hook| active(state, hook, TYPE).is_some())
}

/// Asks the hook of an answer's app; gives the answer back where it has none that is on.
pub(crate) fn begin(
    act: &mut Act<'_, '_>,
    caller: &Caller,
    draft: Box<Draft>,
    begun: Option<SmolStr>,
) -> Option<Box<Draft>> {
    let Some(hook) = of(act.state, &draft) else { return Some(draft) };
    let data = json!({ "context": context(caller, &draft), "assertion": draft.told.to_json() });
    let body = envelope(act, TYPE, caller.address(), data);
    ask(act, caller, hook, body, Stage::Saml(Box::new(Pending { draft: *draft, begun })));
    None
}

fn context(caller: &Caller, draft: &Draft) -> Value {
    let app = draft.app();
    let mut context = json!({
        "request": caller.request(),
        "protocol": {
            "type": "SAML2.0",
            "issuer": { "id": app.id, "name": app.label, "uri": draft.issuer() },
        },
        "user": person(&caller.origin, draft.user()),
    });
    if let Some(session) = draft.session() {
        context["session"] = of_session(session, draft.user());
    }
    context
}

fn of_session(session: &Session, user: &User) -> Value {
    json!({
        "id": session.alias,
        "userId": user.id,
        "login": user.login(),
        "createdAt": session.signed_in.iso_millis(),
        "expiresAt": session.expires.iso_millis(),
        "status": "ACTIVE",
        "lastPasswordVerification": session.proof.password.map(Timestamp::iso_millis),
        "amr": session.proof.amr.iter().map(|method| words(method)).collect::<Vec<_>>(),
        "mfaActive": session.proof.factor.is_some(),
    })
}

/// A method of RFC 8176 as the reference shows it to hooks.
fn words(method: &str) -> String {
    if method == "pwd" { "PASSWORD".to_owned() } else { method.to_uppercase() }
}

/// Signs the answer as the hook would have it; unchanged where it has failed, refused where it says so. That an error
/// object refuses is inferred from the words that the reference has for people.
pub(super) fn go_on(act: &mut Act<'_, '_>, hook: &SmolStr, pending: Pending, reply: &Reply) -> Answer {
    let Pending { mut draft, begun } = pending;
    let posted = match reply {
        Reply::Refused(why, _) => {
            processed(act, hook, Some(why.clone()));
            Err(Refused::Bad(why.clone()))
        }
        Reply::Commands(commands, _) => {
            let mut problem = None;
            for command in commands {
                match obeyed(&draft.told, command) {
                    Ok(told) => draft.told = told,
                    Err(why) => problem = Some(why),
                }
            }
            processed(act, hook, problem);
            draft.signed(act)
        }
        Reply::TimedOut | Reply::Broken { .. } => draft.signed(act),
    };
    sso::arrival(posted, begun.as_deref())
}

/// What a command makes of an assertion, whole or not at all.
fn obeyed(told: &Told, command: &Command) -> Result<Told, String> {
    if command.kind != PATCH {
        return Err(format!("The command '{}' is not supported", command.kind));
    }
    let changes: Vec<patch::Change> = serde_json::from_value(command.value.clone())
        .map_err(|_| "The value of the command is not a list of operations")?;
    let mut document = told.to_json();
    for change in &changes {
        check(change)?;
        patch::apply(&mut document, change)?;
    }
    Told::from_json(&document)
}

/// Claims are added, and anything is replaced.
fn check(change: &patch::Change) -> Result<(), String> {
    let parts = match change.op.as_str() {
        "add" => &["/claims/"][..],
        "replace" => &PARTS,
        other => return Err(format!("The operation '{other}' is not supported")),
    };
    if parts.iter().any(|part| change.path.starts_with(part)) {
        Ok(())
    } else {
        Err(format!("The path '{}' is invalid", change.path))
    }
}
