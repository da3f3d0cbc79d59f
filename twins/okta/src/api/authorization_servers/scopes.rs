//! Scopes of authorization servers.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{DELETE, GET, POST, PUT, Send, act, body, fits, no_content, read};
use crate::{
    Okta,
    api::listing::{EQUAL, has_text},
    error::Error,
    model::{
        State,
        authorization_server::{
            find,
            scope::{self, Scope},
        },
    },
    paging::{self, Size},
    query::{Dialect, Fields, Kind, Rule},
};

pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/authorizationServers/{authServerId}/scopes";
    const ONE: &str = "/api/v1/authorizationServers/{authServerId}/scopes/{scopeId}";
    vec![
        Operation::read("listOAuth2Scopes", GET, ALL, list),
        Operation::write("createOAuth2Scope", POST, ALL, create),
        Operation::read("getOAuth2Scope", GET, ONE, get),
        Operation::write("replaceOAuth2Scope", PUT, ONE, replace),
        Operation::write("deleteOAuth2Scope", DELETE, ONE, delete),
    ]
}

/// Arguments that name a scope.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichScope {
    auth_server_id: String,
    scope_id: String,
}

/// Arguments of `listOAuth2Scopes`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct List {
    auth_server_id: String,
    q: Option<String>,
    filter: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// What scopes can be filtered by. The document names no attributes; these are what tells scopes apart (inferred).
const FILTER: Dialect<&'static str> = Dialect {
    not: false,
    fold_case: false,
    operators: EQUAL,
    rule: |path| {
        let field = ["id", "name", "system", "default"].into_iter().find(|known| *known == path)?;
        Some(Rule { field, kind: Kind::Exact, operators: EQUAL })
    },
};

struct Row<'a>(&'a Scope);

impl Fields<&'static str> for Row<'_> {
    fn any(&self, field: &&'static str, test: &mut dyn FnMut(&str) -> bool) -> bool {
        match *field {
            "id" => test(&self.0.id),
            "name" => test(&self.0.name),
            "system" => test(if self.0.system { "true" } else { "false" }),
            _ => test(if self.0.default { "true" } else { "false" }),
        }
    }
}

/// `listOAuth2Scopes`.
pub fn list(cx: &Read<'_, Okta>, args: List) -> Result<Typed<Vec<Value>>, Error> {
    let server = find(cx.state, &args.auth_server_id)?;
    let limit = args.limit.map(|limit| paging::size(Some(limit), Size { default: 200, max: 200 })).transpose()?;
    let filter = args.filter.as_deref().filter(|text| has_text(Some(text)));
    let read = |text: &str| FILTER.read(text).map_err(|fault| Error::search(text, &fault, EQUAL));
    let filter = filter.map(read).transpose()?;
    let wanted = args.q.unwrap_or_default();
    let start = match args.after.as_deref().filter(|after| !after.is_empty()) {
        Some(after) => {
            let at = server.scopes.iter().position(|scope| scope.id == after);
            at.ok_or(Error::Cursor { search: false })? + 1
        }
        None => 0,
    };
    let fitting = server.scopes[start..].iter().filter(|scope| scope.name.starts_with(wanted.as_str()));
    let fitting = fitting.filter(|scope| filter.as_ref().is_none_or(|filter| filter.holds(&Row(scope))));
    let fitting: Vec<&Scope> = fitting.collect();
    let page = &fitting[..limit.unwrap_or(fitting.len()).min(fitting.len())];
    let shown: Vec<Value> = page.iter().map(|scope| body::scope(&server, scope, &cx.scene.request.origin)).collect();
    let next = page.last().filter(|_| page.len() < fitting.len()).map(|scope| scope.id.as_str());
    // Recorded: without a size there are no links.
    Ok(match limit {
        Some(limit) => paging::linked(Typed::ok(&shown), cx.scene, limit, next),
        None => Typed::ok(&shown),
    })
}

/// A scope as it was sent, with what today's orgs show of each. Those of the Classic Engine showed neither: recorded.
fn usual(state: &State, wish: Scope) -> Scope {
    if state.kind.is_classic() {
        return wish;
    }
    Scope { consent: wish.consent.or(Some(scope::Consent::Implicit)), optional: wish.optional.or(Some(false)), ..wish }
}

/// `createOAuth2Scope`.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: Send) -> Result<Typed<Value>, Error> {
    fits(cx.scene, &args.body)?;
    let wish = usual(cx.state, read(args.body)?);
    let made = act(cx, |act| scope::create(act, &args.auth_server_id, wish))?;
    let server = find(cx.state, &args.auth_server_id)?;
    Ok(Typed::ok(&body::scope(&server, &made, &cx.scene.request.origin)).with_status(StatusCode::CREATED))
}

/// `getOAuth2Scope`.
pub fn get(cx: &Read<'_, Okta>, args: WhichScope) -> Result<Typed<Value>, Error> {
    let server = find(cx.state, &args.auth_server_id)?;
    Ok(Typed::ok(&body::scope(&server, server.scope(&args.scope_id)?, &cx.scene.request.origin)))
}

/// Arguments of `replaceOAuth2Scope`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replace {
    auth_server_id: String,
    scope_id: String,
    body: Map<String, Value>,
}

/// `replaceOAuth2Scope`.
pub fn replace(cx: &mut Write<'_, '_, Okta>, args: Replace) -> Result<Typed<Value>, Error> {
    fits(cx.scene, &args.body)?;
    let wish = usual(cx.state, read(args.body)?);
    let made = act(cx, |act| scope::replace(act, &args.auth_server_id, &args.scope_id, wish))?;
    let server = find(cx.state, &args.auth_server_id)?;
    Ok(Typed::ok(&body::scope(&server, &made, &cx.scene.request.origin)))
}

/// `deleteOAuth2Scope`.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: WhichScope) -> Result<Typed<()>, Error> {
    act(cx, |act| scope::delete(act, &args.auth_server_id, &args.scope_id))?;
    Ok(no_content())
}
