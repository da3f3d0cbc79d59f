//! Tokens given out and ended: `oauth.*`, `tooling.tokens.rotate`, `auth.revoke`, `auth.teams.list`,
//! `apps.uninstall` and `apps.event.authorizations.list`.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
    wire::Request,
};
use http::header;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::paging::{self, Limit};
use crate::{
    ANY, Row, Slack, announce,
    error::{Code, Error},
    limits::{SPECIAL, TIER_2, TIER_3, TIER_4},
    listeners,
    model::{
        State,
        apps::{self, App, CLASSIC, Token, TokenKind},
        oauth::{self, Brought, Flow, Installed, Issued, TOKEN_LIFE},
        webhooks,
    },
};

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    vec![
        Row::write("oauth.v2.access", ANY, "/api/oauth.v2.access", access).limit(SPECIAL).form_only().errors(&[
            "bad_client_secret",
            "bad_redirect_uri",
            "invalid_client_id",
            "invalid_code",
            "invalid_code_verifier",
            "invalid_grant_type",
            "invalid_refresh_token",
            "no_scopes",
            "oauth_authorization_url_mismatch",
            "pkce_not_allowed",
        ]),
        Row::write("oauth.access", ANY, "/api/oauth.access", legacy_access).limit(TIER_4).form_only().errors(&[
            "bad_client_secret",
            "bad_redirect_uri",
            "code_already_used",
            "invalid_client_id",
            "invalid_code",
            "missing_resource",
            "oauth_authorization_url_mismatch",
        ]),
        Row::write("oauth.v2.exchange", ANY, "/api/oauth.v2.exchange", exchange).limit(SPECIAL).form_only().errors(&[
            "bad_client_secret",
            "invalid_client_id",
            "token_already_exchanged",
            "token_rotation_not_enabled",
        ]),
        Row::write("tooling.tokens.rotate", ANY, "/api/tooling.tokens.rotate", rotate)
            .limit(TIER_2)
            .form_only()
            .errors(&["invalid_refresh_token"]),
        Row::write("auth.revoke", ANY, "/api/auth.revoke", revoke).limit(TIER_3).form_only(),
        Row::read("auth.teams.list", ANY, "/api/auth.teams.list", teams)
            .limit(TIER_2)
            .errors(&["invalid_cursor", "invalid_limit"])
            .form_only(),
        Row::write("apps.uninstall", ANY, "/api/apps.uninstall", uninstall).limit(TIER_2).form_only().errors(&[
            "bad_client_secret",
            "client_id_token_mismatch",
            "invalid_client_id",
        ]),
        Row::read("apps.event.authorizations.list", ANY, "/api/apps.event.authorizations.list", authorizations)
            .limit(SPECIAL)
            .scopes(&["authorizations:read"])
            .errors(&["invalid_event_context"]),
    ]
}

/// Client id and secret, from HTTP Basic or the arguments. An app that proves itself otherwise needs no secret.
pub(super) fn client(
    state: &State,
    request: &Request,
    (id, secret): (Option<SmolStr>, Option<SmolStr>),
    proves: bool,
) -> Result<Arc<App>, Code> {
    let basic = basic(request).unwrap_or_default();
    let id = id.filter(|id| !id.is_empty()).unwrap_or(basic.0);
    let secret = secret.filter(|secret| !secret.is_empty()).unwrap_or(basic.1);
    let app = state.app_by_client(&id).ok_or(Code::InvalidClientId)?;
    let needs_none = proves && secret.is_empty() && app.setup.pkce;
    if needs_none || app.client_secret() == secret { Ok(Arc::clone(app)) } else { Err(Code::BadClientSecret) }
}

fn basic(request: &Request) -> Option<(SmolStr, SmolStr)> {
    let (scheme, text) = request.header(header::AUTHORIZATION)?.trim().split_once(' ')?;
    let bytes = STANDARD.decode(scheme.eq_ignore_ascii_case("basic").then_some(text)?.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.into(), secret.into()))
}

