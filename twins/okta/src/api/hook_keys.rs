//! Keys with which Okta shows inline hooks who it is: pairs whose public half anybody may look up by its alias.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/HookKey/.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dtu_kernel::{
    ids::IdShape,
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{act, no_content, stamp, tokens::Nothing};
use crate::{
    Okta,
    error::Error,
    input::object,
    model::{
        Act, SITE, State,
        event_type::{EventType, HOOK_KEY_CREATED, HOOK_KEY_DELETED, HOOK_KEY_UPDATED},
        rsa_key::RsaKey,
        shape,
    },
    policy::Members,
    resources::party,
};

/// Where keys are kept.
const KEYS: &str = "/api/v1/hook-keys";
const KEY_ID: IdShape = shape("HKY", "hook key");
/// An org has so many keys at most, by the public document.
const KEYS_MAX: usize = 50;
/// A name has so many characters at most.
const NAME_MAX: usize = 255;

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const ONE: &str = "/api/v1/hook-keys/{id}";
    let rows = vec![
        Operation::read("listHookKeys", GET, KEYS, list),
        Operation::write("createHookKey", &[Method::POST], KEYS, create),
        Operation::read("getPublicKey", GET, "/api/v1/hook-keys/public/{keyId}", public),
        Operation::read("getHookKey", GET, ONE, get),
        Operation::write("replaceHookKey", &[Method::PUT], ONE, replace),
        Operation::write("deleteHookKey", &[Method::DELETE], ONE, delete),
    ];
    rows.into_iter().map(|row| row.limit("other")).collect()
}

fn find<'s>(state: &'s State, id: &str) -> Result<&'s Members, Error> {
    state.objects.member(KEYS, id).ok_or_else(|| Error::not_found(id, "HookKey"))
}

/// Whether an inline hook signs with a key.
fn is_used(state: &State, id: &str) -> bool {
    let named = |hook: &Members| {
        let id_of = hook.get("channel").and_then(|channel| channel.pointer("/config/hookKeyId"));
        id_of.and_then(Value::as_str) == Some(id)
    };
    state.objects.members("/api/v1/inlineHooks").any(|(_, hook)| named(hook))
}

/// As it is shown, with its public half where that is asked for. Whether it is used is a text, by the document.
fn shown(state: &State, id: &str, one: &Members, whole: bool) -> Value {
    let mut body = one.clone();
    let public = body.shift_remove("public").unwrap_or_default();
    body.insert("isUsed".to_owned(), if is_used(state, id) { "true" } else { "false" }.into());
    if whole {
        body.insert("_embedded".to_owned(), public);
    }
    Value::Object(body)
}

/// `listHookKeys`.
pub fn list(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Vec<Value>>, Error> {
    let rows = cx.state.objects.members(KEYS).map(|(id, one)| shown(cx.state, id, one, false));
    Ok(Typed::ok(&rows.collect()))
}

/// Arguments: the key.
#[derive(Debug, Deserialize, JsonSchema)]
struct Which {
    id: SmolStr,
}

/// Arguments of `getHookKey`.
#[derive(Debug, Deserialize, JsonSchema)]
struct Get {
    id: SmolStr,
    expand: Option<String>,
}

fn get(cx: &Read<'_, Okta>, args: Get) -> Result<Typed<Value>, Error> {
    let one = find(cx.state, &args.id)?;
    let whole = match args.expand.as_deref() {
        None => false,
        Some("publickey") => true,
        Some(_) => return Err(super::bad_expand()),
    };
    Ok(Typed::ok(&shown(cx.state, &args.id, one, whole)))
}

/// Arguments of `getPublicKey`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Alias {
    key_id: SmolStr,
}

