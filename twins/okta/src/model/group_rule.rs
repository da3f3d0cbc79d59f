//! Group rules: people whom an expression holds for are in the rule's groups.
//!
//! Rules are evaluated a moment after what they look at has changed, as Okta does it in the background. Whom a rule
//! has put into a group carries its mark; whoever is in a group for another reason is none of its business.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/GroupRule/.

use std::{any::Any, collections::BTreeSet, sync::Arc, time::Duration};

use dtu_kernel::{
    ids::ALNUM,
    table::{Change, Changes, Row, Table},
    time::Timestamp,
    tx::Tx,
};
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    Act, Acting, RULE_ID, SITE, State,
    event_type::{EXCLUSION_ADD, RULES_DEACTIVATED, RULES_EVALUATION, RULES_INVALIDATE},
    group::{self, Group, GroupType},
    log::Party,
    profile::Attribute,
    user::{Status, User},
};
use crate::{
    error::Error,
    events,
    expression::{self, Expr, Person},
    search::Corpus,
};

/// Where a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuleStatus {
    /// It is evaluated.
    Active,
    /// It is not.
    Inactive,
    /// What it needs is gone: it can only be looked at and deleted.
    Invalid,
}

/// A rule.
#[derive(Clone, Debug, Serialize)]
pub struct Rule {
    /// `0pr...`.
    pub id: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// Where it stands.
    pub status: RuleStatus,
    /// The expression as it was written.
    pub expression: SmolStr,
    /// The expression as it is evaluated.
    #[serde(skip)]
    pub parsed: Arc<Expr>,
    /// Whom it never touches.
    pub excluded: BTreeSet<SmolStr>,
    /// Groups whose members it never touches.
    pub excluded_groups: BTreeSet<SmolStr>,
    /// Where it puts people.
    pub groups: Vec<SmolStr>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
}

/// How long after a change the rules that look at it are evaluated, where the world does not say.
pub const DELAY: Duration = Duration::from_millis(500);
/// The most rules of an org; from reports, see developer.okta.com's limits of Universal Directory.
const RULES_MAX: usize = 2_000;
/// The most groups of a rule.
const GROUPS_MAX: usize = 100;
/// So many people are looked at in one go.
const SLICE: usize = 500;
/// So often what rules changed makes rules look again: two that undo each other's work come to rest.
const ROUNDS_MAX: u64 = 5;

/// All rules.
#[derive(Clone, Debug)]
pub struct Rules {
    table: Table<SmolStr, Rule>,
    by_name: OrdMap<SmolStr, SmolStr>,
    active: OrdSet<SmolStr>,
    /// Active rules that look at groups.
    nosy: OrdSet<SmolStr>,
    /// Person, group, rule: who is where because of what.
    marks: OrdSet<(SmolStr, SmolStr, SmolStr)>,
    /// Rule, person, group.
    by_rule: OrdSet<(SmolStr, SmolStr, SmolStr)>,
    /// How long after a change rules are evaluated.
    pub delay: Duration,
    round: u64,
}

impl Rules {
    /// No rule.
    pub fn new(delay: Duration) -> Self {
        Self {
            table: Table::new("group_rules"),
            by_name: OrdMap::new(),
            active: OrdSet::new(),
            nosy: OrdSet::new(),
            marks: OrdSet::new(),
            by_rule: OrdSet::new(),
            delay,
            round: 0,
        }
    }

    /// A rule by id.
    pub fn get(&self, id: &str) -> Option<&Arc<Rule>> {
        self.table.get(&SmolStr::new(id))
    }

