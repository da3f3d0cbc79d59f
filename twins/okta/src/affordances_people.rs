//! What people do with their own accounts in a browser: passwords, sessions, recovery.

use dtu_kernel::{
    ids::HEX,
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    Okta,
    authn::{
        flow::Reached,
        pages,
        recovery::{self, allowed},
        transaction::Recovery,
    },
    error::Error,
    events,
    model::{
        Act, Acting, SITE, State,
        log::{Client, Party, Transaction},
        password::{self, Verdict},
        session, sign_in,
        user::User,
    },
};

/// The verbs.
pub fn affordances() -> Vec<Affordance<Okta>> {
    vec![
        Affordance::new("okta.sign_in", "Types a name and a password into the sign-in page", enter),
        Affordance::new("okta.change_password", "Changes one's own password in the settings", change_password),
        Affordance::new("okta.request_password_reset", "Asks for a mail to reset a forgotten password", request_reset),
        Affordance::new("okta.unlock_request", "Asks for a mail to unlock one's account", request_unlock),
        Affordance::new("okta.sign_out", "Signs out of all of one's sessions", sign_out),
    ]
}

/// What a person does, and what is kept of it where it fails.
fn perform<R>(state: &mut State, tx: &mut Tx<'_>, person: &User, run: impl FnOnce(&mut Act<'_, '_>) -> R) -> R {
    let page = SmolStr::new_static("/login/login.htm");
    let by = Acting {
        actor: Party::user(person),
        client: Client {
            address: SmolStr::new_static("127.0.0.1"),
            agent: SmolStr::new_static("Mozilla/5.0 (X11; Linux x86_64)"),
        },
        transaction: Transaction {
            kind: "WEB",
            id: tx.draw(SITE.child("transaction")).text(HEX, 32).into(),
            token: SmolStr::default(),
            uri: page.clone(),
            url: page,
        },
    };
    let mut act = Act::new(state, tx, by);
    let result = run(&mut act);
    events::announce(&mut act);
    result
}

fn actor(state: &State, name: &str) -> Result<User, Refusal> {
    state.person(name).cloned().ok_or_else(|| Refusal::new(format!("nobody in Okta is called `{name}`")))
}

fn refused(error: &Error) -> Refusal {
    Refusal::new(error.words())
}

/// Arguments of `okta.sign_in`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enter {
    /// The name that is typed; the acting person's login where absent.
    #[serde(default)]
    username: Option<String>,
    /// The password that is typed.
    password: String,
}

/// A wrong password is no refusal of the verb: people can type one, and it counts.
fn enter(state: &mut State, tx: &mut Tx<'_>, who: &str, with: Enter) -> Result<Value, Refusal> {
    let person = actor(state, who)?;
    let name = with.username.unwrap_or_else(|| person.login().to_owned());
    perform(state, tx, &person, |act| {
        match pages::enter(act, &name, &with.password).map_err(|error| refused(&error))? {
            Ok(Reached::SignedIn { token, .. }) => {
                let begun = session::redeem(act, &token).map(|(user, proof)| session::begin(act, &user, proof));
                let session = begun.ok_or_else(|| Refusal::new("the session ended at once"))?;
                Ok(json!({ "status": "SUCCESS", "session": session.id }))
            }
            Ok(Reached::Waiting { token, transaction }) => {
                Ok(json!({ "status": transaction.status.text(), "stateToken": token }))
            }
            Ok(Reached::Unlocked { .. }) => Ok(json!({ "status": "SUCCESS" })),
            Err(problem) => Ok(json!({ "status": "REFUSED", "message": problem })),
        }
    })
}

/// Arguments of `okta.change_password`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The present password.
    old_password: String,
    /// The next one.
    new_password: String,
}

fn change_password(state: &mut State, tx: &mut Tx<'_>, who: &str, with: ChangePassword) -> Result<Value, Refusal> {
    let person = actor(state, who)?;
    if !crate::policy::password_rule(state, &person, None).change {
        return Err(Refusal::new("the password policy lets nobody change their own password"));
    }
    if password::check(state, &person, &with.old_password) != Verdict::Right {
        return Err(Refusal::new("the old password is not correct"));
    }
    let changed = perform(state, tx, &person, |act| sign_in::choose(act, &person, &with.new_password, true));
    let user = changed.map_err(|error| refused(&error))?;
    Ok(json!({ "login": user.login(), "status": user.status }))
}

/// Arguments of verbs that need no more than the person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

fn request(state: &mut State, tx: &mut Tx<'_>, who: &str, kind: Recovery) -> Result<Value, Refusal> {
    let person = actor(state, who)?;
    allowed(state, &person, kind).map_err(|error| refused(&error))?;
    let token = perform(state, tx, &person, |act| recovery::ask(act, &person, kind));
    let path = if kind == Recovery::Unlock { "unlock" } else { "reset-password" };
    Ok(json!({ "recoveryToken": token, "link": format!("{}/signin/{path}/{token}", tx.origin) }))
}

fn request_reset(state: &mut State, tx: &mut Tx<'_>, who: &str, _: Nothing) -> Result<Value, Refusal> {
    request(state, tx, who, Recovery::Password)
}

fn request_unlock(state: &mut State, tx: &mut Tx<'_>, who: &str, _: Nothing) -> Result<Value, Refusal> {
    request(state, tx, who, Recovery::Unlock)
}

fn sign_out(state: &mut State, tx: &mut Tx<'_>, who: &str, _: Nothing) -> Result<Value, Refusal> {
    let person = actor(state, who)?;
    perform(state, tx, &person, |act| session::clear(act, &person, None));
    Ok(json!({ "login": person.login() }))
}
