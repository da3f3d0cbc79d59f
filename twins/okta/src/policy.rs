//! Which policy, and which of its rules, applies to a person: read by sign-in, passwords and factors.
//!
//! Policies of a kind are looked at in the order of their priorities, then their rules in the order of theirs; the
//! first that is active and whose conditions hold applies. See developer.okta.com/docs/concepts/policies/.

pub(crate) mod access;
pub(crate) mod assurance;
pub(crate) mod conditions;

use std::net::IpAddr;

use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use crate::{
    model::{State, user::User},
    zone,
};

/// Where policies are kept.
pub const POLICIES: &str = "/api/v1/policies";

/// The policy for Okta's own admin console, which no app can be given.
pub const CONSOLE: &str = "Okta Admin Console";

/// Where the rules of a policy are kept.
pub fn rules_of(policy: &str) -> String {
    format!("{POLICIES}/{policy}/rules")
}

/// A policy or a rule as it is kept.
pub type Members = Map<String, Value>;

/// What applies to a person.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'a> {
    /// The policy's id.
    pub policy: &'a SmolStr,
    /// The policy.
    pub settings: &'a Members,
    /// The rule's id.
    pub rule: &'a SmolStr,
    /// The rule's actions and conditions.
    pub rule_members: &'a Members,
}

/// What a password must be, how long it lasts, and when an account is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password {
    /// The policy's id; empty where an org has none.
    pub policy: SmolStr,
    /// The least number of characters.
    pub min_length: u64,
    /// The least number of small letters.
    pub min_lower: u64,
    /// The least number of capital letters.
    pub min_upper: u64,
    /// The least number of digits.
    pub min_number: u64,
    /// The least number of other characters.
    pub min_symbol: u64,
    /// The login must not be part of it.
    pub exclude_username: bool,
    /// Attributes whose values must not be part of it (`firstName`).
    pub exclude_attributes: Vec<SmolStr>,
    /// Common passwords are refused.
    pub exclude_common: bool,
    /// It expires after so many days; never where zero.
    pub max_age_days: u64,
    /// People are warned so many days before.
    pub expire_warn_days: u64,
    /// It can be changed again only after so many minutes.
    pub min_age_minutes: u64,
    /// So many of the last ones cannot be used again.
    pub history_count: u64,
    /// So many wrong ones in a row lock the account; never where zero.
    pub max_attempts: u64,
    /// A locked account opens by itself after so many minutes; never where zero.
    pub auto_unlock_minutes: u64,
    /// Whether a person is told that the account is locked.
    pub show_lockout_failures: bool,
    /// The least length of the answer to the recovery question.
    pub min_answer_length: u64,
    /// A recovery token lasts so many minutes.
    pub recovery_token_minutes: u64,
}

/// What people may do about their own passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRule {
    /// Change it.
    pub change: bool,
    /// Reset it when it is forgotten.
    pub reset: bool,
    /// Unlock the account.
    pub unlock: bool,
}

/// Whether and how a person may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the rule's own switches")]
pub struct SignOn {
    /// The policy's id; empty where an org has none.
    pub policy: SmolStr,
    /// The rule's id; empty where none applies.
    pub rule: SmolStr,
    /// Whether access is given at all.
    pub allowed: bool,
    /// Whether a second factor is asked for.
    pub require_factor: bool,
    /// How often: `ALWAYS`, `DEVICE`, `SESSION`; empty where no factor is asked for.
    pub factor_prompt_mode: SmolStr,
    /// How many minutes a factor holds in mode `SESSION`.
    pub factor_lifetime_minutes: u64,
    /// A device is remembered unless the person says otherwise.
    pub remember_device_by_default: bool,
    /// A session ends after so many minutes without use.
    pub max_idle_minutes: u64,
    /// A session ends after so many minutes; never where zero.
    pub max_lifetime_minutes: u64,
    /// The session's cookie outlives the browser.
    pub persistent_cookie: bool,
}

/// Whether a person enrols a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enroll {
    /// It cannot be enrolled.
    NotAllowed,
    /// It may be.
    Optional,
    /// It must be.
    Required,
}

/// Which factors a person may and must enrol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrollment {
    /// The policy's id; empty where an org has none.
    pub policy: SmolStr,
    /// By key (`okta_verify`; in classic policies `okta_otp`), in the policy's order.
    pub factors: Vec<(SmolStr, Enroll)>,
}

