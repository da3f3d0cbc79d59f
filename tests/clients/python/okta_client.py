"""okta, the Python SDK, unmodified, against Okta's twin."""

import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import okta_flows
import okta_settings
from okta_sdk import claim_refused, client, every, failure, good, models, new_group, new_user, profile

from okta.client import Client
from okta.pagination import PaginationHelper

from claims import claim, claim_equal, run
from dtu_control import act, fault
from listener import Listener


async def list_people():
    okta = client()
    pages = await every(okta.list_users, limit=10)
    claim(len(pages) > 3 and all(0 < len(page) <= 10 for page in pages), "listUsers comes in pages of at most ten")
    paged = [user.id for page in pages for user in page]
    whole = await good(okta.list_users())
    claim_equal(paged, [user.id for user in whole], "the pages together are the whole list")
    claim_equal(len(set(paged)), len(paged), "nobody is on two pages")
    claim(all(len(user.id) == 20 and user.id.startswith("00u") for user in whole), "ids are users' ids")
    claim(all(user.status != models.UserStatus.DEPROVISIONED for user in whole), "people who left are not listed")

    lena = await good(okta.get_user("lena.fischer@acme.example"))
    claim_equal((lena.profile.first_name, lena.status.value), ("Lena", "ACTIVE"), "a person is found by login")
    claim_equal((await good(okta.get_user(lena.id))).id, lena.id, "and by id")
    claim_equal((await good(okta.get_user("lena.fischer"))).id, lena.id, "and by the login's short form")
    me = await good(okta.get_user("me"))
    claim_equal(me.profile.login, "dana.whitfield@acme.example", "`me` owns the token")
    amelia = await good(okta.get_user("amelia.duarte@acme.example"))
    claim_equal(amelia.profile.first_name, "Amélia", "names keep their accents")

    missing = await claim_refused(404, "E0000007", okta.get_user("nobody@acme.example"))
    claim_equal(missing.error_summary, "Not found: Resource not found: nobody@acme.example (User)", "a miss is named")
    await claim_refused(401, "E0000011", client(token="00not-a-token").list_users())


async def find_people():
    okta = client()

    async def logins(**arguments):
        return [user.profile.login.split("@")[0] for user in await good(okta.list_users(**arguments))]

    claim_equal(await logins(filter='status eq "LOCKED_OUT"'), ["callum.fraser"], "filter by status")
    gone = await logins(filter='status eq "DEPROVISIONED"')
    claim_equal(set(gone), {"marcus.bell", "kirsten.dahl"}, "filters show people who left")
    claim_equal(await logins(filter='profile.email eq "rob.castellanos@acme.example"'), ["rob.castellanos"], "by mail")
    claim_equal(
        await logins(search='profile.firstName sw "Le" and profile.department eq "Design"'), ["lena.fischer"], "search"
    )
    either = await logins(
        search='profile.lastName eq "fischer" or profile.lastName eq "haddad"',
        sort_by="profile.lastName",
        sort_order="desc",
    )
    claim_equal(either, ["omar.haddad", "lena.fischer"], "search is sorted, and case does not matter")
    claim_equal(await logins(q="cast"), ["rob.castellanos"], "q looks at beginnings of names")
    pages = await every(okta.list_users, search='profile.department eq "Engineering"', limit=3)
    claim(
        len(pages) > 1 and all(user.profile.department == "Engineering" for page in pages for user in page),
        "search is paged",
    )
    await claim_refused(400, "E0000031", okta.list_users(search='profile.firstName ne "Lena"'))
    await claim_refused(400, "E0000031", okta.list_users(filter="status is ACTIVE"))


