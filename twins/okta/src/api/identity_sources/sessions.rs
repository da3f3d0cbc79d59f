//! Sessions of uploads, and the import of what was uploaded.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
    wire::Answer,
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{Body, DELETE, GET, LIMIT, POST};
use crate::{
    Okta,
    api::{act, no_content, stamp},
    error::Error,
    identity_sources::{self as sources, take},
    input::object,
    model::{
        State,
        identity_source::{Session, Upload},
    },
};

/// The rows of the table.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/identity-sources/{identitySourceId}/sessions";
    const ONE: &str = "/api/v1/identity-sources/{identitySourceId}/sessions/{sessionId}";
    const START: &str = "/api/v1/identity-sources/{identitySourceId}/sessions/{sessionId}/start-import";
    [
        Operation::read("listIdentitySourceSessions", GET, ALL, list),
        Operation::write("createIdentitySourceSession", POST, ALL, create),
        Operation::read("getIdentitySourceSession", GET, ONE, get),
        Operation::write("deleteIdentitySourceSession", DELETE, ONE, delete),
        Operation::write("startImportFromIdentitySource", POST, START, start),
    ]
    .into_iter()
    .chain(uploads())
    .map(|row| row.limit(LIMIT))
    .collect()
}

fn uploads() -> Vec<Operation<Okta>> {
    const PEOPLE: &str = "/api/v1/identity-sources/{identitySourceId}/sessions/{sessionId}/bulk-upsert";
    const PEOPLE_GONE: &str = "/api/v1/identity-sources/{identitySourceId}/sessions/{sessionId}/bulk-delete";
    const GROUPS: &str = "/api/v1/identity-sources/{identitySourceId}/sessions/{sessionId}/bulk-groups-upsert";
    const GROUPS_GONE: &str = "/api/v1/identity-sources/{identitySourceId}/sessions/{sessionId}/bulk-groups-delete";
    const MEMBERS: &str =
        "/api/v1/identity-sources/{identitySourceId}/sessions/{sessionId}/bulk-group-memberships-upsert";
    const MEMBERS_GONE: &str =
        "/api/v1/identity-sources/{identitySourceId}/sessions/{sessionId}/bulk-group-memberships-delete";
    vec![
        Operation::write("uploadIdentitySourceDataForUpsert", POST, PEOPLE, |cx, args| upload(cx, args, take::people)),
        Operation::write("uploadIdentitySourceDataForDelete", POST, PEOPLE_GONE, |cx, args| {
            upload(cx, args, take::people_gone)
        }),
        Operation::write("uploadIdentitySourceGroupsForUpsert", POST, GROUPS, |cx, args| {
            upload(cx, args, take::groups)
        }),
        Operation::write("uploadIdentitySourceGroupsDataForDelete", POST, GROUPS_GONE, |cx, args| {
            upload(cx, args, take::groups_gone)
        }),
        Operation::write("uploadIdentitySourceGroupMembershipsForUpsert", POST, MEMBERS, |cx, args| {
            upload(cx, args, |body| take::members(body).map(Upload::Members))
        }),
        Operation::write("uploadIdentitySourceGroupMembershipsForDelete", POST, MEMBERS_GONE, |cx, args| {
            upload(cx, args, |body| take::members(body).map(Upload::MembersGone))
        }),
    ]
}

/// A session as Okta shows it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SessionBody {
    id: SmolStr,
    identity_source_id: SmolStr,
    status: &'static str,
    import_type: &'static str,
    created: String,
    last_updated: String,
}

impl SessionBody {
    fn new(session: &Session) -> Self {
        Self {
            id: session.id.clone(),
            identity_source_id: session.source.clone(),
            status: session.status.text(),
            import_type: "INCREMENTAL",
            created: stamp(session.created),
            last_updated: stamp(session.last_updated),
        }
    }
}

/// A source.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Of {
    identity_source_id: SmolStr,
}

/// A session of a source.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Which {
    identity_source_id: SmolStr,
    session_id: SmolStr,
}

/// An upload into a session.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Sent {
    identity_source_id: SmolStr,
    session_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Body,
}

fn find(state: &State, source: &str, id: &str) -> Result<Arc<Session>, Error> {
    sources::find(state, source)?;
    state.sources.session(source, id).cloned().ok_or_else(|| Error::not_found(id, "IdentitySourceSession"))
}

fn list(cx: &Read<'_, Okta>, args: Of) -> Result<Typed<Vec<SessionBody>>, Error> {
    sources::find(cx.state, &args.identity_source_id)?;
    let all = cx.state.sources.sessions(&args.identity_source_id);
    Ok(Typed::ok(&all.map(|session| SessionBody::new(session)).collect::<Vec<_>>()))
}

/// The answer's status is recorded; the document has another.
fn create(cx: &mut Write<'_, '_, Okta>, args: Of) -> Result<Typed<SessionBody>, Error> {
    sources::find(cx.state, &args.identity_source_id)?;
    let session = act(cx, |act| Ok(sources::open(act, &args.identity_source_id)))?;
    Ok(Typed::ok(&SessionBody::new(&session)).with_status(StatusCode::CREATED))
}

fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<SessionBody>, Error> {
    find(cx.state, &args.identity_source_id, &args.session_id).map(|session| Typed::ok(&SessionBody::new(&session)))
}

fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let session = find(cx.state, &args.identity_source_id, &args.session_id)?;
    act(cx, |act| {
        sources::close(act, &session);
        Ok(())
    })?;
    Ok(no_content())
}

fn start(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<SessionBody>, Error> {
    let session = find(cx.state, &args.identity_source_id, &args.session_id)?;
    let session = act(cx, |act| sources::start(act, &session))?;
    Ok(Typed::ok(&SessionBody::new(&session)))
}

fn upload(
    cx: &mut Write<'_, '_, Okta>,
    args: Sent,
    read: fn(&Body) -> Result<Upload, Error>,
) -> Result<Typed<()>, Error> {
    let session = find(cx.state, &args.identity_source_id, &args.session_id)?;
    let sent = read(&args.body)?;
    act(cx, |act| sources::upload(act, &session, sent))?;
    Ok(Typed::from_answer(Answer::empty(StatusCode::ACCEPTED)))
}
