//! What people do about apps, statuses, emoji and marks in Slack's own pages.

use dtu_kernel::{
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};

use crate::{
    Slack,
    affordances::{find_app, find_message, find_to_write},
    announce,
    error::Code,
    events,
    model::{
        State,
        apps::{self, App, Distribution},
        consent::{Ask, Link, Trouble},
        interactivity, manifest,
        marks::{self, is_emoji},
        oauth::{self, Flow},
        schedule::stamp,
        status,
        webhooks::HookStatus,
    },
    text,
};

/// The verbs.
pub(crate) fn all() -> Vec<Affordance<Slack>> {
    vec![
        Affordance::new("slack.user.react", "Puts an emoji on a message, or takes it off.", react),
        Affordance::new("slack.user.pin", "Pins a message, or takes the pin off.", pin),
        Affordance::new("slack.user.set_status", "Sets or clears one's status.", set_status),
        Affordance::new("slack.user.set_photo", "Chooses a picture of oneself, or takes it away.", set_photo),
        Affordance::new("slack.user.add_emoji", "Adds an emoji to the workspace.", add_emoji),
        Affordance::new("slack.user.install_app", "Lets an app have what it asks for.", install_app),
        Affordance::new(
            "slack.user.connect_app",
            "Connects an app to what it stands for, or takes that back.",
            connect,
        ),
        Affordance::new("slack.admin.enable_events", "Lets an app be sent events again.", enable_events),
        Affordance::new("slack.user.config_token", "Makes a token that configures apps.", config_token),
        Affordance::new(
            "slack.admin.distribute_app",
            "Sets how an app is installed and what links it shows.",
            distribute,
        ),
    ]
}

fn refused(code: Code) -> Refusal {
    Refusal::new(format!("Slack refuses: {}", code.as_str()))
}

/// Arguments of `slack.user.react`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct React {
    /// Name, `#name` or id; `@somebody` for a direct message.
    channel: String,
    /// The message.
    ts: String,
    /// The emoji, with or without colons.
    emoji: String,
    /// Whether to take it off.
    #[serde(default)]
    remove: bool,
}

fn react(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: React) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_to_write(state, tx, &user, &with.channel)?;
    let item = (&channel.id, find_message(state, &channel, &with.ts)?);
    let name = with.emoji.trim_matches(':');
    let done = if with.remove {
        marks::unreact(state, tx, &user.id, item, name)
    } else {
        marks::react(state, tx, &user.id, item, name)
    };
    done.map_err(refused)?;
    Ok(json!({ "channel": channel.id, "ts": with.ts }))
}

/// Arguments of `slack.user.pin`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pin {
    /// Name, `#name` or id; `@somebody` for a direct message.
    channel: String,
    /// The message.
    ts: String,
    /// Whether to take the pin off.
    #[serde(default)]
    remove: bool,
}

fn pin(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Pin) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_to_write(state, tx, &user, &with.channel)?;
    let ts = find_message(state, &channel, &with.ts)?;
    let done = if with.remove {
        marks::unpin(state, tx, &user.id, &channel.id, ts)
    } else {
        marks::pin(state, tx, &user.id, &channel.id, ts)
    };
    done.map_err(refused)?;
    Ok(json!({ "channel": channel.id, "ts": with.ts }))
}

/// Arguments of `slack.user.set_status`. Nothing at all clears it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetStatus {
    /// The words.
    #[serde(default)]
    text: String,
    /// The emoji, with or without colons.
    #[serde(default)]
    emoji: String,
    /// When it is cleared, in seconds since 1970; 0 for never.
    #[serde(default)]
    until: i64,
}

fn set_status(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: SetStatus) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let mut members = Map::new();
    members.insert("status_text".to_owned(), json!(with.text));
    members.insert("status_emoji".to_owned(), json!(with.emoji));
    members.insert("status_expiration".to_owned(), json!(with.until));
    status::set_profile(state, tx, (&user.id, &user), &members).map_err(refused)?;
    Ok(json!({ "user": user.id }))
}

