//! What a rule, or a client, asks people to show, held against what somebody has shown.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/ (verification methods of rules for
//! apps), and help.okta.com/oie/en-us/content/topics/identity-engine/authenticators/configure-authenticators.htm for
//! what each authenticator is.

use std::time::Duration;

use dtu_kernel::time::Timestamp;
use jiff::{Span, SpanRelativeTo};
use serde_json::Value;
use smol_str::SmolStr;

use crate::model::{
    factor::Kind,
    session::{Means, Proof, Shown},
};

/// What is asked for: any of these ways will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assurance(Vec<Way>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// So many that differ, and those that are required.
    Several { count: usize, differ: Differ, filters: Box<Filters> },
    /// One of each of these, in this order.
    Chain(Vec<Vec<Filter>>),
}

/// What will do of each class.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Filters {
    knowledge: Filter,
    possession: Filter,
}

impl Filters {
    const fn of(&self, class: Class) -> &Filter {
        match class {
            Class::Knowledge => &self.knowledge,
            Class::Possession => &self.possession,
        }
    }
}

/// In what two things that somebody shows must differ to count as two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Differ {
    Class,
    Authenticator,
}

/// What something is that somebody shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Knowledge,
    Possession,
}

/// What will do, and for how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the constraint's own switches")]
struct Filter {
    /// Something of it must be there.
    required: bool,
    /// How long it holds; for ever where nothing is said, and for one use only where it is zero.
    life: Option<Duration>,
    types: Vec<SmolStr>,
    methods: Vec<SmolStr>,
    only: Vec<Named>,
    not: Vec<Named>,
    device_bound: bool,
    hardware: bool,
    phishing_resistant: bool,
    /// A finger, a face or a PIN. What is kept of a sign-in does not say so of anything.
    verified: bool,
}

/// An authenticator, or one of its methods.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    key: SmolStr,
    method: Option<SmolStr>,
}

impl Assurance {
    /// What a rule for apps asks for (`verificationMethod`).
    pub(crate) fn of_rule(method: &Value) -> Self {
        match method["type"].as_str() {
            Some("AUTH_METHOD_CHAIN") => Self::of_chains(method),
            // Proofs of identity come from vendors that the twin does not have: nobody has one.
            Some("ID_PROOFING") => Self(Vec::new()),
            _ => Self::of_constraints(method),
        }
    }

    fn of_constraints(method: &Value) -> Self {
        let count = if method["factorMode"] == "1FA" { 1 } else { 2 };
        let life = span(&method["reauthenticateIn"]);
        let way = |said: &Value| Way::Several {
            count,
            differ: Differ::Class,
            filters: Box::new(Filters {
                knowledge: Filter::of_constraint(said.get("knowledge"), life),
                possession: Filter::of_constraint(said.get("possession"), life),
            }),
        };
        // The document has a list; its examples have an object as well.
        let ways: Vec<Way> = many(&method["constraints"]).into_iter().map(way).collect();
        if ways.is_empty() { Self(vec![way(&Value::Null)]) } else { Self(ways) }
    }

    fn of_chains(method: &Value) -> Self {
        let life = span(&method["reauthenticateIn"]);
        let chain = |first: &Value| {
            let life = span(&first["reauthenticateIn"]).or(life);
            let mut steps = Vec::new();
            let mut link = Some(first);
            while let Some(own) = link {
                let all = own["authenticationMethods"].as_array().into_iter().flatten();
                steps.push(all.map(|one| Filter::of_method(one, life)).collect());
                link = own["next"].as_array().and_then(|next| next.first());
            }
            Way::Chain(steps)
        };
        Self(many(&method["chains"]).into_iter().map(chain).collect())
    }

    /// What a client asks for by a value of `acr_values`; none where Okta does not know the value. People who have only
    /// one factor are asked for one where the value says "if possible".
    pub(crate) fn of_class(class: &str, is_classic: bool, has_factor: bool) -> Option<Self> {
        let several = |count, knowledge: Filter, possession: Filter| {
            let filters = Box::new(Filters { knowledge, possession });
            Some(Self(vec![Way::Several { count, differ: Differ::Authenticator, filters }]))
        };
        let (any, required) = (Filter::default, Filter { required: true, ..Filter::default() });
        let resistant = Filter { device_bound: true, phishing_resistant: true, ..required.clone() };
        match class {
            "urn:okta:loa:1fa:any" => several(1, any(), any()),
            "urn:okta:loa:1fa:pwd" => several(1, Filter { types: vec!["PASSWORD".into()], ..required }, any()),
            "urn:okta:loa:2fa:any" => several(2, any(), any()),
            _ if is_classic => None,
            "urn:okta:loa:2fa:any:ifpossible" => several(if has_factor { 2 } else { 1 }, any(), any()),
            "phr" => several(1, any(), resistant),
            "phrh" => several(1, any(), Filter { hardware: true, ..resistant }),
            _ => None,
        }
    }

