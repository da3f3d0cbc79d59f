//! Group push: groups of the org in an app, kept there as they are here.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use crate::support::{Org, call};

const LENA: &str = "lena.fischer@acme.example";
const ZOE: &str = "zoe.oneill@acme.example";

/// As much of a SCIM server as pushes need.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    users: Vec<Value>,
    groups: Vec<Value>,
    patches: Vec<Value>,
    broken: u32,
}

impl Respond for Store {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut inner = self.0.lock().expect("is whole");
        let (status, body) = inner.answer(request.method.as_str(), request);
        let answer = ResponseTemplate::new(status);
        if body.is_null() { answer } else { answer.set_body_raw(body.to_string(), "application/scim+json") }
    }
}

impl Inner {
    fn answer(&mut self, method: &str, request: &Request) -> (u16, Value) {
        let path = request.url.path().trim_start_matches("/scim/v2/").to_owned();
        let (kind, id) = path.split_once('/').unwrap_or((&path, ""));
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if kind == "Groups" && self.broken > 0 {
            self.broken -= 1;
            return (400, json!({ "detail": "no room" }));
        }
        let (rows, letter) = if kind == "Users" { (&mut self.users, 'u') } else { (&mut self.groups, 'g') };
        let found = rows.iter().position(|row| row["id"] == id);
        match (method, found) {
            ("GET", _) if id.is_empty() => {
                let query: String = request.url.query_pairs().map(|(_, value)| value.into_owned()).collect();
                let named = |row: &&Value| {
                    ["userName", "displayName"]
                        .iter()
                        .any(|name| row[name].as_str().is_some_and(|text| query.contains(&format!("\"{text}\""))))
                };
                let found: Vec<&Value> = rows.iter().filter(named).collect();
                (200, json!({ "totalResults": found.len(), "Resources": found }))
            }
            ("POST", _) => {
                let mut row = body;
                row["id"] = json!(format!("{letter}{}", rows.len() + 1));
                rows.push(row.clone());
                (201, row)
            }
            (_, None) => (404, json!({ "detail": "not found" })),
            ("GET", Some(at)) => (200, rows[at].clone()),
            ("PUT", Some(at)) => {
                rows[at] = body.clone();
                (200, body)
            }
            ("PATCH", Some(_)) => {
                self.patches.push(body["Operations"].clone());
                (204, Value::Null)
            }
            ("DELETE", Some(at)) => {
                rows.remove(at);
                (204, Value::Null)
            }
            _ => (405, Value::Null),
        }
    }
}

struct Stage {
    org: Org,
    app: String,
    group: String,
    server: MockServer,
    store: Store,
}

impl Stage {
    /// An app that is provisioned, with Lena in it, and a group of hers.
    async fn new(patches: bool) -> Self {
        let (org, server, store) = (Org::acme(), MockServer::start().await, Store::default());
        Mock::given(any()).respond_with(store.clone()).mount(&server).await;
        let body = json!({
            "label": "Target", "signOnMode": "SAML_2_0",
            "settings": { "signOn": {
                "ssoAcsUrl": "https://sp.example/acs", "audience": "https://sp.example", "responseSigned": true,
                "assertionSigned": true, "honorForceAuthn": true, "requestCompressed": false,
                "allowMultipleAcsEndpoints": false,
            } },
        });
        let app = org.post("/api/v1/apps", &body).text("/id").to_owned();
        let scim = json!({ "base_url": format!("{}/scim/v2/", server.uri()), "token": "s3cret", "patch": patches });
        org.perform("okta.admin.provision_app", "dana", &json!({ "app": "Target", "server": scim })).expect("connects");
        let group = org.post("/api/v1/groups", &json!({ "profile": { "name": "Crew" } })).text("/id").to_owned();
        let stage = Self { org, app, group, server, store };
        stage.assign(LENA);
        stage.join(LENA);
        stage.calls().await;
        stage
    }

    fn assign(&self, login: &str) {
        let id = self.org.id(login);
        self.org.post(&format!("/api/v1/apps/{}/users", self.app), &json!({ "id": id }));
    }

    fn join(&self, login: &str) {
        self.org.check(call(&format!("PUT /api/v1/groups/{}/users/{}", self.group, self.org.id(login))), 204);
    }

