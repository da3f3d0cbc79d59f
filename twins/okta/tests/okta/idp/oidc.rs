//! A provider that speaks `OpenID` Connect.

use serde_json::{Value, json};

use super::{LENA, Stage, ada, cookie, location, merge, provider};
use crate::support::call;

const LOG: &str = "/api/v1/logs?filter=eventType+eq+%22user.authentication.auth_via_social%22";

#[tokio::test]
async fn somebody_new_signs_in_and_is_a_person_of_the_org() {
    let stage = Stage::new(json!({})).await;
    let sent = stage.leave(&[("login_hint", "ada@x.example"), ("idp_scope", "offline_access")]);
    assert_eq!(sent["client_id"], "at-idp");
    assert_eq!(sent["redirect_uri"], "http://okta.test/oauth2/v1/authorize/callback");
    assert_eq!((sent["response_type"].as_str(), sent["login_hint"].as_str()), ("code", "ada@x.example"));
    assert_eq!(sent["scope"], "openid profile email offline_access");
    stage.ready(&sent["nonce"], &ada());
    let got = stage.back(&sent["state"]).await;
    assert_eq!(got.status, 302, "{}", got.body);
    assert!(location(&got).0.ends_with("/oauth2/v1/authorize"), "{got:?}");
    let session = stage.org.check(call("GET /api/v1/sessions/me").anonymous().header("cookie", cookie(&got)), 200);
    assert_eq!((session.text("/idp/id"), session.text("/idp/type")), (&*stage.idp, "SOCIAL"));
    assert!(stage.client(&got).contains_key("code"));
    let user = stage.org.get("/api/v1/users/ada@x.example");
    assert_eq!((user.text("/status"), user.text("/profile/firstName")), ("ACTIVE", "Ada"));
    assert_eq!(user.body["credentials"]["provider"], json!({ "type": "SOCIAL", "name": "SOCIAL" }));
    let calls = stage.server.received_requests().await.expect("are kept");
    let form = String::from_utf8_lossy(&calls[0].body).into_owned();
    assert!(form.contains("grant_type=authorization_code&code=c1&redirect_uri="), "{form}");
    assert!(form.contains("client_id=at-idp&client_secret=not-a-real-secret"), "{form}");
    assert_eq!(calls.iter().map(|call| call.url.path()).collect::<Vec<_>>(), ["/token", "/keys"]);
    let events = stage.org.events();
    assert_eq!(events["user.authentication.auth_via_social"], 1);
    assert_eq!((events["user.lifecycle.create"], events["user.session.start"]), (1, 1));
}

#[tokio::test]
async fn who_comes_again_is_known_by_the_providers_name_for_them() {
    let stage = Stage::new(json!({})).await;
    assert_eq!(stage.came(&ada()).await, Ok("ada@x.example".to_owned()));
    let renamed = json!({ "sub": "s1", "email": "other@x.example", "given_name": "Other", "family_name": "Name" });
    assert_eq!(stage.came(&renamed).await, Ok("ada@x.example".to_owned()));
    assert_eq!(stage.org.get("/api/v1/users/ada@x.example").text("/profile/firstName"), "Ada");
    let master = json!({ "policy": { "provisioning": { "profileMaster": true } } });
    stage.change(&master);
    assert_eq!(stage.came(&renamed).await, Ok("other@x.example".to_owned()), "the provider is the source of truth");
    assert_eq!(stage.org.get("/api/v1/users/other@x.example").text("/profile/firstName"), "Other");
}