    /// What is still missing: ways to go on, of each what may be shown next. None where nothing is.
    pub(crate) fn missing(&self, proof: &Proof, now: Timestamp) -> Option<Vec<Means>> {
        let mut next = Vec::new();
        for way in &self.0 {
            let more = way.missing(&proof.shown, now)?;
            next.extend(more.into_iter().filter(|means| !next.contains(means)).collect::<Vec<_>>());
        }
        Some(next)
    }
}

impl Way {
    fn missing(&self, shown: &[Shown], now: Timestamp) -> Option<Vec<Means>> {
        match self {
            Self::Chain(steps) => {
                let done = |step: &&Vec<Filter>| step.iter().any(|own| shown.iter().any(|one| own.takes(one, now)));
                let step = steps.iter().find(|step| !done(step))?;
                Some(all_means().filter(|means| step.iter().any(|own| own.fits(*means))).collect())
            }
            Self::Several { count, differ, filters } => {
                let filter = |means: Means| filters.of(class(means));
                let counted: Vec<Means> =
                    shown.iter().filter(|one| filter(one.means).takes(one, now)).map(|one| one.means).collect();
                let has = |wanted: Class| counted.iter().any(|means| class(*means) == wanted);
                let lacking = |wanted: Class| filters.of(wanted).required && !has(wanted);
                let short = lacking(Class::Knowledge) || lacking(Class::Possession);
                if !short && differ.count(&counted) >= *count {
                    return None;
                }
                let helps = |means: &Means| {
                    let new = if short { lacking(class(*means)) } else { differ.is_new(&counted, *means) };
                    new && filter(*means).fits(*means)
                };
                Some(all_means().filter(helps).collect())
            }
        }
    }
}

impl Differ {
    fn same(self, one: Means, other: Means) -> bool {
        match self {
            Self::Class => class(one) == class(other),
            Self::Authenticator => key(one) == key(other),
        }
    }

    fn is_new(self, counted: &[Means], means: Means) -> bool {
        counted.iter().all(|one| !self.same(*one, means))
    }

    fn count(self, counted: &[Means]) -> usize {
        let first = |(at, means): &(usize, &Means)| self.is_new(&counted[..*at], **means);
        counted.iter().enumerate().filter(first).count()
    }
}

impl Filter {
    fn of_constraint(said: Option<&Value>, life: Option<Duration>) -> Self {
        let Some(said) = said.filter(|said| said.is_object()) else { return Self { life, ..Self::default() } };
        let not = named(&said["excludedAuthenticationMethods"]);
        Self {
            required: said["required"].as_bool().unwrap_or(not.is_empty()),
            life: span(&said["reauthenticateIn"]).or(life),
            types: texts(&said["types"]),
            methods: texts(&said["methods"]),
            only: named(&said["authenticationMethods"]),
            not,
            ..Self::of_characteristics(said)
        }
    }

    fn of_method(said: &Value, life: Option<Duration>) -> Self {
        Self { life, only: named(said), ..Self::of_characteristics(said) }
    }

    fn of_characteristics(said: &Value) -> Self {
        let is = |name: &str| said[name] == "REQUIRED";
        Self {
            device_bound: is("deviceBound"),
            hardware: is("hardwareProtection"),
            phishing_resistant: is("phishingResistant"),
            verified: is("userVerification"),
            ..Self::default()
        }
    }

    fn takes(&self, shown: &Shown, now: Timestamp) -> bool {
        let holds = |life: Duration| if life.is_zero() { shown.fresh } else { now.since(shown.at) <= life };
        self.fits(shown.means) && self.life.is_none_or(holds)
    }

