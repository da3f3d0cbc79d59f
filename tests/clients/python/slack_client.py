"""slack_sdk, unmodified, against Slack's twin."""

import asyncio
import json
import os
import warnings

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler, ServerErrorRetryHandler
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook import WebhookClient

from claims import claim, claim_equal, eventually, run
from dtu_control import act, fault, state
from listener import Listener, ok

URL = os.environ["SLACK_API_URL"]
TOKEN = os.environ["SLACK_BOT_TOKEN"]
VERIFIER = SignatureVerifier(os.environ["SLACK_SIGNING_SECRET"])
#: The app whose token this is, and who installed it.
APP, INSTALLER = "dtu-tester", "dana"

slack = WebClient(token=TOKEN, base_url=URL)

# slack_sdk warns of messages without text; here Slack's own refusal is wanted.
warnings.filterwarnings("ignore", message="The top-level `text` argument is missing")

BUTTON_BLOCKS = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*Lunch* for <@U000000000>?"}},
    {
        "type": "actions",
        "block_id": "choice",
        "elements": [
            {
                "type": "button",
                "action_id": "lunch_yes",
                "text": {"type": "plain_text", "text": "Yes"},
                "value": "yes",
                "style": "primary",
            }
        ],
    },
]


def refusal(call, **arguments):
    """The response with which a call is refused."""
    try:
        answer = call(**arguments)
    except SlackApiError as error:
        return error.response
    raise AssertionError(f"{arguments} is refused, but the answer is {answer.data}")


def claim_refused(code, call, **arguments):
    """Says that a call is refused with a code, as a well-formed answer."""
    response = refusal(call, **arguments)
    claim_equal((response.status_code, response["ok"], response["error"]), (200, False, code), f"{code} is raised")
    return response


def channel_id(name):
    """The id of a channel, seen or not by the app."""
    return next(row["id"] for row in state("slack", "channels") if row["name"] == name)


def whispered(text):
    """What people were shown alone."""
    return [row for row in state("slack", "ephemerals") if row["text"] == text]


def events_url_is_verified():
    """Whether the app's address for events has proved itself."""
    return any(row["verified"] for row in state("slack", "apps") if row["key"] == APP)


def tell_who_they_are():
    me = slack.auth_test()
    claim_equal((me["team"], me["url"]), ("Acme", "https://acme-corp.slack.com/"), "auth.test knows the workspace")
    claim_equal(me["user"], "dtutester", "auth.test knows the bot user")
    prefixes = "".join(me[name][0] for name in ("team_id", "user_id", "bot_id"))
    claim_equal(prefixes, "TUB", "ids begin with their type's letter")
    claim("chat:write" in me.headers["x-oauth-scopes"].split(","), "the token's scopes are in a header")
    claim(me.headers["x-slack-req-id"], "answers have a request id")
    claim_equal(slack.api_test(foo="bar")["args"], {"foo": "bar"}, "api.test echoes its arguments")
    claim_refused("not_authed", WebClient(base_url=URL).auth_test)
    claim_refused("invalid_auth", WebClient(token="xoxb-not-a-token", base_url=URL).auth_test)
    unknown = claim_refused("unknown_method", lambda: slack.api_call("users.fly"))
    claim_equal(unknown["req_method"], "users.fly", "an unknown method is named")


