//! App manifests: what is wrong with one, the app that it makes, and the manifest of an app.
//!
//! <https://docs.slack.dev/reference/app-manifest>; the limits are those of
//! <https://github.com/slackapi/manifest-schema>.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::apps::{App, Command, Verification};
use crate::listeners::SUBSCRIPTIONS;

/// Something that is wrong with a manifest, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub message: String,
    /// Where: a JSON pointer.
    pub pointer: String,
}

/// What a member of a manifest may hold.
#[derive(Debug)]
enum Rule {
    Truth,
    Number,
    /// A text of so many characters.
    Text(usize, usize),
    /// An address of at most so many characters.
    Url(usize),
    /// A text that begins so.
    Starts(&'static str, usize),
    /// One of some words.
    Word(&'static [&'static str]),
    /// So many items at least and at most.
    List(usize, usize, &'static Rule),
    /// Members of these names: name, whether it must be there, what it holds.
    Object(&'static [(&'static str, bool, Rule)]),
    /// What other parts of Slack read.
    Open,
}

use Rule::{List, Number, Object, Open, Starts, Text, Truth, Url, Word};

const SCOPES: Rule = List(0, 255, &Text(1, 50));
const EVENTS: Rule = List(0, 100, &Text(1, 50));

const MANIFEST: Rule = Object(&[
    ("$schema", false, Text(0, 1_000)),
    (
        "_metadata",
        false,
        Object(&[
            ("schema_version", false, Number),
            ("min_version", false, Number),
            ("major_version", false, Number),
            ("minor_version", false, Number),
        ]),
    ),
    ("app_directory", false, Open),
    ("display_information", true, DISPLAY),
    ("features", false, FEATURES),
    ("oauth_config", false, OAUTH),
    ("settings", false, SETTINGS),
    ("functions", false, Open),
    ("workflows", false, Open),
    ("datastores", false, Open),
    ("outgoing_domains", false, Open),
    ("types", false, Open),
    ("external_auth_providers", false, Open),
]);

const DISPLAY: Rule = Object(&[
    ("name", true, Text(1, 35)),
    ("description", false, Text(1, 140)),
    ("background_color", false, Starts("#", 7)),
    ("long_description", false, Text(175, 4_000)),
]);

const FEATURES: Rule = Object(&[
    (
        "app_home",
        false,
        Object(&[
            ("home_tab_enabled", false, Truth),
            ("messages_tab_enabled", false, Truth),
            ("messages_tab_read_only_enabled", false, Truth),
        ]),
    ),
    ("bot_user", false, Object(&[("display_name", true, Text(1, 80)), ("always_online", false, Truth)])),
    ("functions", false, Open),
    (
        "shortcuts",
        false,
        List(
            1,
            10,
            &Object(&[
                ("name", true, Text(1, 24)),
                ("type", true, Word(&["message", "global"])),
                ("callback_id", true, Text(1, 255)),
                ("description", true, Text(1, 150)),
            ]),
        ),
    ),
    (
        "slash_commands",
        false,
        List(
            1,
            50,
            &Object(&[
                ("command", true, Starts("/", 32)),
                ("url", false, Url(3_000)),
                ("description", true, Text(1, 2_000)),
                ("usage_hint", false, Text(1, 1_000)),
                ("should_escape", false, Truth),
            ]),
        ),
    ),
    ("workflow_steps", false, Open),
    ("unfurl_domains", false, List(1, 5, &Text(1, 255))),
    ("assistant_view", false, Open),
    ("agent_view", false, Open),
    ("rich_previews", false, Open),
    ("search", false, Open),
]);

const OAUTH: Rule = Object(&[
    ("redirect_urls", false, List(0, 1_000, &Text(1, 2_500))),
    (
        "scopes",
        false,
        Object(&[
            ("user", false, SCOPES),
            ("bot", false, SCOPES),
            ("user_optional", false, SCOPES),
            ("bot_optional", false, SCOPES),
        ]),
    ),
    ("token_management_enabled", false, Truth),
    ("pkce_enabled", false, Truth),
]);

const SETTINGS: Rule = Object(&[
    ("allowed_ip_address_ranges", false, List(1, 50, &Text(1, 50))),
    (
        "event_subscriptions",
        false,
        Object(&[
            ("request_url", false, Url(3_500)),
            ("user_events", false, EVENTS),
            ("bot_events", false, EVENTS),
            ("metadata_subscriptions", false, Open),
        ]),
    ),
    (
        "interactivity",
        false,
        Object(&[
            ("is_enabled", true, Truth),
            ("request_url", false, Url(3_500)),
            ("message_menu_options_url", false, Url(3_500)),
        ]),
    ),
    ("incoming_webhooks", false, Open),
    ("org_deploy_enabled", false, Truth),
    ("socket_mode_enabled", false, Truth),
    ("token_rotation_enabled", false, Truth),
    ("is_hosted", false, Truth),
    ("is_mcp_enabled", false, Truth),
    ("hermes_app_type", false, Text(1, 50)),
    ("function_runtime", false, Word(&["remote", "slack"])),
    ("siws_links", false, Open),
]);

