//! The Slack twin: Web API, Events API, interactivity and slash commands of one workspace.
//!
//! This page is all that the twin offers; how it behaves is in `model/`, what its methods take and give in `api/`.

mod affordances;
mod announce;
mod api;
mod assistant_verbs;
mod blocks;
mod bodies;
mod channel_events;
mod channel_verbs;
mod connect_verbs;
mod content_views;
pub mod contract;
mod emoji;
mod envelope;
mod error;
mod events;
mod gestures;
mod gzip;
mod input;
mod installs;
mod keys;
mod limits;
mod listeners;
mod media;
mod menu_verbs;
pub mod model;
mod offices;
mod pictures;
mod query;
mod rest;
mod rich_text;
mod rows;
mod rtm;
mod shapes;
mod socket_mode;
mod text;
mod thumbnails;
mod views;
mod work_verbs;
mod workspace_events;
mod workspace_verbs;
mod world;
mod world_org;

use std::{sync::Arc, time::Duration};

use dtu_contract::backing::{self, Backed as _};
use dtu_kernel::{
    delivery::{Delivery, Next, Outbound, Outcome},
    diagnostic::Diagnostic,
    operation::{Operation, OperationInfo},
    rows::AnyRows,
    socket::{Frame, SocketId},
    time::Timestamp,
    twin::{Affordance, Allowance, EnvVar, Limit, Quota, Scene, Twin, Unserved, View},
    tx::Tx,
    wire::{Answer, Reply, Request},
    world::World,
};
use http::Method;
use schemars::{Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;
use smol_str::SmolStr;

use api::{auth, chat, conversations, hooks, timeline, users};
use limits::{POSTING, SPECIAL, TIER_2, TIER_3, TIER_4, WEBHOOK};

pub use error::{Code, Error};
pub use events::signature;
pub use input::Input;
pub use model::State;

/// The Slack twin.
#[derive(Clone, Copy, Debug)]
pub struct Slack;

/// Who calls, once believed.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The token; none where the method needs none.
    pub(crate) token: Option<Arc<model::apps::Token>>,
    /// The token's text; empty where there is none.
    pub(crate) text: SmolStr,
    /// The channel or webhook that a posting is for, which its limit counts by.
    pub(crate) channel: SmolStr,
    /// Whether the app is given to other companies without being listed, and reads what was said less often.
    pub(crate) unlisted: bool,
}

impl Caller {
    /// The token of a method that needs one.
    fn token(&self) -> Result<&Arc<model::apps::Token>, Error> {
        self.token.as_ref().ok_or(Error::Refused(Code::NotAuthed))
    }
}

const READS: &[&str] = &["channels:read", "groups:read", "mpim:read", "im:read"];
const HISTORY: &[&str] = &["channels:history", "groups:history", "mpim:history", "im:history"];
const OPENS: &[&str] = &["channels:manage", "groups:write", "im:write", "mpim:write", "channels:write"];
const JOINS: &[&str] = &["channels:join", "channels:write"];
const INVITES: &[&str] =
    &["channels:manage", "channels:write.invites", "groups:write", "groups:write.invites", "channels:write"];

type Row = Operation<Slack>;

/// Every method takes both.
const ANY: &[Method] = &[Method::POST, Method::GET];
const POST: &[Method] = &[Method::POST];

fn operations() -> Vec<Row> {
    let families: [fn() -> Vec<Row>; 13] = [
        people,
        channels,
        changes,
        messages,
        postings,
        api::windows::operations,
        api::files::operations,
        api::downloads::operations,
        api::remote_files::operations,
        api::search::operations,
        api::admin::operations,
        api::audit::operations,
        api::scim::operations,
    ];
    families
        .into_iter()
        .flat_map(|family| family())
        .chain(socket_mode::api::operations())
        .chain(rtm::api::operations())
        .chain(api::more())
        .collect()
}

