//! Access policies of authorization servers: who may have which tokens, and for how long.
//!
//! See developer.okta.com/docs/guides/configure-access-policy/main/.

use std::sync::Arc;

use dtu_kernel::{ids::IdShape, time::Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{super::shape, Server, find, write_row};
use crate::{
    error::Error,
    model::{
        Act,
        event_type::{
            EventType, POLICY_ACTIVATE, POLICY_CREATE, POLICY_DEACTIVATE, POLICY_DELETE, POLICY_UPDATE, RULE_ACTIVATE,
            RULE_ADD, RULE_DEACTIVATE, RULE_DELETE, RULE_UPDATE,
        },
        log::Party,
    },
};

/// Ids of policies of authorization servers.
const ID: IdShape = shape("00p", "oauth2_policy");
/// Ids of their rules.
const RULE_ID: IdShape = shape("0pr", "oauth2_policy_rule");

/// A policy: for which clients its rules are. Policies are asked in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// `00p...`.
    pub id: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it is in use.
    pub active: bool,
    /// Client ids, or `ALL_CLIENTS`.
    pub clients: Vec<SmolStr>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub last_updated: Timestamp,
    /// Its rules, the first to be asked first.
    pub rules: Vec<Rule>,
}

/// A rule of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// `0pr...`.
    pub id: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// Whether it is in use.
    pub active: bool,
    /// For whom and what it is.
    pub conditions: Conditions,
    /// How long tokens live.
    pub lifetimes: Lifetimes,
    /// The inline hook that is asked before tokens are made.
    pub hook: Option<SmolStr>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub last_updated: Timestamp,
}

/// Those who are meant, and those who are not. What was not sent is not shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Those who are meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include: Option<Vec<SmolStr>>,
    /// Those who are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Vec<SmolStr>>,
}

/// For which people a rule is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// By themselves.
    #[serde(default = "nobody_left_out")]
    pub users: Chosen,
    /// By their groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Chosen>,
}

impl Default for People {
    fn default() -> Self {
        Self { users: nobody_left_out(), groups: None }
    }
}

/// Shown where nothing was said of people by themselves: recorded.
fn nobody_left_out() -> Chosen {
    Chosen { include: None, exclude: Some(Vec::new()) }
}

/// What a rule takes of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// All that it takes.
    #[serde(default)]
    pub include: Vec<SmolStr>,
}

/// For whom and what a rule is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conditions {
    /// For whom.
    #[serde(default)]
    pub people: People,
    /// By which grants.
    #[serde(default)]
    pub grant_types: Taken,
    /// For which scopes.
    #[serde(default)]
    pub scopes: Taken,
}

impl Conditions {
    /// Grants by which people sign in are for somebody.
    ///
    /// # Errors
    /// Nobody is named, in the words of github.com/okta/okta-developer-docs/issues/1622, whose doubled quotes are Okta's.
    fn check_people(&self) -> Result<(), Error> {
        let of_people = |grant: &SmolStr| ["authorization_code", "implicit", "password"].contains(&grant.as_str());
        let names = |chosen: &Chosen| chosen.include.as_ref().is_some_and(|all| !all.is_empty());
        let anybody = names(&self.people.users) || self.people.groups.as_ref().is_some_and(names);
        if anybody || !self.grant_types.include.iter().any(of_people) {
            return Ok(());
        }
        let cause = "conditions.people: At least one of ''conditions.people.users.include'' or \
                     ''conditions.people.groups.include'' must contain a valid user or group when \
                     ''conditions.grantTypes'' contains one or more of [authorization_code, implicit, password].";
        Err(Error::invalid("conditions.people", cause))
    }
}

/// The order in which grants are shown: recorded for two of them, and the order in which a hash table of Okta's language
/// has them.
pub const GRANTS: [&str; 15] = [
    "implicit",
    "refresh_token",
    "client_credentials",
    "password",
    "urn:ietf:params:oauth:grant-type:device_code",
    "authorization_code",
    "interaction_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:saml2-bearer",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:openid:params:grant-type:ciba",
    "urn:okta:params:oauth:grant-type:otp",
    "urn:okta:params:oauth:grant-type:oob",
    "http://auth0.com/oauth/grant-type/mfa-otp",
    "http://auth0.com/oauth/grant-type/mfa-oob",
];

/// How long tokens live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Lifetimes {
    /// Access tokens, in minutes.
    pub access: i64,
    /// Refresh tokens, in minutes; 0 where they live for ever.
    pub refresh: i64,
    /// Refresh tokens that nobody uses, in minutes.
    pub idle: i64,
}