/// All that is wrong with a manifest.
pub(crate) fn faults(manifest: &Value) -> Vec<Fault> {
    let mut found = Vec::new();
    look(manifest, &MANIFEST, "", &mut found);
    if found.is_empty() {
        look_across(manifest, &mut found);
    }
    found
}

fn add(found: &mut Vec<Fault>, message: impl Into<String>, at: &str) {
    found.push(Fault { message: message.into(), pointer: at.to_owned() });
}

/// Holds a value against its rule.
fn look(value: &Value, rule: &Rule, at: &str, found: &mut Vec<Fault>) {
    match rule {
        Truth if !value.is_boolean() => add(found, "must be a boolean", at),
        Number if !value.is_u64() => add(found, "must be an integer", at),
        Text(least, most) => look_text(value, (*least, *most), at, found),
        Url(most) => {
            look_text(value, (1, *most), at, found);
            if value.as_str().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
                add(found, "must be a valid URL", at);
            }
        }
        Starts(start, most) => {
            look_text(value, (2, *most), at, found);
            if value.as_str().is_some_and(|text| !text.starts_with(start)) {
                add(found, format!("must start with `{start}`"), at);
            }
        }
        Word(words) if !value.as_str().is_some_and(|word| words.contains(&word)) => {
            add(found, format!("must be one of {}", words.join(", ")), at);
        }
        Open | Truth | Number | Word(_) => {}
        List(least, most, rule) => look_list(value, (*least, *most), rule, at, found),
        Object(members) => look_object(value, members, at, found),
    }
}

fn look_text(value: &Value, (least, most): (usize, usize), at: &str, found: &mut Vec<Fault>) {
    match value.as_str().map(|text| text.chars().count()) {
        None => add(found, "must be a string", at),
        Some(size) if size < least => add(found, format!("must be more than {} characters", least - 1), at),
        Some(size) if size > most => add(found, format!("must be less than {} characters", most + 1), at),
        Some(_) => {}
    }
}

fn look_list(value: &Value, (least, most): (usize, usize), rule: &Rule, at: &str, found: &mut Vec<Fault>) {
    let Some(items) = value.as_array() else { return add(found, "must be an array", at) };
    if items.len() < least {
        add(found, format!("no fewer than {least} items allowed"), at);
    }
    if items.len() > most {
        add(found, format!("no more than {most} items allowed"), at);
    }
    for (n, item) in items.iter().enumerate() {
        look(item, rule, &format!("{at}/{n}"), found);
    }
}

fn look_object(value: &Value, members: &[(&str, bool, Rule)], at: &str, found: &mut Vec<Fault>) {
    let Some(object) = value.as_object() else { return add(found, "must be an object", at) };
    for (name, _) in object.iter().filter(|(name, _)| members.iter().all(|(known, ..)| known != name)) {
        add(found, format!("additional property: {name}"), at);
    }
    for (name, is_needed, rule) in members {
        match object.get(*name) {
            Some(value) => look(value, rule, &format!("{at}/{name}"), found),
            None if *is_needed => add(found, format!("missing required field: {name}"), at),
            None => {}
        }
    }
}

/// What parts of a manifest ask of each other. The words are Slack's:
/// <https://docs.slack.dev/reference/methods/apps.manifest.validate>.
fn look_across(manifest: &Value, found: &mut Vec<Fault>) {
    let settings = &manifest["settings"];
    let has_sockets = settings["socket_mode_enabled"] == true;
    let has_url = |part: &str| settings[part]["request_url"].is_string();
    let lists = ["bot_events", "user_events"].map(|name| texts(&settings["event_subscriptions"][name]));
    if lists.iter().any(|list| !list.is_empty()) && !has_sockets && !has_url("event_subscriptions") {
        let words = "Event Subscription requires either Request URL or Socket Mode Enabled";
        add(found, words, "/settings/event_subscriptions");
    }
    if settings["interactivity"]["is_enabled"] == true && !has_sockets && !has_url("interactivity") {
        add(found, "Interactivity requires a Request URL", "/settings/interactivity");
        add(found, "Interactivity requires Socket Mode enabled", "/settings/interactivity");
    }
    for (n, command) in manifest["features"]["slash_commands"].as_array().into_iter().flatten().enumerate() {
        if !has_sockets && !command["url"].is_string() {
            add(found, "Slash command requires a URL", &format!("/features/slash_commands/{n}"));
        }
    }
    let scopes = &manifest["oauth_config"]["scopes"]["bot"];
    if !texts(scopes).is_empty() && !manifest["features"]["bot_user"].is_object() {
        add(found, "Bot scopes require a bot user", "/oauth_config/scopes/bot");
    }
}

