//! `apps.user.connection.*`: whether people have connected an app to what it stands for.

use dtu_kernel::{operation::Typed, twin::Write};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;

use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::TIER_2,
    model::apps::Link,
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
