//! `apps.manifest.*`: apps made, changed and deleted with a person's configuration token.

use std::sync::Arc;

use dtu_kernel::{
    ids::{ALNUM, HEX, IdShape},
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    events,
    limits::{TIER_1, TIER_3},
    model::{
        APP, SITE, State,
        apps::{self, App, Setup, Surfaces, Token, Verification},
        manifest,
    },
    socket_mode,
};

const SIGNING: IdShape =
    IdShape { site: SITE.child("signing secret"), prefix: "", alphabet: HEX, drawn: 32, suffix: "" };
const VERIFYING: IdShape =
    IdShape { site: SITE.child("verification token"), prefix: "", alphabet: ALNUM, drawn: 24, suffix: "" };

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    const WRITES: &[&str] = &["app_configurations:write"];
    const READS: &[&str] = &["app_configurations:read"];
    vec![
        Row::write("apps.manifest.create", ANY, "/api/apps.manifest.create", create)
            .limit(TIER_1)
            .scopes(WRITES)
            .errors(&["invalid_manifest"]),
        Row::write("apps.manifest.update", ANY, "/api/apps.manifest.update", update)
            .limit(TIER_1)
            .scopes(WRITES)
            .errors(&["invalid_app_id", "invalid_manifest", "no_permission"]),
        Row::write("apps.manifest.delete", ANY, "/api/apps.manifest.delete", delete)
            .limit(TIER_1)
            .scopes(WRITES)
            .errors(&["invalid_app_id", "no_permission"]),
        Row::read("apps.manifest.export", ANY, "/api/apps.manifest.export", export)
            .limit(TIER_3)
            .scopes(READS)
            .errors(&["invalid_app_id", "no_permission"]),
        Row::read("apps.manifest.validate", ANY, "/api/apps.manifest.validate", validate)
            .limit(TIER_3)
            .scopes(WRITES)
            .errors(&["invalid_app_id", "invalid_manifest", "no_permission"]),
    ]
}

/// Reads a `manifest` argument: text that holds an object, or the object.
fn read(argument: Value) -> Result<Value, Error> {
    let given = match argument {
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::Null),
        other => other,
    };
    let faults = manifest::faults(&given);
    if !faults.is_empty() {
        return Err(Error::Manifest(faults));
    }
    match manifest::unserved(&given) {
        None => Ok(given),
        Some(name) => Err(Error::Unserved(format!("no subscription to `{name}` is served"))),
    }
}

/// The app, where the token's owner may configure it: as the one who made it, or as an administrator.
fn owned(state: &State, token: &Token, id: &SmolStr) -> Result<Arc<App>, Code> {
    let app = state.apps.get(id).ok_or(Code::InvalidAppId)?;
    let is_admin = state.users.get(&token.user).is_some_and(|user| user.is_admin());
    if is_admin || app.installer == token.user { Ok(Arc::clone(app)) } else { Err(Code::NoPermission) }
}

/// Arguments of `apps.manifest.create`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    manifest: Value,
}

/// `apps.manifest.create`: the app is there, and not installed yet.
fn create(cx: &mut Write<'_, '_, Slack>, args: Create) -> Result<Typed<Value>, Error> {
    let given = read(args.manifest)?;
    let user = cx.caller.token()?.user.clone();
    let [scopes, user_scopes] = manifest::scopes(&given);
    let id = cx.tx.id(&APP);
    let mut app = App {
        key: free_key(cx.state, given["display_information"]["name"].as_str().unwrap_or_default(), &id),
        id: id.clone(),
        name: SmolStr::default(),
        bot: SmolStr::default(),
        bot_user: SmolStr::default(),
        installer: user,
        signing_secret: cx.tx.id(&SIGNING),
        verification_token: cx.tx.id(&VERIFYING),
        scopes: scopes.as_slice().into(),
        bot_token: SmolStr::default(),
        user_token: None,
        app_token: None,
        events_url: SmolStr::default(),
        verification: Verification::None,
        events: [].into(),
        interactivity_url: SmolStr::default(),
        surfaces: Surfaces::default(),
        redirect_urls: [].into(),
        unfurl_domains: [].into(),
        socket_mode: false,
        rotates: false,
        commands: std::collections::BTreeMap::new(),
        setup: Setup::default(),
        removed: true,
        updated: cx.tx.now.as_secs(),
    };
    manifest::apply(&mut app, given);
    let app = apps::put(cx.state, cx.tx, app);
    prove(cx, &app);
    let team = &cx.state.workspace;
    Ok(Typed::ok(&json!({
        "app_id": id,
        "credentials": {
            "client_id": app.client_id(),
            "client_secret": app.client_secret(),
            "verification_token": app.verification_token,
            "signing_secret": app.signing_secret,
        },
        "oauth_authorize_url": authorize_url(&cx.tx.origin, &app, &scopes, &user_scopes),
        "team_id": team.id,
        "team_domain": team.domain,
    })))
}