fn people() -> Vec<Row> {
    vec![
        Row::read("api.test", ANY, "/api/api.test", auth::api_test).limit(TIER_4),
        Row::read("auth.test", ANY, "/api/auth.test", auth::auth_test).limit(SPECIAL),
        Row::read("users.list", ANY, "/api/users.list", users::list)
            .limit(TIER_2)
            .scopes(&["users:read"])
            .errors(&["limit_required", "invalid_cursor", "invalid_limit"])
            .form_only(),
        Row::read("users.info", ANY, "/api/users.info", users::info)
            .limit(TIER_4)
            .scopes(&["users:read"])
            .errors(&["user_not_found"])
            .form_only(),
        Row::read("users.lookupByEmail", ANY, "/api/users.lookupByEmail", users::lookup_by_email)
            .limit(TIER_3)
            .scopes(&["users:read.email"])
            .errors(&["users_not_found"])
            .form_only(),
    ]
}

fn channels() -> Vec<Row> {
    vec![
        Row::read("conversations.list", ANY, "/api/conversations.list", conversations::list)
            .limit(TIER_2)
            .scopes(READS)
            .errors(&["invalid_cursor", "invalid_limit", "invalid_types"])
            .form_only(),
        Row::read("conversations.info", ANY, "/api/conversations.info", conversations::info)
            .limit(TIER_3)
            .scopes(READS)
            .errors(&["channel_not_found"])
            .form_only(),
        Row::read("conversations.members", ANY, "/api/conversations.members", conversations::members)
            .limit(TIER_4)
            .scopes(READS)
            .errors(&["channel_not_found", "invalid_cursor", "invalid_limit"])
            .form_only(),
    ]
}

fn changes() -> Vec<Row> {
    vec![
        Row::write("conversations.create", ANY, "/api/conversations.create", conversations::create)
            .limit(TIER_2)
            .scopes(OPENS)
            .errors(&[
                "name_taken",
                "invalid_name_required",
                "invalid_name_maxlength",
                "invalid_name_punctuation",
                "invalid_name_specials",
                "user_is_restricted",
            ]),
        Row::write("conversations.join", ANY, "/api/conversations.join", conversations::join)
            .limit(TIER_3)
            .scopes(JOINS)
            .errors(&[
                "channel_not_found",
                "is_archived",
                "method_not_supported_for_channel_type",
                "too_many_members",
                "user_is_restricted",
            ]),
        Row::write("conversations.invite", ANY, "/api/conversations.invite", conversations::invite)
            .limit(TIER_3)
            .scopes(INVITES)
            .errors(&[
                "already_in_channel",
                "cant_invite",
                "cant_invite_self",
                "channel_not_found",
                "is_archived",
                "method_not_supported_for_channel_type",
                "no_user",
                "not_in_channel",
                "too_many_members",
                "too_many_users",
                "user_is_restricted",
                "user_not_found",
            ]),
        Row::write("conversations.open", ANY, "/api/conversations.open", conversations::open)
            .limit(TIER_3)
            .scopes(OPENS)
            .errors(&[
                "cannot_dm_bot",
                "channel_not_found",
                "method_not_supported_for_channel_type",
                "not_enough_users",
                "too_many_users",
                "user_disabled",
                "user_not_found",
                "user_not_visible",
                "users_list_not_supplied",
            ]),
    ]
}

fn messages() -> Vec<Row> {
    vec![
        Row::read("conversations.history", ANY, "/api/conversations.history", timeline::history)
            .limit(TIER_3)
            .scopes(HISTORY)
            .errors(&[
                "channel_not_found",
                "invalid_cursor",
                "invalid_limit",
                "invalid_ts_latest",
                "invalid_ts_oldest",
                "not_in_channel",
            ]),
        Row::read("conversations.replies", ANY, "/api/conversations.replies", timeline::replies)
            .limit(TIER_3)
            .scopes(HISTORY)
            .errors(&[
                "channel_not_found",
                "invalid_cursor",
                "invalid_limit",
                "invalid_ts_latest",
                "invalid_ts_oldest",
                "not_in_channel",
                "thread_not_found",
            ])
            .form_only(),
    ]
}

