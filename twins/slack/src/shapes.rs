//! Slack's objects as they go over the wire, in answers and events alike.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use dtu_kernel::time::Timestamp;

use crate::{
    model::{
        State,
        apps::App,
        calls,
        channels::{Channel, Kind, Note},
        connect, files, huddles,
        marks::Reaction,
        messages::{About, Message, Subtype},
        people::{Role, SLACKBOT, User},
        restrictions,
        time::ts_text,
    },
    text::{self, RichText},
};

/// A user.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct UserBody {
    id: SmolStr,
    name: SmolStr,
    is_bot: bool,
    updated: i64,
    is_app_user: bool,
    team_id: SmolStr,
    deleted: bool,
    #[serde(flatten)]
    active: Option<ActiveBody>,
    profile: Profile,
    #[serde(skip_serializing_if = "Option::is_none")]
    enterprise_user: Option<EnterpriseUser>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<&'static str>,
}

/// What a user is in the organization.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct EnterpriseUser {
    id: SmolStr,
    enterprise_id: SmolStr,
    enterprise_name: SmolStr,
    is_admin: bool,
    is_owner: bool,
    is_primary_owner: bool,
    teams: Vec<SmolStr>,
}

impl EnterpriseUser {
    /// None where there is no organization. Its owner and administrators are those of the home.
    fn new(state: &State, user: &User) -> Option<Self> {
        let org = state.enterprise.org.as_ref()?;
        let from = (user.id.clone(), SmolStr::default());
        let others = state.enterprise.index.seats_of.range(from..).take_while(|seat| seat.0 == user.id);
        Some(Self {
            id: user.id.clone(),
            enterprise_id: org.id.clone(),
            enterprise_name: org.name.clone(),
            is_admin: user.is_admin(),
            is_owner: user.is_owner(),
            is_primary_owner: user.role == Role::PrimaryOwner,
            teams: std::iter::once(&state.workspace.id).chain(others.map(|seat| &seat.1)).cloned().collect(),
        })
    }
}

/// What is told of users whose account is not deactivated.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are Slack's")]
pub(crate) struct ActiveBody {
    color: SmolStr,
    is_email_confirmed: bool,
    real_name: SmolStr,
    tz: SmolStr,
    tz_label: SmolStr,
    tz_offset: i32,
    is_admin: bool,
    is_owner: bool,
    is_primary_owner: bool,
    is_restricted: bool,
    is_ultra_restricted: bool,
    has_2fa: bool,
    who_can_share_contact_card: &'static str,
}

/// What a user tells of themselves.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Profile {
    real_name: SmolStr,
    display_name: SmolStr,
    avatar_hash: SmolStr,
    real_name_normalized: SmolStr,
    display_name_normalized: SmolStr,
    image_24: String,
    image_32: String,
    image_48: String,
    image_72: String,
    image_192: String,
    image_512: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_1024: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_original: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_custom_image: Option<bool>,
    first_name: SmolStr,
    last_name: SmolStr,
    team: SmolStr,
    title: SmolStr,
    phone: SmolStr,
    skype: &'static str,
    status_text: SmolStr,
    status_text_canonical: &'static str,
    status_emoji: SmolStr,
    status_emoji_display_info: Vec<StatusEmoji>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_emoji_url: Option<SmolStr>,
    status_expiration: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pronouns: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_app_id: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    always_active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_id: Option<SmolStr>,
    huddle_state: &'static str,
    huddle_state_expiration_ts: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_invited_by: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_expiration_ts: Option<i64>,
}

impl Profile {
    /// The address of the picture beside what the user says.
    pub(crate) fn small_image(self) -> String {
        self.image_48
    }
}

/// What a status emoji is drawn from.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct StatusEmoji {
    emoji_name: SmolStr,
    display_url: String,
    /// What an emoji of the workspace stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_alias: Option<SmolStr>,
}

/// Where an emoji of Slack's is drawn from.
fn standard_emoji(name: &str) -> String {
    format!("https://a.slack-edge.com/production-standard-emoji-assets/14.0/apple-large/{name}.png")
}

