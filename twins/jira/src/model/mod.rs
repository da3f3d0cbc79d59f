//! The domain: plain types and rules, pure and synchronous. Time, draws and the caller come in from outside.

pub mod account;
pub mod group;
pub mod time;
pub mod token;

use dtu_contract::generic::Store;
use dtu_kernel::{seed::Site, twin::EnvVar};
use imbl::OrdMap;
use smol_str::SmolStr;

use self::{
    account::{Account, Accounts},
    group::Groups,
    token::{Token, Tokens},
};

/// The root of all draws.
pub const SITE: Site = Site::named("jira");

/// All that a site remembers.
#[derive(Clone, Debug)]
pub struct State {
    /// The site's name: the first label of its host.
    pub site: SmolStr,
    /// The site's IANA time zone.
    pub time_zone: SmolStr,
    /// The build that the site runs.
    pub build: Build,
    /// Accounts.
    pub accounts: Accounts,
    /// Groups and who is in them.
    pub groups: Groups,
    /// API tokens.
    pub tokens: Tokens,
    /// World keys of people, so that affordances can name the acting person.
    pub people: OrdMap<SmolStr, SmolStr>,
    /// What the contract's rows remember.
    pub objects: Store,
}

/// A build of Jira Cloud.
#[derive(Clone, Debug)]
pub struct Build {
    /// When it was made.
    pub made: dtu_kernel::time::Timestamp,
    /// The revision that it was made from: 40 hexadecimal digits.
    pub revision: SmolStr,
}

impl State {
    /// A person by account id, mail address or world key.
    pub fn person(&self, name: &str) -> Option<&Account> {
        let by_key = || self.people.get(name).and_then(|id| self.accounts.get(id));
        self.accounts.get(name).or_else(|| self.accounts.by_email(name)).or_else(by_key)
    }

    /// The environment variables of a client that uses a token.
    pub fn token_env(&self, token: &Token) -> Vec<EnvVar> {
        let email = self.accounts.get(&token.account).map(|account| account.email.as_str());
        vec![
            EnvVar::text("JIRA_EMAIL", email.unwrap_or_default()),
            EnvVar::text("JIRA_API_TOKEN", token.value.as_str()),
        ]
    }
}
