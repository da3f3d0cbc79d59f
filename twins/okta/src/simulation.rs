//! Which policies and rules would apply to somebody who opens an app: the org's own ones, tried with what is said of
//! the person, their device and where they come from.
//!
//! See developer.okta.com/docs/guides/policy-simulation/.

pub(crate) use crate::policy::conditions::{Condition, Context, Status};
use crate::{
    model::State,
    policy::{self, Members, conditions},
};

/// A policy or a rule that was tried.
#[derive(Debug)]
pub(crate) struct Tried<'a> {
    pub(crate) id: &'a str,
    pub(crate) members: &'a Members,
    pub(crate) status: Status,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) rules: Vec<Tried<'a>>,
}

/// What became of the policies of a kind.
#[derive(Debug, Default)]
pub(crate) struct Outcome<'a> {
    /// The policy that applies, with the rule that does.
    pub(crate) matched: Option<Tried<'a>>,
    /// What was tried before it and does not apply.
    pub(crate) evaluated: Vec<Tried<'a>>,
    /// What was tried before it and nobody can tell of.
    pub(crate) undefined: Vec<Tried<'a>>,
}

/// Tries the policies of a kind: of an app's kinds the app's own.
pub(crate) fn run<'a>(state: &'a State, context: &Context<'_>, kind: &str) -> Outcome<'a> {
    let own = match kind {
        "ACCESS_POLICY" => context.app.map(|app| &app.policy),
        "PROFILE_ENROLLMENT" => context.app.map(|app| &app.enrollment),
        _ => None,
    };
    let all = policy::policies(state, kind).into_iter();
    let all = all.filter(|(id, one)| own.is_none_or(|own| own == *id) && policy::is_active(one));
    let mut outcome = Outcome::default();
    for (id, members) in all {
        let mut tried = attempt(state, context, id, members);
        if tried.status != Status::Match {
            outcome.put_aside(tried);
            continue;
        }
        let rules = policy::rules(state, id).into_iter().filter(|(_, rule)| policy::is_active(rule));
        let mut left = Vec::new();
        for (rule, members) in rules {
            let rule = attempt(state, context, rule, members);
            if rule.status == Status::Match {
                tried.rules.push(rule);
                break;
            }
            left.push(rule);
        }
        outcome.leave(&tried, left);
        if !tried.rules.is_empty() {
            outcome.matched = Some(tried);
            break;
        }
    }
    outcome
}

impl<'a> Outcome<'a> {
    fn put_aside(&mut self, tried: Tried<'a>) {
        if tried.status == Status::Undefined { self.undefined.push(tried) } else { self.evaluated.push(tried) }
    }

    /// Puts a policy's rules aside that do not apply, below the policy.
    fn leave(&mut self, policy: &Tried<'a>, rules: Vec<Tried<'a>>) {
        let (undefined, evaluated): (Vec<_>, Vec<_>) =
            rules.into_iter().partition(|rule| rule.status == Status::Undefined);
        for (status, rules) in [(Status::NotMatch, evaluated), (Status::Undefined, undefined)] {
            if !rules.is_empty() {
                let (id, members, conditions) = (policy.id, policy.members, policy.conditions.clone());
                self.put_aside(Tried { id, members, status, conditions, rules });
            }
        }
    }
}

fn attempt<'a>(state: &State, context: &Context<'_>, id: &'a str, members: &'a Members) -> Tried<'a> {
    let (status, conditions) = conditions::attempt(state, context, members);
    Tried { id, members, status, conditions, rules: Vec::new() }
}
