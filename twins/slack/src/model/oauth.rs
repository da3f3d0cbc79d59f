//! Installing apps: codes that people let apps have, tokens made of them, and tokens that are given anew.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dtu_kernel::{
    ids::{HEX, IdShape},
    seed::Site,
    time::Timestamp,
    tx::Tx,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use smol_str::{SmolStr, format_smolstr};

use super::{
    BOT, SITE, State, USER,
    apps::{self, App, Token, TokenKind},
    audit::{self, Entity},
    people::{self, User},
    webhooks::{self, Webhook},
};
use crate::error::Code;

/// How long a code can be exchanged.
const CODE_LIFE: Duration = Duration::from_secs(600);
/// How long a token lives where tokens are given anew, in seconds.
pub(crate) const TOKEN_LIFE: i64 = 43_200;

const CODE: IdShape = IdShape { site: SITE.child("code"), prefix: "", alphabet: HEX, drawn: 64, suffix: "" };
const DRAWN: Site = SITE.child("token");

/// Which page a person came by, which decides what takes the code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// `/oauth/v2/authorize`: an installation.
    #[default]
    Install,
    /// `/openid/connect/authorize`: Sign in with Slack.
    SignIn,
    /// `/oauth/authorize`: an installation of a classic app.
    Legacy,
}

/// By what an app proves that it is the one that asked for a code (RFC 7636).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Challenge {
    /// The verifier itself.
    Plain(SmolStr),
    /// Its SHA-256, in base64 for addresses.
    S256(SmolStr),
}

impl Challenge {
    fn is_met(&self, verifier: &str) -> bool {
        match self {
            Self::Plain(challenge) => challenge == verifier,
            Self::S256(challenge) => *challenge == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
        }
    }
}

/// What a person has let an app have, until the app fetches it.
#[derive(Clone, Debug, Serialize)]
pub struct Grant {
    /// The app.
    pub app: SmolStr,
    /// Who let it.
    pub user: SmolStr,
    /// The bot's scopes.
    pub scopes: Arc<[SmolStr]>,
    /// The person's scopes.
    pub user_scopes: Arc<[SmolStr]>,
    /// Where the person was sent back to.
    pub redirect_uri: SmolStr,
    /// Whether the app named that address, and must do so again.
    pub redirect_named: bool,
    /// The page that the person came by.
    pub flow: Flow,
    /// What the sign-in is to repeat.
    pub nonce: SmolStr,
    /// What the app must prove when it fetches the tokens.
    pub challenge: Option<Challenge>,
    /// Where the webhook posts that the app asks for.
    pub channel: Option<SmolStr>,
    /// When.
    pub at: Timestamp,
    /// Whether the app has fetched it.
    pub used: bool,
}

/// What an app brings to fetch what it was let have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brought<'a> {
    pub(crate) flow: Flow,
    pub(crate) code: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: Option<&'a str>,
}

/// A token that can be exchanged for a new pair once.
#[derive(Clone, Debug, Serialize)]
pub struct Refresh {
    /// The token that came with it.
    pub token: SmolStr,
    /// Whether it was used.
    pub used: bool,
}

/// Notes what a person lets an app have. Gives back the code.
pub(crate) fn grant(state: &mut State, tx: &mut Tx<'_>, grant: Grant) -> SmolStr {
    let code = format_smolstr!("{}.{}", tx.now.as_micros(), tx.id(&CODE));
    state.grants.put(&mut tx.changes, code.clone(), grant);
    code
}

