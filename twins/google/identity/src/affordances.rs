//! What administrators do in the admin console.

use dtu_google_workspace::model::{State, account::Account, token::Holder};
use dtu_kernel::{
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Identity;

/// All human verbs.
pub fn affordances() -> Vec<Affordance<Identity>> {
    vec![
        Affordance::new(
            "google-identity.admin.revoke_tokens",
            "Revokes all that programs were given to act for a person",
            revoke_tokens,
        ),
        Affordance::new("google-identity.admin.suspend_user", "Suspends a person in the admin console", suspend_user),
    ]
}

/// Arguments of verbs about one person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfUser {
    /// The person, by mail address, id or key.
    user: String,
}

/// The person that an administrator acts on.
fn administer(state: &State, who: &str, on: &OfUser) -> Result<Account, Refusal> {
    let find = |name: &str| state.accounts.find(name).map(|account| Account::clone(account));
    let actor = find(who).ok_or_else(|| Refusal::new(format!("nobody in the workspace is called `{who}`")))?;
    if actor.suspended {
        return Err(Refusal::new(format!("{} cannot sign in: the account is suspended", actor.email)));
    }
    if !actor.admin {
        return Err(Refusal::new(format!("{} is not an administrator of the workspace", actor.email)));
    }
    find(&on.user).ok_or_else(|| Refusal::new(format!("there is no person `{}` in the workspace", on.user)))
}

fn revoke_tokens(state: &mut State, tx: &mut Tx<'_>, who: &str, with: OfUser) -> Result<Value, Refusal> {
    let account = administer(state, who, &with)?;
    let revoked = state.tokens.revoke_all(&mut tx.changes, &Holder::Person(account.id));
    Ok(json!({ "email": account.email, "revoked": revoked }))
}

fn suspend_user(state: &mut State, tx: &mut Tx<'_>, who: &str, with: OfUser) -> Result<Value, Refusal> {
    let account = administer(state, who, &with)?;
    if account.suspended {
        return Err(Refusal::new(format!("{} is suspended already", account.email)));
    }
    let account = state.accounts.put(&mut tx.changes, Account { suspended: true, ..account });
    Ok(json!({ "id": account.id, "email": account.email, "suspended": true }))
}
