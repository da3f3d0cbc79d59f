//! What people do about apps, statuses, emoji and marks in Slack's own pages.

use std::sync::Arc;

use dtu_kernel::{
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use crate::{
    Slack,
    affordances::{find_app, find_message, find_to_write},
    announce,
    error::Code,
    model::{
        State, apps,
        marks::{self, is_emoji},
        oauth::{self, Grant},
        status,
    },
};

/// The verbs.
pub(crate) fn all() -> Vec<Affordance<Slack>> {
    vec![
        Affordance::new("slack.user.react", "Puts an emoji on a message, or takes it off.", react),
        Affordance::new("slack.user.pin", "Pins a message, or takes the pin off.", pin),
        Affordance::new("slack.user.set_status", "Sets or clears one's status.", set_status),
        Affordance::new("slack.user.add_emoji", "Adds an emoji to the workspace.", add_emoji),
        Affordance::new("slack.user.install_app", "Lets an app have what it asks for.", install_app),
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
    /// The bot's scopes; those that it has where absent.
    scopes: Option<Vec<SmolStr>>,
    /// The person's scopes.
    #[serde(default)]
    user_scopes: Vec<SmolStr>,
    /// Where the person is sent back to; the app's first address where absent.
    redirect_uri: Option<SmolStr>,
    /// What the app wants to hear again.
    state: Option<String>,
}

/// What the page at `/oauth/v2/authorize` does once somebody presses Allow. Gives back the code and where it goes.
fn install_app(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: InstallApp) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let missing = || Refusal::new(format!("no app is called `{}`", with.app));
    let app = state.find_app(&with.app).cloned().ok_or_else(missing)?;
    if !user.is_full_member() {
        return Err(Refusal::new("guests install no apps"));
    }
    let redirect_uri = match with.redirect_uri {
        Some(uri) if !app.redirect_urls.iter().any(|url| uri.starts_with(url.as_str())) => {
            return Err(Refusal::new(format!("`{uri}` is not among the app's redirect URLs")));
        }
        Some(uri) => uri,
        None => app.redirect_urls.first().cloned().unwrap_or_default(),
    };
    let code = oauth::grant(
        state,
        tx,
        Grant {
            app: app.id.clone(),
            user: user.id.clone(),
            scopes: with.scopes.map_or_else(|| Arc::clone(&app.scopes), Arc::from),
            user_scopes: with.user_scopes.into(),
            redirect_uri: redirect_uri.clone(),
            sign_in: false,
            nonce: SmolStr::default(),
            at: tx.now,
        },
    );
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("code", &code).append_pair("state", with.state.as_deref().unwrap_or_default());
    Ok(json!({
        "code": code,
        "client_id": app.client_id(),
        "client_secret": app.client_secret(),
        "location": format!("{redirect_uri}?{}", query.finish()),
    }))
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
    });
    Ok(json!({ "app": app.id }))
}