/// Arguments of `oauth.v2.access` and `openid.connect.token`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Access {
    client_id: Option<SmolStr>,
    client_secret: Option<SmolStr>,
    code: Option<String>,
    redirect_uri: Option<String>,
    grant_type: Option<String>,
    pub(super) refresh_token: Option<String>,
    code_verifier: Option<String>,
}

impl Access {
    /// The app that asks, which must show that it is itself.
    pub(super) fn app(&self, state: &State, request: &Request) -> Result<Arc<App>, Code> {
        let given = (self.client_id.clone(), self.client_secret.clone());
        client(state, request, given, self.code_verifier.is_some())
    }

    /// What is brought: a code, where nothing is said.
    pub(super) fn grant_type(&self) -> &str {
        self.grant_type.as_deref().filter(|kind| !kind.is_empty()).unwrap_or("authorization_code")
    }

    /// The code with what belongs to it.
    pub(super) fn brought(&self, flow: Flow) -> Brought<'_> {
        Brought {
            flow,
            code: self.code.as_deref().unwrap_or_default(),
            redirect_uri: self.redirect_uri.as_deref(),
            verifier: self.code_verifier.as_deref(),
        }
    }
}

/// `oauth.v2.access`: a code or a refresh token for tokens.
fn access(cx: &mut Write<'_, '_, Slack>, args: Access) -> Result<Typed<Value>, Error> {
    let app = args.app(cx.state, cx.scene.request)?;
    match args.grant_type() {
        "refresh_token" => {
            let text = args.refresh_token.clone().unwrap_or_default();
            let (token, issued) = oauth::refresh(cx.state, cx.tx, Some(&app), &text)?;
            Ok(Typed::ok(&one_token(cx.state, &app, &token, &issued)))
        }
        "authorization_code" => {
            let grant = oauth::redeem(cx.state, cx.tx, &app, args.brought(Flow::Install))?;
            let made = oauth::install(cx.state, cx.tx, &grant);
            Ok(Typed::ok(&installed(cx.state, &cx.tx.origin, &grant, &made)))
        }
        _ => Err(Code::InvalidGrantType.into()),
    }
}

/// Arguments of `oauth.access`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct LegacyAccess {
    client_id: Option<SmolStr>,
    client_secret: Option<SmolStr>,
    code: Option<String>,
    redirect_uri: Option<String>,
    /// For workspace apps, which Slack ended in August 2021.
    #[serde(default)]
    single_channel: bool,
}

/// `oauth.access`: a code of a classic app for tokens.
fn legacy_access(cx: &mut Write<'_, '_, Slack>, args: LegacyAccess) -> Result<Typed<Value>, Error> {
    let app = client(cx.state, cx.scene.request, (args.client_id, args.client_secret), false)?;
    if args.single_channel {
        return Err(Code::MissingResource.into());
    }
    let (code, redirect_uri) = (args.code.as_deref().unwrap_or_default(), args.redirect_uri.as_deref());
    let with = Brought { flow: Flow::Legacy, code, redirect_uri, verifier: None };
    let grant = oauth::redeem(cx.state, cx.tx, &app, with)?;
    let made = oauth::install(cx.state, cx.tx, &grant);
    let team = &cx.state.workspace;
    let all: Vec<&str> = grant.user_scopes.iter().chain(grant.scopes.iter()).map(SmolStr::as_str).collect();
    let mut body = json!({
        "scope": all.join(","),
        "user_id": grant.user,
        "team_name": team.name,
        "team_id": team.id,
        "enterprise_id": null,
    });
    if let Some(user) = &made.user {
        (body["access_token"], body["token_type"]) = (json!(user.token), json!("user"));
    }
    let app = cx.state.apps.get(&app.id).ok_or(Code::InvalidClientId)?;
    if let Some(bot) = made.bot.as_ref().filter(|_| grant.scopes.iter().any(|scope| scope == CLASSIC)) {
        body["bot"] = json!({ "bot_user_id": app.bot_user, "bot_access_token": bot.token });
    }
    if let Some(webhook) = &made.webhook {
        body["incoming_webhook"] = webhooks::told(cx.state, webhook, &cx.tx.origin);
    }
    Ok(Typed::ok(&body))
}

