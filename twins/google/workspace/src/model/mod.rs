//! The domain: plain types and rules, pure and synchronous.

pub mod account;
pub mod credential;
pub mod token;

use smol_str::SmolStr;

use crate::backed::Objects;

use self::{
    account::{Account, Accounts},
    credential::{Clients, Project, Services},
    token::{Holder, Tokens},
};

/// All that a workspace remembers.
#[derive(Clone, Debug)]
pub struct State {
    /// The company's mail domain.
    pub domain: SmolStr,
    /// The Cloud project that the world's clients and service accounts belong to.
    pub project: Project,
    /// People's accounts.
    pub accounts: Accounts,
    /// Service accounts.
    pub services: Services,
    /// OAuth clients.
    pub clients: Clients,
    /// Access tokens and refresh tokens.
    pub tokens: Tokens,
    /// What the generic twin remembers.
    pub objects: Objects,
}

impl State {
    /// The mail address of whoever holds a token; none where the holder is gone.
    pub fn email(&self, holder: &Holder) -> Option<&SmolStr> {
        match holder {
            Holder::Person(id) => self.accounts.get(id).map(|account| &account.email),
            Holder::Service(id) => self.services.get(id).map(|service| &service.email),
        }
    }

    /// The account of a token's holder; none for a service account that acts for nobody.
    pub fn account(&self, holder: &Holder) -> Option<&Account> {
        match holder {
            Holder::Person(id) => self.accounts.get(id).map(|account| &**account),
            Holder::Service(_) => None,
        }
    }

    /// Whether a holder may use its tokens: neither gone nor suspended.
    pub fn is_live(&self, holder: &Holder) -> bool {
        match holder {
            Holder::Person(id) => self.accounts.get(id).is_some_and(|account| !account.suspended),
            Holder::Service(id) => self.services.get(id).is_some(),
        }
    }
}
