//! Policies and their rules.
//!
//! Refusals whose words no recording has are inferred and say so in `claims.yaml`.

use dtu_contract::generic::customs::Companion;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    Deed, House, Members, Refused, Subject, policy_kinds,
    references::{self, Reference},
    resource::{
        ACTIVATE, BASE, DEACTIVATE, Resource, SELF, Style, coded, fill, holds, invalid, is, keep, keep_absent, link,
        refuse_change,
    },
};
use crate::policy::{self, POLICIES};

/// Operations whose rules are all here.
pub(super) const BEHAVES: &[&str] = &[
    "listPolicies",
    "createPolicy",
    "getPolicy",
    "replacePolicy",
    "deletePolicy",
    "activatePolicy",
    "deactivatePolicy",
    "listPolicyRules",
    "createPolicyRule",
    "getPolicyRule",
    "replacePolicyRule",
    "deletePolicyRule",
    "activatePolicyRule",
    "deactivatePolicyRule",
];

/// The rules of policies.
pub(super) const RULES: &str = "/api/v1/policies/{}/rules";

/// Policies of the Identity Engine have ids of their own.
fn prefix(members: &Members) -> &'static str {
    if policy_kinds::has_gaps(kind(members)) { "rst" } else { "00p" }
}

/// What the id of a rule begins with: of the rule that a call makes its policy says so, which the path names.
pub(super) fn rule_prefix(house: &House<'_>, members: &Members) -> &'static str {
    let policy = house.request.path.split('/').nth(4).unwrap_or_default();
    let above = house.state.objects.member(POLICIES, policy).map_or_else(|| kind(members), kind);
    rule_ids(above)
}

fn rule_ids(kind: &str) -> &'static str {
    if policy_kinds::has_gaps(kind) { "rul" } else { "0pr" }
}

fn is_own(members: &Members) -> bool {
    !holds(members, "system")
}

fn kind(members: &Members) -> &str {
    members.get("type").and_then(Value::as_str).unwrap_or_default()
}

pub(super) const ROWS: &[Resource] = &[
    Resource {
        collection: POLICIES,
        prefix,
        kept: &["settings", "conditions"],
        new: || json!({ "status": "ACTIVE", "system": false }),
        shown: || json!({ "priority": 1, "system": false, "conditions": null }),
        style: Some(Style::Hints),
        links: &[
            SELF.when(is_own),
            link("self", "", "GET PUT").when(|policy| holds(policy, "system")),
            link("rules", "/rules", "GET POST"),
            link("mappings", "/mappings", "GET POST")
                .when(|policy| is_own(policy) && is(policy, "type", "ACCESS_POLICY")),
            link("activate", "/lifecycle/activate", "POST")
                .when(|policy| is_own(policy) && is(policy, "status", "INACTIVE")),
            link("deactivate", "/lifecycle/deactivate", "POST")
                .when(|policy| is_own(policy) && is(policy, "status", "ACTIVE")),
        ],
        order: Some("priority"),
        with: with_rule,
        rule: settle_policy,
        finish: embed_rules,
        ..BASE
    },
    Resource {
        collection: RULES,
        prefix: |rule| rule_ids(kind(rule)),
        kept: &["actions", "conditions"],
        new: || json!({ "status": "ACTIVE", "system": false }),
        shown: || json!({ "priority": 1, "system": false, "conditions": null }),
        style: Some(Style::Hints),
        links: &[
            SELF.when(is_own),
            link("self", "", "GET PUT").when(|rule| holds(rule, "system")),
            ACTIVATE.when(|rule| is_own(rule) && is(rule, "status", "INACTIVE")),
            DEACTIVATE.when(|rule| is_own(rule) && is(rule, "status", "ACTIVE")),
        ],
        order: Some("priority"),
        rule: settle_rule,
        ..BASE
    },
];

/// Policies of apps and of enrolment come with the rule for all others.
fn with_rule(_: &House<'_>, subject: &Subject<'_>, members: &Members) -> Vec<Companion> {
    let Some(Value::Object(mut rule)) = policy_kinds::last_rule(kind(members)) else { return Vec::new() };
    for name in ["created", "lastUpdated"] {
        rule.insert(name.to_owned(), subject.now.floor_secs().iso_millis().into());
    }
    let place = policy::rules_of(subject.id).into();
    vec![Companion { collection: RULES.into(), place, id: None, members: rule }]
}

