//! Okta as a client of apps' SCIM servers: what it calls when, and what becomes of the answers.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use crate::support::{Org, call};

const LENA: &str = "lena.fischer@acme.example";
const MEDIA: &str = "application/scim+json";

/// As much of a SCIM server as is needed to see what Okta does with one.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    users: Vec<Value>,
    /// Answers that stand in for its own: the method, and status with body.
    instead: VecDeque<(&'static str, u16, Value)>,
}

impl Respond for Store {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut inner = self.0.lock().expect("is whole");
        let method = request.method.as_str();
        let at = inner.instead.iter().position(|(wanted, ..)| *wanted == method);
        let (status, body) = match at.and_then(|at| inner.instead.remove(at)) {
            Some((_, status, body)) => (status, body),
            None => inner.answer(method, request),
        };
        let answer = ResponseTemplate::new(status);
        if body.is_null() { answer } else { answer.set_body_raw(body.to_string(), MEDIA) }
    }
}

impl Inner {
    fn answer(&mut self, method: &str, request: &Request) -> (u16, Value) {
        let id = request.url.path().strip_prefix("/scim/v2/Users").unwrap_or_default().trim_start_matches('/');
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let found = self.users.iter().position(|user| user["id"] == id);
        match (method, found) {
            ("GET", _) if id.is_empty() => (200, self.list(request)),
            ("POST", _) => {
                let mut user = body;
                user["id"] = json!(format!("u{}", self.users.len() + 1));
                self.users.push(user.clone());
                (201, user)
            }
            (_, None) => (404, json!({ "detail": "User not found", "status": 404 })),
            ("GET", Some(at)) => (200, self.users[at].clone()),
            ("PUT", Some(at)) => {
                self.users[at] = body.clone();
                (200, body)
            }
            ("PATCH", Some(at)) => {
                self.users[at]["active"] = body["Operations"][0]["value"]["active"].clone();
                (204, Value::Null)
            }
            _ => (405, Value::Null),
        }
    }

    fn list(&self, request: &Request) -> Value {
        let filter = request.url.query_pairs().find(|(name, _)| name == "filter").map(|(_, value)| value.into_owned());
        let wanted = filter.as_deref().and_then(|text| text.strip_prefix("userName eq \"")?.strip_suffix('"'));
        let found: Vec<&Value> = self.users.iter().filter(|user| user["userName"].as_str() == wanted).collect();
        json!({ "totalResults": found.len(), "startIndex": 1, "itemsPerPage": found.len(), "Resources": found })
    }
}

/// An org with an app that is provisioned, and the app's server.
struct Stage {
    org: Org,
    app: String,
    server: MockServer,
    store: Store,
}

impl Stage {
    async fn new(more: Value) -> Self {
        let (org, server, store) = (Org::acme(), MockServer::start().await, Store::default());
        Mock::given(any()).respond_with(store.clone()).mount(&server).await;
        let got = org.post(
            "/api/v1/apps",
            &json!({
                "label": "Target", "signOnMode": "SAML_2_0",
                "settings": { "signOn": {
                    "ssoAcsUrl": "https://sp.example/acs", "audience": "https://sp.example", "responseSigned": true,
                    "assertionSigned": true, "honorForceAuthn": true, "requestCompressed": false,
                    "allowMultipleAcsEndpoints": false,
                } },
            }),
        );
        let stage = Self { app: got.text("/id").to_owned(), org, server, store };
        stage.connect(more);
        stage
    }

    fn connect(&self, more: Value) {
        let mut server = json!({ "base_url": format!("{}/scim/v2/", self.server.uri()), "token": "s3cret" });
        server.as_object_mut().expect("is an object").extend(more.as_object().cloned().unwrap_or_default());
        let with = json!({ "app": "Target", "server": server });
        self.org.perform("okta.admin.provision_app", "dana", &with).expect("is connected");
    }

    /// Lets Okta make the calls that are due.
    async fn settle(&self) {
        assert!(self.org.universe.settle(Duration::from_secs(20)).await, "settles");
    }