impl Enrollment {
    /// What is said of a factor; none where the policy does not speak of it.
    pub fn of(&self, key: &str) -> Option<Enroll> {
        self.factors.iter().find(|(own, _)| own == key).map(|(_, enroll)| *enroll)
    }
}

/// The policies of a kind in the order in which they are looked at.
pub fn policies<'a>(state: &'a State, kind: &str) -> Vec<(&'a SmolStr, &'a Members)> {
    in_order(state.objects.members(POLICIES).filter(|(_, policy)| text(policy, "type") == kind).collect())
}

/// The rules of a policy in the order in which they are looked at.
pub fn rules<'a>(state: &'a State, policy: &str) -> Vec<(&'a SmolStr, &'a Members)> {
    in_order(state.objects.members(&rules_of(policy)).collect())
}

fn in_order<'a>(mut all: Vec<(&'a SmolStr, &'a Members)>) -> Vec<(&'a SmolStr, &'a Members)> {
    let priority = |one: &Members| one.get("priority").and_then(Value::as_u64).unwrap_or(u64::MAX);
    // What Okta made itself comes last.
    all.sort_by_key(|(_, one)| (one.get("system") == Some(&Value::Bool(true)), priority(one)));
    all
}

/// The policy of a kind that holds for a person, whatever its rules say.
pub fn policy<'a>(state: &'a State, kind: &str, user: &User) -> Option<(&'a SmolStr, &'a Members)> {
    policies(state, kind).into_iter().find(|(_, one)| is_active(one) && concerns(state, one, user))
}

/// The policy and the rule that apply to a person who comes from an address; where no rule of a policy applies, the
/// next policy is looked at.
pub fn applied<'a>(state: &'a State, kind: &str, user: &User, from: Option<IpAddr>) -> Option<Applied<'a>> {
    let fitting = policies(state, kind).into_iter().filter(|(_, one)| is_active(one) && concerns(state, one, user));
    fitting.into_iter().find_map(|(policy, settings)| {
        let mut all = rules(state, policy).into_iter();
        let (rule, rule_members) =
            all.find(|(_, rule)| is_active(rule) && concerns(state, rule, user) && is_from(state, rule, from))?;
        Some(Applied { policy, settings, rule, rule_members })
    })
}

/// The rule of a kind of policies that applies to whoever comes from an address, before it is known who that is: the
/// first that is for everybody.
pub fn of_everybody<'a>(state: &'a State, kind: &str, from: Option<IpAddr>) -> Option<&'a Members> {
    let is_open = |one: &Members| {
        let named = |at: &str| texts(one.get("conditions").and_then(|conditions| conditions.pointer(at)));
        let groups = named("/people/groups/include");
        let users = named("/people/users/include");
        is_active(one) && (groups.contains(&state.groups.everyone) || groups.is_empty() && users.is_empty())
    };
    let all = policies(state, kind).into_iter().filter(|(_, one)| is_open(one));
    let mut all = all.flat_map(|(id, _)| rules(state, id));
    all.find(|(_, rule)| is_open(rule) && is_from(state, rule, from)).map(|(_, rule)| rule)
}

/// What holds for a person's password.
pub fn password(state: &State, user: &User) -> Password {
    let (policy, settings) = split(policy(state, "PASSWORD", user), "/settings");
    let number = |at: &str, usual: u64| settings.pointer(at).and_then(Value::as_u64).unwrap_or(usual);
    let flag = |at: &str, usual: bool| settings.pointer(at).and_then(Value::as_bool).unwrap_or(usual);
    Password {
        policy,
        min_length: number("/password/complexity/minLength", 8),
        min_lower: number("/password/complexity/minLowerCase", 1),
        min_upper: number("/password/complexity/minUpperCase", 1),
        min_number: number("/password/complexity/minNumber", 1),
        min_symbol: number("/password/complexity/minSymbol", 0),
        exclude_username: flag("/password/complexity/excludeUsername", true),
        exclude_attributes: texts(settings.pointer("/password/complexity/excludeAttributes")),
        exclude_common: flag("/password/complexity/dictionary/common/exclude", false),
        max_age_days: number("/password/age/maxAgeDays", 0),
        expire_warn_days: number("/password/age/expireWarnDays", 0),
        min_age_minutes: number("/password/age/minAgeMinutes", 0),
        history_count: number("/password/age/historyCount", 4),
        max_attempts: number("/password/lockout/maxAttempts", 10),
        auto_unlock_minutes: number("/password/lockout/autoUnlockMinutes", 0),
        show_lockout_failures: flag("/password/lockout/showLockoutFailures", false),
        min_answer_length: number("/recovery/factors/recovery_question/properties/complexity/minLength", 4),
        recovery_token_minutes: number(
            "/recovery/factors/okta_email/properties/recoveryToken/tokenLifetimeMinutes",
            60,
        ),
    }
}