    /// Rules from behind `after`, by id.
    pub fn after(&self, after: &str) -> impl Iterator<Item = &Arc<Rule>> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.table.range((Excluded(SmolStr::new(after)), Unbounded)).map(|(_, rule)| rule)
    }

    /// The rules that put a person into a group.
    pub fn of(&self, user: &SmolStr, group: &SmolStr) -> Vec<SmolStr> {
        let start = (user.clone(), group.clone(), SmolStr::default());
        let own = self.marks.range(start..).take_while(|(of, into, _)| of == user && into == group);
        own.map(|(.., rule)| rule.clone()).collect()
    }

    fn put(&mut self, changes: &mut Changes, rule: Rule) -> Arc<Rule> {
        let id = rule.id.clone();
        if let Some(before) = self.table.get(&id) {
            self.by_name.remove(before.name.to_lowercase().as_str());
        }
        self.by_name.insert(rule.name.to_lowercase().into(), id.clone());
        self.active.remove(&id);
        self.nosy.remove(&id);
        if rule.status == RuleStatus::Active {
            self.active.insert(id.clone());
            if expression::reads_groups(&rule.parsed) || !rule.excluded_groups.is_empty() {
                self.nosy.insert(id.clone());
            }
        }
        self.table.put(changes, id, rule)
    }

    fn mark(&mut self, user: &SmolStr, group: &SmolStr, rule: &SmolStr) {
        self.marks.insert((user.clone(), group.clone(), rule.clone()));
        self.by_rule.insert((rule.clone(), user.clone(), group.clone()));
    }

    /// Takes a mark away; whether there was one.
    fn unmark(&mut self, user: &SmolStr, group: &SmolStr, rule: &SmolStr) -> bool {
        self.by_rule.remove(&(rule.clone(), user.clone(), group.clone()));
        self.marks.remove(&(user.clone(), group.clone(), rule.clone())).is_some()
    }

    /// Takes all marks of a membership away; the rules whose they were.
    pub fn forget(&mut self, user: &SmolStr, group: &SmolStr) -> Vec<SmolStr> {
        let rules = self.of(user, group);
        for rule in &rules {
            self.unmark(user, group, rule);
        }
        rules
    }
}

/// What a caller says of a rule.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Its name.
    pub name: SmolStr,
    /// Its expression.
    pub expression: SmolStr,
    /// Whom it never touches.
    pub excluded: BTreeSet<SmolStr>,
    /// Groups whose members it never touches.
    pub excluded_groups: BTreeSet<SmolStr>,
    /// Where it puts people; none where that is not said.
    pub groups: Option<Vec<SmolStr>>,
}

/// What there is for expressions to name.
struct Org<'a>(&'a State);

impl expression::Known for Org<'_> {
    fn attribute(&self, name: &str) -> bool {
        Attribute::find(name).is_some() || self.0.schemas.of_people(name).is_some()
    }

    fn group(&self, id: &str) -> bool {
        self.0.groups.get(id).is_some()
    }
}

/// What refusals of expressions are about: github.com/articulate/terraform-provider-okta/pull/148.
const VALIDATION: &str = "validateRule";

fn read(state: &State, text: &str) -> Result<Expr, Error> {
    let expr = expression::parse(text).map_err(|error| {
        Error::invalid(VALIDATION, format!("Invalid expression: unexpected token at position {}", error.at))
    })?;
    expression::check(&expr, &Org(state)).map_err(|problem| Error::invalid(VALIDATION, problem.to_string()))?;
    Ok(expr)
}

fn check_name(state: &State, name: &str, own: Option<&SmolStr>) -> Result<(), Error> {
    const NAME_MAX: usize = 50;
    if name.trim().is_empty() {
        return Err(Error::fields(&[("name", "The field cannot be left blank")]));
    }
    if name.chars().count() > NAME_MAX {
        return Err(Error::fields(&[("name", "The field is too long")]));
    }
    match state.rules.by_name.get(name.to_lowercase().as_str()) {
        Some(other) if own != Some(other) => Err(Error::taken("name")),
        _ => Ok(()),
    }
}