/// A handle that no other app has: the name in small letters, with the id where that is taken.
fn free_key(state: &State, name: &str, id: &SmolStr) -> SmolStr {
    let key = name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    if state.index.app_by_key.contains_key(key.as_str()) { format_smolstr!("{key}-{id}") } else { key.into() }
}

fn authorize_url(origin: &str, app: &App, scopes: &[SmolStr], user_scopes: &[SmolStr]) -> String {
    let joined = |scopes: &[SmolStr]| scopes.iter().map(SmolStr::as_str).collect::<Vec<_>>().join(",");
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", &app.client_id()).append_pair("scope", &joined(scopes));
    if !user_scopes.is_empty() {
        query.append_pair("user_scope", &joined(user_scopes));
    }
    format!("{origin}/oauth/v2/authorize?{}", query.finish())
}

/// An address for events that is new has to prove itself.
fn prove(cx: &mut Write<'_, '_, Slack>, app: &App) {
    if app.verification == Verification::Pending {
        events::ask_for_proof(cx.tx, app);
    }
}

/// Arguments of `apps.manifest.update`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    app_id: SmolStr,
    manifest: Value,
}

/// `apps.manifest.update`: what an app may do changes once it is installed anew.
fn update(cx: &mut Write<'_, '_, Slack>, args: Update) -> Result<Typed<Value>, Error> {
    let before = owned(cx.state, cx.caller.token()?, &args.app_id)?;
    let given = read(args.manifest)?;
    let asked = asked(&before);
    let wanted = manifest::scopes(&given);
    apps::edit(cx.state, cx.tx, &before.id, |app| {
        if app.removed {
            app.scopes = wanted[0].as_slice().into();
        }
        manifest::apply(app, given);
    });
    if let Some(app) = cx.state.apps.get(&before.id).map(Arc::clone) {
        if before.socket_mode && !app.socket_mode {
            socket_mode::turn_off(cx.state, cx.tx, &app.id);
        }
        if app.events_url != before.events_url {
            prove(cx, &app);
        }
    }
    Ok(Typed::ok(&json!({ "app_id": before.id, "permissions_updated": asked != wanted })))
}

/// The scopes that an app asks for.
fn asked(app: &App) -> [Vec<SmolStr>; 2] {
    if app.setup.manifest.is_object() {
        manifest::scopes(&app.setup.manifest)
    } else {
        [app.scopes.to_vec(), Vec::new()]
    }
}

/// An app.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct OneApp {
    app_id: SmolStr,
}

/// `apps.manifest.delete`: for good.
fn delete(cx: &mut Write<'_, '_, Slack>, args: OneApp) -> Result<Typed<Value>, Error> {
    let app = owned(cx.state, cx.caller.token()?, &args.app_id)?;
    apps::delete(cx.state, cx.tx, &app.id);
    Ok(super::marks::done())
}

/// `apps.manifest.export`
fn export(cx: &Read<'_, Slack>, args: OneApp) -> Result<Typed<Value>, Error> {
    let app = owned(cx.state, cx.caller.token()?, &args.app_id)?;
    let bot = cx.state.users.get(&app.bot_user).map(|user| &user.name);
    Ok(Typed::ok(&json!({ "manifest": manifest::of(&app, bot) })))
}

/// Arguments of `apps.manifest.validate`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Validate {
    manifest: Value,
    app_id: Option<SmolStr>,
}

/// `apps.manifest.validate`
fn validate(cx: &Read<'_, Slack>, args: Validate) -> Result<Typed<Value>, Error> {
    if let Some(id) = args.app_id.filter(|id| !id.is_empty()) {
        owned(cx.state, cx.caller.token()?, &id)?;
    }
    read(args.manifest)?;
    Ok(super::marks::done())
}
