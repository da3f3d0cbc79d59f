//! `functions.*`, `workflows.featured.*`, and the steps of old that Slack has retired.

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    canvases::object,
    marks::{channel_of, done},
};
use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::{TIER_2, TIER_3},
    model::{
        State,
        functions::{self, Outcome},
    },
};

/// The most triggers that are featured in a channel.
const FEATURED_MAX: usize = 15;
/// The most channels that are asked about at once.
const CHANNELS_MAX: usize = 100;

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    let ends: &[&str] = &[
        "access_denied",
        "execution_not_in_running_state",
        "function_execution_not_found",
        "parameter_validation_failed",
    ];
    let features: &[&str] = &["channel_not_found", "error_modifying_workflows", "is_archived", "not_in_channel"];
    let feature = |row: Row| row.limit(TIER_2).scopes(&["bookmarks:write"]).errors(features);
    vec![
        Row::write("functions.completeSuccess", ANY, "/api/functions.completeSuccess", succeed)
            .limit(TIER_3)
            .errors(ends),
        Row::write("functions.completeError", ANY, "/api/functions.completeError", fail)
            .limit(TIER_3)
            .errors(&ends[..3]),
        feature(Row::write("workflows.featured.add", ANY, "/api/workflows.featured.add", add)),
        feature(Row::write("workflows.featured.remove", ANY, "/api/workflows.featured.remove", remove)),
        feature(Row::write("workflows.featured.set", ANY, "/api/workflows.featured.set", set)),
        Row::read("workflows.featured.list", ANY, "/api/workflows.featured.list", list)
            .limit(TIER_2)
            .scopes(&["bookmarks:read"])
            .errors(&["channel_not_found"]),
    ]
}

/// Arguments of `functions.completeSuccess`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Succeed {
    function_execution_id: SmolStr,
    outputs: Value,
}

/// `functions.completeSuccess`
fn succeed(cx: &mut Write<'_, '_, Slack>, args: Succeed) -> Result<Typed<Value>, Error> {
    let row = functions::find(cx.state, &cx.caller.token()?.app, &args.function_execution_id)?;
    let Some(Value::Object(outputs)) = object(Some(args.outputs), "outputs")? else {
        return Err(Error::Arguments(vec!["must be a valid object [json-pointer:/outputs]".to_owned()]));
    };
    let problems = functions::check_outputs(cx.state, &row, &outputs);
    if !problems.is_empty() {
        return Err(Error::Explained(Code::ParameterValidationFailed, problems.join("; ")));
    }
    functions::end(cx.state, cx.tx, &row, Outcome::Completed(outputs));
    Ok(done())
}

/// Arguments of `functions.completeError`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Fail {
    function_execution_id: SmolStr,
    error: String,
}

/// `functions.completeError`
fn fail(cx: &mut Write<'_, '_, Slack>, args: Fail) -> Result<Typed<Value>, Error> {
    let row = functions::find(cx.state, &cx.caller.token()?.app, &args.function_execution_id)?;
    functions::end(cx.state, cx.tx, &row, Outcome::Failed(args.error));
    Ok(done())
}

/// Arguments of `workflows.featured.*` that change something.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Feature {
    channel_id: SmolStr,
    trigger_ids: Vec<SmolStr>,
}

fn featured(state: &State, channel: &SmolStr) -> Vec<SmolStr> {
    let rows = state.content.featured.range((channel.clone(), 0)..=(channel.clone(), u64::MAX));
    rows.map(|(_, trigger)| SmolStr::clone(trigger)).collect()
}

fn change(
    cx: &mut Write<'_, '_, Slack>,
    args: Feature,
    with: impl FnOnce(Vec<SmolStr>, Vec<SmolStr>) -> Vec<SmolStr>,
) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let channel = channel_of(cx.state, token, &args.channel_id, true)?;
    if args.trigger_ids.is_empty() || args.trigger_ids.len() > FEATURED_MAX {
        return Err(Error::Arguments(vec!["must have 1 to 15 items [json-pointer:/trigger_ids]".to_owned()]));
    }
    if !args.trigger_ids.iter().all(|id| cx.state.content.function_by_trigger.contains_key(id)) {
        return Err(Code::ErrorModifyingWorkflows.into());
    }
    let before = featured(cx.state, &channel.id);
    let count = before.len();
    let after = with(before, args.trigger_ids);
    if after.len() > FEATURED_MAX {
        return Err(Code::ErrorModifyingWorkflows.into());
    }
    let key = |n: usize| (channel.id.clone(), n as u64);
    for n in after.len()..count {
        cx.state.content.featured.remove(&mut cx.tx.changes, &key(n));
    }
    for (n, trigger) in after.into_iter().enumerate() {
        cx.state.content.featured.put(&mut cx.tx.changes, key(n), trigger);
    }
    Ok(done())
}

/// `workflows.featured.add`
fn add(cx: &mut Write<'_, '_, Slack>, args: Feature) -> Result<Typed<Value>, Error> {
    change(cx, args, |mut all, new| {
        for id in new {
            if !all.contains(&id) {
                all.push(id);
            }
        }
        all
    })
}

/// `workflows.featured.remove`
fn remove(cx: &mut Write<'_, '_, Slack>, args: Feature) -> Result<Typed<Value>, Error> {
    change(cx, args, |mut all, gone| {
        all.retain(|id| !gone.contains(id));
        all
    })
}

/// `workflows.featured.set`
fn set(cx: &mut Write<'_, '_, Slack>, args: Feature) -> Result<Typed<Value>, Error> {
    change(cx, args, |_, mut new| {
        let mut seen = Vec::new();
        new.retain(|id| {
            !seen.contains(id) && {
                seen.push(id.clone());
                true
            }
        });
        new
    })
}

/// Arguments of `workflows.featured.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListFeatured {
    channel_ids: Vec<SmolStr>,
}

/// `workflows.featured.list`: channels that the caller does not see are told apart.
fn list(cx: &Read<'_, Slack>, args: ListFeatured) -> Result<Typed<Value>, Error> {
    let (state, token) = (cx.state, cx.caller.token()?);
    if args.channel_ids.is_empty() || args.channel_ids.len() > CHANNELS_MAX {
        return Err(Error::Arguments(vec!["must have 1 to 100 items [json-pointer:/channel_ids]".to_owned()]));
    }
    let (seen, unseen): (Vec<&SmolStr>, Vec<&SmolStr>) =
        args.channel_ids.iter().partition(|id| state.visible(id, &token.user).is_some());
    if seen.is_empty() {
        return Err(Code::ChannelNotFound.into());
    }
    let title = |trigger: &SmolStr| {
        let function = state.content.functions.get(state.content.function_by_trigger.get(trigger)?)?;
        Some(json!({ "id": trigger, "title": function.title }))
    };
    let of_channel = |id: &&SmolStr| {
        let triggers: Vec<Value> = featured(state, id).iter().filter_map(title).collect();
        json!({ "channel_id": id, "triggers": triggers })
    };
    let all: Vec<Value> = seen.iter().map(of_channel).collect();
    let mut answer = Map::new();
    answer.insert("featured_workflows".to_owned(), json!(all));
    if !unseen.is_empty() {
        answer.insert("invalid_channel_ids".to_owned(), json!(unseen));
    }
    Ok(Typed::ok(&Value::Object(answer)))
}
