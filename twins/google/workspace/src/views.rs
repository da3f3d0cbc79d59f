//! The workspace's accounts and credentials as people and checks see them. Never a secret.

use serde_json::{Value, json};

use crate::model::{State, token::Token};

/// Accounts by mail address.
pub fn accounts(state: &State) -> Value {
    let mut accounts: Vec<_> = state.accounts.iter().collect();
    accounts.sort_by(|a, b| a.email.cmp(&b.email));
    let row = |account: &&std::sync::Arc<crate::model::account::Account>| {
        json!({
            "id": account.id,
            "email": account.email,
            "name": account.full_name(),
            "admin": account.admin,
            "suspended": account.suspended,
        })
    };
    accounts.iter().map(row).collect()
}

/// Service accounts by mail address.
pub fn service_accounts(state: &State) -> Value {
    let mut services: Vec<_> = state.services.iter().collect();
    services.sort_by(|a, b| a.email.cmp(&b.email));
    let row = |service: &&std::sync::Arc<crate::model::credential::Service>| {
        let acts_for: Vec<_> = service.acts_for.iter().filter_map(|id| state.accounts.get(id)).collect();
        let acts_for: Vec<_> = acts_for.into_iter().map(|account| &account.email).collect();
        json!({ "id": service.id, "email": service.email, "delegates": service.delegates, "acts_for": acts_for })
    };
    services.iter().map(row).collect()
}

/// Tokens in the order in which they were made.
pub fn tokens(state: &State) -> Value {
    let mut tokens: Vec<_> = state.tokens.iter().collect();
    tokens.sort_by(|a, b| (a.issued, &a.id).cmp(&(b.issued, &b.id)));
    let row = |token: &Token| {
        json!({
            "id": token.id,
            "kind": token.kind,
            "holder": state.email(&token.holder),
            "issued_to": token.issued_to,
            "scopes": token.scopes,
            "issued": token.issued.iso_millis(),
            "expires": token.expires.map(dtu_kernel::time::Timestamp::iso_millis),
            "revoked": token.revoked,
        })
    };
    tokens.iter().map(|token| row(token)).collect()
}
