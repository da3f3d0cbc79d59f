//! Custom identity sources: what a client uploads in a session becomes people and groups of the org, by a job.
//!
//! See developer.okta.com/docs/guides/anything-as-a-source/ and, for the statuses of sessions,
//! support.okta.com/help/s/article/bulk-operations-workflow-and-session-status-to-manage-an-anything-as-a-source-
//! integration-with-okta.

pub mod import;
pub mod take;

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use crate::{
    Okta,
    affordances::{administer, allow},
    agents,
    error::Error,
    events,
    model::{
        Act, Acting, State,
        app::App,
        event_type::{IMPORT_COMPLETE, IMPORT_START, SOURCES_DELETE, SOURCES_UPSERT},
        identity_source::{IDLE, PEOPLE_MAX, SESSION_ID, SOURCE_ID, Session, Source, Status, Upload},
        log::Party,
    },
};

/// The timer of imports, and of sessions that nobody uses.
pub const TIMER: &str = "identity_sources";

/// How long an import waits before it begins. Okta's documents do not say; inferred.
const BEGIN: Duration = Duration::from_secs(2);

/// What is to be done with a session.
#[derive(Debug, Serialize, Deserialize)]
struct Due {
    source: SmolStr,
    session: SmolStr,
    /// The upload to take next; none where the session may have been forgotten.
    next: Option<usize>,
}

/// A source: the app that stands for it, where the org's API shows one.
///
/// Sources are made in the admin console only; a directory's agents bring one along.
///
/// # Errors
/// What is no source, or an app that is not active.
pub fn find(state: &State, id: &str) -> Result<Option<Arc<App>>, Error> {
    let known = || state.sources.get(id).is_some() || agents::pool(state, id).is_ok();
    match state.apps.get(id) {
        Some(app) if app.active => Ok(Some(app.clone())),
        None if known() => Ok(None),
        _ => Err(Error::not_found(id, "AppInstance")),
    }
}

/// A source as the System Log names it.
pub(crate) fn party(state: &State, source: &str) -> Party {
    let unknown = || SmolStr::new_static("unknown");
    let name = || state.sources.get(source).map_or_else(unknown, |source| source.name.clone());
    let without = || Party { id: source.into(), kind: "AppInstance", alternate_id: name(), display_name: name() };
    state.apps.get(source).map_or_else(without, |app| Party::app(app))
}

/// Arguments of `okta.admin.add_identity_source`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Add {
    /// What it is called.
    name: SmolStr,
}

/// The verbs.
pub fn affordances() -> Vec<Affordance<Okta>> {
    vec![Affordance::new("okta.admin.add_identity_source", "Sets up a custom identity source", add)]
}

fn add(state: &mut State, tx: &mut Tx<'_>, who: &str, with: Add) -> Result<Value, Refusal> {
    administer(state, tx, who, |act| {
        allow(act, "POST /api/v1/apps", &[])?;
        let id = act.tx.id(&SOURCE_ID);
        act.state.sources.put(&mut act.tx.changes, Source { id: id.clone(), name: with.name });
        Ok(json!({ "source": id }))
    })
}

/// Begins a session.
pub fn open(act: &mut Act<'_, '_>, source: &SmolStr) -> Arc<Session> {
    let now = act.now();
    let session = Session {
        id: act.tx.id(&SESSION_ID),
        source: source.clone(),
        status: Status::Created,
        created: now,
        last_updated: now,
        uploads: Vec::new(),
    };
    plan(act, &session, IDLE, None);
    act.state.sources.put_session(&mut act.tx.changes, session)
}

fn plan(act: &mut Act<'_, '_>, session: &Session, after: Duration, next: Option<usize>) {
    let due = Due { source: session.source.clone(), session: session.id.clone(), next };
    let at = act.tx.now.after(after);
    act.tx.timer(at, TIMER, json!(due));
}

fn misplaced(session: &Session, wanted: &str) -> Error {
    Error::invalid("session", format!("Session={} should be in {wanted} status in order to be processed", session.id))
}