/// Arguments of `slack.user.set_photo`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetPhoto {
    /// What tells the picture from others: a file's name, say. None takes the picture away.
    picture: Option<String>,
}

fn set_photo(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: SetPhoto) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let hash = with.picture.map(|name| format_smolstr!("{:012x}", text::hash(&[&name]) & 0xffff_ffff_ffff));
    status::set_photo(state, tx, &user.id, hash).map_err(refused)?;
    Ok(json!({ "user": user.id }))
}

/// Arguments of `slack.user.add_emoji`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddEmoji {
    /// The name, without colons.
    name: SmolStr,
    /// The picture's address, or `alias:` and another emoji.
    value: SmolStr,
}

fn add_emoji(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: AddEmoji) -> Result<Value, Refusal> {
    state.person(actor)?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '+' | '\'');
    if with.name.is_empty() || !with.name.chars().all(fits) {
        return Err(Refusal::new(format!("`{}` is not a name for an emoji", with.name)));
    }
    if is_emoji(state, &with.name) {
        return Err(Refusal::new(format!("the emoji `{}` is there already", with.name)));
    }
    state.emoji.put(&mut tx.changes, with.name.clone(), with.value.clone());
    announce::emoji(state, tx, "add", &with.name, &with.value);
    Ok(json!({ "name": with.name }))
}

/// Arguments of `slack.user.install_app`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InstallApp {
    /// The app's key, name or id; it may have been taken off the workspace.
    app: String,
    /// The bot's scopes; those that its manifest asks for, or else those that it has, where absent. For a sign-in the
    /// person's.
    scopes: Option<Vec<SmolStr>>,
    /// The person's scopes; those that its manifest asks for where absent.
    #[serde(default)]
    user_scopes: Vec<SmolStr>,
    /// Where the person is sent back to; the app's first address where absent.
    redirect_uri: Option<SmolStr>,
    /// What the app wants to hear again.
    state: Option<String>,
    /// The page: `install`, `sign_in`, or `legacy` for a classic app; the app's where absent.
    flow: Option<Flow>,
    /// Where a webhook posts that the app asks for: name, `#name` or id.
    channel: Option<String>,
    /// What a sign-in is to repeat.
    #[serde(default)]
    nonce: SmolStr,
    /// What the app has to prove (RFC 7636).
    code_challenge: Option<SmolStr>,
    /// How: `plain` or `S256`.
    code_challenge_method: Option<SmolStr>,
    /// Whether the person presses Cancel.
    #[serde(default)]
    cancel: bool,
}

impl InstallApp {
    fn link(&self, app: &App) -> Link {
        let joined = |scopes: &[SmolStr]| scopes.iter().map(SmolStr::as_str).collect::<Vec<_>>().join(",");
        let [bot, user] = manifest::scopes(&app.setup.manifest);
        let usual = if app.setup.classic { Flow::Legacy } else { Flow::Install };
        Link {
            flow: self.flow.unwrap_or(usual),
            client_id: app.client_id(),
            scope: Some(joined(
                self.scopes.as_deref().unwrap_or_else(|| if bot.is_empty() { &app.scopes } else { &bot }),
            )),
            user_scope: Some(joined(if self.user_scopes.is_empty() { &user } else { &self.user_scopes })),
            redirect_uri: self.redirect_uri.clone(),
            response_type: Some("code".to_owned()),
            nonce: self.nonce.clone(),
            code_challenge: self.code_challenge.clone(),
            code_challenge_method: self.code_challenge_method.clone(),
        }
    }
}