fn postings() -> Vec<Row> {
    vec![
        Row::write("chat.postMessage", ANY, "/api/chat.postMessage", chat::post_message)
            .limit(POSTING)
            .scopes(&["chat:write"])
            .errors(&[
                "as_user_not_supported",
                "cannot_dm_bot",
                "cannot_reply_to_message",
                "channel_not_found",
                "invalid_attachments",
                "invalid_blocks",
                "invalid_blocks_format",
                "invalid_metadata_format",
                "invalid_metadata_schema",
                "invalid_thread_ts",
                "is_archived",
                "markdown_text_conflict",
                "msg_blocks_too_long",
                "msg_too_long",
                "no_text",
                "not_in_channel",
                "restricted_action",
                "restricted_action_non_threadable_channel",
                "restricted_action_read_only_channel",
                "restricted_action_thread_only_channel",
                "too_many_attachments",
            ]),
        Row::write("chat.update", ANY, "/api/chat.update", chat::update).limit(TIER_3).scopes(&["chat:write"]).errors(
            &[
                "cant_broadcast_message",
                "cant_update_message",
                "channel_not_found",
                "file_not_found",
                "invalid_attachments",
                "invalid_blocks",
                "invalid_blocks_format",
                "invalid_metadata_format",
                "invalid_metadata_schema",
                "is_inactive",
                "markdown_text_conflict",
                "message_not_found",
                "msg_blocks_too_long",
                "msg_too_long",
                "no_dual_broadcast_content_update",
                "no_text",
                "streaming_state_conflict",
                "too_many_attachments",
            ],
        ),
        Row::write("chat.postEphemeral", ANY, "/api/chat.postEphemeral", chat::post_ephemeral)
            .limit(TIER_4)
            .scopes(&["chat:write"])
            .errors(&[
                "cannot_dm_bot",
                "cannot_reply_to_message",
                "channel_not_found",
                "invalid_attachments",
                "invalid_blocks",
                "invalid_blocks_format",
                "invalid_thread_ts",
                "is_archived",
                "markdown_text_conflict",
                "msg_blocks_too_long",
                "msg_too_long",
                "no_text",
                "not_in_channel",
                "too_many_attachments",
                "user_not_in_channel",
            ]),
        Row::write("commands.respond", POST, "/commands/{team}/{id}/{secret}", hooks::respond).limit(SPECIAL),
        Row::write("actions.respond", POST, "/actions/{team}/{id}/{secret}", hooks::respond).limit(SPECIAL),
        Row::write("dialogs.respond", POST, "/app/{team}/{id}/{secret}", hooks::respond).limit(SPECIAL),
        Row::write("webhooks.post", POST, "/services/{team}/{id}/{secret}", hooks::post).limit(WEBHOOK),
    ]
}

impl Twin for Slack {
    type State = State;
    type Input = Input;
    type Caller = Caller;
    type Error = Error;

