//! Channels that are shared with other organizations.

use std::time::Duration;

use serde_json::json;
use wiremock::MockServer;

use crate::{
    answers::{heard, listening},
    desk::{Desk, TESTER},
};

/// A desk that hears of events, the channel `plans` of the tester's, and an invitation to it that was sent.
async fn inviting(names: &[&str]) -> (Desk, MockServer, String, String) {
    let (desk, server) = listening(names).await;
    let plans = desk.call(TESTER, "conversations.create", "name=plans")["channel"]["id"].as_str().unwrap().to_owned();
    let to = format!("channel={plans}&emails=[\"ada@other.example\"]");
    let sent = desk.call(TESTER, "conversations.inviteShared", &to)["invite_id"].as_str().unwrap().to_owned();
    (desk, server, plans, sent)
}

/// All of these events were sent.
async fn assert_heard(desk: &Desk, server: &MockServer, names: &[&str]) {
    let events = heard(desk, server).await;
    for name in names {
        assert!(events.iter().any(|event| event["type"] == *name), "no {name}");
    }
}

#[tokio::test]
async fn invitations_to_other_organizations_are_checked() {
    let (desk, _server, plans, _) = inviting(&[]).await;
    let dm = desk.call(TESTER, "conversations.open", "users={@lena}")["channel"]["id"].as_str().unwrap().to_owned();
    desk.refuses(
        TESTER,
        "conversations.inviteShared",
        &[
            (&format!("channel={plans}"), "recipients_not_specified"),
            (&format!("channel={plans}&emails=[\"nobody\"]"), "invalid_email"),
            (&format!("channel={plans}&emails=[\"a@b.example\",\"c@d.example\"]"), "too_many_emails"),
            (&format!("channel={plans}&user_ids=[\"U000\"]"), "user_not_found"),
            (&format!("channel={plans}&user_ids=[\"{{@dtutester}}\"]"), "already_in_channel"),
            ("channel={#general}&emails=[\"a@b.example\"]", "cannot_share_mandatory_channel"),
            ("channel={#random}&emails=[\"a@b.example\"]", "not_in_channel"),
            ("channel=C000&emails=[\"a@b.example\"]", "channel_not_found"),
            (&format!("channel={dm}&emails=[\"a@b.example\"]"), "invalid_channel_type"),
        ],
    );
}

#[tokio::test]
async fn channels_are_shared_with_other_organizations() {
    let names = [
        "shared_channel_invite_accepted",
        "shared_channel_invite_approved",
        "shared_channel_invite_declined",
        "channel_shared",
    ];
    let (desk, server, plans, sent) = inviting(&names).await;
    let listed = || desk.call(TESTER, "conversations.listConnectInvites", "")["invites"].clone();
    assert_eq!((&listed()[0]["invite"]["id"], &listed()[0]["status"]), (&json!(sent), &json!("pending")));
    let one = format!("invite_id={sent}");
    desk.refuses(
        TESTER,
        "conversations.approveSharedInvite",
        &[(&one, "approval_not_found"), ("invite_id=I000", "invite_not_found")],
    );
    let team =
        desk.act("slack.admin.partner_accepts", "dana", json!({ "invite": sent, "organization": "Other" }))["team"]
            .as_str()
            .unwrap()
            .to_owned();
    let approve = format!("{one}&target_team={team}");
    desk.refuses(
        TESTER,
        "conversations.approveSharedInvite",
        &[(&one, "missing_target_team"), (&approve, ""), (&approve, "already_approved")],
    );
    assert_eq!(listed(), json!([]));
    let info = desk.call(TESTER, "conversations.info", &format!("channel={plans}"));
    assert_eq!(
        (&info["channel"]["is_ext_shared"], &info["channel"]["shared_team_ids"][1]),
        (&json!(true), &json!(team))
    );
    let permit = |action: &str, team: &str| format!("channel={plans}&target_team={team}&action={action}");
    desk.refuses(
        TESTER,
        "conversations.externalInvitePermissions.set",
        &[
            (&permit("upgrade", &team), ""),
            (&permit("upgrade", "T000"), "invalid_target_team"),
            (&permit("change", &team), "invalid_action"),
            (&format!("channel=C000&target_team={team}&action=upgrade"), "channel_not_found"),
        ],
    );
    let to = format!("channel={plans}&emails=[\"ada@other.example\"]");
    let second = desk.call(TESTER, "conversations.inviteShared", &to)["invite_id"].as_str().unwrap().to_owned();
    let second = format!("invite_id={second}");
    desk.refuses(
        TESTER,
        "conversations.declineSharedInvite",
        &[(&second, ""), (&second, "inactive_invite"), ("invite_id=I000", "invite_not_found")],
    );
    desk.refuses(TESTER, "conversations.approveSharedInvite", &[(&second, "approval_inactive")]);
    assert_heard(&desk, &server, &names).await;
}