fn texts(list: &Value) -> Vec<SmolStr> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(SmolStr::new).collect()
}

/// The first event among the subscriptions that nothing here causes.
pub(crate) fn unserved(manifest: &Value) -> Option<SmolStr> {
    let part = &manifest["settings"]["event_subscriptions"];
    let all = texts(&part["bot_events"]).into_iter().chain(texts(&part["user_events"]));
    all.into_iter().find(|name| !SUBSCRIPTIONS.iter().any(|(known, _)| known == name))
}

/// The bot's and the person's scopes that a manifest asks for.
pub(crate) fn scopes(manifest: &Value) -> [Vec<SmolStr>; 2] {
    ["bot", "user"].map(|kind| texts(&manifest["oauth_config"]["scopes"][kind]))
}

/// Sets an app up as a manifest says. All that it says before is replaced.
pub(crate) fn apply(app: &mut App, manifest: Value) {
    let text = |value: &Value| SmolStr::new(value.as_str().unwrap_or_default());
    let (features, settings) = (&manifest["features"], &manifest["settings"]);
    let events = &settings["event_subscriptions"];
    app.name = text(&manifest["display_information"]["name"]);
    app.redirect_urls = texts(&manifest["oauth_config"]["redirect_urls"]).into();
    app.unfurl_domains = texts(&features["unfurl_domains"]).into();
    app.events = texts(&events["bot_events"]).into();
    app.setup.user_events = texts(&events["user_events"]).into();
    let url = text(&events["request_url"]);
    if url != app.events_url {
        app.verification = if url.is_empty() { Verification::None } else { Verification::Pending };
        app.events_url = url;
    }
    app.interactivity_url = text(&settings["interactivity"]["request_url"]);
    app.surfaces.options_url = text(&settings["interactivity"]["message_menu_options_url"]);
    app.surfaces.no_home = features["app_home"]["home_tab_enabled"] != true;
    let shortcuts = features["shortcuts"].as_array().into_iter().flatten();
    app.surfaces.shortcuts = shortcuts.map(|row| (text(&row["callback_id"]), row["type"] == "message")).collect();
    app.commands = features["slash_commands"].as_array().into_iter().flatten().map(command).collect::<BTreeMap<_, _>>();
    app.socket_mode = settings["socket_mode_enabled"] == true;
    // Rotation cannot be turned off again.
    app.rotates |= settings["token_rotation_enabled"] == true;
    app.setup.pkce = manifest["oauth_config"]["pkce_enabled"] == true;
    app.setup.manifest = Arc::new(manifest);
}

fn command(row: &Value) -> (SmolStr, Command) {
    let text = |name: &str| SmolStr::new(row[name].as_str().unwrap_or_default());
    let command = Command { description: text("description"), usage_hint: text("usage_hint"), url: text("url") };
    (text("command"), command)
}

/// The manifest of an app: what it was made from, as it was set up since.
pub(crate) fn of(app: &App, bot_name: Option<&SmolStr>) -> Value {
    let mut manifest = match &*app.setup.manifest {
        Value::Object(members) => Value::Object(members.clone()),
        _ => json!({ "oauth_config": { "scopes": { "bot": app.scopes } } }),
    };
    set(&mut manifest, &["_metadata"], json!({ "major_version": 1, "minor_version": 1 }));
    set(&mut manifest, &["display_information", "name"], json!(app.name));
    set(&mut manifest, &["oauth_config", "redirect_urls"], list(&app.redirect_urls));
    set(&mut manifest, &["features", "unfurl_domains"], list(&app.unfurl_domains));
    set(&mut manifest, &["features", "app_home", "home_tab_enabled"], json!(!app.surfaces.no_home));
    if manifest["features"]["bot_user"].is_null()
        && let Some(name) = bot_name
    {
        set(&mut manifest, &["features", "bot_user"], json!({ "display_name": name, "always_online": false }));
    }
    set(&mut manifest, &["features", "slash_commands"], commands(app));
    for (name, events) in [("bot_events", &app.events), ("user_events", &app.setup.user_events)] {
        if !events.is_empty() {
            set(&mut manifest, &["settings", "event_subscriptions", name], list(events));
        }
    }
    set(&mut manifest, &["settings", "event_subscriptions", "request_url"], given(&app.events_url));
    set(&mut manifest, &["settings", "interactivity", "request_url"], given(&app.interactivity_url));
    set(&mut manifest, &["settings", "interactivity", "message_menu_options_url"], given(&app.surfaces.options_url));
    set(&mut manifest, &["settings", "interactivity", "is_enabled"], json!(app.interacts()));
    set(&mut manifest, &["settings", "socket_mode_enabled"], json!(app.socket_mode));
    set(&mut manifest, &["settings", "token_rotation_enabled"], json!(app.rotates));
    if manifest["settings"]["org_deploy_enabled"].is_null() {
        set(&mut manifest, &["settings", "org_deploy_enabled"], json!(false));
    }
    without_empty(&mut manifest);
    manifest
}