impl Lifetimes {
    /// What holds where a rule does not say.
    pub const USUAL: Self = Self { access: 60, refresh: 0, idle: 10_080 };

    /// The bounds of the public guide: five minutes to a day for access tokens; for unused refresh tokens ten minutes to
    /// five years; refresh tokens outlive access tokens.
    fn check(self) -> Result<(), Error> {
        let mut problems = Vec::new();
        if !(5..=1_440).contains(&self.access) {
            problems.push(("accessTokenLifetimeMinutes", "The value must be between 5 and 1440"));
        }
        if self.refresh != 0 && self.refresh < self.access {
            problems.push(("refreshTokenLifetimeMinutes", "The value must not be below the access token's lifetime"));
        }
        if !(10..=2_628_000).contains(&self.idle) {
            problems.push(("refreshTokenWindowMinutes", "The value must be between 10 and 2628000"));
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::fields(&problems)) }
    }
}

/// What administrators say of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Its name.
    pub name: SmolStr,
    /// What it is for.
    pub description: Option<String>,
    /// From 1; as it is, or last, where absent.
    pub priority: Option<i64>,
    /// Whether it is in use; as it is, or yes, where absent.
    pub active: Option<bool>,
    /// Client ids, or `ALL_CLIENTS`.
    pub clients: Vec<SmolStr>,
}

/// What administrators say of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleWish {
    /// Its name.
    pub name: SmolStr,
    /// From 1; as it is, or last, where absent.
    pub priority: Option<i64>,
    /// Whether it is in use; as it is, or yes, where absent.
    pub active: Option<bool>,
    /// For whom and what it is.
    pub conditions: Conditions,
    /// How long tokens live.
    pub lifetimes: Lifetimes,
    /// The inline hook that is asked before tokens are made.
    pub hook: Option<SmolStr>,
}

impl RuleWish {
    fn check(&self) -> Result<(), Error> {
        if self.name.is_empty() {
            return Err(Error::fields(&[("name", "The field cannot be left blank")]));
        }
        let grants = &self.conditions.grant_types.include;
        if grants.is_empty() || !grants.iter().all(|grant| GRANTS.contains(&grant.as_str())) {
            return Err(Error::fields(&[("grantTypes", "The field has an invalid value")]));
        }
        self.conditions.check_people()?;
        self.lifetimes.check()
    }

    fn apply(self, rule: &mut Rule, now: Timestamp) {
        rule.name = self.name;
        rule.active = self.active.unwrap_or(rule.active);
        rule.conditions = self.conditions;
        rule.conditions.grant_types.include.sort_by_key(|grant| GRANTS.iter().position(|known| grant == known));
        rule.lifetimes = self.lifetimes;
        rule.hook = self.hook;
        rule.last_updated = now;
    }
}

/// Where something of a priority goes in an order of so many others: priorities have no holes.
fn place(priority: Option<i64>, others: usize, own: Option<usize>) -> usize {
    let wished = priority.and_then(|priority| usize::try_from(priority - 1).ok());
    wished.or(own).unwrap_or(others).min(others)
}

impl Server {
    /// A policy with its priority.
    ///
    /// # Errors
    /// None such.
    pub fn policy(&self, id: &str) -> Result<(usize, &Policy), Error> {
        let found = (1..).zip(&self.policies).find(|(_, policy)| policy.id == id);
        found.ok_or_else(|| Error::not_found(id, "Policy"))
    }

    fn policy_mut(&mut self, id: &str) -> Option<&mut Policy> {
        self.policies.iter_mut().find(|policy| policy.id == id)
    }
}

impl Policy {
    /// A policy without rules.
    pub fn new(tx: &mut dtu_kernel::tx::Tx<'_>, name: SmolStr, now: Timestamp) -> Self {
        Self {
            id: tx.id(&ID),
            name,
            description: None,
            active: true,
            clients: Vec::new(),
            created: now,
            last_updated: now,
            rules: Vec::new(),
        }
    }

    /// A rule with its priority.
    ///
    /// # Errors
    /// None such.
    pub fn rule(&self, id: &str) -> Result<(usize, &Rule), Error> {
        let found = (1..).zip(&self.rules).find(|(_, rule)| rule.id == id);
        found.ok_or_else(|| Error::not_found(id, "PolicyRule"))
    }

    fn party(&self) -> Party {
        Party {
            id: self.id.clone(),
            kind: "PolicyEntity",
            alternate_id: SmolStr::new_static("unknown"),
            display_name: self.name.clone(),
        }
    }
}