/// Of an emoji of the workspace's own what it stands for, if anything, and where its picture is.
fn own_emoji(state: &State, emoji: &str) -> Option<(Option<SmolStr>, SmolStr)> {
    let value = state.emoji.get(&emoji.trim_matches(':').into())?;
    match value.strip_prefix("alias:") {
        None => Some((None, SmolStr::clone(value))),
        Some(other) => Some((Some(other.into()), standard_emoji(other).into())),
    }
}

impl StatusEmoji {
    fn of(state: &State, emoji: &SmolStr) -> Vec<Self> {
        let name = emoji.trim_matches(':');
        if name.is_empty() {
            return Vec::new();
        }
        let (display_alias, display_url) =
            own_emoji(state, name).map_or_else(|| (None, standard_emoji(name)), |(alias, url)| (alias, url.into()));
        vec![Self { emoji_name: name.into(), display_url, display_alias }]
    }
}

/// What of a user is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UserView {
    /// The mail address: needs the scope `users:read.email`.
    pub(crate) email: bool,
    pub(crate) locale: bool,
    pub(crate) now: Timestamp,
}

/// Puts a user into words.
pub(crate) fn user(state: &State, user: &User, view: UserView) -> UserBody {
    let is_person = !matches!(user.role, Role::Bot);
    UserBody {
        id: user.id.clone(),
        name: user.name.clone(),
        is_bot: !is_person && user.id != SLACKBOT,
        updated: user.updated,
        is_app_user: false,
        team_id: state.workspace.id.clone(),
        deleted: user.deleted,
        active: (!user.deleted).then(|| active(user, view.now)),
        profile: profile(state, user, view.email),
        enterprise_user: EnterpriseUser::new(state, user),
        locale: view.locale.then_some("en-US"),
    }
}

fn active(user: &User, now: Timestamp) -> ActiveBody {
    let zone = zone_at(&user.tz, now);
    ActiveBody {
        color: color(&user.id),
        is_email_confirmed: user.role != Role::Bot,
        real_name: user.real_name.clone(),
        tz: user.tz.clone(),
        tz_label: zone.0,
        tz_offset: zone.1,
        is_admin: user.is_admin(),
        is_owner: user.is_owner(),
        is_primary_owner: user.role == Role::PrimaryOwner,
        is_restricted: user.role == Role::Guest,
        is_ultra_restricted: user.role == Role::Guest && user.account.single_channel,
        has_2fa: false,
        who_can_share_contact_card: "EVERYONE",
    }
}

/// Where a picture that a person has chosen is.
pub(crate) fn photo(hash: &SmolStr, size: &str) -> String {
    format!("https://avatars.slack-edge.com/{hash}_{size}.jpg")
}

pub(crate) fn profile(state: &State, user: &User, email: bool) -> Profile {
    let chosen = user.about.photo.as_ref();
    let usual = || format_smolstr!("g{:011x}", text::hash(&[&user.id]) & 0xfff_ffff_ffff);
    let avatar = chosen.cloned().unwrap_or_else(usual);
    let image = |size: u32| match chosen {
        Some(hash) => photo(hash, &size.to_string()),
        None => format!("https://secure.gravatar.com/avatar/{avatar}.jpg?s={size}&d=identicon"),
    };
    let app = user.app.as_ref().and_then(|id| state.apps.get(id));
    Profile {
        real_name: user.real_name.clone(),
        display_name: user.about.display_name.clone(),
        real_name_normalized: user.real_name.clone(),
        display_name_normalized: user.about.display_name.clone(),
        image_24: image(24),
        image_32: image(32),
        image_48: image(48),
        image_72: image(72),
        image_192: image(192),
        image_512: image(512),
        image_1024: chosen.map(|hash| photo(hash, "1024")),
        image_original: chosen.map(|hash| photo(hash, "original")),
        is_custom_image: chosen.map(|_| true),
        avatar_hash: avatar,
        first_name: user.first.clone(),
        last_name: user.last.clone(),
        team: state.workspace.id.clone(),
        title: user.title.clone(),
        phone: user.phone.clone(),
        skype: "",
        status_text: user.about.status_text.clone(),
        status_text_canonical: "",
        status_emoji: user.about.status_emoji.clone(),
        status_emoji_display_info: StatusEmoji::of(state, &user.about.status_emoji),
        status_emoji_url: own_emoji(state, &user.about.status_emoji).map(|(_, url)| url),
        status_expiration: user.about.status_expiration,
        pronouns: Some(user.about.pronouns.clone()).filter(|pronouns| !pronouns.is_empty()),
        email: user.email.clone().filter(|_| email),
        api_app_id: app.map(|app| app.id.clone()),
        always_active: app.map(|_| false),
        bot_id: app.map(|app| app.bot.clone()),
        huddle_state: if user.about.huddle.is_some() { "in_a_huddle" } else { "default_unset" },
        huddle_state_expiration_ts: 0,
        guest_invited_by: (user.role == Role::Guest).then(|| user.account.invited_by.clone()),
        guest_expiration_ts: Some(user.account.expires).filter(|at| *at > 0 && user.role == Role::Guest),
    }
}