/// What all answers about an installation share.
fn frame(state: &State, app: &App, user: &SmolStr) -> Value {
    json!({
        "app_id": app.id,
        "authed_user": { "id": user },
        "team": { "id": state.workspace.id, "name": state.workspace.name },
        "enterprise": null,
        "is_enterprise_install": false,
    })
}

fn add_token(body: &mut Value, state: &State, kind: &str, issued: &Issued) {
    let granted = state.tokens.get(&issued.token).map(|token| token.granted.clone()).unwrap_or_default();
    body["scope"] = json!(granted);
    body["token_type"] = json!(kind);
    body["access_token"] = json!(issued.token);
    if let Some(refresh) = &issued.refresh {
        body["refresh_token"] = json!(refresh);
        body["expires_in"] = json!(TOKEN_LIFE);
    }
}

fn installed(state: &State, origin: &str, grant: &oauth::Grant, made: &Installed) -> Value {
    let Some(app) = state.apps.get(&grant.app) else { return Value::Null };
    let mut body = frame(state, app, &grant.user);
    if let Some(bot) = &made.bot {
        add_token(&mut body, state, "bot", bot);
        body["bot_user_id"] = json!(app.bot_user);
    }
    if let Some(user) = &made.user {
        add_token(&mut body["authed_user"], state, "user", user);
    }
    if let Some(webhook) = &made.webhook {
        body["incoming_webhook"] = webhooks::told(state, webhook, origin);
    }
    body
}

/// One token given anew: a person's is told under the person.
fn one_token(state: &State, app: &App, token: &Token, issued: &Issued) -> Value {
    let is_bot = token.kind == TokenKind::Bot;
    let mut body = frame(state, app, if is_bot { &app.installer } else { &token.user });
    if is_bot {
        add_token(&mut body, state, "bot", issued);
        body["bot_user_id"] = json!(app.bot_user);
    } else {
        add_token(&mut body, state, "user", issued);
        add_token(&mut body["authed_user"], state, "user", issued);
    }
    body
}

/// Arguments of `oauth.v2.exchange`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Exchange {
    client_id: Option<SmolStr>,
    client_secret: Option<SmolStr>,
}

/// `oauth.v2.exchange`: the caller's own token for a pair.
fn exchange(cx: &mut Write<'_, '_, Slack>, args: Exchange) -> Result<Typed<Value>, Error> {
    let app = client(cx.state, cx.scene.request, (args.client_id, args.client_secret), false)?;
    let text = cx.caller.text.clone();
    let (token, issued) = oauth::exchange(cx.state, cx.tx, &app, &text)?;
    Ok(Typed::ok(&one_token(cx.state, &app, &token, &issued)))
}

/// Arguments of `tooling.tokens.rotate`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Rotate {
    refresh_token: String,
}

/// `tooling.tokens.rotate`
fn rotate(cx: &mut Write<'_, '_, Slack>, args: Rotate) -> Result<Typed<Value>, Error> {
    let (token, issued) = oauth::refresh(cx.state, cx.tx, None, &args.refresh_token)?;
    let now = cx.tx.now.as_secs();
    Ok(Typed::ok(&json!({
        "token": issued.token,
        "refresh_token": issued.refresh,
        "team_id": cx.state.workspace.id,
        "user_id": token.user,
        "iat": now,
        "exp": now + TOKEN_LIFE,
    })))
}

/// Arguments of `auth.revoke`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Revoke {
    #[serde(default)]
    test: bool,
}

/// `auth.revoke`
#[expect(clippy::unnecessary_wraps, reason = "handlers are of one shape")]
fn revoke(cx: &mut Write<'_, '_, Slack>, args: Revoke) -> Result<Typed<Value>, Error> {
    if !args.test {
        let text = cx.caller.text.clone();
        oauth::revoke(cx.state, cx.tx, &text);
    }
    Ok(Typed::ok(&json!({ "revoked": !args.test })))
}

/// How many workspaces a page has where nothing is said, and at most:
/// <https://docs.slack.dev/reference/methods/auth.teams.list>.
const TEAMS_PAGE: usize = 100;
const TEAMS_PAGE_MAX: usize = 1_000;