#[tokio::test]
async fn whom_a_provider_means_the_policy_says() {
    let stage = Stage::new(json!({})).await;
    let design = stage.org.group("Design");
    let lena = stage.org.id(LENA);
    stage.org.post(&format!("/api/v1/users/{lena}"), &json!({ "profile": { "nickName": "len" } }));
    let of = |email: &str| json!({ "sub": "s9", "email": email, "given_name": "L", "family_name": "F", "nick": "len" });
    let subject = |kind: &str| json!({ "policy": { "subject": { "matchType": kind } } });
    let template = |text: &str| json!({ "policy": { "subject": { "userNameTemplate": { "template": text } } } });
    let link = |link: Value| json!({ "policy": { "accountLink": link, "provisioning": { "action": "DISABLED" } } });
    let custom = json!({ "policy": { "subject": {
        "matchType": "CUSTOM_ATTRIBUTE", "matchAttribute": "nickName",
        "userNameTemplate": { "template": "idpuser.nick" },
    } } });
    let taken = Err("login: An object with this field already exists in the current organization");
    let off = Err("User creation was disabled.");
    let cases: Vec<(Value, &str, Result<&str, &str>)> = vec![
        (subject("USERNAME"), LENA, Ok(LENA)),
        (subject("USERNAME"), "LENA.FISCHER@acme.example", Ok(LENA)),
        (subject("EMAIL"), LENA, Ok(LENA)),
        (subject("USERNAME_OR_EMAIL"), LENA, Ok(LENA)),
        (custom, "x@x.example", Ok(LENA)),
        (
            template("String.substringBefore(idpuser.email, \"+\") + \"@acme.example\""),
            "lena.fischer+1@y.example",
            Ok(LENA),
        ),
        (template("idpuser.nothing"), LENA, Err("Unable to transform nothing to username")),
        (link(json!({ "action": "DISABLED" })), LENA, off),
        (json!({ "policy": { "accountLink": { "action": "DISABLED" } } }), LENA, taken),
        (link(json!({ "action": "AUTO", "filter": { "groups": { "include": [design] } } })), LENA, Ok(LENA)),
        (link(json!({ "action": "AUTO", "filter": { "groups": { "include": ["00gnobody"] } } })), LENA, off),
        (link(json!({ "action": "AUTO", "filter": { "users": { "exclude": [lena] } } })), LENA, off),
        (link(json!({ "action": "AUTO", "filter": { "users": { "excludeAdmins": true } } })), LENA, Ok(LENA)),
        (
            link(json!({ "action": "AUTO", "filter": { "users": { "excludeAdmins": true } } })),
            "dana.whitfield@acme.example",
            off,
        ),
        (
            json!({ "policy": { "subject": { "filter": "(\\S+@y\\.example)" } } }),
            LENA,
            Err("The transformed username 'lena.fischer@acme.example' was rejected by the username filter"),
        ),
    ];
    for (more, email, expected) in cases {
        let stage = Stage { org: stage.org.fork(), ..Stage::new(json!({})).await };
        let made = stage.org.post("/api/v1/idps", &provider(&stage.server.uri(), &more));
        let stage = Stage { idp: made.text("/id").to_owned(), ..stage };
        let came = stage.came(&of(email)).await;
        assert_eq!(came.as_deref().map_err(String::as_str), expected, "{more} {email}");
    }
}

#[tokio::test]
async fn nobody_is_made_without_what_people_need() {
    let stage = Stage::new(json!({})).await;
    let check = async |claims: Value, error: &str, words: &str| {
        let told = stage.client(&stage.sign_in(&claims).await);
        assert_eq!((told["error"].as_str(), told["error_description"].as_str()), (error, words), "{claims}");
        assert_eq!(told["state"], "s1");
    };
    let missing = "Unable to create the user. The following required properties are missing:";
    check(
        json!({ "sub": "s1", "email": "a@x.example" }),
        "jit_failure_missing_fields",
        &format!("{missing} 'firstName','lastName'."),
    )
    .await;
    let log = stage.org.get(LOG);
    assert_eq!(log.text("/0/outcome/result"), "FAILURE");
    assert_eq!(log.text("/0/outcome/reason"), "Unable to JIT user from the Identity Provider");
    assert_eq!(log.text("/0/target/0/id"), stage.idp);
    let created = stage.org.get("/api/v1/logs?filter=eventType+eq+%22user.lifecycle.create%22");
    assert_eq!(created.text("/0/outcome/result"), "FAILURE");
    stage.change(&json!({ "policy": { "provisioning": { "action": "DISABLED" } } }));
    check(ada(), "access_denied", "User creation was disabled.").await;
}