/// A rule's groups: some, known, and the administrators' to fill.
fn check_groups(state: &State, groups: &[SmolStr]) -> Result<(), Error> {
    let refuse = |why: String| Err(Error::invalid("groupIds", why));
    if groups.is_empty() {
        return refuse("groupIds: The field cannot be left blank".to_owned());
    }
    if groups.len() > GROUPS_MAX {
        return refuse(format!("groupIds: A rule assigns to at most {GROUPS_MAX} groups"));
    }
    let fits = |id: &SmolStr| state.groups.get(id).is_some_and(|group| group.r#type == GroupType::OktaGroup);
    match groups.iter().find(|id| !fits(id)) {
        Some(id) => refuse(format!("groupIds: Group {id} is not a group that users can be assigned to")),
        None => Ok(()),
    }
}

/// Makes a rule, which rests until it is activated.
///
/// # Errors
/// A name, expression or group that is not allowed.
pub fn create(act: &mut Act<'_, '_>, wish: Wish) -> Result<Arc<Rule>, Error> {
    check_name(act.state, &wish.name, None)?;
    let parsed = Arc::new(read(act.state, &wish.expression)?);
    let groups = wish.groups.unwrap_or_default();
    check_groups(act.state, &groups)?;
    if act.state.rules.table.len() >= RULES_MAX {
        return Err(Error::invalid("groupRule", format!("An org has at most {RULES_MAX} group rules")));
    }
    let now = act.now();
    let rule = Rule {
        id: act.tx.id(&RULE_ID),
        name: wish.name,
        status: RuleStatus::Inactive,
        expression: wish.expression,
        parsed,
        excluded: wish.excluded,
        excluded_groups: wish.excluded_groups,
        groups,
        created: now,
        last_updated: now,
    };
    Ok(act.state.rules.put(&mut act.tx.changes, rule))
}

/// Changes a rule that rests. Where it puts people cannot be changed.
///
/// # Errors
/// A rule that is in use or invalid, and what [`create`] refuses.
pub fn replace(act: &mut Act<'_, '_>, rule: &Rule, wish: Wish) -> Result<Arc<Rule>, Error> {
    if rule.status != RuleStatus::Inactive {
        return Err(Error::invalid("groupRule", "Only rules whose status is INACTIVE can be updated"));
    }
    check_name(act.state, &wish.name, Some(&rule.id))?;
    let set = |groups: &[SmolStr]| groups.iter().cloned().collect::<BTreeSet<_>>();
    if wish.groups.as_ref().is_some_and(|groups| set(groups) != set(&rule.groups)) {
        return Err(Error::invalid("actions", "The actions of a rule cannot be updated"));
    }
    let row = Rule {
        name: wish.name,
        parsed: Arc::new(read(act.state, &wish.expression)?),
        expression: wish.expression,
        excluded: wish.excluded,
        excluded_groups: wish.excluded_groups,
        last_updated: act.now(),
        ..rule.clone()
    };
    Ok(act.state.rules.put(&mut act.tx.changes, row))
}

/// Puts a rule to use, and everybody to it, in slices. Its time stays, as recorded.
///
/// # Errors
/// An invalid rule.
pub fn activate(act: &mut Act<'_, '_>, rule: &Rule) -> Result<(), Error> {
    match rule.status {
        RuleStatus::Active => return Ok(()),
        RuleStatus::Invalid => {
            return Err(Error::invalid("groupRule", "A rule whose status is INVALID cannot be activated"));
        }
        RuleStatus::Inactive => {}
    }
    let row = Rule { status: RuleStatus::Active, ..rule.clone() };
    let row = act.state.rules.put(&mut act.tx.changes, row);
    act.log(&RULES_EVALUATION, vec![Party::rule(&row)]);
    let after = act.state.rules.delay;
    plan(act, after, &Due { sweep: Some(rule.id.clone()), ..Due::default() });
    Ok(())
}

/// Lays a rule to rest. Whom it put into groups stays there, and stays its own, until it is evaluated again.
///
/// # Errors
/// An invalid rule.
pub fn deactivate(act: &mut Act<'_, '_>, rule: &Rule) -> Result<(), Error> {
    match rule.status {
        RuleStatus::Inactive => return Ok(()),
        RuleStatus::Invalid => {
            return Err(Error::invalid("groupRule", "A rule whose status is INVALID cannot be deactivated"));
        }
        RuleStatus::Active => {}
    }
    let row = Rule { status: RuleStatus::Inactive, ..rule.clone() };
    let row = act.state.rules.put(&mut act.tx.changes, row);
    act.log(&RULES_DEACTIVATED, vec![Party::rule(&row)]);
    Ok(())
}

/// Removes a rule. Whom it put into groups stays there as if by hand, or leaves with it, in slices.
///
/// # Errors
/// A rule that is in use.
pub fn delete(act: &mut Act<'_, '_>, rule: &Rule, remove_users: bool) -> Result<(), Error> {
    if rule.status == RuleStatus::Active {
        return Err(Error::invalid("groupRule", "A rule whose status is ACTIVE cannot be deleted"));
    }
    let rules = &mut act.state.rules;
    rules.by_name.remove(rule.name.to_lowercase().as_str());
    rules.table.remove(&mut act.tx.changes, &rule.id);
    let after = rules.delay;
    let clear = Clear { rule: rule.id.clone(), name: rule.name.clone(), remove_users };
    plan(act, after, &Due { clear: Some(clear), ..Due::default() });
    Ok(())
}

/// Makes rules invalid.
fn invalidate(act: &mut Act<'_, '_>, concerned: impl Fn(&Rule) -> bool) {
    let rules: Vec<Arc<Rule>> =
        act.state.rules.table.iter().map(|(_, rule)| rule).filter(|rule| concerned(rule)).cloned().collect();
    for rule in rules.iter().filter(|rule| rule.status != RuleStatus::Invalid) {
        let row = Rule { status: RuleStatus::Invalid, last_updated: act.now(), ..Rule::clone(rule) };
        let row = act.state.rules.put(&mut act.tx.changes, row);
        act.log(&RULES_INVALIDATE, vec![Party::rule(&row)]);
    }
}

/// A group is gone: rules that put people there are invalid.
pub fn group_gone(act: &mut Act<'_, '_>, group: &SmolStr) {
    invalidate(act, |rule| rule.groups.contains(group));
}

/// An attribute of a type's people is gone: rules that look at it are invalid where no other type has it.
pub fn attribute_gone(act: &mut Act<'_, '_>, of: &SmolStr, name: &SmolStr) {
    if of.starts_with("oty") && act.state.schemas.of_people(name).is_none() {
        invalidate(act, |rule| expression::reads(&rule.parsed, name));
    }
}

/// Somebody was taken out of a group by hand, or is deactivated. Rules that had put them there never do so again, the
/// latter aside.
pub fn removed(act: &mut Act<'_, '_>, group: &Group, user: &User) {
    let rules = act.state.rules.forget(&user.id, &group.id);
    if user.status == Status::Deprovisioned {
        return;
    }
    for id in rules {
        let Some(rule) = act.state.rules.get(&id).cloned() else { continue };
        let mut row = Rule::clone(&rule);
        row.excluded.insert(user.id.clone());
        let row = act.state.rules.put(&mut act.tx.changes, row);
        act.log(&EXCLUSION_ADD, vec![Party::user(user), Party::rule(&row)]);
    }
}

/// The timer of all that rules do in the background.
pub const TIMER: &str = "group_rules";

/// What is to be done.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Due {
    /// People to evaluate, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    users: Vec<SmolStr>,
    /// How often rules have led to this.
    #[serde(default)]
    round: u64,
    /// A rule to put everybody to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sweep: Option<SmolStr>,
    /// The person after whom a sweep goes on.
    #[serde(default)]
    after: SmolStr,
    /// A rule that is gone, and whose marks are to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clear: Option<Clear>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Clear {
    rule: SmolStr,
    name: SmolStr,
    remove_users: bool,
}