/// What a person may do about their own password from an address.
pub fn password_rule(state: &State, user: &User, from: Option<IpAddr>) -> PasswordRule {
    let rule = applied(state, "PASSWORD", user, from).map(|found| found.rule_members);
    let actions = rule.and_then(|rule| rule.get("actions")).cloned().unwrap_or_default();
    let allows = |name: &str| actions.pointer(&format!("/{name}/access")).and_then(Value::as_str) == Some("ALLOW");
    PasswordRule {
        change: allows("passwordChange"),
        reset: allows("selfServicePasswordReset"),
        unlock: allows("selfServiceUnlock"),
    }
}

/// Whether and how a person may sign in from an address. Where no rule applies, nobody may.
pub fn sign_on(state: &State, user: &User, from: Option<IpAddr>) -> SignOn {
    let found = applied(state, "OKTA_SIGN_ON", user, from);
    let actions = found.and_then(|found| found.rule_members.get("actions")).cloned().unwrap_or_default();
    let signon = actions.get("signon").cloned().unwrap_or_else(|| json!({}));
    let number = |at: &str, usual: u64| signon.pointer(at).and_then(Value::as_u64).unwrap_or(usual);
    let flag = |at: &str| signon.pointer(at).and_then(Value::as_bool).unwrap_or(false);
    let word = |at: &str| SmolStr::new(signon.pointer(at).and_then(Value::as_str).unwrap_or_default());
    SignOn {
        policy: found.map(|found| found.policy.clone()).unwrap_or_default(),
        rule: found.map(|found| found.rule.clone()).unwrap_or_default(),
        allowed: found.is_some() && word("/access") != "DENY",
        require_factor: flag("/requireFactor") || has_second_link(&signon),
        factor_prompt_mode: word("/factorPromptMode"),
        factor_lifetime_minutes: number("/factorLifetime", 0),
        remember_device_by_default: flag("/rememberDeviceByDefault"),
        max_idle_minutes: number("/session/maxSessionIdleMinutes", 120),
        max_lifetime_minutes: number("/session/maxSessionLifetimeMinutes", 0),
        persistent_cookie: flag("/session/usePersistentCookie"),
    }
}

/// Whether a rule asks for a chain of factors that goes on behind its first link:
/// pulumi.com/docs/reference/pkg/okta/policy/rulesignon.
fn has_second_link(signon: &Value) -> bool {
    let chain = signon.pointer("/challenge/chain").and_then(Value::as_array).into_iter().flatten();
    let mut next = chain.filter_map(|link| link.get("next")?.as_array());
    signon["access"] == "CHALLENGE" && next.any(|next| !next.is_empty())
}

/// Which factors a person may and must enrol.
pub fn mfa_enroll(state: &State, user: &User) -> Enrollment {
    let Some((id, policy)) = policy(state, "MFA_ENROLL", user) else {
        return Enrollment { policy: SmolStr::default(), factors: Vec::new() };
    };
    Enrollment { policy: id.clone(), factors: enrolled(policy).map(|(key, how)| (key.into(), how)).collect() }
}

/// The factors that a policy speaks of: by authenticator, or by factor in older ones.
pub(crate) fn enrolled(policy: &Members) -> impl Iterator<Item = (&str, Enroll)> {
    let part = |name: &str| policy.get("settings").and_then(|settings| settings.get(name));
    let by_key = part("authenticators").and_then(Value::as_array).into_iter().flatten();
    let modern = by_key.filter_map(|one| Some((one.get("key")?.as_str()?, one)));
    let named = part("factors").and_then(Value::as_object).into_iter().flatten();
    modern.chain(named.map(|(key, one)| (key.as_str(), one))).map(|(key, one)| (key, enroll(one)))
}

