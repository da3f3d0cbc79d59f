//! `api.test` and `auth.test`.

use dtu_kernel::{operation::Typed, twin::Read};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use crate::{
    Slack,
    error::{Code, Error},
    model::apps::TokenKind,
};

/// Whatever was sent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct ApiTest(Map<String, Value>);

/// What was sent, sent back.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ApiTestAnswer {
    #[serde(skip_serializing_if = "Map::is_empty")]
    args: Map<String, Value>,
}

/// `api.test`: needs no token.
pub(crate) fn api_test(_: &Read<'_, Slack>, ApiTest(args): ApiTest) -> Result<Typed<ApiTestAnswer>, Error> {
    match args.get("error").and_then(Value::as_str).filter(|code| !code.is_empty()) {
        Some(code) => Err(Error::Echo { code: code.into(), args: Box::new(args) }),
        None => Ok(Typed::ok(&ApiTestAnswer { args })),
    }
}

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct NoArguments {}

/// Who the token belongs to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AuthTest {
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    team_id: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_id: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_name: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enterprise_id: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_enterprise_install: Option<bool>,
    /// In how many seconds a token that is given anew is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
}

/// `auth.test`
pub(crate) fn auth_test(cx: &Read<'_, Slack>, _: NoArguments) -> Result<Typed<AuthTest>, Error> {
    let (state, token) = (cx.state, cx.caller.token()?);
    let app = state.apps.get(&token.app).ok_or(Code::InvalidAuth)?;
    // An app's own token belongs to no workspace.
    let is_app = token.kind == TokenKind::App;
    let team = |value: &SmolStr| (!is_app).then(|| value.clone());
    Ok(Typed::ok(&AuthTest {
        url: (!is_app).then(|| state.url()),
        team: team(&state.workspace.name),
        user: state.users.get(&token.user).map(|user| user.name.clone()),
        team_id: team(&state.workspace.id),
        user_id: team(&token.user),
        bot_id: (token.kind == TokenKind::Bot).then(|| app.bot.clone()),
        app_name: is_app.then(|| app.name.clone()),
        app_id: is_app.then(|| app.id.clone()),
        enterprise_id: state.enterprise_id().filter(|_| !is_app).cloned(),
        is_enterprise_install: (!is_app).then_some(false),
        expires_in: token.expires.map(|at| at - cx.scene.now.as_secs()),
    }))
}
