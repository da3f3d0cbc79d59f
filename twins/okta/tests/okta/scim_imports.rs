//! Imports of people and groups from apps' SCIM servers.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use crate::support::{Org, call};

const LENA: &str = "lena.fischer@acme.example";

/// What an app has.
#[derive(Default)]
struct Inner {
    users: Vec<Value>,
    groups: Vec<Value>,
    /// The status of all answers; 200 where it is 0.
    status: u16,
    /// The most that it gives at once, whatever it is asked for.
    page: usize,
}

#[derive(Clone, Default)]
struct Server(Arc<Mutex<Inner>>);

impl Respond for Server {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let inner = self.0.lock().expect("is whole");
        if inner.status != 0 {
            return ResponseTemplate::new(inner.status).set_body_json(json!({ "detail": "out of order" }));
        }
        let number = |name: &str| -> usize {
            let found = request.url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned());
            found.and_then(|text| text.parse().ok()).expect("is a number")
        };
        let all = if request.url.path().ends_with("/Users") { &inner.users } else { &inner.groups };
        let (from, count) = (number("startIndex") - 1, number("count").min(inner.page.max(1)));
        let page: Vec<&Value> = all.iter().skip(from).take(count).collect();
        ResponseTemplate::new(200).set_body_json(json!({
            "totalResults": all.len(), "startIndex": from + 1, "itemsPerPage": page.len(), "Resources": page,
        }))
    }
}

struct Stage {
    org: Org,
    app: String,
    server: MockServer,
    inner: Server,
}

fn person(id: &str, email: &str, given: &str, family: &str) -> Value {
    json!({
        "id": id, "userName": email, "name": { "givenName": given, "familyName": family },
        "emails": [{ "value": email, "primary": true }], "active": true,
    })
}

impl Stage {
    async fn new(rules: Value) -> Self {
        let (org, server, inner) = (Org::acme(), MockServer::start().await, Server::default());
        inner.0.lock().expect("is whole").page = 100;
        Mock::given(any()).respond_with(inner.clone()).mount(&server).await;
        let body = json!({
            "name": "bookmark", "label": "Target", "signOnMode": "BOOKMARK",
            "settings": { "app": { "requestIntegration": false, "url": "https://target.example" } },
        });
        let app = org.post("/api/v1/apps", &body).text("/id").to_owned();
        let stage = Self { org, app, server, inner };
        let with = json!({ "base_url": stage.server.uri(), "token": "s3cret", "import": true, "create": false });
        stage
            .org
            .perform("okta.admin.provision_app", "dana", &json!({ "app": "Target", "server": with }))
            .expect("is connected");
        stage.rules(rules, &json!({ "status": "DISABLED" }));
        stage
    }

    fn rules(&self, own: Value, schedule: &Value) {
        let mut rules = json!({
            "exactMatchCriteria": "EMAIL", "allowPartialMatch": false, "autoConfirmExactMatch": true,
            "autoConfirmPartialMatch": false, "autoConfirmNewUsers": true, "autoActivateNewUsers": true,
        });
        rules.as_object_mut().expect("is one").extend(own.as_object().cloned().unwrap_or_default());
        let body = json!({
            "importSettings": { "username": { "usernameFormat": "EMAIL" }, "schedule": schedule },
            "importRules": { "userCreateAndMatch": rules },
        });
        let feature = format!("PUT /api/v1/apps/{}/features/INBOUND_PROVISIONING", self.app);
        self.org.check(call(&feature).json(&body), 200);
    }

    fn has(&self, users: &[Value], groups: &[Value]) {
        let mut inner = self.inner.0.lock().expect("is whole");
        (inner.users, inner.groups) = (users.to_vec(), groups.to_vec());
    }

    async fn settle(&self) {
        assert!(self.org.universe.settle(Duration::from_secs(20)).await, "settles");
    }

    /// Imports, and gives back what became of each: the name in the app with the status.
    async fn import(&self) -> Vec<String> {
        self.org.perform("okta.admin.import_now", "dana", &json!({ "app": "Target" })).expect("is begun");
        self.settle().await;
        self.last()
    }

