//! The identity providers that people are linked to, the people whom a provider knows, and what it has handed out for
//! them.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentityProviderUsers/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Links, act, find_user, no_content, stamp, user_body::UserBody};
use crate::{
    Okta,
    error::Error,
    input::object,
    model::{
        State,
        idp_user::{IdpUser, SocialToken},
    },
    paging::{self, Size},
    resources::{PROVIDERS, shown_member},
};

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const ALL: &str = "/api/v1/idps/{idpId}/users";
    const ONE: &str = "/api/v1/idps/{idpId}/users/{userId}";
    const TOKENS: &str = "/api/v1/idps/{idpId}/users/{userId}/credentials/tokens";
    vec![
        Operation::read("listUserIdentityProviders", GET, "/api/v1/users/{id}/idps", list).limit("users/{id} read"),
        Operation::read("listIdentityProviderApplicationUsers", GET, ALL, list_people).limit("other"),
        Operation::read("getIdentityProviderApplicationUser", GET, ONE, get).limit("other"),
        Operation::write("linkUserToIdentityProvider", &[Method::POST], ONE, link).limit("other"),
        Operation::write("unlinkUserFromIdentityProvider", &[Method::DELETE], ONE, unlink).limit("other"),
        Operation::read("listSocialAuthTokens", GET, TOKENS, list_tokens).limit("other"),
    ]
}

/// Arguments: the person.
#[derive(Debug, Deserialize, JsonSchema)]
struct Whose {
    id: SmolStr,
}

/// `listUserIdentityProviders`.
fn list(cx: &Read<'_, Okta>, args: Whose) -> Result<Typed<Vec<Value>>, Error> {
    let user = find_user(cx.state, cx.caller, &args.id)?;
    let own = cx.state.idp_users.providers_of(&user.id);
    let shown = |id: &SmolStr| {
        let one = cx.state.objects.member(PROVIDERS, id)?;
        Some(Value::Object(shown_member(cx.state, cx.scene.request, (PROVIDERS, PROVIDERS), id, one)))
    };
    Ok(Typed::ok(&own.iter().filter_map(shown).collect()))
}

fn find_provider(state: &State, id: &str) -> Result<(), Error> {
    state.objects.member(PROVIDERS, id).map(drop).ok_or_else(|| Error::not_found(id, "IdpTrust"))
}

/// Somebody as a provider knows them.
fn body(state: &State, row: &IdpUser, origin: &str, embeds: bool) -> Value {
    let own = format!("{origin}{PROVIDERS}/{}/users/{}", row.provider, row.user);
    let links = Links::new()
        .hint("self", own, &["GET", "DELETE"])
        .hint("idp", format!("{origin}{PROVIDERS}/{}", row.provider), &["GET"])
        .hint("user", format!("{origin}/api/v1/users/{}", row.user), &["GET"]);
    let mut shown = json!({
        "id": row.user,
        "externalId": row.external,
        "created": stamp(row.created),
        "lastUpdated": stamp(row.last_updated),
        "profile": row.profile,
        "_links": links.0,
    });
    if let Some(user) = state.users.get(&row.user).filter(|_| embeds) {
        shown["_embedded"] = json!({ "user": UserBody::whole(state, user, origin) });
    }
    shown
}

/// The page size of lists of people.
const PAGE: Size = Size { default: 20, max: 200 };

/// Arguments of `listIdentityProviderApplicationUsers`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ListPeople {
    idp_id: SmolStr,
    q: Option<String>,
    after: Option<SmolStr>,
    limit: Option<i64>,
    expand: Option<String>,
}

/// `listIdentityProviderApplicationUsers`. That `q` looks at the provider's own names and at logins is inferred.
fn list_people(cx: &Read<'_, Okta>, args: ListPeople) -> Result<Typed<Vec<Value>>, Error> {
    find_provider(cx.state, &args.idp_id)?;
    let embeds = match args.expand.as_deref() {
        None | Some("") => false,
        Some("user") => true,
        Some(_) => return Err(Error::invalid("expand", "expand: The field has an invalid value")),
    };
    let limit = paging::size(args.limit, PAGE)?;
    let wanted = args.q.unwrap_or_default().to_lowercase();
    let fits = |row: &IdpUser| {
        let login = cx.state.users.get(&row.user).map_or("", |user| user.login());
        wanted.is_empty() || [row.external.as_str(), login].iter().any(|text| text.to_lowercase().starts_with(&wanted))
    };
    let from = cx.state.idp_users.of_provider(&args.idp_id, args.after.as_deref().unwrap_or_default());
    let mut rows: Vec<_> = from.filter(|row| fits(row)).take(limit + 1).collect();
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.user.clone());
    let shown: Vec<Value> = rows.iter().map(|row| body(cx.state, row, &cx.scene.request.origin, embeds)).collect();
    Ok(paging::linked(Typed::ok(&shown), cx.scene, limit, next.as_deref()))
}

