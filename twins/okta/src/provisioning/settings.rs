//! How an app comes to be provisioned: what a world or an administrator says of its SCIM server.

use dtu_kernel::diagnostic::Diagnostic;
use dtu_kernel::world::World;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;
use smol_str::SmolStr;

use crate::model::{
    Act, State,
    app::App,
    event_type::APP_UPDATE,
    log::Party,
    provisioning::{self, Account, Auth, Connection, Powers},
};

/// An app's SCIM server, and what Okta does there. One of `token`, `header`, and `user` with `password`; none where the
/// server asks for nothing.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OktaProvisioning")]
pub struct Server {
    /// Where it is: `http://127.0.0.1:8080/scim/v2`.
    pub base_url: String,
    /// The bearer token that it takes.
    #[serde(default)]
    pub token: Option<String>,
    /// The `Authorization` header that it takes.
    #[serde(default)]
    pub header: Option<String>,
    /// The name that it takes.
    #[serde(default)]
    pub user: Option<String>,
    /// The password that it takes.
    #[serde(default)]
    pub password: Option<String>,
    /// Whether Okta makes accounts; it does where nothing is said.
    #[serde(default)]
    pub create: Option<bool>,
    /// Whether Okta updates profiles; it does where nothing is said.
    #[serde(default)]
    pub update: Option<bool>,
    /// Whether Okta deactivates accounts; it does where nothing is said.
    #[serde(default)]
    pub deactivate: Option<bool>,
    /// Whether Okta imports people and groups from it, by hand or by a schedule; it does not where nothing is said.
    #[serde(default)]
    pub import: Option<bool>,
    /// Whether accounts are switched off by PATCH, as apps of Okta's catalogue want it, and not by PUT, as apps of the
    /// org's own get it.
    #[serde(default)]
    pub patch: Option<bool>,
}

impl Server {
    /// What is wrong with it, in words.
    pub fn problem(&self) -> Option<&'static str> {
        let basic = self.user.is_some() || self.password.is_some();
        let ways = usize::from(basic) + usize::from(self.token.is_some()) + usize::from(self.header.is_some());
        let url = &self.base_url;
        match () {
            () if !url.starts_with("http://") && !url.starts_with("https://") => Some("has no http address"),
            () if url.contains(['?', '#']) => Some("must end in a path"),
            () if ways > 1 => Some("takes one of `token`, `header`, and `user` with `password`"),
            () if basic && (self.user.is_none() || self.password.is_none()) => {
                Some("takes `user` and `password` together")
            }
            () => None,
        }
    }

    fn auth(&self) -> Auth {
        let text = |text: &String| SmolStr::new(text);
        match (&self.token, &self.header, &self.user, &self.password) {
            (Some(token), ..) => Auth::Token(text(token)),
            (_, Some(header), ..) => Auth::Header(text(header)),
            (_, _, Some(user), Some(password)) => Auth::Basic(text(user), text(password)),
            _ => Auth::Nothing,
        }
    }

    /// Connects an app. Who has it already is not told to it: Okta does not push them by itself.
    pub fn connect(&self, act: &mut Act<'_, '_>, app: &App) {
        let before = of(act.state, app).unwrap_or_else(|| provisioning::disabled(app));
        let connection = Connection {
            base_url: Some(self.base_url.trim_end_matches('/').into()),
            auth: self.auth(),
            enabled: true,
            patches: self.patch.unwrap_or(before.patches),
            imports: self.import.unwrap_or(before.imports),
            powers: Powers {
                create: self.create.unwrap_or(true),
                update: self.update.unwrap_or(true),
                deactivate: self.deactivate.unwrap_or(true),
            },
            ..before
        };
        act.state.provisioning.connect(&mut act.tx.changes, connection);
        act.log(&APP_UPDATE, vec![Party::app(app)]);
    }
}

/// What is wrong with an app's server in a world.
pub(crate) fn check(world: &World, app: &Spanned<SmolStr>, server: Option<&Server>) -> Option<Diagnostic> {
    let problem = server?.problem()?;
    Some(Diagnostic::on(&world.file, app, format!("the app's SCIM server {problem}")))
}

/// An app's connection; none where it cannot be provisioned.
pub(crate) fn of(state: &State, app: &App) -> Option<Connection> {
    let written = state.provisioning.connection(&app.id).map(|connection| Connection::clone(connection));
    written.or_else(|| provisioning::first(app))
}

/// The features of an app, as Okta lists them.
pub(crate) fn features(state: &State, app: &App) -> Vec<&'static str> {
    let Some(connection) = state.provisioning.connection(&app.id).filter(|connection| connection.enabled) else {
        return Vec::new();
    };
    let powers = connection.powers;
    let named = [
        (powers.create, "PUSH_NEW_USERS"),
        (powers.deactivate, "PUSH_USER_DEACTIVATION"),
        (powers.deactivate && powers.create, "REACTIVATE_USERS"),
        (powers.update, "PUSH_PROFILE_UPDATES"),
        (connection.imports, "IMPORT_NEW_USERS"),
        (connection.imports, "IMPORT_PROFILE_UPDATES"),
    ];
    named.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect()
}

/// People's accounts, for views.
pub(crate) fn shown(state: &State, account: &Account) -> Value {
    let app = state.apps.get(&account.app).map(|app| app.label.clone());
    let user = state.users.get(&account.user).map(|user| SmolStr::new(user.login()));
    serde_json::json!({
        "app": app,
        "user": user,
        "externalId": account.external,
        "status": account.stage.text(),
        "syncState": account.sync_state(),
        "error": account.error,
    })
}
