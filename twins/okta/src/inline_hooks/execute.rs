//! A hook that an administrator tries out: the question is the caller's own.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
    wire::Answer,
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::{Caller, HOOKS, Stage, answer, ask, reply::Reply};
use crate::{Okta, api::act, error::Error};

/// The row of `executeInlineHook`.
pub fn operations() -> Vec<Operation<Okta>> {
    const POST: &[Method] = &[Method::POST];
    vec![
        Operation::write("executeInlineHook", POST, "/api/v1/inlineHooks/{inlineHookId}/execute", execute)
            .then(executed)
            .limit("inlineHooks"),
    ]
}

/// Arguments of `executeInlineHook`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Execute {
    inline_hook_id: SmolStr,
    body: Value,
}

/// `executeInlineHook`: the question goes out, and the call waits for the hook's answer.
pub fn execute(cx: &mut Write<'_, '_, Okta>, args: Execute) -> Result<Typed<Value>, Error> {
    let id = args.inline_hook_id;
    let hook = cx.state.objects.member(HOOKS, &id).ok_or_else(|| Error::not_found(&id, "InlineHook"))?;
    if !args.body.is_object() {
        return Err(Error::Malformed);
    }
    if hook.get("status").and_then(Value::as_str) != Some("ACTIVE") {
        return Err(Error::invalid("inlineHook", "An inactive inline hook cannot be executed."));
    }
    let mut body = args.body;
    let kind = hook.get("type").cloned().unwrap_or_default();
    match body.get("eventType") {
        None | Some(Value::Null) => body["eventType"] = kind,
        Some(said) if *said == kind => {}
        Some(_) => return Err(Error::invalid("eventType", "eventType: The payload is of another type than the hook")),
    }
    let caller = Caller::of(cx.scene);
    act(cx, |act| {
        ask(act, &caller, id, body, Stage::Execute);
        Ok(())
    })?;
    Ok(Typed::ok(&Value::Object(serde_json::Map::new())))
}

/// The answer of `executeInlineHook`.
fn executed(cx: &Read<'_, Okta>) -> Result<Typed<Value>, Error> {
    answer(cx).map(Typed::from_answer)
}

/// What the hook has answered, or why there is nothing.
pub(super) fn go_on(reply: &Reply) -> Result<Answer, Error> {
    match reply {
        Reply::Commands(_, whole) if whole.is_null() => Ok(Answer::json(&serde_json::Map::new())),
        Reply::Commands(_, whole) | Reply::Refused(_, whole) => Ok(Answer::json(whole)),
        Reply::TimedOut => Err(Error::because("E0000137", reply.problem().unwrap_or_default())),
        Reply::Broken { again: true, .. } => Err(Error::because("E0000134", reply.problem().unwrap_or_default())),
        Reply::Broken { again: false, .. } => Err(Error::because("E0000135", reply.problem().unwrap_or_default())),
    }
}
