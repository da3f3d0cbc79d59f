//! Prompts of Okta Verify, which people approve or reject on their phones.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    ids::{ALNUM, BASE64_URL},
    table::Changes,
    time::Timestamp,
};
use serde::Serialize;
use smol_str::SmolStr;

use super::{Delivery, Factor, Factors, Kind, under, verify};
use crate::model::{
    Act, SITE,
    event_type::{AUTH_MFA, PUSH_DENIED, PUSH_SENT},
    log::{Outcome, Party},
    user::User,
};

/// How long a prompt waits.
/// See developer.okta.com/docs/reference/api/factors/#verify-a-push-factor.
const WAITS: Duration = Duration::from_secs(300);
/// How long the outcome of a prompt can be asked for.
const KEPT: Duration = Duration::from_secs(86_400);

/// What became of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Fate {
    /// Nobody has answered.
    Waiting,
    /// Approved.
    Success,
    /// Rejected.
    Rejected,
    /// Withdrawn.
    Cancelled,
    /// Nobody answered in time.
    Timeout,
}

impl Fate {
    /// As Okta writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Success => "SUCCESS",
            Self::Rejected => "REJECTED",
            Self::Cancelled => "CANCELLED",
            Self::Timeout => "TIMEOUT",
        }
    }
}

/// A prompt on a phone.
#[derive(Clone, Debug, Serialize)]
pub struct Push {
    /// `v2mst.` or `mst`, and what is drawn.
    pub id: SmolStr,
    /// Whose it is.
    pub user: SmolStr,
    /// The factor's id.
    pub factor: SmolStr,
    /// The number that the person must pick; none where a tap is enough.
    pub number: Option<u64>,
    /// What it says that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<SmolStr>,
    /// When it was shown.
    pub shown: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// What became of it, but for its end.
    pub fate: Fate,
}

impl Push {
    /// What has become of it by now.
    pub fn fate_at(&self, now: Timestamp) -> Fate {
        if self.fate == Fate::Waiting && now >= self.expires { Fate::Timeout } else { self.fate }
    }
}

impl Factors {
    /// A factor's prompt by id.
    pub fn push(&self, factor: &str, id: &str) -> Option<&Arc<Push>> {
        self.pushes.get(&(factor.into(), id.into()))
    }

    /// The prompt of a factor that waits now: the latest.
    pub fn waiting(&self, factor: &str, now: Timestamp) -> Option<Arc<Push>> {
        let waiting = under(&self.pushes, factor).filter(|push| push.fate_at(now) == Fate::Waiting);
        waiting.max_by_key(|push| (push.shown, push.id.clone())).cloned()
    }

    /// A factor's latest prompt.
    pub fn latest(&self, factor: &str) -> Option<Arc<Push>> {
        under(&self.pushes, factor).max_by_key(|push| (push.shown, push.id.clone())).cloned()
    }

    fn put_push(&mut self, changes: &mut Changes, push: Push) -> Arc<Push> {
        let long_ago = push.shown.before(KEPT);
        let old: Vec<_> =
            under(&self.pushes, &push.factor).filter(|old| old.expires < long_ago).map(|old| old.id.clone()).collect();
        for id in old {
            self.pushes.remove(changes, &(push.factor.clone(), id));
        }
        self.pushes.put(changes, (push.factor.clone(), push.id.clone()), push)
    }
}

/// Shows a prompt on the phone of a push factor. One that waits there already is withdrawn.
pub(super) fn prompt(act: &mut Act<'_, '_>, user: &User, factor: &Factor, how: &Delivery) -> Arc<Push> {
    let now = act.tx.now;
    if let Some(waiting) = act.state.factors.waiting(&factor.id, now) {
        decide(act, &waiting, Fate::Cancelled);
    }
    let id = act.tx.draw(SITE.child("factor transaction")).text(BASE64_URL, 22);
    let number = how.number.then(|| 10 + act.tx.draw(SITE.child("factor number")).below(90));
    let push = Push {
        id: format!("v2mst.{id}").into(),
        user: user.id.clone(),
        factor: factor.id.clone(),
        number,
        message: how.message.clone(),
        shown: now,
        expires: now.after(WAITS),
        fate: Fate::Waiting,
    };
    act.log(&PUSH_SENT, vec![Party::user(user)]);
    act.state.factors.put_push(&mut act.tx.changes, push)
}

fn decide(act: &mut Act<'_, '_>, push: &Push, fate: Fate) -> Arc<Push> {
    act.state.factors.put_push(&mut act.tx.changes, Push { fate, ..push.clone() })
}

/// The person approves a prompt.
pub fn approve(act: &mut Act<'_, '_>, user: &User, push: &Push) -> Arc<Push> {
    if let Some(factor) = act.state.factors.get(&push.user, &push.factor).cloned() {
        verify::succeed(act, user, &factor, None);
    }
    decide(act, push, Fate::Success)
}

/// The person rejects a prompt.
pub fn reject(act: &mut Act<'_, '_>, user: &User, push: &Push) -> Arc<Push> {
    act.log(&PUSH_DENIED, vec![Party::user(user)]);
    act.log_outcome(&AUTH_MFA, verify::targets(act, user, &push.factor), Outcome::failure("OKTA_VERIFY_PUSH_REJECTED"));
    decide(act, push, Fate::Rejected)
}

/// The caller withdraws a prompt.
pub fn cancel(act: &mut Act<'_, '_>, push: &Push) -> Arc<Push> {
    decide(act, push, Fate::Cancelled)
}

/// A token in the address of a QR code that is not given out twice.
pub fn qr_token(factor: &Factor) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"qr code");
    hasher.update(factor.id.as_bytes());
    let bytes = hasher.finalize();
    let pick = |byte: &u8| char::from(ALNUM[usize::from(*byte) % ALNUM.len()]);
    let text: String = bytes.as_bytes().iter().map(pick).collect();
    format!("20111{text}")
}

/// Whether a prompt waits on the phone of some factor of a person.
pub fn waiting_of(factors: &Factors, user: &str, now: Timestamp) -> Option<Arc<Push>> {
    let pushes = factors.of_user(user).into_iter().filter(|factor| factor.kind == Kind::Push);
    pushes.filter_map(|factor| factors.waiting(&factor.id, now)).max_by_key(|push| push.shown)
}
