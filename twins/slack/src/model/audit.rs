//! The audit log of an organization: who did what to what, written down as it happens.
//!
//! <https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference>

use std::{cmp::Reverse, sync::Arc};

use dtu_kernel::{seed::Site, table::Table, tx::Tx};
use imbl::OrdSet;
use serde::Serialize;
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{SITE, State};

const ID: Site = SITE.child("audit entry");

/// When an entry was written, in seconds, and the how-manieth it is.
pub type Moment = (u64, u64);

/// What something was done to.
#[derive(Clone, Debug, Serialize)]
pub struct Entity {
    /// What kind of thing: `user`, `channel`, `app`, `file`, `workspace`, `enterprise`, `usergroup`, `barrier`, `role`.
    pub kind: &'static str,
    /// Which one.
    pub id: SmolStr,
}

impl Entity {
    /// A person.
    pub fn user(id: &SmolStr) -> Self {
        Self { kind: "user", id: id.clone() }
    }

    /// A channel.
    pub fn channel(id: &SmolStr) -> Self {
        Self { kind: "channel", id: id.clone() }
    }

    /// An app.
    pub fn app(id: &SmolStr) -> Self {
        Self { kind: "app", id: id.clone() }
    }

    /// A file.
    pub fn file(id: &SmolStr) -> Self {
        Self { kind: "file", id: id.clone() }
    }

    /// A workspace.
    pub fn workspace(id: &SmolStr) -> Self {
        Self { kind: "workspace", id: id.clone() }
    }

    /// A user group.
    pub fn usergroup(id: &SmolStr) -> Self {
        Self { kind: "usergroup", id: id.clone() }
    }
}

/// What entries tell of, by area: those of Slack's actions that the twin writes down.
pub const ACTIONS: &[(&str, &[&str])] = &[
    ("workspace_or_org", &["emoji_added", "emoji_aliased", "emoji_removed", "emoji_renamed", "workspace_created"]),
    (
        "user",
        &[
            "bulk_session_reset_by_admin",
            "guest_created",
            "guest_deactivated",
            "guest_expiration_set",
            "guest_expired",
            "guest_joined_workspace",
            "guest_reactivated",
            "role_assigned",
            "role_change_to_admin",
            "role_change_to_guest",
            "role_change_to_owner",
            "role_change_to_user",
            "role_removed",
            "user_added_to_usergroup",
            "user_created",
            "user_deactivated",
            "user_joined_workspace",
            "user_login",
            "user_logout",
            "user_reactivated",
            "user_removed_from_usergroup",
            "user_session_invalidated",
            "user_session_reset_by_admin",
            "user_session_settings_changed",
        ],
    ),
    (
        "file",
        &["file_deleted", "file_downloaded", "file_public_link_created", "file_public_link_revoked", "file_uploaded"],
    ),
    (
        "channel",
        &[
            "channel_moved",
            "channel_posting_permissions_updated",
            "channel_renamed",
            "channel_workspaces_updated",
            "default_channel_added_to_usergroup",
            "default_channel_removed_from_usergroup",
            "external_shared_channel_disconnected",
            "guest_channel_join",
            "guest_channel_leave",
            "mpim_converted_to_private",
            "private_channel_archive",
            "private_channel_converted_to_public",
            "private_channel_created",
            "private_channel_deleted",
            "private_channel_unarchive",
            "public_channel_archive",
            "public_channel_converted_to_private",
            "public_channel_created",
            "public_channel_deleted",
            "public_channel_unarchive",
            "user_channel_join",
            "user_channel_leave",
        ],
    ),
    ("app", &["app_approved", "app_installed", "app_removed_from_whitelist", "app_restricted", "app_uninstalled"]),
    ("barrier", &["barrier_created", "barrier_deleted", "barrier_updated"]),
];

