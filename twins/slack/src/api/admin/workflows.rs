//! `admin.workflows.*` and `admin.apps.activities.list`: the workflows of apps, who changes them, and what they did.

use std::{cmp::Reverse, sync::Arc};

use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{Asked, Doing, Fields, Method, Pages, Run, Told, done, is_bot, listed, method};
use crate::{
    error::Error,
    model::{
        State,
        activities::{Activity, LEVELS},
        functions::{Function, Parameter},
        workflows::Workflow,
    },
};

/// The most workflows and people of one call.
const NAMED_MAX: usize = 50;
/// The most workflows of which rights are looked up at once, and the most triggers of each.
const LOOKUP_MAX: usize = 1_000;
const WORKFLOWS: Pages = Pages { kind: "workflow", default: 20, most: 1_000 };
const ACTIVITIES: Pages = Pages { kind: "log_id", default: 100, most: 1_000 };

pub(super) const METHODS: &[Method] = &[
    method!(
        "workflows.search",
        "workflows:read",
        TIER_2,
        ("not_allowed", "not_allowed"),
        ["invalid_cursor", "invalid_limit"],
        Run::Look(search)
    ),
    method!(
        "workflows.permissions.lookup",
        "workflows:read",
        TIER_2,
        ("not_allowed", "not_allowed"),
        [],
        Run::Look(look_up)
    ),
    method!(
        "workflows.collaborators.add",
        "workflows:write",
        TIER_2,
        ("not_allowed", "not_allowed"),
        ["error_adding_collaborators"],
        Run::Act(|cx, fields| set_collaborators(cx, fields, true))
    ),
    method!(
        "workflows.collaborators.remove",
        "workflows:write",
        TIER_2,
        ("not_allowed", "not_allowed"),
        ["error_removing_collaborators"],
        Run::Act(|cx, fields| set_collaborators(cx, fields, false))
    ),
    method!(
        "workflows.unpublish",
        "workflows:write",
        TIER_2,
        ("not_allowed", "not_allowed"),
        ["error_unpublishing_workflows"],
        Run::Act(unpublish)
    ),
    method!(
        "apps.activities.list",
        "app_activities:read",
        TIER_3,
        ("not_an_enterprise", "not_an_admin"),
        ["invalid_app", "invalid_app_id", "invalid_cursor", "invalid_limit", "invalid_team"],
        Run::Look(activities)
    ),
];

/// The function that a workflow runs.
fn step<'a>(state: &'a State, row: &Workflow) -> Option<&'a Arc<Function>> {
    state.content.functions.get(&(row.app.clone(), row.callback_id.clone()))
}

fn parameters(list: &[Parameter]) -> Map<String, Value> {
    let row = |row: &Parameter| {
        let told = json!({
            "type": row.kind,
            "name": row.name,
            "title": row.title,
            "description": row.description,
            "is_required": row.is_required,
            "is_hidden": false,
        });
        (row.name.to_string(), told)
    };
    list.iter().map(row).collect()
}

fn shown(state: &State, row: &Workflow, triggers: usize) -> Option<Value> {
    let function = step(state, row)?;
    let inputs: Map<String, Value> = function
        .inputs
        .iter()
        .map(|input| (input.name.to_string(), json!({ "hidden": false, "locked": false })))
        .collect();
    let triggers: Vec<&SmolStr> = std::iter::once(&function.trigger).take(triggers).collect();
    Some(json!({
        "id": row.id,
        "team_id": state.workspace.id,
        "workflow_function_id": function.id,
        "callback_id": row.callback_id,
        "title": function.title,
        "description": function.description,
        "input_parameters": parameters(&function.inputs),
        "steps": [{ "id": "0", "function_id": function.id, "inputs": inputs, "is_pristine": true }],
        "collaborators": row.collaborators,
        "icons": {},
        "is_published": row.published,
        "last_updated_by": row.updated_by,
        "unpublished_change_count": 0,
        "app_id": row.app,
        "source": "code",
        "billing_type": "none",
        "date_updated": row.updated,
        "is_billable": false,
        "last_published_version_id": format!("{}-1", row.id),
        "last_published_date": row.published_at.to_string(),
        "trigger_ids": triggers,
        "is_sales_home_workflow": false,
    }))
}

