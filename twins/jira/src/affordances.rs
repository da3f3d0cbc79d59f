//! What people do in Atlassian's own pages, through the same model functions as the API.

use dtu_kernel::{
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Jira, model::State};

/// All human verbs.
pub fn affordances() -> Vec<Affordance<Jira>> {
    vec![Affordance::new(
        "jira.admin.deactivate_user",
        "Deactivates a person in Atlassian's administration",
        deactivate,
    )]
}

/// Arguments of verbs about one person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfUser {
    /// The person, by mail address, account id or key.
    user: String,
}

fn deactivate(state: &mut State, tx: &mut Tx<'_>, who: &str, with: OfUser) -> Result<Value, Refusal> {
    may_administer(state, who)?;
    let unknown = || Refusal::new(format!("there is no person `{}` in Jira", with.user));
    let id = state.person(&with.user).ok_or_else(unknown)?.id.clone();
    let account = state.accounts.deactivate(&mut tx.changes, &id).ok_or_else(unknown)?;
    Ok(json!({ "accountId": account.id, "email": account.email, "active": account.active }))
}

fn may_administer(state: &State, who: &str) -> Result<(), Refusal> {
    let person = state.person(who).ok_or_else(|| Refusal::new(format!("nobody in Jira is called `{who}`")))?;
    match (person.admin, person.active) {
        (true, true) => Ok(()),
        (true, false) => {
            Err(Refusal::new(format!("{} cannot sign in to Jira: the account is deactivated", person.email)))
        }
        (false, _) => Err(Refusal::new(format!("{} is not an administrator of Jira", person.email))),
    }
}
