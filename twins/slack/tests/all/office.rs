//! An organization to test on: acme with a second workspace and an app that administers.

use std::sync::Arc;

use dtu_kernel::{
    clock::ClockMode,
    host::host,
    universe::{Options, Universe},
    wire::Reply,
    world::World,
};
use dtu_slack::Slack;
use http::Method;
use serde_json::Value;

use crate::desk::Desk;

/// The owner, with all scopes of administrators.
pub(crate) const OWNER: &str = "xoxp-dtu-acme-steward-not-a-real-token";
/// A member with the same scopes.
pub(crate) const CLERK: &str = "xoxp-dtu-acme-clerk-not-a-real-token";
/// The bot of the same app.
pub(crate) const BOT: &str = "xoxb-dtu-acme-steward-not-a-real-token";

const ACME: &str = include_str!("../../../../fixtures/worlds/acme.yaml");
const ORG: &str = "  enterprise:\n    name: Acme Group\n    domain: acme-group\n    workspaces:\n    \
                   - {name: Acme Labs, domain: acme-labs, owner: henrik, members: [mei, kwame]}\n";

fn app(key: &str, user: &str) -> String {
    let areas = [
        "admin.users",
        "admin.teams",
        "admin.conversations",
        "admin.apps",
        "admin.invites",
        "admin.usergroups",
        "admin.roles",
        "admin.barriers",
        "admin.analytics",
        "admin.workflows",
        "admin.skills",
        "admin.app_activities",
    ];
    let scopes: Vec<String> = areas.iter().flat_map(|area| [format!("{area}:read"), format!("{area}:write")]).collect();
    format!(
        "    - key: {key}\n      name: {key}\n      bot: {key}\n      scopes: [channels:read]\n      \
         user_scopes: [{}, admin, admin.conversations:manage_objects, skills:read, skills:write, auditlogs:read, channels:read, channels:write, groups:read, chat:write, users:read, files:read, files:write, emoji:read, usergroups:read, im:write, mpim:write]\n      \
         installed_by: {user}\n      user: {user}\n      bot_token: xoxb-dtu-acme-{key}-not-a-real-token\n      \
         user_token: xoxp-dtu-acme-{key}-not-a-real-token\n      signing_secret: dtu0acme0{key}\n",
        scopes.join(", ")
    )
}

/// Acme, as an organization or as one plain workspace, with administrators' apps.
fn desk(org: &str) -> Desk {
    let text = ACME.replacen("  guests: [vikram, bea]", &format!("{org}  guests: [vikram, bea]"), 1);
    assert!(org.is_empty() || text.contains("acme-group"), "the world has guests");
    let text = format!("{}\n{}{}", text.trim_end(), app("steward", "henrik"), app("clerk", "lena"));
    let world = World::parse("acme.yaml", &text, &["okta", "slack"]).unwrap_or_else(|all| panic!("{}", all[0]));
    let options = Options { clock: ClockMode::Stepped, check: true, ..Options::default() };
    let universe = Universe::create("test", Arc::new([host(Slack)]), Arc::new(world), &options);
    let universe = universe.unwrap_or_else(|problems| panic!("{}", problems[0]));
    universe.set_origin(0, "http://127.0.0.1:7003");
    Desk { universe }
}

/// An organization.
pub(crate) fn enterprise() -> Desk {
    desk(ORG)
}

/// One plain workspace.
pub(crate) fn plain() -> Desk {
    desk("")
}

impl Desk {
    /// A call of the owner that must work.
    pub(crate) fn admin(&self, method: &str, args: &str) -> Value {
        let answer = self.call(OWNER, &format!("admin.{method}"), args);
        assert_eq!(answer["ok"], true, "admin.{method} {args}: {answer}");
        answer
    }

    /// Calls of the owner that must be refused with a code.
    pub(crate) fn denies(&self, method: &str, rows: &[(&str, &str)]) {
        self.refuses(OWNER, &format!("admin.{method}"), rows);
    }

    /// A request of the owner to the SCIM or audit API.
    pub(crate) fn rest(&self, method: Method, target: &str, body: &Value) -> (u16, Value) {
        self.rest_as(OWNER, method, target, body)
    }

    pub(crate) fn rest_as(&self, token: &str, method: Method, target: &str, body: &Value) -> (u16, Value) {
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if !token.is_empty() {
            headers.push(("authorization", format!("Bearer {token}")));
        }
        let body = if body.is_null() { String::new() } else { self.expand(&body.to_string()) };
        let reply: Reply = self.request(method, &self.expand(target), &headers, body.as_bytes());
        (reply.status.as_u16(), serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
    }

    /// The ids of the home and of the other workspace.
    pub(crate) fn teams(&self) -> (String, String) {
        let state = self.state();
        let home = state.workspace.id.to_string();
        let mut others = state.enterprise.teams.iter().map(|(id, _)| id.to_string()).filter(|id| *id != home);
        (home.clone(), others.next().expect("there is another workspace"))
    }
}
