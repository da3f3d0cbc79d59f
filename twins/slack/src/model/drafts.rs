//! What people have written and not sent. Apps are told of links in it as of those in messages, and what they show is
//! for the writer alone.
//!
//! <https://docs.slack.dev/messaging/unfurling-links-in-messages>

use dtu_kernel::{ids::HEX, seed::Site, tx::Tx};
use serde::Serialize;
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{SITE, State, apps::App, people::User, schedule::stamp};
use crate::{announce, error::Code, events::send, listeners::listeners};

/// Where a draft is, for apps.
pub(crate) const COMPOSER: &str = "COMPOSER";
const UNFURL: Site = SITE.child("composer unfurl");

/// A draft whose links an app was told of.
#[derive(Clone, Debug, Serialize)]
pub struct Draft {
    /// Who writes.
    pub user: SmolStr,
    /// The app that was told.
    pub app: SmolStr,
    /// The text as it would be stored.
    pub text: SmolStr,
    /// What the app shows: address to attachment.
    pub previews: Map<String, Value>,
    /// Whether the app wants the writer to sign in first.
    pub asks: bool,
}

/// A person writes something; each app whose domains are in it is told. Gives back apps with the ids that they know the
/// draft by.
pub(crate) fn write(state: &mut State, tx: &mut Tx<'_>, user: &User, stored: &str) -> Vec<(SmolStr, SmolStr)> {
    let mut told = Vec::new();
    for app in listeners(state, "link_shared") {
        let links = announce::links_of(&app, stored);
        if links.is_empty() {
            continue;
        }
        let hex = tx.draw(UNFURL).text(HEX, 32);
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        let id = format_smolstr!("{}-{}", user.id, parts.join("-"));
        let row = Draft {
            user: user.id.clone(),
            app: app.id.clone(),
            text: stored.into(),
            previews: Map::new(),
            asks: false,
        };
        state.drafts.put(&mut tx.changes, id.clone(), row);
        let event = json!({
            "type": "link_shared",
            "channel": COMPOSER,
            "is_bot_user_member": false,
            "user": user.id,
            "message_ts": id,
            "unfurl_id": id,
            "source": "composer",
            "links": links,
            "event_ts": stamp(tx.now),
        });
        send(state, tx, std::slice::from_ref(&app), None, &event);
        told.push((app.key.clone(), id));
    }
    told
}

/// An app shows links of a draft.
///
/// # Errors
/// An id of no draft of the app's, or an address that the draft does not have.
pub(crate) fn preview(
    state: &mut State,
    tx: &mut Tx<'_>,
    (app, id): (&App, &SmolStr),
    unfurls: Map<String, Value>,
) -> Result<(), Code> {
    let draft = state.drafts.get(id).filter(|draft| draft.app == app.id).ok_or(Code::InvalidUnfurlId)?;
    let is_there = |url: &String| announce::has_link(&draft.text, url);
    if !unfurls.keys().all(is_there) {
        return Err(Code::CannotUnfurlMessage);
    }
    state.drafts.update(&mut tx.changes, id, |draft| draft.previews.extend(unfurls));
    Ok(())
}

/// An app wants the writer of a draft to sign in.
///
/// # Errors
/// An id of no draft of the app's.
pub(crate) fn ask(state: &mut State, tx: &mut Tx<'_>, app: &App, id: &SmolStr) -> Result<(), Code> {
    state.drafts.get(id).filter(|draft| draft.app == app.id).ok_or(Code::InvalidUnfurlId)?;
    state.drafts.update(&mut tx.changes, id, |draft| draft.asks = true);
    Ok(())
}