/// Takes a code, which can be done once.
///
/// # Errors
/// A code that is none, is over, or was given for another address or page; a proof that is none.
pub(crate) fn redeem(state: &mut State, tx: &mut Tx<'_>, app: &App, with: Brought<'_>) -> Result<Arc<Grant>, Code> {
    let key = SmolStr::new(with.code);
    let grant = state.grants.get(&key).filter(|grant| grant.app == app.id).cloned().ok_or(Code::InvalidCode)?;
    if tx.now.since(grant.at) > CODE_LIFE {
        return Err(Code::InvalidCode);
    }
    if grant.used {
        // Only the oldest of the three methods has a code for this.
        return Err(if with.flow == Flow::Legacy { Code::CodeAlreadyUsed } else { Code::InvalidCode });
    }
    if grant.flow != with.flow {
        return Err(Code::OauthAuthorizationUrlMismatch);
    }
    match with.redirect_uri {
        Some(given) if given != grant.redirect_uri => return Err(Code::BadRedirectUri),
        None if grant.redirect_named => return Err(Code::BadRedirectUri),
        _ => {}
    }
    check_proof(app, grant.challenge.as_ref(), with.verifier)?;
    if grant.scopes.is_empty() && grant.user_scopes.is_empty() {
        return Err(Code::NoScopes);
    }
    state.grants.update(&mut tx.changes, &key, |grant| grant.used = true);
    Ok(grant)
}

fn check_proof(app: &App, challenge: Option<&Challenge>, verifier: Option<&str>) -> Result<(), Code> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (Some(_), _) | (_, Some(_)) if !app.setup.pkce => Err(Code::PkceNotAllowed),
        (Some(challenge), Some(verifier)) if challenge.is_met(verifier) => Ok(()),
        _ => Err(Code::InvalidCodeVerifier),
    }
}

/// Tokens as they are given out.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) token: SmolStr,
    pub(crate) refresh: Option<SmolStr>,
}

/// A token's text, as Slack writes it.
fn token_text(tx: &mut Tx<'_>, kind: TokenKind, rotates: bool) -> SmolStr {
    let (a, b) = (tx.draw(DRAWN).below(9_000_000_000_000), tx.draw(DRAWN).below(9_000_000_000_000));
    let secret = tx.draw(DRAWN).text(dtu_kernel::ids::ALNUM, if rotates { 146 } else { 24 });
    let family = match kind {
        TokenKind::Bot => "xoxb",
        TokenKind::User | TokenKind::Config => "xoxp",
        TokenKind::App => "xapp",
    };
    if rotates {
        return format_smolstr!("xoxe.{family}-1-{secret}");
    }
    format_smolstr!("{family}-{}-{}-{secret}", 1_000_000_000_000 + a, 1_000_000_000_000 + b)
}

fn refresh_text(tx: &mut Tx<'_>) -> SmolStr {
    format_smolstr!("xoxe-1-{}", tx.draw(DRAWN).text(dtu_kernel::ids::ALNUM, 146))
}

/// Gives out a token like `like`, with one to get the next where `rotates`.
fn issue(state: &mut State, tx: &mut Tx<'_>, like: Token, rotates: bool) -> Issued {
    let text = token_text(tx, like.kind, rotates);
    let expires = rotates.then(|| tx.now.as_secs() + TOKEN_LIFE);
    apps::keep_token(state, tx, text.clone(), Token { expires, revoked: false, ..like });
    let refresh = rotates.then(|| {
        let refresh = refresh_text(tx);
        let row = Refresh { token: text.clone(), used: false };
        state.refreshes.put(&mut tx.changes, refresh.clone(), row);
        refresh
    });
    Issued { token: text, refresh }
}

fn joined(scopes: &[SmolStr]) -> SmolStr {
    scopes.iter().map(SmolStr::as_str).collect::<Vec<_>>().join(",").into()
}

/// Scopes of before and new ones: Slack only ever adds.
fn together(before: &[SmolStr], more: &[SmolStr]) -> Arc<[SmolStr]> {
    let mut all = before.to_vec();
    for scope in more {
        if !all.contains(scope) {
            all.push(scope.clone());
        }
    }
    all.into()
}

/// What comes of an installation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Installed {
    /// The bot's token; none where no scope asks for it.
    pub(crate) bot: Option<Issued>,
    /// The person's token; none where no scope asks for it.
    pub(crate) user: Option<Issued>,
    /// The webhook that the app has asked for.
    pub(crate) webhook: Option<Arc<Webhook>>,
}

