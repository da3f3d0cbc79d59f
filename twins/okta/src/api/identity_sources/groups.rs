//! Groups of an identity source and who is in them, one by one: done at once, without a session.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Body, DELETE, GET, LIMIT, POST};
use crate::{
    Okta,
    api::{act, no_content},
    error::Error,
    identity_sources::{self as sources, import, take},
    input::object,
    model::{State, identity_source::Group},
    paging::{self, Size},
};

/// The rows of the table.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/identity-sources/{identitySourceId}/groups";
    const ONE: &str = "/api/v1/identity-sources/{identitySourceId}/groups/{groupOrExternalId}";
    const MEMBERS: &str = "/api/v1/identity-sources/{identitySourceId}/groups/{groupOrExternalId}/membership";
    const MEMBER: &str =
        "/api/v1/identity-sources/{identitySourceId}/groups/{groupOrExternalId}/membership/{memberExternalId}";
    vec![
        Operation::write("createIdentitySourceGroups", POST, ALL, create).limit(LIMIT),
        Operation::read("getIdentitySourceGroup", GET, ONE, get).limit(LIMIT),
        Operation::write("updateIdentitySourceGroups", POST, ONE, update).limit(LIMIT),
        Operation::write("deleteIdentitySourceGroup", DELETE, ONE, delete).limit(LIMIT),
        Operation::read("getIdentitySourceGroupMemberships", GET, MEMBERS, list_members).limit(LIMIT),
        Operation::write("createIdentitySourceGroupsMemberships", POST, MEMBERS, join).limit(LIMIT),
        Operation::write("deleteIdentitySourceGroupMemberships", DELETE, MEMBER, leave).limit(LIMIT),
    ]
}

/// The page size. The document does not say; inferred from the most of an upload.
const PAGE: Size = Size { default: 200, max: 200 };

/// A group to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Create {
    identity_source_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Body,
}

/// A group of a source.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Which {
    identity_source_id: SmolStr,
    group_or_external_id: SmolStr,
}

/// A group with a body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Change {
    identity_source_id: SmolStr,
    group_or_external_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Body,
}

/// Somebody in a group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the path's parameters have these names")]
struct Membership {
    identity_source_id: SmolStr,
    group_or_external_id: SmolStr,
    member_external_id: SmolStr,
}

/// A page of a group's people.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Page {
    identity_source_id: SmolStr,
    group_or_external_id: SmolStr,
    after: Option<String>,
    limit: Option<i64>,
}

fn find(state: &State, source: &str, name: &str) -> Result<Arc<Group>, Error> {
    sources::find(state, source)?;
    state.sources.group(source, name).cloned().ok_or_else(|| Error::not_found(name, "IdentitySourceGroup"))
}

fn shown(group: &Group) -> Typed<Value> {
    Typed::ok(&json!({ "id": group.group, "externalId": group.external, "profile": group.profile }))
}

fn create(cx: &mut Write<'_, '_, Okta>, args: Create) -> Result<Typed<Value>, Error> {
    sources::find(cx.state, &args.identity_source_id)?;
    let one = take::group(&args.body)?;
    if cx.state.sources.group(&args.identity_source_id, &one.external).is_some() {
        return Err(Error::taken("externalId"));
    }
    let group = act(cx, |act| import::bring_group(act, &args.identity_source_id, &one))?;
    Ok(shown(&group))
}

fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    find(cx.state, &args.identity_source_id, &args.group_or_external_id).map(|group| shown(&group))
}

fn update(cx: &mut Write<'_, '_, Okta>, args: Change) -> Result<Typed<Value>, Error> {
    let known = find(cx.state, &args.identity_source_id, &args.group_or_external_id)?;
    let one = take::group_changes(&args.body, &known.external)?;
    let group = act(cx, |act| import::bring_group(act, &args.identity_source_id, &one))?;
    Ok(shown(&group))
}

fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let known = find(cx.state, &args.identity_source_id, &args.group_or_external_id)?;
    act(cx, |act| import::end_group(act, &args.identity_source_id, &known.external))?;
    Ok(no_content())
}

/// By Okta's ids of the people; the cursor is the last of them.
fn list_members(cx: &Read<'_, Okta>, args: Page) -> Result<Typed<Value>, Error> {
    let group = find(cx.state, &args.identity_source_id, &args.group_or_external_id)?;
    let limit = paging::size(args.limit, PAGE)?;
    let after = args.after.unwrap_or_default();
    if !after.is_empty() && !after.starts_with("00u") {
        return Err(Error::Cursor { search: false });
    }
    let people: Vec<&SmolStr> = cx.state.members.of_group(&group.group, &after).take(limit + 1).collect();
    let next = people.get(limit).and_then(|_| people.get(limit - 1)).map(|id| id.as_str());
    let external = |id: &&SmolStr| cx.state.sources.external_of(&args.identity_source_id, id);
    let ids: Vec<&SmolStr> = people.iter().take(limit).filter_map(external).collect();
    Ok(paging::linked(Typed::ok(&json!({ "memberExternalIds": ids })), cx.scene, limit, next))
}

fn join(cx: &mut Write<'_, '_, Okta>, args: Change) -> Result<Typed<()>, Error> {
    let known = find(cx.state, &args.identity_source_id, &args.group_or_external_id)?;
    let person = take::member(&args.body)?;
    act(cx, |act| import::join(act, &args.identity_source_id, &known.external, &person))?;
    Ok(no_content())
}

fn leave(cx: &mut Write<'_, '_, Okta>, args: Membership) -> Result<Typed<()>, Error> {
    let known = find(cx.state, &args.identity_source_id, &args.group_or_external_id)?;
    act(cx, |act| import::leave(act, &args.identity_source_id, &known.external, &args.member_external_id))?;
    Ok(no_content())
}