/// An entry.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// The id.
    pub id: SmolStr,
    /// What was done.
    pub action: &'static str,
    /// Who did it.
    pub actor: SmolStr,
    /// To what.
    pub entity: Entity,
    /// What was known of that then: things are renamed and deleted, the log stays.
    pub shown: Value,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

/// The log, and what finds its entries, the newest first.
#[derive(Clone, Debug)]
pub struct Log {
    /// Entries by when they were written.
    pub entries: Table<Moment, Entry>,
    pub(crate) by_action: OrdSet<(SmolStr, Reverse<Moment>)>,
    pub(crate) by_actor: OrdSet<(SmolStr, Reverse<Moment>)>,
    pub(crate) by_entity: OrdSet<(SmolStr, Reverse<Moment>)>,
    written: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            entries: Table::new("audit_log"),
            by_action: OrdSet::new(),
            by_actor: OrdSet::new(),
            by_entity: OrdSet::new(),
            written: 0,
        }
    }
}

/// Writes down that something happened; nothing where there is no organization.
pub(crate) fn log(state: &mut State, tx: &mut Tx<'_>, actor: &SmolStr, action: &'static str, entity: &Entity) {
    log_with(state, tx, (actor, action, entity), Map::new());
}

/// The same with details.
pub(crate) fn log_with(
    state: &mut State,
    tx: &mut Tx<'_>,
    (actor, action, entity): (&SmolStr, &'static str, &Entity),
    details: Map<String, Value>,
) {
    if state.enterprise.org.is_none() {
        return;
    }
    debug_assert!(ACTIONS.iter().any(|(_, names)| names.contains(&action)), "{action} is an action");
    let shown = describe(state, entity);
    let (a, b) = (tx.draw(ID).below(1 << 48), tx.draw(ID).below(1 << 48));
    let id = format_smolstr!("{:08x}-{:04x}-4{:03x}-8{:03x}-{b:012x}", a >> 16, a & 0xffff, a % 0xfff, b % 0xfff);
    let log = &mut state.enterprise.log;
    log.written += 1;
    let moment = (u64::try_from(tx.now.as_secs()).unwrap_or(0), log.written);
    log.by_action.insert((SmolStr::new_static(action), Reverse(moment)));
    log.by_actor.insert((actor.clone(), Reverse(moment)));
    log.by_entity.insert((entity.id.clone(), Reverse(moment)));
    let entry = Entry { id, action, actor: actor.clone(), entity: entity.clone(), shown, details };
    log.entries.put(&mut tx.changes, moment, entry);
}

/// Which entries are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) oldest: Option<u64>,
    pub(crate) latest: Option<u64>,
    pub(crate) actions: Vec<SmolStr>,
    pub(crate) actor: Option<SmolStr>,
    pub(crate) entity: Option<SmolStr>,
}

impl Filter {
    fn fits(&self, entry: &Entry) -> bool {
        (self.actions.is_empty() || self.actions.iter().any(|action| action == entry.action))
            && self.actor.as_ref().is_none_or(|actor| *actor == entry.actor)
            && self.entity.as_ref().is_none_or(|entity| *entity == entry.entity.id)
    }
}

/// How many entries one page looks at: of a filter that little fits, pages may be short.
const LOOKED_AT_MAX: usize = 20_000;

/// The entries asked for, the newest first, from `from` on; and where the next page begins.
pub(crate) fn page(
    log: &Log,
    filter: &Filter,
    from: Option<Moment>,
    size: usize,
) -> (Vec<(Moment, Arc<Entry>)>, Option<Moment>) {
    let newest = filter.latest.map_or((u64::MAX, u64::MAX), |latest| (latest, u64::MAX));
    let start = from.map_or(newest, |from| from.min(newest));
    let oldest = filter.oldest.unwrap_or(0);
    let (mut found, mut looked) = (Vec::new(), 0);
    for moment in moments(log, filter, start).take_while(|moment| moment.0 >= oldest) {
        if found.len() == size || looked == LOOKED_AT_MAX {
            return (found, Some(moment));
        }
        looked += 1;
        let entry = log.entries.get(&moment).filter(|entry| filter.fits(entry));
        found.extend(entry.map(|entry| (moment, Arc::clone(entry))));
    }
    (found, None)
}