async def lead_a_person_through_life():
    okta = client()
    staged = await good(okta.create_user(new_user("Nils", "Berg", department="Design"), activate=False))
    claim_equal((staged.status.value, staged.activated), ("STAGED", None), "made without activation")
    token = await good(okta.activate_user(staged.id, send_email=False))
    claim(token.activation_token and token.activation_token in token.activation_url, "activation gives a link")
    claim_equal((await good(okta.get_user(staged.id))).status.value, "PROVISIONED", "a password is still to be chosen")
    await claim_refused(403, "E0000016", okta.activate_user(staged.id, send_email=False))

    user = await good(okta.create_user(new_user("Petra", "Vogel", password="Not-a-real-passw0rd", title="Buyer")))
    claim_equal((user.status.value, user.profile.title), ("ACTIVE", "Buyer"), "with a password one is active at once")
    change = models.UpdateUserRequest(profile=models.UserProfile(title="Head Buyer"))
    updated = await good(okta.update_user(user.id, change))
    claim_equal(
        (updated.profile.title, updated.profile.last_name), ("Head Buyer", "Vogel"), "POST changes what it names"
    )
    replaced = await good(okta.replace_user(user.id, models.UpdateUserRequest(profile=profile("Petra", "Vogel"))))
    claim_equal(replaced.profile.title, None, "PUT takes away what it does not name")

    async def status():
        return (await good(okta.get_user(user.id))).status.value

    await good(okta.suspend_user(user.id))
    claim_equal(await status(), "SUSPENDED", "suspended")
    await claim_refused(400, "E0000001", okta.suspend_user(user.id))
    await good(okta.unsuspend_user(user.id))
    claim_equal(await status(), "ACTIVE", "unsuspended")
    await claim_refused(403, "E0000032", okta.unlock_user(user.id))
    await good(okta.expire_password(user.id))
    claim_equal(await status(), "PASSWORD_EXPIRED", "the password is expired")
    reset = await good(okta.reset_password(user.id, send_email=False))
    claim("/" in reset.reset_password_url, "a reset gives a link")
    claim_equal(await status(), "RECOVERY", "a new password is due")
    await good(okta.deactivate_user(user.id))
    claim_equal(await status(), "DEPROVISIONED", "deactivated")
    await good(okta.delete_user(user.id))
    await claim_refused(404, "E0000007", okta.get_user(user.id))

    callum = await good(okta.get_user("callum.fraser@acme.example"))
    await good(okta.unlock_user(callum.id))
    claim_equal((await good(okta.get_user(callum.id))).status.value, "ACTIVE", "unlocked")


async def refuse_bad_people():
    okta = client()
    twice = await claim_refused(400, "E0000001", okta.create_user(new_user("Lena", "Fischer")))
    claim_equal(twice.error_summary, "Api validation failed: login", "the field is named")
    taken = "login: An object with this field already exists in the current organization"
    claim_equal([cause["errorSummary"] for cause in twice.error_causes], [taken], "and what is wrong with it")
    nameless = models.CreateUserRequest(profile=models.UserProfile(first_name="Nameless"))
    blank = await claim_refused(400, "E0000001", okta.create_user(nameless))
    causes = {cause["errorSummary"] for cause in blank.error_causes}
    missing = {f"{name}: The field cannot be left blank" for name in ("lastName", "login", "email")}
    claim(missing <= causes and len(causes) < 5, f"each missing field is named: {causes}")


async def keep_groups():
    okta = client()
    group = await good(okta.add_group(new_group("book-club", "Reads books")))
    claim_equal((group.id[:3], group.type.value), ("00g", "OKTA_GROUP"), "a group is made")
    claim_equal(group.object_class, ["okta:user_group"], "of the usual class")
    found = await good(okta.get_group(group.id))
    claim_equal(shown(found), ("book-club", "Reads books"), "it is found")
    change = models.AddGroupRequest(profile=models.OktaUserGroupProfile(name="book-club", description="Reads a lot"))
    claim_equal(shown(await good(okta.replace_group(group.id, change))), ("book-club", "Reads a lot"), "it is changed")
    await claim_refused(400, "E0000001", okta.add_group(new_group("book-club")))

    people = [
        await good(okta.get_user(f"{name}@acme.example")) for name in ("lena.fischer", "omar.haddad", "rob.castellanos")
    ]
    for user in people:
        await good(okta.assign_user_to_group(group.id, user.id))
    await good(okta.assign_user_to_group(group.id, people[0].id))
    members = await every(okta.list_group_users, group_id=group.id, limit=2)
    claim_equal([len(page) for page in members], [2, 1], "members come in pages, nobody twice")
    theirs = await good(okta.list_user_groups(people[0].id))
    claim({"book-club", "Everyone"} <= {name_of(group) for group in theirs}, "a person knows their groups")
    await good(okta.unassign_user_from_group(group.id, people[0].id))
    left = [user.id for user in await good(okta.list_group_users(group.id))]
    claim_equal(set(left), {people[1].id, people[2].id}, "a member is taken out")

    claim_equal([name_of(group) for group in await good(okta.list_groups(q="book"))], ["book-club"], "q finds by name")
    searched = await good(okta.list_groups(search='type eq "BUILT_IN"'))
    claim_equal([name_of(group) for group in searched], ["Everyone"], "search finds by type")
    pages = await every(okta.list_groups, limit=5)
    claim(len(pages) > 2 and all(len(page) <= 5 for page in pages), "groups come in pages")
    await good(okta.delete_group(group.id))
    missing = await claim_refused(404, "E0000007", okta.get_group(group.id))
    claim_equal(missing.error_summary, f"Not found: Resource not found: {group.id} (UserGroup)", "a miss is named")
    everyone = searched[0]
    await failure(okta.unassign_user_from_group(everyone.id, people[0].id))


