//! Who a token speaks for.
//!
//! See developers.google.com/identity/openid-connect/openid-connect#obtaininguserprofileinformation.

use dtu_google_workspace::{
    model::token::Token,
    scopes::{EMAIL, OPENID, PROFILE},
};
use dtu_kernel::{operation::Typed, twin::Read};
use schemars::JsonSchema;
use serde::Serialize;
use smol_str::SmolStr;

use super::Nothing;
use crate::{Identity, error::Error};

/// The holder as `OpenID` Connect has it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UserInfo {
    sub: SmolStr,
    #[serde(flatten)]
    names: Names,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hd: Option<SmolStr>,
}

/// The holder as the oauth2 API has it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UserInfoV2 {
    id: SmolStr,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_email: Option<bool>,
    #[serde(flatten)]
    names: Names,
    #[serde(skip_serializing_if = "Option::is_none")]
    hd: Option<SmolStr>,
}

/// What only the profile's scope shows.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Names {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<&'static str>,
}

/// The picture of people who have not chosen one.
const PICTURE: &str = "https://lh3.googleusercontent.com/a/default-user=s96-c";

/// Who holds a token, as far as its scopes let one see.
struct Seen {
    id: SmolStr,
    names: Names,
    email: Option<SmolStr>,
    hd: Option<SmolStr>,
}

fn seen(cx: &Read<'_, Identity>) -> Result<Seen, Error> {
    let token: &Token = cx.caller.token.as_ref().ok_or(Error::NoCredential)?;
    let account = cx.state.account(&token.holder);
    let names = account.filter(|_| token.has_one_of(&[PROFILE])).map(|account| Names {
        name: Some(account.full_name()),
        given_name: Some(account.given_name.clone()),
        family_name: Some(account.family_name.clone()),
        picture: Some(PICTURE),
    });
    let email = if token.has_one_of(&[EMAIL]) { cx.state.email(&token.holder).cloned() } else { None };
    Ok(Seen {
        id: holder_id(token),
        names: names.unwrap_or_default(),
        email,
        hd: account.map(|_| cx.state.domain.clone()),
    })
}

/// The 21-digit id of whoever holds a token.
pub(crate) fn holder_id(token: &Token) -> SmolStr {
    use dtu_google_workspace::model::token::Holder;
    match &token.holder {
        Holder::Person(id) | Holder::Service(id) => id.clone(),
    }
}

/// Whether a token's scopes show who holds it.
pub(crate) fn shows_holder(token: &Token) -> bool {
    token.has_one_of(&[OPENID, EMAIL, PROFILE])
}

/// `openid.userinfo`.
pub fn get(cx: &Read<'_, Identity>, _: Nothing) -> Result<Typed<UserInfo>, Error> {
    let Seen { id, names, email, hd } = seen(cx)?;
    let email_verified = email.as_ref().map(|_| true);
    Ok(Typed::ok(&UserInfo { sub: id, names, email, email_verified, hd }))
}

/// `oauth2.userinfo.get` and `oauth2.userinfo.v2.me.get`.
pub fn get_v2(cx: &Read<'_, Identity>, _: Nothing) -> Result<Typed<UserInfoV2>, Error> {
    let Seen { id, names, email, hd } = seen(cx)?;
    let verified_email = email.as_ref().map(|_| true);
    Ok(Typed::ok(&UserInfoV2 { id, email, verified_email, names, hd }))
}
