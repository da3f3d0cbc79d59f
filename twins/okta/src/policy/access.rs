//! What an app's own policy says of somebody who signs in to it: the one place that pages, SAML, grants and other ways
//! of signing in ask.
//!
//! The policy's rules are looked at by priority; the first that is active and whose conditions hold for certain decides.
//! What it asks for is held against what the person has shown. Orgs on the Classic Engine have no such policies that the
//! API could show: each of their apps lets everybody in who has a session (help.okta.com/en-us/content/topics/security/
//! policies/configure-app-signon-policies.htm, the default rule).

use std::net::IpAddr;

use dtu_kernel::time::Timestamp;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    Members, POLICIES,
    assurance::Assurance,
    conditions::{self, Context, Status},
    is_active, rules,
};
use crate::model::{
    State,
    app::App,
    device,
    factor::{self, Kind},
    session::{Means, Proof},
    user::User,
};

/// Who signs in to what, and from where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    /// The app; none of a program that has none, for which the policy holds that apps have which have no other.
    pub(crate) app: Option<&'a App>,
    /// The person.
    pub(crate) user: &'a User,
    /// What they have shown so far.
    pub(crate) proof: &'a Proof,
    /// Where they come from; none where nobody knows.
    pub(crate) address: Option<IpAddr>,
    /// Their browser as it names itself.
    pub(crate) agent: &'a str,
    /// When.
    pub(crate) now: Timestamp,
}

/// What somebody must still show, one of these next; they cannot get in where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// The password, given anew.
    pub(crate) password: bool,
    /// Kinds of factors that they have.
    pub(crate) factors: Vec<Kind>,
    /// Kinds of factors that they could enrol.
    pub(crate) enrol: Vec<Kind>,
}

impl Need {
    /// Whether they have something of it.
    pub(crate) const fn can_be_met(&self) -> bool {
        self.password || !self.factors.is_empty()
    }
}

/// What the policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They are not let in, whatever they show.
    Denied,
    /// They must show more first.
    Missing(Need),
    /// They are let in.
    Satisfied,
}

/// The rule that has decided, and what it says.
#[derive(Clone, Debug)]
pub(crate) struct Access<'a> {
    /// The rule's id and members; none where none applies.
    pub(crate) rule: Option<(&'a SmolStr, &'a Members)>,
    /// What it says.
    pub(crate) verdict: Verdict,
}

/// What the policy of an app says of somebody who signs in to it. Where no rule applies, nobody gets in.
pub(crate) fn access<'a>(state: &'a State, asking: &Asking<'_>) -> Access<'a> {
    if state.kind.is_classic() {
        return Access { rule: None, verdict: Verdict::Satisfied };
    }
    let context = context(state, asking);
    let holds = |members: &Members| conditions::attempt(state, &context, members).0 == Status::Match;
    let id = asking.app.map_or(&state.apps.policy, |app| &app.policy);
    let policy = state.objects.member(POLICIES, id).filter(|policy| is_active(policy) && holds(policy));
    let all = policy.map(|_| rules(state, id)).unwrap_or_default();
    let Some((id, rule)) = all.into_iter().find(|(_, rule)| is_active(rule) && holds(rule)) else {
        return Access { rule: None, verdict: Verdict::Denied };
    };
    let action = rule.get("actions").and_then(|actions| actions.get("appSignOn"));
    let verdict = match action {
        Some(action) if action["access"] != "DENY" => {
            let assurance = Assurance::of_rule(action.get("verificationMethod").unwrap_or(&Value::Null));
            need(state, asking, &assurance).map_or(Verdict::Satisfied, Verdict::Missing)
        }
        _ => Verdict::Denied,
    };
    Access { rule: Some((id, rule)), verdict }
}

/// What of an assurance somebody has still to show; none where nothing is missing.
pub(crate) fn need(state: &State, asking: &Asking<'_>, assurance: &Assurance) -> Option<Need> {
    let next = assurance.missing(asking.proof, asking.now)?;
    let kinds = |among: &[Kind]| -> Vec<Kind> {
        let factor = |means: &Means| if let Means::Factor(kind) = means { Some(*kind) } else { None };
        next.iter().filter_map(factor).filter(|kind| among.contains(kind)).collect()
    };
    let own: Vec<Kind> = factor::usable(state, asking.user).iter().map(|factor| factor.kind).collect();
    let offered = factor::enrollable(state, asking.user).into_iter().map(|(kind, _)| kind);
    let offered: Vec<Kind> = offered.filter(|kind| !own.contains(kind)).collect();
    // Who came by another provider's word goes there once more.
    let password = asking.user.has_password || asking.proof.elsewhere.is_some();
    Some(Need { password: password && next.contains(&Means::Password), factors: kinds(&own), enrol: kinds(&offered) })
}

/// What is known of who signs in. No sign-in of a test is out of the ordinary for them: risk is low.
fn context<'a>(state: &State, asking: &Asking<'a>) -> Context<'a> {
    let device = device(state, asking);
    let own = device.as_ref().and_then(|device| device.platform.clone());
    Context {
        app: asking.app,
        user: Some(asking.user),
        groups: Vec::new(),
        ip: asking.address,
        zones: Vec::new(),
        platform: own.or_else(|| platform(asking.agent).map(SmolStr::new_static)),
        registered: Some(device.is_some()),
        managed: Some(device.is_some_and(|device| device.managed)),
        assurance: None,
        risk: Some(SmolStr::new_static("LOW")),
    }
}

struct Device {
    platform: Option<SmolStr>,
    managed: bool,
}

/// The person's device that they have shown themselves to be at: by Okta Verify, which is set up on it.
fn device(state: &State, asking: &Asking<'_>) -> Option<Device> {
    let used = |id: &SmolStr| {
        let kind = state.factors.get(&asking.user.id, id)?.kind;
        let shown = asking.proof.shown.iter().any(|shown| shown.means == Means::Factor(kind));
        (shown && kind.is_okta_verify()).then_some(())
    };
    let mut all = state.devices.of_user(&asking.user.id);
    let (device, link) = all.find(|(device, link)| {
        device.status == device::Status::Active && link.factor.as_ref().and_then(used).is_some()
    })?;
    let platform = device.profile.get("platform").and_then(Value::as_str).map(SmolStr::new);
    let managed = device.profile.get("managed").and_then(Value::as_bool).unwrap_or(false);
    Some(Device { platform, managed: managed || link.managed })
}

/// The system that a browser names, as policies name it.
fn platform(agent: &str) -> Option<&'static str> {
    // Phones name other systems as well: the more telling word first.
    let known = [
        ("iPhone", "IOS"),
        ("iPad", "IOS"),
        ("Android", "ANDROID"),
        ("Windows", "WINDOWS"),
        ("CrOS", "CHROMEOS"),
        ("Mac OS X", "MACOS"),
        ("Macintosh", "MACOS"),
        ("Linux", "LINUX"),
    ];
    known.into_iter().find(|(word, _)| agent.contains(word)).map(|(_, system)| system)
}

#[cfg(test)]
mod tests {
    use super::platform;

    #[test]
    fn browsers_name_their_system() {
        let check = |agent: &str, expected: Option<&str>| assert_eq!(platform(agent), expected, "{agent}");
        check("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", Some("IOS"));
        check("Mozilla/5.0 (Linux; Android 15)", Some("ANDROID"));
        check("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", Some("WINDOWS"));
        check("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", Some("MACOS"));
        check("Mozilla/5.0 (X11; CrOS x86_64)", Some("CHROMEOS"));
        check("Mozilla/5.0 (X11; Linux x86_64)", Some("LINUX"));
        check("curl/8", None);
    }
}