fn plan(act: &mut Act<'_, '_>, after: Duration, due: &Due) {
    let at = act.tx.now.after(after);
    act.tx.timer(at, TIMER, json!(due));
}

/// Ends a write: whom it changed is put to the active rules, and to no more.
pub fn notice(act: &mut Act<'_, '_>) {
    let rules = &act.state.rules;
    if rules.active.is_empty() || rules.round > ROUNDS_MAX {
        return;
    }
    let nosy = !rules.nosy.is_empty();
    let mut users = BTreeSet::new();
    for change in act.tx.changes.as_slice() {
        match change.table {
            "users" if matters(change) => drop(users.insert(change.key.clone())),
            "memberships" if nosy => users.extend(change.key.rsplit_once('/').map(|(_, user)| SmolStr::new(user))),
            _ => {}
        }
    }
    if !users.is_empty() {
        let (after, round) = (rules.delay, rules.round);
        plan(act, after, &Due { users: users.into_iter().collect(), round, ..Due::default() });
    }
}

/// Whether what changed of a person is something that rules look at.
fn matters(change: &Change) -> bool {
    let user = |row: &Option<Row>| row.as_deref().and_then(|row| (row as &dyn Any).downcast_ref::<User>().cloned());
    match (user(&change.before), user(&change.after)) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(before), Some(after)) => before.profile != after.profile || before.status != after.status,
    }
}

