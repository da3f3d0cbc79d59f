//! The user import hook: it is told of each person whom an app brings, and says who they are in Okta.
//!
//! Imports are started in the admin console, which is no call of the API: they come as an affordance, and what became
//! of each person shows in the view `imports`. Without an answer of the hook, the person is made as the app has them.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/InlineHook/ (user import hook).

use std::sync::Arc;

use dtu_kernel::{
    ids::{HEX, IdShape},
    time::Timestamp,
    twin::{Affordance, Refusal},
    tx::Tx,
    wire::Answer,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    Members, Stage, ask_later, envelope, first, processed,
    reply::{Command, Reply},
};
use crate::{
    Okta,
    affordances::{administer, allow, find_app},
    api::profiles::fill,
    error::Error,
    model::{
        Act, SITE, State,
        accounts::{self, Credentials, NewUser},
        app::App,
        assignment::{self, Change},
        event_type::{IMPORT_COMPLETE, IMPORT_START},
        log::Party,
        mapping::{self, Push},
        profile::{Attribute, Profile},
        shape,
        user::{User, UserField},
    },
};

/// The hook's type.
pub const TYPE: &str = "com.okta.import.transform";
/// The table of imports.
pub const TABLE: &str = "imports";

const JOB_ID: IdShape = shape("ij1", "import job");
/// The most people of one import.
const PEOPLE_MAX: usize = 200;
/// What an app's mapping makes of its own attributes: people sign in to Okta by mail address.
const MAPPING: [(&str, &str); 4] =
    [("email", "login"), ("email", "email"), ("firstName", "firstName"), ("lastName", "lastName")];

/// One import.
#[derive(Clone, Debug, Serialize)]
pub struct Import {
    app: SmolStr,
    begun: Timestamp,
    activate: bool,
    people: Vec<Row>,
}

/// One person of an import.
#[derive(Clone, Debug, Serialize)]
struct Row {
    user_name: SmolStr,
    status: Status,
    user: Option<SmolStr>,
    message: String,
}

/// How far a person has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Waiting,
    Created,
    Linked,
    Failed,
}

/// A person whom the hook is asked about.
#[derive(Clone, Debug)]
pub struct Pending {
    job: SmolStr,
    at: usize,
    plan: Plan,
}

/// What is to be made of a person.
#[derive(Clone, Debug)]
struct Plan {
    /// What the app says of them.
    profile: Members,
    /// What goes into Okta beyond the mapping.
    own: Members,
    /// Whom in Okta they are; nobody where they are new.
    is: Option<SmolStr>,
}

/// Arguments of `okta.admin.import_users`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportUsers {
    /// The app, by label or id.
    app: String,
    /// Who is in the app; at most 200.
    users: Vec<Person>,
    /// Whether new people are activated at once; they are where nothing is said.
    #[serde(default)]
    activate: Option<bool>,
}

/// Somebody in an app.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Person {
    /// The name in the app.
    user_name: String,
    /// First name.
    first_name: String,
    /// Last name.
    last_name: String,
    /// Mail address.
    email: String,
}

/// The verb.
pub fn affordances() -> Vec<Affordance<Okta>> {
    vec![Affordance::new("okta.admin.import_users", "Imports people from an app in the admin console", import)]
}

fn import(state: &mut State, tx: &mut Tx<'_>, who: &str, with: ImportUsers) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let app = find_app(act, &with.app)?;
        allow(act, "POST /api/v1/apps/{appId}/connections/default", &[("appId", &app.id)])?;
        if with.users.is_empty() || with.users.len() > PEOPLE_MAX {
            return Err(Refusal::new(format!("an import has 1 to {PEOPLE_MAX} people")));
        }
        let job = begin(act, &app, &with);
        for (at, person) in with.users.iter().enumerate() {
            let profile = json!(person).as_object().cloned().unwrap_or_default();
            let is = matched(act.state, &person.email);
            let pending = Pending { job: job.clone(), at, plan: Plan { profile, own: Map::new(), is } };
            match first(act.state, TYPE) {
                Some(hook) => ask(act, &app, hook, pending),
                None => finish(act, &pending.job, at, pending.plan),
            }
        }
        Ok(act.state.imports.get(&job).map(|import| shown(&job, import)).unwrap_or_default())
    })
}

