//! `apps.user.connection.*`: whether people have connected an app to what it stands for.

use dtu_kernel::{operation::Typed, twin::Write};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::canvases::object;
use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::TIER_2,
    model::{apps::Link, surfaces},
};

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    const WRITES: &[&str] = &["users:write"];
    vec![
        Row::write("apps.user.connection.update", ANY, "/api/apps.user.connection.update", update)
            .limit(TIER_2)
            .scopes(WRITES)
            .errors(&["app_not_subscribed", "user_not_found"])
            .form_only(),
        Row::write("apps.user.connection.bulkUpdate", ANY, "/api/apps.user.connection.bulkUpdate", bulk)
            .limit(TIER_2)
            .scopes(WRITES)
            .errors(&["app_not_subscribed", "user_not_found"])
            .form_only(),
        Row::write("apps.user.connection.requestAuth", ANY, "/api/apps.user.connection.requestAuth", request)
            .limit(TIER_2)
            .scopes(WRITES)
            .errors(&["exchanged_trigger_id", "expired_trigger_id", "invalid_trigger_id", "user_not_found"]),
    ]
}

/// Arguments of `apps.user.connection.update`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    user_id: SmolStr,
    status: Link,
}

/// `apps.user.connection.update`
fn update(cx: &mut Write<'_, '_, Slack>, args: Update) -> Result<Typed<Value>, Error> {
    put(cx, &[(args.user_id, args.status)])
}

/// Arguments of `apps.user.connection.bulkUpdate`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Bulk {
    #[serde(default)]
    connected_user_ids: Vec<SmolStr>,
    #[serde(default)]
    disconnected_user_ids: Vec<SmolStr>,
}

/// `apps.user.connection.bulkUpdate`: all or none.
fn bulk(cx: &mut Write<'_, '_, Slack>, args: Bulk) -> Result<Typed<Value>, Error> {
    let on = args.connected_user_ids.into_iter().map(|user| (user, Link::Connected));
    let off = args.disconnected_user_ids.into_iter().map(|user| (user, Link::Disconnected));
    let rows: Vec<(SmolStr, Link)> = on.chain(off).collect();
    put(cx, &rows)
}

fn put(cx: &mut Write<'_, '_, Slack>, rows: &[(SmolStr, Link)]) -> Result<Typed<Value>, Error> {
    let id = cx.caller.token()?.app.clone();
    let app = cx.state.apps.get(&id).ok_or(Code::AppNotFound)?;
    if !app.events.iter().any(|name| name == "user_connection") {
        return Err(Code::AppNotSubscribed.into());
    }
    for (user, link) in rows {
        if !cx.state.users.contains(user) {
            return Err(Code::UserNotFound.into());
        }
        cx.state.links.put(&mut cx.tx.changes, (id.clone(), user.clone()), *link);
    }
    Ok(super::marks::done())
}

/// Arguments of `apps.user.connection.requestAuth`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct RequestAuth {
    primary_provider: Value,
    trigger_id: Option<SmolStr>,
    user_id: Option<SmolStr>,
}

/// What people are asked to connect to: an object whose addresses are over https.
///
/// <https://docs.slack.dev/tools/node-slack-sdk/reference/web-api/interfaces/UserConnectionPrimaryProvider>
fn read_provider(given: Value) -> Result<Value, Error> {
    const AT: &str = "json-pointer:/primary_provider";
    let provider = object(Some(given), "primary_provider")?.unwrap_or_default();
    let members =
        provider.as_object().ok_or_else(|| Error::Arguments(vec![format!("must provide an object [{AT}]")]))?;
    if members.is_empty() {
        return Err(Error::Arguments(vec!["missing required field: primary_provider".to_owned()]));
    }
    for name in ["auth_url", "disconnect_url"] {
        let fits = members.get(name).is_none_or(|url| url.as_str().is_some_and(|url| url.starts_with("https://")));
        if !fits {
            return Err(Error::Arguments(vec![format!("must be a valid URL [{AT}/{name}]")]));
        }
    }
    Ok(provider)
}

/// `apps.user.connection.requestAuth`: the person who started something, or the one who is named, is asked.
fn request(cx: &mut Write<'_, '_, Slack>, args: RequestAuth) -> Result<Typed<Value>, Error> {
    let app = cx.caller.token()?.app.clone();
    let provider = read_provider(args.primary_provider)?;
    let named = |text: Option<SmolStr>| text.filter(|text| !text.is_empty());
    let user = match (named(args.trigger_id), named(args.user_id)) {
        (Some(trigger), None) => surfaces::use_trigger(cx.state, cx.tx, &app, &trigger)?.user.clone(),
        (None, Some(user)) if cx.state.users.contains(&user) => user,
        (None, Some(_)) => return Err(Code::UserNotFound.into()),
        _ => return Err(Error::Arguments(vec!["must provide exactly one of trigger_id or user_id".to_owned()])),
    };
    cx.state.content.connection_requests.put(&mut cx.tx.changes, (app, user), provider);
    Ok(super::marks::done())
}
