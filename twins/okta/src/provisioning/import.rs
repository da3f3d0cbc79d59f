//! Imports: an app's SCIM server is asked who is in it, and which groups, page by page (RFC 7644, section 3.4.2).
//!
//! People whom an app has brought before are brought up to date; others are matched, and made, linked or left to an
//! administrator by the app's rules ([`crate::inline_hooks::import`]). Whom and what a full import does not find any
//! more ends here, too. What becomes of accounts that are not active, Okta's documents do not say; that they count as
//! gone is inferred.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use dtu_kernel::{
    delivery::{Delivery, Next, Outbound, Outcome},
    time::Timestamp,
    tx::Tx,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    calls::{again, id, outbound, read},
    user,
};
use crate::{
    api::profiles::fill,
    events,
    identity_sources::import as sources,
    inline_hooks::import::{self as people, Rules},
    model::{
        Act, Acting, State,
        accounts::{self, Credentials},
        app::App,
        assignment::{self, Change},
        event_type::{IMPORT_USER_DELETE, IMPORT_USER_UPDATE},
        identity_source::{Brought, Person},
        log::Party,
        mapping::{self, Push},
        provisioning::{Account, Run, Stage},
        user::User,
    },
    policy::Members,
};

/// A call of an import.
pub(crate) const IMPORT: &str = "scim_import";
/// How many people or groups Okta asks for at once (developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/).
const PAGE: u64 = 100;
/// The most pages of one list: a server that never comes to an end is not asked for ever.
const PAGES_MAX: u64 = 1_000;
/// An import of which nothing was heard for so long is over.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum List {
    Users,
    Groups,
}

/// A call.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Call {
    app: SmolStr,
    job: SmolStr,
    list: List,
    start: u64,
}

/// Begins an import; gives back its id. A full one ends what the app has no longer.
///
/// # Errors
/// In words: an app from which nothing is imported, an import under way.
pub(crate) fn begin(act: &mut Act<'_, '_>, app: &App, full: bool) -> Result<SmolStr, String> {
    let connection = act.state.provisioning.connection(&app.id).filter(|one| one.enabled && one.imports && app.active);
    let connection = connection.filter(|connection| connection.base_url.is_some());
    let inbound = connection.map(|connection| connection.inbound.clone());
    let inbound = inbound.ok_or_else(|| format!("nothing is imported from the app `{}`", app.label))?;
    let now = act.now();
    let running = act.state.provisioning.runs.get(&app.id).is_some_and(|run| now.since(run.heard) < PATIENCE);
    if running {
        return Err(format!("an import from the app `{}` is under way", app.label));
    }
    let job = people::begin_from_server(act, app, Rules::of(&inbound));
    let run = Run { job: job.clone(), heard: now, full, people: BTreeSet::new(), groups: BTreeSet::new() };
    act.state.provisioning.runs.put(&mut act.tx.changes, app.id.clone(), run);
    ask(act, Call { app: app.id.clone(), job: job.clone(), list: List::Users, start: 1 });
    Ok(job)
}

fn ask(act: &mut Act<'_, '_>, call: Call) {
    act.tx.deliver(IMPORT, json!(call));
}

/// Builds an attempt; none where the app is gone.
pub(crate) fn prepare(state: &State, delivery: &Delivery) -> Option<Outbound> {
    let call: Call = serde_json::from_value(delivery.payload.clone()).ok()?;
    let path = format!("/{:?}?startIndex={}&count={PAGE}", call.list, call.start);
    outbound(state, delivery, &call.app, ("GET", &path), None)
}

/// Takes in what came of an attempt: people or groups, and the next call.
pub(crate) fn delivered(state: &mut State, tx: &mut Tx<'_>, delivery: &Delivery, outcome: &Outcome) -> Next {
    let Ok(call) = serde_json::from_value::<Call>(delivery.payload.clone()) else { return Next::Done };
    let mut act = Act::new(state, tx, Acting::system());
    let run = act.state.provisioning.runs.get(&call.app).filter(|run| run.job == call.job);
    let Some((run, app)) = run.map(|run| Run::clone(run)).zip(act.state.apps.get(&call.app).cloned()) else {
        return Next::Done;
    };
    if let Some(again) = again(delivery, outcome) {
        return again;
    }
    act.by.transaction.id = call.job.clone();
    // A server may have no groups.
    let groupless = matches!(outcome, Outcome::Answered { status: 404 | 501, .. }) && call.list == List::Groups;
    let answer = if groupless { Ok(Map::new()) } else { read(outcome, false) };
    match answer {
        Ok(answer) => take(&mut act, &app, run, call, &answer),
        Err(why) => end(&mut act, &app, &call.job, Some(&why)),
    }
    events::announce(&mut act);
    Next::Done
}