/// Installs an app as a person has let it.
pub(crate) fn install(state: &mut State, tx: &mut Tx<'_>, grant: &Grant) -> Installed {
    ensure_bot(state, tx, &grant.app);
    let Some(app) = state.apps.get(&grant.app).cloned() else { return Installed::default() };
    let bot = (!grant.scopes.is_empty()).then(|| install_bot(state, tx, &app, grant));
    let user = (!grant.user_scopes.is_empty()).then(|| install_user(state, tx, &app, grant));
    let (now, installer) = (tx.now.as_secs(), grant.user.clone());
    apps::edit(state, tx, &grant.app, |row| {
        if row.removed {
            (row.removed, row.installer) = (false, installer);
        }
        row.updated = now;
        if let Some(bot) = &bot {
            row.bot_token = bot.token.clone();
        }
        if let Some(user) = &user
            && row.user_token.is_none()
        {
            row.user_token = Some(user.token.clone());
        }
    });
    let channel = grant.channel.as_ref().filter(|_| grant.scopes.iter().any(|scope| scope == webhooks::SCOPE));
    let webhook = channel.map(|channel| webhooks::make(state, tx, &grant.app, channel, &grant.user));
    audit::log(state, tx, &grant.user, "app_installed", &Entity::app(&grant.app));
    Installed { bot, user, webhook }
}

/// Gives an app that is installed for the first time its bot.
fn ensure_bot(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr) {
    let Some(app) = state.apps.get(id).filter(|app| app.bot_user.is_empty()).cloned() else { return };
    let (bot, user) = (tx.id(&BOT), tx.id(&USER));
    let named = app.setup.manifest["features"]["bot_user"]["display_name"].as_str().unwrap_or(&app.name);
    let name: SmolStr = named.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    people::add(state, tx, people::bot(&user, &name, &app.name, Some(id.clone()), tx.now.as_secs()));
    apps::edit(state, tx, id, |app| (app.bot, app.bot_user) = (bot, user));
}

/// The token of a person who signs in.
pub(crate) fn sign_in(state: &mut State, tx: &mut Tx<'_>, app: &App, grant: &Grant) -> Issued {
    install_user(state, tx, app, grant)
}

fn install_bot(state: &mut State, tx: &mut Tx<'_>, app: &App, grant: &Grant) -> Issued {
    let scopes = together(if app.removed { &[] } else { &app.scopes }, &grant.scopes);
    apps::edit(state, tx, &app.id, |row| row.scopes = Arc::clone(&scopes));
    let like = Token {
        kind: TokenKind::Bot,
        app: app.id.clone(),
        user: app.bot_user.clone(),
        granted: joined(&scopes),
        scopes,
        bearer: app.key.clone(),
        revoked: false,
        expires: None,
    };
    // An app that is there already keeps its token, with more scopes.
    let kept = state.tokens.get(&app.bot_token).filter(|token| !token.revoked && token.expires.is_none());
    if kept.is_some() && !app.rotates {
        state.tokens.put(&mut tx.changes, app.bot_token.clone(), like);
        return Issued { token: app.bot_token.clone(), refresh: None };
    }
    issue(state, tx, like, app.rotates)
}

fn install_user(state: &mut State, tx: &mut Tx<'_>, app: &App, grant: &Grant) -> Issued {
    let like = Token {
        kind: TokenKind::User,
        app: app.id.clone(),
        user: grant.user.clone(),
        granted: joined(&grant.user_scopes),
        scopes: Arc::clone(&grant.user_scopes),
        bearer: format_smolstr!("{}/{}", app.key, state.label(&grant.user)),
        revoked: false,
        expires: None,
    };
    issue(state, tx, like, app.rotates)
}