/// `admin.workflows.search`: by name, from the last on unless asked otherwise. None of them is paid for by the run, so
/// that sorting by that leaves the names.
fn search(cx: &Asked<'_>, fields: &Fields) -> Told {
    let (from, size) = WORKFLOWS.read(fields)?;
    let (app, query) = (fields.text("app_id"), fields.text("query").map(|text| text.to_lowercase()));
    let people = fields.list("collaborator_ids");
    let alone = fields.flag("no_collaborators")?;
    let triggers = match fields.number("num_trigger_ids")? {
        None => 10,
        Some(n) => usize::try_from(n).map_err(|_| Error::from("invalid_arguments"))?,
    };
    fields.word("sort", &["name", "premium_runs"])?;
    let ascends = fields.word("sort_dir", &["asc", "desc"])? == Some("asc");
    let by_code = fields.word("source", &["code", "workflow_builder", "sales_home", "agent"])?;
    let status = fields.word("publish_status", &["published", "unpublished", "all"])?.unwrap_or("published");
    let says = |function: &Function| {
        let words = format!("{} {}", function.title, function.description).to_lowercase();
        query.as_ref().is_none_or(|query| words.contains(query))
    };
    let fits = |row: &Workflow| {
        app.as_ref().is_none_or(|app| row.app == *app)
            && people.iter().all(|user| row.collaborators.contains(user))
            && (!alone || row.collaborators.is_empty())
            && by_code.is_none_or(|source| source == "code")
            && (status == "all" || row.published == (status == "published"))
            && step(cx.state, row).is_some_and(|function| says(function))
    };
    // A company has few workflows.
    let kept = cx.state.content.workflows.iter().map(|(_, row)| row).filter(|row| fits(row));
    let name = |row: &Workflow| step(cx.state, row).map(|function| function.title.to_lowercase()).unwrap_or_default();
    let mut rows: Vec<_> = kept.map(|row| (format_smolstr!("{}/{}", name(row), row.id), row)).collect();
    rows.sort_by(|a, b| if ascends { a.0.cmp(&b.0) } else { Reverse(&a.0).cmp(&Reverse(&b.0)) });
    let total = rows.len();
    let rest = rows.into_iter().skip_while(|(key, _)| !from.is_empty() && *key != from);
    let mut told = listed("workflows", WORKFLOWS.cut(size, rest, |row| shown(cx.state, row, triggers)));
    told["total_found"] = json!(total);
    Ok(told)
}

/// `admin.workflows.permissions.lookup`: everybody may run what is published.
fn look_up(cx: &Asked<'_>, fields: &Fields) -> Told {
    if fields.number("max_workflow_triggers")?.is_some_and(|n| !(1..=1_000).contains(&n)) {
        return Err(Error::Arguments(vec!["must be less than 1001 [json-pointer:/max_workflow_triggers]".to_owned()]));
    }
    let mut permissions = Map::new();
    for id in fields.some("workflow_ids", LOOKUP_MAX)? {
        let Some(row) = cx.state.content.workflows.get(&id) else { continue };
        let kind = if row.published { "everyone" } else { "no_one" };
        let who = json!({
            "permission_type": kind, "user_ids": [], "channel_ids": [], "team_ids": [], "org_ids": [],
        });
        permissions.insert(id.to_string(), json!({ "complete": true, "who_can_run": who }));
    }
    Ok(json!({ "permissions": permissions }))
}

/// `admin.workflows.collaborators.add` and `remove`: all or none.
fn set_collaborators(cx: &mut Doing<'_, '_>, fields: &Fields, give: bool) -> Told {
    let users = fields.some("collaborator_ids", NAMED_MAX)?;
    let workflows = fields.some("workflow_ids", NAMED_MAX)?;
    let mut errors = Vec::new();
    for id in &workflows {
        let row = cx.state.content.workflows.get(id);
        for user in &users {
            let known = cx.state.users.get(user).is_some_and(|row| !is_bot(row) && !row.deleted);
            let message = match row {
                None => "workflow_not_found",
                Some(_) if give && !known => "user_not_found",
                Some(row) if !give && !row.collaborators.contains(user) => "user_not_collaborator",
                Some(_) => continue,
            };
            errors.push(json!({ "workflow": id, "user": user, "message": message }));
        }
    }
    if !errors.is_empty() {
        let code = if give { "error_adding_collaborators" } else { "error_removing_collaborators" };
        return Err(Error::Faults(code, errors));
    }
    for id in &workflows {
        cx.state.content.workflows.update(&mut cx.tx.changes, id, |row| {
            row.collaborators.retain(|user| !users.contains(user));
            if give {
                row.collaborators.extend(users.iter().cloned());
            }
        });
    }
    Ok(done())
}

