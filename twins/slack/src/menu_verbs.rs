//! Human verbs on menus of attachments: they come with the verbs on controls, and are told apart by where they are.

use std::sync::Arc;

use dtu_kernel::{twin::Refusal, tx::Tx};
use serde_json::{Value, json};

use crate::{
    emoji,
    gestures::{self, Use},
    model::{
        State,
        interactivity::{self, Occasion, Original},
        menus::{self, Menu},
        people::User,
    },
};

/// A menu that a person uses, and where.
pub(crate) struct Found {
    menu: Menu,
    on: Original,
    occasion: Occasion,
}

/// The menu that is meant; none where something else is.
pub(crate) fn find(state: &State, user: &User, with: &Use) -> Result<Option<Found>, Refusal> {
    let (Some(named), Some(ts)) = (&with.channel, &with.message_ts) else { return Ok(None) };
    let (channel, ts) = gestures::find_message(state, user, named, ts)?;
    let is_for_all = state.message(&channel, ts).is_some();
    let on = if is_for_all { Original::Message(ts) } else { Original::Ephemeral(ts) };
    let attachments = interactivity::attachments_of(state, &channel, &user.id, on);
    let app = interactivity::app_of(state, &channel, &user.id, on);
    let Some((attachments, app)) = attachments.zip(app) else { return Ok(None) };
    let fits = |menu: &Menu| match (&with.action_id, &with.label) {
        (Some(name), _) => menu.name() == name,
        (None, Some(label)) => emoji::is_meant(&menu.says(), label),
        (None, None) => false,
    };
    let Some(menu) = menus::menus(&attachments).into_iter().find(fits) else { return Ok(None) };
    let occasion = Occasion::find(state, &app, &user.id, &channel).filter(|occasion| !occasion.app.removed);
    let occasion = occasion.ok_or_else(|| Refusal::new("the app behind it is no longer installed"))?;
    gestures::check_listens(&Arc::clone(&occasion.app))?;
    Ok(Some(Found { menu, on, occasion }))
}

/// What is typed or picked.
fn said(with: &Use) -> &str {
    with.value.as_ref().and_then(Value::as_str).unwrap_or_default()
}

/// A person picks something.
pub(crate) fn pick(state: &mut State, tx: &mut Tx<'_>, found: &Found, with: &Use) -> Result<Value, Refusal> {
    let Found { menu, on, occasion } = found;
    let value = menus::choose(state, &occasion.user, menu, said(with)).map_err(Refusal::new)?;
    menus::pick(state, tx, occasion, *on, menu, &value);
    Ok(json!({ "app": occasion.app.key, "action_id": menu.name(), "told": true }))
}

/// A person types into a menu.
pub(crate) fn look_up(state: &State, tx: &mut Tx<'_>, found: &Found, with: &Use) -> Result<Value, Refusal> {
    let Found { menu, on, occasion } = found;
    if !menu.is_external() {
        return Err(Refusal::new("only selects whose options the app gives are looked up"));
    }
    menus::look_up(state, tx, occasion, *on, menu, said(with)).map_err(Refusal::new)?;
    Ok(json!({ "app": occasion.app.key, "action_id": menu.name() }))
}
