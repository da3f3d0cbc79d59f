//! People's sessions, and the one-time tokens that become sessions.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Session/.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use dtu_kernel::{
    ids::{ALNUM, BASE64_URL},
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::{OrdMap, OrdSet};
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    Act, SITE,
    event_type::{SESSION_CLEAR, SESSION_END, SESSION_START},
    factor::Kind,
    grant::Passing,
    log::Party,
    user::{Status, User},
};
use crate::policy;

/// How long a session token can be used.
const TOKEN: Duration = Duration::from_secs(300);
/// How long sessions are kept beyond their end.
const KEPT: Duration = Duration::from_secs(86_400);
/// How many sessions that have ended are cleared away with each new one.
const CLEARED: usize = 4;

/// How somebody has shown who they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The methods, as RFC 8176 names them (`pwd`, `mfa`, `otp`).
    pub amr: Vec<SmolStr>,
    /// When they gave a password; none where they did not.
    pub password: Option<Timestamp>,
    /// When they last used another factor.
    pub factor: Option<Timestamp>,
    /// What they have shown, the latest of each kind: what policies of apps are held against.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Shown>,
    /// The identity provider whose word they came with; none where they signed in with Okta.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
}

/// By what somebody shows who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Means {
    /// The password.
    Password,
    /// The word of another identity provider.
    Elsewhere,
    /// A factor of a kind.
    Factor(Kind),
}

/// Something that somebody has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// What.
    pub means: Means,
    /// When.
    pub at: Timestamp,
    /// Whether no app was opened with it yet: apps that ask every time take nothing else.
    pub fresh: bool,
}

/// An identity provider other than Okta itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// `0oa...`.
    pub id: SmolStr,
    /// `FEDERATION` or `SOCIAL`.
    pub kind: &'static str,
}

impl Proof {
    /// A password, given now.
    pub fn password(now: Timestamp) -> Self {
        let mut proof = Self::default();
        proof.give_password(now);
        proof
    }

    /// Adds a password, given now.
    pub fn give_password(&mut self, now: Timestamp) {
        self.add("pwd");
        self.password = Some(now);
        self.show(Means::Password, now);
    }

    /// Adds a factor, used now, beside what was shown before.
    pub fn give_factor(&mut self, kind: Kind, now: Timestamp) {
        self.add("mfa");
        self.give_first(kind, now);
    }

    /// Adds a factor, used now, with which somebody begins.
    pub fn give_first(&mut self, kind: Kind, now: Timestamp) {
        self.add(kind.method());
        self.factor = Some(now);
        self.show(Means::Factor(kind), now);
    }

    fn show(&mut self, means: Means, at: Timestamp) {
        self.shown.retain(|shown| shown.means != means);
        self.shown.push(Shown { means, at, fresh: true });
    }

    /// The word of another provider. Okta's names of methods have none for that; that it counts as a password is
    /// inferred.
    pub fn elsewhere(provider: Elsewhere, now: Timestamp) -> Self {
        let mut proof = Self { amr: vec![SmolStr::new_static("pwd")], elsewhere: Some(provider), ..Self::default() };
        proof.show(Means::Elsewhere, now);
        proof
    }

    /// Adds a method, once.
    pub fn add(&mut self, method: &str) {
        if self.amr.iter().all(|known| known != method) {
            self.amr.push(method.into());
        }
    }
}

/// Somebody's session.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// `102...`: the value of the browser's cookie.
    pub id: SmolStr,
    /// The other id under which its own links name it.
    pub alias: SmolStr,
    /// Who.
    pub user: SmolStr,
    /// When the person signed in.
    pub signed_in: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// How they signed in.
    pub proof: Proof,
}

/// A one-time token that becomes a session.
#[derive(Clone, Debug, Serialize)]
pub struct SessionToken {
    /// Who.
    pub user: SmolStr,
    /// When it ends.
    pub expires: Timestamp,
    /// How they signed in.
    pub proof: Proof,
}