def find_people():
    pages = [page["members"] for page in slack.users_list(limit=10)]
    claim(len(pages) > 3 and all(0 < len(page) <= 10 for page in pages), "users.list comes in pages of at most ten")
    paged = [member["id"] for page in pages for member in page]
    whole = slack.users_list()
    claim_equal(paged, [member["id"] for member in whole["members"]], "the pages together are the whole list")
    claim_equal(whole["response_metadata"]["next_cursor"], "", "the last page has an empty cursor")
    claim_equal(len(set(paged)), len(paged), "nobody is on two pages")
    claim("USLACKBOT" in paged, "Slackbot is listed")

    lena = slack.users_lookupByEmail(email="lena.fischer@acme.example")["user"]
    claim_equal(lena["profile"]["email"], "lena.fischer@acme.example", "lookupByEmail finds its person")
    info = slack.users_info(user=lena["id"])["user"]
    claim_equal(info, next(member for member in whole["members"] if member["id"] == lena["id"]), "info equals list")
    claim_equal((info["deleted"], info["is_bot"], info["is_admin"]), (False, False, False), "an ordinary member")
    by_mail = {member["profile"].get("email"): member for member in whole["members"]}
    claim(by_mail["marcus.bell@acme.example"]["deleted"], "people who left are deactivated")
    claim(by_mail["henrik.lindqvist@acme.example"]["is_primary_owner"], "the owner owns the workspace")
    claim_equal(by_mail["amelia.duarte@acme.example"]["real_name"], "Amélia Duarte", "names keep their accents")

    claim_refused("users_not_found", slack.users_lookupByEmail, email="nobody@acme.example")
    claim_refused("user_not_found", slack.users_info, user="U00000000")
    claim_refused("invalid_cursor", slack.users_list, limit=10, cursor="bm90IGEgY3Vyc29y")


def keep_channels():
    made = slack.conversations_create(name="python-lunch")["channel"]
    me = slack.auth_test()["user_id"]
    claim_equal((made["id"][0], made["name"], made["creator"]), ("C", "python-lunch", me), "a channel is made")
    claim(made["is_channel"] and made["is_member"] and not made["is_private"], "its flags are a public channel's")
    claim_equal(slack.conversations_info(channel=made["id"])["channel"]["name"], "python-lunch", "info finds it")
    counted = slack.conversations_info(channel=made["id"], include_num_members=True)["channel"]
    claim_equal(counted["num_members"], 1, "its creator is in it")
    private = slack.conversations_create(name="python-secrets", is_private=True)["channel"]
    claim(private["is_private"], "a private channel is made")
    claim_refused("name_taken", slack.conversations_create, name="python-lunch")
    claim_refused("invalid_name_specials", slack.conversations_create, name="Lunch Time")
    claim_refused("invalid_name_maxlength", slack.conversations_create, name="x" * 81)

    lena = slack.users_lookupByEmail(email="lena.fischer@acme.example")["user"]["id"]
    rob = slack.users_lookupByEmail(email="rob.castellanos@acme.example")["user"]["id"]
    slack.conversations_invite(channel=made["id"], users=[lena, rob])
    members = slack.conversations_members(channel=made["id"])["members"]
    claim_equal(set(members), {me, lena, rob}, "invited people are members")
    claim_refused("already_in_channel", slack.conversations_invite, channel=made["id"], users=lena)
    claim_refused("cant_invite_self", slack.conversations_invite, channel=made["id"], users=me)
    partly = refusal(slack.conversations_invite, channel=made["id"], users=[lena, "U00000000"])
    claim_equal([row["user"] for row in partly["errors"]], [lena, "U00000000"], "each failed invitation is told")

    joined = slack.conversations_join(channel=channel_id("random"))
    claim(joined["channel"]["is_member"], "a public channel is joined")
    again = slack.conversations_join(channel=channel_id("random"))
    claim_equal(again["warning"], "already_in_channel", "joining twice warns")
    claim_equal(again["response_metadata"]["warnings"], ["already_in_channel"], "the warning is in the metadata")
    claim_refused("is_archived", slack.conversations_join, channel=channel_id("project-atlas-2024"))

    hidden = channel_id("finance-private")
    claim_refused("channel_not_found", slack.conversations_info, channel=hidden)
    claim_refused("channel_not_found", slack.conversations_join, channel=hidden)
    claim_refused("channel_not_found", slack.conversations_history, channel=hidden)
    pages = slack.conversations_list(limit=3, types="public_channel,private_channel", exclude_archived=True)
    names = [channel["name"] for page in pages for channel in page["channels"]]
    claim({"general", "python-lunch", "python-secrets"} <= set(names), "conversations.list pages through all")
    claim_equal(len(set(names)), len(names), "no channel is on two pages")
    claim(not {"finance-private", "project-atlas-2024"} & set(names), "hidden and archived channels are left out")


