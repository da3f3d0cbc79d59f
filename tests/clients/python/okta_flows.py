"""What programs do with people over time, with the Python SDK: joiners, movers, leavers, and who may do it."""

import base64
import hashlib
import hmac
import json
import os
import struct
import time
import urllib.error
import urllib.request

from okta_sdk import claim_refused, client, good, made, models, new_group, new_user

from claims import claim, claim_equal
from dtu_control import advance

PASSWORD = "Not-a-real-passw0rd"
BOT = "00dtu-acme-access-bot-token-not-a-real-secret"


def one_time_code(secret):
    """The code that an authenticator app shows now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    number = struct.unpack(">I", digest[digest[-1] & 15 :][:4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def sign_in(login, password=PASSWORD):
    """Where a name and a password lead in the Authentication API, which the SDK has not."""
    request = urllib.request.Request(
        os.environ["OKTA_CLIENT_ORGURL"] + "/api/v1/authn",
        data=json.dumps({"username": login, "password": password}).encode(),
        headers={"Content-Type": "application/json", "Accept": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def rule(name, expression, group):
    """A group rule."""
    return made(
        models.CreateGroupRuleRequest,
        type="group_rule",
        name=name,
        conditions={"expression": {"type": "urn:okta:expression:1.0", "value": expression}},
        actions={"assignUserToGroups": {"groupIds": [group.id]}},
    )


async def groups_of(okta, user):
    """The names of somebody's groups."""
    return {group.profile.actual_instance.name for group in await good(okta.list_user_groups(user.id))}


