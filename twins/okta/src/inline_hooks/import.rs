//! The user import hook: it is told of each person whom an app brings, and says who they are in Okta.
//!
//! Imports are started in the admin console, which is no call of the API, or by a schedule: they come as affordances, and
//! what became of each person shows in the view `imports`. An app's SCIM server is asked who is in it
//! ([`crate::provisioning::import`]); whom that brings waits for an administrator where the app's rules say so. Without
//! an answer of the hook, the person is made as the app has them.
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
        event_type::{IMPORT_COMPLETE, IMPORT_START, IMPORT_USER_CREATE, IMPORT_USER_UPDATE},
        log::{Outcome, Party},
        mapping::{self, Push},
        profile::{Attribute, Profile},
        shape,
        user::{User, UserField},
    },
    provisioning::import as server,
};

/// The hook's type.
pub const TYPE: &str = "com.okta.import.transform";
/// The table of imports.
pub const TABLE: &str = "imports";
/// The table of people whom imports bring, by import and number.
pub const ROWS: &str = "imported_people";

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
    /// Its place among all imports: several may begin at one time.
    number: u64,
    activate: bool,
    /// What becomes of people by themselves; all of it where an administrator brings them by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Rules>,
    /// How many people it has brought so far.
    people: u64,
    /// Of how many of them a hook has still to speak.
    waiting: u64,
    /// Whether more are to come.
    open: bool,
    /// Why it ended too soon.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<SmolStr>,
}

/// Whom an app's rules take for whom, and what they do with them without an administrator
/// (`importRules.userCreateAndMatch`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of Okta's")]
pub struct Rules {
    /// Whether names count for exact matches, and not mail addresses.
    by_username: bool,
    /// Whether first and last names count for partial ones.
    partial: bool,
    confirm_exact: bool,
    confirm_partial: bool,
    confirm_new: bool,
    activate_new: bool,
}

impl Rules {
    /// What `INBOUND_PROVISIONING` says.
    pub(crate) fn of(inbound: &Value) -> Self {
        let rules = &inbound["importRules"]["userCreateAndMatch"];
        let flag = |name: &str| rules[name] == true;
        Self {
            by_username: rules["exactMatchCriteria"] == "USERNAME",
            partial: flag("allowPartialMatch"),
            confirm_exact: flag("autoConfirmExactMatch"),
            confirm_partial: flag("autoConfirmPartialMatch"),
            confirm_new: flag("autoConfirmNewUsers"),
            activate_new: flag("autoActivateNewUsers"),
        }
    }

    /// Whether nobody is asked what becomes of somebody.
    const fn confirms(self, plan: &Plan) -> bool {
        match (&plan.is, plan.matching) {
            (None, _) => self.confirm_new,
            (Some(_), Matching::Partial) => self.confirm_partial,
            (Some(_), _) => self.confirm_exact,
        }
    }
}

/// One person of an import.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    user_name: SmolStr,
    status: Status,
    user: Option<SmolStr>,
    message: String,
    /// The app's own id of the person, where a server brought them.
    #[serde(skip_serializing_if = "Option::is_none")]
    external: Option<SmolStr>,
    /// What is done once an administrator says so.
    #[serde(skip)]
    plan: Option<Box<Plan>>,
}

/// How far a person has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Waiting,
    Unconfirmed,
    Created,
    Linked,
    Failed,
}

/// A person whom the hook is asked about.
#[derive(Clone, Debug)]
pub struct Pending {
    job: SmolStr,
    at: u64,
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
    /// How sure that is.
    matching: Matching,
    /// The app's own id of them, where a server brought them.
    external: Option<SmolStr>,
}

/// How sure it is whom somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matching {
    Exact,
    Partial,
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
    vec![
        Affordance::new("okta.admin.import_users", "Imports people from an app in the admin console", import),
        Affordance::new(
            "okta.admin.confirm_import",
            "Confirms people of an app's last import who wait for it in the admin console",
            confirm,
        ),
    ]
}

fn import(state: &mut State, tx: &mut Tx<'_>, who: &str, with: ImportUsers) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let app = find_app(act, &with.app)?;
        allow(act, "POST /api/v1/apps/{appId}/connections/default", &[("appId", &app.id)])?;
        if with.users.is_empty() || with.users.len() > PEOPLE_MAX {
            return Err(Refusal::new(format!("an import has 1 to {PEOPLE_MAX} people")));
        }
        let job = begin(act, &app, None, with.activate.unwrap_or(true));
        for person in &with.users {
            let profile = json!(person).as_object().cloned().unwrap_or_default();
            let is = matched(act.state, &person.email);
            let plan = Plan { profile, own: Map::new(), is, matching: Matching::Exact, external: None };
            offer(act, &app, &job, plan);
        }
        end(act, &job, None);
        Ok(act.state.imports.get(&job).map(|import| shown(act.state, &job, import)).unwrap_or_default())
    })
}

