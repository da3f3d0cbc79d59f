//! Applications: what an org signs people in to.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/.

use std::{
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use dtu_kernel::{
    ids::BASE64_URL,
    table::{Changes, Table},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    APP_ID, Act, LINK_ID, SITE, app_client,
    app_jwks::{self, Jwk},
    app_keys::{self, Csr, SigningKey},
    app_secrets::Secret,
    app_shape::{self, Parts},
    assignment,
    event_type::{APP_ACTIVATE, APP_CREATE, APP_DEACTIVATE, APP_DELETE, APP_UPDATE},
    log::Party,
    role,
};
use crate::{error::Error, search::Values};

/// How people get in to an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "OktaSignOnMode")]
pub enum Mode {
    /// A link, nothing more.
    #[serde(rename = "BOOKMARK")]
    Bookmark,
    /// HTTP's own authentication, filled in by the browser's plugin.
    #[serde(rename = "BASIC_AUTH")]
    BasicAuth,
    /// A form, filled in by the browser's plugin.
    #[serde(rename = "BROWSER_PLUGIN")]
    BrowserPlugin,
    /// A form, sent by Okta.
    #[serde(rename = "SECURE_PASSWORD_STORE")]
    SecurePasswordStore,
    /// A custom app's form.
    #[serde(rename = "AUTO_LOGIN")]
    AutoLogin,
    /// SAML 1.1.
    #[serde(rename = "SAML_1_1")]
    Saml11,
    /// SAML 2.0.
    #[serde(rename = "SAML_2_0")]
    Saml20,
    /// WS-Federation.
    #[serde(rename = "WS_FEDERATION")]
    WsFederation,
    /// `OpenID` Connect, and OAuth without people.
    #[serde(rename = "OPENID_CONNECT")]
    OpenIdConnect,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 9] = [
        Self::Bookmark,
        Self::BasicAuth,
        Self::BrowserPlugin,
        Self::SecurePasswordStore,
        Self::AutoLogin,
        Self::Saml11,
        Self::Saml20,
        Self::WsFederation,
        Self::OpenIdConnect,
    ];

    /// As Okta writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Bookmark => "BOOKMARK",
            Self::BasicAuth => "BASIC_AUTH",
            Self::BrowserPlugin => "BROWSER_PLUGIN",
            Self::SecurePasswordStore => "SECURE_PASSWORD_STORE",
            Self::AutoLogin => "AUTO_LOGIN",
            Self::Saml11 => "SAML_1_1",
            Self::Saml20 => "SAML_2_0",
            Self::WsFederation => "WS_FEDERATION",
            Self::OpenIdConnect => "OPENID_CONNECT",
        }
    }

    /// The mode of an app definition that has only one.
    pub fn of_definition(name: &str) -> Option<Self> {
        match name {
            "bookmark" => Some(Self::Bookmark),
            "template_basic_auth" => Some(Self::BasicAuth),
            "template_swa" | "template_swa3field" => Some(Self::BrowserPlugin),
            "template_sps" => Some(Self::SecurePasswordStore),
            "template_wsfed" => Some(Self::WsFederation),
            "oidc_client" => Some(Self::OpenIdConnect),
            _ => None,
        }
    }

    /// Whether Okta keeps people's passwords for the app.
    pub const fn keeps_passwords(self) -> bool {
        matches!(self, Self::BasicAuth | Self::BrowserPlugin | Self::SecurePasswordStore | Self::AutoLogin)
    }

    /// Whether what Okta says to the app is signed.
    pub const fn signs(self) -> bool {
        matches!(self, Self::Saml11 | Self::Saml20 | Self::WsFederation | Self::OpenIdConnect)
    }
}

/// An application.
#[derive(Clone, Debug, Serialize)]
pub struct App {
    /// `0oa...`.
    pub id: SmolStr,
    /// The name of its definition: one of Okta's, or made from the label.
    pub name: SmolStr,
    /// What people see.
    pub label: SmolStr,
    /// Whether it is in use.
    pub active: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// How people get in.
    pub mode: Mode,
    /// What its owner said of it, with Okta's defaults.
    #[serde(flatten)]
    pub parts: Parts,
    /// The id of its own picture; empty where it has none.
    pub logo: SmolStr,
    /// What the address of its tile ends in.
    pub link: SmolStr,
    /// The id of the policy that says who may sign in to it.
    pub policy: SmolStr,
    /// The id of the policy for people who sign themselves up for it.
    pub enrollment: SmolStr,
    /// The id of the key that Okta signs for it with; empty where it signs nothing.
    pub kid: SmolStr,
    /// Its client id; empty where it is no OAuth client.
    pub client: SmolStr,
    /// Its client secrets, oldest first.
    pub secrets: Vec<Secret>,
    /// Its client's public keys, oldest first.
    pub jwks: Vec<Jwk>,
    /// Its own signing keys, oldest first.
    pub keys: Vec<SigningKey>,
    /// Its certificate signing requests, oldest first.
    pub csrs: Vec<Csr>,
}