def profile_of(group):
    """A group's profile: the SDK wraps it by the group's kind."""
    return getattr(group.profile, "actual_instance", group.profile)


def name_of(group):
    """A group's name."""
    return profile_of(group).name


def shown(group):
    """What people see of a group."""
    return name_of(group), profile_of(group).description


async def read_the_log():
    okta = client()
    start = (datetime.now(timezone.utc) - timedelta(seconds=1)).isoformat(timespec="milliseconds")
    user = await good(okta.create_user(new_user("Odile", "Marchand", password="Not-a-real-passw0rd")))
    group = await good(okta.add_group(new_group("log-readers")))
    await good(okta.assign_user_to_group(group.id, user.id))
    await good(okta.deactivate_user(user.id))
    mine = await good(okta.list_log_events(since=start, filter=f'target.id eq "{user.id}"'))
    types = [event.event_type for event in mine]
    wanted = [
        "user.lifecycle.create",
        "user.lifecycle.activate",
        "group.user_membership.add",
        "user.lifecycle.deactivate",
    ]
    claim_equal([name for name in types if name in wanted], wanted, "the log tells a person's life in order")
    added = next(event for event in mine if event.event_type == "group.user_membership.add")
    claim_equal({target.type for target in added.target}, {"User", "UserGroup"}, "with whom it is about")
    claim_equal(added.actor.alternate_id, "dana.whitfield@acme.example", "and who did it")
    claim_equal((added.outcome.result, added.severity.value), ("SUCCESS", "INFO"), "and how it went")
    pages = await every_until_empty(okta.list_log_events, since=start, limit=2)
    claim(len(pages) > 1 and all(len(page) <= 2 for page in pages), "the log is paged")
    events = [event.uuid for page in pages for event in page]
    claim_equal(len(set(events)), len(events), "no event is on two pages")
    newest = await good(okta.list_log_events(since=start, limit=1, sort_order="DESCENDING"))
    claim_equal(newest[0].uuid, events[-1], "the log is read backwards as well")
    refused = await failure(okta.list_log_events(filter='eventType eqq "x"'))
    claim_equal((refused.status, refused.error_code), (400, "E0000053"), "a bad filter is refused as the log does")
    claim("Unrecognized attribute operator 'eqq' at position" in refused.error_summary, "and explained")


async def every_until_empty(call, **arguments):
    """The log's pages up to the first empty one: its next link never ends."""
    pages, after = [], None
    while True:
        page, response, error = await call(
            **(arguments if after is None else {"after": after, "limit": arguments["limit"]})
        )
        if error:
            raise AssertionError(f"the log works: {error}")
        if not page:
            return pages
        pages.append(page)
        after = PaginationHelper.extract_next_cursor(response.headers)
        claim(after, "the log always has a next page")