    /// The calls since the last look, as `METHOD path?query`.
    async fn calls(&self) -> Vec<String> {
        self.settle().await;
        let shown = |request: &Request| {
            let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
            format!("{} {}{query}", request.method, request.url.path().trim_start_matches("/scim/v2"))
        };
        let all = self.requests().await.iter().map(shown).collect();
        self.server.reset().await;
        Mock::given(any()).respond_with(self.store.clone()).mount(&self.server).await;
        all
    }

    async fn requests(&self) -> Vec<Request> {
        self.settle().await;
        self.server.received_requests().await.expect("are recorded")
    }

    fn users_path(&self) -> String {
        format!("/api/v1/apps/{}/users", self.app)
    }

    fn assign(&self, login: &str) -> String {
        let id = self.org.id(login);
        self.org.post(&self.users_path(), &json!({ "id": id }));
        id
    }

    fn unassign(&self, id: &str) {
        self.org.check(call(&format!("DELETE {}/{id}", self.users_path())), 204);
    }

    fn app_user(&self, id: &str) -> (String, String, Value) {
        let got = self.org.get(&format!("{}/{id}", self.users_path()));
        (got.text("/status").to_owned(), got.text("/syncState").to_owned(), got.body["externalId"].clone())
    }

    fn instead(&self, method: &'static str, status: u16, body: Value) {
        self.store.0.lock().expect("is whole").instead.push_back((method, status, body));
    }

    fn users(&self) -> Vec<Value> {
        self.store.0.lock().expect("is whole").users.clone()
    }

    /// The outcomes of an event type in the log, with their reasons.
    fn outcomes(&self, event: &str) -> Vec<String> {
        let filter = format!("eventType+eq+%22{event}%22");
        let got = self.org.get(&format!("/api/v1/logs?filter={filter}"));
        let reasons = got.column("/outcome/reason").into_iter();
        got.column("/outcome/result").into_iter().zip(reasons).map(|(result, why)| format!("{result} {why}")).collect()
    }
}

const FIND: &str = "GET /Users?filter=userName%20eq%20%22lena.fischer%40acme.example%22&startIndex=1&count=100";

