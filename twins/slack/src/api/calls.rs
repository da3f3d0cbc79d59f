//! `calls.*`

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::canvases::object;
use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::TIER_3,
    model::{
        apps::TokenKind,
        calls::{self, Call, Participant},
    },
};

const PEOPLE: &[&str] = &["bad_users", "inactive_call", "invalid_call_id", "user_not_found"];

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    let write = |row: Row, errors: &'static [&'static str]| row.limit(TIER_3).scopes(&["calls:write"]).errors(errors);
    vec![
        write(
            Row::write("calls.add", ANY, "/api/calls.add", add),
            &["invalid_created_by", "invalid_start_time", "user_not_found"],
        ),
        write(Row::write("calls.update", ANY, "/api/calls.update", update), &["invalid_call_id"]),
        write(Row::write("calls.end", ANY, "/api/calls.end", end), &["inactive_call", "invalid_call_id"]),
        write(Row::write("calls.participants.add", ANY, "/api/calls.participants.add", come), PEOPLE),
        write(Row::write("calls.participants.remove", ANY, "/api/calls.participants.remove", go), PEOPLE),
        Row::read("calls.info", ANY, "/api/calls.info", info)
            .limit(TIER_3)
            .scopes(&["calls:read"])
            .errors(&["invalid_call_id"]),
    ]
}

fn told(call: &Call) -> Typed<Value> {
    Typed::ok(&json!({ "call": calls::render(call) }))
}

fn given(text: Option<SmolStr>) -> Option<SmolStr> {
    text.filter(|text| !text.is_empty())
}

fn read_users(users: Option<Value>) -> Result<Vec<Participant>, Error> {
    let wrong = || Error::Arguments(vec!["must provide an array of users [json-pointer:/users]".to_owned()]);
    let users = object(users, "users")?.unwrap_or_else(|| json!([]));
    serde_json::from_value(users).map_err(|_| wrong())
}

/// Arguments of `calls.add`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Add {
    external_unique_id: SmolStr,
    join_url: SmolStr,
    external_display_id: Option<SmolStr>,
    desktop_app_join_url: Option<SmolStr>,
    date_start: Option<i64>,
    title: Option<SmolStr>,
    created_by: Option<SmolStr>,
    users: Option<Value>,
}

/// `calls.add`: for bots somebody must have made the call.
fn add(cx: &mut Write<'_, '_, Slack>, args: Add) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let own = (token.kind == TokenKind::User).then(|| token.user.clone());
    let by = given(args.created_by).or(own).ok_or(Code::InvalidCreatedBy)?;
    if !cx.state.users.contains(&by) {
        return Err(Code::InvalidCreatedBy.into());
    }
    if args.date_start.is_some_and(|start| start < 0) {
        return Err(Code::InvalidStartTime.into());
    }
    let key = (token.app.clone(), args.external_unique_id.clone());
    if args.external_unique_id.is_empty() || cx.state.content.call_by_external_id.contains_key(&key) {
        return Err(Error::Arguments(vec!["must be unique [json-pointer:/external_unique_id]".to_owned()]));
    }
    let call = Call {
        app: token.app.clone(),
        external_unique_id: args.external_unique_id,
        external_display_id: given(args.external_display_id),
        join_url: args.join_url,
        desktop_app_join_url: given(args.desktop_app_join_url),
        title: given(args.title),
        created_by: by,
        date_start: args.date_start.unwrap_or_else(|| cx.tx.now.as_secs()),
        users: read_users(args.users)?,
        ..Call::default()
    };
    Ok(told(&*calls::add(cx.state, cx.tx, call)?))
}

/// A call.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct OneCall {
    id: SmolStr,
}

/// `calls.info`
fn info(cx: &Read<'_, Slack>, args: OneCall) -> Result<Typed<Value>, Error> {
    Ok(told(&*calls::find(cx.state, &cx.caller.token()?.app, &args.id)?))
}

/// Arguments of `calls.update`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    id: SmolStr,
    title: Option<SmolStr>,
    join_url: Option<SmolStr>,
    desktop_app_join_url: Option<SmolStr>,
}

/// `calls.update`: what is not given stays.
fn update(cx: &mut Write<'_, '_, Slack>, args: Update) -> Result<Typed<Value>, Error> {
    let call = calls::find(cx.state, &cx.caller.token()?.app, &args.id)?;
    let call = calls::update(cx.state, cx.tx, &call.id, |call| {
        call.title = given(args.title).or(call.title.take());
        call.desktop_app_join_url = given(args.desktop_app_join_url).or(call.desktop_app_join_url.take());
        if let Some(url) = given(args.join_url) {
            call.join_url = url;
        }
    });
    Ok(told(&*call.ok_or(Code::InvalidCallId)?))
}

/// Arguments of `calls.end`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct End {
    id: SmolStr,
    duration: Option<i64>,
}

/// `calls.end`: now, or when the call was that long.
fn end(cx: &mut Write<'_, '_, Slack>, args: End) -> Result<Typed<Value>, Error> {
    let call = calls::find(cx.state, &cx.caller.token()?.app, &args.id)?;
    if call.date_end.is_some() {
        return Err(Code::InactiveCall.into());
    }
    let now = cx.tx.now.as_secs();
    let call = calls::update(cx.state, cx.tx, &call.id, |call| {
        call.date_end = Some(args.duration.map_or(now, |duration| call.date_start + duration));
        let there = std::mem::take(&mut call.users);
        call.gone.extend(there);
    });
    Ok(told(&*call.ok_or(Code::InvalidCallId)?))
}

/// Arguments of `calls.participants.*`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct People {
    id: SmolStr,
    users: Value,
}

/// `calls.participants.add`
fn come(cx: &mut Write<'_, '_, Slack>, args: People) -> Result<Typed<Value>, Error> {
    let call = calls::find(cx.state, &cx.caller.token()?.app, &args.id)?;
    let users = read_users(Some(args.users))?;
    let call = calls::come(cx.state, cx.tx, &call, users)?;
    Ok(told(&*call.ok_or(Code::InvalidCallId)?))
}

/// `calls.participants.remove`
fn go(cx: &mut Write<'_, '_, Slack>, args: People) -> Result<Typed<Value>, Error> {
    let call = calls::find(cx.state, &cx.caller.token()?.app, &args.id)?;
    let users = read_users(Some(args.users))?;
    let call = calls::go(cx.state, cx.tx, &call, &users)?;
    Ok(told(&*call.ok_or(Code::InvalidCallId)?))
}