def talk():
    channel = slack.conversations_create(name="python-talk")["channel"]["id"]
    me = slack.auth_test()
    posted = slack.chat_postMessage(channel=channel, text="Soup & salad at 12:30 – <https://acme.example/menu|menu>")
    message = posted["message"]
    claim_equal((posted["channel"], posted["ts"]), (channel, message["ts"]), "the answer says where and when")
    claim_equal((message["type"], message["user"], message["bot_id"]), ("message", me["user_id"], me["bot_id"]), "from")
    claim("subtype" not in message, "a bot's message has no subtype")
    claim_equal(message["text"], "Soup &amp; salad at 12:30 – <https://acme.example/menu|menu>", "text is escaped once")
    claim_equal(message["bot_profile"]["name"], "Test Harness", "the app is named")
    by_name = slack.chat_postMessage(channel="#python-talk", text="by name")
    claim_equal(by_name["channel"], channel, "a channel's name becomes its id")

    blocks = slack.chat_postMessage(channel=channel, text="Lunch?", blocks=BUTTON_BLOCKS)["message"]["blocks"]
    claim_equal([block["type"] for block in blocks], ["section", "actions"], "blocks come back")
    claim(all(block["block_id"] for block in blocks), "each block has an id")
    claim_equal(blocks[1]["elements"][0]["value"], "yes", "a button keeps its value")

    parent = posted["ts"]
    replies = [slack.chat_postMessage(channel=channel, text=f"reply {n}", thread_ts=parent)["ts"] for n in range(3)]
    thread = [
        message
        for page in slack.conversations_replies(channel=channel, ts=parent, limit=2)
        for message in page["messages"]
    ]
    seen = list(dict.fromkeys(message["ts"] for message in thread))
    claim_equal(seen, [parent, *replies], "a thread is told oldest first, over pages")
    head = thread[0]
    claim_equal((head["reply_count"], head["latest_reply"]), (3, replies[-1]), "the parent counts its replies")
    claim_equal((thread[-1]["thread_ts"], thread[-1]["parent_user_id"]), (parent, me["user_id"]), "replies know theirs")

    history = [
        message["ts"] for page in slack.conversations_history(channel=channel, limit=2) for message in page["messages"]
    ]
    claim_equal(history, sorted(history, reverse=True), "history is told newest first")
    claim(parent in history and not set(replies) & set(history), "replies are not in the history")
    window = slack.conversations_history(channel=channel, oldest=parent, inclusive=True, limit=1)
    claim_equal((len(window["messages"]), window["has_more"]), (1, True), "a window has more to show")

    edited = slack.chat_update(channel=channel, ts=by_name["ts"], text="by its name")
    claim_equal((edited["text"], edited["ts"]), ("by its name", by_name["ts"]), "a message is edited")
    again = slack.conversations_history(channel=channel, latest=by_name["ts"], inclusive=True, limit=1)["messages"][0]
    claim_equal((again["text"], again["edited"]["user"]), ("by its name", me["bot_id"]), "the history shows the edit")


def whisper_and_write_to_people():
    lena = slack.users_lookupByEmail(email="lena.fischer@acme.example")["user"]["id"]
    rob = slack.users_lookupByEmail(email="rob.castellanos@acme.example")["user"]["id"]
    general = channel_id("general")
    shown = slack.chat_postEphemeral(channel=general, user=lena, text="only you see this")
    claim(float(shown["message_ts"]) > 0, "postEphemeral answers with a time")
    newest = slack.conversations_history(channel=general, limit=1)["messages"][0]
    claim(newest["text"] != "only you see this", "what one person is shown is not in the history")
    rows = whispered("only you see this")
    claim_equal([row["to"] for row in rows], ["lena.fischer@acme.example"], "that person is shown it")

    direct = slack.conversations_open(users=lena)["channel"]["id"]
    claim_equal(direct[0], "D", "a direct message is opened")
    claim_equal(slack.conversations_open(users=[lena])["channel"]["id"], direct, "opening again finds it")
    full = slack.conversations_open(users=lena, return_im=True)["channel"]
    claim_equal((full["is_im"], full["user"]), (True, lena), "return_im gives the whole object")
    claim_equal(slack.chat_postMessage(channel=direct, text="hello")["channel"], direct, "it is written to")
    claim_equal(slack.chat_postMessage(channel=lena, text="again")["channel"], direct, "a person's id means their DM")
    group = slack.conversations_open(users=[lena, rob])["channel"]["id"]
    claim(slack.conversations_info(channel=group)["channel"]["is_mpim"], "three people have a group message")
    claim_refused("user_not_found", slack.conversations_open, users="U00000000")