#[tokio::test]
async fn tokens_that_are_not_in_order_sign_nobody_in() {
    let stage = Stage::new(json!({})).await;
    let now = stage.org.universe.now().as_secs();
    let cases = [
        (json!({ "iss": "https://other.example" }), "its issuer is another one"),
        (json!({ "aud": "other" }), "it is meant for somebody else"),
        (json!({ "exp": now }), "it has expired"),
        (json!({ "iat": now + 3_600 }), "it was issued in the future"),
        (json!({ "nonce": "other" }), "its nonce is another one"),
    ];
    for (claims, reason) in cases {
        let mut all = ada();
        merge(&mut all, &claims);
        let refused = stage.came(&all).await;
        assert_eq!(refused, Err("The ID token of the identity provider is invalid.".to_owned()), "{claims}");
        let log = stage.org.get(&format!("{LOG}&sortOrder=DESCENDING&limit=1"));
        assert!(log.text("/0/outcome/reason").contains(reason), "{}", log.body);
    }
    let several = merged(ada(), &json!({ "aud": ["other", "at-idp"] }));
    assert_eq!(stage.came(&several).await, Ok("ada@x.example".to_owned()));
    let alien = stage.leave(&[]);
    stage.ready(&alien["nonce"], &ada());
    stage.answer("/keys", 200, json!({ "keys": [] }));
    let got = stage.back(&alien["state"]).await;
    assert_eq!(stage.client(&got)["error_description"], "The ID token of the identity provider is invalid.");
}

fn merged(mut one: Value, other: &Value) -> Value {
    merge(&mut one, other);
    one
}

#[tokio::test]
async fn a_provider_that_fails_or_refuses_is_told_to_the_client() {
    let stage = Stage::new(json!({})).await;
    let sent = stage.leave(&[]);
    stage.answer("/token", 401, json!({ "error": "invalid_client", "error_description": "who are you" }));
    let got = stage.back(&sent["state"]).await;
    assert_eq!(stage.client(&got)["error_description"], "Unable to get a token from the identity provider.");
    let log = stage.org.get(LOG);
    assert!(log.text("/0/outcome/reason").ends_with("401 who are you"), "{}", log.body);
    let again = stage
        .org
        .check(call(&format!("GET /oauth2/v1/authorize/callback?code=c1&state={}", sent["state"])).anonymous(), 400);
    assert!(
        again.body.as_str().is_some_and(|page| page.contains("unknown, or it has expired")),
        "a state is good once"
    );
    let sent = stage.leave(&[]);
    let target =
        format!("/oauth2/v1/authorize/callback?error=access_denied&error_description=No&state={}", sent["state"]);
    let got = stage.org.check(call(&format!("GET {target}")).anonymous(), 302);
    assert_eq!(stage.client(&got)["error_description"], "No");
    let sent = stage.leave(&[]);
    stage.org.universe.advance(std::time::Duration::from_secs(901)).await;
    stage
        .org
        .check(call(&format!("GET /oauth2/v1/authorize/callback?code=c1&state={}", sent["state"])).anonymous(), 400);
}

#[tokio::test]
async fn who_cannot_sign_in_is_woken_only_where_the_policy_says_so() {
    let stage = Stage::new(json!({})).await;
    stage.came(&ada()).await.expect("signs in");
    let user = stage.org.id("ada@x.example");
    let verb = |verb: &str| stage.org.check(call(&format!("POST /api/v1/users/{user}/lifecycle/{verb}")), 200);
    let conditions = |what: &str, action: &str| json!({ "policy": { "provisioning": { "conditions": { what: { "action": action } } } } });
    let refused = Err("User is not allowed to sign in.".to_owned());
    verb("suspend");
    assert_eq!(stage.came(&ada()).await, refused);
    stage.change(&conditions("suspended", "UNSUSPEND"));
    assert_eq!(stage.came(&ada()).await, Ok("ada@x.example".to_owned()));
    verb("deactivate");
    assert_eq!(stage.came(&ada()).await, refused);
    stage.change(&conditions("deprovisioned", "REACTIVATE"));
    assert_eq!(stage.came(&ada()).await, Ok("ada@x.example".to_owned()));
    assert_eq!(stage.org.get(&format!("/api/v1/users/{user}")).text("/status"), "ACTIVE");
    let staged =
        json!({ "profile": { "login": "new@x.example", "email": "new@x.example", "firstName": "N", "lastName": "W" } });
    stage.org.post("/api/v1/users?activate=false", &staged);
    let new = json!({ "sub": "s2", "email": "new@x.example" });
    assert_eq!(stage.came(&new).await, Ok("new@x.example".to_owned()));
    assert_eq!(stage.org.get("/api/v1/users/new@x.example").text("/status"), "ACTIVE");
}