/// When those entries were written that the narrowest index gives, the newest first.
fn moments<'a>(log: &'a Log, filter: &Filter, start: Moment) -> Box<dyn Iterator<Item = Moment> + 'a> {
    let indexed = match (filter.entity.as_ref(), filter.actor.as_ref(), filter.actions.as_slice()) {
        (Some(entity), _, _) => Some((&log.by_entity, entity.clone())),
        (None, Some(actor), _) => Some((&log.by_actor, actor.clone())),
        (None, None, [action]) => Some((&log.by_action, action.clone())),
        _ => None,
    };
    match indexed {
        Some((index, key)) => {
            let rows = index.range((key.clone(), Reverse(start))..);
            Box::new(rows.take_while(move |row| row.0 == key).map(|row| row.1.0))
        }
        None => Box::new(log.entries.range(..=start).rev().map(|(moment, _)| *moment)),
    }
}

/// A person, as the log tells of one.
pub(crate) fn person(state: &State, id: &SmolStr) -> Value {
    let user = state.users.get(id);
    json!({
        "id": id,
        "name": user.map(|user| user.real_name.clone()).unwrap_or_default(),
        "email": user.and_then(|user| user.email.clone()).unwrap_or_default(),
        "team": state.workspace.id,
    })
}

/// A thing, as the log tells of it.
fn describe(state: &State, entity: &Entity) -> Value {
    let id = &entity.id;
    match entity.kind {
        "user" => person(state, id),
        "channel" => {
            let row = state.channels.get(id);
            let teams = state.teams_of_channel(id);
            let is_public = row.is_some_and(|row| row.kind == super::channels::Kind::Public);
            json!({
                "id": id,
                "name": row.map(|row| row.name.clone()).unwrap_or_default(),
                "privacy": if is_public { "public" } else { "private" },
                "is_shared": false,
                "is_org_shared": teams.len() > 1,
                "teams_shared_with": if teams.len() > 1 { teams } else { Vec::new() },
            })
        }
        "app" => {
            let app = state.apps.get(id);
            json!({
                "id": id,
                "name": app.map(|app| app.name.clone()).unwrap_or_default(),
                "is_distributed": false,
                "is_directory_approved": false,
                "is_workflow_app": false,
                "scopes": app.map(|app| app.scopes.to_vec()).unwrap_or_default(),
            })
        }
        "file" => {
            let file = state.files.get(id);
            let text = |of: fn(&super::files::File) -> SmolStr| file.map(|file| of(file)).unwrap_or_default();
            json!({
                "id": id,
                "name": text(|file| file.name.clone()),
                "filetype": text(|file| file.filetype.clone()),
                "title": text(|file| file.title.clone()),
            })
        }
        "usergroup" => json!({ "id": id, "name": state.groups.get(id).map(|group| group.name.clone()) }),
        "workspace" => {
            let team = state.enterprise.teams.get(id);
            let (name, domain) = team.map(|team| (team.name.clone(), team.domain.clone())).unwrap_or_default();
            json!({ "id": id, "name": name, "domain": domain })
        }
        "enterprise" => {
            let org = state.enterprise.org.as_ref();
            let (name, domain) = org.map(|org| (org.name.clone(), org.domain.clone())).unwrap_or_default();
            json!({ "id": id, "name": name, "domain": domain })
        }
        "barrier" => {
            let row = state.enterprise.barriers.get(id);
            json!({
                "id": id,
                "primary_usergroup": row.map(|row| row.primary.clone()),
                "barriered_from_usergroup": row.map(|row| row.from.clone()),
            })
        }
        _ => json!({ "id": id, "name": id, "type": "role" }),
    }
}