fn color(id: &str) -> SmolStr {
    const COLORS: [&str; 12] = [
        "9f69e7", "4bbe2e", "e7392d", "3c989f", "674b1b", "e96699", "e0a729", "684b6c", "5b89d5", "2b6836", "99a949",
        "df3dc0",
    ];
    let at = usize::try_from(text::hash(&[id, "color"]) % 12).unwrap_or(0);
    SmolStr::new_static(COLORS[at])
}

/// A time zone's name for people and its offset in seconds at a time.
fn zone_at(tz: &str, now: Timestamp) -> (SmolStr, i32) {
    const LABELS: &[(&str, &str)] = &[
        ("GMT", "Greenwich Mean Time"),
        ("BST", "British Summer Time"),
        ("IST", "India Standard Time"),
        ("WET", "Western European Time"),
        ("WEST", "Western European Summer Time"),
        ("CET", "Central European Time"),
        ("CEST", "Central European Summer Time"),
        ("EET", "Eastern European Time"),
        ("EEST", "Eastern European Summer Time"),
        ("SAST", "South Africa Standard Time"),
        ("EST", "Eastern Standard Time"),
        ("EDT", "Eastern Daylight Time"),
        ("CST", "Central Standard Time"),
        ("CDT", "Central Daylight Time"),
        ("MST", "Mountain Standard Time"),
        ("MDT", "Mountain Daylight Time"),
        ("PST", "Pacific Standard Time"),
        ("PDT", "Pacific Daylight Time"),
        ("JST", "Japan Standard Time"),
    ];
    let stamp = jiff::Timestamp::from_microsecond(now.as_micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let zone = jiff::tz::TimeZone::get(tz).unwrap_or(jiff::tz::TimeZone::UTC);
    let info = zone.to_offset_info(stamp);
    let label = match (tz, info.abbreviation()) {
        ("Europe/Dublin", "IST") => "Irish Standard Time",
        (_, short) => LABELS.iter().find(|(name, _)| *name == short).map_or(short, |(_, label)| label),
    };
    (label.into(), info.offset().seconds())
}

/// A topic or purpose.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct NoteBody {
    value: SmolStr,
    creator: SmolStr,
    last_set: i64,
}

impl NoteBody {
    fn new(note: &Note) -> Self {
        Self { value: note.value.clone(), creator: note.creator.clone(), last_set: note.last_set }
    }
}

/// What only channels and group messages have.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are Slack's")]
pub(crate) struct ChannelBody {
    id: SmolStr,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<SmolStr>,
    is_channel: bool,
    is_group: bool,
    is_im: bool,
    is_mpim: bool,
    is_private: bool,
    created: i64,
    is_archived: bool,
    is_general: bool,
    unlinked: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_normalized: Option<SmolStr>,
    is_shared: bool,
    is_org_shared: bool,
    is_pending_ext_shared: bool,
    pending_shared: Vec<SmolStr>,
    context_team_id: SmolStr,
    updated: i64,
    parent_conversation: Option<()>,
    creator: SmolStr,
    is_ext_shared: bool,
    shared_team_ids: Vec<SmolStr>,
    pending_connected_team_ids: Vec<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_member: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_read: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_open: Option<bool>,
    topic: NoteBody,
    purpose: NoteBody,
    previous_names: Arc<[SmolStr]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u32>,
    #[serde(flatten)]
    rights: Option<RightsBody>,
    #[serde(flatten)]
    abroad: Option<AbroadBody>,
    #[serde(flatten)]
    at_home: Option<OrgBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_members: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<&'static str>,
}

/// What is told of a channel in which not all may post.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct RightsBody {
    is_read_only: bool,
    is_thread_only: bool,
    is_non_threadable: bool,
}

