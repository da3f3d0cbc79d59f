//! The state as people and checks see it.

use dtu_kernel::twin::View;
use serde_json::{Value, json};

use crate::{
    Jira,
    model::{State, account::Account},
};

/// All views.
pub fn views() -> Vec<View<Jira>> {
    vec![View {
        name: "users",
        about: "People by mail address: accountId, email, displayName, active, admin, timeZone, groups (names)",
        render: users,
    }]
}

fn users(state: &State) -> Value {
    let mut accounts: Vec<&Account> = state.accounts.from(0).collect();
    accounts.sort_by(|a, b| a.email.cmp(&b.email));
    let row = |account: &Account| {
        json!({
            "accountId": account.id,
            "email": account.email,
            "displayName": account.display_name,
            "active": account.active,
            "admin": account.admin,
            "timeZone": account.time_zone,
            "groups": state.groups.of(&account.id).map(|group| &group.name).collect::<Vec<_>>(),
        })
    };
    accounts.into_iter().map(row).collect()
}