impl App {
    /// As Okta writes its status.
    pub const fn status(&self) -> &'static str {
        if self.active { "ACTIVE" } else { "INACTIVE" }
    }

    /// A value in its settings.
    pub fn setting(&self, pointer: &str) -> &Value {
        self.parts.settings.pointer(pointer).unwrap_or(&Value::Null)
    }
}

/// What lists of apps are filtered by through an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AppField {
    /// `status`.
    Status,
    /// `name`.
    Name,
    /// `name` in lower case.
    AnyName,
    /// `label` in lower case.
    Label,
    /// `credentials.signing.kid`.
    Kid,
    /// What SAML service providers know the app by.
    ExternalKey,
    /// The policies for signing in to it, and for signing oneself up.
    Policy,
}

/// All apps with their indexes.
#[derive(Clone, Debug)]
pub struct Apps {
    table: Table<SmolStr, App>,
    values: Values<AppField>,
    /// The org's own signing key.
    pub key: SigningKey,
    /// The id of the policy for signing in to apps that have no other.
    pub policy: SmolStr,
    /// The id of the policy for people who sign themselves up.
    pub enrollment: SmolStr,
    /// The org's id.
    pub org: SmolStr,
}

impl Apps {
    /// No apps yet, in an org with this id, key and policies.
    pub fn new(org: SmolStr, key: SigningKey, policy: SmolStr, enrollment: SmolStr) -> Self {
        Self { table: Table::new("apps"), values: Values::new(), key, policy, enrollment, org }
    }

    /// An app by id.
    pub fn get(&self, id: &str) -> Option<&Arc<App>> {
        self.table.get(&SmolStr::new(id))
    }

    /// An app by its label, in any case; the oldest id where several have it.
    pub fn by_label(&self, label: &str) -> Option<&Arc<App>> {
        self.equal(AppField::Label, &label.to_lowercase(), "").next()
    }

    /// All, by id. For views.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<App>> {
        self.table.iter().map(|(_, app)| app)
    }

    /// Apps in id order from behind `after`.
    pub fn after(&self, after: &str) -> impl Iterator<Item = &Arc<App>> {
        self.table.range((Excluded(SmolStr::new(after)), Unbounded)).map(|(_, app)| app)
    }

    /// Apps of which a field equals a value, in id order from behind `after`.
    pub fn equal(&self, field: AppField, value: &str, after: &str) -> impl Iterator<Item = &Arc<App>> {
        let found = self.values.equal(field, &value.into(), &after.into());
        found.filter_map(|(_, _, id)| self.table.get(id))
    }

    /// The apps that a policy says who may sign in to or sign themselves up for, in id order.
    pub fn of_policy(&self, policy: &str) -> impl Iterator<Item = &Arc<App>> {
        self.equal(AppField::Policy, policy, "")
    }

    /// The ids of apps whose name or label starts with `prefix` (lower case), in no promised order.
    pub fn starting_with(&self, prefix: &str) -> impl Iterator<Item = &SmolStr> {
        let found = |field| self.values.starting(field, prefix);
        [AppField::AnyName, AppField::Label].into_iter().flat_map(found).map(|(_, _, id)| id)
    }

    /// The number of a custom app's name that is free.
    fn number(&self, stem: &str) -> usize {
        (1..=self.table.len() + 1)
            .find(|number| self.equal(AppField::Name, &format!("{stem}_{number}"), "").next().is_none())
            .unwrap_or(1)
    }

    /// Writes a row and its index entries.
    pub fn put(&mut self, changes: &mut Changes, app: App) -> Arc<App> {
        let before = self.table.get(&app.id).map(|before| entries(before)).unwrap_or_default();
        self.values.replace(before, entries(&app));
        self.table.put(changes, app.id.clone(), app)
    }

    fn remove(&mut self, changes: &mut Changes, app: &App) {
        self.values.replace(entries(app), Vec::new());
        self.table.remove(changes, &app.id);
    }
}

