//! Organizations: several workspaces under one administration, which Slack sells as Enterprise.
//!
//! The twin serves the conversations of one workspace, the home. An organization has further ones beside it, of which
//! it knows names, settings and who is in them.

use std::sync::Arc;

use dtu_kernel::{ids::IdShape, table::Table, tx::Tx};
use imbl::{OrdMap, OrdSet};
use serde::Serialize;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    State, TEAM, Workspace,
    accounts::{self, NewAccount},
    audit::Log,
    people::{Account, Role, User},
    sessions::{Session, SessionRules},
};

pub(crate) const ORG: IdShape = super::id("enterprise", "E0", 9);
pub(crate) const BARRIER: IdShape = super::id("barrier", "Ba0", 9);
pub(crate) const INVITE: IdShape = super::id("invite", "I0", 9);
pub(crate) const INVITE_REQUEST: IdShape = super::id("invite request", "Ir0", 9);
pub(crate) const APP_REQUEST: IdShape = super::id("app request", "Ar0", 9);
pub(crate) const BULK: IdShape = super::id("bulk action", "Ab0", 9);

/// An organization.
#[derive(Clone, Debug, Serialize)]
pub struct Org {
    /// Its id.
    pub id: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// Its subdomain of enterprise.slack.com.
    pub domain: SmolStr,
}

/// A workspace of an organization.
#[derive(Clone, Debug, Serialize)]
pub struct Team {
    /// Its id.
    pub id: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// Its subdomain of slack.com.
    pub domain: SmolStr,
    /// What it is for.
    pub description: SmolStr,
    /// Who may join: `open`, `invite_only`, `closed` or `unlisted`.
    pub discoverability: SmolStr,
    /// Where its picture is; none for Slack's own.
    pub icon: Option<SmolStr>,
    /// The channels that new people are put into.
    pub default_channels: Vec<SmolStr>,
    /// Who owns it in the end.
    pub owner: SmolStr,
    /// When it was made, in seconds.
    pub created: i64,
}

/// A person's place in a workspace that is not the home.
#[derive(Clone, Debug, Serialize)]
pub struct Seat {
    /// What the person may do there.
    pub role: Role,
    /// Whether a guest is in one channel only.
    pub single_channel: bool,
    /// When a guest's access ends, in seconds; 0 where never.
    pub expires: i64,
    /// Since when, in seconds.
    pub since: i64,
}

/// Where a channel is. A channel without a row is in the home workspace alone.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Place {
    /// The workspaces.
    pub teams: Vec<SmolStr>,
    /// Whether it is in all of them, now and later.
    pub org_wide: bool,
}

/// What administrators have set for a channel.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChannelRules {
    /// Who may post, start threads and so on, as Slack gives it back.
    pub prefs: Map<String, Value>,
    /// How long messages are kept, in days; 0 where the organization's rule holds.
    pub retention_days: i64,
    /// When that was set, in microseconds.
    pub retention_set: u64,
    /// Whether Slack's own AI passes it over.
    pub exclude_from_ai: bool,
    /// The groups whose members alone may be in it.
    pub groups: Vec<SmolStr>,
    /// Whether the key of what was said in it is withheld, so that nobody reads or writes.
    pub suspended: bool,
}

/// An invitation to a workspace that nobody has taken yet.
#[derive(Clone, Debug, Serialize)]
pub struct Invite {
    /// The id.
    pub id: SmolStr,
    /// Who is invited.
    pub email: SmolStr,
    /// The workspace.
    pub team: SmolStr,
    /// What the person will be.
    pub role: Role,
    /// Whether a guest will be in one channel only.
    pub single_channel: bool,
    /// The channels that the person will be in.
    pub channels: Vec<SmolStr>,
    /// The person's name, where it is known.
    pub real_name: SmolStr,
    /// What the mail says besides.
    pub message: SmolStr,
    /// When a guest's access ends, in seconds; 0 where never.
    pub expires: i64,
    /// Whether it may be sent again.
    pub resend: bool,
    /// Whether the person may sign in with a password where others may not.
    pub password: bool,
    /// Who invites.
    pub by: SmolStr,
    /// When, in seconds.
    pub at: i64,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody has decided.
    Pending,
    /// Granted.
    Approved,
    /// Refused.
    Denied,
    /// Withdrawn.
    Cancelled,
}