fn take(act: &mut Act<'_, '_>, app: &Arc<App>, mut run: Run, call: Call, answer: &Map<String, Value>) {
    let found = answer.get("Resources").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let found: Vec<&Map<String, Value>> = found.iter().filter_map(Value::as_object).collect();
    for resource in &found {
        let Some(external) = id(resource) else { continue };
        match call.list {
            List::Users if resource.get("active") != Some(&Value::Bool(false)) => {
                run.people.insert(external.clone());
                person(act, app, &call.job, &external, user::read(resource));
            }
            List::Users => {}
            List::Groups => {
                run.groups.insert(external.clone());
                group(act, app, &external, resource);
            }
        }
    }
    run.heard = act.now();
    let total = answer.get("totalResults").and_then(Value::as_u64).unwrap_or_default();
    let next = call.start + found.len() as u64;
    act.state.provisioning.runs.put(&mut act.tx.changes, app.id.clone(), run.clone());
    match call.list {
        list if !found.is_empty() && next <= total && next < PAGE * PAGES_MAX => {
            ask(act, Call { start: next, list, ..call });
        }
        List::Users => ask(act, Call { list: List::Groups, start: 1, ..call }),
        List::Groups => {
            if run.full {
                let_go(act, app, &run);
            }
            end(act, app, &call.job, None);
        }
    }
}

fn end(act: &mut Act<'_, '_>, app: &App, job: &SmolStr, error: Option<&str>) {
    act.state.provisioning.runs.remove(&mut act.tx.changes, &app.id);
    people::end(act, job, error);
}

/// Somebody whom the app has: known, or to be matched.
fn person(act: &mut Act<'_, '_>, app: &Arc<App>, job: &SmolStr, external: &SmolStr, profile: Members) {
    let known = act.state.sources.person(&app.id, external).cloned();
    let known = known.and_then(|known| Some((act.state.users.get(&known.user).cloned()?, known)));
    let Some((user, known)) = known else { return people::offer_from_server(act, app, job, external, profile) };
    if known.profile == profile {
        return;
    }
    let updated = update(act, app, &user, &profile);
    linked(act, app, &user, external, &profile);
    let outcome = updated.map_or_else(crate::model::log::Outcome::failure, |()| crate::model::log::Outcome::SUCCESS);
    act.log_outcome(&IMPORT_USER_UPDATE, vec![Party::user(&user), Party::app(app)], outcome);
}

/// Brings up to date what the app's mapping pushes to Okta, and what the app itself has.
fn update(act: &mut Act<'_, '_>, app: &Arc<App>, user: &Arc<User>, profile: &Members) -> Result<(), String> {
    let values = mapping::brought(act.state, app, profile, &[Push::Always]);
    let mut own = user.profile.clone();
    fill(act.state, &mut own, &values, "user").map_err(|error| error.words())?;
    let mut user = user.clone();
    if own != user.profile {
        user = accounts::update(act, &user, own, Credentials::default(), None).map_err(|error| error.words())?;
    }
    let mut theirs = profile.clone();
    let name = theirs.shift_remove("userName");
    let user_name = name.as_ref().and_then(Value::as_str).map(SmolStr::new);
    let change = Change { user_name, password: false, profile: theirs };
    assignment::assign(act, app, &user, change).map_err(|error| error.words())
}

/// Notes who somebody of the app is in Okta. Their account there needs no making.
pub(crate) fn linked(act: &mut Act<'_, '_>, app: &App, user: &User, external: &SmolStr, profile: &Members) {
    let now = act.now();
    let created = act.state.sources.person(&app.id, external).map_or(now, |known| known.created);
    let row = Person {
        external: external.clone(),
        user: user.id.clone(),
        created,
        last_updated: now,
        profile: profile.clone(),
    };
    act.state.sources.put_person(&mut act.tx.changes, &app.id, row);
    let account = act.state.provisioning.account(&app.id, &user.id).map(|account| Account::clone(account));
    let mut account = account.unwrap_or_else(|| Account::new(app.id.clone(), user.id.clone(), now));
    if account.stage != Stage::Provisioned {
        (account.stage, account.since) = (Stage::Provisioned, now);
    }
    (account.external, account.synced) = (Some(external.clone()), Some(now));
    act.state.provisioning.put(&mut act.tx.changes, account);
}