/// All sessions.
#[derive(Clone, Debug)]
pub struct Sessions {
    table: Table<SmolStr, Session>,
    by_alias: OrdMap<SmolStr, SmolStr>,
    by_user: OrdSet<(SmolStr, SmolStr)>,
    by_end: OrdSet<(Timestamp, SmolStr)>,
    /// One-time tokens.
    pub tokens: Passing<SessionToken>,
}

/// The tables: rows in them follow from other calls.
pub const TABLES: [&str; 2] = ["sessions", "session_tokens"];

impl Default for Sessions {
    fn default() -> Self {
        Self {
            table: Table::new(TABLES[0]),
            by_alias: OrdMap::new(),
            by_user: OrdSet::new(),
            by_end: OrdSet::new(),
            tokens: Passing::new(TABLES[1]),
        }
    }
}

impl Sessions {
    /// A session that has not ended, by either of its ids.
    pub fn get(&self, id: &str, now: Timestamp) -> Option<&Arc<Session>> {
        let id = SmolStr::new(id);
        let found = self.table.get(&id).or_else(|| self.table.get(self.by_alias.get(&id)?));
        found.filter(|session| now < session.expires)
    }

    /// All, by id. For views.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Session>> {
        self.table.iter().map(|(_, session)| session)
    }

    fn of_user(&self, user: &SmolStr) -> Vec<SmolStr> {
        let from = self.by_user.range((user.clone(), SmolStr::default())..);
        from.take_while(|(of, _)| of == user).map(|(_, id)| id.clone()).collect()
    }

    /// Writes a session and its indexes, and clears away some that have ended long ago.
    fn put(&mut self, changes: &mut Changes, now: Timestamp, session: Session) {
        let long_ago = now.before(KEPT);
        let gone: Vec<_> = self.by_end.iter().take(CLEARED).filter(|(end, _)| *end < long_ago).cloned().collect();
        for (_, id) in gone {
            self.remove(changes, &id);
        }
        let id = session.id.clone();
        if let Some(before) = self.table.get(&id) {
            self.by_end.remove(&(before.expires, id.clone()));
        }
        self.by_alias.insert(session.alias.clone(), id.clone());
        self.by_user.insert((session.user.clone(), id.clone()));
        self.by_end.insert((session.expires, id.clone()));
        self.table.put(changes, id, session);
    }

    fn remove(&mut self, changes: &mut Changes, id: &SmolStr) -> Option<Arc<Session>> {
        let session = self.table.remove(changes, id)?;
        self.by_alias.remove(&session.alias);
        self.by_user.remove(&(session.user.clone(), id.clone()));
        self.by_end.remove(&(session.expires, id.clone()));
        Some(session)
    }
}

/// Begins somebody's session.
pub fn begin(act: &mut Act<'_, '_>, user: &User, proof: Proof) -> Session {
    let now = act.now();
    let mut draw = act.tx.draw(SITE.child("session"));
    let mut id = || SmolStr::from(format!("102{}", draw.text(BASE64_URL, 22)));
    let (id, alias) = (id(), id());
    let signed_in = proof.password.unwrap_or(now);
    let expires = end_of(act, user, signed_in);
    let session = Session { id, alias, user: user.id.clone(), signed_in, expires, proof };
    act.state.sessions.put(&mut act.tx.changes, now, session.clone());
    session
}

/// When a session ends that is used now: by the rule of the global session policy that applies to its owner.
fn end_of(act: &Act<'_, '_>, user: &User, signed_in: Timestamp) -> Timestamp {
    let minutes = |count: u64| Duration::from_secs(count.saturating_mul(60));
    let rule = policy::sign_on(act.state, user, act.by.client.address.parse().ok());
    let idle = act.now().after(minutes(rule.max_idle_minutes));
    match rule.max_lifetime_minutes {
        0 => idle,
        most => idle.min(signed_in.after(minutes(most))),
    }
}