fn begin(act: &mut Act<'_, '_>, app: &App, with: &ImportUsers) -> SmolStr {
    let job = act.tx.id(&JOB_ID);
    let row = |person: &Person| Row {
        user_name: person.user_name.as_str().into(),
        status: Status::Waiting,
        user: None,
        message: String::new(),
    };
    let import = Import {
        app: app.id.clone(),
        begun: act.tx.now,
        activate: with.activate.unwrap_or(true),
        people: with.users.iter().map(row).collect(),
    };
    act.state.imports.put(&mut act.tx.changes, job.clone(), import);
    act.log(&IMPORT_START, vec![Party::app(app)]);
    job
}

/// The one person in Okta whose login or mail address is the same.
fn matched(state: &State, email: &str) -> Option<SmolStr> {
    if let Some(user) = state.users.by_login(email) {
        return Some(user.id.clone());
    }
    let mut same = state.users.with_value(UserField::Profile(Attribute::EMAIL), email);
    let one = same.next()?;
    same.next().is_none().then(|| one.id.clone())
}

/// What a new person would have in Okta: what the app's mapping says goes before what all apps' people bring.
fn mapped(state: &State, app: &App, plan: &Plan) -> Members {
    let of = |(from, to): (&str, &str)| Some((to.to_owned(), plan.profile.get(from)?.clone()));
    let mut profile: Members = MAPPING.into_iter().filter_map(of).collect();
    profile.extend(mapping::brought(state, app, &plan.profile, &[Push::Always, Push::Once]));
    profile.extend(plan.own.clone());
    profile
}

/// Somebody who is in Okta already gets what the app's mapping pushes; the rest of their profile stays.
fn pushed(act: &mut Act<'_, '_>, app: &App, user: Arc<User>, plan: &Plan) -> Result<Arc<User>, Error> {
    let values = mapping::brought(act.state, app, &plan.profile, &[Push::Always]);
    let mut profile = user.profile.clone();
    fill(act.state, &mut profile, &values, "user")?;
    if profile == user.profile {
        return Ok(user);
    }
    accounts::update(act, &user, profile, Credentials::default(), None)
}

fn ask(act: &mut Act<'_, '_>, app: &App, hook: SmolStr, pending: Pending) {
    let plan = &pending.plan;
    let mut user = json!({ "profile": mapped(act.state, app, plan) });
    if let Some(id) = &plan.is {
        user["id"] = json!(id);
    }
    let conflicts: &[&str] = if plan.is.is_some() { &["login"] } else { &[] };
    let data = json!({
        "context": {
            "conflicts": conflicts,
            "application": {
                "name": app.name,
                "id": app.id,
                "label": app.label,
                "status": app.status(),
            },
            "job": { "id": pending.job, "type": "import:users" },
            "matches": plan.is.iter().collect::<Vec<_>>(),
            "policy": ["EMAIL"],
        },
        "action": { "result": if plan.is.is_some() { "LINK_USER" } else { "CREATE_USER" } },
        "appUser": { "profile": plan.profile },
        "user": user,
    });
    let body = envelope(act, TYPE, hook.to_string(), data);
    let ticket = SmolStr::from(act.tx.draw(SITE.child("import")).text(HEX, 32));
    ask_later(act, &ticket, hook, body, Stage::Import(Box::new(pending)));
}

/// Goes on with a person as the hook would have them; as the app has them where it fails or says an error.
pub(super) fn go_on(act: &mut Act<'_, '_>, hook: &SmolStr, pending: Pending, reply: &Reply) -> Answer {
    let Pending { job, at, plan } = pending;
    let wanted = match reply {
        Reply::Commands(commands, _) => {
            let obeyed = obey(act.state, plan.clone(), commands);
            processed(act, hook, obeyed.as_ref().err().cloned());
            obeyed.ok()
        }
        Reply::Refused(why, _) => {
            processed(act, hook, Some(why.clone()));
            None
        }
        Reply::TimedOut | Reply::Broken { .. } => None,
    };
    finish(act, &job, at, wanted.unwrap_or(plan));
    Answer::json(&Map::new())
}

