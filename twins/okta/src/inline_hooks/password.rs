//! The password import hook: it says whether a password is right that only the system before Okta knows.
//!
//! Okta keeps a hash of a password that was right, and asks no more.
//! See developer.okta.com/docs/reference/password-hook/.

use std::sync::Arc;

use dtu_kernel::wire::Answer;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Caller, HOOKS, Stage, ask, envelope, first, processed, reply::Reply};
use crate::{
    authn::{body::Primary, pages, primary},
    error::Error,
    model::{
        Act, State,
        password::NewPassword,
        sign_in::{self, Entered},
        user::User,
    },
    oauth::token,
};

/// The hook's type.
pub const TYPE: &str = "com.okta.user.credential.password.import";

/// A sign-in that waits.
#[derive(Clone, Debug)]
pub struct Pending {
    user: Arc<User>,
    password: String,
    way: Way,
    caller: Caller,
}

/// How somebody signs in.
#[derive(Clone, Debug)]
pub enum Way {
    /// By the Authentication API, and whether an application that is trusted calls.
    Api(Box<Primary>, bool),
    /// On the sign-in page, with where it leads.
    Page(String),
    /// By a client, which gives the password for tokens.
    Client(Box<token::Call>),
}

/// Whether the org has a hook that is on.
pub fn is_on(state: &State) -> bool {
    first(state, TYPE).is_some()
}

/// Asks the org's hook about a name and a person's password; gives the way back where the org has none that is on.
pub(crate) fn begin(
    act: &mut Act<'_, '_>,
    caller: &Caller,
    user: &Arc<User>,
    (name, password): (&str, &str),
    way: Way,
) -> Option<Way> {
    let Some(hook) = first(act.state, TYPE) else { return Some(way) };
    let data = json!({
        "context": { "request": caller.request(), "credential": { "username": name, "password": password } },
        "action": { "credential": "UNVERIFIED" },
    });
    let source = format!("{}{HOOKS}/{hook}", caller.origin);
    let question = envelope(act, TYPE, source, data);
    let pending = Pending { user: Arc::clone(user), password: password.to_owned(), way, caller: caller.clone() };
    ask(act, caller, hook, question, Stage::Password(Box::new(pending)));
    None
}

/// Goes on with the sign-in. Without a word from the hook, the password is wrong. None where another hook is asked
/// now.
pub(super) fn go_on(
    act: &mut Act<'_, '_>,
    hook: &SmolStr,
    pending: Pending,
    reply: &Reply,
) -> Option<Result<Answer, Error>> {
    let verified = verified(act, hook, reply);
    let Pending { user, password, way, caller } = pending;
    if verified {
        act.state.passwords.set(&mut act.tx.changes, &user.id, &NewPassword::Text(password.clone()));
    }
    if let Way::Client(call) = way {
        return token::resumed(act, &caller, *call, &user, verified);
    }
    let entered = if verified { sign_in::enter(act, user.login(), &password) } else { sign_in::wrong(act, &user) };
    Some(arrived(act, entered, way, &user, &caller))
}

fn verified(act: &mut Act<'_, '_>, hook: &SmolStr, reply: &Reply) -> bool {
    match reply {
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
    }
}

fn arrived(act: &mut Act<'_, '_>, entered: Entered, way: Way, user: &User, caller: &Caller) -> Result<Answer, Error> {
    match way {
        Way::Api(body, trusted) => {
            let answered = primary::entered(act, entered, &body, trusted)?;
            Ok(primary::shown(act.state, &caller.origin, caller.bits, answered))
        }
        Way::Page(next) => {
            let reached = pages::entered(act, entered)?;
            pages::arrive(act, reached, &next, user.login())
        }
        // What clients wait for is told them by `token::resumed`.
        Way::Client(_) => Err(Error::coded("E0000009")),
    }
}