fn enroll(one: &Value) -> Enroll {
    match one.pointer("/enroll/self").and_then(Value::as_str) {
        Some("REQUIRED") => Enroll::Required,
        Some("OPTIONAL") => Enroll::Optional,
        _ => Enroll::NotAllowed,
    }
}

/// A policy's id and one of its parts.
fn split(found: Option<(&SmolStr, &Members)>, part: &str) -> (SmolStr, Value) {
    let Some((id, members)) = found else { return (SmolStr::default(), Value::Null) };
    (id.clone(), members.get(part.trim_start_matches('/')).cloned().unwrap_or_default())
}

pub(crate) fn is_active(one: &Members) -> bool {
    text(one, "status") != "INACTIVE"
}

/// Whether the people that a policy or a rule is for are such as this one.
fn concerns(state: &State, one: &Members, user: &User) -> bool {
    let people =
        |what: &str, how: &str| texts(one.get("conditions").and_then(|c| c.pointer(&format!("/people/{what}/{how}"))));
    let provider = one.get("conditions").and_then(|c| c.pointer("/authProvider/provider")).and_then(Value::as_str);
    let is_in = |groups: &[SmolStr]| {
        groups.iter().any(|group| *group == state.groups.everyone || state.members.contains(group, &user.id))
    };
    let (users, groups) = (people("users", "include"), people("groups", "include"));
    let included = users.is_empty() && groups.is_empty() || users.contains(&user.id) || is_in(&groups);
    let excluded = people("users", "exclude").contains(&user.id) || is_in(&people("groups", "exclude"));
    included && !excluded && provider.is_none_or(|kind| kind != "ACTIVE_DIRECTORY" || user.provider.r#type == kind)
}

/// Whether a rule's condition on networks holds for an address. Where none is known, only rules for any network do.
pub(crate) fn is_from(state: &State, rule: &Members, from: Option<IpAddr>) -> bool {
    let Some(network) = rule.get("conditions").and_then(|conditions| conditions.get("network")) else { return true };
    let zones = |how: &str| texts(network.get(how));
    let within = |ids: &[SmolStr]| ids.iter().any(|id| zone::contains(state, id, from));
    match network.get("connection").and_then(Value::as_str) {
        Some("ZONE") => {
            let (include, exclude) = (zones("include"), zones("exclude"));
            (include.is_empty() || within(&include)) && !within(&exclude)
        }
        _ => true,
    }
}

fn text<'a>(one: &'a Members, name: &str) -> &'a str {
    one.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn texts(value: Option<&Value>) -> Vec<SmolStr> {
    let all = value.and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_str).map(SmolStr::from).collect()
}

#[cfg(test)]
mod tests {
    use dtu_kernel::{tx::Desk, world::World};

    use super::*;

    const LENA: &str = "lena.fischer";

    struct Org(State);

    impl Org {
        fn new() -> Self {
            let world = World::find("acme", &["okta", "slack", "jira", "google"]).expect("acme is a good world");
            let mut desk = Desk::new(7, world.epoch);
            Self(crate::world::load(&world, &mut desk.tx()).expect("acme loads"))
        }

        fn put(&mut self, place: &str, id: &str, members: Value) {
            let Value::Object(members) = members else { panic!("is an object") };
            self.0.objects.put_seed(place, id, members);
        }

        fn policy(&mut self, kind: &str, id: &str, conditions: &Value, more: &Value) {
            let mut policy = json!({ "type": kind, "name": id, "priority": 1, "conditions": conditions });
            policy["settings"] = more.clone();
            self.put(POLICIES, id, policy);
        }

        fn lena(&self) -> &User {
            self.0.person(LENA).expect("works at acme")
        }
    }

    fn to(ids: &[&str]) -> Value {
        json!({ "people": { "groups": { "include": ids } } })
    }