#[tokio::test(flavor = "multi_thread")]
async fn who_gets_the_app_gets_an_account() {
    let stage = Stage::new(json!({})).await;
    let id = stage.org.id(LENA);
    // The answer itself: the app's server may have been called before anything else can be asked.
    let got = stage.org.post(&stage.users_path(), &json!({ "id": id }));
    let shown = (got.text("/status"), got.text("/syncState"), &got.body["externalId"]);
    assert_eq!(shown, ("STAGED", "SYNCING", &Value::Null));
    let requests = stage.requests().await;
    let header = |request: &Request, name: &str| request.headers[name].to_str().expect("is text").to_owned();
    for request in &requests {
        assert_eq!(header(request, "user-agent"), "Okta SCIM Client 1.0.0");
        assert_eq!(header(request, "authorization"), "Bearer s3cret");
        assert!(header(request, "accept").starts_with(MEDIA));
    }
    assert!(header(&requests[1], "content-type").starts_with(MEDIA));
    assert_eq!(stage.calls().await, [FIND, "POST /Users"]);
    assert_eq!(stage.app_user(&id), ("PROVISIONED".to_owned(), "SYNCHRONIZED".to_owned(), json!("u1")));
    let mut user = stage.users().remove(0);
    let password = user["password"].take();
    assert_eq!(password.as_str().map(str::len), Some(8), "a password that nobody knows");
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    let company = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    assert_eq!(user["schemas"], json!([core, company]));
    assert_eq!((&user["userName"], &user["externalId"]), (&json!(LENA), &json!(id)));
    assert_eq!(user["name"], json!({ "givenName": "Lena", "familyName": "Fischer" }));
    assert_eq!(user["emails"], json!([{ "primary": true, "value": LENA, "type": "work" }]));
    assert_eq!((&user["displayName"], &user["active"]), (&json!("Lena Fischer"), &json!(true)));
    assert_eq!((&user["groups"], &user[company]["department"]), (&json!([]), &json!("Design")));
    assert_eq!(stage.outcomes("application.provision.user.push"), ["SUCCESS "]);
    let view = stage.org.view("app_accounts");
    assert_eq!(
        (&view[0]["app"], &view[0]["user"], &view[0]["externalId"]),
        (&json!("Target"), &json!(LENA), &json!("u1"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_there_is_linked() {
    let stage = Stage::new(json!({ "token": null, "user": "okta", "password": "pw" })).await;
    let theirs = json!({ "id": 7, "userName": LENA, "active": false, "name": { "givenName": "L" }, "own": 1 });
    stage.instead("GET", 200, json!({ "totalResults": 1, "Resources": [theirs] }));
    stage.instead("PUT", 200, json!({}));
    let id = stage.assign(LENA);
    let requests = stage.requests().await;
    assert_eq!(requests[0].headers["authorization"], "Basic b2t0YTpwdw==");
    let sent: Value = serde_json::from_slice(&requests[1].body).expect("is JSON");
    assert_eq!((&sent["id"], &sent["own"], &sent["active"]), (&json!(7), &json!(1), &json!(true)));
    assert_eq!((&sent["name"]["givenName"], sent.get("password")), (&json!("Lena"), None));
    assert_eq!(stage.calls().await, [FIND, "PUT /Users/7"]);
    assert_eq!(stage.app_user(&id), ("PROVISIONED".to_owned(), "SYNCHRONIZED".to_owned(), json!("7")));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_and_farewells_follow() {
    let check = |patch: bool| async move {
        let stage = Stage::new(json!({ "patch": patch })).await;
        let id = stage.assign(LENA);
        stage.calls().await;
        stage.org.post(&format!("/api/v1/users/{id}"), &json!({ "profile": { "title": "Head of Design" } }));
        assert_eq!(stage.calls().await, ["GET /Users/u1", "PUT /Users/u1"]);
        let user = &stage.users()[0];
        assert_eq!((&user["title"], &user["externalId"]), (&json!("Head of Design"), &json!(id)));
        stage.org.post(&format!("{}/{id}", stage.users_path()), &json!({ "profile": { "nickName": "Leni" } }));
        assert_eq!(stage.calls().await, ["GET /Users/u1", "PUT /Users/u1"]);
        assert_eq!(stage.users()[0]["nickName"], "Leni", "what is said for the app goes to the app");
        let off: &[&str] = if patch { &["PATCH /Users/u1"] } else { &["GET /Users/u1", "PUT /Users/u1"] };
        stage.unassign(&id);
        assert_eq!(stage.calls().await, off);
        assert_eq!(
            (&stage.users()[0]["active"], &stage.users()[0]["title"]),
            (&json!(false), &json!("Head of Design"))
        );
        stage.org.post(&format!("/api/v1/users/{id}"), &json!({ "profile": { "title": "Alumna" } }));
        assert_eq!(stage.calls().await, [] as [&str; 0], "who has not the app is no business of its");
        stage.assign(LENA);
        assert_eq!(stage.calls().await, [FIND, "PUT /Users/u1"], "who comes back has the old account");
        assert_eq!((&stage.users()[0]["active"], stage.users().len()), (&json!(true), 1));
        stage.org.check(call(&format!("POST /api/v1/users/{id}/lifecycle/suspend")), 200);
        assert_eq!(stage.calls().await, [] as [&str; 0]);
        stage.org.check(call(&format!("POST /api/v1/users/{id}/lifecycle/deactivate")), 200);
        assert_eq!(stage.calls().await, off, "who leaves Okta leaves its apps");
        assert_eq!(stage.outcomes("application.provision.user.deactivate"), ["SUCCESS ", "SUCCESS "]);
        assert_eq!(stage.outcomes("application.provision.user.push_profile"), ["SUCCESS ", "SUCCESS "]);
    };
    check(false).await;
    check(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_for_an_administrator_to_look_at() {
    let check = |method: &'static str, status: u16, body: Value, why: &'static str| async move {
        let stage = Stage::new(json!({})).await;
        stage.instead(method, status, body);
        let id = stage.assign(LENA);
        stage.settle().await;
        let calls = stage.calls().await.len();
        assert_eq!(calls, if method == "POST" { 2 } else { 1 }, "nothing is tried again");
        assert_eq!(stage.app_user(&id), ("STAGED".to_owned(), "ERROR".to_owned(), Value::Null));
        let wanted = format!(
            "FAILURE Automatic provisioning of user {LENA} to app Target failed: Error while creating user Lena Fischer: {why}"
        );
        assert_eq!(stage.outcomes("application.provision.user.push"), [wanted]);
        // The administrator tries again.
        let with = json!({ "app": "Target", "user": "lena" });
        stage.org.perform("okta.admin.provision_user", "dana", &with).expect("is tried again");
        assert_eq!(stage.calls().await, [FIND, "POST /Users"]);
        assert_eq!(stage.app_user(&id).1, "SYNCHRONIZED");
    };
    check("POST", 409, json!({ "detail": "exists", "status": 409 }), "409 exists").await;
    check("POST", 201, Value::Null, "Create new user returned empty user").await;
    check("POST", 429, Value::Null, "429").await;
    check("GET", 401, Value::Null, "401").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_may_find_nothing_by_404() {
    let stage = Stage::new(json!({})).await;
    stage.instead("GET", 404, json!({ "detail": "User not found", "status": 404 }));
    stage.assign(LENA);
    assert_eq!(stage.calls().await, [FIND, "POST /Users"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_servers_are_tried_again() {
    let check = |failures: usize, state: &'static str, calls: usize| async move {
        let stage = Stage::new(json!({})).await;
        for _ in 0..failures {
            stage.instead("POST", 500, Value::Null);
        }
        let id = stage.assign(LENA);
        stage.settle().await;
        assert_eq!(stage.app_user(&id).1, if failures == 0 { "SYNCHRONIZED" } else { "SYNCING" });
        stage.org.universe.advance(Duration::from_secs(10)).await;
        stage.org.universe.advance(Duration::from_secs(60)).await;
        stage.org.universe.advance(Duration::from_secs(600)).await;
        let posts = stage.calls().await.into_iter().filter(|line| line == "POST /Users").count();
        assert_eq!((posts, stage.app_user(&id).1.as_str()), (calls, state));
    };
    check(0, "SYNCHRONIZED", 1).await;
    check(2, "SYNCHRONIZED", 3).await;
    check(3, "ERROR", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_s_calls_keep_their_order() {
    let stage = Stage::new(json!({})).await;
    // The server answers nothing until all is done.
    let held = stage.store.0.lock().expect("is whole");
    let id = stage.assign(LENA);
    stage.org.post(&format!("/api/v1/users/{id}"), &json!({ "profile": { "title": "One" } }));
    stage.org.post(&format!("/api/v1/users/{id}"), &json!({ "profile": { "title": "Two" } }));
    stage.unassign(&id);
    stage.assign(LENA);
    drop(held);
    let (get, put) = ("GET /Users/u1", "PUT /Users/u1");
    assert_eq!(stage.calls().await, [FIND, "POST /Users", get, put, get, put, FIND, put]);
    let users = stage.users();
    assert_eq!((users.len(), &users[0]["title"], &users[0]["active"]), (1, &json!("Two"), &json!(true)));
    assert_eq!(stage.app_user(&id), ("PROVISIONED".to_owned(), "SYNCHRONIZED".to_owned(), json!("u1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_brings_its_members_accounts() {
    let stage = Stage::new(json!({})).await;
    let (group, rob) = (stage.org.group("figma-admin"), stage.org.id("rob.castellanos@acme.example"));
    stage.org.check(call(&format!("PUT /api/v1/apps/{}/groups/{group}", stage.app)).json(&json!({})), 200);
    stage.settle().await;
    let logins = |stage: &Stage| {
        let mut logins: Vec<(String, bool)> = stage
            .users()
            .iter()
            .map(|user| (user["userName"].as_str().unwrap_or_default().to_owned(), user["active"] == true))
            .collect();
        logins.sort();
        logins
    };
    let (omar, zoe) = ("omar.haddad@acme.example".to_owned(), "zoe.oneill@acme.example".to_owned());
    assert_eq!(logins(&stage), [(omar.clone(), true), (zoe.clone(), true)]);
    stage.org.check(call(&format!("PUT /api/v1/groups/{group}/users/{rob}")), 204);
    stage.settle().await;
    assert_eq!(stage.users().len(), 3);
    stage.org.check(call(&format!("DELETE /api/v1/groups/{group}/users/{rob}")), 204);
    stage.settle().await;
    assert!(logins(&stage).contains(&("rob.castellanos@acme.example".to_owned(), false)));
    stage.org.check(call(&format!("DELETE /api/v1/apps/{}/groups/{group}", stage.app)), 204);
    stage.settle().await;
    assert!(logins(&stage).iter().all(|(_, active)| !active));
}

#[tokio::test(flavor = "multi_thread")]
async fn okta_does_what_it_may() {
    let stage = Stage::new(json!({ "update": false, "deactivate": false })).await;
    let id = stage.assign(LENA);
    assert_eq!(stage.calls().await.len(), 2);
    stage.org.post(&format!("/api/v1/users/{id}"), &json!({ "profile": { "title": "X" } }));
    stage.unassign(&id);
    assert_eq!(stage.calls().await, [] as [&str; 0]);
    // By the API an administrator lets it do more, and less.
    let path = format!("/api/v1/apps/{}/features/USER_PROVISIONING", stage.app);
    let status = |on: bool| json!({ "status": if on { "ENABLED" } else { "DISABLED" } });
    let body = json!({ "create": { "lifecycleCreate": status(false) }, "update": { "profile": status(true) } });
    let got = stage.org.check(call(&format!("PUT {path}")).json(&body), 200);
    assert_eq!(got.body["capabilities"]["create"]["lifecycleCreate"], status(false));
    assert_eq!(got.body["capabilities"]["update"]["profile"], status(true));
    assert_eq!(got.body["capabilities"]["update"]["lifecycleDeactivate"], status(false), "the rest stays");
    assert_eq!(stage.org.get(&path).body, got.body);
    assert_eq!(stage.org.get(&format!("/api/v1/apps/{}", stage.app)).body["features"], json!(["PUSH_PROFILE_UPDATES"]));
    stage.assign(LENA);
    assert_eq!(stage.calls().await, [] as [&str; 0]);
    assert_eq!(stage.app_user(&id).1, "SYNCHRONIZED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_can_be_off() {
    let stage = Stage::new(json!({})).await;
    let path = format!("/api/v1/apps/{}/connections/default", stage.app);
    let got = stage.org.get(&path);
    assert_eq!((got.text("/status"), got.text("/profile/authScheme")), ("ENABLED", "TOKEN"));
    stage.org.check(call(&format!("POST {path}/lifecycle/deactivate")), 204);
    let off = stage.org.get(&path);
    assert_eq!((off.text("/status"), off.body["_links"].get("activate").is_some()), ("DISABLED", true));
    let id = stage.assign(LENA);
    assert_eq!(stage.calls().await, [] as [&str; 0]);
    assert_eq!(stage.app_user(&id), ("ACTIVE".to_owned(), "DISABLED".to_owned(), Value::Null));
    let features = call(&format!("GET /api/v1/apps/{}/features", stage.app));
    stage.org.refuse(features.clone(), 400, "E0000001", &["Provisioning is not supported."]);
    let body = json!({ "profile": { "authScheme": "TOKEN", "token": "other" } });
    stage.org.post(&format!("{path}?activate=true"), &body);
    assert_eq!(stage.org.get(&path).text("/status"), "ENABLED");
    assert_eq!(stage.org.check(features, 200).column("/name"), ["USER_PROVISIONING", "INBOUND_PROVISIONING"]);
    let with = json!({ "app": "Target", "user": "lena" });
    stage.org.perform("okta.admin.provision_user", "dana", &with).expect("is pushed");
    assert_eq!(stage.requests().await[0].headers["authorization"], "Bearer other");
    for body in [json!({}), json!({ "profile": {} }), json!({ "profile": { "authScheme": "TOKEN" } })] {
        stage.org.check(call(&format!("POST {path}")).json(&body), 400);
    }
}

#[test]
fn apps_without_provisioning_say_so_as_recorded() {
    let org = Org::acme();
    let body = json!({ "label": "Link", "name": "bookmark", "settings": { "app": { "url": "https://a.example/" } } });
    let app = org.post("/api/v1/apps", &body).text("/id").to_owned();
    let (features, connection) =
        (format!("/api/v1/apps/{app}/features"), format!("/api/v1/apps/{app}/connections/default"));
    let unknown = json!({ "status": "UNKNOWN", "profile": { "authScheme": "UNKNOWN" } });
    assert_eq!(org.get(&connection).body, unknown);
    assert_eq!(org.post(&connection, &json!({ "profile": { "authScheme": "UNKNOWN" } })).body, unknown);
    org.check(call(&format!("POST {connection}/lifecycle/activate")), 204);
    org.check(call(&format!("POST {connection}/lifecycle/deactivate")), 204);
    assert_eq!(org.get(&connection).body, unknown);
    let not = &["Provisioning is not supported."];
    org.refuse(call(&format!("GET {features}")), 400, "E0000001", not);
    org.refuse(call(&format!("GET {features}/USER_PROVISIONING")), 400, "E0000001", not);
    org.refuse(call(&format!("PUT {features}/USER_PROVISIONING")).json(&json!({})), 400, "E0000001", not);
    org.refuse(call(&format!("PUT {features}/USER_PROVISIONING")), 400, "E0000003", &[]);
    let got = org.refuse(call(&format!("GET {features}/NOTHING")), 404, "E0000007", &[]);
    assert!(got.text("/errorSummary").ends_with("NOTHING (PublicAppFeatureSetName)"));
    org.refuse(
        call(&format!("POST {connection}")).json(&json!({ "profile": { "authScheme": "TOKEN", "token": "x" } })),
        400,
        "E0000001",
        not,
    );
    for path in ["features", "features/INBOUND_PROVISIONING", "connections/default"] {
        let got = org.refuse(call(&format!("GET /api/v1/apps/0oanothing/{path}")), 404, "E0000007", &[]);
        assert!(got.text("/errorSummary").ends_with("0oanothing (AppInstance)"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_okta_takes_from_an_app_is_kept() {
    let stage = Stage::new(json!({})).await;
    let path = format!("/api/v1/apps/{}/features/INBOUND_PROVISIONING", stage.app);
    let before = stage.org.get(&path);
    assert_eq!(before.text("/capabilities/importSettings/username/usernameFormat"), "EMAIL");
    let body = json!({
        "importSettings": { "username": { "usernameFormat": "CUSTOM", "userNameExpression": "user.login" } },
        "importRules": { "userCreateAndMatch": { "autoActivateNewUsers": true } },
    });
    let got = stage.org.check(call(&format!("PUT {path}")).json(&body), 200);
    assert_eq!(got.text("/capabilities/importSettings/username/usernameFormat"), "CUSTOM");
    assert_eq!(got.text("/capabilities/importRules/userCreateAndMatch/exactMatchCriteria"), "EMAIL");
    assert_eq!(stage.org.get(&path).body, got.body);
    let outbound = format!("/api/v1/apps/{}/features/USER_PROVISIONING", stage.app);
    for body in [json!({ "create": 1 }), json!({ "create": { "lifecycleCreate": { "status": "MAYBE" } } })] {
        stage.org.refuse(call(&format!("PUT {outbound}")).json(&body), 400, "E0000003", &[]);
    }
    let password = json!({ "update": { "password": { "status": "ENABLED", "seed": "OKTA", "change": "CHANGE" } } });
    let got = stage.org.check(call(&format!("PUT {outbound}")).json(&password), 200);
    assert_eq!(got.body["capabilities"]["update"]["password"], password["update"]["password"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_takes_its_accounts_along() {
    let stage = Stage::new(json!({})).await;
    let id = stage.assign(LENA);
    stage.settle().await;
    assert_eq!(stage.org.view("app_accounts").as_array().map(Vec::len), Some(1));
    stage.org.check(call(&format!("POST /api/v1/apps/{}/lifecycle/deactivate", stage.app)), 200);
    stage.calls().await;
    stage.org.post(&format!("/api/v1/users/{id}"), &json!({ "profile": { "title": "X" } }));
    assert_eq!(stage.calls().await, [] as [&str; 0], "an app that is off is left alone");
    stage.org.check(call(&format!("DELETE /api/v1/apps/{}", stage.app)), 204);
    assert_eq!(stage.org.view("app_accounts"), json!([]));
}