fn entries(app: &App) -> Vec<(AppField, SmolStr, SmolStr)> {
    let entry = |field, value: SmolStr| (field, value, app.id.clone());
    vec![
        entry(AppField::Status, app.status().into()),
        entry(AppField::Name, app.name.clone()),
        entry(AppField::AnyName, app.name.to_lowercase().into()),
        entry(AppField::Label, app.label.to_lowercase().into()),
        entry(AppField::Kid, app.kid.clone()),
        entry(AppField::Policy, app.policy.clone()),
        entry(AppField::Policy, app.enrollment.clone()),
        entry(AppField::ExternalKey, crate::saml::key(&app.id)),
    ]
}

/// What a caller says of an app: its members as sent, read by the public document.
#[derive(Clone, Debug)]
pub struct Wish {
    /// How people get in.
    pub mode: Mode,
    /// Its definition's name; empty where it is the org's own.
    pub name: SmolStr,
    /// What people see.
    pub label: SmolStr,
    /// All that was sent.
    pub body: Map<String, Value>,
}

/// The longest label.
const LABEL_MAX: usize = 100;

impl Wish {
    fn check(&self) -> Result<(), Error> {
        if self.label.trim().is_empty() {
            return Err(Error::fields(&[("label", "The field cannot be left blank")]));
        }
        if self.label.chars().count() > LABEL_MAX {
            return Err(Error::fields(&[("label", "The field is too long")]));
        }
        match Mode::of_definition(&self.name) {
            Some(mode) if mode != self.mode => Err(Error::invalid(
                "signOnMode",
                format!("signOnMode: '{}' is not supported by '{}'", self.mode.text(), self.name),
            )),
            _ => Ok(()),
        }
    }
}

/// Whether apps of this mode may be the org's own, without a definition of Okta's.
const fn may_be_custom(mode: Mode) -> bool {
    matches!(mode, Mode::Saml20 | Mode::AutoLogin)
}

/// The name of a new app's definition.
fn name(act: &Act<'_, '_>, wish: &Wish) -> Result<SmolStr, Error> {
    if !wish.name.is_empty() {
        return Ok(wish.name.clone());
    }
    if !may_be_custom(wish.mode) {
        return Err(Error::fields(&[("name", "The field cannot be left blank")]));
    }
    if wish.body.get("settings").and_then(|settings| settings.get("signOn")).is_none() {
        return Err(Error::fields(&[("signOn", "The field cannot be left blank")]));
    }
    let plain: String = wish.label.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let stem = format!("{}_{plain}", act.state.org);
    Ok(format!("{stem}_{}", act.state.apps.number(&stem)).into())
}

/// The end of a tile's address: Okta's own definitions have numbers, those of its templates recorded; that of an org's
/// own app is drawn.
fn link(act: &mut Act<'_, '_>, name: &str, custom: bool) -> SmolStr {
    let known = match name {
        "bookmark" => "2557",
        "template_swa" => "2357",
        "template_swa3field" => "3287",
        "template_sps" => "2355",
        "template_basic_auth" => "2873",
        "oidc_client" => "aln177a159h7Zf52X0g8",
        _ if custom => return act.tx.id(&LINK_ID),
        _ => return catalog_number(name),
    };
    SmolStr::new_static(known)
}

/// The number of a definition in Okta's catalogue, which the twin does not hold: always the same for a name.
fn catalog_number(name: &str) -> SmolStr {
    let bytes = blake3::hash(name.as_bytes());
    let drawn = bytes.as_bytes().iter().take(4).fold(0, |sum: u32, byte| sum << 8 | u32::from(*byte));
    SmolStr::from((10_000 + drawn % 90_000).to_string())
}

/// Makes an app. Its client secret, where it has one, is in its first [`Secret`].
///
/// # Errors
/// What is not allowed of it.
pub fn create(act: &mut Act<'_, '_>, wish: &Wish, active: bool) -> Result<Arc<App>, Error> {
    wish.check()?;
    let now = act.now();
    let name = name(act, wish)?;
    let id = act.tx.id(&APP_ID);
    let tiles = app_shape::tiles(wish.mode, &name, wish.name.is_empty());
    let mut app = App {
        parts: app_shape::parts(wish.mode, &name, tiles, &wish.body)?,
        logo: SmolStr::default(),
        link: link(act, &name, wish.name.is_empty()),
        policy: act.state.apps.policy.clone(),
        enrollment: act.state.apps.enrollment.clone(),
        id,
        name,
        label: wish.label.clone(),
        active,
        created: now,
        last_updated: now,
        mode: wish.mode,
        kid: SmolStr::default(),
        client: SmolStr::default(),
        secrets: Vec::new(),
        jwks: Vec::new(),
        keys: Vec::new(),
        csrs: Vec::new(),
    };
    // A new app has no keys to choose from: what is sent of one is passed over.
    first_key(act, &mut app);
    app_jwks::settle(act, &mut app)?;
    app_client::settle(act, &mut app, &wish.body)?;
    let app = act.state.apps.put(&mut act.tx.changes, app);
    app_client::keep(act, &app);
    act.log(&APP_CREATE, vec![Party::app(&app)]);
    if active {
        act.log(&APP_ACTIVATE, vec![Party::app(&app)]);
    }
    Ok(app)
}