/// Does what is due.
pub fn due(state: &mut State, tx: &mut Tx<'_>, data: &Value) {
    let Ok(due) = serde_json::from_value::<Due>(data.clone()) else { return };
    let mut by = Acting::system();
    by.transaction.id = tx.draw(SITE.child("group rule jobs")).text(ALNUM, 20).into();
    let mut act = Act::new(state, tx, by);
    for id in &due.users {
        evaluate(&mut act, id);
    }
    if let Some(rule) = &due.sweep {
        sweep(&mut act, rule, &due.after);
    }
    if let Some(gone) = &due.clear {
        clear(&mut act, gone);
    }
    act.state.rules.round = due.round + 1;
    events::announce(&mut act);
    act.state.rules.round = 0;
}

/// Puts one person to all active rules.
fn evaluate(act: &mut Act<'_, '_>, id: &SmolStr) {
    let Some(user) = act.state.users.get(id).cloned() else { return };
    let rules: Vec<Arc<Rule>> =
        act.state.rules.active.iter().filter_map(|id| act.state.rules.table.get(id).cloned()).collect();
    for rule in rules {
        apply(act, &rule, &user);
    }
}

/// Puts a slice of people to one rule.
fn sweep(act: &mut Act<'_, '_>, id: &SmolStr, after: &SmolStr) {
    let rule = act.state.rules.get(id).filter(|rule| rule.status == RuleStatus::Active).cloned();
    let Some(rule) = rule else { return };
    let users: Vec<Arc<User>> = act.state.users.rows_after(after).take(SLICE).cloned().collect();
    for user in &users {
        apply(act, &rule, user);
    }
    if let Some(last) = users.last().filter(|_| users.len() == SLICE) {
        let due = Due { sweep: Some(id.clone()), after: last.id.clone(), ..Due::default() };
        plan(act, Duration::ZERO, &due);
    }
}

/// Puts a person to a rule.
fn apply(act: &mut Act<'_, '_>, rule: &Rule, user: &User) {
    let fits = fits(act.state, rule, user);
    for id in &rule.groups {
        let Some(group) = act.state.groups.get(id).cloned() else { continue };
        let member = act.state.members.contains(id, &user.id);
        match (fits, member) {
            (true, false) => {
                group::join(act, &group, user, vec![Party::rule(rule)]);
                act.state.rules.mark(&user.id, id, &rule.id);
            }
            // Whoever came by another rule is this one's too; whoever came by hand is not.
            (true, true) if !act.state.rules.of(&user.id, id).is_empty() => {
                act.state.rules.mark(&user.id, id, &rule.id);
            }
            (true, true) => {}
            (false, _) => let_go(act, &rule.id, Party::rule(rule), &group, user),
        }
    }
}

/// A rule's hold on a membership ends; where no other rule holds on to it, so does the membership.
fn let_go(act: &mut Act<'_, '_>, rule: &SmolStr, party: Party, group: &Group, user: &User) {
    let had = act.state.rules.unmark(&user.id, &group.id, rule);
    if had && act.state.rules.of(&user.id, &group.id).is_empty() {
        group::leave(act, group, user, vec![party]);
    }
}

fn fits(state: &State, rule: &Rule, user: &User) -> bool {
    let excluded = rule.excluded.contains(&user.id)
        || rule.excluded_groups.iter().any(|group| state.members.contains(group, &user.id));
    let person = Person { state, user: Some(user), app: None };
    // What cannot be evaluated for a person does not hold for them.
    user.status != Status::Deprovisioned && !excluded && expression::holds(&rule.parsed, &person).unwrap_or(false)
}

/// Takes a slice of the marks of a rule that is gone, with the memberships where that was asked for.
fn clear(act: &mut Act<'_, '_>, gone: &Clear) {
    let start = (gone.rule.clone(), SmolStr::default(), SmolStr::default());
    let own = act.state.rules.by_rule.range(start..).take_while(|(rule, ..)| *rule == gone.rule);
    let marks: Vec<_> = own.take(SLICE).cloned().collect();
    for (rule, user, group) in &marks {
        let found = act.state.users.get(user).cloned().zip(act.state.groups.get(group).cloned());
        match found {
            Some((user, group)) if gone.remove_users => {
                let party = Party::named_rule(rule.clone(), gone.name.clone());
                let_go(act, rule, party, &group, &user);
            }
            _ => drop(act.state.rules.unmark(user, group, rule)),
        }
    }
    if marks.len() == SLICE {
        plan(act, Duration::ZERO, &Due { clear: Some(gone.clone()), ..Due::default() });
    }
}
