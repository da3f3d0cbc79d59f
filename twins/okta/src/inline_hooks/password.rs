//! The password import hook: it says whether a password is right that only the system before Okta knows.
//!
//! Okta keeps a hash of a password that was right, and asks no more.
//! See developer.okta.com/docs/reference/password-hook/.

use std::sync::Arc;

use dtu_kernel::{twin::Scene, wire::Answer};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{HOOKS, Stage, ask, envelope, first, processed, reply::Reply, request};
use crate::{
    authn::{body::Primary, primary},
    error::Error,
    model::{Act, password::NewPassword, sign_in, user::User},
};

/// The hook's type.
pub const TYPE: &str = "com.okta.user.credential.password.import";

/// A sign-in that waits.
#[derive(Clone, Debug)]
pub struct Pending {
    user: Arc<User>,
    password: String,
    body: Primary,
    trusted: bool,
    origin: SmolStr,
    bits: (u64, u64),
}

/// Asks the org's hook about a person's password; false where the org has none that is on.
pub fn begin(act: &mut Act<'_, '_>, scene: &Scene<'_>, user: &Arc<User>, body: &Primary, trusted: bool) -> bool {
    let Some(hook) = first(act.state, TYPE) else { return false };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let data = json!({
        "context": {
            "request": request(scene),
            "credential": { "username": text(&body.username), "password": text(&body.password) },
        },
        "action": { "credential": "UNVERIFIED" },
    });
    let source = format!("{}{HOOKS}/{hook}", scene.request.origin);
    let question = envelope(act, TYPE, source, data);
    let pending = Pending {
        user: Arc::clone(user),
        password: text(&body.password),
        body: body.clone(),
        trusted,
        origin: scene.request.origin.clone(),
        bits: scene.request_bits,
    };
    ask(act, scene, hook, question, Stage::Password(Box::new(pending)));
    true
}

/// Goes on with the sign-in. Without a word from the hook, the password is wrong.
pub(super) fn go_on(act: &mut Act<'_, '_>, hook: &SmolStr, pending: Pending, reply: &Reply) -> Result<Answer, Error> {
    let verified = match reply {
        Reply::Commands(commands, _) => {
            let unknown = commands.iter().find(|command| command.kind != "com.okta.action.update");
            processed(act, hook, unknown.map(|one| format!("The command '{}' is not supported", one.kind)));
            let says = |value: &Value| value["credential"] == "VERIFIED";
            unknown.is_none() && commands.last().is_some_and(|command| says(&command.value))
        }
        Reply::Refused(why, _) => {
            processed(act, hook, Some(why.clone()));
            false
        }
        Reply::TimedOut | Reply::Broken { .. } => false,
    };
    let entered = if verified {
        act.state.passwords.set(&mut act.tx.changes, &pending.user.id, &NewPassword::Text(pending.password.clone()));
        sign_in::enter(act, pending.user.login(), &pending.password)
    } else {
        sign_in::wrong(act, &pending.user)
    };
    let answered = primary::entered(act, entered, &pending.body, pending.trusted)?;
    Ok(primary::shown(act.state, &pending.origin, pending.bits, answered))
}