async def be_told_by_hooks():
    secret = "not-a-real-hook-secret"

    def hook(request):
        challenge = request.headers.get("x-okta-verification-challenge")
        return 200, "application/json", json.dumps({"verification": challenge} if challenge else {})

    okta = client()
    with Listener(hook=hook) as app:
        made = await good(okta.create_event_hook(hook_at(app.url("hook"), secret)))
        claim_equal((made.id[:3], made.status), ("who", "ACTIVE"), "a hook is made")
        claim_equal(made.verification_status.value, "UNVERIFIED", "not yet verified")
        verified = await good(okta.verify_event_hook(made.id))
        claim_equal(verified.verification_status.value, "VERIFIED", "it is verified by its challenge")
        claim_equal(app.wait("hook")[0].method, "GET", "the challenge is a GET")
        user = await good(client().create_user(new_user("Hugo", "Lind", password="Not-a-real-passw0rd")))
        told = app.wait("hook", 2)[1]
        listed = await good(okta.list_event_hooks())
        claim_equal([hook.id for hook in listed], [made.id], "the hook is listed")
        await failure(okta.delete_event_hook(made.id))
        await good(okta.deactivate_event_hook(made.id))
        await good(okta.delete_event_hook(made.id))
        await claim_refused(404, "E0000007", okta.get_event_hook(made.id))
    claim_equal((told.method, told.headers["authorization"]), ("POST", secret), "deliveries carry the secret")
    body = json.loads(told.body)
    claim_equal((body["eventType"], body["cloudEventsVersion"]), ("com.okta.event_hook", "0.1"), "in Okta's envelope")
    event = body["data"]["events"][0]
    claim_equal(event["eventType"], "user.lifecycle.create", "with what happened")
    claim(user.id in [target["id"] for target in event["target"]], "and to whom")


def hook_at(uri, secret):
    """An event hook for new people."""
    scheme = models.EventHookChannelConfigAuthScheme(type="HEADER", key="Authorization", value=secret)
    config = models.EventHookChannelConfig(uri=uri, auth_scheme=scheme)
    return models.EventHook(
        name="New people",
        events=models.EventSubscriptions(type="EVENT_TYPE", items=["user.lifecycle.create"]),
        channel=models.EventHookChannel(type="HTTP", version="1.0.0", config=config),
    )


async def wait_when_told():
    okta = client()
    with fault({"rate_limited": {"retry_after": "1s"}}, twin="okta", operation="listUsers") as rule:
        users = await good(okta.list_users(limit=1))
        claim_equal((len(users), rule.fired()), (1, 1), "the SDK waits for the reset and tries again")
    with fault({"rate_limited": {"retry_after": "1s"}}, times=2, twin="okta", operation="listUsers"):
        hasty = client(rateLimit={"maxRetries": 1})
        await claim_refused(429, "E0000047", hasty.list_users(limit=1))
    with fault({"error": {"status": 503}}, twin="okta", operation="listUsers") as rule:
        users = await good(okta.list_users(limit=1))
        claim_equal((len(users), rule.fired()), (1, 1), "the SDK tries again after 503")
    with fault({"error": {"code": "E0000009"}}, twin="okta", operation="listUsers"):
        await claim_refused(500, "E0000009", okta.list_users(limit=1))
    with fault({"revoked": {}}, twin="okta", operation="listUsers"):
        await claim_refused(401, "E0000011", okta.list_users(limit=1))


async def see_what_administrators_do():
    okta = client()
    act("dana", "okta.admin.add_to_group", user="lena.fischer@acme.example", group="figma-admin")
    group = (await good(okta.list_groups(q="figma-admin")))[0]
    members = [user.profile.login for user in await good(okta.list_group_users(group.id))]
    claim("lena.fischer@acme.example" in members, "what an administrator does is seen at once")


async def act_as_a_service_app():
    key = (Path(__file__).parents[3] / "fixtures" / "keys" / "okta-client.pem").read_text()
    for client_id, bound in (("0oaAccessService5d7", False), ("0oaBoundServiceX5d7", True)):
        app = {"authorizationMode": "PrivateKey", "clientId": client_id, "scopes": ["okta.users.read"]}
        keys = {"privateKey": key, "kid": "dtu-okta-client", "dpopEnabled": bound}
        okta = Client({"orgUrl": os.environ["OKTA_CLIENT_ORGURL"], **app, **keys})
        users = await good(okta.list_users(limit=2))
        claim_equal(len(users), 2, "an app's own token is good for what it was granted")
        _, response, _ = await okta.list_groups(limit=1)
        claim_equal(response.status_code, 403, "and for nothing else")


run(
    list_people,
    find_people,
    lead_a_person_through_life,
    refuse_bad_people,
    keep_groups,
    read_the_log,
    be_told_by_hooks,
    wait_when_told,
    see_what_administrators_do,
    act_as_a_service_app,
    *okta_flows.SECTIONS,
    *okta_settings.SECTIONS,
)