fn public(cx: &Read<'_, Okta>, args: Alias) -> Result<Typed<Value>, Error> {
    let named = |one: &Members| one.get("keyId").and_then(Value::as_str) == Some(&args.key_id);
    let found = cx.state.objects.members(KEYS).find(|(_, one)| named(one));
    let found = found.and_then(|(_, one)| one.get("public"));
    found.map(Typed::ok).ok_or_else(|| Error::not_found(&args.key_id, "HookKey"))
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    name: Option<String>,
}

impl Named {
    /// # Errors
    /// No name, one that is too long, or another key's.
    fn read(self, state: &State, own: &str) -> Result<String, Error> {
        let name = self.name.filter(|name| !name.trim().is_empty());
        let name = name.ok_or_else(|| Error::fields(&[("name", "The field cannot be left blank")]))?;
        if name.chars().count() > NAME_MAX {
            return Err(Error::fields(&[("name", "The field is too long")]));
        }
        let same = |one: &Members| one.get("name").and_then(Value::as_str) == Some(&name);
        if state.objects.members(KEYS).any(|(id, one)| id != own && same(one)) {
            return Err(Error::taken("name"));
        }
        Ok(name)
    }
}

/// Arguments of `createHookKey`.
#[derive(Debug, Deserialize, JsonSchema)]
struct Create {
    #[serde(deserialize_with = "object")]
    body: Named,
}

fn create(cx: &mut Write<'_, '_, Okta>, args: Create) -> Result<Typed<Value>, Error> {
    let name = args.body.read(cx.state, "")?;
    if cx.state.objects.members(KEYS).count() >= KEYS_MAX {
        return Err(Error::invalid("hookKey", "hookKey: The maximum number of hook keys is reached"));
    }
    let id = act(cx, |act| {
        let id = act.tx.id(&KEY_ID);
        let now = stamp(act.now());
        let mut draw = act.tx.draw(SITE.child("hook key"));
        let alias = draw.uuid();
        let modulus = URL_SAFE_NO_PAD.encode(RsaKey::draw(&mut draw).modulus());
        let public = json!({ "kty": "RSA", "alg": "RSA", "kid": alias, "use": null, "e": "AQAB", "n": modulus });
        let members = json!({
            "id": id, "keyId": alias, "name": name, "created": now, "lastUpdated": now, "public": public,
        });
        keep(act, &HOOK_KEY_CREATED, &id, members);
        Ok(id)
    })?;
    Ok(Typed::ok(&shown(cx.state, &id, find(cx.state, &id)?, true)))
}

fn keep(act: &mut Act<'_, '_>, event: &'static EventType, id: &str, members: Value) {
    let Value::Object(members) = members else { return };
    let target = party("HookKey", id, Some(&members));
    act.state.objects.keep(&mut act.tx.changes, KEYS, id, members);
    act.log(event, vec![target]);
}

/// Arguments of `replaceHookKey`.
#[derive(Debug, Deserialize, JsonSchema)]
struct Replace {
    id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Named,
}

fn replace(cx: &mut Write<'_, '_, Okta>, args: Replace) -> Result<Typed<Value>, Error> {
    let mut members = find(cx.state, &args.id)?.clone();
    let name = args.body.read(cx.state, &args.id)?;
    act(cx, |act| {
        members.insert("name".to_owned(), name.into());
        members.insert("lastUpdated".to_owned(), stamp(act.now()).into());
        keep(act, &HOOK_KEY_UPDATED, &args.id, Value::Object(members));
        Ok(())
    })?;
    Ok(Typed::ok(&shown(cx.state, &args.id, find(cx.state, &args.id)?, true)))
}

/// `deleteHookKey`: a key that a hook signs with stays. The words are the twin's.
fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let target = party("HookKey", &args.id, Some(find(cx.state, &args.id)?));
    if is_used(cx.state, &args.id) {
        return Err(Error::invalid("hookKey", "hookKey: The key is used by an inline hook"));
    }
    act(cx, |act| {
        act.state.objects.forget(&mut act.tx.changes, KEYS, &args.id);
        act.log(&HOOK_KEY_DELETED, vec![target]);
        Ok(no_content())
    })
}
