//! Owners of groups.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/GroupOwner/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    act,
    groups::find_group,
    listing::{EQUAL, has_text},
    no_content, stamp,
};
use crate::{
    Okta,
    error::Error,
    model::{
        State,
        group::Groups,
        group_owner::{self, Owner, OwnerKind},
    },
    paging::{self, Size},
    query::{Dialect, Fields, Kind, Rule},
    search::{Cursor, Order},
};

/// The rows.
pub fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const DELETE: &[Method] = &[Method::DELETE];
    const ALL: &str = "/api/v1/groups/{groupId}/owners";
    const ONE: &str = "/api/v1/groups/{groupId}/owners/{ownerId}";
    vec![
        Operation::read("listGroupOwners", GET, ALL, list).limit("groups"),
        Operation::write("assignGroupOwner", POST, ALL, assign).limit("groups"),
        Operation::write("deleteGroupOwner", DELETE, ONE, delete).limit("groups"),
    ]
}

/// An owner as Okta shows it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnerBody {
    id: SmolStr,
    r#type: &'static str,
    resolved: bool,
    display_name: SmolStr,
    origin_type: &'static str,
    last_updated: String,
}

impl OwnerBody {
    fn new(state: &State, owner: &Owner) -> Self {
        Self {
            id: owner.id.clone(),
            r#type: owner.kind.text(),
            resolved: true,
            display_name: group_owner::name(state, owner).unwrap_or_default(),
            origin_type: "OKTA_DIRECTORY",
            last_updated: stamp(owner.last_updated),
        }
    }
}

/// `search`: by type.
const SEARCH: Dialect<()> = Dialect {
    not: false,
    fold_case: true,
    operators: EQUAL,
    rule: |path| (path == "type").then_some(Rule { field: (), kind: Kind::Text, operators: EQUAL }),
};

struct ByKind<'a>(&'a Owner);

impl Fields<()> for ByKind<'_> {
    fn any(&self, (): &(), test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(self.0.kind.text())
    }
}

const PAGE: Size = Size { default: 1_000, max: 1_000 };

/// Arguments of `listGroupOwners`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct List {
    group_id: String,
    search: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// `listGroupOwners`: by id.
pub fn list(cx: &Read<'_, Okta>, args: List) -> Result<Typed<Vec<OwnerBody>>, Error> {
    let group = find_group(cx.state, &args.group_id)?;
    let limit = paging::size(args.limit, PAGE)?;
    let after = args.after.unwrap_or_default();
    if !after.is_empty() && Cursor::read::<Groups>(&after, Order::Id).is_none() {
        return Err(Error::Cursor { search: false });
    }
    let condition = match args.search.as_deref().filter(|text| has_text(Some(text))) {
        Some(text) => Some(SEARCH.read(text).map_err(|fault| Error::search(text, &fault, EQUAL))?),
        None => None,
    };
    let fits = |owner: &&std::sync::Arc<Owner>| condition.as_ref().is_none_or(|found| found.holds(&ByKind(owner)));
    let mut rows: Vec<_> = cx.state.owners.of(&group.id, &after).filter(fits).take(limit + 1).collect();
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|owner| owner.id.as_str());
    let bodies: Vec<OwnerBody> = rows.iter().map(|owner| OwnerBody::new(cx.state, owner)).collect();
    Ok(paging::linked(Typed::ok(&bodies), cx.scene, limit, next))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OwnerInput {
    id: Option<String>,
    r#type: Option<String>,
}

/// Arguments of `assignGroupOwner`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Assign {
    group_id: String,
    body: OwnerInput,
}

/// `assignGroupOwner`: 201.
pub fn assign(cx: &mut Write<'_, '_, Okta>, args: Assign) -> Result<Typed<OwnerBody>, Error> {
    let group = find_group(cx.state, &args.group_id)?;
    let blank = |field| Error::fields(&[(field, "The field cannot be left blank")]);
    let id = args.body.id.filter(|id| !id.is_empty()).ok_or_else(|| blank("id"))?;
    let kind = match args.body.r#type.as_deref() {
        Some("USER") => OwnerKind::User,
        Some("GROUP") => OwnerKind::Group,
        Some(_) => return Err(Error::fields(&[("type", "The field has an invalid value")])),
        None => return Err(blank("type")),
    };
    let owner = act(cx, |act| group_owner::assign(act, &group, kind, &id))?;
    Ok(Typed::ok(&OwnerBody::new(cx.state, &owner)).with_status(StatusCode::CREATED))
}

/// Arguments of `deleteGroupOwner`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delete {
    group_id: String,
    owner_id: String,
}

/// `deleteGroupOwner`.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: Delete) -> Result<Typed<()>, Error> {
    let group = find_group(cx.state, &args.group_id)?;
    act(cx, |act| group_owner::remove(act, &group, &args.owner_id))?;
    Ok(no_content())
}