/// `admin.workflows.unpublish`: people start them no longer.
fn unpublish(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let ids = fields.some("workflow_ids", NAMED_MAX)?;
    if !ids.iter().all(|id| cx.state.content.workflows.contains(id)) {
        return Err("error_unpublishing_workflows".into());
    }
    let (now, by) = (cx.tx.now.as_secs(), cx.by.clone());
    for id in ids {
        cx.state.content.workflows.update(&mut cx.tx.changes, &id, |row| {
            (row.published, row.updated, row.updated_by) = (false, now, by.clone());
        });
    }
    Ok(done())
}

/// An app by its id.
fn check_app(state: &State, fields: &Fields) -> Result<Option<SmolStr>, Error> {
    let Some(id) = fields.text("app_id") else { return Ok(None) };
    match id {
        id if !id.starts_with('A') => Err("invalid_app_id".into()),
        id if !state.apps.contains(&id) => Err("invalid_app".into()),
        id => Ok(Some(id)),
    }
}

/// A bound of times, in microseconds.
fn bound(fields: &Fields, name: &str, usual: u64) -> Result<u64, Error> {
    Ok(fields.number(name)?.map_or(usual, |n| u64::try_from(n).unwrap_or(0)))
}

/// `admin.apps.activities.list`: the latest first, unless asked otherwise. Only functions write logs here.
fn activities(cx: &Asked<'_>, fields: &Fields) -> Told {
    let (from, size) = ACTIVITIES.read(fields)?;
    let (app, state) = (check_app(cx.state, fields)?, cx.state);
    if fields.text("team_id").is_some_and(|team| !state.enterprise.teams.contains(&team)) {
        return Err("invalid_team".into());
    }
    let elsewhere = fields.text("team_id").is_some_and(|team| team != state.workspace.id);
    let component = fields.text("component_id");
    let kind = fields.word("component_type", &["events_api", "workflows", "functions", "tables"])?;
    let event = fields.text("log_event_type");
    let level = fields.word("min_log_level", LEVELS)?.unwrap_or("info");
    let ascends = fields.word("sort_direction", &["asc", "desc"])? == Some("asc");
    let source = fields.word("source", &["slack", "developer"])?;
    let trace = fields.text("trace_id");
    let (least, most) = (bound(fields, "min_date_created", 0)?, bound(fields, "max_date_created", u64::MAX)?);
    let rank = |level: &str| LEVELS.iter().position(|known| *known == level);
    let fits = |row: &Activity| {
        !elsewhere
            && app.as_ref().is_none_or(|app| row.app == *app)
            && component.as_ref().is_none_or(|id| row.function == *id)
            && kind.is_none_or(|kind| kind == "functions")
            && source.is_none_or(|source| source == "slack")
            && event.as_ref().is_none_or(|event| row.event == *event)
            && trace.as_ref().is_none_or(|trace| row.trace == *trace)
            && rank(row.level) >= rank(level)
    };
    let start: Option<u64> = match from.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| Error::from("invalid_cursor"))?),
    };
    let told = |(at, row): &(u64, &Arc<Activity>)| fits(row).then(|| activity(state, *at, row));
    let rows = |least: u64, most: u64| {
        let most = most.max(least);
        state.content.activities.range(least..=most).map(|(at, row)| (format_smolstr!("{at}"), (*at, row)))
    };
    let page = if ascends {
        ACTIVITIES.cut(size, rows(start.unwrap_or(least).max(least), most), told)
    } else {
        ACTIVITIES.cut(size, rows(least, start.unwrap_or(most).min(most)).rev(), told)
    };
    Ok(listed("activities", page))
}

fn activity(state: &State, at: u64, row: &Activity) -> Value {
    json!({
        "app_id": row.app,
        "level": row.level,
        "event_type": row.event,
        "source": "slack",
        "component_type": "functions",
        "component_id": row.function,
        "team_id": state.workspace.id,
        "enterprise_id": state.enterprise_id(),
        "payload": row.payload,
        "created": at,
        "trace_id": row.trace,
        "parent_execution_id": "",
    })
}