impl RightsBody {
    /// Nothing of a channel in which all may all.
    fn new(state: &State, channel: &SmolStr, viewer: &SmolStr) -> Option<Self> {
        state.enterprise.rules.get(channel).filter(|rules| !rules.prefs.is_empty())?;
        let (post, reply) = restrictions::rights(state, channel, viewer);
        Some(Self { is_read_only: !post && !reply, is_thread_only: !post && reply, is_non_threadable: post && !reply })
    }
}

/// What is told of a channel that other organizations are in.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct AbroadBody {
    internal_team_ids: [SmolStr; 1],
    connected_team_ids: Vec<SmolStr>,
    connected_limited_team_ids: Vec<SmolStr>,
    conversation_host_id: SmolStr,
}

impl AbroadBody {
    fn new(state: &State, channel: &SmolStr) -> Option<Self> {
        let connected: Vec<SmolStr> = connect::connected(state, channel).cloned().collect();
        let limited = |team: &&SmolStr| {
            state.content.connections.get(&(channel.clone(), (*team).clone())).is_some_and(|row| !row.can_invite)
        };
        let own = &state.workspace.id;
        let host = connect::host(state, channel).unwrap_or(own);
        (!connected.is_empty()).then(|| Self {
            internal_team_ids: [own.clone()],
            connected_limited_team_ids: connected.iter().filter(limited).cloned().collect(),
            conversation_host_id: host.clone(),
            connected_team_ids: connected,
        })
    }
}

/// What is told of a channel in an organization.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the names are Slack's")]
pub(crate) struct OrgBody {
    is_global_shared: bool,
    is_org_default: bool,
    is_org_mandatory: bool,
    is_moved: u32,
}

impl OrgBody {
    fn new(state: &State, channel: &SmolStr) -> Option<Self> {
        state.enterprise.org.as_ref()?;
        let is_global_shared = state.place(channel).org_wide;
        Some(Self { is_global_shared, is_org_default: false, is_org_mandatory: false, is_moved: 0 })
    }
}

/// What a direct message is told as.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are Slack's")]
pub(crate) struct DirectBody {
    id: SmolStr,
    created: i64,
    is_archived: bool,
    is_im: bool,
    is_org_shared: bool,
    context_team_id: SmolStr,
    updated: i64,
    user: SmolStr,
    is_user_deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_read: Option<SmolStr>,
    #[serde(flatten)]
    opened: Option<OpenedBody>,
    priority: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_members: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<&'static str>,
}

/// What a direct message is told with where it was opened.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct OpenedBody {
    latest: Option<Box<MessageBody>>,
    unread_count: u32,
    unread_count_display: u32,
    is_open: bool,
}

impl OpenedBody {
    fn new(state: &State, channel: &Channel, viewer: &SmolStr) -> Self {
        let latest = state.timeline(&channel.id, u64::MAX).next_back();
        let latest = latest.map(|row| Box::new(message(state, &channel.id, row)));
        let unread = state.unread(&channel.id, viewer);
        let is_open = state.is_open(&channel.id, viewer);
        Self { latest, unread_count: unread, unread_count_display: unread, is_open }
    }
}

/// Any conversation. Written as what it holds.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum ConversationBody {
    /// A channel or group message.
    Channel(Box<ChannelBody>),
    /// A direct message.
    Direct(DirectBody),
}

impl Serialize for ConversationBody {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Channel(body) => body.serialize(serializer),
            Self::Direct(body) => body.serialize(serializer),
        }
    }
}

/// What a conversation is told for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// One of a list.
    Listed,
    /// Asked about by its id.
    Asked,
    /// Made, joined, opened, or invited to.
    Entered,
    /// Announced to apps.
    Announced,
}

/// What of a conversation is shown, and to whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelView<'a> {
    pub(crate) viewer: &'a SmolStr,
    pub(crate) occasion: Occasion,
    pub(crate) num_members: bool,
    pub(crate) locale: bool,
}

/// How far somebody has read: nothing is written with all its digits.
fn last_read(state: &State, channel: &Channel, viewer: &SmolStr) -> SmolStr {
    match state.last_read(&channel.id, viewer) {
        0 => SmolStr::new_static("0000000000.000000"),
        ts => ts_text(ts),
    }
}