/// A group that the app has, with those of its people whom Okta knows.
fn group(act: &mut Act<'_, '_>, app: &App, external: &SmolStr, resource: &Map<String, Value>) {
    let name = resource.get("displayName").and_then(Value::as_str).unwrap_or_default();
    let mut profile = Map::new();
    profile.insert("displayName".to_owned(), json!(name));
    let known = act.state.sources.group(&app.id, external).is_some_and(|known| known.profile == profile);
    if !known && sources::bring_group(act, &app.id, &Brought { external: external.clone(), profile }).is_err() {
        return;
    }
    let Some(known) = act.state.sources.group(&app.id, external).cloned() else { return };
    let members = resource.get("members").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let wanted: BTreeSet<SmolStr> = members
        .iter()
        .filter_map(|member| act.state.sources.person(&app.id, member["value"].as_str()?))
        .map(|person| person.external.clone())
        .collect();
    let now: Vec<SmolStr> = act.state.members.of_group(&known.group, "").cloned().collect();
    let now: BTreeSet<SmolStr> =
        now.iter().filter_map(|user| act.state.sources.external_of(&app.id, user).cloned()).collect();
    // People who cannot be in groups are passed over.
    for person in wanted.difference(&now) {
        let _ = sources::join(act, &app.id, external, person);
    }
    for person in now.difference(&wanted) {
        let _ = sources::leave(act, &app.id, external, person);
    }
}

/// Ends what the app has no longer: people lose the app, groups go.
fn let_go(act: &mut Act<'_, '_>, app: &Arc<App>, run: &Run) {
    let gone: Vec<Arc<Person>> =
        act.state.sources.people_of(&app.id).filter(|known| !run.people.contains(&known.external)).cloned().collect();
    for known in gone {
        act.state.sources.drop_person(&mut act.tx.changes, &app.id, &known);
        let Some(user) = act.state.users.get(&known.user).cloned() else { continue };
        // What is gone in the app needs no deactivating there.
        if let Some(account) = act.state.provisioning.account(&app.id, &user.id).map(|one| Account::clone(one)) {
            let account = Account { external: None, stage: Stage::Deprovisioned, since: act.now(), ..account };
            act.state.provisioning.put(&mut act.tx.changes, account);
        }
        // Whoever has the app by a group keeps it.
        let _ = assignment::unassign(act, app, &user);
        act.log(&IMPORT_USER_DELETE, vec![Party::user(&user), Party::app(app)]);
    }
    let gone: Vec<SmolStr> = act.state.sources.groups_of(&app.id).map(|known| known.external.clone()).collect();
    for external in gone.iter().filter(|external| !run.groups.contains(*external)) {
        let _ = sources::end_group(act, &app.id, external);
    }
}

/// When the next import of an app begins that its schedule wants, and whether that is a full one.
pub(crate) fn next(inbound: &Value, after: Timestamp) -> Option<(Timestamp, bool)> {
    let schedule = &inbound["importSettings"]["schedule"];
    if schedule["status"] != "ENABLED" {
        return None;
    }
    let of = |name: &str, full: bool| Some((super::schedule::next(&schedule[name], after)?, full));
    let all = [of("fullImport", true), of("incrementalImport", false)];
    // At the same time, the full one goes first.
    all.into_iter().flatten().min_by_key(|(at, full)| (*at, !*full))
}

/// The timer of scheduled imports.
pub(crate) const TIMER: &str = "app_import";

#[derive(Debug, Serialize, Deserialize)]
struct Due {
    app: SmolStr,
    schedule: Value,
    full: bool,
}

/// Sets the clock for the next import of an app, where it has a schedule.
pub(crate) fn plan(act: &mut Act<'_, '_>, app: &str) {
    let Some(connection) = act.state.provisioning.connection(app).filter(|one| one.enabled && one.imports) else {
        return;
    };
    let schedule = connection.inbound["importSettings"]["schedule"].clone();
    if let Some((at, full)) = next(&connection.inbound, act.tx.now) {
        act.tx.timer(at, TIMER, json!(Due { app: app.into(), schedule, full }));
    }
}

/// A scheduled import is due; nothing happens where the schedule has changed since. Where one is under way, this one is
/// left out.
pub(crate) fn due(state: &mut State, tx: &mut Tx<'_>, data: &Value) {
    let Ok(due) = serde_json::from_value::<Due>(data.clone()) else { return };
    let mut act = Act::new(state, tx, Acting::system());
    let connection = act.state.provisioning.connection(&due.app);
    let same = connection.is_some_and(|one| one.inbound["importSettings"]["schedule"] == due.schedule);
    let Some(app) = act.state.apps.get(&due.app).filter(|_| same).cloned() else { return };
    let _ = begin(&mut act, &app, due.full);
    plan(&mut act, &due.app);
    events::announce(&mut act);
}
