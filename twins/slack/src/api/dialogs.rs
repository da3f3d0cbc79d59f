//! `dialog.open`.

use dtu_kernel::{operation::Typed, twin::Write};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::TIER_4,
    model::{dialogs, surfaces},
};

/// The row.
pub(crate) fn operations() -> Vec<Row> {
    vec![Row::write("dialog.open", ANY, "/api/dialog.open", open).limit(TIER_4).errors(&[
        "app_missing_action_url",
        "invalid_trigger",
        "missing_dialog",
        "missing_trigger",
        "trigger_exchanged",
        "trigger_expired",
        "validation_errors",
    ])]
}

/// Arguments of `dialog.open`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Open {
    trigger_id: Option<String>,
    dialog: Option<Value>,
}

/// `dialog.open`
fn open(cx: &mut Write<'_, '_, Slack>, args: Open) -> Result<Typed<Value>, Error> {
    let trigger = args.trigger_id.filter(|id| !id.is_empty()).ok_or(Code::MissingTrigger)?;
    let given = match args.dialog.ok_or(Code::MissingDialog)? {
        Value::String(text) => serde_json::from_str(&text).map_err(|_| Code::MissingDialog)?,
        other => other,
    };
    let Value::Object(given) = given else { return Err(Code::MissingDialog.into()) };
    let faults = dialogs::faults(&given);
    if !faults.is_empty() {
        return Err(Error::Dialog(faults));
    }
    let app = cx.caller.token()?.app.clone();
    if !cx.state.apps.get(&app).is_some_and(|app| app.interacts()) {
        return Err(Code::AppMissingActionUrl.into());
    }
    // The codes have names of their own here.
    let trigger = surfaces::use_trigger(cx.state, cx.tx, &app, &trigger).map_err(|error| match error {
        Error::Refused(Code::ExchangedTriggerId) => Code::TriggerExchanged,
        Error::Refused(Code::ExpiredTriggerId) => Code::TriggerExpired,
        _ => Code::InvalidTrigger,
    })?;
    dialogs::open(cx.state, cx.tx, &trigger, given);
    Ok(super::marks::done())
}
