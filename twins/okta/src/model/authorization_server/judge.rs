//! What access policies say of a request for tokens.
//!
//! See developer.okta.com/docs/guides/configure-access-policy/main/.

use smol_str::SmolStr;

use super::{
    Server,
    policy::{Lifetimes, People, Policy, Rule},
};
use crate::model::{State, client::Client, user::User};

/// What a request for tokens is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// About whom.
    pub user: Option<&'a User>,
    /// By which grant.
    pub grant: &'a str,
    /// For what.
    pub scopes: &'a [SmolStr],
}

/// What the first fitting rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// How long tokens live.
    pub lifetimes: Lifetimes,
    /// The inline hook that is asked before tokens are made.
    pub hook: Option<SmolStr>,
    /// The policy and its rule.
    pub rule: (SmolStr, SmolStr),
}

/// What the first fitting rule of a server's access policies says; none where no rule fits.
pub fn judge(state: &State, server: &Server, wanted: &Wanted<'_>) -> Option<Decision> {
    let policies = server.policies.iter().filter(|policy| policy.active && policy.is_for(wanted.client));
    let mut rules = policies.flat_map(|policy| policy.rules.iter().map(|rule| (policy.id.clone(), rule)));
    let (policy, rule) = rules.find(|(_, rule)| rule.active && rule.is_for(state, wanted))?;
    Some(Decision { lifetimes: rule.lifetimes, hook: rule.hook.clone(), rule: (policy, rule.id.clone()) })
}

impl Policy {
    fn is_for(&self, client: &Client) -> bool {
        self.clients.iter().any(|name| name == "ALL_CLIENTS" || *name == client.id)
    }
}

impl Rule {
    fn is_for(&self, state: &State, wanted: &Wanted<'_>) -> bool {
        let scopes = &self.conditions.scopes.include;
        let all = scopes.iter().any(|scope| scope == "*") || wanted.scopes.iter().all(|scope| scopes.contains(scope));
        let grant = self.conditions.grant_types.include.iter().any(|grant| grant == wanted.grant);
        grant && all && wanted.user.is_none_or(|user| self.conditions.people.has(state, user))
    }
}

impl People {
    /// Whether somebody is meant: by nobody's being named, by themselves or by a group; and not left out.
    fn has(&self, state: &State, user: &User) -> bool {
        let is_in = |group: &SmolStr| {
            group == "EVERYONE" || state.groups.everyone == *group || state.members.contains(group, &user.id)
        };
        let groups = self.groups.clone().unwrap_or_default();
        let (by_group, by_name) = (groups.include.unwrap_or_default(), self.users.include.clone().unwrap_or_default());
        let out = self.users.exclude.iter().flatten().any(|id| *id == user.id);
        let out = out || groups.exclude.iter().flatten().any(is_in);
        let anybody = by_group.is_empty() && by_name.is_empty();
        !out && (anybody || by_name.contains(&user.id) || by_group.iter().any(is_in))
    }
}