/// What the pages do once somebody presses Allow or Cancel. Gives back the code and where it goes.
fn install_app(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: InstallApp) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let missing = || Refusal::new(format!("no app is called `{}`", with.app));
    let app = state.find_app(&with.app).cloned().ok_or_else(missing)?;
    if state.enterprise.resolutions.get(&app.id).is_some_and(|row| !row.approved) {
        return Err(Refusal::new(format!("the organization's administrators have restricted `{}`", app.name)));
    }
    let page = |trouble: Trouble| Refusal::new(format!("Slack's page says: {trouble}"));
    let ask = Ask::read(state, &with.link(&app)).map_err(page)?;
    let said = with.state.as_deref();
    if with.cancel {
        return Ok(json!({ "location": ask.location("error", "access_denied", said) }));
    }
    let channel = with.channel.as_deref().and_then(|named| state.visible_by_name(named, &user.id)).cloned();
    let code = ask.allow(state, tx, &user, channel.as_deref()).map_err(page)?;
    Ok(json!({
        "code": code,
        "client_id": app.client_id(),
        "client_secret": app.client_secret(),
        "location": ask.location("code", &code, said),
    }))
}

/// Arguments of `slack.user.connect_app`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Connect {
    /// The app's key, name or id.
    app: String,
    /// Whether to take it back.
    #[serde(default)]
    disconnect: bool,
}

/// The app is asked to connect the person; it tells with `apps.user.connection.update` that it has.
fn connect(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Connect) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let app = state.find_app(&with.app).filter(|app| !app.removed).cloned();
    let app = app.ok_or_else(|| Refusal::new(format!("no app `{}` is installed", with.app)))?;
    let trigger = interactivity::make_trigger(state, tx, &app.id, &user.id);
    let event = json!({
        "type": "user_connection",
        "subtype": if with.disconnect { "disconnect" } else { "connect" },
        "user": user.id,
        "trigger_id": trigger,
        "event_ts": stamp(tx.now),
    });
    events::tell(state, tx, &app.id, None, &event);
    Ok(json!({ "app": app.id }))
}

/// Arguments of `slack.admin.enable_events`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EnableEvents {
    /// The app's key, name or id.
    app: String,
}

fn enable_events(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: EnableEvents) -> Result<Value, Refusal> {
    let app = find_app(state, actor, &with.app)?;
    if !app.setup.silenced {
        return Err(Refusal::new(format!("the events of `{}` are not turned off", app.key)));
    }
    apps::edit(state, tx, &app.id, |app| app.setup.silenced = false);
    Ok(json!({ "app": app.id }))
}

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn config_token(state: &mut State, tx: &mut Tx<'_>, actor: &str, _: Nothing) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let issued = oauth::configuration_token(state, tx, &user);
    Ok(json!({ "token": issued.token, "refresh_token": issued.refresh }))
}

/// Arguments of `slack.admin.distribute_app`. What is absent stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Distribute {
    /// The app's key, name or id.
    app: String,
    /// Where people may be sent back to.
    redirect_urls: Option<Vec<SmolStr>>,
    /// The domains whose links it shows.
    unfurl_domains: Option<Vec<SmolStr>>,
    /// Whether its tokens are given anew every twelve hours. Cannot be undone.
    #[serde(default)]
    token_rotation: bool,
    /// Who may install it.
    distribution: Option<Distribution>,
    /// Whether it proves with each code that it asked for it (RFC 7636).
    pkce: Option<bool>,
    /// Whether its bot has the one old scope `bot`.
    classic: Option<bool>,
    /// What becomes of what it posts to its webhooks.
    webhooks: Option<HookStatus>,
}

fn distribute(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Distribute) -> Result<Value, Refusal> {
    let app = find_app(state, actor, &with.app)?;
    apps::edit(state, tx, &app.id, |app| {
        if let Some(urls) = with.redirect_urls {
            app.redirect_urls = urls.into();
        }
        if let Some(domains) = with.unfurl_domains {
            app.unfurl_domains = domains.into();
        }
        app.rotates |= with.token_rotation;
        let setup = &mut app.setup;
        setup.distribution = with.distribution.unwrap_or(setup.distribution);
        setup.pkce = with.pkce.unwrap_or(setup.pkce);
        setup.classic = with.classic.unwrap_or(setup.classic);
    });
    if let Some(status) = with.webhooks {
        for id in state.index.webhooks_of.get(&app.id).cloned().unwrap_or_default() {
            state.webhooks.update(&mut tx.changes, &id, |row| row.status = status);
        }
    }
    Ok(json!({ "app": app.id }))
}