/// Arguments of `okta.admin.confirm_import`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmImport {
    /// The app, by label or id.
    app: String,
    /// Names in the app of people who wait; all who wait where nothing is said.
    #[serde(default)]
    users: Option<Vec<String>>,
    /// Whether new people are activated at once; as the app's rules have it where nothing is said.
    #[serde(default)]
    activate: Option<bool>,
}

/// Confirms what the last import of an app has found out of people.
fn confirm(state: &mut State, tx: &mut Tx<'_>, who: &str, with: ConfirmImport) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        let app = find_app(act, &with.app)?;
        allow(act, "POST /api/v1/apps/{appId}/users/{userId}", &[("appId", &app.id), ("userId", &app.id)])?;
        let last = act.state.imports.iter().filter(|(_, import)| import.app == app.id);
        let last =
            last.max_by_key(|(_, import)| import.number).map(|(job, import)| (job.clone(), Import::clone(import)));
        let Some((job, import)) = last else {
            return Err(Refusal::new(format!("nobody was imported from the app `{}`", app.label)));
        };
        let wanted =
            |row: &Row| with.users.as_ref().is_none_or(|names| names.iter().any(|name| *name == row.user_name));
        let waits = |row: &Row| row.status == Status::Unconfirmed && wanted(row);
        let rows: Vec<(u64, Row)> = rows(act.state, &job).filter(|(_, row)| waits(row)).collect();
        if rows.is_empty() {
            return Err(Refusal::new("nobody of these waits to be confirmed"));
        }
        let import = Import { activate: with.activate.unwrap_or(import.activate), ..import };
        for (at, row) in rows {
            if let Some(plan) = row.plan {
                settle(act, &app, &import, &job, at, *plan);
            }
        }
        Ok(act.state.imports.get(&job).map(|import| shown(act.state, &job, import)).unwrap_or_default())
    })
}

/// The people of an import, in their order.
fn rows<'a>(state: &'a State, job: &SmolStr) -> impl Iterator<Item = (u64, Row)> + use<'a> {
    let job = job.clone();
    let from = state.imported_people.range((job.clone(), 0)..);
    from.take_while(move |((of, _), _)| *of == job).map(|((_, at), row)| (*at, Row::clone(row)))
}

/// Begins an import of an app whose server is asked who is in it.
pub(crate) fn begin_from_server(act: &mut Act<'_, '_>, app: &App, rules: Rules) -> SmolStr {
    begin(act, app, Some(rules), rules.activate_new)
}

/// Takes somebody whom a server brings, by the app's own id.
pub(crate) fn offer_from_server(act: &mut Act<'_, '_>, app: &App, job: &SmolStr, external: &SmolStr, profile: Members) {
    let rules = act.state.imports.get(job).and_then(|import| import.rules);
    let found = rules.and_then(|rules| whom(act.state, rules, &profile));
    let (is, matching) = found.map_or((None, Matching::Exact), |(id, matching)| (Some(id), matching));
    let plan = Plan { profile, own: Map::new(), is, matching, external: Some(external.clone()) };
    offer(act, app, job, plan);
}

/// Whom the rules take somebody for.
fn whom(state: &State, rules: Rules, profile: &Members) -> Option<(SmolStr, Matching)> {
    let text = |name: &str| profile.get(name).and_then(Value::as_str).unwrap_or_default();
    let exact = if rules.by_username {
        state.users.by_login(text("userName")).map(|user| user.id.clone())
    } else {
        Some(text("email")).filter(|email| !email.is_empty()).and_then(|email| matched(state, email))
    };
    if let Some(id) = exact {
        return Some((id, Matching::Exact));
    }
    let same = state.users.with_value(UserField::Profile(Attribute::LAST_NAME), text("lastName"));
    let first = text("firstName").to_lowercase();
    let mut same = same.filter(|user| user.profile.get(Attribute::FIRST_NAME).to_lowercase() == first);
    let one = same.next().filter(|_| rules.partial && !first.is_empty() && !text("lastName").is_empty())?;
    same.next().is_none().then(|| (one.id.clone(), Matching::Partial))
}

