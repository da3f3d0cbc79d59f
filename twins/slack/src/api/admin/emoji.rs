//! `admin.emoji.*`: the emoji of the organization, which are those that people use.

use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{Asked, Doing, Fields, Method, Pages, Run, Told, done, method};
use crate::{
    announce,
    api::paging,
    error::Error,
    model::{
        audit::{self, Entity},
        marks::is_emoji,
    },
};

const EMOJI: Pages = Pages { kind: "emoji", default: 100, most: 1_000 };

pub(super) const METHODS: &[Method] = &[
    method!(
        "emoji.add",
        "teams:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        [
            "error_bad_name_i18n",
            "error_lower_case_names_only",
            "error_missing_name",
            "error_name_taken",
            "error_name_taken_i18n",
            "error_no_image",
            "no_image_uploaded",
        ],
        Run::Act(add)
    ),
    method!(
        "emoji.addAlias",
        "teams:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        [
            "error_bad_name_i18n",
            "error_invalid_alias",
            "error_missing_name",
            "error_name_taken",
            "error_name_taken_i18n",
            "no_alias_selected",
        ],
        Run::Act(add_alias)
    ),
    method!(
        "emoji.list",
        "teams:read",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["invalid_cursor", "invalid_limit"],
        Run::Look(list)
    ),
    method!(
        "emoji.remove",
        "teams:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["emoji_not_found", "failure_removing_emoji"],
        Run::Act(remove)
    ),
    method!(
        "emoji.rename",
        "teams:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        [
            "error_bad_name_i18n",
            "error_invalid_emoji_to_rename",
            "error_missing_name",
            "error_name_taken",
            "error_name_taken_i18n",
        ],
        Run::Act(rename)
    ),
];

/// A name as it is kept: without space or colons.
fn bare(fields: &Fields, name: &str) -> Option<SmolStr> {
    let text = fields.text(name)?;
    Some(SmolStr::new(text.trim_matches(':').trim())).filter(|text| !text.is_empty())
}

/// A name for a new emoji.
fn new_name(cx: &Doing<'_, '_>, fields: &Fields, argument: &str) -> Result<SmolStr, Error> {
    let name = bare(fields, argument).ok_or("error_missing_name")?;
    if name.chars().any(char::is_uppercase) {
        let lower = argument == "name" && !fields.has("alias_for");
        return Err(if lower { "error_lower_case_names_only" } else { "error_bad_name_i18n" }.into());
    }
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '\'');
    if !name.chars().all(fits) {
        return Err("error_bad_name_i18n".into());
    }
    if cx.state.emoji.contains(&name) {
        return Err("error_name_taken".into());
    }
    if is_emoji(cx.state, &name) { Err("error_name_taken_i18n".into()) } else { Ok(name) }
}

fn put(cx: &mut Doing<'_, '_>, name: &SmolStr, value: SmolStr) {
    let origin = (cx.by.clone(), cx.tx.now.as_secs());
    cx.state.emoji.put(&mut cx.tx.changes, name.clone(), value.clone());
    cx.state.enterprise.emoji.put(&mut cx.tx.changes, name.clone(), origin);
    announce::emoji(cx.state, cx.tx, "add", name, &value);
}

fn noted(cx: &mut Doing<'_, '_>, action: &'static str) {
    let org = cx.state.enterprise_id().cloned().unwrap_or_default();
    audit::log(cx.state, cx.tx, &cx.by, action, &Entity { kind: "enterprise", id: org });
}

/// `admin.emoji.add`: nothing outside the machine is fetched, so the picture stays where it is.
fn add(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let name = new_name(cx, fields, "name")?;
    let url = fields.text("url").ok_or("no_image_uploaded")?;
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        return Err("error_no_image".into());
    }
    put(cx, &name, url);
    noted(cx, "emoji_added");
    Ok(done())
}

/// `admin.emoji.addAlias`
fn add_alias(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let name = new_name(cx, fields, "name")?;
    let target = bare(fields, "alias_for").ok_or("no_alias_selected")?;
    if !is_emoji(cx.state, &target) {
        return Err("error_invalid_alias".into());
    }
    put(cx, &name, format_smolstr!("alias:{target}"));
    noted(cx, "emoji_aliased");
    Ok(done())
}

/// `admin.emoji.list`
fn list(cx: &Asked<'_>, fields: &Fields) -> Told {
    let (from, size) = EMOJI.read(fields)?;
    let mut rows = cx.state.emoji.range(from..);
    let mut page = Map::new();
    for (name, value) in rows.by_ref().take(size) {
        let (by, at) = cx.state.enterprise.emoji.get(name).map(|row| (row.0.clone(), row.1)).unwrap_or_default();
        page.insert(name.to_string(), json!({ "url": **value, "date_created": at, "uploaded_by": by }));
    }
    let next = rows.next().map(|(name, _)| paging::cursor(EMOJI.kind, name)).unwrap_or_default();
    let metadata: Value = json!({ "next_cursor": next });
    Ok(json!({ "emoji": page, "response_metadata": metadata }))
}

fn take(cx: &mut Doing<'_, '_>, name: &SmolStr) -> Option<SmolStr> {
    cx.state.enterprise.emoji.remove(&mut cx.tx.changes, name);
    let value = cx.state.emoji.remove(&mut cx.tx.changes, name)?;
    announce::emoji(cx.state, cx.tx, "remove", name, "");
    Some(SmolStr::clone(&value))
}

/// `admin.emoji.remove`
fn remove(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let name = bare(fields, "name").ok_or("emoji_not_found")?;
    if !cx.state.emoji.contains(&name) {
        // Those that all workspaces have stay.
        let standard = is_emoji(cx.state, &name);
        return Err(if standard { "failure_removing_emoji" } else { "emoji_not_found" }.into());
    }
    take(cx, &name);
    noted(cx, "emoji_removed");
    Ok(done())
}

/// `admin.emoji.rename`
fn rename(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let name = bare(fields, "name").ok_or("error_missing_name")?;
    if !cx.state.emoji.contains(&name) {
        return Err("error_invalid_emoji_to_rename".into());
    }
    let new = new_name(cx, fields, "new_name")?;
    cx.state.enterprise.emoji.remove(&mut cx.tx.changes, &name);
    if let Some(value) = cx.state.emoji.remove(&mut cx.tx.changes, &name) {
        let origin = (cx.by.clone(), cx.tx.now.as_secs());
        cx.state.emoji.put(&mut cx.tx.changes, new.clone(), SmolStr::clone(&value));
        cx.state.enterprise.emoji.put(&mut cx.tx.changes, new.clone(), origin);
        announce::emoji_renamed(cx.state, cx.tx, (&name, &new), &value);
    }
    noted(cx, "emoji_renamed");
    Ok(done())
}
