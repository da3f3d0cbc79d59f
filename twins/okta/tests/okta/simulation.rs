//! Policies that are tried without anybody signing in.

use serde_json::{Value, json};

use crate::support::{Got, Org, call};

const SIMULATE: &str = "POST /api/v1/policies/simulate";

struct Stage {
    org: Org,
    app: String,
    lena: String,
    group: String,
}

impl Stage {
    fn new() -> Self {
        let org = Org::acme();
        let app = json!({ "name": "bookmark", "label": "One", "signOnMode": "BOOKMARK", "settings": { "app": { "url": "https://a.example/" } } });
        let app = org.post("/api/v1/apps", &app).text("/id").to_owned();
        let lena = org.id("lena.fischer");
        let groups = org.get(&format!("/api/v1/users/{lena}/groups"));
        let own = groups.column("/profile/name").iter().position(|name| name != "Everyone").expect("is in a group");
        let group = groups.text(&format!("/{own}/id")).to_owned();
        Self { org, app, lena, group }
    }

    fn run(&self, query: &str, kinds: &[&str], context: &Value) -> Got {
        let body = json!({ "appInstance": self.app, "policyTypes": kinds, "policyContext": context });
        self.org.check(call(&format!("{SIMULATE}{query}")).json(&body), 200)
    }

    /// The names of the policy and the rule that apply.
    fn applied(&self, kind: &str, context: &Value) -> (String, String) {
        let got = self.run("", &[kind], context);
        let at = |pointer: &str| got.text(&format!("/evaluation/0/result/policies/0{pointer}")).to_owned();
        (at("/name"), at("/rules/0/name"))
    }

    fn policy(&self, kind: &str, name: &str, group: &str) -> String {
        let people = json!({ "people": { "groups": { "include": [group] } } });
        let body = json!({ "type": kind, "name": name, "priority": 1, "conditions": people });
        self.org.post("/api/v1/policies", &body).text("/id").to_owned()
    }

    fn rule(&self, policy: &str, name: &str, conditions: &Value) {
        self.org.post(&format!("/api/v1/policies/{policy}/rules"), &json!({ "name": name, "conditions": conditions }));
    }
}

#[test]
fn all_kinds_are_tried_where_none_is_named() {
    let stage = Stage::new();
    let got = stage.run("", &[], &json!({ "user": { "id": stage.lena } }));
    let rows = got.body["evaluation"].as_array().expect("is a list");
    let kinds: Vec<&Value> = rows.iter().map(|row| &row["policyType"]).collect();
    assert_eq!(kinds, ["OKTA_SIGN_ON", "MFA_ENROLL", "ACCESS_POLICY", "PROFILE_ENROLLMENT"]);
    for row in rows {
        assert_eq!(row.pointer("/result/policies/0/status"), Some(&json!("MATCH")), "{row}");
        assert_eq!(row.pointer("/result/policies/0/rules/0/status"), Some(&json!("MATCH")), "{row}");
    }
}

#[test]
fn the_org_s_own_policies_decide() {
    let stage = Stage::new();
    let lena = json!({ "user": { "id": stage.lena } });
    assert_eq!(stage.applied("OKTA_SIGN_ON", &lena).0, "Default Policy");
    let policy = stage.policy("OKTA_SIGN_ON", "Hers", &stage.group);
    assert_eq!(stage.applied("OKTA_SIGN_ON", &lena).0, "Default Policy", "it has no rules");
    let zone = json!({ "type": "IP", "name": "Office", "gateways": [{ "type": "CIDR", "value": "192.0.2.0/24" }] });
    let zone = stage.org.post("/api/v1/zones", &zone).text("/id").to_owned();
    stage.rule(&policy, "Inside", &json!({ "network": { "connection": "ZONE", "include": [zone] } }));
    let with = |more: Value| {
        let mut context = lena.clone();
        context.as_object_mut().expect("is an object").extend(more.as_object().cloned().expect("is an object"));
        context
    };
    let inside = ("Hers".to_owned(), "Inside".to_owned());
    assert_eq!(stage.applied("OKTA_SIGN_ON", &with(json!({ "ip": "192.0.2.7" }))), inside);
    assert_eq!(stage.applied("OKTA_SIGN_ON", &with(json!({ "zones": { "ids": [zone] } }))), inside);
    assert_eq!(stage.applied("OKTA_SIGN_ON", &with(json!({ "ip": "198.51.100.1" }))).0, "Default Policy");
    let by_group = json!({ "groups": { "ids": [stage.group] }, "ip": "192.0.2.7" });
    assert_eq!(stage.applied("OKTA_SIGN_ON", &by_group), inside);
    // Nothing is said of where she is: nobody can tell.
    let got = stage.run("?expand=EVALUATED,RULE", &["OKTA_SIGN_ON"], &lena);
    let row = &got.body["evaluation"][0];
    assert_eq!(row.pointer("/undefined/policies/0/rules/0/name"), Some(&json!("Inside")), "{row}");
    let condition = json!({ "type": "network.include", "status": "UNDEFINED" });
    assert_eq!(row.pointer("/undefined/policies/0/rules/0/conditions/0"), Some(&condition), "{row}");
    let got = stage.run("?expand=EVALUATED", &["OKTA_SIGN_ON"], &with(json!({ "ip": "198.51.100.1" })));
    let row = &got.body["evaluation"][0];
    assert_eq!(row.pointer("/evaluated/policies/0/rules/0/conditions"), Some(&json!([])), "{row}");
    let got = stage.run("", &["OKTA_SIGN_ON"], &lena);
    assert_eq!(got.body["evaluation"][0]["undefined"], json!({ "policies": [] }));
}

