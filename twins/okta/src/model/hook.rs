//! Event hooks.
//!
//! See developer.okta.com/docs/concepts/event-hooks/.

use std::sync::Arc;

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::OrdSet;
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    Act, HOOK_ID,
    event_type::{EventType, HOOK_ACTIVATED, HOOK_CREATED, HOOK_DEACTIVATED, HOOK_DELETED, HOOK_UPDATED, is_for_hooks},
    hook_filter::{self, Filter},
    log::{Entry, Party},
};
use crate::error::Error;

/// Where a hook calls, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Channel {
    /// The address.
    pub uri: String,
    /// More headers.
    pub headers: Vec<(String, String)>,
    /// The header that carries the secret; empty where there is none.
    pub auth_key: String,
    /// The secret: never shown.
    #[serde(skip)]
    pub auth_value: String,
}

/// An event hook.
#[derive(Clone, Debug, Serialize)]
pub struct Hook {
    /// `who...`.
    pub id: SmolStr,
    /// Whether it is switched on.
    pub active: bool,
    /// Whether its address has answered the challenge.
    pub verified: bool,
    /// The challenge that is under way; empty where none is.
    pub challenge: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it.
    pub created_by: SmolStr,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// The event types it asks for.
    pub items: Vec<SmolStr>,
    /// Which events of a type it asks for; all of the types that have none here.
    pub filters: Option<Vec<Filter>>,
    /// Where it calls.
    pub channel: Channel,
}

impl Hook {
    /// Whether it is to be told of an event.
    pub fn wants(&self, entry: &Entry) -> bool {
        let asks = self.active && self.verified && self.items.iter().any(|item| item == entry.event.name);
        let mut filters = self.filters.iter().flatten().filter(|filter| filter.event == entry.event.name);
        asks && filters.all(|filter| hook_filter::passes(filter, entry))
    }
}

/// All event hooks, in the order in which they were made.
#[derive(Clone, Debug)]
pub struct Hooks {
    table: Table<SmolStr, Hook>,
    order: OrdSet<(Timestamp, SmolStr)>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { table: Table::new("event_hooks"), order: OrdSet::new() }
    }
}

impl Hooks {
    /// A hook by id.
    pub fn get(&self, id: &str) -> Option<&Arc<Hook>> {
        self.table.get(&SmolStr::new(id))
    }

    /// All, oldest first. Orgs have a handful.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Hook>> {
        self.order.iter().filter_map(|(_, id)| self.table.get(id))
    }

    /// Writes a row.
    pub fn put(&mut self, changes: &mut Changes, hook: Hook) -> Arc<Hook> {
        self.order.insert((hook.created, hook.id.clone()));
        self.table.put(changes, hook.id.clone(), hook)
    }

    fn remove(&mut self, changes: &mut Changes, hook: &Hook) {
        self.order.remove(&(hook.created, hook.id.clone()));
        self.table.remove(changes, &hook.id);
    }
}

/// What a caller says of a hook.
#[derive(Clone, Debug)]
pub struct HookProfile {
    /// Its name.
    pub name: SmolStr,
    /// Whether it is to be switched on; none where nobody said.
    pub active: Option<bool>,
    /// What it is for.
    pub description: Option<String>,
    /// The event types.
    pub items: Vec<SmolStr>,
    /// Which events of a type.
    pub filters: Option<Vec<Filter>>,
    /// Where it calls.
    pub channel: Channel,
}

/// The most event types that a hook may ask for.
const ITEMS_MAX: usize = 300;
/// The most hooks that may be active and verified.
const ACTIVE_MAX: usize = 25;

impl HookProfile {
    fn check(&self) -> Result<(), Error> {
        let blank = "The field cannot be left blank";
        let mut problems = Vec::new();
        if self.name.trim().is_empty() {
            problems.push(("name", blank));
        }
        if self.items.is_empty() {
            problems.push(("events", blank));
        }
        if self.channel.uri.is_empty() {
            problems.push(("uri", blank));
        } else if !self.channel.uri.starts_with("https://") && !self.channel.uri.starts_with("http://") {
            problems.push(("uri", "The field must be a valid URL"));
        }
        if self.items.len() > ITEMS_MAX {
            problems.push(("events", "The number of event types is too large"));
        }
        if !problems.is_empty() {
            return Err(Error::fields(&problems));
        }
        match self.items.iter().find(|item| !is_for_hooks(item)) {
            Some(item) => Err(Error::invalid("events", format!("events: Event type '{item}' is not supported"))),
            None => self.check_filters(),
        }
    }