    fn leave(&self, login: &str) {
        self.org.check(call(&format!("DELETE /api/v1/groups/{}/users/{}", self.group, self.org.id(login))), 204);
    }

    fn rename(&self, name: &str) {
        let body = json!({ "profile": { "name": name } });
        self.org.check(call(&format!("PUT /api/v1/groups/{}", self.group)).json(&body), 200);
    }

    /// The calls since the last look, without queries.
    async fn calls(&self) -> Vec<String> {
        assert!(self.org.universe.settle(Duration::from_secs(20)).await, "settles");
        let all = self.server.received_requests().await.expect("are kept");
        self.server.reset().await;
        Mock::given(any()).respond_with(self.store.clone()).mount(&self.server).await;
        all.iter().map(|one| format!("{} {}", one.method, one.url.path().trim_start_matches("/scim/v2"))).collect()
    }

    fn mappings(&self) -> String {
        format!("/api/v1/apps/{}/group-push/mappings", self.app)
    }

    fn push(&self) -> String {
        let body = json!({ "sourceGroupId": self.group, "targetGroupName": "Crew" });
        let made = self.org.check(call(&format!("POST {}", self.mappings())).json(&body), 201);
        assert_eq!((made.text("/status"), made.text("/sourceGroupId")), ("ACTIVE", self.group.as_str()));
        format!("{}/{}", self.mappings(), made.text("/id"))
    }

    fn groups(&self) -> Vec<(String, Vec<String>)> {
        let inner = self.store.0.lock().expect("is whole");
        let members = |group: &Value| {
            let all = group["members"].as_array().into_iter().flatten();
            all.filter_map(|member| member["value"].as_str().map(str::to_owned)).collect()
        };
        let members = |group: &Value| {
            let mut all: Vec<String> = members(group);
            all.sort();
            all
        };
        let name = |group: &Value| group["displayName"].as_str().unwrap_or_default().to_owned();
        inner.groups.iter().map(|group| (name(group), members(group))).collect()
    }