def be_refused():
    general, archived = channel_id("general"), channel_id("project-atlas-2024")
    unjoined = channel_id("sales")
    claim_refused("channel_not_found", slack.chat_postMessage, channel="C00000000", text="x")
    claim_refused("no_text", slack.chat_postMessage, channel=general)
    claim_refused("no_text", slack.chat_postMessage, channel=general, text="")
    claim_refused("is_archived", slack.chat_postMessage, channel=archived, text="x")
    claim_refused("not_in_channel", slack.conversations_history, channel=unjoined)
    claim_refused("message_not_found", slack.chat_update, channel=general, ts="1.000001", text="x")
    others = act("lena", "slack.user.post", channel="#general", text="mine alone")
    claim_refused("cant_update_message", slack.chat_update, channel=general, ts=others["ts"], text="x")
    claim_refused("thread_not_found", slack.conversations_replies, channel=general, ts="1.000001")
    marcus = next(row["id"] for row in state("slack", "users") if row["key"] == "marcus")
    claim_refused("user_not_in_channel", slack.chat_postEphemeral, channel=general, user=marcus, text="x")
    bad = claim_refused(
        "invalid_blocks", slack.chat_postMessage, channel=general, text="x", blocks=[{"type": "sektion"}]
    )
    claim(bad["response_metadata"]["messages"][0].startswith("[ERROR] "), "bad blocks are explained")
    claim_refused(
        "invalid_blocks", slack.chat_postMessage, channel=general, text="x", blocks=[{"type": "divider"}] * 51
    )


def wait_when_told():
    with fault({"rate_limited": {"retry_after": "1s"}}, twin="slack", operation="users.info"):
        response = refusal(slack.users_info, user="USLACKBOT")
        claim_equal((response.status_code, response["error"]), (429, "ratelimited"), "too many calls are refused")
        claim_equal(response.headers["Retry-After"], "1", "the answer says how long to wait")
    patient = WebClient(
        token=TOKEN, base_url=URL, retry_handlers=[RateLimitErrorRetryHandler(), ServerErrorRetryHandler()]
    )
    with fault({"rate_limited": {"retry_after": "1s"}}, twin="slack", operation="users.info") as rule:
        claim(patient.users_info(user="USLACKBOT")["ok"], "a patient client gets through")
        claim_equal(rule.fired(), 1, "it was refused once")
    with fault({"proxy_page": {"status": 503}}, twin="slack", operation="users.info") as rule:
        claim(patient.users_info(user="USLACKBOT")["ok"], "a client that retries 5xx gets through")
        claim_equal(rule.fired(), 1, "a proxy was in the way once")
    with fault({"reset": {}}, twin="slack", operation="users.info") as rule:
        claim(slack.users_info(user="USLACKBOT")["ok"], "a client retries a reset connection by itself")
        claim_equal(rule.fired(), 1, "the connection was reset once")
    with fault({"committed_error": {"code": "fatal_error"}}, twin="slack", operation="chat.postMessage"):
        claim_refused("fatal_error", slack.chat_postMessage, channel="#general", text="did it happen?")
    newest = slack.conversations_history(channel=channel_id("general"), limit=1)["messages"][0]
    claim_equal(newest["text"], "did it happen?", "a fatal error may have done it all the same")
    with fault({"revoked": {}}, twin="slack", operation="auth.test"):
        claim_refused("token_revoked", slack.auth_test)


