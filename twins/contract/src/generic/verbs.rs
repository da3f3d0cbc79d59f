//! What verbs in paths and method names mean.

use serde_json::Value;
use smol_str::SmolStr;

use super::{times::plain, view::View};
use crate::schema::Type;

/// What a verb does to a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Lists.
    List,
    /// Shows one.
    Get,
    /// Makes one.
    Create,
    /// Changes members of one.
    Update,
    /// Removes one.
    Delete,
    /// Changes how one is.
    Change,
    /// Something else.
    Other,
}

/// Verbs that look for something and change nothing.
const SEARCHES: &[&str] = &["search", "query", "find", "list", "lookup"];

/// Whether a verb at the end of a path only reads, though it is posted.
pub(super) fn is_search(verb: &str) -> bool {
    let verb = plain(verb);
    SEARCHES.contains(&verb.as_str()) || ["search", "query"].iter().any(|start| verb.starts_with(start))
}

/// Verbs that make an object of the collection that they are called on.
pub(super) const MAKING: &[&str] = &["generate", "create", "new"];

/// Whether a verb makes an object of the collection that it is called on.
pub(super) fn is_making(verb: &str) -> bool {
    MAKING.contains(&verb)
}

/// Verbs that do something else with an object than changing it, whatever their body looks like.
pub(super) fn is_apart(verb: &str) -> bool {
    let verb = plain(verb);
    let words = [
        "clone",
        "copy",
        "duplicate",
        "create",
        "delete",
        "remove",
        "generate",
        "export",
        "import",
        "preview",
        "send",
        "simulate",
        "test",
        "validate",
        "verify",
        "notify",
        "download",
        "check",
        "evaluate",
        "batch",
        "bulk",
    ];
    words.iter().any(|word| verb.starts_with(word))
}

/// What the last part of a method's name does (`bookmarks.add`).
pub(super) fn deed(verb: &str) -> Deed {
    match verb {
        "list" => Deed::List,
        "info" | "get" | "retrieve" | "lookup" => Deed::Get,
        "add" | "create" | "open" | "start" | "post" | "schedule" => Deed::Create,
        "edit" | "update" | "set" | "rename" => Deed::Update,
        "remove" | "delete" | "close" | "revoke" => Deed::Delete,
        _ if !states(verb).is_empty() => Deed::Change,
        _ => Deed::Other,
    }
}

/// Whether a method whose name ends so changes nothing.
pub(super) fn only_reads(verb: &str) -> bool {
    let starts = |word: &str| {
        let rest = verb.strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| !c.is_ascii_lowercase()))
    };
    ["list", "get", "info", "lookup", "search", "history", "replies", "members", "test", "retrieve", "counts"]
        .into_iter()
        .any(starts)
}

/// The states that a verb may lead to, the likeliest first.
fn states(verb: &str) -> &'static [&'static str] {
    match plain(verb).as_str() {
        "activate" | "reactivate" | "unsuspend" | "resume" | "unpause" => {
            &["active", "activated", "enabled", "running"]
        }
        "deactivate" => &["inactive", "deactivated", "disabled", "deprovisioned"],
        "enable" => &["enabled", "active"],
        "disable" => &["disabled", "inactive"],
        "suspend" => &["suspended", "inactive"],
        "pause" => &["paused", "suspended"],
        "start" => &["started", "running", "inprogress", "active"],
        "stop" => &["stopped", "inactive"],
        "archive" => &["archived"],
        "unarchive" => &["unarchived", "active", "open"],
        "restore" => &["active", "restored", "open"],
        "trash" => &["trashed"],
        "close" => &["closed"],
        "open" | "reopen" => &["open", "opened", "reopened"],
        "publish" => &["published", "active", "live"],
        "unpublish" => &["unpublished", "draft", "inactive"],
        "lock" => &["locked", "lockedout"],
        "unlock" => &["unlocked", "active"],
        "approve" => &["approved"],
        "deny" | "decline" => &["denied", "declined", "rejected"],
        "reject" => &["rejected", "denied", "declined"],
        "cancel" => &["cancelled", "canceled"],
        "revoke" => &["revoked"],
        "verify" => &["verified"],
        "complete" | "finish" => &["complete", "completed", "done", "finished"],
        "expire" => &["expired"],
        "release" => &["released"],
        "hide" => &["hidden"],
        "unhide" => &["visible"],
        "sell" => &["sold"],
        "pay" => &["paid"],
        "hold" => &["held", "onhold"],
        "ship" => &["shipped"],
        "submit" => &["submitted"],
        "withdraw" => &["withdrawn"],
        _ => &[],
    }
}

/// Members that are true after one verb and false after another.
const SWITCHES: &[(&str, &[&str], &[&str])] = &[
    ("enabled", &["enable", "activate"], &["disable", "deactivate"]),
    ("active", &["enable", "activate", "unsuspend"], &["disable", "deactivate", "suspend"]),
    ("disabled", &["disable", "deactivate"], &["enable", "activate"]),
    ("archived", &["archive"], &["unarchive", "restore"]),
    ("hidden", &["hide"], &["unhide"]),
    ("locked", &["lock"], &["unlock"]),
    ("published", &["publish"], &["unpublish"]),
    ("trashed", &["trash"], &["untrash", "restore"]),
    ("suspended", &["suspend"], &["unsuspend"]),
    ("paused", &["pause"], &["resume", "unpause"]),
    ("closed", &["close"], &["reopen", "open"]),
    ("verified", &["verify"], &[]),
];

/// The member of an object that a verb sets, and to what.
pub(super) fn change(item: &View<'_>, verb: &str) -> Option<(SmolStr, Value)> {
    by_status(item, verb).or_else(|| by_switch(item, verb))
}

fn by_status(item: &View<'_>, verb: &str) -> Option<(SmolStr, Value)> {
    for (name, schemas) in item.properties() {
        let known = super::make::is_status(name) || name.ends_with("Status") || name.ends_with("_status");
        let values = View::all(item.document, schemas).values().filter(|_| known).unwrap_or_default();
        let named = |state: &&str| values.iter().find(|value| value.as_str().is_some_and(|text| plain(text) == *state));
        let value = states(verb).iter().find_map(named).or_else(|| derived(&values, verb));
        if let Some(value) = value {
            return Some((name.clone(), (*value).clone()));
        }
    }
    None
}

/// A value that is the verb's participle (`merge` gives `MERGED`).
fn derived<'a, 'v>(values: &'a [&'v Value], verb: &str) -> Option<&'a &'v Value> {
    let verb = plain(verb);
    let participle = [format!("{verb}d"), format!("{verb}ed")];
    values.iter().find(|value| value.as_str().is_some_and(|text| participle.contains(&plain(text))))
}

fn by_switch(item: &View<'_>, verb: &str) -> Option<(SmolStr, Value)> {
    let verb = plain(verb);
    for (member, on, off) in SWITCHES {
        let set = if on.contains(&verb.as_str()) {
            true
        } else if off.contains(&verb.as_str()) {
            false
        } else {
            continue;
        };
        let names =
            [(*member).to_owned(), format!("is_{member}"), format!("is{}{}", member[..1].to_uppercase(), &member[1..])];
        let found = names.iter().find(|name| item.property(name).is_some_and(|view| view.is(Type::Boolean)));
        if let Some(name) = found {
            return Some((SmolStr::new(name), Value::Bool(set)));
        }
    }
    None
}