impl Rule {
    /// A rule that fits nothing.
    pub fn new(tx: &mut dtu_kernel::tx::Tx<'_>, name: SmolStr, now: Timestamp) -> Self {
        Self {
            id: tx.id(&RULE_ID),
            name,
            active: true,
            conditions: Conditions::default(),
            lifetimes: Lifetimes::USUAL,
            hook: None,
            created: now,
            last_updated: now,
        }
    }

    fn party(&self) -> Party {
        Party {
            id: self.id.clone(),
            kind: "PolicyRule",
            alternate_id: SmolStr::new_static("unknown"),
            display_name: self.name.clone(),
        }
    }
}

fn check(server: &Server, wish: &Wish, own: &str) -> Result<(), Error> {
    if wish.name.is_empty() {
        return Err(Error::fields(&[("name", "The field cannot be left blank")]));
    }
    if server.policies.iter().any(|policy| policy.name == wish.name && policy.id != own) {
        return Err(Error::taken("name"));
    }
    Ok(())
}

fn apply(wish: Wish, policy: &mut Policy, now: Timestamp) {
    policy.name = wish.name;
    policy.description = wish.description;
    policy.active = wish.active.unwrap_or(policy.active);
    policy.clients = wish.clients;
    policy.last_updated = now;
}

/// Adds a policy to a server; gives back the server, in which it stands, and its id.
///
/// # Errors
/// No such server, or a name that is missing or used.
pub fn create(act: &mut Act<'_, '_>, server: &str, wish: Wish) -> Result<(Arc<Server>, SmolStr), Error> {
    let before = find(act.state, server)?;
    check(&before, &wish, "")?;
    let now = act.now();
    let mut policy = Policy::new(act.tx, wish.name.clone(), now);
    let at = place(wish.priority, before.policies.len(), None);
    apply(wish, &mut policy, now);
    let (party, id) = (policy.party(), policy.id.clone());
    let server = write_row(act, &before, |server| server.policies.insert(at, policy));
    act.log(&POLICY_CREATE, vec![party, server.party()]);
    Ok((server, id))
}

/// Replaces a policy of a server.
///
/// # Errors
/// None such, or a name that is missing or used.
pub fn replace(act: &mut Act<'_, '_>, server: &str, id: &str, wish: Wish) -> Result<Arc<Server>, Error> {
    let before = find(act.state, server)?;
    let (priority, _) = before.policy(id)?;
    check(&before, &wish, id)?;
    let at = place(wish.priority, before.policies.len() - 1, Some(priority - 1));
    change(act, &before, id, &POLICY_UPDATE, |server, now| {
        let mut policy = server.policies.remove(priority - 1);
        apply(wish, &mut policy, now);
        server.policies.insert(at, policy);
    })
}

fn change(
    act: &mut Act<'_, '_>,
    before: &Server,
    id: &str,
    event: &'static EventType,
    write: impl FnOnce(&mut Server, Timestamp),
) -> Result<Arc<Server>, Error> {
    let now = act.now();
    let party = before.policy(id)?.1.party();
    let server = write_row(act, before, |server| write(server, now));
    act.log(event, vec![party, server.party()]);
    Ok(server)
}

/// Switches a policy on or off.
///
/// # Errors
/// None such.
pub fn set_active(act: &mut Act<'_, '_>, server: &str, id: &str, active: bool) -> Result<(), Error> {
    let before = find(act.state, server)?;
    if before.policy(id)?.1.active == active {
        return Ok(());
    }
    let event = if active { &POLICY_ACTIVATE } else { &POLICY_DEACTIVATE };
    change(act, &before, id, event, |server, now| {
        if let Some(policy) = server.policy_mut(id) {
            (policy.active, policy.last_updated) = (active, now);
        }
    })
    .map(drop)
}

/// Deletes a policy with its rules.
///
/// # Errors
/// None such.
pub fn delete(act: &mut Act<'_, '_>, server: &str, id: &str) -> Result<(), Error> {
    let before = find(act.state, server)?;
    change(act, &before, id, &POLICY_DELETE, |server, _| server.policies.retain(|policy| policy.id != id)).map(drop)
}

