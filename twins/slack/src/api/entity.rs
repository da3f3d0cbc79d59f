//! `entity.presentDetails`

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
    model::surfaces,
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
    let fits = |metadata: &Value| metadata["entity_type"].is_string() && metadata["entity_payload"].is_object();
    if metadata.as_ref().is_some_and(|metadata| !fits(metadata)) {
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
