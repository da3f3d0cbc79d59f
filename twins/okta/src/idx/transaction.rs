//! Sign-ins by the interaction code flow: what the app asked for, and where the person stands.

use std::time::Duration;

use dtu_kernel::{ids::BASE64_URL, time::Timestamp};
use serde::Serialize;
use smol_str::SmolStr;

use super::method::Method;
use crate::{
    authn::transaction::{Status, Transaction},
    model::{Act, SITE, State, grant::Passing},
};

/// How long an interaction handle is good, and a person has who is not known yet; inferred.
const BEGUN: Duration = Duration::from_secs(3_600);
/// How long somebody who is known has for each step, as in transactions of the Authentication API; inferred.
const STEP: Duration = Duration::from_secs(300);

/// The tables' names: rows in them follow from other calls.
pub const TABLES: [&str; 2] = ["idx_interactions", "idx_transactions"];

/// What an app asked for when the interaction began.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// The authorization server's id; empty for the org's own.
    pub server: SmolStr,
    /// The client.
    pub client: SmolStr,
    /// Its address, for the code.
    pub redirect: SmolStr,
    /// What it will be granted.
    pub scopes: Vec<SmolStr>,
    /// The PKCE challenge.
    pub challenge: SmolStr,
    /// For the ID token.
    pub nonce: Option<SmolStr>,
    /// The class of assurance that it wants (`acr_values`).
    pub class: Option<SmolStr>,
}

/// An interaction: the handle that the app has leads to the person's transaction.
#[derive(Clone, Debug, Serialize)]
pub struct Interaction {
    /// The state handle.
    pub state: SmolStr,
    /// When the handle ends.
    pub expires: Timestamp,
}

/// What a transaction waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Step {
    /// Somebody is to say who they are.
    Identify,
    /// The same, for a new password.
    IdentifyRecovery,
    /// An authenticator is to be chosen.
    Select,
    /// A method of the chosen authenticator is to be chosen, or a code is to be asked for.
    Data,
    /// The chosen authenticator is to be answered.
    Challenge,
    /// Somebody new is to say who they are.
    Profile,
    /// An authenticator is to be chosen for enrolment.
    SelectEnroll,
    /// A phone's number and method are to be given.
    EnrollData,
    /// An authenticator is being enrolled.
    Enroll,
    /// A new password is due, for one that is recovered.
    Reset,
    /// A new password is due, for one that has expired.
    Expired,
    /// A new password may be chosen, for one that expires soon.
    Warning,
    /// The person has signed in: there is a code.
    Done,
}

/// Somebody on the way through an app's own sign-in.
#[derive(Clone, Debug, Serialize)]
pub struct Idx {
    /// The handle that the app has, besides the state's.
    pub interaction: SmolStr,
    /// What the app asked for.
    pub asked: Asked,
    /// What is waited for.
    pub step: Step,
    /// What is being used or enrolled.
    pub with: Option<Method>,
    /// The name that was given; empty where none was.
    pub identifier: SmolStr,
    /// Whether the person wants a new password.
    pub recovers: bool,
    /// Whether the person is new.
    pub registers: bool,
    /// Whether the person has shown that the mail address is theirs.
    pub mail_proven: bool,
    /// Who, what they have shown, and which factor is in use, as in a transaction of the Authentication API.
    pub sign: Transaction,
    /// When the code that was sent to no factor ends.
    pub code_ends: Option<Timestamp>,
    /// The interaction code.
    #[serde(skip)]
    pub code: Option<SmolStr>,
    /// When it ends.
    pub expires: Timestamp,
}

impl Idx {
    /// A transaction at its beginning.
    pub fn new(interaction: SmolStr, asked: Asked) -> Self {
        Self {
            interaction,
            asked,
            step: Step::Identify,
            with: None,
            identifier: SmolStr::default(),
            recovers: false,
            registers: false,
            mail_proven: false,
            sign: Transaction { warns: true, ..Transaction::nobody(Status::MfaRequired) },
            code_ends: None,
            code: None,
            expires: Timestamp::from_secs(0),
        }
    }

    /// The same, waiting for something.
    #[must_use]
    pub fn at(self, step: Step, with: Option<Method>) -> Self {
        Self { step, with, ..self }
    }
}

/// All interactions.
#[derive(Clone, Debug)]
pub struct Interactions {
    /// By interaction handle.
    pub handles: Passing<Interaction>,
    /// By state handle.
    pub states: Passing<Idx>,
}

impl Default for Interactions {
    fn default() -> Self {
        Self { handles: Passing::new(TABLES[0]), states: Passing::new(TABLES[1]) }
    }
}

/// The transaction of a state handle.
pub fn open(state: &State, handle: &str, now: Timestamp) -> Option<Idx> {
    state.interactions.states.get(handle).filter(|idx| now < idx.expires).map(|idx| Idx::clone(idx))
}

/// The state handle of an interaction handle.
pub fn of_interaction(state: &State, handle: &str, now: Timestamp) -> Option<SmolStr> {
    state.interactions.handles.get(handle).filter(|one| now < one.expires).map(|one| one.state.clone())
}

/// Begins an interaction; its handle.
pub fn begin(act: &mut Act<'_, '_>, asked: Asked) -> SmolStr {
    let handle = SmolStr::from(act.tx.draw(SITE.child("interaction handle")).text(BASE64_URL, 43));
    restart(act, handle.clone(), asked);
    handle
}

/// Begins the transaction of an interaction anew; its state handle.
pub fn restart(act: &mut Act<'_, '_>, interaction: SmolStr, asked: Asked) -> SmolStr {
    let state = SmolStr::from(format!("02.id.{}", act.tx.draw(SITE.child("state handle")).text(BASE64_URL, 40)));
    let (now, idx) = (act.now(), Idx::new(interaction.clone(), asked));
    let known = act.state.interactions.handles.get(&interaction).cloned();
    let expires = known.as_ref().map_or_else(|| now.after(BEGUN), |one| one.expires);
    if let Some(before) = known {
        act.state.interactions.handles.remove(&mut act.tx.changes, &interaction, before.expires);
    }
    let row = Interaction { state: state.clone(), expires };
    act.state.interactions.handles.put(&mut act.tx.changes, now, interaction, expires, row);
    put(act, &state, idx);
    state
}

/// Writes a transaction, which is good for the whole span again from now on.
pub fn put(act: &mut Act<'_, '_>, handle: &SmolStr, idx: Idx) -> Idx {
    close(act, handle);
    let now = act.now();
    let life = if matches!(idx.step, Step::Identify | Step::IdentifyRecovery | Step::Profile) { BEGUN } else { STEP };
    let idx = Idx { expires: now.after(life), ..idx };
    act.state.interactions.states.put(&mut act.tx.changes, now, handle.clone(), idx.expires, idx.clone());
    idx
}

/// Ends a transaction.
pub fn close(act: &mut Act<'_, '_>, handle: &str) {
    if let Some(idx) = act.state.interactions.states.get(handle).cloned() {
        act.state.interactions.states.remove(&mut act.tx.changes, handle, idx.expires);
    }
}
