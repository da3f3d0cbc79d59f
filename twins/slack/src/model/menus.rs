//! Menus of attachments, from before blocks: what a person can pick in them, and what the app is told.
//!
//! <https://api.slack.com/legacy/message-menus>

use dtu_kernel::tx::Tx;
use serde_json::{Value, json};

use super::{
    State,
    interactivity::{self, Occasion, Original},
    legacy,
    people::User,
    time::{micros, ts_text},
};
use crate::{events::BLOCK_SUGGESTION, text::unescape};

/// How much must be typed before an app is asked for options, in characters.
const TYPED_LEAST: u64 = 1;

/// A menu that a person sees.
#[derive(Clone, Debug)]
pub(crate) struct Menu {
    pub(crate) element: Value,
    /// The attachment that it stands in, from 1 on.
    pub(crate) attachment: u64,
    /// What the app knows that attachment by.
    pub(crate) callback_id: String,
}

impl Menu {
    /// What the app knows it by.
    pub(crate) fn name(&self) -> &str {
        self.element["name"].as_str().unwrap_or_default()
    }

    /// What it says to people.
    pub(crate) fn says(&self) -> String {
        unescape(self.element["text"].as_str().unwrap_or_default()).into_owned()
    }

    fn source(&self) -> &str {
        self.element["data_source"].as_str().unwrap_or("static")
    }

    /// Whether the app gives the options when somebody types.
    pub(crate) fn is_external(&self) -> bool {
        self.source() == "external"
    }
}

/// The menus of a message's attachments.
pub(crate) fn menus(attachments: &Value) -> Vec<Menu> {
    let menu = |attachment: &Value, element: &Value| Menu {
        element: element.clone(),
        attachment: attachment["id"].as_u64().unwrap_or_default(),
        callback_id: attachment["callback_id"].as_str().unwrap_or_default().to_owned(),
    };
    let of = |attachment: &Value| -> Vec<Menu> {
        let actions = attachment["actions"].as_array().into_iter().flatten();
        actions.filter(|action| action["type"] == "select").map(|action| menu(attachment, action)).collect()
    };
    attachments.as_array().into_iter().flatten().flat_map(of).collect()
}

/// The value that a person picks: an option's by value or text, or the id of somebody or some conversation.
///
/// # Errors
/// Where the menu offers no such thing; why, in words.
pub(crate) fn choose(state: &State, user: &User, menu: &Menu, named: &str) -> Result<String, String> {
    let channel = || state.visible_by_name(named, &user.id);
    let found = match menu.source() {
        "users" => state.find_user(named.trim_start_matches('@')).map(|found| found.id.to_string()),
        "channels" => channel().filter(|found| state.is_public(&found.id)).map(|found| found.id.to_string()),
        "conversations" => channel().map(|found| found.id.to_string()),
        "external" => {
            let offered = state.suggestions.get(&user.id).filter(|row| row.action_id == menu.name());
            offered.and_then(|row| pick_option(&row.options, named))
        }
        _ => pick_option(&menu.element["options"], named).or_else(|| {
            let groups = menu.element["option_groups"].as_array().into_iter().flatten();
            groups.into_iter().find_map(|group| pick_option(&group["options"], named))
        }),
    };
    found.ok_or_else(|| format!("the menu `{}` does not offer `{named}`", menu.name()))
}

fn pick_option(options: &Value, named: &str) -> Option<String> {
    let options = || options.as_array().into_iter().flatten();
    let by_text = |option: &&Value| unescape(option["text"].as_str().unwrap_or_default()) == named;
    let found = options().find(|option| option["value"] == named).or_else(|| options().find(by_text))?;
    found["value"].as_str().map(str::to_owned)
}

/// A person has picked a value.
pub(crate) fn pick(state: &mut State, tx: &mut Tx<'_>, occasion: &Occasion, on: Original, menu: &Menu, value: &str) {
    let action = json!({ "name": menu.name(), "type": "select", "selected_options": [{ "value": value }] });
    legacy::act(state, tx, occasion, on, (menu.attachment, &menu.callback_id), &action);
}

/// A person types into a menu whose options the app gives.
///
/// # Errors
/// Where too little is typed; why, in words.
pub(crate) fn look_up(
    state: &State,
    tx: &mut Tx<'_>,
    occasion: &Occasion,
    on: Original,
    menu: &Menu,
    typed: &str,
) -> Result<(), String> {
    let least = menu.element["min_query_length"].as_u64().unwrap_or(TYPED_LEAST);
    if u64::try_from(typed.chars().count()).unwrap_or(u64::MAX) < least {
        return Err(format!("options are looked up from {least} characters on"));
    }
    let (Original::Message(ts) | Original::Ephemeral(ts)) = on;
    let mut body = question(state, tx, occasion, "interactive_message", (menu.name(), typed));
    body["callback_id"] = json!(menu.callback_id);
    body["message_ts"] = json!(ts_text(ts));
    body["attachment_id"] = json!(menu.attachment.to_string());
    tx.deliver(BLOCK_SUGGESTION, json!({ "app": occasion.app.id, "body": body }));
    Ok(())
}

/// What an app is asked for options with, whether for a menu or for a dialog.
pub(crate) fn question(
    state: &State,
    tx: &Tx<'_>,
    Occasion { app, user, channel }: &Occasion,
    kind: &str,
    (name, typed): (&str, &str),
) -> Value {
    let team = &state.workspace;
    json!({
        "type": kind,
        "name": name,
        "value": typed,
        "team": { "id": team.id, "domain": team.domain },
        "channel": { "id": channel.id, "name": interactivity::payload_name(channel) },
        "user": { "id": user.id, "name": user.name, "team_id": team.id },
        "action_ts": ts_text(micros(tx.now)),
        "token": app.verification_token,
        "enterprise": null,
        "is_enterprise_install": false,
    })
}