fn list(items: &[SmolStr]) -> Value {
    if items.is_empty() { Value::Null } else { json!(items) }
}

fn given(url: &SmolStr) -> Value {
    if url.is_empty() { Value::Null } else { json!(url) }
}

/// An app's commands, with what its manifest says of each besides.
fn commands(app: &App) -> Value {
    let before = app.setup.manifest["features"]["slash_commands"].as_array().cloned().unwrap_or_default();
    let row = |(name, command): (&SmolStr, &Command)| {
        let kept = before.iter().find(|row| row["command"] == name.as_str());
        let mut row = kept.cloned().unwrap_or_else(|| json!({ "command": name, "should_escape": false }));
        row["description"] = json!(command.description);
        for (member, text) in [("usage_hint", &command.usage_hint), ("url", &command.url)] {
            if !text.is_empty() {
                row[member] = json!(text);
            }
        }
        row
    };
    if app.commands.is_empty() { Value::Null } else { app.commands.iter().map(row).collect() }
}

/// Sets a member within objects, which are made where they are not; null takes it away.
fn set(object: &mut Value, path: &[&str], value: Value) {
    let Some((last, above)) = path.split_last() else { return };
    let mut at = object;
    for name in above {
        if !at[*name].is_object() {
            at[*name] = json!({});
        }
        at = &mut at[*name];
    }
    if let Some(members) = at.as_object_mut() {
        if value.is_null() { drop(members.remove(*last)) } else { drop(members.insert((*last).to_owned(), value)) }
    }
}

/// Takes objects away that hold nothing.
fn without_empty(value: &mut Value) {
    let Some(members) = value.as_object_mut() else { return };
    members.values_mut().for_each(without_empty);
    members.retain(|_, value| !value.as_object().is_some_and(Map::is_empty));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(manifest: Value, wanted: &[(&str, &str)]) {
        let found = faults(&manifest);
        let found: Vec<(&str, &str)> = found.iter().map(|f| (f.pointer.as_str(), f.message.as_str())).collect();
        assert_eq!(found, wanted, "{manifest}");
    }

    #[test]
    fn faults_have_a_place() {
        let with = |more: Value| {
            let mut manifest = json!({ "display_information": { "name": "A" } });
            for (name, value) in more.as_object().unwrap_or(&Map::new()) {
                manifest[name] = value.clone();
            }
            manifest
        };
        check(with(json!({})), &[]);
        check(json!([]), &[("", "must be an object")]);
        check(json!({}), &[("", "missing required field: display_information")]);
        check(json!({ "display_information": {} }), &[("/display_information", "missing required field: name")]);
        check(with(json!({ "colour": 1 })), &[("", "additional property: colour")]);
        check(
            with(
                json!({ "features": { "shortcuts": [{ "name": "n", "type": "x", "callback_id": "c", "description": "d" }] } }),
            ),
            &[("/features/shortcuts/0/type", "must be one of message, global")],
        );
        check(
            with(json!({ "features": { "slash_commands": [{ "command": "go", "description": "d" }] } })),
            &[("/features/slash_commands/0/command", "must start with `/`")],
        );
        check(
            with(json!({ "settings": { "interactivity": { "is_enabled": true } } })),
            &[
                ("/settings/interactivity", "Interactivity requires a Request URL"),
                ("/settings/interactivity", "Interactivity requires Socket Mode enabled"),
            ],
        );
        check(
            with(json!({ "settings": { "event_subscriptions": { "bot_events": ["app_mention"] } } })),
            &[(
                "/settings/event_subscriptions",
                "Event Subscription requires either Request URL or Socket Mode Enabled",
            )],
        );
        check(
            with(
                json!({ "settings": { "socket_mode_enabled": true, "event_subscriptions": { "bot_events": ["app_mention"] } } }),
            ),
            &[],
        );
    }
}
