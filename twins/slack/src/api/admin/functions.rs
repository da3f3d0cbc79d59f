//! `admin.functions.*` and `admin.analytics.*`: what apps offer to workflows and who may use it, and figures.

use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{Asked, Doing, Fields, Method, Pages, Run, Told, analytics, done, listed, method};
use crate::model::{
    State,
    functions::{Function, Parameter},
    org::FunctionRule,
};

/// The most apps, and the most people, of one call.
const NAMED_MAX: usize = 50;
const LOOKUP_MAX: usize = 1_000;
const FUNCTIONS: Pages = Pages { kind: "function", default: 100, most: 1_000 };

pub(super) const METHODS: &[Method] = &[
    method!(
        "analytics.getFile",
        "analytics:read",
        TIER_2,
        ("feature_not_available", "not_an_admin"),
        [
            "data_not_available",
            "file_not_yet_available",
            "invalid_date",
            "invalid_type",
            "metadata_not_available",
            "metadata_only_does_not_support_date",
        ],
        Run::Send(analytics::get_file)
    ),
    method!(
        "functions.list",
        "workflows:read",
        TIER_2,
        ("not_allowed", "restricted_action"),
        ["invalid_cursor", "invalid_limit", "team_not_found"],
        Run::Look(list)
    ),
    method!(
        "functions.permissions.lookup",
        "workflows:read",
        TIER_3,
        ("access_denied", "restricted_action"),
        [],
        Run::Look(look_up)
    ),
    method!(
        "functions.permissions.set",
        "workflows:write",
        TIER_3,
        ("access_denied", "restricted_action"),
        ["function_not_found", "invalid_visibility"],
        Run::Act(set)
    ),
];

fn parameter(row: &Parameter) -> Value {
    json!({
        "type": row.kind,
        "name": row.name,
        "title": row.title,
        "description": row.description,
        "is_required": row.is_required,
    })
}

fn shown(row: &Function) -> Value {
    json!({
        "id": row.id,
        "callback_id": row.callback_id,
        "title": row.title,
        "description": row.description,
        "type": "app",
        "input_parameters": row.inputs.iter().map(parameter).collect::<Vec<_>>(),
        "output_parameters": row.outputs.iter().map(parameter).collect::<Vec<_>>(),
        "app_id": row.app,
        "date_created": row.created,
        "date_updated": row.updated,
        "date_deleted": 0,
    })
}

/// `admin.functions.list`
fn list(cx: &Asked<'_>, fields: &Fields) -> Told {
    let (from, size) = FUNCTIONS.read(fields)?;
    let apps = fields.some("app_ids", NAMED_MAX)?;
    if let Some(team) = fields.text("team_id") {
        cx.state.admin_team(&team)?;
    }
    // Apps have few functions, and come in the order of their ids.
    let mut apps: Vec<&SmolStr> = apps.iter().collect();
    apps.sort_unstable();
    apps.dedup();
    let of = |app: &SmolStr| {
        let app = app.clone();
        let rows = cx.state.content.functions.range((app.clone(), SmolStr::default())..);
        rows.take_while(move |(key, _)| key.0 == app).map(|(key, row)| (format_smolstr!("{}/{}", key.0, key.1), row))
    };
    let rows = apps.into_iter().flat_map(of).skip_while(|(key, _)| *key < from);
    Ok(listed("functions", FUNCTIONS.cut(size, rows, |row| Some(shown(row)))))
}

fn function<'a>(state: &'a State, id: &SmolStr) -> Option<&'a Function> {
    // A company has few functions.
    state.content.functions.iter().map(|(_, row)| row.as_ref()).find(|row| row.id == *id)
}

/// `admin.functions.permissions.lookup`: of functions that nobody has restricted, everyone has the use.
fn look_up(cx: &Asked<'_>, fields: &Fields) -> Told {
    let (mut permissions, mut errors, mut metadata) = (Map::new(), Map::new(), Map::new());
    for id in fields.some("function_ids", LOOKUP_MAX)? {
        if function(cx.state, &id).is_none() {
            errors.insert(id.to_string(), json!("function_not_found"));
            continue;
        }
        let rule =
            cx.state.enterprise.function_rules.get(&id).map(|rule| FunctionRule::clone(rule)).unwrap_or_default();
        let who = json!({ "type": rule.visibility(), "user_ids": rule.users });
        let row = json!({ "distribution": who, "allowed_by_admin": who, "allowed_entities": who });
        permissions.insert(id.to_string(), row);
        metadata.insert(id.to_string(), json!({}));
    }
    Ok(json!({ "permissions": permissions, "errors": errors, "metadata": metadata }))
}

/// `admin.functions.permissions.set`
fn set(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let (id, visibility) = (fields.need("function_id")?, fields.need("visibility")?);
    if function(cx.state, &id).is_none() {
        return Err("function_not_found".into());
    }
    if !["everyone", "app_collaborators", "named_entities", "no_one"].contains(&visibility.as_str()) {
        return Err("invalid_visibility".into());
    }
    let users = if visibility == "named_entities" { fields.some("user_ids", NAMED_MAX)? } else { Vec::new() };
    for user in &users {
        cx.state.admin_user(user)?;
    }
    cx.state.enterprise.function_rules.put(&mut cx.tx.changes, id, FunctionRule { visibility, users });
    Ok(done())
}