async def lead_joiner_mover_and_leaver():
    okta = client()
    desk = {"title": "Desk", "type": "string", "maxLength": 20}
    custom = {"id": "#custom", "type": "object", "properties": {"desk": desk}}
    schema = made(models.UserSchema, definitions={"custom": custom})
    schema = await good(okta.update_user_profile("default", schema))
    desk = schema.definitions.custom.properties["desk"]
    claim_equal((desk.title, desk.max_length), ("Desk", 20), "an attribute of one's own is added to the schema")

    teams = {}
    for team in ("Harbour", "Lighthouse"):
        teams[team] = await good(okta.add_group(new_group(f"team-{team.lower()}")))
        draft = rule(f"{team} rule", f'user.desk=="{team}"', teams[team])
        made_rule = await good(okta.create_group_rule(draft))
        claim_equal(made_rule.status.value, "INACTIVE", "a rule is made inactive")
        await good(okta.activate_group_rule(made_rule.id))
    app = made(
        models.BookmarkApplication,
        name="bookmark",
        label="Harbour wiki",
        signOnMode="BOOKMARK",
        settings={"app": {"requestIntegration": False, "url": "https://wiki.example"}},
    )
    app = await good(okta.create_application(app))
    claim_equal((type(app), app.status.value), (models.BookmarkApplication, "ACTIVE"), "an app is of its kind")
    await good(okta.assign_group_to_application(app.id, teams["Harbour"].id, models.ApplicationGroupAssignment()))

    joiner = new_user("Jorun", "Vik", password=PASSWORD)
    joiner.profile.additional_properties = {"desk": "Harbour"}
    user = await good(okta.create_user(joiner))
    claim_equal(user.profile.additional_properties["desk"], "Harbour", "the attribute is kept")
    advance("5s")
    claim("team-harbour" in await groups_of(okta, user), "the rule puts the joiner into the group")
    account = await good(okta.get_application_user(app.id, user.id))
    claim_equal((account.scope, account.status.value), ("GROUP", "ACTIVE"), "which brings the app")
    links = await good(okta.list_app_links(user.id))
    claim_equal([link.label for link in links], ["Harbour wiki"], "and its tile")

    factor = made(models.UserFactorTokenSoftwareTOTP, factorType="token:software:totp", provider="GOOGLE")
    factor = await good(okta.enroll_factor(user.id, factor))
    enrolled = (type(factor), factor.status.value)
    claim_equal(enrolled, (models.UserFactorTokenSoftwareTOTP, "PENDING_ACTIVATION"), "a factor is enrolled")
    secret = factor.embedded["activation"]["sharedSecret"]
    await claim_refused(403, "E0000068", okta.activate_factor(user.id, factor.id, PassCode("000000")))
    await good(okta.activate_factor(user.id, factor.id, PassCode(one_time_code(secret))))
    factors = await good(okta.list_factors(user.id))
    kinds = [(type(one), one.status.value) for one in factors]
    claim_equal(kinds, [(models.UserFactorTokenSoftwareTOTP, "ACTIVE")], "with its code it is active")

    change = made(models.UpdateUserRequest, profile={"desk": "Lighthouse"})
    moved = await good(okta.update_user(user.id, change))
    claim_equal(moved.profile.additional_properties["desk"], "Lighthouse", "the person moves")
    advance("5s")
    theirs = await groups_of(okta, user)
    claim("team-lighthouse" in theirs and "team-harbour" not in theirs, f"and the rules follow: {theirs}")
    await claim_refused(404, "E0000007", okta.get_application_user(app.id, user.id))
    claim_equal(await good(okta.list_app_links(user.id)), [], "the old team's app is gone")

    claim_equal(sign_in(user.profile.login)["status"], "SUCCESS", "the person signs in")
    since = user.created.isoformat(timespec="milliseconds")
    await good(okta.deactivate_user(user.id))
    claim_equal((await good(okta.get_user(user.id))).status.value, "DEPROVISIONED", "the leaver's account is closed")
    claim_equal(sign_in(user.profile.login)["errorCode"], "E0000004", "nobody signs in with it")
    claim_equal(await good(okta.list_app_links(user.id)), [], "its apps are gone")
    about = f'target.id eq "{user.id}" and outcome.result eq "SUCCESS"'
    events = await good(okta.list_log_events(since=since, filter=about, limit=200))
    wanted = ["user.lifecycle.create", "user.mfa.factor.activate", "user.session.start", "user.lifecycle.deactivate"]
    told = [event.event_type for event in events]
    claim_equal([name for name in told if name in wanted], wanted, "the log tells it all")
    moves = [name.rsplit(".", 1)[1] for name in told if name.startswith("group.user_membership.")]
    claim_equal(sorted(moves), ["add", "add", "remove", "remove"], "moves between groups too")
    await good(okta.delete_user(user.id))
    await claim_refused(404, "E0000007", okta.get_user(user.id))


class PassCode(models.UserFactorActivateRequest):
    """What activates a factor by its code: the SDK's own model has a member for other kinds of factors only."""

    pass_code: str

    def __init__(self, code):
        super().__init__(pass_code=code)

    def to_dict(self):
        return {"passCode": self.pass_code}


async def bot_with_roles(*roles):
    """A client with the access bot's token, whose owner has these roles alone."""
    okta, bot = client(), client(token=BOT)
    owner = await good(okta.get_user("access.botservice@acme.example"))
    for role in await good(okta.list_assigned_roles_for_user(owner.id)):
        await good(okta.unassign_role_from_user(owner.id, role.actual_instance.id))
    for role in roles:
        request = models.AssignRoleToUserRequest(models.StandardRoleAssignmentSchema(type=role))
        given = (await good(okta.assign_role_to_user(owner.id, request))).actual_instance
        claim_equal((given.type, given.status.value), (role, "ACTIVE"), "a role is given")
    return bot, owner