    fn fits(&self, means: Means) -> bool {
        let among = |list: &[SmolStr], own: &[&str]| {
            list.is_empty() || list.iter().any(|said| own.iter().any(|own| said.eq_ignore_ascii_case(own)))
        };
        let is = |list: &[Named]| list.iter().any(|named| named.is(means));
        among(&self.types, types(means))
            && among(&self.methods, methods(means))
            && (self.only.is_empty() || is(&self.only))
            && !is(&self.not)
            && (!self.device_bound || is_device_bound(means))
            && (!self.hardware || means == Means::Factor(Kind::SignedNonce))
            && (!self.phishing_resistant || is_phishing_resistant(means))
            && !self.verified
    }
}

impl Named {
    fn is(&self, means: Means) -> bool {
        let key = keys(means).iter().any(|key| *key == self.key);
        let by = |method: &SmolStr| methods(means).iter().any(|own| method.eq_ignore_ascii_case(own));
        key && self.method.as_ref().is_none_or(by)
    }
}

/// All that people can show on Okta's pages.
fn all_means() -> impl Iterator<Item = Means> {
    let factors = Kind::ALL.into_iter().filter(|kind| kind.is_served()).map(Means::Factor);
    std::iter::once(Means::Password).chain(factors)
}

/// Another provider's word counts as the password: Okta's own name for the choice is "Password / `IdP`".
const fn class(means: Means) -> Class {
    match means {
        Means::Password | Means::Elsewhere | Means::Factor(Kind::Question) => Class::Knowledge,
        Means::Factor(_) => Class::Possession,
    }
}

const fn keys(means: Means) -> &'static [&'static str] {
    match means {
        Means::Password => &["okta_password"],
        Means::Elsewhere => &["okta_password", "external_idp"],
        Means::Factor(kind) => match kind {
            Kind::Question => &["security_question"],
            Kind::Totp | Kind::Push | Kind::SignedNonce => &["okta_verify"],
            Kind::GoogleTotp => &["google_otp"],
            Kind::Sms | Kind::Call => &["phone_number"],
            Kind::Email => &["okta_email"],
            Kind::WebAuthn | Kind::U2f => &["webauthn"],
            Kind::CustomTotp => &["custom_otp"],
            Kind::Rsa => &["rsa_token"],
            Kind::Symantec => &["symantec_vip"],
            Kind::YubiKey => &["yubikey_token"],
            Kind::Duo => &["duo"],
        },
    }
}

const fn key(means: Means) -> &'static str {
    keys(means)[0]
}

const fn types(means: Means) -> &'static [&'static str] {
    match means {
        Means::Password => &["PASSWORD"],
        Means::Elsewhere => &["PASSWORD", "FEDERATED"],
        Means::Factor(kind) => match kind {
            Kind::Question => &["SECURITY_QUESTION"],
            Kind::Sms | Kind::Call => &["PHONE"],
            Kind::Email => &["EMAIL"],
            Kind::WebAuthn | Kind::U2f | Kind::YubiKey | Kind::Rsa | Kind::CustomTotp => &["SECURITY_KEY"],
            _ => &["APP"],
        },
    }
}

const fn methods(means: Means) -> &'static [&'static str] {
    match means {
        Means::Password => &["PASSWORD"],
        Means::Elsewhere => &["PASSWORD", "IDP"],
        Means::Factor(kind) => match kind {
            Kind::Question => &["SECURITY_QUESTION"],
            Kind::Sms => &["SMS"],
            Kind::Call => &["VOICE"],
            Kind::Email => &["EMAIL"],
            Kind::Push => &["PUSH"],
            Kind::SignedNonce => &["SIGNED_NONCE"],
            // Both words are in use for the codes of Okta Verify.
            Kind::Totp => &["TOTP", "OTP"],
            Kind::WebAuthn | Kind::U2f => &["WEBAUTHN"],
            Kind::Duo => &["DUO"],
            _ => &["OTP"],
        },
    }
}

/// All that people possess but phones and mail.
const fn is_device_bound(means: Means) -> bool {
    match means {
        Means::Factor(kind) => !matches!(kind, Kind::Question | Kind::Sms | Kind::Call | Kind::Email),
        _ => false,
    }
}

const fn is_phishing_resistant(means: Means) -> bool {
    matches!(means, Means::Factor(Kind::WebAuthn | Kind::U2f | Kind::SignedNonce))
}

