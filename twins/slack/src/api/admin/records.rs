//! `admin.conversations.*` about records of Salesforce that channels are for.
//!
//! What Salesforce has is not known here: a record is there if its id is shaped as one.
//! <https://docs.slack.dev/reference/methods/admin.conversations.linkObjects>

use std::sync::Arc;

use serde_json::json;
use smol_str::{SmolStr, format_smolstr};

use super::{Doing, Fields, Method, Run, Told, done, method};
use crate::{
    error::{Code, Error},
    model::{
        State,
        channels::{self, Channel, Kind},
        org::Record,
        upkeep,
    },
};

pub(super) const METHODS: &[Method] = &[
    method!(
        "conversations.createForObjects",
        "conversations:manage_objects",
        TIER_2,
        ("feature_not_enabled", "restricted_action"),
        ["channel_already_exists", "record_not_found"],
        Run::Act(create)
    ),
    method!(
        "conversations.linkObjects",
        "conversations:manage_objects",
        TIER_2,
        ("not_allowed_for_grid_workspace", "restricted_action"),
        [
            "channel_is_archived",
            "channel_not_found",
            "invalid_channel_type",
            "record_channel_already_exists",
            "record_channel_cannot_be_externally_shared",
            "record_not_found",
        ],
        Run::Act(link)
    ),
    method!(
        "conversations.unlinkObjects",
        "conversations:manage_objects",
        TIER_2,
        ("not_allowed_for_grid_workspace", "restricted_action"),
        ["channel_not_found", "invalid_name_specials", "name_taken"],
        Run::Act(unlink)
    ),
];

/// A record that the call names: ids of Salesforce have 15 or 18 characters, those of organizations begin with `00D`.
fn record(fields: &Fields, name: &str) -> Result<Record, Error> {
    let (id, org) = (fields.need(name)?, fields.need("salesforce_org_id")?);
    let is_id = |id: &str| matches!(id.len(), 15 | 18) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_id(&id) || !is_id(&org) || !org.starts_with("00D") {
        return Err("record_not_found".into());
    }
    // The last three characters of the longer form only make up for the case of the others.
    let short = |id: SmolStr| SmolStr::new(&id[..15]);
    Ok(Record { org: short(org), id: short(id) })
}

fn put(cx: &mut Doing<'_, '_>, channel: &SmolStr, record: Record) {
    cx.state.enterprise.index.channel_of.insert(record.clone(), channel.clone());
    cx.state.enterprise.records.put(&mut cx.tx.changes, channel.clone(), record);
}

/// `admin.conversations.createForObjects`: a public channel that goes by the record's id. Who works on a record is not
/// known here, so that nobody is invited with it.
fn create(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let record = record(fields, "object_id")?;
    fields.flag("invite_object_team")?;
    if cx.state.enterprise.index.channel_of.contains_key(&record) {
        return Err("channel_already_exists".into());
    }
    let base = format_smolstr!("record-{}", record.id.to_lowercase());
    let others = (2..).map(|n: u32| format_smolstr!("{base}-{n}"));
    let mut names = std::iter::once(base.clone()).chain(others);
    let name = names.find(|name| !cx.state.has_channel_named(name)).unwrap_or(base);
    let by = cx.by.clone();
    let id = channels::create(cx.state, cx.tx, &by, &name, Kind::Public)?;
    put(cx, &id, record);
    Ok(json!({ "channel_id": id }))
}

fn channel(state: &State, fields: &Fields) -> Result<Arc<Channel>, Error> {
    Ok(state.channels.get(&fields.need("channel")?).map(Arc::clone).ok_or(Code::ChannelNotFound)?)
}

/// `admin.conversations.linkObjects`
fn link(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let (row, record) = (channel(cx.state, fields)?, record(fields, "record_id")?);
    let shared = cx.state.content.connections.range((row.id.clone(), SmolStr::default())..).next();
    let refusal = match &*row {
        row if !row.kind.is_channel() || row.general => Some("invalid_channel_type"),
        row if row.archived => Some("channel_is_archived"),
        row if shared.is_some_and(|(key, _)| key.0 == row.id) => Some("record_channel_cannot_be_externally_shared"),
        _ => None,
    };
    if let Some(code) = refusal {
        return Err(code.into());
    }
    let taken = cx.state.enterprise.index.channel_of.contains_key(&record);
    if taken || cx.state.enterprise.records.contains(&row.id) {
        return Err("record_channel_already_exists".into());
    }
    put(cx, &row.id, record);
    Ok(done())
}

/// `admin.conversations.unlinkObjects`: the channel goes by a name of its own again.
fn unlink(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let (row, name) = (channel(cx.state, fields)?, fields.need("new_name")?);
    if !cx.state.enterprise.records.contains(&row.id) {
        return Err(Code::ChannelNotFound.into());
    }
    let by = cx.by.clone();
    upkeep::rename(cx.state, cx.tx, &row, &by, &name)?;
    if let Some(record) = cx.state.enterprise.records.remove(&mut cx.tx.changes, &row.id) {
        cx.state.enterprise.index.channel_of.remove(&*record);
    }
    Ok(done())
}