/// `expand=rules` shows the rules inside the policy.
fn embed_rules(house: &House<'_>, subject: &Subject<'_>, shown: &mut Members) {
    if house.query("expand").as_deref() != Some("rules") {
        return;
    }
    let place = policy::rules_of(subject.id);
    let Some(row) = super::find(RULES) else { return };
    let rules = policy::rules(house.state, subject.id).into_iter().map(|(id, rule)| {
        let subject = Subject { collection: RULES, place: &place, id, ..*subject };
        let mut shown = rule.clone();
        row.dress(house, &subject, rule, &mut shown);
        Value::Object(shown)
    });
    shown.insert("_embedded".to_owned(), json!({ "rules": rules.collect::<Vec<_>>() }));
}

fn settle_policy(
    house: &House<'_>,
    subject: &Subject<'_>,
    deed: Deed<'_>,
    members: &mut Members,
) -> Result<(), Refused> {
    match deed {
        Deed::Create => {
            if is(members, "type", "IDP_DISCOVERY") {
                // An org has one, and nobody makes another: the public document.
                return Err(Refused::Rule {
                    code: "E0000002",
                    about: "Invalid policy type specified.".into(),
                    causes: Vec::new(),
                });
            }
            members.insert("system".to_owned(), Value::Bool(false));
            let usual = policy_kinds::policy(kind(members));
            begin(house, members, usual);
            check_policy(house, subject, members)?;
            let last = policies_of(house, kind(members), subject.id) + 1;
            place(members, if policy_kinds::has_gaps(kind(members)) { Order::None } else { Order::Within(last) });
            Ok(())
        }
        Deed::Write(old) => {
            keep(old, members, &["type", "system", "status"]);
            if holds(old, "system") {
                keep(old, members, &["name", "conditions", "priority"]);
            } else {
                keep_absent(old, members, &["priority"]);
                let last = policies_of(house, kind(members), subject.id) + 1;
                place(members, if policy_kinds::has_gaps(kind(members)) { Order::None } else { Order::Within(last) });
            }
            fill(members, policy_kinds::policy(kind(members)));
            check_policy(house, subject, members)
        }
        Deed::Change(old) => refuse_system(old, "The default policy cannot be activated or deactivated."),
        Deed::Delete => {
            refuse_system(members, "The default policy cannot be deleted.")?;
            refuse_used(house, subject)
        }
    }
}

/// What a new policy or rule has, and whether it is active.
fn begin(house: &House<'_>, members: &mut Members, usual: Value) {
    fill(members, usual);
    if house.query("activate").as_deref() == Some("false") {
        members.insert("status".to_owned(), "INACTIVE".into());
    }
}

fn check_policy(house: &House<'_>, subject: &Subject<'_>, members: &Members) -> Result<(), Refused> {
    references::check_name(members)?;
    let others = policy::policies(house.state, kind(members));
    references::check_unique(others, subject.id, members, "Policy name already in use")?;
    references::check(house.state, members, &[Reference::Groups, Reference::People])
}

/// How many policies of a kind callers have made, without one.
fn policies_of(house: &House<'_>, kind: &str, but: &str) -> u64 {
    count(policy::policies(house.state, kind), but)
}

fn count(all: Vec<(&SmolStr, &Members)>, but: &str) -> u64 {
    all.iter().filter(|(id, one)| id.as_str() != but && is_own(one)).count() as u64
}

fn refuse_system(members: &Members, cause: &str) -> Result<(), Refused> {
    if holds(members, "system") { Err(invalid("system", cause)) } else { Ok(()) }
}

/// A policy that apps use stays: they must be given another first.
fn refuse_used(house: &House<'_>, subject: &Subject<'_>) -> Result<(), Refused> {
    if house.state.apps.of_policy(subject.id).next().is_some() {
        return Err(invalid("policy", "The policy is assigned to applications and cannot be deleted."));
    }
    Ok(())
}