/// Puts a conversation into words.
pub(crate) fn conversation(state: &State, channel: &Channel, view: ChannelView<'_>) -> ConversationBody {
    let num_members = view.num_members.then_some(channel.members);
    let locale = view.locale.then_some("en-US");
    let entered = view.occasion == Occasion::Entered;
    if channel.kind == Kind::Im {
        let partner = state.partner(channel, view.viewer);
        return ConversationBody::Direct(DirectBody {
            id: channel.id.clone(),
            created: channel.created,
            is_archived: channel.archived,
            is_im: true,
            is_org_shared: false,
            context_team_id: state.workspace.id.clone(),
            updated: channel.updated,
            user: partner.map(|user| user.id.clone()).unwrap_or_default(),
            is_user_deleted: partner.is_some_and(|user| user.deleted),
            last_read: (view.occasion != Occasion::Listed).then(|| last_read(state, channel, view.viewer)),
            opened: entered.then(|| OpenedBody::new(state, channel, view.viewer)),
            priority: 0,
            num_members,
            locale,
        });
    }
    let team = &state.workspace.id;
    let is_shared = connect::connected(state, &channel.id).next().is_some();
    let pending = connect::pending(state, &channel.id);
    let is_group = channel.kind == Kind::Mpim;
    // Announcements are for nobody in particular; the lists of what is not public hold the viewer's own only.
    let is_member = match view.occasion {
        Occasion::Announced => None,
        Occasion::Listed if channel.kind != Kind::Public => Some(true),
        _ => Some(state.is_member(&channel.id, view.viewer)),
    };
    let shows_read = is_member == Some(true) && view.occasion != Occasion::Listed;
    ConversationBody::Channel(Box::new(ChannelBody {
        id: channel.id.clone(),
        name: Some(channel.name.clone()),
        // Private channels have had C ids and this flag since 2021; `is_group` is for group messages of old.
        is_channel: channel.kind.is_channel(),
        is_group,
        is_im: false,
        is_mpim: is_group,
        is_private: channel.kind != Kind::Public,
        created: channel.created,
        is_archived: channel.archived,
        is_general: channel.general,
        unlinked: 0,
        name_normalized: Some(channel.name.clone()),
        is_shared,
        is_org_shared: state.enterprise.org.is_some() && state.teams_of_channel(&channel.id).len() > 1,
        is_pending_ext_shared: !pending.is_empty(),
        pending_shared: pending.clone(),
        context_team_id: team.clone(),
        updated: channel.updated,
        parent_conversation: None,
        creator: channel.creator.clone(),
        is_ext_shared: is_shared,
        shared_team_ids: std::iter::once(team).chain(connect::connected(state, &channel.id)).cloned().collect(),
        pending_connected_team_ids: pending,
        is_member,
        last_read: shows_read.then(|| last_read(state, channel, view.viewer)),
        is_open: is_group.then(|| state.is_open(&channel.id, view.viewer)),
        topic: NoteBody::new(&channel.topic),
        purpose: NoteBody::new(&channel.purpose),
        previous_names: Arc::clone(&channel.previous_names),
        priority: (is_group || entered).then_some(0),
        rights: RightsBody::new(state, &channel.id, view.viewer),
        abroad: AbroadBody::new(state, &channel.id),
        at_home: OrgBody::new(state, &channel.id),
        num_members,
        locale,
    }))
}

/// The app behind a message.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct BotProfile {
    id: SmolStr,
    app_id: SmolStr,
    user_id: SmolStr,
    name: SmolStr,
    icons: Icons,
    deleted: bool,
    updated: i64,
    team_id: SmolStr,
}

/// The pictures that an app posts under.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Icons {
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_36: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_48: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_72: Option<SmolStr>,
}

impl Icons {
    fn of_url(url: &SmolStr) -> Self {
        Self { emoji: None, image_36: Some(url.clone()), image_48: Some(url.clone()), image_72: Some(url.clone()) }
    }
}

/// Who edited a message, and when.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct EditedBody {
    user: SmolStr,
    ts: SmolStr,
}

/// A message's blocks: those that an app gave, or what Slack makes of the text.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Blocks {
    Given(Arc<Value>),
    Made(RichText),
}