/// A member asks that somebody be invited.
#[derive(Clone, Debug, Serialize)]
pub struct InviteRequest {
    /// The id.
    pub id: SmolStr,
    /// Who should be invited.
    pub email: SmolStr,
    /// The workspace.
    pub team: SmolStr,
    /// Who asks.
    pub by: SmolStr,
    /// The channels that the person should be in.
    pub channels: Vec<SmolStr>,
    /// Why.
    pub reason: SmolStr,
    /// When, in seconds.
    pub at: i64,
    /// Where it stands.
    pub standing: Standing,
    /// Who decided.
    pub decided_by: SmolStr,
    /// What came of it.
    pub invite: Option<SmolStr>,
}

/// A member asks for an app.
#[derive(Clone, Debug, Serialize)]
pub struct AppRequest {
    /// The id.
    pub id: SmolStr,
    /// The app.
    pub app: SmolStr,
    /// Who asks.
    pub by: SmolStr,
    /// What the person says.
    pub message: SmolStr,
    /// When, in seconds.
    pub at: i64,
    /// Where it stands.
    pub standing: Standing,
}

/// What was decided about an app.
#[derive(Clone, Debug, Serialize)]
pub struct Resolution {
    /// Whether it may be installed.
    pub approved: bool,
    /// Who decided.
    pub by: SmolStr,
    /// When, in seconds.
    pub at: i64,
}

/// A record of Salesforce that a channel is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Record {
    /// The organization at Salesforce.
    pub org: SmolStr,
    /// The record.
    pub id: SmolStr,
}

/// What administrators have set for an app that workflows use.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AppConfig {
    /// Whose credentials workflows take: `builder_choice` or `end_user_only`.
    pub auth_strategy: SmolStr,
    /// The addresses that it may be connected to.
    pub urls: Vec<SmolStr>,
    /// The mail domains whose accounts it may be connected with.
    pub emails: Vec<SmolStr>,
}

/// Who may use a function of an app in workflows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FunctionRule {
    /// `everyone`, `app_collaborators`, `named_entities` or `no_one`; empty where nothing is set.
    pub visibility: SmolStr,
    /// Who, where people are named.
    pub users: Vec<SmolStr>,
}

impl FunctionRule {
    /// Who, in Slack's words.
    pub fn visibility(&self) -> &str {
        if self.visibility.is_empty() { "everyone" } else { &self.visibility }
    }
}

/// Groups whose members may not talk directly.
#[derive(Clone, Debug, Serialize)]
pub struct Barrier {
    /// The id.
    pub id: SmolStr,
    /// The one group.
    pub primary: SmolStr,
    /// Those that it is kept from.
    pub from: Vec<SmolStr>,
    /// When it last changed, in seconds.
    pub updated: i64,
}

/// All that an organization's administration remembers.
#[derive(Clone, Debug)]
pub struct Enterprise {
    /// The organization; none where the company has one plain workspace.
    pub org: Option<Arc<Org>>,
    /// Workspaces by id, the home among them.
    pub teams: Table<SmolStr, Team>,
    /// (workspace, user): who is in the workspaces beside the home.
    pub seats: Table<(SmolStr, SmolStr), Seat>,
    /// Where channels are.
    pub places: Table<SmolStr, Place>,
    /// What is set for channels.
    pub rules: Table<SmolStr, ChannelRules>,
    /// Channel to the record that it is about.
    pub records: Table<SmolStr, Record>,
    /// Invitations under way.
    pub invites: Table<SmolStr, Invite>,
    /// What members ask to have somebody invited.
    pub invite_requests: Table<SmolStr, InviteRequest>,
    /// What members ask to have an app.
    pub app_requests: Table<SmolStr, AppRequest>,
    /// App to what was decided.
    pub resolutions: Table<SmolStr, Resolution>,
    /// App to what is set for it.
    pub app_configs: Table<SmolStr, AppConfig>,
    /// Function to who may use it.
    pub function_rules: Table<SmolStr, FunctionRule>,
    /// Where people are signed in, by number.
    pub sessions: Table<u64, Session>,
    /// User to the rules of the user's sessions.
    pub session_rules: Table<SmolStr, SessionRules>,
    /// ((role, entity), user) to when it was given, in seconds.
    pub assignments: Table<((SmolStr, SmolStr), SmolStr), i64>,
    /// Information barriers.
    pub barriers: Table<SmolStr, Barrier>,
    /// User to when the user was put under the password policy, in seconds.
    pub password_users: Table<SmolStr, i64>,
    /// Emoji to who added it and when, in seconds.
    pub emoji: Table<SmolStr, (SmolStr, i64)>,
    /// What happened.
    pub log: Log,
    pub(crate) index: OrgIndex,
}

