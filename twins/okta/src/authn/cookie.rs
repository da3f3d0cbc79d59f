//! What a browser's session is enough for: its owner's own things.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Session/ (operations on the current session)
//! and the notes on `me` in .../tag/User/.

use dtu_kernel::twin::Scene;
use smol_str::SmolStr;

use crate::{
    Caller,
    error::Error,
    input::Input,
    limits::WHOLE,
    model::State,
    oauth::{cors, session},
};

/// Operations on the browser's own session.
const SESSION: [&str; 3] = ["getCurrentSession", "closeCurrentSession", "refreshCurrentSession"];
/// Operations on a person that the person may call on themselves.
const PERSON: [&str; 3] = ["getUser", "listAppLinks", "listUserGroups"];

/// The caller who shows a session's cookie and no token; none where the call is none that a session is enough for.
///
/// # Errors
/// `E0000007` where there is no session to speak of, `E0000005` for one that has ended, `E0000006` for other people's
/// things.
pub fn caller(state: &State, scene: &Scene<'_>, input: &Input) -> Option<Result<Caller, Error>> {
    let cookie = session::cookie(scene.request);
    if input.token.is_some() || cookie.is_none() {
        return None;
    }
    let id = scene.operation.id;
    let of_session = SESSION.contains(&id);
    if !of_session && !PERSON.contains(&id) {
        return None;
    }
    let found = session::current(state, scene.request, scene.now);
    let user = found.and_then(|session| state.users.get(&session.user));
    let Some(user) = user else {
        return Some(Err(if of_session { Error::not_found("me", "AppSession") } else { Error::coded("E0000005") }));
    };
    let named = input.resource.as_str();
    if !of_session && named != "me" && state.users.find(named).is_none_or(|other| other.id != user.id) {
        return Some(Err(Error::Forbidden));
    }
    let name = SmolStr::new(user.login());
    Some(Ok(Caller {
        user: user.id.clone(),
        token: SmolStr::default(),
        name,
        client: None,
        share: WHOLE,
        reader: cors::trusted(state, scene.request),
    }))
}