/// A message.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct MessageBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    subtype: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<SmolStr>,
    #[serde(rename = "type")]
    kind: &'static str,
    ts: SmolStr,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_msg_id: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_id: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<SmolStr>,
    text: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icons: Option<Icons>,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_profile: Option<BotProfile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inviter: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_name: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assistant_app_thread: Option<Box<AssistantThread>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<Arc<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mrkdwn: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited: Option<EditedBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_user_id: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_users_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_reply: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_users: Option<Vec<SmolStr>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_locked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscribed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<Box<MessageBody>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    blocks: Option<Blocks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments: Option<Arc<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_as_bot: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_to: Option<[SmolStr; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_info: Option<PinnedInfo>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<ReactionBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Arc<Value>>,
}

/// What the first message of a thread with an assistant says of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct AssistantThread {
    title: SmolStr,
    title_blocks: [(); 0],
    artifacts: [(); 0],
}

impl AssistantThread {
    fn new(title: &SmolStr) -> Self {
        Self { title: title.clone(), title_blocks: [], artifacts: [] }
    }
}

/// Who pinned a message, and where.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct PinnedInfo {
    channel: SmolStr,
    pinned_by: SmolStr,
    pinned_ts: i64,
}

/// One emoji on a message.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ReactionBody {
    name: SmolStr,
    users: Vec<SmolStr>,
    count: usize,
}

impl ReactionBody {
    fn new(reaction: &Reaction) -> Self {
        Self { name: reaction.name.clone(), users: reaction.users.clone(), count: reaction.users.len() }
    }
}

/// Whom messages name as their author whose key is withheld.
const REVOKED: SmolStr = SmolStr::new_static("UREVOKEDU");

const REDACTED: &str = "ekm_access_denied";

/// What is told of a message whose key is withheld.
/// <https://docs.slack.dev/reference/events/message/ekm_access_denied>
fn redacted(message: &Message) -> MessageBody {
    MessageBody {
        kind: "message",
        subtype: Some(REDACTED),
        user: Some(REVOKED),
        text: "Your admins have suspended everyone's access to this content.".into(),
        hidden: Some(true),
        ts: ts_text(message.ts),
        ..MessageBody::default()
    }
}

/// Puts a message into words, without its metadata.
pub(crate) fn message(state: &State, channel: &SmolStr, message: &Message) -> MessageBody {
    if state.is_suspended(channel) {
        return redacted(message);
    }
    let ts = ts_text(message.ts);
    let app = message.app.as_ref().and_then(|id| state.apps.get(id));
    let mut body = MessageBody {
        kind: "message",
        user: Some(message.user.clone()),
        text: Arc::clone(&message.text),
        bot_id: app.map(|app| app.bot.clone()),
        app_id: app.map(|app| app.id.clone()),
        bot_profile: app.map(|app| bot_profile(state, app)),
        subtype: message.subtype().map(Subtype::as_str),
        ..MessageBody::default()
    };
    match message.subtype() {
        None | Some(Subtype::FileShare) => {
            body.team = Some(state.workspace.id.clone());
            if app.is_none() {
                body.client_msg_id = Some(text::derived_uuid(&[channel, &ts]));
            }
            if message.blocks().is_none() && message.attachments().is_none() && !message.text.is_empty() {
                let block_id = text::derived_id(&[channel, &ts], 5);
                body.blocks = Some(Blocks::Made(RichText { text: Arc::clone(&message.text), block_id }));
            }
        }
        Some(Subtype::Tombstone) => body.hidden = Some(true),
        Some(Subtype::HuddleThread) => body.room = huddles::room(state, channel, message),
        // Posted under another name: Slack leaves out the bot's own.
        Some(Subtype::BotMessage) => (body.user, body.bot_profile) = (None, None),
        Some(_) => {}
    }
    add_thread(state, channel, message, &mut body);
    add_extra(state, message, &mut body);
    add_pin(state, channel, message, &mut body);
    body.ts = ts;
    body
}

