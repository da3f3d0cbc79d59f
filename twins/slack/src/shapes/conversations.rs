//! Conversations as they are told of: channels, group messages and direct messages.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use smol_str::SmolStr;

use super::messages::{MessageBody, message};
use crate::model::{
    State,
    channels::{Channel, Kind, Note},
    connect, restrictions,
    time::ts_text,
};

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
