//! What owners do to a workspace as a whole, what Slack does to it for them, and huddles.

use std::sync::Arc;

use dtu_kernel::{
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use crate::{
    Slack,
    affordances::{find_app, find_to_write},
    error::Code,
    model::{
        State, Workspace, apps,
        channels::Channel,
        connect,
        fields::{self, Field, FieldKind},
        huddles,
        messages::{self, Draft},
        org::{self, ORG, Org},
        policy::{self, Phase, Who},
        status,
        time::ts_text,
    },
    text::{self, Reading},
    workspace_events,
};

/// The verbs.
pub(crate) fn all() -> Vec<Affordance<Slack>> {
    vec![
        Affordance::new("slack.user.huddle", "Comes into the huddle of a conversation, or goes.", huddle),
        Affordance::new("slack.admin.edit_workspace", "Sets the workspace's name, address or mail domain.", edit),
        Affordance::new("slack.admin.set_policy", "Settles who may do what in the workspace.", set_policy),
        Affordance::new("slack.admin.migrate", "Has Slack move the workspace into an organization.", migrate),
        Affordance::new("slack.admin.import_messages", "Imports what was said elsewhere into a channel.", import),
        Affordance::new("slack.admin.disconnect_partner", "Takes another organization out of a channel.", disconnect),
        Affordance::new("slack.admin.suspend_access", "Withholds the key of what was said in a channel.", suspend),
        Affordance::new(
            "slack.user.edit_profile",
            "Changes one's own profile, status and filled-in fields.",
            edit_profile,
        ),
        Affordance::new("slack.admin.define_profile_field", "Gives profiles one more field to fill in.", define_field),
        Affordance::new("slack.admin.grant_workspaces", "Lets an app act in more workspaces, or in fewer.", grant),
    ]
}

/// Refuses who does not administer the workspace.
fn need_admin(state: &State, actor: &str) -> Result<SmolStr, Refusal> {
    let user = state.person(actor)?;
    if user.is_admin() {
        return Ok(user.id.clone());
    }
    Err(Refusal::new(format!("`{}` does not administer the workspace", user.label())))
}

/// A channel by name, `#name` or id, whoever is in it.
fn find_any(state: &State, named: &str) -> Result<Arc<Channel>, Refusal> {
    let by_name = || state.index.channel_by_name.get(named.trim_start_matches('#')).cloned();
    let found = state.channels.get(&named.into()).or_else(|| state.channels.get(&by_name()?));
    found.cloned().ok_or_else(|| Refusal::new(format!("there is no channel `{named}`")))
}

/// Arguments of `slack.user.huddle`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IntoHuddle {
    /// Name, `#name` or id; `@somebody` for a direct message.
    channel: String,
    /// Whether to go.
    #[serde(default)]
    leave: bool,
}

fn huddle(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: IntoHuddle) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_to_write(state, tx, &user, &with.channel)?;
    if with.leave {
        huddles::leave(state, tx, &user.id).map_err(|_| Refusal::new("not in a huddle"))?;
        return Ok(json!({ "channel": channel.id }));
    }
    let ts = huddles::join(state, tx, &channel, &user.id).map_err(|code| match code {
        Code::RestrictedAction => Refusal::new("administrators have turned off huddles in this channel"),
        _ => Refusal::new("in a huddle already"),
    })?;
    Ok(json!({ "channel": channel.id, "ts": ts_text(ts) }))
}

/// Arguments of `slack.admin.edit_workspace`. What is absent stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EditWorkspace {
    /// Its name.
    name: Option<SmolStr>,
    /// Its subdomain of slack.com.
    domain: Option<SmolStr>,
    /// Whose mail addresses let people sign up by themselves; empty for none.
    email_domain: Option<SmolStr>,
}

fn edit(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: EditWorkspace) -> Result<Value, Refusal> {
    need_admin(state, actor)?;
    let before = Arc::clone(&state.workspace);
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if with.domain.as_ref().is_some_and(|domain| domain.is_empty() || !domain.chars().all(fits)) {
        return Err(Refusal::new("a subdomain has small letters, digits and dashes"));
    }
    let after = Workspace {
        id: before.id.clone(),
        name: with.name.unwrap_or_else(|| before.name.clone()),
        domain: with.domain.unwrap_or_else(|| before.domain.clone()),
        email_domain: with.email_domain.unwrap_or_else(|| before.email_domain.clone()),
    };
    let changed = [
        ("team_rename", after.name != before.name),
        ("team_domain_change", after.domain != before.domain),
        ("email_domain_changed", after.email_domain != before.email_domain),
    ];
    org::edit_home(state, tx, after);
    for (name, _) in changed.into_iter().filter(|(_, changed)| *changed) {
        workspace_events::renamed(state, tx, name);
    }
    Ok(json!({ "team": before.id }))
}