/// Arguments: somebody, and a provider.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OfBoth {
    idp_id: SmolStr,
    user_id: SmolStr,
}

/// A person's link with a provider.
fn find<'a>(state: &'a State, provider: &str, user: &str) -> Result<&'a IdpUser, Error> {
    find_provider(state, provider)?;
    let id = state.users.find(user).map(|user| user.id.clone());
    let found = id.and_then(|id| state.idp_users.get(provider, &id));
    found.map(|row| &**row).ok_or_else(|| Error::not_found(user, "IdpAppUser"))
}

/// `getIdentityProviderApplicationUser`.
fn get(cx: &Read<'_, Okta>, args: OfBoth) -> Result<Typed<Value>, Error> {
    let row = find(cx.state, &args.idp_id, &args.user_id)?;
    Ok(Typed::ok(&body(cx.state, row, &cx.scene.request.origin, false)))
}

/// Arguments of `linkUserToIdentityProvider`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Link {
    idp_id: SmolStr,
    user_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Named,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Named {
    external_id: Option<SmolStr>,
}

/// The longest of a provider's own names.
const EXTERNAL_MAX: usize = 512;

/// `linkUserToIdentityProvider`: the provider's word is not needed for it. The words of refusals are inferred.
fn link(cx: &mut Write<'_, '_, Okta>, args: Link) -> Result<Typed<Value>, Error> {
    find_provider(cx.state, &args.idp_id)?;
    let user = find_user(cx.state, cx.caller, &args.user_id)?.clone();
    let external = args.body.external_id.filter(|external| !external.trim().is_empty());
    let external = external.ok_or_else(|| Error::fields(&[("externalId", "The field cannot be left blank")]))?;
    if external.chars().count() > EXTERNAL_MAX {
        return Err(Error::fields(&[("externalId", "The field is too long")]));
    }
    let other = cx.state.idp_users.by_external(&args.idp_id, &external);
    if other.is_some_and(|other| other.user != user.id) {
        return Err(Error::taken("externalId"));
    }
    let row = act(cx, |act| {
        let now = act.now();
        let before = act.state.idp_users.get(&args.idp_id, &user.id);
        let row = IdpUser {
            provider: args.idp_id.clone(),
            user: user.id.clone(),
            external,
            created: before.map_or(now, |row| row.created),
            last_updated: now,
            profile: before.map_or_else(Map::new, |row| row.profile.clone()),
            tokens: before.map(|row| row.tokens.clone()).unwrap_or_default(),
        };
        Ok(act.state.idp_users.put(&mut act.tx.changes, row))
    })?;
    Ok(Typed::ok(&body(cx.state, &row, &cx.scene.request.origin, false)))
}

/// `unlinkUserFromIdentityProvider`: the next time, the provider's policy says anew whom it means.
fn unlink(cx: &mut Write<'_, '_, Okta>, args: OfBoth) -> Result<Typed<()>, Error> {
    let user = find(cx.state, &args.idp_id, &args.user_id)?.user.clone();
    act(cx, |act| {
        act.state.idp_users.remove(&mut act.tx.changes, &args.idp_id, &user);
        Ok(no_content())
    })
}

/// `listSocialAuthTokens`: what the provider has handed out at the person's last sign-in.
fn list_tokens(cx: &Read<'_, Okta>, args: OfBoth) -> Result<Typed<Vec<Value>>, Error> {
    let row = find(cx.state, &args.idp_id, &args.user_id)?;
    let shown = |one: &SocialToken| {
        let mut shown = json!({
            "id": one.id, "token": one.token, "tokenType": one.kind, "tokenAuthScheme": one.scheme,
        });
        if let Some(expires) = one.expires {
            shown["expiresAt"] = json!(stamp(expires));
        }
        if !one.scopes.is_empty() {
            shown["scopes"] = json!(one.scopes);
        }
        shown
    };
    Ok(Typed::ok(&row.tokens.iter().map(shown).collect()))
}