/// The key that a new app starts with: OAuth clients share the org's, as recorded; others have one of their own.
fn first_key(act: &mut Act<'_, '_>, app: &mut App) {
    if app.mode == Mode::OpenIdConnect {
        app.kid = act.state.apps.key.kid.clone();
    } else if app.mode.signs() {
        let key = app_keys::draw(act, &app_keys::org_name(act), 10);
        app.kid = key.kid.clone();
        app.keys.push(key);
    }
}

/// Takes the key that the caller chose.
fn choose_key(act: &Act<'_, '_>, app: &mut App, body: &Map<String, Value>) -> Result<(), Error> {
    let wanted = body.get("credentials").and_then(|part| part.pointer("/signing/kid")).and_then(Value::as_str);
    let Some(wanted) = wanted.filter(|wanted| *wanted != app.kid) else { return Ok(()) };
    let known = app.keys.iter().any(|key| key.kid == wanted) || act.state.apps.key.kid == wanted;
    if !known {
        return Err(Error::invalid("signing", format!("kid: Invalid key id '{wanted}'")));
    }
    app.kid = wanted.into();
    Ok(())
}

/// Gives an app other properties. What nobody says of it goes back to Okta's defaults; its name, status, keys and
/// secrets stay.
///
/// # Errors
/// What is not allowed of it, or another way in.
pub fn replace(act: &mut Act<'_, '_>, app: &App, wish: &Wish) -> Result<Arc<App>, Error> {
    wish.check()?;
    if wish.mode != app.mode {
        return Err(Error::invalid("signOnMode", "signOnMode: The sign-on mode of this app cannot be changed"));
    }
    let mut row = App {
        label: wish.label.clone(),
        parts: app_shape::parts(app.mode, &app.name, app.parts.visibility["appLinks"].clone(), &wish.body)?,
        last_updated: act.now(),
        ..app.clone()
    };
    choose_key(act, &mut row, &wish.body)?;
    app_jwks::settle(act, &mut row)?;
    app_client::settle(act, &mut row, &wish.body)?;
    let row = act.state.apps.put(&mut act.tx.changes, row);
    app_client::keep(act, &row);
    act.log(&APP_UPDATE, vec![Party::app(&row)]);
    Ok(row)
}

/// Switches an app on or off; nothing happens where it is so already.
pub fn switch(act: &mut Act<'_, '_>, app: &App, active: bool) -> Arc<App> {
    if app.active == active {
        return Arc::new(app.clone());
    }
    let row = App { active, last_updated: act.now(), ..app.clone() };
    let row = act.state.apps.put(&mut act.tx.changes, row);
    app_client::keep(act, &row);
    act.log(if active { &APP_ACTIVATE } else { &APP_DEACTIVATE }, vec![Party::app(&row)]);
    row
}

/// Removes an app, which must be switched off, with all assignments to it.
///
/// # Errors
/// An app that is on.
pub fn delete(act: &mut Act<'_, '_>, app: &App) -> Result<(), Error> {
    if app.active {
        return Err(Error::AppActive);
    }
    assignment::drop_app(act, app);
    role::drop_holder(act, &app.client);
    role::drop_target(act, &app.id);
    if !app.client.is_empty() {
        act.state.clients.remove(&mut act.tx.changes, &app.client);
    }
    act.state.apps.remove(&mut act.tx.changes, app);
    act.log(&APP_DELETE, vec![Party::app(app)]);
    Ok(())
}

/// Writes a row that differs in its keys or secrets only.
pub fn touch(act: &mut Act<'_, '_>, row: App) -> Arc<App> {
    let row = App { last_updated: act.now(), ..row };
    let row = act.state.apps.put(&mut act.tx.changes, row);
    app_client::keep(act, &row);
    act.log(&APP_UPDATE, vec![Party::app(&row)]);
    row
}

/// A client secret: 64 drawn characters.
pub fn draw_secret(act: &mut Act<'_, '_>) -> SmolStr {
    act.tx.draw(SITE.child("client_secret")).text(BASE64_URL, 64).into()
}
