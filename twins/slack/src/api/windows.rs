//! `views.*`

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Write,
};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::SmolStr;

use crate::{
    Slack,
    error::{Code, Error},
    limits::TIER_4,
    model::{
        apps::TokenKind,
        people::Role,
        surfaces::{self, Given, Window, WindowKind},
    },
};

const ANY: &[Method] = &[Method::POST, Method::GET];

/// The rows.
pub(crate) fn operations() -> Vec<Operation<Slack>> {
    vec![
        Operation::write("views.open", ANY, "/api/views.open", open).limit(TIER_4).errors(&[
            "duplicate_external_id",
            "exchanged_trigger_id",
            "expired_trigger_id",
            "invalid_trigger_id",
            "view_too_large",
        ]),
        Operation::write("views.push", ANY, "/api/views.push", push).limit(TIER_4).errors(&[
            "duplicate_external_id",
            "exchanged_trigger_id",
            "expired_trigger_id",
            "invalid_trigger_id",
            "not_found",
            "push_limit_reached",
            "view_too_large",
        ]),
        Operation::write("views.update", ANY, "/api/views.update", update).limit(TIER_4).errors(&[
            "duplicate_external_id",
            "hash_conflict",
            "not_found",
            "view_too_large",
        ]),
        Operation::write("views.publish", ANY, "/api/views.publish", publish).limit(TIER_4).errors(&[
            "duplicate_external_id",
            "hash_conflict",
            "not_allowed_token_type",
            "not_enabled",
            "view_too_large",
        ]),
    ]
}

/// Arguments of `views.open` and `views.push`. A pointer is another name for a trigger.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Open {
    trigger_id: Option<String>,
    interactivity_pointer: Option<String>,
    view: Value,
}

impl Open {
    fn trigger(&self) -> Result<&str, Error> {
        let given = self.trigger_id.as_deref().or(self.interactivity_pointer.as_deref());
        given.ok_or_else(|| Error::Arguments(vec!["missing required field: trigger_id".to_owned()]))
    }
}

/// What is shown now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Shown {
    view: Value,
}

impl Shown {
    fn of(cx: &Write<'_, '_, Slack>, window: &Window) -> Typed<Self> {
        Typed::ok(&Self { view: surfaces::render(cx.state, window) })
    }
}

/// `views.open`
fn open(cx: &mut Write<'_, '_, Slack>, args: Open) -> Result<Typed<Shown>, Error> {
    let app = cx.caller.token()?.app.clone();
    let trigger = args.trigger()?.to_owned();
    let given = Given::read(args.view, WindowKind::Modal, cx.tx)?;
    let trigger = surfaces::use_trigger(cx.state, cx.tx, &app, &trigger)?;
    let window = surfaces::open(cx.state, cx.tx, &app, &trigger.user, given)?;
    Ok(Shown::of(cx, &window))
}

/// `views.push`
fn push(cx: &mut Write<'_, '_, Slack>, args: Open) -> Result<Typed<Shown>, Error> {
    let app = cx.caller.token()?.app.clone();
    let trigger = args.trigger()?.to_owned();
    let given = Given::read(args.view, WindowKind::Modal, cx.tx)?;
    let trigger = surfaces::use_trigger(cx.state, cx.tx, &app, &trigger)?;
    let window = surfaces::push(cx.state, cx.tx, &app, &trigger.user, given)?;
    Ok(Shown::of(cx, &window))
}

/// Arguments of `views.update`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    view_id: Option<String>,
    external_id: Option<String>,
    view: Value,
    hash: Option<String>,
}

/// `views.update`
fn update(cx: &mut Write<'_, '_, Slack>, args: Update) -> Result<Typed<Shown>, Error> {
    let app = cx.caller.token()?.app.clone();
    if args.view_id.is_none() && args.external_id.is_none() {
        return Err(Error::Arguments(vec!["missing required field: view_id".to_owned()]));
    }
    let known = cx.state.window(&app, args.view_id.as_deref(), args.external_id.as_deref());
    let kind = known.map(|window| (window.id.clone(), window.kind));
    let given = Given::read(args.view, kind.as_ref().map_or(WindowKind::Modal, |(_, kind)| *kind), cx.tx)?;
    let (id, _) = kind.ok_or(Code::NotFound)?;
    let window = surfaces::update(cx.state, cx.tx, &id, given, args.hash.as_deref().filter(|hash| !hash.is_empty()))?;
    Ok(Shown::of(cx, &window))
}

/// Arguments of `views.publish`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Publish {
    user_id: SmolStr,
    view: Value,
    hash: Option<String>,
}

/// `views.publish`
fn publish(cx: &mut Write<'_, '_, Slack>, args: Publish) -> Result<Typed<Shown>, Error> {
    let token = cx.caller.token()?;
    if token.kind != TokenKind::Bot {
        return Err(Code::NotAllowedTokenType.into());
    }
    let app = token.app.clone();
    if cx.state.apps.get(&app).is_some_and(|app| app.surfaces.no_home) {
        return Err(Code::NotEnabled.into());
    }
    let is_person = cx.state.users.get(&args.user_id).is_some_and(|user| user.role != Role::Bot && !user.deleted);
    if !is_person {
        return Err(Error::Arguments(vec!["invalid `user_id` [json-pointer:/user_id]".to_owned()]));
    }
    let given = Given::read(args.view, WindowKind::Home, cx.tx)?;
    let hash = args.hash.as_deref().filter(|hash| !hash.is_empty());
    let window = surfaces::publish(cx.state, cx.tx, &app, &args.user_id, given, hash)?;
    Ok(Shown::of(cx, &window))
}
