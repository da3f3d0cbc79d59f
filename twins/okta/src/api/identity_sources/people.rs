//! People of an identity source, one by one: done at once, without a session.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
    wire::Answer,
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Body, DELETE, GET, LIMIT, PATCH, POST, PUT};
use crate::{
    Okta,
    api::{act, no_content, stamp},
    error::Error,
    identity_sources::{self as sources, import, take},
    input::object,
    model::{
        State,
        identity_source::{Brought, Person},
    },
};

/// The rows of the table.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/identity-sources/{identitySourceId}/users";
    const ONE: &str = "/api/v1/identity-sources/{identitySourceId}/users/{externalId}";
    vec![
        Operation::write("createIdentitySourceUser", POST, ALL, create).limit(LIMIT),
        Operation::read("getIdentitySourceUser", GET, ONE, get).limit(LIMIT),
        Operation::write("replaceExistingIdentitySourceUser", PUT, ONE, replace).limit(LIMIT),
        Operation::write("updateIdentitySourceUsers", PATCH, ONE, update).limit(LIMIT),
        Operation::write("deleteIdentitySourceUser", DELETE, ONE, delete).limit(LIMIT),
    ]
}

/// Somebody to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Create {
    identity_source_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Body,
}

/// Somebody of a source.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Which {
    identity_source_id: SmolStr,
    external_id: SmolStr,
}

/// Somebody to be written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Change {
    identity_source_id: SmolStr,
    external_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Body,
}

fn find(state: &State, source: &str, external: &str) -> Result<Arc<Person>, Error> {
    sources::find(state, source)?;
    let found = state.sources.person(source, external).cloned();
    found.ok_or_else(|| Error::not_found(external, "IdentitySourceUser"))
}

/// Who is there already is refused: there are other calls for them.
fn create(cx: &mut Write<'_, '_, Okta>, args: Create) -> Result<Typed<()>, Error> {
    sources::find(cx.state, &args.identity_source_id)?;
    let one = take::person(&args.body)?;
    if cx.state.sources.person(&args.identity_source_id, &one.external).is_some() {
        return Err(Error::taken("externalId"));
    }
    act(cx, |act| import::person(act, &args.identity_source_id, &one))?;
    Ok(Typed::from_answer(Answer::empty(StatusCode::OK)))
}

fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let person = find(cx.state, &args.identity_source_id, &args.external_id)?;
    Ok(Typed::ok(&json!({
        "id": person.user,
        "externalId": person.external,
        "created": stamp(person.created),
        "lastUpdated": stamp(person.last_updated),
        "profile": person.profile,
    })))
}

/// What a write answers: the profile alone.
fn written(person: &Person) -> Typed<Value> {
    Typed::ok(&json!({ "profile": person.profile }))
}

fn replace(cx: &mut Write<'_, '_, Okta>, args: Change) -> Result<Typed<Value>, Error> {
    let known = find(cx.state, &args.identity_source_id, &args.external_id)?;
    let mut one = take::same(take::person(&args.body)?, &known.external)?;
    // What is not said any more is taken away.
    for name in known.profile.keys().filter(|name| !one.profile.contains_key(*name)).cloned().collect::<Vec<_>>() {
        one.profile.insert(name, Value::Null);
    }
    let person = act(cx, |act| import::person(act, &args.identity_source_id, &one))?;
    Ok(written(&person))
}

fn update(cx: &mut Write<'_, '_, Okta>, args: Change) -> Result<Typed<Value>, Error> {
    let known = find(cx.state, &args.identity_source_id, &args.external_id)?;
    let mut profile = known.profile.clone();
    profile.extend(take::changes(&args.body)?);
    let one = Brought { external: known.external.clone(), profile };
    let person = act(cx, |act| import::person(act, &args.identity_source_id, &one))?;
    Ok(written(&person))
}

fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let known = find(cx.state, &args.identity_source_id, &args.external_id)?;
    act(cx, |act| import::let_go(act, &args.identity_source_id, &known.external))?;
    Ok(no_content())
}
