//! The operations: parse, call the model, render. One file a resource.

mod aerial;
pub mod agent_pools;
mod app_body;
pub mod app_connections;
pub mod app_credentials;
pub mod app_features;
pub mod app_groups;
pub mod app_jwks;
pub mod app_logo;
pub mod app_users;
pub mod apps;
pub mod authenticator_enrollments;
pub mod authorization_servers;
pub mod branding;
mod child_orgs;
pub mod credentials;
mod credentials_body;
pub mod device_integrations;
pub mod device_posture;
pub mod devices;
pub mod directories;
pub mod disaster;
pub mod event_hooks;
pub(crate) mod factor_body;
pub mod factors;
pub mod features;
pub mod governance;
pub mod grants;
pub mod group_owners;
pub mod group_push;
pub mod group_rules;
pub mod groups;
pub mod hook_keys;
pub mod iam;
pub mod identity_sources;
pub mod idp_keys;
mod interclient;
pub mod lifecycle;
pub mod linked_objects;
mod listing;
pub mod log_stream_schemas;
pub mod logs;
mod messaging;
pub mod my_account;
pub mod oauth_clients;
pub mod org_settings;
mod org_shape;
mod passkeys;
pub mod policies;
pub mod preregistration;
pub(crate) mod profiles;
mod publishing;
pub mod roles;
pub mod schema;
pub mod sessions;
mod simulation;
pub mod ssf;
mod subscriptions;
pub mod tokens;
pub mod user_body;
mod user_idps;
mod user_shape;
pub mod user_types;
pub mod users;
pub mod well_known;
pub mod widgets;

use std::sync::Arc;

use dtu_kernel::{
    ids,
    operation::{Operation, Typed},
    time::Timestamp,
    twin::{Read, Scene, Write},
    wire::Answer,
};
use http::{StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use crate::{
    Caller, Okta,
    error::Error,
    events,
    model::{
        Act, Acting, State,
        log::{Client, Party, Transaction},
        may::{Listed, Who},
        sight::{self, Sight},
        user::User,
    },
};

/// What administrators set up beside people, groups and apps.
pub(crate) fn of_the_org() -> Vec<Operation<Okta>> {
    let all = [
        aerial::operations(),
        child_orgs::operations(),
        disaster::operations(),
        features::operations(),
        governance::operations(),
        hook_keys::operations(),
        interclient::operations(),
        log_stream_schemas::operations(),
        messaging::operations(),
        passkeys::operations(),
        publishing::operations(),
        simulation::operations(),
        subscriptions::operations(),
        user_idps::operations(),
        well_known::operations(),
    ];
    all.into_iter().flatten().collect()
}

/// An empty object.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Empty {}

/// 204 without a body.
pub fn no_content() -> Typed<()> {
    Typed::from_answer(Answer::empty(StatusCode::NO_CONTENT))
}

/// A time as objects carry it: in whole seconds.
pub fn stamp(at: Timestamp) -> String {
    at.floor_secs().iso_millis()
}

/// The id of a request, as in its `x-okta-request-id` header.
pub fn request_id((a, b): (u64, u64)) -> String {
    ids::hex(a, b)
}

/// What a caller sees in lists.
fn sight<'a>(cx: &Read<'a, Okta>, listed: Listed) -> Sight<'a> {
    sight::sight(cx.state, &Who { user: &cx.caller.user, client: cx.caller.client.as_deref() }, listed)
}

/// Who acts in a request.
fn acting(state: &State, caller: &Caller, scene: &Scene<'_>) -> Acting {
    let client = caller.client.as_ref().and_then(|id| state.clients.get(id));
    let actor = match (state.users.get(&caller.user), client) {
        (Some(user), _) => Party::user(user),
        (None, Some(client)) => crate::oauth::log::party(client),
        (None, None) => Acting::system().actor,
    };
    let agent = scene.request.header(header::USER_AGENT).unwrap_or_default().into();
    Acting {
        actor,
        client: Client { address: SmolStr::new_static("127.0.0.1"), agent },
        transaction: Transaction {
            kind: "WEB",
            id: request_id(scene.request_bits).into(),
            token: caller.token.clone(),
            uri: SmolStr::new(&scene.request.path),
            url: format!("{}?{}", scene.request.path, scene.request.query).into(),
        },
    }
}

/// Runs a write and tells the hooks what it logged.
pub(crate) fn act<R>(
    cx: &mut Write<'_, '_, Okta>,
    write: impl FnOnce(&mut Act<'_, '_>) -> Result<R, Error>,
) -> Result<R, Error> {
    let by = acting(cx.state, cx.caller, cx.scene);
    let mut act = Act::new(cx.state, cx.tx, by);
    let result = write(&mut act)?;
    events::announce(&mut act);
    Ok(result)
}

/// Operations whose bodies are no JSON objects: forms with a file, certificates, simulations.
pub(crate) const UPLOADS: [&str; 8] = [
    crate::ssf::PUBLISH,
    app_logo::UPLOAD,
    "uploadBrandThemeLogo",
    "uploadBrandThemeFavicon",
    "uploadBrandThemeBackgroundImage",
    publishing::PUBLISH[0],
    publishing::PUBLISH[1],
    simulation::SIMULATE,
];

/// The person whom a path names: `me`, an id, a login, or a login's unambiguous first part.
fn find_user(state: &State, caller: &Caller, name: &str) -> Result<Arc<User>, Error> {
    let found = match name {
        "me" => state.users.get(&caller.user),
        _ => state.users.find(name),
    };
    found.cloned().ok_or_else(|| Error::not_found(name, "User"))
}

/// Links by name.
struct Links(Map<String, Value>);

impl Links {
    fn new() -> Self {
        Self(Map::new())
    }

    fn to(mut self, name: &str, href: String) -> Self {
        self.0.insert(name.to_owned(), json!({ "href": href }));
        self
    }

    fn hint(mut self, name: &str, href: String, allow: &[&str]) -> Self {
        self.0.insert(name.to_owned(), json!({ "href": href, "hints": { "allow": allow } }));
        self
    }
}

/// `expand` with a value that the operation does not know.
fn bad_expand() -> Error {
    Error::invalid("RequestParams", "Expand query is malformed.")
}
