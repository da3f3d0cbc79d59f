//! `entity.presentDetails`, and the work objects that messages tell of.

use std::sync::Arc;

use dtu_kernel::{operation::Typed, twin::Write};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{canvases::object, marks::done};
use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::TIER_3,
    model::{
        apps::Token,
        entities::{self, For},
        surfaces,
    },
};

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    vec![Row::write("entity.presentDetails", ANY, "/api/entity.presentDetails", present).limit(TIER_3).errors(&[
        "exchanged_trigger_id",
        "expired_trigger_id",
        "invalid_metadata",
        "invalid_trigger_id",
        "user_auth_url_missing",
    ])]
}

/// Arguments of `entity.presentDetails`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Present {
    trigger_id: SmolStr,
    metadata: Option<Value>,
    #[serde(default)]
    user_auth_required: bool,
    user_auth_url: Option<SmolStr>,
    error: Option<Value>,
}

/// `entity.presentDetails`: details, or why there are none, for whom the trigger is of.
fn present(cx: &mut Write<'_, '_, Slack>, args: Present) -> Result<Typed<Value>, Error> {
    let app = cx.caller.token()?.app.clone();
    let url = args.user_auth_url.filter(|url| !url.is_empty());
    if args.user_auth_required && url.is_none() {
        return Err(Code::UserAuthUrlMissing.into());
    }
    let metadata = object(args.metadata, "metadata").map_err(|_| Code::InvalidMetadata)?;
    let error = object(args.error, "error")?;
    if metadata.as_ref().is_some_and(|metadata| !entities::faults_of_one(metadata).is_empty()) {
        return Err(Code::InvalidMetadata.into());
    }
    if metadata.is_none() && error.is_none() && !args.user_auth_required {
        return Err(Code::InvalidMetadata.into());
    }
    let trigger = surfaces::use_trigger(cx.state, cx.tx, &app, &args.trigger_id)?;
    let shown = json!({
        "app": app,
        "user": trigger.user,
        "metadata": metadata,
        "error": error,
        "user_auth_url": url.filter(|_| args.user_auth_required),
    });
    cx.state.content.details.put(&mut cx.tx.changes, args.trigger_id, shown);
    Ok(done())
}

/// Why work objects are left out of a message.
pub(super) const MISFIT: &str = "invalid_metadata_format";

/// Takes the work objects out of a message's metadata; gives back how the message shows them, and what is wrong with
/// them where it does not.
pub(super) fn take_entities(metadata: &mut Option<Value>, token: &Token, bot: &SmolStr) -> (Vec<Value>, Vec<String>) {
    let Some(members) = metadata.as_mut().and_then(Value::as_object_mut) else { return Default::default() };
    let Some(given) = members.shift_remove("entities") else { return Default::default() };
    if members.is_empty() {
        *metadata = None;
    }
    let misfits = entities::faults(&given, For::Message);
    let fitting = given.as_array().filter(|_| misfits.is_empty()).into_iter().flatten();
    (fitting.map(|entity| entities::attachment(entity, (&token.app, bot))).collect(), misfits)
}

/// Attachments and the work objects behind them, in one list.
pub(super) fn with_entities(attachments: Option<Arc<Value>>, mut shown: Vec<Value>) -> Option<Arc<Value>> {
    if shown.is_empty() {
        return attachments;
    }
    let mut all = attachments.and_then(|list| list.as_array().cloned()).unwrap_or_default();
    all.append(&mut shown);
    for (n, item) in all.iter_mut().enumerate() {
        item["id"] = json!(n + 1);
    }
    Some(Arc::new(Value::Array(all)))
}