/// Arguments of `slack.admin.set_policy`. What is absent stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetPolicy {
    /// How long people can edit what they have written, in minutes; -1 for ever.
    edit_minutes: Option<i64>,
    /// Whether messages are kept for compliance, so that nobody deletes any.
    keeps_messages: Option<bool>,
    /// Whether files may have public addresses.
    public_files: Option<bool>,
    /// Who makes channels.
    creates_channels: Option<Who>,
    /// Who archives them.
    archives_channels: Option<Who>,
    /// Who takes others out of them.
    removes_people: Option<Who>,
    /// Who posts in the channel that everyone is in.
    posts_in_general: Option<Who>,
    /// Who keeps user groups.
    keeps_groups: Option<Who>,
}

fn set_policy(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: SetPolicy) -> Result<Value, Refusal> {
    need_admin(state, actor)?;
    policy::settle(state, tx, |row| {
        if let Some(minutes) = with.edit_minutes {
            row.edit_minutes = u32::try_from(minutes).ok();
        }
        row.keeps_messages = with.keeps_messages.unwrap_or(row.keeps_messages);
        row.no_public_files = with.public_files.map_or(row.no_public_files, |may| !may);
        row.creates_channels = with.creates_channels.unwrap_or(row.creates_channels);
        row.archives_channels = with.archives_channels.unwrap_or(row.archives_channels);
        row.removes_people = with.removes_people.unwrap_or(row.removes_people);
        row.posts_in_general = with.posts_in_general.unwrap_or(row.posts_in_general);
        row.keeps_groups = with.keeps_groups.unwrap_or(row.keeps_groups);
    });
    Ok(json!({ "team": state.workspace.id }))
}

/// How far the move goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// It begins: methods refuse with `team_added_to_org`.
    Begin,
    /// The workspace is closed: methods refuse with `org_login_required`.
    Close,
    /// The workspace is of the organization.
    Finish,
}

/// Arguments of `slack.admin.migrate`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Migrate {
    /// How far.
    step: Step,
    /// The organization's name, where the move begins.
    #[serde(default)]
    organization: SmolStr,
    /// Its subdomain of enterprise.slack.com, where the move begins.
    #[serde(default)]
    domain: SmolStr,
}

fn migrate(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Migrate) -> Result<Value, Refusal> {
    need_admin(state, actor)?;
    let is_moving = state.policy(|row| row.migration.is_some());
    match with.step {
        _ if state.enterprise.org.is_some() => return Err(Refusal::new("the workspace is of an organization already")),
        Step::Begin if is_moving => return Err(Refusal::new("the workspace is being moved already")),
        Step::Close | Step::Finish if !is_moving => return Err(Refusal::new("the workspace is not being moved")),
        Step::Begin if with.organization.is_empty() || with.domain.is_empty() => {
            return Err(Refusal::new("a move begins with the organization's name and domain"));
        }
        Step::Begin => {
            let org = Org { id: tx.id(&ORG), name: with.organization, domain: with.domain };
            policy::begin_migration(state, tx, org);
        }
        Step::Close => policy::settle(state, tx, |row| {
            if let Some(migration) = &mut row.migration {
                migration.phase = Phase::Closed;
            }
        }),
        Step::Finish => _ = policy::finish_migration(state, tx),
    }
    Ok(json!({ "team": state.workspace.id }))
}

/// Something said elsewhere.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Imported {
    /// Who said it: key, mail address or user name.
    from: String,
    /// What.
    text: String,
    /// When, in seconds since 1970: before now.
    at: i64,
}

/// Arguments of `slack.admin.import_messages`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Import {
    /// Name, `#name` or id.
    channel: String,
    /// What was said.
    messages: Vec<Imported>,
}

/// Apps are not told of each message, but that the history is another.
fn import(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Import) -> Result<Value, Refusal> {
    const MICROS: u64 = 1_000_000;
    need_admin(state, actor)?;
    let channel = find_any(state, &with.channel)?;
    let mut latest = 0;
    for message in with.messages {
        let user = state.person(&message.from)?;
        let secs = u64::try_from(message.at).ok().filter(|_| message.at < tx.now.as_secs());
        let mut ts = secs.ok_or_else(|| Refusal::new("what is imported was said before now"))? * MICROS;
        while state.message(&channel.id, ts).is_some() {
            ts += 1;
        }
        let stored = text::store(state, &message.text, Reading { link_names: false, typed: true });
        messages::put_at(state, tx, &channel.id, Draft::new(&user.id, stored), ts);
        latest = ts.max(latest);
    }
    if latest > 0 {
        workspace_events::history_changed(state, tx, &channel, latest);
    }
    Ok(json!({ "channel": channel.id, "latest": ts_text(latest) }))
}