    fn last(&self) -> Vec<String> {
        let imports = self.org.view("imports");
        let last = imports.as_array().expect("is a list").last().expect("there is one").clone();
        let rows = last["users"].as_array().expect("is a list").iter();
        rows.map(|row| {
            format!("{} {}", row["userName"].as_str().unwrap_or_default(), row["status"].as_str().unwrap_or_default())
        })
        .collect()
    }

    async fn calls(&self) -> Vec<String> {
        let all = self.server.received_requests().await.expect("are kept");
        all.iter().map(|one| format!("{}?{}", one.url.path(), one.url.query().unwrap_or_default())).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_made_linked_and_brought_up_to_date() {
    let stage = Stage::new(json!({})).await;
    let features = stage.org.get(&format!("/api/v1/apps/{}", stage.app));
    assert!(features.body["features"].to_string().contains("IMPORT_NEW_USERS"), "{}", features.body);
    let ada = person("a", "ada@x.example", "Ada", "Lovelace");
    let lena = person("l", LENA, "Lena", "Fischer");
    stage.has(&[ada.clone(), lena.clone(), json!({ "id": "gone", "userName": "g@x.example", "active": false })], &[]);
    assert_eq!(stage.import().await, ["ada@x.example CREATED", &format!("{LENA} LINKED")]);
    let first = "startIndex=1&count=100";
    assert_eq!(stage.calls().await, [format!("/Users?{first}"), format!("/Groups?{first}")]);
    let user = stage.org.get("/api/v1/users/ada@x.example");
    assert_eq!((user.text("/status"), user.text("/profile/lastName")), ("PROVISIONED", "Lovelace"));
    let users = format!("/api/v1/apps/{}/users", stage.app);
    let one = stage.org.get(&format!("{users}/{}", user.text("/id")));
    assert_eq!(
        (one.text("/externalId"), one.text("/status"), one.text("/profile/firstName")),
        ("a", "PROVISIONED", "Ada")
    );
    assert_eq!(stage.calls().await.len(), 2, "nobody is pushed back");
    let events = stage.org.events();
    assert_eq!((events["system.import.start"], events["system.import.complete"]), (1, 1));
    assert_eq!((events["system.import.user.create"], events["system.import.user.update"]), (1, 1));
    let schema = json!({ "definitions": { "custom": { "id": "#custom", "type": "object", "properties": {
        "title": { "title": "Title", "type": "string" },
    } } } });
    stage.org.post(&format!("/api/v1/meta/schemas/apps/{}/default", stage.app), &schema);
    // What the app's mapping pushes follows the app; the rest of the person stays.
    let mapping = stage.org.get(&format!("/api/v1/mappings?sourceId={}", stage.app)).text("/0/id").to_owned();
    let title = json!({ "properties": { "title": { "expression": "appuser.title", "pushStatus": "PUSH" } } });
    stage.org.post(&format!("/api/v1/mappings/{mapping}"), &title);
    let mut other = ada.clone();
    (other["title"], other["name"]["givenName"]) = (json!("Countess"), json!("Augusta"));
    stage.has(&[other, lena], &[]);
    assert_eq!(stage.import().await, Vec::<String>::new(), "both are known");
    let user = stage.org.get("/api/v1/users/ada@x.example");
    assert_eq!((user.text("/profile/title"), user.text("/profile/firstName")), ("Countess", "Ada"));
    assert_eq!(stage.org.get(&format!("{users}/{}", user.text("/id"))).text("/profile/firstName"), "Augusta");
    // Whoever the app has no longer loses it.
    stage.has(&[ada], &[]);
    stage.import().await;
    stage.org.check(call(&format!("GET {users}/{}", stage.org.id(LENA))), 404);
    assert_eq!(stage.org.events()["system.import.user.delete"], 1);
    assert_eq!(stage.org.get(&format!("/api/v1/users/{LENA}")).text("/status"), "ACTIVE", "people stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_somebody_is_and_who_decides_the_rules_say() {
    let (first, last) = ("Lena", "Fischer");
    let cases = [
        (json!({}), LENA, LENA, "LINKED"),
        (json!({}), "lf", LENA, "LINKED"),
        (json!({ "exactMatchCriteria": "USERNAME" }), LENA, "other@x.example", "LINKED"),
        (json!({ "exactMatchCriteria": "USERNAME" }), "lf", LENA, "FAILED"),
        (json!({ "autoConfirmExactMatch": false }), LENA, LENA, "UNCONFIRMED"),
        (json!({ "allowPartialMatch": true, "autoConfirmPartialMatch": true }), "lf", "lf@x.example", "LINKED"),
        (json!({ "allowPartialMatch": true }), "lf", "lf@x.example", "UNCONFIRMED"),
        (json!({}), "lf", "lf@x.example", "CREATED"),
        (json!({ "autoConfirmNewUsers": false }), "lf", "lf@x.example", "UNCONFIRMED"),
    ];
    for (rules, name, email, status) in cases {
        let stage = Stage::new(rules.clone()).await;
        let mut one = person("l", email, first, last);
        one["userName"] = json!(name);
        stage.has(&[one], &[]);
        assert_eq!(stage.import().await, [format!("{name} {status}")], "{rules} {name} {email}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_confirmed_by_an_administrator() {
    let stage = Stage::new(json!({ "autoConfirmNewUsers": false, "autoConfirmExactMatch": false })).await;
    let ada = person("a", "ada@x.example", "Ada", "Lovelace");
    stage.has(&[ada, person("l", LENA, "Lena", "Fischer")], &[]);
    stage.import().await;
    stage.org.check(call("GET /api/v1/users/ada@x.example"), 404);
    let confirm = |with: Value| stage.org.perform("okta.admin.confirm_import", "dana", &with);
    confirm(json!({ "app": "Target", "users": ["ada@x.example"], "activate": false })).expect("is confirmed");
    assert_eq!(stage.last(), ["ada@x.example CREATED", &format!("{LENA} UNCONFIRMED")]);
    assert_eq!(stage.org.get("/api/v1/users/ada@x.example").text("/status"), "STAGED");
    confirm(json!({ "app": "Target" })).expect("is confirmed");
    assert_eq!(stage.last()[1], format!("{LENA} LINKED"));
    assert_eq!(confirm(json!({ "app": "Target" })), Err("nobody of these waits to be confirmed".to_owned()));
    assert_eq!(stage.import().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_come_with_those_of_their_people_whom_okta_knows() {
    let stage = Stage::new(json!({})).await;
    let (ada, lena) = (person("a", "ada@x.example", "Ada", "L"), person("l", LENA, "Lena", "Fischer"));
    let group = |name: &str, members: &[&str]| {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        json!({ "id": "g1", "displayName": name, "members": members })
    };
    stage.has(&[ada.clone(), lena.clone()], &[group("Crew", &["a", "l", "nobody"])]);
    stage.import().await;
    let found = stage.org.get("/api/v1/groups?search=profile.name+eq+%22Crew%22");
    assert_eq!((found.text("/0/type"), found.text("/0/source/id")), ("APP_GROUP", &*stage.app));
    let members = |stage: &Stage| {
        stage.org.get(&format!("/api/v1/groups/{}/users", found.text("/0/id"))).column("/profile/login")
    };
    assert_eq!(members(&stage).len(), 2);
    stage.has(&[ada.clone(), lena.clone()], &[group("Crew", &["a"])]);
    stage.import().await;
    assert_eq!(members(&stage), ["ada@x.example"]);
    let events = stage.org.events();
    assert_eq!((events["system.import.group.create"], events.get("system.import.group.update")), (1, None));
    stage.has(&[ada.clone(), lena.clone()], &[group("Crew 2", &["a"])]);
    stage.import().await;
    assert_eq!(stage.org.get(&format!("/api/v1/groups/{}", found.text("/0/id"))).text("/profile/name"), "Crew 2");
    stage.has(&[ada, lena], &[]);
    stage
        .org
        .perform("okta.admin.import_now", "dana", &json!({ "app": "Target", "incremental": true }))
        .expect("is begun");
    stage.settle().await;
    assert_eq!(members(&stage), ["ada@x.example"], "an incremental import ends nothing");
    stage.import().await;
    stage.org.check(call(&format!("GET /api/v1/groups/{}", found.text("/0/id"))), 404);
    assert_eq!(stage.org.events()["system.import.group.delete"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_come_in_pages_and_failures_are_told() {
    let stage = Stage::new(json!({})).await;
    let many: Vec<Value> =
        (0..7).map(|n| person(&format!("p{n}"), &format!("p{n}@x.example"), "P", &format!("N{n}"))).collect();
    stage.has(&many, &[]);
    stage.inner.0.lock().expect("is whole").page = 3;
    assert_eq!(stage.import().await.len(), 7);
    let starts: Vec<String> = stage.calls().await.iter().map(|call| call.replace("&count=100", "")).collect();
    assert_eq!(starts, ["/Users?startIndex=1", "/Users?startIndex=4", "/Users?startIndex=7", "/Groups?startIndex=1"]);
    stage.inner.0.lock().expect("is whole").status = 403;
    stage.import().await;
    let imports = stage.org.view("imports");
    assert_eq!(imports[1]["error"], "403 out of order");
    let log = stage.org.get("/api/v1/logs?filter=eventType+eq+%22system.import.complete%22&sortOrder=DESCENDING");
    assert_eq!((log.text("/0/outcome/result"), log.text("/0/outcome/reason")), ("FAILURE", "403 out of order"));
    let refuse = |with: Value, why: &str| {
        assert_eq!(stage.org.perform("okta.admin.import_now", "dana", &with), Err(why.to_owned()));
    };
    let server = json!({ "base_url": stage.server.uri(), "import": false });
    stage
        .org
        .perform("okta.admin.provision_app", "dana", &json!({ "app": "Target", "server": server }))
        .expect("is changed");
    refuse(json!({ "app": "Target" }), "nothing is imported from the app `Target`");
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_have_a_schedule() {
    let stage = Stage::new(json!({})).await;
    stage.has(&[person("a", "ada@x.example", "Ada", "Lovelace")], &[]);
    let schedule =
        json!({ "status": "ENABLED", "fullImport": { "expression": "0 12 * * *", "timezone": "Europe/Berlin" } });
    stage.rules(json!({}), &schedule);
    // The world begins at nine in the morning, UTC.
    stage.org.universe.advance(Duration::from_secs(2 * 3_600 - 1)).await;
    stage.settle().await;
    assert_eq!(stage.calls().await.len(), 0);
    stage.org.universe.advance(Duration::from_secs(1)).await;
    stage.settle().await;
    assert_eq!((stage.last(), stage.calls().await.len()), (vec!["ada@x.example CREATED".to_owned()], 2));
    stage.org.universe.advance(Duration::from_secs(24 * 3_600)).await;
    stage.settle().await;
    assert_eq!(stage.calls().await.len(), 4, "it is due every day");
    stage.rules(json!({}), &json!({ "status": "DISABLED" }));
    stage.org.universe.advance(Duration::from_secs(48 * 3_600)).await;
    stage.settle().await;
    assert_eq!(stage.calls().await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_import_hook_decides_of_each_person() {
    let stage = Stage::new(json!({})).await;
    let hook = MockServer::start().await;
    let lena = stage.org.id(LENA);
    let commands = json!({ "commands": [
        { "type": "com.okta.action.update", "value": { "result": "LINK_USER" } },
        { "type": "com.okta.user.update", "value": { "id": lena } },
    ] });
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(commands)).mount(&hook).await;
    let body = json!({
        "name": "Import", "type": "com.okta.import.transform", "version": "1.0.0",
        "channel": { "type": "HTTP", "version": "1.0.0", "config": {
            "uri": hook.uri(), "method": "POST", "authScheme": { "type": "HEADER", "key": "Authorization", "value": "x" },
        } },
    });
    stage.org.post("/api/v1/inlineHooks", &body);
    stage.has(&[person("a", "ada@x.example", "Ada", "Lovelace")], &[]);
    assert_eq!(stage.import().await, ["ada@x.example LINKED"]);
    let asked: Value =
        serde_json::from_slice(&hook.received_requests().await.expect("are kept")[0].body).expect("is JSON");
    assert_eq!(asked["data"]["appUser"]["profile"]["userName"], "ada@x.example");
    assert_eq!(asked["data"]["action"]["result"], "CREATE_USER");
    let users = format!("/api/v1/apps/{}/users/{lena}", stage.app);
    assert_eq!(stage.org.get(&users).text("/externalId"), "a");
    assert_eq!(stage.org.events()["system.import.complete"], 1);
}