#[test]
fn conditions_of_apps_rules_are_tried() {
    let stage = Stage::new();
    let policy = stage.org.post("/api/v1/policies", &json!({ "type": "ACCESS_POLICY", "name": "Shop" }));
    let policy = policy.text("/id").to_owned();
    stage.org.check(call(&format!("PUT /api/v1/apps/{}/policies/{policy}", stage.app)), 204);
    let rule = |name: &str, conditions: Value| stage.rule(&policy, name, &conditions);
    rule("Phones", json!({ "platform": { "include": [{ "type": "MOBILE", "os": { "type": "IOS" } }] } }));
    rule("Managed", json!({ "device": { "registered": true, "managed": true } }));
    rule("Risky", json!({ "riskScore": { "level": "HIGH" } }));
    rule("Designers", json!({ "elCondition": { "condition": "user.department == \"Design\"" } }));
    let check = |more: Value, expected: &str| {
        let mut context = json!({ "user": { "id": stage.lena } });
        context.as_object_mut().expect("is an object").extend(more.as_object().cloned().expect("is an object"));
        assert_eq!(stage.applied("ACCESS_POLICY", &context), ("Shop".to_owned(), expected.to_owned()), "{more}");
    };
    check(json!({ "device": { "platform": "IOS" } }), "Phones");
    check(json!({ "device": { "platform": "WINDOWS", "registered": true, "managed": true } }), "Managed");
    check(
        json!({ "device": { "platform": "WINDOWS", "registered": true, "managed": false }, "risk": { "level": "HIGH" } }),
        "Risky",
    );
    check(json!({ "device": { "platform": "ANDROID" }, "risk": { "level": "LOW" } }), "Designers");
    let dana = stage.org.id("dana.whitfield");
    let context = json!({ "user": { "id": dana }, "risk": { "level": "LOW" } });
    assert_eq!(stage.applied("ACCESS_POLICY", &context).1, "Catch-all Rule");
}

#[test]
fn what_cannot_be_tried_is_refused() {
    let stage = Stage::new();
    let (org, app, lena) = (&stage.org, &stage.app, &stage.lena);
    let post = |body: Value| call(SIMULATE).json(&body);
    let user = json!({ "user": { "id": lena } });
    // Recorded: the list that the document has here is no body.
    org.refuse(post(json!([{ "appInstance": app, "policyContext": user }])), 400, "E0000003", &[]);
    org.refuse(post(json!({ "appInstance": app, "policyContext": user, "other": 1 })), 400, "E0000003", &[]);
    org.refuse(call(SIMULATE).raw("text/plain", "{}"), 400, "E0000021", &[]);
    let blank = "appInstance: The field cannot be left blank";
    org.refuse(post(json!({ "policyContext": user })), 400, "E0000001", &[blank]);
    let one = "policyContext: Either a user or groups must be specified";
    let both = json!({ "user": { "id": lena }, "groups": { "ids": [stage.group] } });
    for context in [json!({}), both] {
        org.refuse(post(json!({ "appInstance": app, "policyContext": context })), 400, "E0000001", &[one]);
    }
    let kind = "policyTypes: The field has an invalid value";
    org.refuse(
        post(json!({ "appInstance": app, "policyTypes": ["PASSWORD"], "policyContext": user })),
        400,
        "E0000001",
        &[kind],
    );
    for (app, context) in [
        ("0oanothing", user.clone()),
        (app.as_str(), json!({ "user": { "id": "00unothing" } })),
        (app.as_str(), json!({ "groups": { "ids": ["00gnothing"] } })),
        (app.as_str(), json!({ "user": { "id": lena }, "zones": { "ids": ["nzonothing"] } })),
    ] {
        org.refuse(post(json!({ "appInstance": app, "policyContext": context })), 404, "E0000007", &[]);
    }
    let call_ = call(&format!("{SIMULATE}?expand=ALL")).json(&json!({ "appInstance": app, "policyContext": user }));
    org.check(call_, 400);
}