/// What finds rows. Derived.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrgIndex {
    pub(crate) team_by_domain: OrdMap<SmolStr, SmolStr>,
    /// Record to the channel about it.
    pub(crate) channel_of: OrdMap<Record, SmolStr>,
    /// (user, workspace) beside the home.
    pub(crate) seats_of: OrdSet<(SmolStr, SmolStr)>,
    /// (workspace, mail address) to the invitation.
    pub(crate) invite_to: OrdMap<(SmolStr, SmolStr), SmolStr>,
    /// (workspace, standing, id).
    pub(crate) invite_requests: OrdSet<(SmolStr, Standing, SmolStr)>,
    /// (user, session).
    pub(crate) sessions_of: OrdSet<(SmolStr, u64)>,
    /// (user, role, entity).
    pub(crate) roles_of: OrdSet<(SmolStr, SmolStr, SmolStr)>,
}

impl Default for Enterprise {
    fn default() -> Self {
        Self {
            org: None,
            teams: Table::new("workspaces"),
            seats: Table::new("workspace_members"),
            places: Table::new("channel_workspaces"),
            rules: Table::new("channel_rules"),
            records: Table::new("channel_records"),
            invites: Table::new("invites"),
            invite_requests: Table::new("invite_requests"),
            app_requests: Table::new("app_requests"),
            resolutions: Table::new("app_resolutions"),
            app_configs: Table::new("app_configs"),
            function_rules: Table::new("function_rules"),
            sessions: Table::new("sessions"),
            session_rules: Table::new("session_settings"),
            assignments: Table::new("role_assignments"),
            barriers: Table::new("barriers"),
            password_users: Table::new("password_policy"),
            emoji: Table::new("emoji_origins"),
            log: Log::default(),
            index: OrgIndex::default(),
        }
    }
}

/// Makes the workspace the home of an organization.
pub(crate) fn found(state: &mut State, tx: &mut Tx<'_>, org: Org, now: i64) {
    state.enterprise.org = Some(Arc::new(org));
    let owner = state.users.iter().find(|(_, user)| user.role == Role::PrimaryOwner).map(|(id, _)| id.clone());
    let home = Team {
        id: state.workspace.id.clone(),
        name: state.workspace.name.clone(),
        domain: state.workspace.domain.clone(),
        description: SmolStr::default(),
        discoverability: SmolStr::new_static("closed"),
        icon: None,
        default_channels: state.index.general.iter().cloned().collect(),
        owner: owner.unwrap_or_default(),
        created: now,
    };
    add_team(state, tx, home);
}

/// Gives the home another name, address or mail domain, as its organization knows it as well.
pub(crate) fn edit_home(state: &mut State, tx: &mut Tx<'_>, workspace: Workspace) {
    let index = &mut state.enterprise.index.team_by_domain;
    if index.remove(&state.workspace.domain).is_some() {
        index.insert(workspace.domain.clone(), workspace.id.clone());
    }
    state.enterprise.teams.update(&mut tx.changes, &workspace.id, |team| {
        (team.name, team.domain) = (workspace.name.clone(), workspace.domain.clone());
    });
    state.workspace = Arc::new(workspace);
}