#[tokio::test]
async fn groups_are_assigned_to_whom_a_provider_brings() {
    let stage = Stage::new(json!({})).await;
    let design = stage.org.group("Design");
    let groups = json!({ "policy": { "provisioning": { "groups": { "action": "ASSIGN", "assignments": [design, "00gnone"] } } } });
    stage.change(&groups);
    stage.came(&ada()).await.expect("signs in");
    let names =
        stage.org.get(&format!("/api/v1/users/{}/groups", stage.org.id("ada@x.example"))).column("/profile/name");
    assert!(names.contains(&"Design".to_owned()), "{names:?}");
    let log = stage.org.get("/api/v1/logs?filter=eventType+eq+%22group.user_membership.add%22");
    assert_eq!(log.text("/0/target/2/id"), stage.idp);
}

#[tokio::test]
async fn the_mapping_says_what_a_provider_brings() {
    let stage = Stage::new(json!({})).await;
    let at = stage.server.uri();
    stage.change(&json!({ "protocol": { "endpoints": { "userInfo": { "url": format!("{at}/me"), "binding": "HTTP-REDIRECT" } } } }));
    let mapping = stage.org.get(&format!("/api/v1/mappings?sourceId={}", stage.idp));
    assert_eq!(mapping.text("/0/source/id"), stage.idp);
    let one = stage.org.get(&format!("/api/v1/mappings/{}", mapping.text("/0/id")));
    assert_eq!(one.text("/properties/firstName/expression"), "appuser.firstName");
    let property = json!({ "properties": { "department": { "expression": "appuser.team", "pushStatus": "PUSH" } } });
    stage.org.post(&format!("/api/v1/mappings/{}", mapping.text("/0/id")), &property);
    stage.answer("/me", 200, json!({ "sub": "s1", "team": "blue", "phone_number": "+1-555" }));
    stage.came(&ada()).await.expect("signs in");
    let user = stage.org.get("/api/v1/users/ada@x.example");
    assert_eq!((user.text("/profile/department"), user.text("/profile/mobilePhone")), ("blue", "+1-555"));
    stage.answer("/me", 200, json!({ "sub": "s2" }));
    assert_eq!(stage.came(&ada()).await, Err("The profile of the identity provider is another person's.".to_owned()));
    stage.org.check(call(&format!("DELETE /api/v1/idps/{}", stage.idp)), 204);
    assert_eq!(stage.org.get(&format!("/api/v1/mappings?sourceId={}", stage.idp)).body, json!([]));
    assert_eq!(stage.org.get("/api/v1/users/ada@x.example/idps").body, json!([]));
}

#[tokio::test]
async fn okta_shows_by_a_verifier_or_a_key_that_the_code_is_its_own() {
    let stage = Stage::new(json!({})).await;
    let key = stage
        .org
        .check(call(&format!("POST /api/v1/idps/{}/credentials/keys/generate?validityYears=2", stage.idp)), 201);
    let client = json!({
        "client_id": "at-idp", "client_secret": Value::Null, "pkce_required": true,
        "token_endpoint_auth_method": "private_key_jwt",
    });
    let signing = json!({ "kid": key.text("/kid") });
    stage.change(&json!({ "protocol": { "credentials": { "client": client, "signing": signing } } }));
    let sent = stage.leave(&[]);
    assert_eq!((sent["code_challenge_method"].as_str(), sent["code_challenge"].len()), ("S256", 43));
    stage.ready(&sent["nonce"], &ada());
    stage.back(&sent["state"]).await;
    let calls = stage.server.received_requests().await.expect("are kept");
    let form: std::collections::BTreeMap<String, String> =
        form_urlencoded::parse(&calls[0].body).into_owned().collect();
    assert_eq!(dtu_okta::oauth::jwt::digest(&form["code_verifier"]), sent["code_challenge"]);
    assert!(!form.contains_key("client_secret"), "{form:?}");
    let read = dtu_okta::oauth::jwt::Unverified::read(&form["client_assertion"]).expect("is a token");
    assert!(read.is_signed_by(&key.body), "{}", key.body);
    assert_eq!((read.claim("iss"), read.claim("sub")), (Some("at-idp"), Some("at-idp")));
    assert_eq!(read.claim("aud").map(str::to_owned), Some(format!("{}/token", stage.server.uri())));
}