/// Arguments of `auth.teams.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Teams {
    #[serde(default)]
    include_icon: bool,
    cursor: Option<String>,
    #[serde(default)]
    limit: Limit,
}

/// `auth.teams.list`
fn teams(cx: &Read<'_, Slack>, args: Teams) -> Result<Typed<Value>, Error> {
    let (state, home) = (cx.state, &cx.state.workspace);
    let app = state.apps.get(&cx.caller.token()?.app);
    let others = app.iter().flat_map(|app| app.setup.teams.iter()).filter_map(|id| state.enterprise.teams.get(id));
    let all = std::iter::once((&home.id, &home.name)).chain(others.map(|team| (&team.id, &team.name)));
    let row = |(id, name): (&SmolStr, &SmolStr)| {
        let mut team = json!({ "id": id, "name": name });
        if args.include_icon {
            team["icon"] = super::workspace::standard_icon();
        }
        team
    };
    let from = paging::read_cursor(args.cursor.as_deref(), "team")?;
    let mut rest = all.skip_while(|(id, _)| from.as_ref().is_some_and(|from| from != *id)).peekable();
    if from.is_some() && rest.peek().is_none() {
        return Err(Code::InvalidCursor.into());
    }
    let teams: Vec<Value> = rest.by_ref().take(args.limit.size(TEAMS_PAGE, TEAMS_PAGE_MAX)?).map(row).collect();
    let end = paging::PageEnd::new(rest.next().map(|(id, _)| paging::cursor("team", id)));
    Ok(Typed::ok(&json!({ "teams": teams, "response_metadata": end })))
}

/// Arguments of `apps.uninstall`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Uninstall {
    client_id: Option<SmolStr>,
    client_secret: Option<SmolStr>,
}

/// `apps.uninstall`
fn uninstall(cx: &mut Write<'_, '_, Slack>, args: Uninstall) -> Result<Typed<Value>, Error> {
    let app = client(cx.state, cx.scene.request, (args.client_id, args.client_secret), false)?;
    if cx.caller.token()?.app != app.id {
        return Err(Code::ClientIdTokenMismatch.into());
    }
    announce::uninstalled(cx.state, cx.tx, &app.id);
    apps::remove(cx.state, cx.tx, &app.id);
    Ok(super::marks::done())
}

/// The most authorizations of one page.
const AUTHORIZATIONS_MAX: usize = 1_000;

/// Arguments of `apps.event.authorizations.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Authorizations {
    event_context: String,
    cursor: Option<String>,
    #[serde(default)]
    limit: Limit,
}

/// `apps.event.authorizations.list`: for whom an event was sent.
fn authorizations(cx: &Read<'_, Slack>, args: Authorizations) -> Result<Typed<Value>, Error> {
    let context = args.event_context.split_once('-').map(|(_, text)| text);
    let bytes = context.and_then(|text| base64::engine::general_purpose::STANDARD_NO_PAD.decode(text).ok());
    let context: Value = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let app = cx.state.apps.get(&cx.caller.token()?.app).ok_or(Code::InvalidAuth)?;
    if context["aid"] != app.id.as_str() {
        return Err(Code::InvalidEventContext.into());
    }
    let channel = context["cid"].as_str().and_then(|id| cx.state.channels.get(&id.into()));
    let all = listeners::authorizations(
        cx.state,
        app,
        context["et"].as_str().unwrap_or_default(),
        channel.map(std::convert::AsRef::as_ref),
    );
    let size = args.limit.size(AUTHORIZATIONS_MAX, AUTHORIZATIONS_MAX)?;
    let from = paging::read_cursor(args.cursor.as_deref(), "user")?;
    let start = from.map_or(Some(0), |from| all.iter().position(|row| row.user == from)).ok_or(Code::InvalidCursor)?;
    let mut rows = all[start..].iter();
    let page: Vec<Value> = rows.by_ref().take(size).map(|row| row.authorization(cx.state)).collect();
    let mut told = json!({ "authorizations": page });
    if let Some(next) = rows.next() {
        told["response_metadata"] = json!({ "next_cursor": paging::cursor("user", &next.user) });
    }
    Ok(Typed::ok(&told))
}