fn add_thread(state: &State, channel: &SmolStr, message: &Message, body: &mut MessageBody) {
    if let Some(thread) = &message.thread {
        body.thread_ts = Some(ts_text(message.ts));
        body.reply_count = Some(thread.count);
        body.reply_users_count = Some(thread.users.len());
        body.latest_reply = Some(ts_text(thread.latest));
        body.reply_users = Some(thread.shown_users());
        body.is_locked = Some(false);
        body.subscribed = Some(false);
    }
    let Some(parent) = message.reply_to else { return };
    body.thread_ts = Some(ts_text(parent));
    let first = state.messages.get(&(channel.clone(), parent));
    body.parent_user_id = first.map(|first| first.user.clone());
    if message.is_broadcast() {
        body.subtype = Some("thread_broadcast");
        // What began a thread is no reply itself.
        let root = first.filter(|first| first.reply_to.is_none());
        body.root = root.map(|root| Box::new(self::message(state, channel, root)));
    }
}

fn add_pin(state: &State, channel: &SmolStr, message: &Message, body: &mut MessageBody) {
    if state.pins.is_empty() {
        return;
    }
    let Some(pin) = state.pins.get(&(channel.clone(), message.ts)) else { return };
    body.pinned_to = Some([channel.clone()]);
    let (channel, pinned_by) = (channel.clone(), pin.by.clone());
    body.pinned_info = Some(PinnedInfo { channel, pinned_by, pinned_ts: pin.created });
}

fn add_extra(state: &State, message: &Message, body: &mut MessageBody) {
    let Some(extra) = &message.extra else { return };
    if let Some(files) = &extra.files {
        let shown = files.iter().filter_map(|id| state.files.get(id)).map(|file| files::render(state, file));
        body.files = Some(shown.collect());
        (body.upload, body.display_as_bot) = (Some(false), Some(false));
    }
    if let Some(blocks) = &extra.blocks {
        let with_calls = calls::with_calls(state, message).map(Arc::new);
        body.blocks = Some(Blocks::Given(with_calls.unwrap_or_else(|| Arc::clone(blocks))));
    }
    body.reactions = extra.reactions.iter().map(ReactionBody::new).collect();
    body.attachments.clone_from(&extra.attachments);
    body.username.clone_from(&extra.username);
    body.inviter.clone_from(&extra.inviter);
    match extra.about.as_deref() {
        Some(About::Name { old, new }) => (body.old_name, body.name) = (Some(old.clone()), Some(new.clone())),
        Some(About::Topic(topic)) => body.topic = Some(topic.clone()),
        Some(About::Purpose(purpose)) => body.purpose = Some(purpose.clone()),
        Some(About::Assistant(title)) => body.assistant_app_thread = Some(Box::new(AssistantThread::new(title))),
        None => {}
    }
    body.mrkdwn = extra.plain.then_some(false);
    let emoji = extra.icon_emoji.as_ref().map(|emoji| Icons { emoji: Some(emoji.clone()), ..Icons::default() });
    body.icons = emoji.or_else(|| extra.icon_url.as_ref().map(Icons::of_url));
    let edited = extra.edited.as_ref();
    body.edited = edited.map(|edited| EditedBody { user: edited.user.clone(), ts: ts_text(edited.ts) });
}

impl MessageBody {
    /// The same with the metadata that an app gave.
    pub(crate) fn with_metadata(mut self, message: &Message) -> Self {
        let is_withheld = self.subtype == Some(REDACTED);
        let metadata = message.extra.as_ref().filter(|_| !is_withheld).and_then(|extra| extra.metadata.clone());
        self.metadata = metadata;
        self
    }
}

fn bot_profile(state: &State, app: &App) -> BotProfile {
    BotProfile {
        id: app.bot.clone(),
        app_id: app.id.clone(),
        user_id: app.bot_user.clone(),
        name: app.name.clone(),
        icons: Icons {
            emoji: None,
            image_36: Some(SmolStr::new_static("https://a.slack-edge.com/80588/img/plugins/app/bot_36.png")),
            image_48: Some(SmolStr::new_static("https://a.slack-edge.com/80588/img/plugins/app/bot_48.png")),
            image_72: Some(SmolStr::new_static("https://a.slack-edge.com/80588/img/plugins/app/service_72.png")),
        },
        deleted: app.removed,
        updated: app.updated,
        team_id: state.workspace.id.clone(),
    }
}

/// A message as an object that more members can be added to.
pub(crate) fn message_value(state: &State, channel: &SmolStr, row: &Message) -> Value {
    serde_json::to_value(message(state, channel, row)).unwrap_or_else(|_| json!({}))
}