    fn name(&self) -> &'static str {
        "slack"
    }

    fn title(&self) -> &'static str {
        "Slack"
    }

    fn body_max(&self) -> usize {
        10 << 20
    }

    fn operations(&self) -> Vec<Operation<Self>> {
        backing::rows(self, operations())
    }

    fn affordances(&self) -> Vec<Affordance<Self>> {
        let verbs: &[fn() -> Vec<Affordance<Self>>] = &[
            affordances::all,
            gestures::all,
            installs::all,
            channel_verbs::all,
            assistant_verbs::all,
            work_verbs::all,
            connect_verbs::all,
            offices::all,
            workspace_verbs::all,
        ];
        verbs.iter().flat_map(|verbs| verbs()).collect()
    }

    fn views(&self) -> Vec<View<Self>> {
        views::all().into_iter().chain(content_views::all()).collect()
    }

    fn rows(&self) -> Vec<(&'static str, &'static dyn AnyRows)> {
        vec![("users", &rows::USERS), ("channels", &rows::CHANNELS), ("messages", &rows::MESSAGES)]
    }

    fn section_schema(&self, generator: &mut SchemaGenerator) -> Schema {
        world::schema(generator)
    }

    fn load(&self, world: &World, tx: &mut Tx<'_>) -> Result<State, Vec<Diagnostic>> {
        world::load(world, tx)
    }

    fn env(&self, state: &State, origin: &str) -> Vec<EnvVar> {
        let tokens = views::broadest_app(state).map(|app| views::tokens_of(app)).unwrap_or_default();
        let tokens = tokens.into_iter().map(|(name, value)| EnvVar::text(name, value));
        std::iter::once(EnvVar::text("SLACK_API_URL", format!("{origin}/api/"))).chain(tokens).collect()
    }

    fn input(&self, operation: &OperationInfo, request: &Request) -> Input {
        input::read(operation, request)
    }

    fn authenticate(&self, state: &State, scene: &Scene<'_>, input: &Input) -> Result<Caller, Error> {
        envelope::authenticate(state, scene, input)
    }

    fn decode<A: DeserializeOwned>(_: &OperationInfo, input: Input) -> Result<A, Error> {
        envelope::decode(input)
    }

    fn caller_name(&self, caller: &Caller) -> SmolStr {
        caller.token.as_ref().map(|token| token.bearer.clone()).unwrap_or_default()
    }

    fn resource(&self, _: &OperationInfo, input: &Input) -> SmolStr {
        ["channel", "user", "users", "email"]
            .into_iter()
            .map(|name| input.text(name))
            .find(|value| !value.is_empty())
            .unwrap_or_default()
            .into()
    }

    fn limit(&self, operation: &OperationInfo, caller: &Caller) -> Limit {
        limits::limit(operation, caller)
    }

    fn allowances(&self, _: &State, scene: &Scene<'_>, _: &Input, caller: &Caller) -> Vec<Allowance> {
        limits::allowances(scene.operation, caller)
    }

    fn recipient(&self, delivery: &Delivery) -> SmolStr {
        delivery.payload.get("app").and_then(Value::as_str).map(SmolStr::new).unwrap_or_default()
    }

    fn patience(&self, kind: &str) -> Option<Duration> {
        (kind != events::EVENT_CALLBACK).then_some(events::PATIENCE)
    }

    fn render(&self, scene: &Scene<'_>, caller: Option<&Caller>, _: Quota, result: Result<Answer, Error>) -> Reply {
        envelope::render(scene, caller, result)
    }

    fn unserved(&self, scene: &Unserved<'_>) -> Reply {
        envelope::unserved(scene)
    }

    fn prepare(&self, state: &State, delivery: &Delivery, now: Timestamp) -> Option<Outbound> {
        events::prepare(state, delivery, now)
    }

    fn delivered(&self, state: &mut State, tx: &mut Tx<'_>, delivery: &Delivery, outcome: &Outcome) -> Next {
        events::delivered(state, tx, delivery, outcome)
    }

    fn on_timer(&self, state: &mut State, tx: &mut Tx<'_>, name: &str, data: &Value) {
        if name == model::files::PROCESSED {
            model::files::processed(state, tx, data);
        }
        model::on_timer(state, tx, name, data);
        socket_mode::on_timer(state, tx, name, data);
    }

    fn frame(&self, state: &State, delivery: &Delivery, now: Timestamp) -> Option<Frame> {
        socket_mode::frame(state, delivery, now)
    }

    fn on_frame(&self, state: &mut State, tx: &mut Tx<'_>, socket: SocketId, text: &str) {
        if rtm::is_session(state, socket) {
            rtm::came(state, tx, socket, text);
        } else {
            socket_mode::acknowledged(tx, text);
        }
    }

    fn on_closed(&self, state: &mut State, tx: &mut Tx<'_>, socket: SocketId) {
        socket_mode::closed(state, tx, socket);
        rtm::closed(state, tx, socket);
    }

    fn on_closing(&self, state: &State, tx: &mut Tx<'_>, socket: SocketId) {
        if rtm::is_session(state, socket) { rtm::goodbye(tx, socket) } else { socket_mode::closing(tx, socket) }
    }

    fn misfits(&self, operation: &OperationInfo, reply: &Reply) -> Vec<String> {
        // The documents have refusals under a status of their own.
        let status = if reply.error.is_empty() { reply.status.as_u16() } else { 400 };
        self.backing().misfits_as(operation, reply, status)
    }

    /// All that Slack documents or has documented is in the table: another method, or page, is the caller's mistake.
    fn is_gap(&self, _: &Unserved<'_>) -> bool {
        false
    }

    /// What was told to apps so that they can answer.
    fn journals(&self) -> &'static [&'static str] {
        &["app_activities", "audit_log", "response_urls", "socket_connections", "socket_tickets", "triggers"]
    }
}

/// The environment variables of one app's tokens, under the names of [`Twin::env`]; none where there is no such app.
pub fn app_env(state: &State, app_key: &str) -> Option<Vec<(&'static str, String)>> {
    state.find_app(app_key).map(|app| views::tokens_of(app))
}
