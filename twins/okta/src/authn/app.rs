//! Signing in to an app: what its policy says of somebody, told in the log, and the page that asks them for more.

use std::sync::Arc;

use dtu_kernel::wire::Answer;
use smol_str::SmolStr;

use super::{
    pages,
    transaction::{self, Status, Transaction, Wants},
};
use crate::{
    model::{
        Act, State,
        app::App,
        assignment,
        client::Client,
        event_type::POLICY_SIGN_ON,
        factor,
        log::{Outcome, Party},
        session::Proof,
        user::User,
    },
    oauth::{log, page},
    policy::{
        self, Members,
        access::{Access, Asking, Need, Verdict, access, need},
        assurance::Assurance,
    },
};

/// What somebody signs in to: an app, or a program that has none.
#[derive(Clone, Debug)]
pub(crate) struct To {
    app: Option<Arc<App>>,
    /// How the log names it.
    pub(crate) party: Party,
}

impl To {
    /// An app.
    pub(crate) fn app(app: &Arc<App>) -> Self {
        Self { app: Some(Arc::clone(app)), party: Party::app(app) }
    }

    /// A client's app, or the client where it has none.
    pub(crate) fn client(state: &State, client: &Client) -> Self {
        let app = state.apps.get(&client.app);
        app.map_or_else(|| Self { app: None, party: log::party(client) }, Self::app)
    }

    /// The person's use of the app as the log names it, or the person.
    pub(crate) fn used(&self, state: &State, user: &User) -> Party {
        let found = self.app.as_ref().and_then(|app| assignment::find(state, app, user));
        let used = found.map(|found| Party::app_user(&found.id, found.user_name.as_deref().unwrap_or_default(), user));
        used.unwrap_or_else(|| Party::user(user))
    }
}

fn asking<'a>(act: &'a Act<'_, '_>, to: &'a To, user: &'a User, proof: &'a Proof) -> Asking<'a> {
    let address = act.by.client.address.parse().ok();
    let app = to.app.as_deref();
    Asking { app, user, proof, address, agent: &act.by.client.agent, now: act.tx.now }
}

/// What the policy of an app says of somebody who has shown so much; the log says it as well.
pub(crate) fn judge(act: &mut Act<'_, '_>, to: &To, user: &User, proof: &Proof) -> Verdict {
    let (rule, verdict) = {
        let Access { rule, verdict } = access(act.state, &asking(act, to, user, proof));
        (rule.map(|(id, rule)| party("Rule", id, rule)), verdict)
    };
    // On the Classic Engine nothing was asked.
    if rule.is_some() || verdict == Verdict::Denied {
        let (result, word) = match &verdict {
            Verdict::Denied => ("DENY", "DENIED"),
            Verdict::Missing(_) => ("CHALLENGE", "CHALLENGE"),
            Verdict::Satisfied => ("ALLOW", "AUTHENTICATED"),
        };
        let own = std::iter::once(to.party.clone()).chain(session_rule(act, user)).chain(rule);
        let reason = format!("Sign-on policy evaluation resulted in {word}").into();
        act.log_outcome(&POLICY_SIGN_ON, own.collect(), Outcome { result, reason });
    }
    verdict
}

/// What somebody has still to show for what a client asks of them; none where nothing is missing.
pub(crate) fn missing(act: &Act<'_, '_>, to: &To, user: &User, proof: &Proof, assurance: &Assurance) -> Option<Need> {
    need(act.state, &asking(act, to, user, proof), assurance)
}

/// What a client asks for by a class of assurance; none where Okta does not know the class.
pub(crate) fn of_class(state: &State, user: &User, class: &str) -> Option<Assurance> {
    Assurance::of_class(class, state.kind.is_classic(), !factor::usable(state, user).is_empty())
}

/// The rule of the global session policy that somebody is under, as a target of the log.
fn session_rule(act: &Act<'_, '_>, user: &User) -> Option<Party> {
    let found = policy::applied(act.state, "OKTA_SIGN_ON", user, act.by.client.address.parse().ok())?;
    Some(party("Rule", found.rule, found.rule_members))
}

/// A policy or a rule as a target of the log.
pub(crate) fn party(kind: &'static str, id: &SmolStr, members: &Members) -> Party {
    let name = members.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
    Party { id: id.clone(), kind, alternate_id: SmolStr::new_static("unknown"), display_name: name.into() }
}

/// The page that asks somebody who has signed in for the next thing that is needed; behind it the browser goes on to
/// `next`, a path of the org.
pub(crate) fn ask(act: &mut Act<'_, '_>, user: &Arc<User>, proof: &Proof, need: &Need, next: &str) -> Answer {
    // Who came by another provider's word begins anew.
    if need.password && !user.has_password {
        return page::sign_in(&act.state.org, next, user.login(), None);
    }
    let factors = if need.password { Vec::new() } else { need.factors.clone() };
    let wants = Wants { password: need.password, factors };
    let token = transaction::token(act);
    let waiting = Transaction { wants, ..Transaction::new(user, Status::MfaRequired, proof.clone()) };
    let waiting = transaction::put(act, &token, waiting);
    pages::asking(&act.state.org, &token, &waiting, next, None)
}