fn change_rules(
    act: &mut Act<'_, '_>,
    before: &Server,
    policy: &str,
    (event, party): (&'static EventType, Party),
    write: impl FnOnce(&mut Vec<Rule>),
) -> Arc<Server> {
    let server = write_row(act, before, |server| {
        if let Some(policy) = server.policy_mut(policy) {
            write(&mut policy.rules);
        }
    });
    act.log(event, vec![party, server.party()]);
    server
}

fn check_rule_name(policy: &Policy, name: &str, own: &str) -> Result<(), Error> {
    let used = policy.rules.iter().any(|rule| rule.name == name && rule.id != own);
    if used { Err(Error::taken("name")) } else { Ok(()) }
}

/// Adds a rule to a policy; gives back the server, in which it stands, and its id.
///
/// # Errors
/// No such policy, or what of the rule cannot be.
pub fn add_rule(
    act: &mut Act<'_, '_>,
    server: &str,
    policy: &str,
    wish: RuleWish,
) -> Result<(Arc<Server>, SmolStr), Error> {
    let before = find(act.state, server)?;
    let own = before.policy(policy)?.1;
    wish.check()?;
    check_rule_name(own, &wish.name, "")?;
    let now = act.now();
    let at = place(wish.priority, own.rules.len(), None);
    let mut rule = Rule::new(act.tx, wish.name.clone(), now);
    wish.apply(&mut rule, now);
    let (party, id) = (rule.party(), rule.id.clone());
    let server = change_rules(act, &before, policy, (&RULE_ADD, party), |rules| rules.insert(at, rule));
    Ok((server, id))
}

/// Replaces a rule of a policy.
///
/// # Errors
/// None such, or what of the rule cannot be.
pub fn replace_rule(
    act: &mut Act<'_, '_>,
    server: &str,
    policy: &str,
    id: &str,
    wish: RuleWish,
) -> Result<Arc<Server>, Error> {
    let before = find(act.state, server)?;
    let own = before.policy(policy)?.1;
    let (priority, rule) = own.rule(id)?;
    wish.check()?;
    check_rule_name(own, &wish.name, id)?;
    let (at, now) = (place(wish.priority, own.rules.len() - 1, Some(priority - 1)), act.now());
    let event = (&RULE_UPDATE, rule.party());
    Ok(change_rules(act, &before, policy, event, |rules| {
        let mut rule = rules.remove(priority - 1);
        wish.apply(&mut rule, now);
        rules.insert(at, rule);
    }))
}

/// Switches a rule on or off.
///
/// # Errors
/// None such.
pub fn set_rule_active(act: &mut Act<'_, '_>, server: &str, policy: &str, id: &str, active: bool) -> Result<(), Error> {
    let before = find(act.state, server)?;
    let (_, rule) = before.policy(policy)?.1.rule(id)?;
    if rule.active == active {
        return Ok(());
    }
    let (event, now) = (if active { &RULE_ACTIVATE } else { &RULE_DEACTIVATE }, act.now());
    change_rules(act, &before, policy, (event, rule.party()), |rules| {
        if let Some(rule) = rules.iter_mut().find(|rule| rule.id == id) {
            (rule.active, rule.last_updated) = (active, now);
        }
    });
    Ok(())
}

/// Deletes a rule, in use or not: recorded.
///
/// # Errors
/// None such.
pub fn delete_rule(act: &mut Act<'_, '_>, server: &str, policy: &str, id: &str) -> Result<(), Error> {
    let before = find(act.state, server)?;
    let (_, rule) = before.policy(policy)?.1.rule(id)?;
    let event = (&RULE_DELETE, rule.party());
    change_rules(act, &before, policy, event, |rules| rules.retain(|rule| rule.id != id));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_have_no_holes() {
        let check = |priority: Option<i64>, others: usize, own: Option<usize>, wanted: usize| {
            assert_eq!(place(priority, others, own), wanted, "{priority:?} {others} {own:?}");
        };
        check(None, 3, None, 3);
        check(Some(1), 3, None, 0);
        check(Some(9), 3, None, 3);
        check(Some(2), 0, Some(0), 0);
        check(Some(0), 3, Some(1), 1);
        check(None, 3, Some(1), 1);
    }

    #[test]
    fn lifetimes_have_bounds() {
        let check = |access: i64, refresh: i64, idle: i64, wanted: bool| {
            assert_eq!(Lifetimes { access, refresh, idle }.check().is_ok(), wanted, "{access} {refresh} {idle}");
        };
        check(60, 0, 10_080, true);
        check(4, 0, 10_080, false);
        check(1_441, 0, 10_080, false);
        check(60, 59, 10_080, false);
        check(60, 60, 9, false);
        check(60, 60, 2_628_001, false);
    }
}