#[tokio::test]
async fn invitations_of_other_organizations_are_accepted() {
    let names = ["shared_channel_invite_received", "channel_shared"];
    let (desk, server, _, sent) = inviting(&names).await;
    let incoming = desk.act(
        "slack.admin.partner_invites",
        "dana",
        json!({ "organization": "Other", "channel_name": "theirs", "user": "dana" }),
    );
    let incoming = incoming["invite"].as_str().unwrap();
    let accept = format!("invite_id={incoming}&channel_name=theirs");
    desk.refuses(
        TESTER,
        "conversations.acceptSharedInvite",
        &[
            (&format!("invite_id={sent}&channel_name=theirs"), "invite_from_same_org"),
            (&format!("invite_id={incoming}&channel_name=general"), "name_taken"),
            (&format!("invite_id={incoming}&channel_name=A B"), "invalid_name_specials"),
            ("channel_name=theirs", "invalid_arguments"),
            (&format!("{accept}&channel_id=C000"), "invalid_link"),
            ("channel_id=C000&channel_name=theirs", "invalid_link"),
            (&accept, ""),
            (&accept, "invite_used"),
        ],
    );
    assert_heard(&desk, &server, &names).await;
}

#[tokio::test]
async fn requests_for_invitations_are_decided_once() {
    let names = ["shared_channel_invite_requested"];
    let (desk, server, plans, sent) = inviting(&names).await;
    let one = format!("invite_id={sent}");
    let requested = |email: &str| {
        desk.act("slack.user.request_invite", "lena", json!({ "channel": plans, "email": email }))["invite"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (first, other) = (requested("a@b.example"), requested("c@d.example"));
    let requests = |with: &str| {
        desk.call(TESTER, "conversations.requestSharedInvite.list", with)["invite_requests"].as_array().unwrap().len()
    };
    assert_eq!((requests(""), requests("limit=1"), requests("user_id={@omar}")), (2, 1, 0));
    let granted = format!("invite_id={first}&message={{\"text\":\"hello\",\"is_override\":true}}");
    desk.refuses(
        TESTER,
        "conversations.requestSharedInvite.approve",
        &[
            (
                &format!("invite_id={first}&message={{\"text\":\"{}\",\"is_override\":true}}", "x".repeat(561)),
                "message_too_long",
            ),
            (&format!("invite_id={first}&channel_id=C000"), "channel_not_found"),
            (&granted, ""),
            (&granted, "invite_already_approved"),
            (&one, "invite_not_found"),
        ],
    );
    let denied = format!("invite_id={other}&message=no");
    desk.refuses(
        TESTER,
        "conversations.requestSharedInvite.deny",
        &[(&denied, ""), (&denied, "invite_already_denied")],
    );
    assert_eq!((requests(""), requests("include_denied=true&include_approved=true")), (0, 2));
    let third = requested("e@f.example");
    desk.universe.advance(Duration::from_secs(15 * 24 * 3600)).await;
    desk.refuses(
        TESTER,
        "conversations.requestSharedInvite.approve",
        &[(&format!("invite_id={third}"), "invite_expired")],
    );
    assert_eq!((requests(""), requests("include_expired=true")), (0, 1));
    assert_heard(&desk, &server, &names).await;
}