    /// The words are inferred.
    fn check_filters(&self) -> Result<(), Error> {
        let refuse = |cause: String| Err(Error::invalid("filter", cause));
        for (at, Filter { event, expression }) in self.filters.iter().flatten().enumerate() {
            if !self.items.contains(event) {
                return refuse(format!("filter: Event type '{event}' is not among the hook's events"));
            }
            if self.filters.iter().flatten().take(at).any(|other| other.event == *event) {
                return refuse(format!("filter: Event type '{event}' has more than one filter"));
            }
            if !hook_filter::is_filter(expression) {
                return refuse(format!("filter: The expression for '{event}' is invalid"));
            }
        }
        Ok(())
    }
}

/// Makes a hook: switched on, not verified.
///
/// # Errors
/// A hook that is not allowed.
pub fn create(act: &mut Act<'_, '_>, profile: HookProfile) -> Result<Arc<Hook>, Error> {
    profile.check()?;
    let now = act.now();
    let hook = Hook {
        id: act.tx.id(&HOOK_ID),
        active: true,
        verified: false,
        challenge: SmolStr::default(),
        name: profile.name,
        description: profile.description,
        created: now,
        created_by: act.by.actor.id.clone(),
        last_updated: now,
        items: profile.items,
        filters: profile.filters,
        channel: profile.channel,
    };
    let hook = act.state.hooks.put(&mut act.tx.changes, hook);
    act.log(&HOOK_CREATED, vec![Party::hook(&hook)]);
    Ok(hook)
}

/// Gives a hook other properties, and switches it on or off where they say so, as recorded. Another channel must be
/// verified again.
///
/// # Errors
/// A hook that is not allowed, or one active hook too many.
pub fn replace(act: &mut Act<'_, '_>, hook: &Hook, profile: HookProfile) -> Result<Arc<Hook>, Error> {
    profile.check()?;
    let was_active = hook.active;
    let verified = hook.verified && profile.channel == hook.channel;
    let active = profile.active.unwrap_or(hook.active);
    check_room(act, hook, active && verified && !hook.active)?;
    let row = Hook {
        active,
        verified,
        challenge: SmolStr::default(),
        name: profile.name,
        description: profile.description,
        items: profile.items,
        filters: profile.filters,
        channel: profile.channel,
        last_updated: act.now(),
        ..Hook::clone(hook)
    };
    let hook = act.state.hooks.put(&mut act.tx.changes, row);
    act.log(&HOOK_UPDATED, vec![Party::hook(&hook)]);
    if active != was_active {
        act.log(switched(active), vec![Party::hook(&hook)]);
    }
    Ok(hook)
}

const fn switched(active: bool) -> &'static EventType {
    if active { &HOOK_ACTIVATED } else { &HOOK_DEACTIVATED }
}

/// Whether there may be one hook more that is told of events.
fn check_room(act: &Act<'_, '_>, hook: &Hook, counts: bool) -> Result<(), Error> {
    let others = act.state.hooks.iter().filter(|other| other.active && other.verified && other.id != hook.id);
    if counts && others.count() >= ACTIVE_MAX {
        return Err(Error::invalid("eventHook", "The number of active event hooks is too large"));
    }
    Ok(())
}

/// Switches a hook on or off.
///
/// # Errors
/// One hook too many.
pub fn switch(act: &mut Act<'_, '_>, hook: &Hook, active: bool) -> Result<Arc<Hook>, Error> {
    check_room(act, hook, active && hook.verified)?;
    let row = Hook { active, last_updated: act.now(), ..Hook::clone(hook) };
    let hook = act.state.hooks.put(&mut act.tx.changes, row);
    act.log(switched(active), vec![Party::hook(&hook)]);
    Ok(hook)
}

/// Removes a hook, which must be switched off.
///
/// # Errors
/// A hook that is on.
pub fn delete(act: &mut Act<'_, '_>, hook: &Hook) -> Result<(), Error> {
    if hook.active {
        return Err(Error::invalid("eventHook", "Cannot delete an active event hook"));
    }
    act.state.hooks.remove(&mut act.tx.changes, hook);
    act.log(&HOOK_DELETED, vec![Party::hook(hook)]);
    Ok(())
}