    #[test]
    fn the_first_policy_whose_people_one_is_among_holds() {
        let mut org = Org::new();
        let length = |org: &Org| password(&org.0, org.lena()).min_length;
        assert_eq!((length(&org), password(&org.0, org.lena()).max_attempts), (8, 10), "the default policy's");
        let strict = json!({ "password": { "complexity": { "minLength": 14 } } });
        org.policy("PASSWORD", "00pNobody", &to(&["00gNobody"]), &strict);
        assert_eq!(length(&org), 8, "she is in no such group");
        let group = org.0.members.of_user(&org.lena().id).next().cloned().expect("is in a group");
        let id = org.lena().id.clone();
        let all = [
            (json!({ "people": { "groups": { "include": [group.clone()] } } }), 14),
            (json!({ "people": { "groups": { "include": [org.0.groups.everyone.clone()] } } }), 14),
            (json!({ "people": { "groups": { "include": [group.clone()], "exclude": [group] } } }), 8),
            (json!({ "people": { "users": { "include": [id.clone()] } } }), 14),
            (json!({ "people": { "users": { "exclude": [id] } } }), 8),
            (json!({ "authProvider": { "provider": "ACTIVE_DIRECTORY" } }), 8),
            (json!({ "authProvider": { "provider": "OKTA" } }), 14),
        ];
        for (conditions, expected) in all {
            org.policy("PASSWORD", "00pStrict", &conditions, &strict);
            assert_eq!(length(&org), expected, "{conditions}");
        }
        org.put(POLICIES, "00pStrict", json!({ "type": "PASSWORD", "status": "INACTIVE", "settings": strict }));
        assert_eq!(length(&org), 8, "it is inactive");
    }

    #[test]
    fn rules_go_by_priority_and_network() {
        let mut org = Org::new();
        let zone =
            |value: &str| json!({ "type": "IP", "status": "ACTIVE", "gateways": [{ "type": "CIDR", "value": value }] });
        org.put(zone::ZONES, "nzoOffice", zone("192.0.2.0/24"));
        org.policy("OKTA_SIGN_ON", "00pOne", &Value::Null, &Value::Null);
        let rule = |access: &str, priority: u64, network: Value| {
            let signon = json!({ "access": access, "requireFactor": access == "ALLOW" });
            json!({ "priority": priority, "conditions": { "network": network }, "actions": { "signon": signon } })
        };
        let inside = |how: &str| json!({ "connection": "ZONE", how: ["nzoOffice"] });
        org.put(&rules_of("00pOne"), "0prIn", rule("ALLOW", 2, inside("include")));
        let check = |org: &Org, from: &str, policy: &str, rule: &str, allowed: bool| {
            let found = sign_on(&org.0, org.lena(), from.parse().ok());
            let shown = (found.policy.starts_with(policy), found.rule.as_str(), found.allowed);
            let rule = if rule.is_empty() { found.rule.as_str() } else { rule };
            assert_eq!(shown, (true, rule, allowed), "{from}: {found:?}");
        };
        check(&org, "192.0.2.9", "00pOne", "0prIn", true);
        // No rule of the policy applies: the next policy is looked at.
        check(&org, "198.51.100.1", "00p", "", true);
        assert_ne!(sign_on(&org.0, org.lena(), None).policy, "00pOne");
        org.put(&rules_of("00pOne"), "0prOut", rule("DENY", 1, inside("exclude")));
        check(&org, "198.51.100.1", "00pOne", "0prOut", false);
        check(&org, "192.0.2.9", "00pOne", "0prIn", true);
        assert!(sign_on(&org.0, org.lena(), "192.0.2.9".parse().ok()).require_factor);
    }

    #[test]
    fn enrolment_is_read_from_both_forms() {
        let mut org = Org::new();
        assert_eq!(mfa_enroll(&org.0, org.lena()).of("okta_email"), Some(Enroll::Required));
        let own = |how: &str| json!({ "enroll": { "self": how } });
        let check = |org: &mut Org, settings: Value, key: &str, expected: Option<Enroll>| {
            org.policy("MFA_ENROLL", "00pMfa", &Value::Null, &settings);
            assert_eq!(mfa_enroll(&org.0, org.lena()).of(key), expected, "{settings}");
        };
        let classic = json!({ "factors": { "okta_otp": own("REQUIRED"), "okta_sms": own("NOT_ALLOWED") } });
        check(&mut org, classic.clone(), "okta_otp", Some(Enroll::Required));
        check(&mut org, classic.clone(), "okta_sms", Some(Enroll::NotAllowed));
        check(&mut org, classic, "okta_call", None);
        let modern = json!({ "authenticators": [{ "key": "webauthn", "enroll": { "self": "OPTIONAL" } }] });
        check(&mut org, modern, "webauthn", Some(Enroll::Optional));
    }
}
