//! Groups that identity providers make.

use std::sync::Arc;

use dtu_kernel::{
    twin::{Read, Write},
    wire::Request,
};
use http::StatusCode;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    Looked, Members, body, caller,
    filter::Filter,
    is_v2, listed, nothing,
    patch::{self, Change, Kind},
    path_of, query, refused, told, window, written,
};
use crate::{
    Slack,
    api::downloads::Nothing,
    error::Error,
    model::{
        State,
        audit::{self, Entity},
        groups::{self, Group},
        people::Role,
    },
};

const FILTERED: &[&str] = &["id", "displayName", "members", "members.value"];

fn shown(state: &State, request: &Request, group: &Group) -> Value {
    let v1 = "urn:scim:schemas:core:1.0";
    let schema = if is_v2(request) { "urn:ietf:params:scim:schemas:core:2.0:Group" } else { v1 };
    let member =
        |id: &SmolStr| json!({ "value": id, "display": state.users.get(id).map(|user| user.real_name.clone()) });
    json!({
        "schemas": [schema],
        "id": group.id,
        "displayName": group.name,
        "members": group.users.iter().map(member).collect::<Vec<_>>(),
        "meta": {
            "created": written(group.created),
            "location": format!("{}/{}/Groups/{}", request.origin, path_of(request), group.id),
        },
    })
}

/// The groups of identity providers. A company has few.
fn all(state: &State) -> impl Iterator<Item = &Arc<Group>> {
    state.groups.iter().map(|(_, group)| group).filter(|group| group.idp)
}

/// `GET /Groups`
pub(super) fn list(cx: &Read<'_, Slack>, _: Nothing) -> Looked {
    let (state, request) = (cx.state, cx.scene.request);
    let window = window(request)?;
    let text = query(request, "filter").filter(|text| !text.trim().is_empty());
    let filter = text.map(|text| Filter::parse(text.strip_prefix("filter=").unwrap_or(&text), FILTERED)).transpose()?;
    let values = |group: &Group, name: &str| match name {
        "id" => vec![group.id.to_string()],
        "displayName" => vec![group.name.to_string()],
        _ => group.users.iter().map(ToString::to_string).collect(),
    };
    let fits = |group: &&Arc<Group>| filter.as_ref().is_none_or(|filter| filter.fits(&|name| values(group, name)));
    let found: Vec<&Arc<Group>> = all(state).filter(fits).collect();
    let page = found.iter().skip(window.start).take(window.len()).map(|group| shown(state, request, group)).collect();
    listed(request, &window, found.len(), page)
}

fn find<'a>(state: &'a State, request: &Request) -> Result<&'a Arc<Group>, Error> {
    let group = state.groups.get(&request.path_param("id").into()).filter(|group| group.idp);
    group.ok_or_else(|| refused(404, "group_not_found"))
}

/// `GET /Groups/{id}`
pub(super) fn get(cx: &Read<'_, Slack>, _: Nothing) -> Looked {
    told(&shown(cx.state, cx.scene.request, find(cx.state, cx.scene.request)?), StatusCode::OK)
}

/// The people of a list of members; those with `"operation": "delete"` apart.
fn people(state: &State, members: Option<&Value>) -> Result<(Vec<SmolStr>, Vec<SmolStr>), Error> {
    let (mut come, mut go) = (Vec::new(), Vec::new());
    for member in members.and_then(Value::as_array).into_iter().flatten() {
        let id = SmolStr::new(member["value"].as_str().or(member.as_str()).unwrap_or_default());
        if member["operation"] == "delete" {
            go.push(id);
            continue;
        }
        let known = state.users.get(&id).is_some_and(|user| user.role != Role::Bot);
        if !known {
            return Err(refused(404, "user_not_found"));
        }
        come.push(id);
    }
    Ok((come, go))
}

fn name_of(members: &Members) -> Option<SmolStr> {
    members.get("displayName")?.as_str().map(|name| SmolStr::new(name.trim())).filter(|name| !name.is_empty())
}

fn check_name(state: &State, name: &SmolStr, own: Option<&SmolStr>) -> Result<(), Error> {
    let id = state.index.group_by_name.get(&SmolStr::new(name.to_lowercase()));
    if id.is_some() && id != own { Err(refused(409, "group_name_taken")) } else { Ok(()) }
}

/// `POST /Groups`
pub(super) fn create(cx: &mut Write<'_, '_, Slack>, _: Nothing) -> Looked {
    let members = body(cx.scene.request)?;
    let name = name_of(&members).ok_or_else(|| refused(400, "missing_display_name"))?;
    check_name(cx.state, &name, None)?;
    let (users, _) = people(cx.state, members.get("members"))?;
    let by = caller(cx);
    let group = groups::create_idp(cx.state, cx.tx, &by, &name);
    set_people(cx, &by, &group.id, users);
    let group = cx.state.groups.get(&group.id).cloned().unwrap_or(group);
    told(&shown(cx.state, cx.scene.request, &group), StatusCode::CREATED)
}