/// A new pair for a refresh token; the old pair is over at once.
///
/// # Errors
/// Where it is none of this app's, or was used.
pub(crate) fn refresh(
    state: &mut State,
    tx: &mut Tx<'_>,
    app: Option<&App>,
    text: &str,
) -> Result<(Token, Issued), Code> {
    let row = state.refreshes.get(&text.into()).filter(|row| !row.used).cloned().ok_or(Code::InvalidRefreshToken)?;
    let token = state.tokens.get(&row.token).filter(|token| !token.revoked).ok_or(Code::InvalidRefreshToken)?;
    let token = Token::clone(token);
    let fits = app.map_or(token.kind == TokenKind::Config, |app| token.app == app.id);
    if !fits {
        return Err(Code::InvalidRefreshToken);
    }
    state.refreshes.update(&mut tx.changes, &text.into(), |row| row.used = true);
    state.tokens.update(&mut tx.changes, &row.token, |token| token.revoked = true);
    let issued = issue(state, tx, token.clone(), true);
    keep(state, tx, &token, &row.token, &issued);
    Ok((token, issued))
}

/// A rotating pair for a token that lives for ever.
///
/// # Errors
/// Where the app's tokens do not rotate, or this one does already.
pub(crate) fn exchange(state: &mut State, tx: &mut Tx<'_>, app: &App, text: &SmolStr) -> Result<(Token, Issued), Code> {
    if !app.rotates {
        return Err(Code::TokenRotationNotEnabled);
    }
    let token = state.tokens.get(text).filter(|token| token.app == app.id).ok_or(Code::InvalidAuth)?;
    if token.revoked || token.expires.is_some() {
        return Err(Code::TokenAlreadyExchanged);
    }
    let token = Token::clone(token);
    state.tokens.update(&mut tx.changes, text, |token| token.revoked = true);
    let issued = issue(state, tx, token.clone(), true);
    keep(state, tx, &token, text, &issued);
    Ok((token, issued))
}

/// The app's row names its tokens.
fn keep(state: &mut State, tx: &mut Tx<'_>, token: &Token, before: &SmolStr, issued: &Issued) {
    if token.app.is_empty() {
        return;
    }
    apps::edit(state, tx, &token.app, |row| {
        if row.bot_token == *before {
            row.bot_token = issued.token.clone();
        } else if row.user_token.as_ref() == Some(before) {
            row.user_token = Some(issued.token.clone());
        }
    });
}

/// A pair with which a person configures apps.
pub(crate) fn configuration_token(state: &mut State, tx: &mut Tx<'_>, user: &User) -> Issued {
    let scopes: Arc<[SmolStr]> =
        ["app_configurations:read", "app_configurations:write"].map(SmolStr::new_static).into();
    let like = Token {
        kind: TokenKind::Config,
        app: SmolStr::default(),
        user: user.id.clone(),
        granted: joined(&scopes),
        scopes,
        bearer: format_smolstr!("{}/config", user.label()),
        revoked: false,
        expires: None,
    };
    issue(state, tx, like, true)
}

/// Revokes one token. An app whose last token it was is off the workspace.
pub(crate) fn revoke(state: &mut State, tx: &mut Tx<'_>, text: &SmolStr) {
    let Some(token) = state.tokens.update(&mut tx.changes, text, |token| token.revoked = true) else { return };
    crate::announce::tokens_revoked(state, tx, &token);
    if token.kind == TokenKind::Bot {
        crate::rtm::turn_off(state, tx, &token.app);
    }
    let Some(app) = state.apps.get(&token.app) else { return };
    let lives = |text: &SmolStr| state.tokens.get(text).is_some_and(|token| !token.revoked);
    let left = lives(&app.bot_token) || app.user_token.as_ref().is_some_and(lives);
    if !left && !app.removed {
        let id = app.id.clone();
        crate::announce::uninstalled(state, tx, &id);
        apps::remove(state, tx, &id);
    }
}

impl State {
    /// An app by its client id.
    pub fn app_by_client(&self, client_id: &str) -> Option<&Arc<App>> {
        self.apps.get(self.index.app_by_client.get(client_id)?)
    }
}