/// Makes a one-time token for somebody who has signed in; gives back when it ends as well.
pub fn token(act: &mut Act<'_, '_>, user: &User, proof: Proof) -> (SmolStr, Timestamp) {
    // As long as recorded.
    let key = SmolStr::from(format!("20111{}", act.tx.draw(SITE.child("session token")).text(ALNUM, 50)));
    let now = act.now();
    let token = SessionToken { user: user.id.clone(), expires: now.after(TOKEN), proof };
    let ends = token.expires;
    act.state.sessions.tokens.put(&mut act.tx.changes, now, key.clone(), ends, token);
    (key, ends)
}

/// Whose a session token is, and how they signed in. It is used up by that, whatever comes of it.
pub fn redeem(act: &mut Act<'_, '_>, text: &str) -> Option<(Arc<User>, Proof)> {
    let token = act.state.sessions.tokens.get(text).cloned()?;
    act.state.sessions.tokens.remove(&mut act.tx.changes, text, token.expires);
    let user = act.state.users.get(&token.user).cloned()?;
    let good = act.tx.now < token.expires && is_open_to(&user);
    good.then(|| (user, token.proof.clone()))
}

/// Whether somebody's account is one that sessions can be of.
pub fn is_open_to(user: &User) -> bool {
    matches!(user.status, Status::Active | Status::PasswordExpired)
}

/// Makes a session that is used last as long again as a new one, but not beyond its policy's longest time.
pub fn refresh(act: &mut Act<'_, '_>, session: &Session) -> Session {
    let now = act.now();
    let owner = act.state.users.get(&session.user).cloned();
    let expires = owner.map_or(session.expires, |user| end_of(act, &user, session.signed_in));
    let session = Session { expires, ..session.clone() };
    act.state.sessions.put(&mut act.tx.changes, now, session.clone());
    session
}

/// Notes that an app was opened in a session: what was shown so far is no longer fresh.
pub fn opened(act: &mut Act<'_, '_>, id: &str) {
    let Some(row) = act.state.sessions.get(id, act.tx.now) else { return };
    if row.proof.shown.iter().any(|shown| shown.fresh) {
        let mut row = Session::clone(row);
        row.proof.shown.iter_mut().for_each(|shown| shown.fresh = false);
        let now = act.now();
        act.state.sessions.put(&mut act.tx.changes, now, row);
    }
}

/// Ends a session.
pub fn end(act: &mut Act<'_, '_>, session: &Session) {
    act.state.sessions.remove(&mut act.tx.changes, &session.id);
    let target = act.state.users.get(&session.user).map(|user| Party::user(user));
    act.log(&SESSION_END, target.into_iter().collect());
}

/// Ends a person's sessions, but for one that is kept.
pub fn clear(act: &mut Act<'_, '_>, user: &User, but: Option<&SmolStr>) {
    let ids: BTreeSet<SmolStr> = act.state.sessions.of_user(&user.id).into_iter().collect();
    for id in ids.iter().filter(|id| Some(*id) != but) {
        act.state.sessions.remove(&mut act.tx.changes, id);
    }
    act.log(&SESSION_CLEAR, vec![Party::user(user)]);
}

/// Forgets a person's sessions without a word in the log.
pub fn forget(act: &mut Act<'_, '_>, user: &SmolStr) {
    for id in act.state.sessions.of_user(user) {
        act.state.sessions.remove(&mut act.tx.changes, &id);
    }
}

/// Notes that somebody has signed in.
pub fn signed_in(act: &mut Act<'_, '_>, user: &User) -> Arc<User> {
    let row = User { last_login: Some(act.now()), ..user.clone() };
    let row = act.state.users.put(&mut act.tx.changes, row);
    act.log(&SESSION_START, vec![Party::user(&row)]);
    row
}
