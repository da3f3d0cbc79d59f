//! Authorization servers whose tokens another one takes in exchange.
//!
//! See developer.okta.com/docs/guides/set-up-token-exchange/main/ (trusted servers).

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::header::LINK;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::{DELETE, GET, POST, Send, act, body, fits, no_content};
use crate::{
    Okta,
    error::Error,
    model::{
        State,
        authorization_server::{self as model, Server, find},
    },
    paging::{self, Size},
};

pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/authorizationServers/{authServerId}/associatedServers";
    const ONE: &str = "/api/v1/authorizationServers/{authServerId}/associatedServers/{associatedServerId}";
    vec![
        Operation::read("listAssociatedServersByTrustedType", GET, ALL, list),
        Operation::write("createAssociatedServers", POST, ALL, create),
        Operation::write("deleteAssociatedServer", DELETE, ONE, delete),
    ]
}

/// Arguments of `listAssociatedServersByTrustedType`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct List {
    auth_server_id: String,
    trusted: Option<bool>,
    q: Option<String>,
    limit: Option<i64>,
    after: Option<String>,
}

/// A server as it is shown here: without links, as recorded.
fn shown(server: &Server, cx: (&str, dtu_kernel::time::Timestamp)) -> Value {
    let mut body = body::server(server, cx.0, cx.1);
    body["_links"] = Value::Null;
    body
}

/// Servers that are trusted, or all others but the server itself.
fn others(state: &State, server: &Server, trusted: bool) -> Vec<Arc<Server>> {
    if trusted {
        let mut ids = server.trusted.clone();
        ids.sort();
        return ids.iter().filter_map(|id| state.servers.find(id).cloned()).collect();
    }
    let all = state.servers.after("").filter(|other| other.id != server.id && !server.trusted.contains(&other.id));
    all.cloned().collect()
}

/// `listAssociatedServersByTrustedType`: by id.
pub fn list(cx: &Read<'_, Okta>, args: List) -> Result<Typed<Vec<Value>>, Error> {
    let server = find(cx.state, &args.auth_server_id)?;
    let limit = args.limit.map(|limit| paging::size(Some(limit), Size { default: 200, max: 200 })).transpose()?;
    let wanted = args.q.unwrap_or_default().to_lowercase();
    let after = SmolStr::new(args.after.unwrap_or_default());
    let has = |text: &SmolStr| text.to_lowercase().contains(&wanted);
    let mut all = others(cx.state, &server, args.trusted.unwrap_or(true));
    all.retain(|other| other.id > after && (has(&other.name) || other.audiences.iter().any(has)));
    let size = limit.unwrap_or(200).min(all.len());
    let origin = &cx.scene.request.origin;
    let page: Vec<Value> = all[..size].iter().map(|other| shown(other, (origin, cx.scene.now))).collect();
    // Recorded: the links are those of all servers; where no size is asked for, they say -1, and that there is more.
    let more = size < all.len() || limit.is_none() && size > 0;
    let size_said = limit.map_or_else(|| "-1".to_owned(), |limit| limit.to_string());
    let rest = args.trusted.map(|trusted| format!("&trusted={trusted}")).unwrap_or_default();
    let link = |cursor: &str, relation: &str| {
        format!("<{origin}/api/v1/authorizationServers?{cursor}limit={size_said}{rest}>; rel=\"{relation}\"")
    };
    let answer = Typed::ok(&page).with_header(LINK, link("", "self"));
    let last = all[..size].last().filter(|_| more);
    Ok(match last {
        Some(last) => answer.with_header(LINK, link(&format!("after={}&", last.id), "next")),
        None => answer,
    })
}

/// `createAssociatedServers`.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: Send) -> Result<Typed<Vec<Value>>, Error> {
    fits(cx.scene, &args.body)?;
    let named = args.body.get("trusted").and_then(Value::as_array).into_iter().flatten();
    let ids: Vec<SmolStr> = named.filter_map(Value::as_str).map(SmolStr::new).collect();
    if ids.is_empty() {
        return Err(Error::fields(&[("trusted", "The field cannot be left blank")]));
    }
    let made = act(cx, |act| model::trust(act, &args.auth_server_id, &ids))?;
    let cx = (cx.scene.request.origin.as_str(), cx.scene.now);
    Ok(Typed::ok(&made.iter().map(|server| shown(server, cx)).collect()))
}

/// Arguments of `deleteAssociatedServer`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichPair {
    auth_server_id: String,
    associated_server_id: String,
}

/// `deleteAssociatedServer`.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: WhichPair) -> Result<Typed<()>, Error> {
    act(cx, |act| model::distrust(act, &args.auth_server_id, &args.associated_server_id))?;
    Ok(no_content())
}
