//! Whom apps hear through: their bots, and the people who have let them act for them; and how much they are sent.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    clock::ClockMode,
    host::host,
    universe::{Options, Universe},
    world::World,
};
use dtu_slack::Slack;
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use crate::desk::{APP, DANA, Desk, TESTER};

const ACME: &str = include_str!("../../../../fixtures/worlds/acme.yaml");

/// Answers the challenge, and takes all else.
struct App;

impl Respond for App {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        ResponseTemplate::new(200).set_body_json(json!({ "challenge": body["challenge"] }))
    }
}

/// A desk whose Test Harness is told of events at a server, through its bot and on behalf of people.
async fn listening(limits: &str, bot: &[&str], people: &[&str]) -> (Desk, MockServer) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(App).mount(&server).await;
    // An app's own token lists authorizations where it has the scope.
    let text = ACME.replacen(
        &format!("      app_token: \"{APP}\"\n"),
        &format!("      app_token: \"{APP}\"\n      app_scopes: [connections:write, authorizations:read]\n"),
        1,
    );
    assert!(text.contains("app_scopes"), "the app has a token");
    let world = World::parse("acme.yaml", &text, &["okta", "slack"]).unwrap_or_else(|all| panic!("{}", all[0]));
    let limits = limits.parse().expect("is a profile");
    let options = Options { clock: ClockMode::Stepped, limits, check: true, ..Options::default() };
    let universe = Universe::create("test", Arc::new([host(Slack)]), Arc::new(world), &options);
    let universe = universe.unwrap_or_else(|problems| panic!("{}", problems[0]));
    universe.set_origin(0, "http://127.0.0.1:7003");
    let desk = Desk { universe };
    let with = json!({ "app": "dtu-tester", "events_url": server.uri(), "events": bot, "user_events": people });
    desk.act("slack.admin.configure_app", "dana", with);
    desk.settle().await;
    (desk, server)
}

/// What was told of this type, oldest first.
async fn told(desk: &Desk, server: &MockServer, kind: &str) -> Vec<Value> {
    desk.settle().await;
    let all = server.received_requests().await.unwrap();
    let bodies = all.iter().filter_map(|request| serde_json::from_slice::<Value>(&request.body).ok());
    bodies.filter(|body| body["type"] == kind).collect()
}

/// Whose authorization each event was sent by: its user's name, and whether it is a bot.
fn authorized(desk: &Desk, rows: &[Value]) -> Vec<(String, bool)> {
    let state = desk.state();
    let name = |row: &Value| state.users.get(&row["user_id"].as_str().unwrap().into()).unwrap().name.to_string();
    rows.iter().map(|row| (name(row), row["is_bot"] == true)).collect()
}

#[tokio::test]
async fn apps_hear_on_behalf_of_people() {
    let (desk, server) = listening("off", &["message.channels"], &["message.channels", "dnd_updated"]).await;
    // Dana is in it and the bot is not; both; neither.
    for channel in ["random", "general", "design"] {
        let by = if channel == "design" { "omar" } else { "lena" };
        desk.act("slack.user.post", by, json!({ "channel": channel, "text": channel }));
    }
    let events = told(&desk, &server, "event_callback").await;
    let texts: Vec<&str> = events.iter().map(|event| event["event"]["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["random", "general"]);
    let firsts: Vec<Value> = events.iter().map(|event| event["authorizations"][0].clone()).collect();
    let (dana, bot) = (("dana.whitfield".to_owned(), false), ("dtutester".to_owned(), true));
    assert_eq!(authorized(&desk, &firsts), [dana.clone(), bot.clone()]);
    // One authorization goes with an event; all are to be asked for, in pages.
    let list = |at: usize, more: &str| {
        let context = events[at]["event_context"].as_str().unwrap();
        desk.call(APP, "apps.event.authorizations.list", &format!("event_context={context}{more}"))
    };
    let rows = |answer: &Value| authorized(&desk, answer["authorizations"].as_array().unwrap());
    assert_eq!(rows(&list(0, "")), std::slice::from_ref(&dana));
    assert_eq!(rows(&list(1, "")), [bot.clone(), dana.clone()]);
    let first = list(1, "&limit=1");
    let cursor = first["response_metadata"]["next_cursor"].as_str().unwrap();
    assert_eq!(rows(&first), [bot]);
    assert_eq!(rows(&list(1, &format!("&limit=1&cursor={cursor}"))), [dana]);
}

#[tokio::test]
async fn what_a_person_does_is_told_of_that_person_alone() {
    let (desk, server) = listening("off", &["dnd_updated"], &["dnd_updated", "subteam_self_added"]).await;
    desk.call(DANA, "dnd.setSnooze", "num_minutes=5");
    let group = desk.call(TESTER, "usergroups.create", "name=Crew&handle=crew")["usergroup"]["id"].clone();
    let group = group.as_str().unwrap();
    desk.call(TESTER, "usergroups.users.update", &format!("usergroup={group}&users={{@lena}}"));
    desk.call(TESTER, "usergroups.users.update", &format!("usergroup={group}&users={{@lena}},{{@dana}}"));
    let events = told(&desk, &server, "event_callback").await;
    let kinds: Vec<&str> = events.iter().map(|event| event["event"]["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["dnd_updated", "subteam_self_added"]);
    assert_eq!(events[0]["event"]["dnd_status"]["snooze_enabled"], true);
}

#[tokio::test]
async fn who_takes_back_the_token_is_heard_of_no_more() {
    let (desk, server) = listening("off", &[], &["message.channels"]).await;
    let post = |text: &str| desk.act("slack.user.post", "lena", json!({ "channel": "random", "text": text }));
    post("heard");
    desk.settle().await;
    desk.call(DANA, "auth.revoke", "");
    post("unheard");
    assert_eq!(told(&desk, &server, "event_callback").await.len(), 1);
}

#[tokio::test]
async fn an_app_is_sent_no_more_than_its_share_of_an_hour() {
    // A thousandth of Slack's 30,000 events.
    let (desk, server) = listening("scale:0.001", &["message.channels"], &[]).await;
    let say = async |text: &str| {
        desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": text }));
        desk.settle().await;
    };
    for number in 0..32 {
        say(&number.to_string()).await;
    }
    assert_eq!(told(&desk, &server, "event_callback").await.len(), 30);
    let state = desk.state();
    let app = state.find_app("dtu-tester").unwrap();
    let limited = |minute: i64| {
        json!({
            "token": "dtu-acme-tester-verification",
            "type": "app_rate_limited",
            "team_id": state.workspace.id,
            "minute_rate_limited": minute,
            "api_app_id": app.id,
        })
    };
    let first = desk.universe.now().as_secs() / 60 * 60;
    assert_eq!(told(&desk, &server, "app_rate_limited").await, [limited(first)]);
    // While it lasts, the app is told so once in each minute.
    desk.universe.advance(Duration::from_secs(120)).await;
    let all = [limited(first), limited(first + 60), limited(first + 120)];
    assert_eq!(told(&desk, &server, "app_rate_limited").await, all);
    // Once the hour is over, the app hears again, but never of what was said meanwhile.
    desk.universe.advance(Duration::from_secs(3_480)).await;
    say("heard again").await;
    let events = told(&desk, &server, "event_callback").await;
    let last: Vec<&str> = events[29..].iter().map(|event| event["event"]["text"].as_str().unwrap()).collect();
    assert_eq!(last, ["29", "heard again"]);
    let count = told(&desk, &server, "app_rate_limited").await.len();
    desk.universe.advance(Duration::from_secs(300)).await;
    assert_eq!(told(&desk, &server, "app_rate_limited").await.len(), count);
}