/// Adds somebody to an import: the hook is asked of them first where there is one.
fn offer(act: &mut Act<'_, '_>, app: &App, job: &SmolStr, plan: Plan) {
    let Some(import) = act.state.imports.get(job).map(|import| Import::clone(import)) else { return };
    let at = import.people;
    let user_name = plan.profile.get("userName").and_then(Value::as_str).unwrap_or_default().into();
    let external = plan.external.clone();
    let row = Row { user_name, status: Status::Waiting, user: None, message: String::new(), external, plan: None };
    act.state.imported_people.put(&mut act.tx.changes, (job.clone(), at), row);
    let grown = Import { people: at + 1, waiting: import.waiting + 1, ..import };
    act.state.imports.put(&mut act.tx.changes, job.clone(), grown);
    let pending = Pending { job: job.clone(), at, plan };
    match first(act.state, TYPE) {
        Some(hook) => ask(act, app, hook, pending),
        None => finish(act, &pending.job, at, pending.plan),
    }
}

/// An import brings nobody more; it is over once no hook has anything more to say.
pub(crate) fn end(act: &mut Act<'_, '_>, job: &SmolStr, error: Option<&str>) {
    let Some(import) = act.state.imports.get(job).map(|import| Import::clone(import)) else { return };
    let import = Import { open: false, error: error.map(SmolStr::from), ..import };
    act.state.imports.put(&mut act.tx.changes, job.clone(), import);
    close(act, job);
}

fn close(act: &mut Act<'_, '_>, job: &SmolStr) {
    let Some(import) = act.state.imports.get(job).filter(|one| !one.open && one.waiting == 0).cloned() else { return };
    let target = act.state.apps.get(&import.app).map(|app| Party::app(app));
    let outcome = import.error.as_ref().map_or(Outcome::SUCCESS, |why| Outcome::failure(why.clone()));
    act.log_outcome(&IMPORT_COMPLETE, target.into_iter().collect(), outcome);
}

fn begin(act: &mut Act<'_, '_>, app: &App, rules: Option<Rules>, activate: bool) -> SmolStr {
    let job = act.tx.id(&JOB_ID);
    let (app_id, begun, number) = (app.id.clone(), act.tx.now, act.state.log.next_seq());
    let import = Import { app: app_id, begun, number, activate, rules, people: 0, waiting: 0, open: true, error: None };
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
    let rules = act.state.imports.get(&pending.job).and_then(|import| import.rules);
    let by_username = rules.is_some_and(|rules| rules.by_username);
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
            "policy": [if by_username { "USERNAME" } else { "EMAIL" }],
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

/// Makes or links a person, or lets them wait for an administrator, and ends the import with the last.
fn finish(act: &mut Act<'_, '_>, job: &SmolStr, at: u64, plan: Plan) {
    let Some(import) = act.state.imports.get(job).cloned() else { return };
    let Some(app) = act.state.apps.get(&import.app).cloned() else { return };
    if import.rules.is_none_or(|rules| rules.confirms(&plan)) {
        settle(act, &app, &import, job, at, plan);
    } else {
        act.state.imported_people.update(&mut act.tx.changes, &(job.clone(), at), |row| {
            (row.status, row.user, row.plan) = (Status::Unconfirmed, plan.is.clone(), Some(Box::new(plan)));
        });
    }
    act.state.imports.update(&mut act.tx.changes, job, |import| import.waiting -= 1);
    close(act, job);
}

/// Makes or links a person.
fn settle(act: &mut Act<'_, '_>, app: &Arc<App>, import: &Import, job: &SmolStr, at: u64, plan: Plan) {
    let status = if plan.is.is_some() { Status::Linked } else { Status::Created };
    let became = become_user(act, app, import, plan);
    act.state.imported_people.update(&mut act.tx.changes, &(job.clone(), at), |row| {
        row.plan = None;
        match became {
            Ok(user) => (row.status, row.user) = (status, Some(user.id.clone())),
            Err(error) => (row.status, row.message) = (Status::Failed, error.words()),
        }
    });
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
    if let Some(external) = &plan.external {
        server::linked(act, app, &user, external, &plan.profile);
        let event = if plan.is.is_some() { &IMPORT_USER_UPDATE } else { &IMPORT_USER_CREATE };
        act.log(event, vec![Party::user(&user), Party::app(app)]);
    }
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

fn shown(state: &State, job: &SmolStr, import: &Import) -> Value {
    let row = |(_, row): (u64, Row)| {
        let mut shown =
            json!({ "userName": row.user_name, "status": row.status, "user": row.user, "message": row.message });
        if let Some(external) = row.external {
            shown["externalId"] = json!(external);
        }
        shown
    };
    let mut shown = json!({ "id": job, "app": import.app, "users": rows(state, job).map(row).collect::<Vec<_>>() });
    if let Some(error) = &import.error {
        shown["error"] = json!(error);
    }
    shown
}

/// All imports, oldest first.
pub fn view(state: &State) -> Value {
    let mut rows: Vec<_> = state.imports.iter().collect();
    rows.sort_by_key(|(_, import)| import.number);
    rows.into_iter().map(|(job, import)| shown(state, job, import)).collect()
}
