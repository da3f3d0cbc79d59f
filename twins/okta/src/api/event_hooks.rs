//! Event hooks.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/EventHook/.

use std::sync::Arc;

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Links, act, no_content, stamp, tokens::Nothing};
use crate::{
    Okta,
    error::Error,
    events,
    input::object,
    model::{
        State,
        hook::{self, Channel, Hook, HookProfile},
        hook_filter::Filter,
    },
};

/// A hook as Okta shows it: never its secret. Orgs of the Identity Engine show `description` and `filter` where they
/// are null; recordings of older orgs have neither.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HookBody {
    id: SmolStr,
    status: &'static str,
    verification_status: &'static str,
    name: SmolStr,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Value>,
    created: String,
    created_by: SmolStr,
    last_updated: String,
    events: EventsBody,
    channel: ChannelBody,
    #[serde(rename = "_links")]
    links: Map<String, Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct EventsBody {
    r#type: &'static str,
    items: Vec<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ChannelBody {
    r#type: &'static str,
    version: &'static str,
    config: ConfigBody,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ConfigBody {
    uri: String,
    headers: Vec<HeaderBody>,
    method: &'static str,
    auth_scheme: Option<AuthBody>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct HeaderBody {
    key: String,
    value: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AuthBody {
    r#type: &'static str,
    key: String,
}

impl HookBody {
    fn new(state: &State, hook: &Hook, origin: &str) -> Self {
        let own = format!("{origin}/api/v1/eventHooks/{}", hook.id);
        let cycle = |verb: &str| format!("{own}/lifecycle/{verb}");
        let links = if hook.active {
            Links::new().to("self", own.clone()).hint("verify", cycle("verify"), &["POST"]).hint(
                "deactivate",
                cycle("deactivate"),
                &["POST"],
            )
        } else {
            Links::new().hint("activate", cycle("activate"), &["POST"]).to("self", own.clone()).hint(
                "delete",
                own.clone(),
                &["DELETE"],
            )
        };
        let classic = state.kind.is_classic();
        Self {
            id: hook.id.clone(),
            status: if hook.active { "ACTIVE" } else { "INACTIVE" },
            verification_status: if hook.verified { "VERIFIED" } else { "UNVERIFIED" },
            name: hook.name.clone(),
            description: (!classic || hook.description.is_some()).then(|| json!(hook.description)),
            created: stamp(hook.created),
            created_by: hook.created_by.clone(),
            last_updated: stamp(hook.last_updated),
            events: EventsBody {
                r#type: "EVENT_TYPE",
                items: hook.items.clone(),
                filter: (!classic).then(|| filter(hook.filters.as_deref())),
            },
            channel: ChannelBody { r#type: "HTTP", version: "1.0.0", config: ConfigBody::new(&hook.channel) },
            links: links.0,
        }
    }
}

/// A hook's filters as they are shown, with the internal member that documents show as null.
fn filter(filters: Option<&[Filter]>) -> Value {
    let condition = |filter: &Filter| json!({ "version": null, "expression": filter.expression });
    let one = |filter: &Filter| json!({ "event": filter.event, "condition": condition(filter) });
    let Some(filters) = filters else { return Value::Null };
    json!({ "type": FILTER, "eventFilterMap": filters.iter().map(one).collect::<Vec<_>>() })
}

/// The one kind of filters.
const FILTER: &str = "EXPRESSION_LANGUAGE";

impl ConfigBody {
    fn new(channel: &Channel) -> Self {
        let header = |(key, value): &(String, String)| HeaderBody { key: key.clone(), value: value.clone() };
        let auth = !channel.auth_key.is_empty();
        Self {
            uri: channel.uri.clone(),
            headers: channel.headers.iter().map(header).collect(),
            method: "POST",
            auth_scheme: auth.then(|| AuthBody { r#type: "HEADER", key: channel.auth_key.clone() }),
        }
    }
}

/// A hook in the body of a request. What Okta itself decides may be sent along, and is passed over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HookInput {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default, deserialize_with = "object")]
    events: EventsInput,
    #[serde(default, deserialize_with = "object")]
    channel: ChannelInput,
    #[serde(default, rename = "id")]
    _id: Option<Value>,
    /// Counts when a hook is replaced; a new hook is switched on whatever it says.
    #[serde(default)]
    status: Option<StatusInput>,
    #[serde(default, rename = "verificationStatus")]
    _verification_status: Option<Value>,
    #[serde(default, rename = "created")]
    _created: Option<Value>,
    #[serde(default, rename = "createdBy")]
    _created_by: Option<Value>,
    #[serde(default, rename = "lastUpdated")]
    _last_updated: Option<Value>,
    #[serde(default, rename = "_links")]
    _links: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum StatusInput {
    Active,
    Inactive,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventsInput {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    items: Vec<String>,
    #[serde(default, deserialize_with = "object")]
    filter: Option<FilterInput>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FilterInput {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default, rename = "eventFilterMap")]
    map: Vec<FilteredInput>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FilteredInput {
    event: SmolStr,
    #[serde(deserialize_with = "object")]
    condition: ConditionInput,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConditionInput {
    expression: String,
    /// Okta's own.
    #[serde(default, rename = "version")]
    _version: Option<Value>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChannelInput {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    version: String,
    #[serde(default, deserialize_with = "object")]
    config: ConfigInput,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ConfigInput {
    #[serde(default)]
    uri: String,
    #[serde(default)]
    headers: Option<Vec<HeaderInput>>,
    #[serde(default, rename = "method")]
    _method: Option<String>,
    #[serde(default, deserialize_with = "object")]
    auth_scheme: Option<AuthInput>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HeaderInput {
    key: String,
    value: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AuthInput {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: Option<String>,
}

impl HookInput {
    /// The hook; a secret that is not sent stays what it was.
    fn read(self, before: Option<&Hook>, has_filters: bool) -> Result<HookProfile, Error> {
        // Recorded: orgs of the Classic Engine have not the feature.
        if self.events.filter.is_some() && !has_filters {
            return Err(Error::FeatureOff);
        }
        let invalid = "The field has an invalid value";
        let config = self.channel.config;
        let filter_kind = self.events.filter.as_ref().and_then(|filter| filter.kind.as_deref());
        let fixed = [
            ("filter", filter_kind.is_none_or(|kind| kind == FILTER)),
            ("events", self.events.kind == "EVENT_TYPE"),
            ("channel", self.channel.kind == "HTTP"),
            ("version", self.channel.version == "1.0.0"),
            ("authScheme", config.auth_scheme.as_ref().is_none_or(|auth| auth.kind == "HEADER")),
        ];
        let wrong: Vec<_> = fixed.into_iter().filter(|(_, ok)| !ok).map(|(field, _)| (field, invalid)).collect();
        if !wrong.is_empty() {
            return Err(Error::fields(&wrong));
        }
        let (auth_key, auth_value) = match config.auth_scheme {
            None => (String::new(), None),
            Some(auth) => (auth.key, auth.value),
        };
        let kept = || before.map(|hook| hook.channel.auth_value.clone()).unwrap_or_default();
        let headers = config.headers.unwrap_or_default().into_iter().map(|header| (header.key, header.value));
        let auth_value = auth_value.unwrap_or_else(kept);
        let filter = |one: FilteredInput| Filter { event: one.event, expression: one.condition.expression };
        Ok(HookProfile {
            name: self.name.into(),
            active: self.status.map(|status| status == StatusInput::Active),
            description: self.description,
            items: self.events.items.into_iter().map(SmolStr::from).collect(),
            filters: self.events.filter.map(|filters| filters.map.into_iter().map(filter).collect()),
            channel: Channel { uri: config.uri, headers: headers.collect(), auth_key, auth_value },
        })
    }
}

/// `listEventHooks`.
pub fn list(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Vec<HookBody>>, Error> {
    let rows = cx.state.hooks.iter().map(|hook| HookBody::new(cx.state, hook, &cx.scene.request.origin));
    Ok(Typed::ok(&rows.collect::<Vec<_>>()))
}

/// Arguments of `createEventHook`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CreateHook {
    body: HookInput,
}

/// `createEventHook`.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: CreateHook) -> Result<Typed<HookBody>, Error> {
    let profile = args.body.read(None, !cx.state.kind.is_classic())?;
    let hook = act(cx, |act| hook::create(act, profile))?;
    Ok(Typed::ok(&HookBody::new(cx.state, &hook, &cx.scene.request.origin)))
}

/// Arguments of operations that need only the hook.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    event_hook_id: String,
}

fn find(state: &State, id: &str) -> Result<Arc<Hook>, Error> {
    state.hooks.get(id).cloned().ok_or_else(|| Error::not_found(id, "Webhook"))
}

/// `getEventHook`.
pub fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<HookBody>, Error> {
    let hook = find(cx.state, &args.event_hook_id)?;
    Ok(Typed::ok(&HookBody::new(cx.state, &hook, &cx.scene.request.origin)))
}

/// Arguments of `replaceEventHook`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplaceHook {
    event_hook_id: String,
    body: HookInput,
}

/// `replaceEventHook`.
pub fn replace(cx: &mut Write<'_, '_, Okta>, args: ReplaceHook) -> Result<Typed<HookBody>, Error> {
    let hook = find(cx.state, &args.event_hook_id)?;
    let profile = args.body.read(Some(&hook), !cx.state.kind.is_classic())?;
    let hook = act(cx, |act| hook::replace(act, &hook, profile))?;
    Ok(Typed::ok(&HookBody::new(cx.state, &hook, &cx.scene.request.origin)))
}

/// `deleteEventHook`.
pub fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let hook = find(cx.state, &args.event_hook_id)?;
    act(cx, |act| hook::delete(act, &hook))?;
    Ok(no_content())
}

fn switch(cx: &mut Write<'_, '_, Okta>, args: &Which, active: bool) -> Result<Typed<HookBody>, Error> {
    let hook = find(cx.state, &args.event_hook_id)?;
    let hook = act(cx, |act| hook::switch(act, &hook, active))?;
    Ok(Typed::ok(&HookBody::new(cx.state, &hook, &cx.scene.request.origin)))
}

/// `activateEventHook`.
pub fn activate(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<HookBody>, Error> {
    switch(cx, &args, true)
}

/// `deactivateEventHook`.
pub fn deactivate(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<HookBody>, Error> {
    switch(cx, &args, false)
}

/// `verifyEventHook`: the challenge goes out, and the call waits until the hook's address has met it or failed.
pub fn verify(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<HookBody>, Error> {
    let hook = find(cx.state, &args.event_hook_id)?;
    let hook = act(cx, |act| Ok(events::challenge(act, &hook)))?;
    Ok(Typed::ok(&HookBody::new(cx.state, &hook, &cx.scene.request.origin)))
}

/// The answer of `verifyEventHook`, once the challenge is over.
pub fn verified(cx: &Read<'_, Okta>) -> Result<Typed<HookBody>, Error> {
    let hook = find(cx.state, cx.scene.request.path_param("eventHookId"))?;
    if !hook.verified {
        let cause = "Verification failed: the endpoint did not answer with the verification challenge";
        return Err(Error::invalid("eventHook", cause));
    }
    Ok(Typed::ok(&HookBody::new(cx.state, &hook, &cx.scene.request.origin)))
}
