//! Temporary access codes, which administrators hand out.

use std::time::Duration;

use dtu_kernel::{ids::IdShape, time::Timestamp};
use serde::Serialize;
use smol_str::SmolStr;

use super::Factors;
use crate::{
    error::Error,
    model::{
        Act, SITE,
        event_type::{FACTOR_ACTIVATE, FACTOR_DEACTIVATE},
        log::Party,
        shape,
        user::{self, User},
    },
};

const ID: IdShape = shape("tac", "temporary access code");
/// What codes are drawn from: what looks like another character is left out.
const ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!@#$%*&";
/// How long a code is good, in minutes, where the caller does not say, and the least and most that may be said.
const MINUTES: (u64, u64, u64) = (10, 120, 14_400);

/// A temporary access code.
#[derive(Clone, Debug, Serialize)]
pub struct Tac {
    /// `tac...`.
    pub id: SmolStr,
    /// Whose it is.
    pub user: SmolStr,
    /// The authenticator's id.
    pub authenticator: SmolStr,
    /// The code.
    #[serde(skip)]
    pub code: SmolStr,
    /// Whether it can be used more than once.
    pub multi_use: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

impl Factors {
    /// A person's code, where it is good still.
    pub fn tac(&self, user: &str, now: Timestamp) -> Option<&Tac> {
        self.tacs.get(&SmolStr::new(user)).map(|tac| &**tac).filter(|tac| now < tac.expires)
    }
}

/// Makes a code; an earlier one ends by that.
///
/// # Errors
/// A deactivated person, or a span that is too short or too long.
pub fn issue(
    act: &mut Act<'_, '_>,
    user: &User,
    authenticator: SmolStr,
    minutes: Option<u64>,
    multi_use: bool,
) -> Result<Tac, Error> {
    if user.status == user::Status::Deprovisioned {
        return Err(Error::NotInStatus);
    }
    let (least, usual, most) = MINUTES;
    let minutes = minutes.unwrap_or(usual);
    if !(least..=most).contains(&minutes) {
        return Err(Error::invalid("ttl", format!("ttl: must be between {least} and {most}")));
    }
    let now = act.now();
    let tac = Tac {
        id: act.tx.id(&ID),
        user: user.id.clone(),
        authenticator,
        code: act.tx.draw(SITE.child("temporary access code")).text(ALPHABET, 8).into(),
        multi_use,
        created: now,
        expires: now.after(Duration::from_secs(minutes * 60)),
    };
    act.state.factors.tacs.put(&mut act.tx.changes, user.id.clone(), tac.clone());
    act.log(&FACTOR_ACTIVATE, vec![Party::user(user)]);
    Ok(tac)
}

/// Ends a person's code.
pub fn withdraw(act: &mut Act<'_, '_>, user: &User) {
    if act.state.factors.tacs.remove(&mut act.tx.changes, &user.id).is_some() {
        act.log(&FACTOR_DEACTIVATE, vec![Party::user(user)]);
    }
}
