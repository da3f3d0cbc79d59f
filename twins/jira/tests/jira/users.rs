//! People, and the site itself.

use serde_json::json;

use crate::support::{ORIGIN, Site, call};

#[test]
fn the_site_tells_what_it_is() {
    let got = Site::acme().get("/rest/api/3/serverInfo");
    insta::assert_json_snapshot!(got.body);
}

#[test]
fn people_are_shown_whole() {
    let site = Site::acme();
    let myself = site.get("/rest/api/3/myself?expand=groups,applicationRoles");
    insta::assert_json_snapshot!(myself.body);
    let dana = site.id("dana");
    assert_eq!(
        site.get(&format!("/rest/api/3/user?accountId={dana}&expand=groups&expand=applicationRoles")).body,
        myself.body
    );
    let bare = site.get("/rest/api/3/myself");
    assert_eq!(bare.body["groups"], json!({ "size": myself.body["groups"]["size"], "items": [] }));
    assert_eq!(bare.body["applicationRoles"], json!({ "size": 1, "items": [] }));
    let left = site.get(&format!("/rest/api/3/user?accountId={}", site.id("marcus")));
    assert_eq!((&left.body["active"], &left.body["applicationRoles"]["size"]), (&json!(false), &json!(0)));
    assert_eq!(site.get("/rest/api/3/myself?expand=shoes").body, bare.body);
}

#[test]
fn links_lead_back_to_the_person() {
    let site = Site::acme();
    for key in ["dana", "lena", "omar", "priya", "rob"] {
        let id = site.id(key);
        let got = site.get(&format!("/rest/api/3/user?accountId={id}"));
        let link = got.text("/self").strip_prefix(ORIGIN).expect("leads to the twin").to_owned();
        assert_eq!(site.get(&link).text("/accountId"), id);
    }
}

#[test]
fn who_is_asked_for_wrongly_is_refused() {
    let site = Site::acme();
    let check = |query: &str, status: u16, sentence: &str| {
        let got = site.check(call(&format!("GET /rest/api/3/{query}")), status);
        assert_eq!(got.body, json!({ "errorMessages": [sentence], "errors": {} }), "{query}");
        got
    };
    let needed = "The 'accountId' query parameter needs to be provided";
    check("user", 400, needed);
    check("user?accountId=", 400, needed);
    let unknown = "Specified user does not exist or you do not have required permissions";
    check("user?accountId=5b10ac8d82e05b22cc7d4ef5", 404, unknown);
    let strict = |name: &str| format!("The query parameter '{name}' is not supported in GDPR strict mode.");
    check("user?username=dana", 400, &strict("username"));
    check("user?accountId=x&key=dana", 400, &strict("key"));
    check("user/search?username=dana", 400, &strict("username"));
    check("user/search", 400, "The username or property query parameter must be provided");
    let both = "The query parameters 'query' and 'accountId' are mutually exclusive.";
    check("user/search?query=a&accountId=b", 400, both);
    let property = site.check(call("GET /rest/api/3/user/search?property=a.b=1"), 501);
    assert!(property.gap, "the twin looks at no properties, and says so");
}

#[test]
fn searches_match_beginnings() {
    let site = Site::acme();
    let check = |query: &str, wanted: &[&str]| {
        let got = site.get(&format!("/rest/api/3/user/search?{query}"));
        let mut found = got.column("/displayName");
        found.sort_unstable();
        assert_eq!(found, wanted, "{query}");
    };
    check("query=dana", &["Dana Whitfield"]);
    check("query=WHIT", &["Dana Whitfield"]);
    check("query=dana+w", &["Dana Whitfield"]);
    check("query=lena.fischer%40acme", &["Lena Fischer"]);
    check("query=hitfield", &[]);
    check("query=marcus", &[]);
    check("query=beatriz", &[]);
    check("query=dana&startAt=1", &[]);
    check(&format!("accountId={}", site.id("lena")), &["Lena Fischer"]);
    check("accountId=nobody", &[]);
    assert_eq!(site.get("/rest/api/3/user/search?query=&maxResults=1000").column("/accountId").len(), 39);
}

#[test]
fn all_people_are_listed_once_by_page() {
    let site = Site::acme();
    for path in ["users", "users/search"] {
        let page = |start: usize| {
            let got = site.get(&format!("/rest/api/3/{path}?startAt={start}&maxResults=20"));
            got.column("/accountId").into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let pages = [page(0), page(20), page(40), page(60)];
        assert_eq!(pages.each_ref().map(Vec::len), [20, 20, 2, 0]);
        let all: std::collections::BTreeSet<_> = pages.into_iter().flatten().collect();
        assert_eq!(all.len(), 42);
    }
    let count = |query: &str| site.get(&format!("/rest/api/3/users?{query}")).column("/accountId").len();
    assert_eq!((count("maxResults=5000"), count("startAt=-3&maxResults=2"), count("maxResults=-1")), (42, 2, 0));
    let shown = site.get("/rest/api/3/users?maxResults=1");
    assert!(shown.body[0].get("groups").is_none());
    let shown = site.get("/rest/api/3/users?maxResults=1&expand=groups");
    assert!(!shown.body[0]["groups"]["items"].as_array().expect("is a list").is_empty());
}