/// Takes an upload into a session.
///
/// # Errors
/// A session into which nothing can be uploaded any more, or too many people.
pub fn upload(act: &mut Act<'_, '_>, session: &Session, upload: Upload) -> Result<(), Error> {
    if !session.status.is_open() {
        return Err(misplaced(session, "CREATED or IN_PROGRESS"));
    }
    if session.people() + upload.people() > PEOPLE_MAX {
        let cause = format!("profiles: A session cannot have more than {PEOPLE_MAX} users");
        return Err(Error::invalid("profiles", cause));
    }
    // People whom the source never brought are passed over; a session with nobody else stays as it was.
    let known = match &upload {
        Upload::PeopleGone(gone) => {
            gone.iter().any(|external| act.state.sources.person(&session.source, external).is_some())
        }
        _ => true,
    };
    let event = match &upload {
        Upload::People(_) | Upload::Groups(_) | Upload::Members(_) => &SOURCES_UPSERT,
        _ => &SOURCES_DELETE,
    };
    let source = party(act.state, &session.source);
    act.log(event, vec![source]);
    if known {
        let mut row = Session { status: Status::InProgress, last_updated: act.now(), ..session.clone() };
        row.uploads.push(Arc::new(upload));
        act.state.sources.put_session(&mut act.tx.changes, row);
    }
    Ok(())
}

/// Starts the import of what was uploaded.
///
/// # Errors
/// A session into which nothing was uploaded, or one that is over.
pub fn start(act: &mut Act<'_, '_>, session: &Session) -> Result<Arc<Session>, Error> {
    if session.status != Status::InProgress {
        return Err(misplaced(session, "IN_PROGRESS"));
    }
    let row = Session { status: Status::Triggered, last_updated: act.now(), ..session.clone() };
    let row = act.state.sources.put_session(&mut act.tx.changes, row);
    plan(act, &row, BEGIN, Some(0));
    Ok(row)
}

/// Cancels a session; one that is over stays as it is.
pub fn close(act: &mut Act<'_, '_>, session: &Session) {
    if session.status.is_open() || session.status == Status::Triggered {
        become_status(act, session, Status::Closed);
    }
}

fn become_status(act: &mut Act<'_, '_>, session: &Session, status: Status) {
    // What was uploaded is no longer needed.
    let row = Session { status, last_updated: act.now(), uploads: Vec::new(), ..session.clone() };
    act.state.sources.put_session(&mut act.tx.changes, row);
}

/// Does what is due: one upload at a time, so that nobody waits long.
pub fn due(state: &mut State, tx: &mut Tx<'_>, data: &Value) {
    let Ok(due) = serde_json::from_value::<Due>(data.clone()) else { return };
    let mut act = Act::new(state, tx, Acting::system());
    act.by.transaction.id = due.session.clone();
    let Some(session) = act.state.sources.session(&due.source, &due.session).cloned() else { return };
    match due.next {
        None if session.status == Status::Created => become_status(&mut act, &session, Status::Expired),
        Some(next) if session.status == Status::Triggered => go_on(&mut act, &session, next),
        _ => {}
    }
    events::announce(&mut act);
}

fn go_on(act: &mut Act<'_, '_>, session: &Session, next: usize) {
    // An app that has gone meanwhile takes the import with it.
    if find(act.state, &session.source).is_err() {
        return become_status(act, session, Status::Error);
    }
    let source = party(act.state, &session.source);
    if next == 0 {
        act.log(&IMPORT_START, vec![source.clone()]);
    }
    let uploads = session.in_turn();
    if let Some(upload) = uploads.get(next) {
        import::take(act, &session.source, upload);
    }
    if next + 1 < uploads.len() {
        return plan(act, session, Duration::ZERO, Some(next + 1));
    }
    become_status(act, session, Status::Completed);
    act.log(&IMPORT_COMPLETE, vec![source]);
}

/// What a member of a list is called in an error: `profiles[3].externalId`.
fn at(list: &str, index: usize, member: &str) -> SmolStr {
    format_smolstr!("{list}[{index}].{member}")
}