    fn patches(&self) -> Vec<Value> {
        std::mem::take(&mut self.store.0.lock().expect("is whole").patches)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_made_in_a_custom_app_and_sent_whole() {
    let stage = Stage::new(false).await;
    let mapping = stage.push();
    assert_eq!(stage.calls().await, ["GET /Groups", "POST /Groups", "GET /Groups/g1", "PUT /Groups/g1"]);
    assert_eq!(stage.groups(), [("Crew".to_owned(), vec!["u1".to_owned()])]);
    let shown = stage.org.get(&mapping);
    assert!(!shown.text("/lastPush").is_empty() && shown.text("/errorSummary").is_empty(), "{}", shown.body);
    let target = stage.org.get(&format!("/api/v1/groups/{}", shown.text("/targetGroupId")));
    assert_eq!((target.text("/type"), target.text("/source/id")), ("APP_GROUP", stage.app.as_str()));
    // Who has no account in the app yet is not told of, until they have.
    stage.join(ZOE);
    assert!(stage.calls().await.is_empty());
    stage.assign(ZOE);
    stage.calls().await;
    assert_eq!(stage.groups()[0].1, ["u1", "u2"]);
    stage.leave(LENA);
    stage.rename("Shore crew");
    stage.calls().await;
    assert_eq!(stage.groups(), [("Shore crew".to_owned(), vec!["u2".to_owned()])]);
    let stats = stage.org.get(&format!("/api/v1/groups?search=id+eq+%22{}%22&expand=stats", stage.group));
    assert_eq!(stats.body[0]["_embedded"]["stats"]["groupPushMappingsCount"], json!(1));
    stage.org.check(call(&format!("DELETE {mapping}")), 400);
    let off = stage.org.check(call(&format!("PATCH {mapping}")).json(&json!({ "status": "INACTIVE" })), 200);
    assert_eq!(off.text("/status"), "INACTIVE");
    stage.join(LENA);
    assert!(stage.calls().await.is_empty(), "a mapping at rest does nothing");
    stage.org.check(call(&format!("PATCH {mapping}")).json(&json!({ "status": "ACTIVE" })), 200);
    assert_eq!(stage.calls().await, ["GET /Groups/g1", "PUT /Groups/g1"]);
    stage.org.check(call(&format!("PATCH {mapping}")).json(&json!({ "status": "INACTIVE" })), 200);
    stage.org.check(call(&format!("DELETE {mapping}?deleteTargetGroup=true")), 204);
    assert_eq!(stage.calls().await, ["DELETE /Groups/g1"]);
    assert!(stage.groups().is_empty());
    stage.org.check(call(&format!("GET {mapping}")), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_of_the_catalogue_is_sent_what_has_changed() {
    let stage = Stage::new(true).await;
    stage.push();
    assert_eq!(stage.calls().await, ["GET /Groups", "POST /Groups", "PATCH /Groups/g1"]);
    let member = |id: &str, login: &str| json!({ "value": id, "display": login });
    assert_eq!(stage.patches(), [json!([{ "op": "add", "path": "members", "value": [member("u1", LENA)] }])]);
    stage.assign(ZOE);
    stage.join(ZOE);
    stage.calls().await;
    assert_eq!(stage.patches(), [json!([{ "op": "add", "path": "members", "value": [member("u2", ZOE)] }])]);
    stage.leave(LENA);
    stage.calls().await;
    assert_eq!(stage.patches(), [json!([{ "op": "remove", "path": "members[value eq \"u1\"]" }])]);
    stage.rename("Shore crew");
    stage.calls().await;
    let renamed = json!([{ "op": "replace", "value": { "id": "g1", "displayName": "Shore crew" } }]);
    assert_eq!(stage.patches(), [renamed]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_fails_shows_and_is_done_again() {
    let stage = Stage::new(false).await;
    stage.store.0.lock().expect("is whole").broken = 1;
    let mapping = stage.push();
    stage.calls().await;
    let failed = stage.org.get(&mapping);
    assert_eq!(
        (failed.text("/status"), failed.text("/errorSummary")),
        ("ERROR", "Unable to create the group in Target: 400 no room")
    );
    assert_eq!(stage.org.get(&format!("{}?status=ERROR", stage.mappings())).column("/id"), [failed.text("/id")]);
    stage.org.check(call(&format!("PATCH {mapping}")).json(&json!({ "status": "ACTIVE" })), 200);
    stage.calls().await;
    assert_eq!(stage.groups(), [("Crew".to_owned(), vec!["u1".to_owned()])]);
    assert_eq!(stage.org.get(&mapping).text("/status"), "ACTIVE");
}

#[tokio::test(flavor = "multi_thread")]
async fn mappings_are_checked() {
    let stage = Stage::new(false).await;
    let refuse = |body: Value, status: u16| {
        stage.org.check(call(&format!("POST {}", stage.mappings())).json(&body), status);
    };
    refuse(json!({ "targetGroupName": "x" }), 400);
    refuse(json!({ "sourceGroupId": stage.group }), 400);
    refuse(json!({ "sourceGroupId": "00g404", "targetGroupName": "x" }), 404);
    refuse(json!({ "sourceGroupId": stage.group, "targetGroupName": "x", "targetGroupId": "y" }), 400);
    refuse(json!({ "sourceGroupId": stage.group, "targetGroupId": stage.group }), 404);
    refuse(json!({ "sourceGroupId": stage.group, "targetGroupName": "x", "status": "ERROR" }), 400);
    refuse(
        json!({ "sourceGroupId": stage.group, "targetGroupName": "x", "appConfig": { "type": "ACTIVE_DIRECTORY" } }),
        400,
    );
    stage.push();
    refuse(json!({ "sourceGroupId": stage.group, "targetGroupName": "again" }), 400);
    let listed = |query: &str| stage.org.get(&format!("{}?{query}", stage.mappings())).column("/id").len();
    assert_eq!((listed("status=INACTIVE"), listed("lastUpdated=2099-01-01T00:00:00Z"), listed("limit=1")), (0, 0, 1));
    assert_eq!(listed(&format!("sourceGroupId={}", stage.group)), 1);
    let plain = stage.org.post("/api/v1/apps", &json!({
        "name": "bookmark", "label": "Link", "signOnMode": "BOOKMARK", "settings": { "app": { "url": "https://a.example/" } },
    }));
    let target = format!("POST /api/v1/apps/{}/group-push/mappings", plain.text("/id"));
    stage.org.check(call(&target).json(&json!({ "sourceGroupId": stage.group, "targetGroupName": "x" })), 400);
}
