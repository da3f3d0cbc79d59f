"""slack_sdk's clients for administrators, unmodified: SCIM, audit log and admin.* of an organization."""

import json
import os
import urllib.request
from pathlib import Path

from slack_sdk import WebClient
from slack_sdk.audit_logs import AuditLogsClient
from slack_sdk.errors import SlackApiError
from slack_sdk.scim import SCIMClient
from slack_sdk.scim.v1.group import Group, GroupMember
from slack_sdk.scim.v1.user import User, UserEmail, UserName

from claims import claim, claim_equal, run

ACME = Path(__file__).parents[3] / "fixtures" / "worlds" / "acme.yaml"
TOKEN = "xoxp-dtu-acme-steward-not-a-real-token"
ORGANIZATION = """
  enterprise:
    name: Acme Group
    domain: acme-group
    workspaces:
      - {name: Acme Labs, domain: acme-labs, owner: henrik, members: [mei, kwame]}
"""
STEWARD = f"""
    - key: steward
      name: Steward
      bot: steward
      scopes: ["channels:read"]
      user_scopes: [admin, "auditlogs:read", "admin.users:read", "admin.users:write", "admin.conversations:write"]
      installed_by: henrik
      user: henrik
      bot_token: xoxb-dtu-acme-steward-not-a-real-token
      user_token: {TOKEN}
      signing_secret: dtu0acme0steward
"""


def organization():
    """A universe whose company is an organization: where its Slack is."""
    text = ACME.read_text(encoding="utf-8").replace("\n  guests: [", f"{ORGANIZATION}  guests: [", 1)
    world = Path(os.environ["HOME"]) / "organization.yaml"
    world.write_text(text.rstrip("\n") + STEWARD, encoding="utf-8")
    request = urllib.request.Request(
        f"{os.environ['DTU_CONTROL_URL']}/v1/universes",
        data=json.dumps({"world": str(world), "check_responses": True, "clock": "real"}).encode(),
        headers={"Authorization": f"Bearer {os.environ['DTU_CONTROL_TOKEN']}", "Content-Type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as response:
        return json.load(response)["env"]["SLACK_API_URL"].removesuffix("/api/")


HOST = organization()
scim = SCIMClient(token=TOKEN, base_url=f"{HOST}/scim/v1/")
audit = AuditLogsClient(token=TOKEN, base_url=f"{HOST}/audit/v1/")
web = WebClient(token=TOKEN, base_url=f"{HOST}/api/")
TEAM = web.auth_test()["team_id"]


def somebody(name):
    emails = [UserEmail(value=f"{name}@acme.example")]
    made = scim.create_user(User(user_name=name, name=UserName(given_name=name, family_name="Roth"), emails=emails))
    claim_equal(made.status_code, 201, "a person is made")
    return made.user


def people_come_and_go():
    user = somebody("nadia")
    claim_equal(scim.read_user(user.id).user.user_name, "nadia", "a person is read")
    found = scim.search_users(start_index=1, count=5, filter='userName Eq "nadia"')
    claim_equal([row.id for row in found.users], [user.id], "a person is found")
    claim_equal(scim.patch_user(user.id, {"title": "Cook"}).user.title, "Cook", "a person is changed")
    user.name = UserName(given_name="Foo", family_name="Bar")
    claim_equal(scim.update_user(user).user.name.given_name, "Foo", "a person is replaced")
    listed = [row["id"] for page in web.admin_users_list(team_id=TEAM, limit=20) for row in page["users"]]
    claim_equal(len(listed), len(set(listed)), "pages show everybody once")
    claim(user.id in listed, "administrators see who was provisioned")
    claim_equal(scim.delete_user(user.id).status_code, 200, "a person is deactivated")
    claim_equal(scim.read_user(user.id).user.active, False, "who is deactivated is inactive")
    nobody = scim.read_user("U0NONE")
    claim_equal((nobody.status_code, nobody.errors.code), (404, 404), "nobody is not found")
    stranger = SCIMClient(token="xoxp-none", base_url=scim.base_url)
    claim_equal(stranger.search_users(start_index=1, count=1).status_code, 401, "strangers are refused")


def groups_come_and_go():
    user = somebody("noor")
    made = scim.create_group(Group(display_name="Cooks", members=[GroupMember(value=user.id)]))
    claim_equal(made.status_code, 201, "a group is made")
    claim_equal([row.value for row in scim.read_group(made.group.id).group.members], [user.id], "it has its member")
    patched = scim.patch_group(made.group.id, Group(display_name="Chefs"))
    claim_equal(patched.status_code, 204, "a group is changed")
    group = scim.read_group(made.group.id).group
    claim_equal(group.display_name, "Chefs", "a group has its new name")
    claim_equal(scim.update_group(group).status_code, 200, "a group is replaced")
    found = scim.search_groups(start_index=1, count=100).groups
    claim(made.group.id in [row.id for row in found], "a group is listed")
    claim_equal(scim.delete_group(group.id).status_code, 204, "a group is removed")
    claim_equal(scim.read_group(group.id).status_code, 404, "a removed group is not found")


def what_happened_is_in_the_log():
    channel = web.admin_conversations_create(name="audited", is_private=False, team_id=TEAM)["channel_id"]
    web.admin_conversations_archive(channel_id=channel)
    actions = "public_channel_created,public_channel_archive"
    latest = audit.logs(action=actions, limit=1).typed_body
    claim_equal([row.action for row in latest.entries], ["public_channel_archive"], "the latest is first")
    cursor = latest.response_metadata.next_cursor
    first = audit.logs(action=actions, limit=1, cursor=cursor).typed_body.entries[0]
    claim_equal((first.action, first.entity.channel.name), ("public_channel_created", "audited"), "then the first")
    claim_equal(first.actor.user.name, "Henrik Lindqvist", "the log says who")
    claim_equal(audit.schemas().status_code, 200, "the log tells its schemas")
    claim("actions" in audit.actions().body, "the log tells its actions")


def administrators_are_refused_with_a_code():
    try:
        web.admin_users_remove(team_id=TEAM, user_id="U0NONE")
        claim(False, "nobody is removed")
    except SlackApiError as error:
        claim_equal(error.response["error"], "user_not_found", "nobody is removed")


run(people_come_and_go, groups_come_and_go, what_happened_is_in_the_log, administrators_are_refused_with_a_code)