#[tokio::test]
async fn a_provider_that_speaks_oauth_alone_says_who_it_is_by_its_api() {
    let stage = Stage::new(json!({})).await;
    let at = stage.server.uri();
    let mut body = provider(
        &at,
        &json!({
            "type": "GITHUB", "name": "Code",
            "protocol": { "type": "OAUTH2", "scopes": ["user"], "endpoints": { "userInfo": { "url": format!("{at}/me"), "binding": "HTTP-REDIRECT" } } },
        }),
    );
    body["protocol"].as_object_mut().expect("is one").remove("issuer");
    let idp = stage.org.post("/api/v1/idps", &body).text("/id").to_owned();
    let stage = Stage { idp, ..stage };
    let sent = stage.leave(&[]);
    assert!(!sent.contains_key("nonce"), "{sent:?}");
    stage.answer("/token", 200, json!({ "access_token": "gh", "token_type": "bearer", "scope": "user" }));
    stage.answer("/me", 200, json!({ "id": 77, "email": "ada@x.example", "given_name": "Ada", "family_name": "L" }));
    let got = stage.back(&sent["state"]).await;
    assert!(stage.client(&got).contains_key("code"));
    let calls = stage.server.received_requests().await.expect("are kept");
    assert_eq!(calls.last().expect("was asked").headers["authorization"], "Bearer gh");
    let people = stage.org.get(&format!("/api/v1/idps/{}/users", stage.idp));
    assert_eq!(people.text("/0/externalId"), "77");
}

#[tokio::test]
async fn providers_that_there_are_not_are_refused_and_sessions_go_first() {
    let stage = Stage::new(json!({})).await;
    let check = |idp: &str| {
        let got = stage.org.check(call(&super::authorize(&[("idp", idp)])).anonymous(), 302);
        assert_eq!(location(&got).1["error_description"], "Identity provider is not valid.");
    };
    check("0oanothing");
    stage.org.check(call(&format!("POST /api/v1/idps/{}/lifecycle/deactivate", stage.idp)), 200);
    check(&stage.idp);
    stage.org.check(call(&format!("POST /api/v1/idps/{}/lifecycle/activate", stage.idp)), 200);
    let none = stage.org.check(call(&super::authorize(&[("idp", &stage.idp), ("prompt", "none")])).anonymous(), 302);
    assert_eq!(location(&none).1["error"], "login_required");
    let got = stage.sign_in(&ada()).await;
    let again = call(&super::authorize(&[("idp", &stage.idp)])).anonymous().header("cookie", cookie(&got));
    assert!(location(&stage.org.check(again, 302)).1.contains_key("code"), "there is a session");
    let anew = call(&super::authorize(&[("idp", &stage.idp), ("prompt", "login")])).anonymous();
    let anew = stage.org.check(anew.header("cookie", cookie(&got)), 302);
    assert!(location(&anew).0.ends_with("/authorize") && location(&anew).0.starts_with(&stage.server.uri()));
    let link = stage.org.check(call(&format!("GET /sso/idps/{}?fromURI=/app/UserHome", stage.idp)).anonymous(), 302);
    let sent = location(&link).1;
    stage.ready(&sent["nonce"], &ada());
    assert_eq!(stage.back(&sent["state"]).await.header("location"), "/app/UserHome");
    stage.org.check(call("GET /sso/idps/0oanothing").anonymous(), 404);
}
