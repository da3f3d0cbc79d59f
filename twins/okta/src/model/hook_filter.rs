//! Filters of event hooks: expressions over an event, one for each event type at most.
//!
//! What can be looked at, and with which operators: help.okta.com/oie/en-us/content/topics/automation-hooks/event-hooks-el.htm.
//! How an expression is read is the language's own ([`crate::expression`]).

use serde::Serialize;
use smol_str::SmolStr;

use super::log::{Entry, Party};
use crate::expression::{self, Expr, Operator};

/// The filter of one event type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// The event type.
    pub event: SmolStr,
    /// The expression as it was sent.
    pub expression: String,
}

/// What a part of an expression comes to.
#[derive(Clone, Debug, PartialEq)]
enum Seen<'a> {
    Nothing,
    Text(&'a str),
    Bool(bool),
    Count(usize),
    Targets(Vec<&'a Party>),
}

/// What cannot be evaluated.
#[derive(Debug, PartialEq, Eq)]
struct Unfit;

type Evaluated<'a> = Result<Seen<'a>, Unfit>;

/// Whether an expression can be a filter: it reads only what filters may, and is true or false.
pub fn is_filter(text: &str) -> bool {
    expression::parse(text).is_ok_and(|expr| kind(&expr, false) == Some(Kind::Truth))
}

/// Whether an event passes; one that the expression has no answer for does not.
pub fn passes(filter: &Filter, entry: &Entry) -> bool {
    let Ok(expr) = expression::parse(&filter.expression) else { return false };
    evaluate(&expr, entry, None) == Ok(Seen::Bool(true))
}

/// What an expression comes to, known before anything happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Truth,
    Text,
    Count,
    Targets,
}

fn kind(expr: &Expr, in_target: bool) -> Option<Kind> {
    let of = |expr: &Expr| kind(expr, in_target);
    match expr {
        Expr::Null | Expr::Text(_) => Some(Kind::Text),
        Expr::Bool(_) => Some(Kind::Truth),
        Expr::Number(_) => Some(Kind::Count),
        Expr::Name(name) if in_target => of_party(name).map(|_| Kind::Text),
        Expr::Not(one) => (of(one)? == Kind::Truth).then_some(Kind::Truth),
        Expr::Pair(Operator::And | Operator::Or, a, b) => {
            (of(a)? == Kind::Truth && of(b)? == Kind::Truth).then_some(Kind::Truth)
        }
        Expr::Pair(Operator::Eq | Operator::Ne, a, b) => {
            (of(a)? == of(b)? && of(a)? != Kind::Targets).then_some(Kind::Truth)
        }
        Expr::Pair(operator, a, b) if operator.is_test() => {
            (of(a)? == Kind::Count && of(b)? == Kind::Count).then_some(Kind::Truth)
        }
        Expr::Select(on, test) if !in_target => {
            (of(on)? == Kind::Targets && kind(test, true)? == Kind::Truth).then_some(Kind::Targets)
        }
        Expr::Call(Some(on), name, all) if name == "size" && all.is_empty() => {
            (of(on)? == Kind::Targets).then_some(Kind::Count)
        }
        Expr::Field(..) => field_kind(&path(expr)?),
        _ => None,
    }
}

fn field_kind(path: &[&str]) -> Option<Kind> {
    match path {
        ["event", "target"] => Some(Kind::Targets),
        ["event", "eventType"]
        | ["event", "outcome", "reason" | "result"]
        | ["event", "debugData", "changedAttributes"] => Some(Kind::Text),
        ["event", "actor", name] => of_party(name).map(|_| Kind::Text),
        _ => None,
    }
}

/// `a.b.c` as its names.
fn path(expr: &Expr) -> Option<Vec<&str>> {
    match expr {
        Expr::Name(name) => Some(vec![name.as_str()]),
        Expr::Field(on, name) => {
            let mut names = path(on)?;
            names.push(name.as_str());
            Some(names)
        }
        _ => None,
    }
}

/// What filters see of a party.
fn of_party(name: &str) -> Option<fn(&Party) -> &str> {
    match name {
        "id" => Some(|party| &party.id),
        "type" => Some(|party| party.kind),
        "alternateId" => Some(|party| &party.alternate_id),
        "displayName" => Some(|party| &party.display_name),
        _ => None,
    }
}

fn text(text: &str) -> Seen<'_> {
    if text.is_empty() { Seen::Nothing } else { Seen::Text(text) }
}

