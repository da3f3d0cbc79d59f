//! What authorization servers write into the System Log.
//!
//! See developer.okta.com/docs/reference/api/event-types/.

use dtu_kernel::{twin::Scene, wire::Request};
use http::header;
use smol_str::SmolStr;

use super::mint::Grant;
use crate::{
    api::request_id,
    model::{
        Act, Acting,
        client::Client,
        event_type::{
            AS_ACCESS, AS_CODE, AS_ID, AS_REFRESH, AS_REUSE, AS_REVOKE, EventType, ORG_ACCESS, ORG_CODE, ORG_ID,
            ORG_REFRESH, ORG_REUSE, ORG_REVOKE,
        },
        grant::Kind,
        log::{Client as From, Party, Transaction},
        user::User,
    },
};

/// A client as actor or target.
pub fn party(client: &Client) -> Party {
    Party {
        id: client.id.clone(),
        kind: "PublicClientApp",
        alternate_id: client.id.clone(),
        display_name: client.name.clone(),
    }
}

/// Who acts in a call: a client, or a person.
pub fn acting(scene: &Scene<'_>, actor: Party) -> Acting {
    Acting { actor, client: from(scene.request), transaction: transaction(scene) }
}

fn from(request: &Request) -> From {
    let agent = request.header(header::USER_AGENT).unwrap_or_default().into();
    From { address: SmolStr::new_static("127.0.0.1"), agent }
}

/// Addresses carry codes and tokens: only their path is logged.
fn transaction(scene: &Scene<'_>) -> Transaction {
    let path = SmolStr::new(&scene.request.path);
    Transaction {
        kind: "WEB",
        id: request_id(scene.request_bits).into(),
        token: SmolStr::default(),
        uri: path.clone(),
        url: path,
    }
}

fn targets(grant: &Grant) -> Vec<Party> {
    let user = grant.user.as_ref().map(|user| Party::user(user));
    [party(&grant.client)].into_iter().chain(user).collect()
}

/// A token was given out.
pub fn granted(act: &mut Act<'_, '_>, grant: &Grant, kind: Kind) {
    let org = grant.issuer.is_org();
    let event: &'static EventType = match (kind, org) {
        (Kind::Access, true) => &ORG_ACCESS,
        (Kind::Access, false) => &AS_ACCESS,
        (Kind::Id, true) => &ORG_ID,
        (Kind::Id, false) => &AS_ID,
        (Kind::Refresh, true) => &ORG_REFRESH,
        (Kind::Refresh, false) => &AS_REFRESH,
    };
    act.log(event, targets(grant));
}

/// A code was given out.
pub fn coded(act: &mut Act<'_, '_>, org: bool, client: &Client, user: &User) {
    act.log(if org { &ORG_CODE } else { &AS_CODE }, vec![party(client), Party::user(user)]);
}

/// A token was revoked.
pub fn revoked(act: &mut Act<'_, '_>, org: bool, client: &Client) {
    act.log(if org { &ORG_REVOKE } else { &AS_REVOKE }, vec![party(client)]);
}

/// A refresh token came again after another one had taken its place.
pub fn reused(act: &mut Act<'_, '_>, org: bool, client: &Client) {
    act.log(if org { &ORG_REUSE } else { &AS_REUSE }, vec![party(client)]);
}
