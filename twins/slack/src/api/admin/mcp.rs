//! `admin.apps.mcp.servers.*`: the MCP servers of apps, and who may use them.
//!
//! <https://docs.slack.dev/reference/methods/admin.apps.mcp.servers.permissions.set>

use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{Asked, Doing, Fields, Method, Pages, Run, Told, listed, method};
use crate::{
    error::Error,
    model::mcp::{self, McpServer},
};

/// The most people and groups of one call.
const NAMED_MAX: usize = 100;
const SERVERS: Pages = Pages { kind: "server", default: 100, most: 1_000 };

pub(super) const METHODS: &[Method] = &[
    method!(
        "apps.mcp.servers.list",
        "apps:read",
        TIER_2,
        ("not_an_enterprise", "not_an_admin"),
        ["invalid_cursor", "invalid_limit"],
        Run::Look(list)
    ),
    method!(
        "apps.mcp.servers.permissions.list",
        "apps:read",
        TIER_2,
        ("not_an_enterprise", "not_an_admin"),
        ["app_not_found"],
        Run::Look(permissions)
    ),
    method!(
        "apps.mcp.servers.permissions.set",
        "apps:write",
        TIER_2,
        ("not_an_enterprise", "not_an_admin"),
        ["app_not_found", "server_not_found", "user_not_found", "usergroup_not_found"],
        Run::Act(set)
    ),
];

/// A server with who may use it: where nobody has said, the app's own rule holds.
fn shown(row: &McpServer) -> Value {
    json!({
        "server_id": row.id,
        "server_name": row.name,
        "url": row.url,
        "permission_type": if row.permission.is_empty() { "everyone" } else { &row.permission },
        "is_inherited": row.permission.is_empty(),
        "user_ids": row.users,
        "usergroup_ids": row.groups,
    })
}

/// `admin.apps.mcp.servers.list`: of apps that are installed.
fn list(cx: &Asked<'_>, fields: &Fields) -> Told {
    let (from, size) = SERVERS.read(fields)?;
    let rows = cx.state.content.mcp_servers.iter();
    let keyed = rows.map(|(key, row)| (format_smolstr!("{}.{}", key.0, key.1), row));
    let rest = keyed.skip_while(|(key, _)| *key < from);
    let page = SERVERS.cut(size, rest, |row| {
        let app = cx.state.apps.get(&row.app).filter(|app| !app.removed)?;
        Some(json!({
            "app_id": app.id,
            "app_name": app.name,
            "server_id": row.id,
            "server_name": row.name,
            "url": row.url,
        }))
    });
    Ok(listed("servers", page))
}

fn app(fields: &Fields, is_there: impl Fn(&SmolStr) -> bool) -> Result<SmolStr, Error> {
    let id = fields.need("app_id")?;
    if is_there(&id) { Ok(id) } else { Err("app_not_found".into()) }
}

/// `admin.apps.mcp.servers.permissions.list`
fn permissions(cx: &Asked<'_>, fields: &Fields) -> Told {
    let app = app(fields, |id| cx.state.apps.contains(id))?;
    let all: Vec<Value> = mcp::of_app(cx.state, &app).map(|row| shown(row)).collect();
    Ok(json!({ "servers": all }))
}

/// `admin.apps.mcp.servers.permissions.set`
fn set(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    const KINDS: &[&str] = &["everyone", "no_one", "named_entities", "named_entities_exclude"];
    let app = app(fields, |id| cx.state.apps.contains(id))?;
    let key = (app, fields.need("server_id")?);
    fields.need("permission_type")?;
    let kind = fields.word("permission_type", KINDS)?.unwrap_or("everyone");
    if !cx.state.content.mcp_servers.contains(&key) {
        return Err("server_not_found".into());
    }
    let (users, groups) = (fields.list("user_ids"), fields.list("usergroup_ids"));
    let names = kind.starts_with("named_entities");
    if names == (users.is_empty() && groups.is_empty()) || users.len() + groups.len() > NAMED_MAX {
        let words = if names { "must provide user_ids or usergroup_ids" } else { "must name nobody" };
        return Err(Error::Arguments(vec![format!("{words} [json-pointer:/permission_type]")]));
    }
    for user in &users {
        cx.state.admin_user(user)?;
    }
    if !groups.iter().all(|id| cx.state.groups.get(id).is_some_and(|group| group.deleted == 0)) {
        return Err("usergroup_not_found".into());
    }
    let row = cx.state.content.mcp_servers.update(&mut cx.tx.changes, &key, |row| {
        (row.permission, row.users, row.groups) = (SmolStr::new_static(kind), users.clone(), groups.clone());
    });
    Ok(shown(&*row.ok_or("server_not_found")?))
}