async def work_asynchronously():
    client = AsyncWebClient(token=TOKEN, base_url=URL, retry_handlers=[AsyncRateLimitErrorRetryHandler()])
    claim_equal((await client.auth_test())["user"], "dtutester", "auth.test answers")
    ids = [member["id"] async for page in await client.users_list(limit=10) for member in page["members"]]
    claim_equal(ids, [member["id"] for member in slack.users_list()["members"]], "GET pages as POST does")
    lena = (await client.users_lookupByEmail(email="lena.fischer@acme.example"))["user"]["id"]
    info = await client.users_info(user=lena)
    claim_equal(info["user"]["profile"]["email"], "lena.fischer@acme.example", "arguments in a query are read")
    channel = (await client.conversations_create(name="python-async"))["channel"]["id"]
    await client.conversations_invite(channel=channel, users=[lena])
    first = await client.chat_postMessage(channel=channel, text="Größe: 1 < 2", blocks=BUTTON_BLOCKS)
    claim_equal(first["message"]["text"], "Größe: 1 &lt; 2", "text beyond ASCII arrives")
    await client.chat_postMessage(channel=channel, text="reply", thread_ts=first["ts"])
    replies = await client.conversations_replies(channel=channel, ts=first["ts"])
    claim_equal([message["text"] for message in replies["messages"]][1:], ["reply"], "the thread is there")
    await client.chat_update(channel=channel, ts=first["ts"], text="Size")
    history = await client.conversations_history(channel=channel, limit=1)
    claim_equal(history["messages"][0]["text"], "Size", "the edit is there")
    opened = await client.conversations_open(users=[lena])
    claim_equal(opened["channel"]["id"][0], "D", "a direct message is opened")
    listed = await client.conversations_list(limit=200, types="public_channel")
    claim("python-async" in [row["name"] for row in listed["channels"]], "the channel is listed")
    try:
        await client.users_lookupByEmail(email="nobody@acme.example")
        claim(False, "a miss raises")
    except SlackApiError as error:
        claim_equal(error.response["error"], "users_not_found", "a miss raises its code")
    with fault({"rate_limited": {"retry_after": "1s"}}, twin="slack", operation="chat.postMessage") as rule:
        many = [client.chat_postMessage(channel=channel, text=f"at once {n}") for n in range(5)]
        times = [answer["ts"] for answer in await asyncio.gather(*many)]
        claim_equal((len(set(times)), rule.fired()), (5, 1), "five calls at once get five times")


def claim_signed(request):
    """Says that a request carries a signature that fits, and would not with another body."""
    claim(VERIFIER.is_valid_request(request.body, request.headers), f"the request to {request.path} is signed")
    claim(not VERIFIER.is_valid_request(request.body + " ", request.headers), "the signature covers the body")


def answer_commands():
    def greet(request):
        order = request.form()["text"].split()[0]
        message = {"response_type": "ephemeral", "text": f"Working on {order}."}
        return 200, "application/json", json.dumps(message)

    with Listener(command=greet) as app:
        act(INSTALLER, "slack.admin.configure_app", app=APP, commands={"/lunch": app.url("command")})
        with fault({"bad_signature": {}}, twin="slack", deliver="slash_command"):
            act("lena", "slack.user.slash", channel="#general", command="/lunch", text="forged")
            forged = app.wait("command")[0]
        claim(not VERIFIER.is_valid_request(forged.body, forged.headers), "a forged signature is noticed")

        act("lena", "slack.user.slash", channel="#general", command="/lunch", text="soup & <salad>")
        request = app.wait("command", 2)[1]
        claim_signed(request)
        claim_equal(request.headers["content-type"], "application/x-www-form-urlencoded", "a command is a form")
        form = request.form()
        lena = slack.users_lookupByEmail(email="lena.fischer@acme.example")["user"]
        claim_equal((form["command"], form["text"]), ("/lunch", "soup & <salad>"), "what was typed")
        claim_equal((form["user_id"], form["user_name"]), (lena["id"], lena["name"]), "who typed it")
        claim_equal((form["channel_id"], form["channel_name"]), (channel_id("general"), "general"), "and where")
        claim(form["trigger_id"] and form["api_app_id"][0] == "A", "trigger and app are named")
        claim_equal(form["team_id"], slack.auth_test()["team_id"], "the workspace is named")
        row = eventually(lambda: whispered("Working on soup."), "the answer is shown")[0]
        claim_equal(row["to"], lena["profile"]["email"], "to the person alone")

        later = WebhookClient(form["response_url"])
        told = later.send(text="Soup it is.", response_type="in_channel")
        claim_equal((told.status_code, told.body), (200, "ok"), "a response_url takes a message")
        newest = slack.conversations_history(channel=form["channel_id"], limit=1)["messages"][0]
        claim_equal(newest["text"], "Soup it is.", "the channel sees it")
        for _ in range(4):
            later.send(text="And again.", response_type="ephemeral")
        claim_equal(later.send(text="Once too often.").status_code, 404, "a response_url is used up after five times")