/// Puts these people into a group in place of those before, and writes down who came and went.
fn set_people(cx: &mut Write<'_, '_, Slack>, by: &SmolStr, id: &SmolStr, users: Vec<SmolStr>) {
    let before = cx.state.groups.get(id).map(|group| group.users.clone()).unwrap_or_default();
    groups::replace_users(cx.state, cx.tx, (by, id), users);
    let after = cx.state.groups.get(id).map(|group| group.users.clone()).unwrap_or_default();
    for user in after.iter().filter(|user| !before.contains(user)) {
        audit::log(cx.state, cx.tx, by, "user_added_to_usergroup", &Entity::user(user));
    }
    for user in before.iter().filter(|user| !after.contains(user)) {
        audit::log(cx.state, cx.tx, by, "user_removed_from_usergroup", &Entity::user(user));
    }
    groups::bring_in(cx.state, cx.tx, by, id);
}

fn rename(cx: &mut Write<'_, '_, Slack>, by: &SmolStr, id: &SmolStr, name: &SmolStr) -> Result<(), Error> {
    check_name(cx.state, name, Some(id))?;
    groups::rename(cx.state, cx.tx, (by, id), name);
    Ok(())
}

/// `PUT /Groups/{id}`: the people are those given and no others.
pub(super) fn update(cx: &mut Write<'_, '_, Slack>, _: Nothing) -> Looked {
    let (id, by) = (find(cx.state, cx.scene.request)?.id.clone(), caller(cx));
    let members = body(cx.scene.request)?;
    let name = name_of(&members).ok_or_else(|| refused(400, "missing_display_name"))?;
    let (users, _) = people(cx.state, members.get("members"))?;
    rename(cx, &by, &id, &name)?;
    set_people(cx, &by, &id, users);
    told(&shown(cx.state, cx.scene.request, find(cx.state, cx.scene.request)?), StatusCode::OK)
}

/// Adds people and takes others out.
fn move_people(cx: &mut Write<'_, '_, Slack>, by: &SmolStr, id: &SmolStr, (come, go): (Vec<SmolStr>, Vec<SmolStr>)) {
    let mut users = cx.state.groups.get(id).map(|group| group.users.clone()).unwrap_or_default();
    users.retain(|user| !go.contains(user));
    users.extend(come.into_iter().filter(|user| !go.contains(user)));
    set_people(cx, by, id, users);
}

/// `PATCH /Groups/{id}`: by members in 1.1, where each may say that it goes; by operations in 2.0.
pub(super) fn patch(cx: &mut Write<'_, '_, Slack>, _: Nothing) -> Looked {
    let (id, by) = (find(cx.state, cx.scene.request)?.id.clone(), caller(cx));
    let members = body(cx.scene.request)?;
    if is_v2(cx.scene.request) {
        for change in patch::changes(&members)? {
            operate(cx, &by, &id, &change)?;
        }
        return nothing();
    }
    let moves = people(cx.state, members.get("members"))?;
    if let Some(name) = name_of(&members) {
        rename(cx, &by, &id, &name)?;
    }
    move_people(cx, &by, &id, moves);
    nothing()
}

fn operate(cx: &mut Write<'_, '_, Slack>, by: &SmolStr, id: &SmolStr, change: &Change) -> Result<(), Error> {
    match (change.path.as_str(), change.kind) {
        ("" | "displayName", Kind::Add | Kind::Replace) => {
            let members = patch::members(change);
            if let Some(name) = name_of(&members) {
                rename(cx, by, id, &name)?;
            }
            if let Some(list) = members.get("members") {
                let (come, _) = people(cx.state, Some(list))?;
                match change.kind {
                    Kind::Replace => set_people(cx, by, id, come),
                    _ => move_people(cx, by, id, (come, Vec::new())),
                }
            }
        }
        ("members", Kind::Add) => {
            let (come, _) = people(cx.state, Some(&change.value))?;
            move_people(cx, by, id, (come, Vec::new()));
        }
        ("members", Kind::Replace) => {
            let (come, _) = people(cx.state, Some(&change.value))?;
            set_people(cx, by, id, come);
        }
        ("members", Kind::Remove) => {
            let of = |member: &Value| member["value"].as_str().or(member.as_str()).map(SmolStr::new);
            let named = change.value.as_array().map(|all| all.iter().filter_map(of).collect::<Vec<_>>());
            match (&change.only, named) {
                (Some(one), _) => move_people(cx, by, id, (Vec::new(), vec![SmolStr::new(one)])),
                (None, Some(go)) => move_people(cx, by, id, (Vec::new(), go)),
                (None, None) => set_people(cx, by, id, Vec::new()),
            }
        }
        _ => return Err(refused(400, "invalid_path")),
    }
    Ok(())
}

/// `DELETE /Groups/{id}`: it is gone, unlike people.
pub(super) fn delete(cx: &mut Write<'_, '_, Slack>, _: Nothing) -> Looked {
    let (id, by) = (find(cx.state, cx.scene.request)?.id.clone(), caller(cx));
    set_people(cx, &by, &id, Vec::new());
    groups::remove(cx.state, cx.tx, &by, &id);
    nothing()
}
