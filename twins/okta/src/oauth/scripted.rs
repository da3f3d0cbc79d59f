//! What affordances do with authorization servers: people's steps without a browser.

use std::sync::Arc;

use dtu_kernel::wire::Answer;
use smol_str::SmolStr;

use super::{
    authorize::{self, Refused, SignedIn},
    form::Form,
    keys,
    server::Issuer,
};
use crate::model::{Act, authorization_server, event_type::AS_KEY, user::User};

/// Takes somebody who has just signed in on to the client whose request stands in an address; gives back where the
/// browser is sent.
///
/// # Errors
/// In words: an address that is none of an authorize endpoint, a request that is not in order.
pub fn go_on(act: &mut Act<'_, '_>, address: &str, user: &Arc<User>) -> Result<String, String> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let end = path.find("/oauth2/").ok_or("the address is of no authorize endpoint")?;
    let (origin, path) = path.split_at(end);
    let name = match path.split('/').collect::<Vec<_>>()[..] {
        ["", "oauth2", "v1", "authorize"] => "",
        ["", "oauth2", name, "v1", "authorize"] => name,
        _ => return Err("the address is of no authorize endpoint".to_owned()),
    };
    let origin = if origin.is_empty() { act.tx.origin.clone() } else { SmolStr::new(origin) };
    let issuer = Issuer::named(act.state, &origin, name).map_err(|error| error.words())?;
    let form = Form::of(form_urlencoded::parse(query.as_bytes())).map_err(|error| error.description.to_string())?;
    let now = act.now();
    let answer = match authorize::read(act, &issuer, &form) {
        Ok(asked) => {
            authorize::admit_willing(act, &asked, user).map_err(str::to_owned)?;
            authorize::finish_willing(act, &asked, user, &SignedIn::by_password(now)).map_err(str::to_owned)?
        }
        Err(Refused::Shown(error)) => return Err(error.description.to_string()),
        Err(refused) => authorize::refusal(&refused),
    };
    location(&answer).ok_or_else(|| "the client wants its answer in a page: use a browser".to_owned())
}

fn location(answer: &Answer) -> Option<String> {
    let found = answer.headers.iter().find(|(name, _)| name == http::header::LOCATION);
    found.map(|(_, value)| value.clone())
}

/// Rotates the keys of a server, the org's own where the name is empty; gives back the new key's id. None where there
/// is no such server.
pub fn rotate(act: &mut Act<'_, '_>, name: &str) -> Option<String> {
    let now = act.now();
    if name.is_empty() {
        act.state.sign_on.signing = act.state.sign_on.signing.rotated(now);
        act.log(&AS_KEY, Vec::new());
        return Some(keys::key_id("", act.state.sign_on.signing.current(now)));
    }
    let server = authorization_server::rotate(act, name).ok()?;
    Some(keys::key_id(&server.id, server.signing.current(now)))
}