async def keep_administrators_to_their_roles():
    okta = client()
    owner = await good(okta.get_user("access.botservice@acme.example"))
    before = [role.actual_instance.type for role in await good(okta.list_assigned_roles_for_user(owner.id))]
    bot, owner = await bot_with_roles("HELP_DESK_ADMIN")
    user = await good(okta.create_user(new_user("Hilde", "Moe", password=PASSWORD)))
    claim_equal((await good(bot.get_user(user.id))).id, user.id, "the help desk sees people")
    reset = await good(bot.reset_password(user.id, send_email=False))
    claim(reset.reset_password_url, "and resets their passwords")
    group = await good(okta.add_group(new_group("role-keepers")))
    own_role = models.AssignRoleToUserRequest(models.StandardRoleAssignmentSchema(type="SUPER_ADMIN"))
    forbidden = [
        bot.create_user(new_user("No", "Body")),
        bot.deactivate_user(user.id),
        bot.add_group(new_group("not-made")),
        bot.assign_user_to_group(group.id, user.id),
        bot.delete_group(group.id),
        bot.list_network_zones(),
        bot.assign_role_to_user(owner.id, own_role),
    ]
    for call in forbidden:
        error = await claim_refused(403, "E0000006", call)
        summary = "You do not have permission to perform the requested action"
        claim_equal(error.error_summary, summary, "the refusal says so")
    bot, _ = await bot_with_roles("READ_ONLY_ADMIN")
    claim_equal((await good(bot.get_group(group.id))).id, group.id, "who may only read, reads")
    await claim_refused(403, "E0000006", bot.suspend_user(user.id))
    bot, _ = await bot_with_roles("GROUP_MEMBERSHIP_ADMIN")
    await good(bot.assign_user_to_group(group.id, user.id))
    await claim_refused(403, "E0000006", bot.delete_group(group.id))
    await bot_with_roles(*before)
    await good(okta.delete_group(group.id))


async def keep_kinds_of_people_and_links_between_them():
    okta = client()
    kind = await good(okta.create_user_type(models.UserType(name="contractor", display_name="Contractor")))
    claim_equal((kind.name, kind.default), ("contractor", False), "a type is made")
    kinds = await good(okta.list_user_types())
    claim_equal({one.name for one in kinds}, {"user", "contractor"}, "and listed beside the default")
    request = new_user("Kees", "Bakker", password=PASSWORD)
    request.type = models.CreateUserRequestType(id=kind.id)
    kees = await good(okta.create_user(request))
    claim_equal(kees.type.id, kind.id, "somebody of the type is made")

    definition = made(
        models.LinkedObject,
        primary={"name": "mentor", "title": "Mentor", "description": "Teaches", "type": "USER"},
        associated={"name": "mentee", "title": "Mentee", "description": "Learns", "type": "USER"},
    )
    defined = await good(okta.create_linked_object_definition(definition))
    claim_equal((defined.primary.name, defined.associated.name), ("mentor", "mentee"), "a relation is defined")
    listed = await good(okta.list_linked_object_definitions())
    claim_equal([one.primary.name for one in listed], ["mentor"], "and listed")
    lena = await good(okta.get_user("lena.fischer@acme.example"))
    await good(okta.assign_linked_object_value_for_primary(kees.id, "mentor", lena.id))
    mentors = await good(okta.list_linked_objects_for_user(kees.id, "mentor"))
    claim_equal([one.links.var_self.href.rsplit("/", 1)[1] for one in mentors], [lena.id], "one has a mentor")
    mentees = await good(okta.list_linked_objects_for_user(lena.id, "mentee"))
    claim_equal([one.links.var_self.href.rsplit("/", 1)[1] for one in mentees], [kees.id], "who has mentees")
    await good(okta.delete_linked_object_for_user(kees.id, "mentor"))
    claim_equal(await good(okta.list_linked_objects_for_user(kees.id, "mentor")), [], "and not any more")
    await good(okta.delete_linked_object_definition("mentor"))
    await good(okta.deactivate_user(kees.id))
    await good(okta.delete_user(kees.id))
    await good(okta.delete_user_type(kind.id))
    await claim_refused(404, "E0000007", okta.get_user_type(kind.id))


SECTIONS = [
    lead_joiner_mover_and_leaver,
    keep_administrators_to_their_roles,
    keep_kinds_of_people_and_links_between_them,
]