def take_clicks():
    lena = slack.users_lookupByEmail(email="lena.fischer@acme.example")["user"]
    with Listener(click=ok) as app:
        act(INSTALLER, "slack.admin.configure_app", app=APP, interactivity_url=app.url("click"))
        posted = slack.chat_postMessage(channel="#general", text="Lunch?", blocks=BUTTON_BLOCKS)
        act("lena", "slack.user.click", channel="#general", action_id="lunch_yes")
        request = app.wait("click")[0]
    claim_signed(request)
    payload = json.loads(request.form()["payload"])
    claim_equal((payload["type"], payload["user"]["id"]), ("block_actions", lena["id"]), "a click says who")
    claim_equal(payload["container"]["message_ts"], posted["ts"], "and on which message")
    claim_equal(payload["message"]["blocks"], posted["message"]["blocks"], "which comes along")
    action = payload["actions"][0]
    claim_equal((action["type"], action["action_id"]), ("button", "lunch_yes"), "and which button")
    claim_equal((action["block_id"], action["value"]), ("choice", "yes"), "with block and value")
    answer = WebhookClient(payload["response_url"]).send(text="Booked.", replace_original=True, blocks=[])
    claim_equal((answer.status_code, answer.body), (200, "ok"), "a response_url replaces the original")
    row = slack.conversations_history(channel=posted["channel"], latest=posted["ts"], inclusive=True, limit=1)[
        "messages"
    ][0]
    claim_equal((row["ts"], row["text"]), (posted["ts"], "Booked."), "the message is replaced")


def hear_events():
    failures = iter([500])

    def event(request):
        body = json.loads(request.body)
        if body["type"] == "url_verification":
            return 200, "text/plain", body["challenge"]
        return next(failures, 200), "text/plain", ""

    with Listener(events=event) as app:
        act(INSTALLER, "slack.admin.configure_app", app=APP, events_url=app.url("events"), events=["message.channels"])
        claim_signed(app.wait("events")[0])
        eventually(events_url_is_verified, "the address is verified")
        said = act("lena", "slack.user.post", channel="#general", text="Who is in?")
        first, second = app.wait("events", 3)[1:]
        act(INSTALLER, "slack.admin.configure_app", app=APP, events_url="", events=[])
    claim_signed(first)
    claim_signed(second)
    envelope = json.loads(first.body)
    inner = envelope["event"]
    claim_equal(envelope["type"], "event_callback", "an event comes in its envelope")
    claim(envelope["event_id"].startswith("Ev") and envelope["event_time"] > 0, "with id and time")
    claim_equal(envelope["authorizations"][0]["user_id"], slack.auth_test()["user_id"], "for the app's bot user")
    claim_equal((inner["type"], inner["channel_type"]), ("message", "channel"), "a message in a channel")
    claim_equal((inner["channel"], inner["ts"], inner["text"]), (said["channel"], said["ts"], "Who is in?"), "as said")
    claim_equal(json.loads(second.body), envelope, "a failed delivery comes again, unchanged")
    claim_equal(second.headers["x-slack-retry-num"], "1", "and is numbered")
    claim_equal(second.headers["x-slack-retry-reason"], "http_error", "and gives its reason")


run(
    tell_who_they_are,
    find_people,
    keep_channels,
    talk,
    whisper_and_write_to_people,
    be_refused,
    wait_when_told,
    work_asynchronously,
    answer_commands,
    take_clicks,
    hear_events,
)