/// Changes what is set for a channel.
pub(crate) fn set_rules(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, edit: impl FnOnce(&mut ChannelRules)) {
    let before = state.enterprise.rules.get(channel);
    let mut rules = before.map(|rules| ChannelRules::clone(rules)).unwrap_or_default();
    edit(&mut rules);
    state.enterprise.rules.put(&mut tx.changes, channel.clone(), rules);
}

/// Adds a workspace.
pub(crate) fn add_team(state: &mut State, tx: &mut Tx<'_>, team: Team) -> Arc<Team> {
    state.enterprise.index.team_by_domain.insert(team.domain.clone(), team.id.clone());
    state.enterprise.teams.put(&mut tx.changes, team.id.clone(), team)
}

/// A new workspace with its owner in it.
///
/// # Errors
/// A domain that is taken, or a name that the organization has already.
pub(crate) fn create_team(state: &mut State, tx: &mut Tx<'_>, team: Team) -> Result<Arc<Team>, &'static str> {
    if state.enterprise.index.team_by_domain.contains_key(&team.domain) {
        return Err("domain_taken");
    }
    // An organization has few workspaces.
    if state.enterprise.teams.iter().any(|(_, other)| other.name == team.name) {
        return Err("name_taken_in_org");
    }
    let team = Team { id: tx.id(&TEAM), created: tx.now.as_secs(), ..team };
    let seat = Seat { role: Role::PrimaryOwner, single_channel: false, expires: 0, since: tx.now.as_secs() };
    put_seat(state, tx, &team.id, &team.owner, seat);
    Ok(add_team(state, tx, team))
}

/// Gives a person a place in a workspace beside the home.
pub(crate) fn put_seat(state: &mut State, tx: &mut Tx<'_>, team: &SmolStr, user: &SmolStr, seat: Seat) {
    state.enterprise.index.seats_of.insert((user.clone(), team.clone()));
    state.enterprise.seats.put(&mut tx.changes, (team.clone(), user.clone()), seat);
}

/// Takes a person's place in a workspace beside the home.
pub(crate) fn remove_seat(state: &mut State, tx: &mut Tx<'_>, team: &SmolStr, user: &SmolStr) {
    state.enterprise.index.seats_of.remove(&(user.clone(), team.clone()));
    state.enterprise.seats.remove(&mut tx.changes, &(team.clone(), user.clone()));
}

/// Says where a channel is. What is not in the home workspace is neither listed nor found there.
pub(crate) fn set_place(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, place: Place) {
    let here = place.org_wide || place.teams.contains(&state.workspace.id);
    let is_public = state.channels.get(channel).is_some_and(|row| row.kind == super::channels::Kind::Public);
    if here && is_public {
        state.index.public.insert(channel.clone());
    } else {
        state.index.public.remove(channel);
    }
    state.enterprise.places.put(&mut tx.changes, channel.clone(), place);
}

impl State {
    /// The organization's id; none where there is one plain workspace.
    pub fn enterprise_id(&self) -> Option<&SmolStr> {
        self.enterprise.org.as_ref().map(|org| &org.id)
    }

    /// A person's place in a workspace; none where the person is not in it.
    pub fn seat(&self, team: &SmolStr, user: &User) -> Option<Seat> {
        if *team != self.workspace.id {
            let key = (team.clone(), user.id.clone());
            return self.enterprise.seats.get(&key).map(|seat| Seat::clone(seat));
        }
        let account = &user.account;
        (!user.deleted).then_some(Seat {
            role: user.role,
            single_channel: account.single_channel,
            expires: account.expires,
            since: account.created,
        })
    }

    /// The workspaces that a person is in, the home first.
    pub fn teams_of(&self, user: &User) -> Vec<SmolStr> {
        let from = (user.id.clone(), SmolStr::default());
        let others = self.enterprise.index.seats_of.range(from..).take_while(|row| row.0 == user.id);
        let home = (!user.deleted).then(|| self.workspace.id.clone());
        home.into_iter().chain(others.map(|row| row.1.clone())).collect()
    }

    /// Where a channel is.
    pub fn place(&self, channel: &SmolStr) -> Place {
        let home = || Place { teams: vec![self.workspace.id.clone()], org_wide: false };
        self.enterprise.places.get(channel).map_or_else(home, |place| Place::clone(place))
    }

    /// The workspaces that a channel is in.
    pub fn teams_of_channel(&self, channel: &SmolStr) -> Vec<SmolStr> {
        let place = self.place(channel);
        if !place.org_wide {
            return place.teams;
        }
        self.enterprise.teams.iter().map(|(id, _)| id.clone()).collect()
    }
}

/// Invites somebody.
///
/// # Errors
/// Where the person is in the workspace, or invited already.
pub(crate) fn invite(state: &mut State, tx: &mut Tx<'_>, invite: Invite) -> Result<SmolStr, &'static str> {
    let fits = invite.email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    if !fits || invite.email.contains(char::is_whitespace) {
        return Err("invalid_email");
    }
    if let Some(user) = state.user_by_email(&invite.email) {
        if state.seat(&invite.team, user).is_some() {
            return Err("already_in_team");
        }
        if user.account.ended > 0 {
            return Err("user_disabled");
        }
    }
    let key = (invite.team.clone(), SmolStr::new(invite.email.to_ascii_lowercase()));
    if state.enterprise.index.invite_to.contains_key(&key) {
        return Err("already_in_team_invited_user");
    }
    let id = invite.id.clone();
    state.enterprise.index.invite_to.insert(key, id.clone());
    state.enterprise.invites.put(&mut tx.changes, id.clone(), invite);
    Ok(id)
}

/// Somebody takes an invitation: the account is made, or comes back. Gives back the person's id.
pub(crate) fn accept(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr) -> Option<SmolStr> {
    let invite = state.enterprise.invites.remove(&mut tx.changes, id)?;
    let key = (invite.team.clone(), SmolStr::new(invite.email.to_ascii_lowercase()));
    state.enterprise.index.invite_to.remove(&key);
    let known = state.user_by_email(&invite.email).map(|user| user.id.clone());
    let account = Account {
        single_channel: invite.single_channel,
        expires: invite.expires,
        invited_by: invite.by.clone(),
        ..Account::default()
    };
    let is_home = invite.team == state.workspace.id;
    let user = match known {
        Some(user) if is_home => {
            accounts::reactivate(state, tx, &invite.by, (&user, invite.role, &account), &invite.channels);
            user
        }
        Some(user) => user,
        None => accounts::create(state, tx, &invite.by, of_invite(&invite, account)).id.clone(),
    };
    if !is_home {
        let since = tx.now.as_secs();
        let seat = Seat { role: invite.role, single_channel: invite.single_channel, expires: invite.expires, since };
        put_seat(state, tx, &invite.team, &user, seat);
    }
    Some(user)
}

fn of_invite(invite: &Invite, account: Account) -> NewAccount {
    let (first, last) = invite.real_name.rsplit_once(' ').unwrap_or((&invite.real_name, ""));
    NewAccount {
        email: invite.email.clone(),
        first: first.into(),
        last: last.into(),
        role: Some(invite.role),
        account,
        channels: invite.channels.clone(),
        ..NewAccount::default()
    }
}

/// A member asks that somebody be invited. Gives back the request's id.
pub(crate) fn request_invite(state: &mut State, tx: &mut Tx<'_>, request: InviteRequest) -> SmolStr {
    let id = request.id.clone();
    let key = (request.team.clone(), request.standing, id.clone());
    state.enterprise.index.invite_requests.insert(key);
    crate::announce::invite_requested(state, tx, &request);
    state.enterprise.invite_requests.put(&mut tx.changes, id.clone(), request);
    id
}

/// Says what became of a request.
pub(crate) fn decide(
    state: &mut State,
    tx: &mut Tx<'_>,
    row: &InviteRequest,
    (standing, by, invite): (Standing, &SmolStr, Option<SmolStr>),
) {
    let index = &mut state.enterprise.index.invite_requests;
    index.remove(&(row.team.clone(), row.standing, row.id.clone()));
    index.insert((row.team.clone(), standing, row.id.clone()));
    state.enterprise.invite_requests.update(&mut tx.changes, &row.id, |row| {
        (row.standing, row.decided_by, row.invite) = (standing, by.clone(), invite);
    });
}