fn settle_rule(house: &House<'_>, subject: &Subject<'_>, deed: Deed<'_>, members: &mut Members) -> Result<(), Refused> {
    let policy = policy_above(subject);
    let above = house.state.objects.member(POLICIES, policy).map(kind).unwrap_or_default();
    match deed {
        Deed::Create => {
            check_kind(above, members)?;
            members.insert("system".to_owned(), Value::Bool(false));
            begin(house, members, policy_kinds::rule(policy_kinds::rule_kind(above)));
            check_rule(house, policy, subject, members)?;
            place(members, rule_order(house, policy, above, subject.id));
            Ok(())
        }
        Deed::Write(old) => {
            refuse_change(old, members, &["type"])?;
            keep(old, members, &["type", "system", "status"]);
            keep_absent(old, members, &["priority"]);
            if holds(old, "system") {
                refuse_fixed(above)?;
                // A rule for all others stays for all: github.com/okta/terraform-provider-okta/issues/1275.
                if policy_kinds::has_gaps(above) && members.get("conditions").is_some_and(|said| !said.is_null()) {
                    return Err(coded("E0000077"));
                }
                keep(old, members, &["name", "conditions", "priority"]);
                return Ok(());
            }
            fill(members, policy_kinds::rule(policy_kinds::rule_kind(above)));
            check_rule(house, policy, subject, members)?;
            place(members, rule_order(house, policy, above, subject.id));
            Ok(())
        }
        Deed::Change(old) => refuse_system(old, "The default rule cannot be activated or deactivated."),
        Deed::Delete => refuse_system(members, "The default rule cannot be deleted."),
    }
}

/// The id of the policy that a rule is of.
pub(super) fn policy_above<'a>(subject: &Subject<'a>) -> &'a str {
    subject.place.split('/').nth(4).unwrap_or_default()
}

/// A rule is of its policy's kind, and is taken for such where nothing is said.
fn check_kind(above: &str, members: &mut Members) -> Result<(), Refused> {
    let own = policy_kinds::rule_kind(above);
    match members.get("type").and_then(Value::as_str) {
        Some(said) if said != own => Err(invalid("type", "type: The rule's type does not match the policy's type.")),
        _ => {
            members.insert("type".to_owned(), own.into());
            Ok(())
        }
    }
}

fn check_rule(house: &House<'_>, policy: &str, subject: &Subject<'_>, members: &Members) -> Result<(), Refused> {
    references::check_name(members)?;
    references::check_unique(policy::rules(house.state, policy), subject.id, members, "Rule name already in use")?;
    let all = [Reference::Groups, Reference::People, Reference::Zones, Reference::Apps, Reference::Providers];
    references::check(house.state, members, &all)
}

/// The default rules of these kinds stay as they are: developer.okta.com/docs/concepts/policies/ (default rules).
fn refuse_fixed(above: &str) -> Result<(), Refused> {
    if ["MFA_ENROLL", "IDP_DISCOVERY", "OKTA_SIGN_ON"].contains(&above) {
        return Err(invalid("system", "The default rule cannot be edited."));
    }
    Ok(())
}

/// Where a new or moved object may stand.
enum Order {
    /// From one up to here; here unless it says where.
    Within(u64),
    /// Anywhere; here unless it says where.
    Free(u64),
    /// Its kind has no order.
    None,
}

fn rule_order(house: &House<'_>, policy: &str, above: &str, but: &str) -> Order {
    let all = policy::rules(house.state, policy);
    if policy_kinds::has_gaps(above) {
        let own = all.iter().filter(|(id, one)| id.as_str() != but && is_own(one));
        let last = own.filter_map(|(_, one)| one.get("priority")?.as_u64()).max();
        return Order::Free(last.map_or(0, |last| last + 1));
    }
    Order::Within(count(all, but) + 1)
}

fn place(members: &mut Members, order: Order) {
    let said = members.get("priority").and_then(Value::as_u64);
    let priority = match order {
        Order::Within(last) => said.map_or(last, |said| said.clamp(1, last)),
        Order::Free(last) => said.unwrap_or(last),
        Order::None => 1,
    };
    members.insert("priority".to_owned(), priority.into());
}