/// Arguments of `slack.admin.disconnect_partner`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Disconnect {
    /// Name, `#name` or id.
    channel: String,
    /// The other organization's name.
    organization: String,
}

fn disconnect(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Disconnect) -> Result<Value, Refusal> {
    need_admin(state, actor)?;
    let channel = find_any(state, &with.channel)?;
    let partner = connect::partner(state, tx, &with.organization);
    if connect::disconnect(state, tx, &channel.id, &partner.id) {
        return Ok(json!({ "channel": channel.id, "team": partner.id }));
    }
    Err(Refusal::new(format!("`{}` is not in the channel", with.organization)))
}

/// Arguments of `slack.admin.suspend_access`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Suspend {
    /// Name, `#name` or id.
    channel: String,
    /// Whether to give the key back.
    #[serde(default)]
    undo: bool,
}

/// With Enterprise Key Management.
fn suspend(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Suspend) -> Result<Value, Refusal> {
    need_admin(state, actor)?;
    if state.enterprise.org.is_none() {
        return Err(Refusal::new("only organizations have keys of their own; the world's `enterprise` makes one"));
    }
    let channel = find_any(state, &with.channel)?;
    org::set_rules(state, tx, &channel.id, |rules| rules.suspended = !with.undo);
    Ok(json!({ "channel": channel.id }))
}

/// Arguments of `slack.admin.grant_workspaces`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Grant {
    /// The app's key, name or id.
    app: String,
    /// The subdomains of workspaces beside the one that the twin serves.
    workspaces: Vec<SmolStr>,
    /// Whether to take them away.
    #[serde(default)]
    undo: bool,
}

fn grant(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Grant) -> Result<Value, Refusal> {
    let app = find_app(state, actor, &with.app)?;
    let index = &state.enterprise.index.team_by_domain;
    let find = |domain: &SmolStr| {
        let id = index.get(domain).filter(|id| **id != state.workspace.id).cloned();
        id.ok_or_else(|| Refusal::new(format!("the organization has no other workspace `{domain}`")))
    };
    let named = with.workspaces.iter().map(find).collect::<Result<Vec<SmolStr>, Refusal>>()?;
    let teams: Vec<SmolStr> = named.into_iter().filter(|team| app.setup.teams.contains(team) == with.undo).collect();
    if teams.is_empty() {
        return Err(Refusal::new("nothing changes for the app"));
    }
    apps::edit(state, tx, &app.id, |app| {
        let kept = app.setup.teams.iter().filter(|team| !teams.contains(team)).cloned();
        app.setup.teams = if with.undo { kept.collect() } else { kept.chain(teams.iter().cloned()).collect() };
    });
    workspace_events::access(state, tx, &app.id, &teams, !with.undo);
    Ok(json!({ "app": app.id, "teams": teams }))
}

/// Arguments of `slack.user.edit_profile`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EditProfile {
    /// What to change, as `users.profile.set` has it: `status_text`, `title`, `fields` by their ids, and so on.
    profile: Map<String, Value>,
}

fn edit_profile(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: EditProfile) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    status::set_profile(state, tx, (&user.id, &user), &with.profile)
        .map_err(|code| Refusal::new(format!("the profile cannot be changed: {}", code.as_str())))?;
    Ok(json!({ "user": user.id }))
}

/// Arguments of `slack.admin.define_profile_field`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DefineField {
    /// What it is called.
    label: SmolStr,
    /// What it is for.
    #[serde(default)]
    hint: SmolStr,
    /// What it holds; a line of text where absent.
    #[serde(default)]
    kind: FieldKind,
    /// What can be chosen, of a list of options.
    #[serde(default)]
    options: Vec<SmolStr>,
    /// Whether profiles do not show it.
    #[serde(default)]
    hidden: bool,
}

fn define_field(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: DefineField) -> Result<Value, Refusal> {
    need_admin(state, actor)?;
    if with.label.trim().is_empty() || (with.kind == FieldKind::OptionsList) == with.options.is_empty() {
        return Err(Refusal::new("a field has a label, and options where it is a list of them"));
    }
    let DefineField { label, hint, kind, options, hidden } = with;
    let field = Field { id: SmolStr::default(), ordering: 0, label, hint, kind, options, hidden };
    Ok(json!({ "field": fields::define(state, tx, field).id }))
}