/// Does what the commands say, all or none.
fn obey(state: &State, mut plan: Plan, commands: &[Command]) -> Result<Plan, String> {
    let (mut id, mut link) = (plan.is.clone(), plan.is.is_some());
    for Command { kind, value } in commands {
        match (kind.as_str(), value) {
            ("com.okta.appUser.profile.update", Value::Object(changes)) => plan.profile.extend(changes.clone()),
            ("com.okta.user.profile.update", Value::Object(changes)) => {
                fill(state, &mut Profile::default(), changes, "newUser").map_err(|error| error.words())?;
                plan.own.extend(changes.clone());
            }
            ("com.okta.action.update", value) => {
                link = match value["result"].as_str() {
                    Some("LINK_USER") => true,
                    Some("CREATE_USER") => false,
                    _ => return Err("The result is neither CREATE_USER nor LINK_USER".to_owned()),
                };
            }
            ("com.okta.user.update", value) => {
                let user = value["id"].as_str().and_then(|id| state.users.get(id));
                id = Some(user.ok_or("There is no user to link to")?.id.clone());
            }
            _ => return Err(format!("The command '{kind}' is not supported")),
        }
    }
    if link && id.is_none() {
        return Err("There is no user to link to".to_owned());
    }
    plan.is = id.filter(|_| link);
    Ok(plan)
}

/// Makes or links a person, and ends the import with the last.
fn finish(act: &mut Act<'_, '_>, job: &SmolStr, at: usize, plan: Plan) {
    let Some(import) = act.state.imports.get(job).cloned() else { return };
    let Some(app) = act.state.apps.get(&import.app).cloned() else { return };
    let status = if plan.is.is_some() { Status::Linked } else { Status::Created };
    let became = become_user(act, &app, &import, plan);
    act.state.imports.update(&mut act.tx.changes, job, |import| {
        let row = &mut import.people[at];
        match became {
            Ok(user) => (row.status, row.user) = (status, Some(user.id.clone())),
            Err(error) => (row.status, row.message) = (Status::Failed, error.words()),
        }
    });
    let waits = |import: &Arc<Import>| import.people.iter().any(|row| row.status == Status::Waiting);
    if !act.state.imports.get(job).is_some_and(waits) {
        act.log(&IMPORT_COMPLETE, vec![Party::app(&app)]);
    }
}

/// Makes the person, or finds who they are.
fn become_user(act: &mut Act<'_, '_>, app: &Arc<App>, import: &Import, plan: Plan) -> Result<Arc<User>, Error> {
    let user = if let Some(id) = &plan.is {
        let user = act.state.users.get(id).cloned().ok_or_else(|| Error::not_found(id, "User"))?;
        pushed(act, app, user, &plan)?
    } else {
        let mut profile = Profile::default();
        fill(act.state, &mut profile, &mapped(act.state, app, &plan), "newUser")?;
        accounts::create(act, new(profile, import.activate))?
    };
    let mut profile = plan.profile;
    let name = profile.shift_remove("userName");
    let user_name = name.as_ref().and_then(Value::as_str).map(SmolStr::new);
    assignment::assign(act, app, &user, Change { user_name, password: false, profile })?;
    Ok(user)
}

fn new(profile: Profile, activate: bool) -> NewUser {
    NewUser {
        realm: None,
        profile,
        credentials: Credentials::default(),
        groups: Vec::new(),
        activate,
        federated: false,
        expire: false,
    }
}

fn shown(job: &SmolStr, import: &Import) -> Value {
    let row = |row: &Row| json!({ "userName": row.user_name, "status": row.status, "user": row.user, "message": row.message });
    json!({ "id": job, "app": import.app, "users": import.people.iter().map(row).collect::<Vec<_>>() })
}

/// All imports, oldest first.
pub fn view(state: &State) -> Value {
    let mut rows: Vec<_> = state.imports.iter().collect();
    rows.sort_by_key(|(_, import)| import.begun);
    rows.into_iter().map(|(job, import)| shown(job, import)).collect()
}
