//! Links between a provider's people and the org's, as administrators see and change them.

use serde_json::json;

use super::{LENA, Stage, ada};
use crate::support::call;

#[tokio::test]
async fn a_providers_people_are_listed_linked_and_unlinked() {
    let stage = Stage::new(json!({})).await;
    let people = format!("/api/v1/idps/{}/users", stage.idp);
    assert_eq!(stage.org.get(&people).body, json!([]));
    stage.came(&ada()).await.expect("signs in");
    let (user, lena) = (stage.org.id("ada@x.example"), stage.org.id(LENA));
    let one = stage.org.get(&format!("{people}/{user}"));
    assert_eq!((one.text("/id"), one.text("/externalId")), (&*user, "s1"));
    assert_eq!((one.text("/profile/firstName"), one.text("/profile/team")), ("Ada", "red"));
    assert!(one.text("/_links/idp/href").ends_with(&stage.idp) && one.text("/_links/user/href").ends_with(&user));
    assert_eq!(stage.org.get(&format!("/api/v1/users/{user}/idps")).column("/id"), [&*stage.idp]);
    let link = |who: &str, body| call(&format!("POST {people}/{who}")).json(&body);
    let linked = stage.org.check(link(&lena, json!({ "externalId": "s7" })), 200);
    assert_eq!((linked.text("/externalId"), &linked.body["profile"]), ("s7", &json!({})));
    let mut both = vec![user.clone(), lena.clone()];
    both.sort();
    assert_eq!(stage.org.get(&people).column("/id"), both);
    let first = stage.org.get(&format!("{people}?limit=1&expand=user"));
    assert_eq!(first.text("/0/_embedded/user/id"), both[0]);
    let next = first.link("next").expect("has another page");
    let second = stage.org.get(&next);
    assert_eq!((second.column("/id"), second.link("next")), (vec![both[1].clone()], None));
    assert_eq!(stage.org.get(&format!("{people}?q=lena")).column("/externalId"), ["s7"]);
    assert_eq!(stage.org.get(&format!("{people}?q=S1")).column("/externalId"), ["s1"]);
    assert_eq!(stage.came(&json!({ "sub": "s7", "email": "other@x.example" })).await, Ok(LENA.to_owned()));
    stage.org.check(call(&format!("DELETE {people}/{lena}")), 204);
    stage.org.refuse(call(&format!("DELETE {people}/{lena}")), 404, "E0000007", &[]);
    stage.org.refuse(call(&format!("GET {people}/{lena}")), 404, "E0000007", &[]);
    let blank = ["externalId: The field cannot be left blank"];
    stage.org.refuse(link(&lena, json!({})), 400, "E0000001", &blank);
    let taken = ["externalId: An object with this field already exists in the current organization"];
    stage.org.refuse(link(&lena, json!({ "externalId": "s1" })), 400, "E0000001", &taken);
    stage.org.refuse(call("GET /api/v1/idps/0oanothing/users"), 404, "E0000007", &[]);
    stage.org.check(call(&format!("POST /api/v1/users/{user}/lifecycle/deactivate")), 200);
    stage.org.check(call(&format!("GET {people}/{user}")), 200);
    stage.org.check(call(&format!("DELETE /api/v1/users/{user}")), 204);
    assert_eq!(stage.org.get(&people).body, json!([]), "who is deleted is linked no more");
}

#[tokio::test]
async fn what_a_provider_has_handed_out_can_be_had() {
    let stage = Stage::new(json!({})).await;
    stage.came(&ada()).await.expect("signs in");
    let user = stage.org.id("ada@x.example");
    let tokens = stage.org.get(&format!("/api/v1/idps/{}/users/{user}/credentials/tokens", stage.idp));
    assert_eq!((tokens.text("/0/token"), tokens.text("/0/tokenAuthScheme")), ("at-1", "Bearer"));
    assert_eq!(tokens.body[0]["scopes"], json!(["openid", "email"]));
    assert!(tokens.text("/0/tokenType").ends_with("access_token") && tokens.text("/1/tokenType").ends_with("id_token"));
    let lena = stage.org.id(LENA);
    let others = format!("GET /api/v1/idps/{}/users/{lena}/credentials/tokens", stage.idp);
    stage.org.refuse(call(&others), 404, "E0000007", &[]);
    let rows = stage.org.view("log").to_string();
    assert!(!rows.contains("at-1"), "tokens are not logged");
}