/// The members of a list, or the one that stands in its place.
fn many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(all) => all.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn texts(value: &Value) -> Vec<SmolStr> {
    many(value).into_iter().filter_map(Value::as_str).map(SmolStr::new).collect()
}

fn named(value: &Value) -> Vec<Named> {
    let one = |said: &Value| {
        let text = |name: &str| said[name].as_str().map(SmolStr::new);
        Some(Named { key: text("key")?, method: text("method") })
    };
    many(value).into_iter().filter_map(one).collect()
}

/// A span as ISO 8601 writes it (`PT2H`).
fn span(value: &Value) -> Option<Duration> {
    let span: Span = value.as_str()?.parse().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PASSWORD: Means = Means::Password;

    fn factor(kind: Kind) -> Means {
        Means::Factor(kind)
    }

    /// What was shown so many seconds ago, each with whether no app was opened since.
    fn proof(shown: &[(Means, i64, bool)]) -> Proof {
        let one = |(means, ago, fresh): &(Means, i64, bool)| Shown {
            means: *means,
            at: Timestamp::from_secs(1_000_000 - ago),
            fresh: *fresh,
        };
        Proof { shown: shown.iter().map(one).collect(), ..Proof::default() }
    }

    fn next(assurance: &Assurance, shown: &[(Means, i64, bool)]) -> Option<Vec<Means>> {
        assurance.missing(&proof(shown), Timestamp::from_secs(1_000_000))
    }

    /// Whether a rule is content, and if not what of these would help.
    fn check(method: &Value, shown: &[(Means, i64, bool)], helps: Option<&[Means]>) {
        let found = next(&Assurance::of_rule(method), shown);
        let tried = [PASSWORD, factor(Kind::Question), factor(Kind::Email), factor(Kind::Totp), factor(Kind::WebAuthn)];
        let found = found.map(|all| all.into_iter().filter(|means| tried.contains(means)).collect::<Vec<_>>());
        let mut expected = helps.map(<[Means]>::to_vec);
        let (mut sorted, at) = (found, |means: &Means| tried.iter().position(|one| one == means));
        for list in [&mut sorted, &mut expected].into_iter().flatten() {
            list.sort_by_key(at);
        }
        assert_eq!(sorted, expected, "{method} {shown:?}");
    }

    #[test]
    fn rules_ask_for_factors_of_different_types() {
        let (question, email, totp, key) =
            (factor(Kind::Question), factor(Kind::Email), factor(Kind::Totp), factor(Kind::WebAuthn));
        let mode = |mode: &str, constraints: Value| json!({ "type": "ASSURANCE", "factorMode": mode, "constraints": constraints });
        let now = |means: Means| (means, 0, true);
        let one = mode("1FA", json!([]));
        check(&one, &[], Some(&[PASSWORD, question, email, totp, key]));
        check(&one, &[now(PASSWORD)], None);
        check(&one, &[now(email)], None);
        let two = mode("2FA", json!([]));
        check(&two, &[now(PASSWORD)], Some(&[email, totp, key]));
        check(&two, &[now(PASSWORD), now(question)], Some(&[email, totp, key]));
        check(&two, &[now(totp)], Some(&[PASSWORD, question]));
        check(&two, &[now(PASSWORD), now(email)], None);
        check(&two, &[now(Means::Elsewhere), now(email)], None);
        let password = mode("1FA", json!([{ "knowledge": { "types": ["password"], "required": true } }]));
        check(&password, &[now(email), now(question)], Some(&[PASSWORD]));
        check(&password, &[now(PASSWORD)], None);
        check(&password, &[now(Means::Elsewhere)], None);
        let bound = mode("2FA", json!([{ "possession": { "deviceBound": "REQUIRED" } }]));
        check(&bound, &[now(PASSWORD), now(email)], Some(&[totp, key]));
        let resistant = mode("2FA", json!({ "possession": { "phishingResistant": "REQUIRED" } }));
        check(&resistant, &[now(PASSWORD), now(totp)], Some(&[key]));
        check(&resistant, &[now(PASSWORD), now(key)], None);
        let hardware = mode("2FA", json!([{ "possession": { "hardwareProtection": "REQUIRED" } }]));
        check(&hardware, &[now(PASSWORD), now(key)], Some(&[]));
        let without =
            mode("2FA", json!([{ "knowledge": { "excludedAuthenticationMethods": [{ "key": "okta_password" }] } }]));
        check(&without, &[now(PASSWORD), now(totp)], Some(&[question]));
        let either =
            mode("2FA", json!([{ "possession": { "methods": ["TOTP"] } }, { "possession": { "types": ["EMAIL"] } }]));
        check(&either, &[now(PASSWORD)], Some(&[totp, email]));
        let exact =
            json!([{ "possession": { "authenticationMethods": [{ "key": "okta_verify", "method": "totp" }] } }]);
        check(&mode("1FA", exact), &[now(PASSWORD)], Some(&[totp]));
        check(&json!({ "type": "ID_PROOFING", "id": "x" }), &[now(PASSWORD)], Some(&[]));
    }

    #[test]
    fn what_was_shown_holds_as_long_as_the_rule_says() {
        let email = factor(Kind::Email);
        let rule = |life: &str, knowledge: Value| json!({ "factorMode": "2FA", "reauthenticateIn": life, "constraints": [{ "knowledge": knowledge }] });
        let two_hours = rule("PT2H", json!({ "types": ["PASSWORD"] }));
        check(&two_hours, &[(PASSWORD, 7_200, false), (email, 7_200, false)], None);
        check(&two_hours, &[(PASSWORD, 7_201, false), (email, 0, false)], Some(&[PASSWORD]));
        let own = rule("PT2H", json!({ "types": ["PASSWORD"], "reauthenticateIn": "P1D" }));
        check(&own, &[(PASSWORD, 7_201, false), (email, 0, false)], None);
        let each_time = rule("PT0S", json!({}));
        check(&each_time, &[(PASSWORD, 0, false), (email, 0, true)], Some(&[PASSWORD, factor(Kind::Question)]));
        check(&each_time, &[(PASSWORD, 99, true), (email, 99, true)], None);
    }

    #[test]
    fn chains_are_gone_step_by_step() {
        let (email, totp) = (factor(Kind::Email), factor(Kind::Totp));
        let step = |key: &str, method: &str| json!({ "authenticationMethods": [{ "key": key, "method": method }] });
        let mut first = step("okta_password", "password");
        first["next"] = json!([step("okta_email", "email")]);
        let rule = json!({
            "type": "AUTH_METHOD_CHAIN", "reauthenticateIn": "PT1H", "chains": [first, step("okta_verify", "totp")],
        });
        let now = |means: Means| (means, 0, false);
        check(&rule, &[], Some(&[PASSWORD, totp]));
        check(&rule, &[now(PASSWORD)], Some(&[email, totp]));
        check(&rule, &[now(email)], Some(&[PASSWORD, totp]));
        check(&rule, &[now(PASSWORD), now(email)], None);
        check(&rule, &[now(totp)], None);
        check(&rule, &[(PASSWORD, 3_601, false), now(email)], Some(&[PASSWORD, totp]));
    }

    #[test]
    fn clients_ask_by_classes() {
        let shown = |kinds: &[Means]| kinds.iter().map(|means| (*means, 0, false)).collect::<Vec<_>>();
        let (question, key, totp) = (factor(Kind::Question), factor(Kind::WebAuthn), factor(Kind::Totp));
        let check = |class: &str, has: bool, kinds: &[Means], content: bool| {
            let assurance = Assurance::of_class(class, false, has).expect("is known");
            assert_eq!(next(&assurance, &shown(kinds)).is_none(), content, "{class} {kinds:?}");
        };
        check("urn:okta:loa:1fa:any", true, &[totp], true);
        check("urn:okta:loa:1fa:pwd", true, &[totp], false);
        check("urn:okta:loa:1fa:pwd", true, &[PASSWORD], true);
        check("urn:okta:loa:2fa:any", true, &[PASSWORD], false);
        check("urn:okta:loa:2fa:any", true, &[PASSWORD, question], true);
        check("urn:okta:loa:2fa:any:ifpossible", true, &[PASSWORD], false);
        check("urn:okta:loa:2fa:any:ifpossible", false, &[PASSWORD], true);
        check("phr", true, &[PASSWORD, totp], false);
        check("phr", true, &[PASSWORD, key], true);
        check("phrh", true, &[PASSWORD, key], false);
        assert_eq!(Assurance::of_class("magic", false, true), None);
        assert_eq!(Assurance::of_class("phr", true, true), None, "no value of the Classic Engine");
    }
}
