//! Clients that programs register.

use serde_json::{Value, json};

use super::{form, org, refuse};
use crate::support::{Org, call};

const CLIENTS: &str = "/oauth2/v1/clients";

fn registration(name: &str) -> Value {
    json!({
        "client_name": name, "application_type": "service", "grant_types": ["client_credentials"],
        "response_types": ["token"], "token_endpoint_auth_method": "client_secret_post",
        "client_uri": "https://bot.example/",
    })
}

fn ask(org: &Org, id: &str, secret: &str) -> u16 {
    let fields =
        [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret), ("scope", "orders.read")];
    org.send(form("/oauth2/ausorders/v1/token", &fields)).status
}

#[test]
fn registered_clients_are_apps_that_get_tokens() {
    let org = org();
    let got = org.check(call(&format!("POST {CLIENTS}")).json(&registration("Bot 2")), 201);
    let (id, secret) = (got.text("/client_id").to_owned(), got.text("/client_secret").to_owned());
    assert_eq!((got.text("/client_uri"), &got.body["client_secret_expires_at"]), ("https://bot.example/", &json!(0)));
    assert_eq!(org.get(&format!("/api/v1/apps/{id}")).text("/label"), "Bot 2");
    assert_eq!(ask(&org, &id, &secret), 200);
    let one = format!("{CLIENTS}/{id}");
    assert!(org.get(&one).body.get("client_secret").is_none(), "secrets are shown once");
    assert_eq!(org.get(&format!("{CLIENTS}?q=Bot+2")).column("/client_id"), [id.as_str()]);
    let page = org.get(&format!("{CLIENTS}?limit=2"));
    assert_eq!(page.column("/client_id").len(), 2);
    assert_ne!(org.get(&page.link("next").expect("there is more")).column("/client_id"), page.column("/client_id"));
    let next = org.check(call(&format!("POST {one}/lifecycle/newSecret")), 200).text("/client_secret").to_owned();
    assert_eq!((ask(&org, &id, &secret), ask(&org, &id, &next)), (401, 200), "the old secret is gone");
    let got = org.check(call(&format!("PUT {one}")).json(&registration("Renamed")), 200);
    assert_eq!(got.text("/client_name"), "Renamed");
    assert_eq!(org.get(&format!("/api/v1/apps/{id}")).text("/label"), "Renamed");
    org.check(call(&format!("DELETE {one}")), 204);
    org.refuse(call(&format!("GET {one}")), 404, "E0000007", &[]);
    org.refuse(call(&format!("GET /api/v1/apps/{id}")), 404, "E0000007", &[]);
    let fields = [("grant_type", "client_credentials"), ("client_id", id.as_str()), ("client_secret", next.as_str())];
    refuse(
        &org,
        form("/oauth2/ausorders/v1/token", &fields),
        401,
        "invalid_client",
        "Invalid value for 'client_id' parameter.",
    );
}

#[test]
fn registrations_that_cannot_be_are_refused() {
    let org = org();
    let blank = "client_name: The field cannot be left blank";
    org.refuse(call(&format!("POST {CLIENTS}")).json(&json!({})), 400, "E0000001", &[blank]);
    let mut odd = registration("Odd");
    odd["frontchannel_logout_uri"] = json!("https://bot.example/bye");
    org.refuse(call(&format!("POST {CLIENTS}")).json(&odd), 501, "E0000060", &[]);
    let web = json!({ "client_name": "Web", "application_type": "web", "grant_types": ["authorization_code"] });
    assert_eq!(org.check(call(&format!("POST {CLIENTS}")).json(&web), 400).text("/errorCode"), "E0000001");
    org.refuse(call(&format!("GET {CLIENTS}/nobody")), 404, "E0000007", &[]);
    org.refuse(call(&format!("DELETE {CLIENTS}/nobody")), 404, "E0000007", &[]);
}