fn evaluate<'a>(expr: &'a Expr, entry: &'a Entry, item: Option<&'a Party>) -> Evaluated<'a> {
    let value = |expr: &'a Expr| evaluate(expr, entry, item);
    let truth = |expr: &'a Expr| match evaluate(expr, entry, item)? {
        Seen::Bool(value) => Ok(value),
        _ => Err(Unfit),
    };
    match expr {
        Expr::Null => Ok(Seen::Nothing),
        Expr::Text(own) => Ok(text(own)),
        Expr::Bool(value) => Ok(Seen::Bool(*value)),
        Expr::Number(number) => number.parse().map(Seen::Count).map_err(|_| Unfit),
        Expr::Name(name) => {
            let party = item.ok_or(Unfit)?;
            Ok(text(of_party(name).ok_or(Unfit)?(party)))
        }
        Expr::Not(one) => Ok(Seen::Bool(!truth(one)?)),
        Expr::Pair(Operator::And, a, b) => Ok(Seen::Bool(truth(a)? && truth(b)?)),
        Expr::Pair(Operator::Or, a, b) => Ok(Seen::Bool(truth(a)? || truth(b)?)),
        Expr::Pair(operator, a, b) => compare(*operator, &value(a)?, &value(b)?),
        Expr::Select(on, test) => {
            let Seen::Targets(all) = value(on)? else { return Err(Unfit) };
            let fits = |party: &&'a Party| evaluate(test, entry, Some(*party)) == Ok(Seen::Bool(true));
            Ok(Seen::Targets(all.into_iter().filter(fits).collect()))
        }
        Expr::Call(Some(on), name, _) if name == "size" => match value(on)? {
            Seen::Targets(all) => Ok(Seen::Count(all.len())),
            _ => Err(Unfit),
        },
        Expr::Field(..) => field(&path(expr).ok_or(Unfit)?, entry),
        _ => Err(Unfit),
    }
}

fn field<'a>(path: &[&str], entry: &'a Entry) -> Evaluated<'a> {
    match path {
        ["event", "target"] => Ok(Seen::Targets(entry.targets.iter().collect())),
        ["event", "eventType"] => Ok(text(entry.event.name)),
        ["event", "outcome", "reason"] => Ok(text(&entry.outcome.reason)),
        ["event", "outcome", "result"] => Ok(text(entry.outcome.result)),
        ["event", "actor", name] => Ok(text(of_party(name).ok_or(Unfit)?(&entry.actor))),
        ["event", "debugData", name] => {
            Ok(entry.debug.iter().find(|(own, _)| own == name).map_or(Seen::Nothing, |(_, value)| text(value)))
        }
        _ => Err(Unfit),
    }
}

fn compare<'a>(operator: Operator, a: &Seen<'_>, b: &Seen<'_>) -> Evaluated<'a> {
    let holds = match (operator, a, b) {
        (Operator::Eq, a, b) => a == b,
        (Operator::Ne, a, b) => a != b,
        (Operator::Lt, Seen::Count(a), Seen::Count(b)) => a < b,
        (Operator::Le, Seen::Count(a), Seen::Count(b)) => a <= b,
        (Operator::Gt, Seen::Count(a), Seen::Count(b)) => a > b,
        (Operator::Ge, Seen::Count(a), Seen::Count(b)) => a >= b,
        _ => return Err(Unfit),
    };
    Ok(Seen::Bool(holds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_read_what_they_may_and_are_true_or_false() {
        let check = |text: &str, wanted: bool| assert_eq!(is_filter(text), wanted, "{text}");
        check("event.target.?[type eq 'UserGroup' && displayName eq 'Sales'].size()> 0", true);
        check("event.target.?[id eq '1'].size() == 1 || !(event.outcome.result ne 'SUCCESS')", true);
        check("event.actor.alternateId eq 'a@b.example' and event.eventType != null", true);
        check("event.debugData.changedAttributes eq 'title'", true);
        check("true", true);
        check("", false);
        check("event.target", false);
        check("event.target.?[type eq 'User']", false);
        check("event.target.?[name eq 'x'].size() > 0", false);
        check("event.target.?[type].size() > 0", false);
        check("event.target.size()", false);
        check("event.actor.detail eq 'x'", false);
        check("event.client.ipAddress eq 'x'", false);
        check("event.outcome.result > 'A'", false);
        check("type eq 'User'", false);
        check("user.login eq 'x'", false);
        check("event.target.?[event.target.?[id eq 'x'].size() > 0].size() > 0", false);
        check("event.outcome.result eq", false);
    }
}
