"""slack_bolt and slack_sdk, unmodified, in the corners of Slack's platform: functions, assistants, streams, options,
home tabs, addresses that are used up, files by the dozen, installations whose tokens turn over, sockets by the ten."""

import asyncio
import json
import logging
import os
import struct
import time
import urllib.error
import urllib.request
import zlib

from slack_bolt import App, Assistant
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_bolt.request import BoltRequest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.models import blocks as kit
from slack_sdk.oauth.installation_store import FileInstallationStore
from slack_sdk.oauth.state_store import FileOAuthStateStore
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook import WebhookClient

from claims import claim, claim_equal, eventually, run
from dtu_control import act, fault, state

URL = os.environ["SLACK_API_URL"]
TOKEN = os.environ["SLACK_BOT_TOKEN"]
USER_TOKEN = os.environ["SLACK_USER_TOKEN"]
APP_TOKEN = os.environ["SLACK_APP_TOKEN"]
SECRET = os.environ["SLACK_SIGNING_SECRET"]
APP, INSTALLER, EATER = "dtu-tester", "dana", "lena"


def chunk(name, data):
    """A part of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


# 800 by 600 pixels of one grey.
PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 800, 600, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0" * (800 + 1) * 600))
    + chunk(b"IEND", b"")
)

logging.disable(logging.CRITICAL)
slack = WebClient(token=TOKEN, base_url=URL)
person = WebClient(token=USER_TOKEN, base_url=URL)


def configure(**more):
    events = ["message.channels", "message.im", "app_home_opened", "function_executed", "link_shared"]
    events += ["assistant_thread_started", "assistant_thread_context_changed"]
    act(INSTALLER, "slack.admin.configure_app", app=APP, socket_mode=True, events=events, **more)


def channel(name):
    return next(row["id"] for row in state("slack", "channels") if row["name"] == name)


def sockets():
    return next(app["sockets"] for app in state("slack", "apps") if app["key"] == APP)


def can(verb, **arguments):
    """Whether a person can do something, which is done then."""
    try:
        return act(EATER, verb, **arguments) is not None
    except RuntimeError:
        return False


def refusal(call, **arguments):
    try:
        call(**arguments)
    except SlackApiError as error:
        return error.response["error"]
    return ""


def serving(app):
    """A bolt app over a socket, for the length of a block."""
    handler = SocketModeHandler(app, APP_TOKEN)

    class Serving:
        def __enter__(self):
            handler.connect()
            eventually(lambda: sockets() == 1, "the app is connected")

        def __exit__(self, *_):
            handler.close()
            eventually(lambda: sockets() == 0, "the app has gone")

    return Serving()


def functions_are_completed_and_fail():
    configure()
    act(
        INSTALLER,
        "slack.admin.define_function",
        app=APP,
        callback_id="weigh",
        title="Weigh",
        input_parameters=[{"name": "dish", "type": "string", "is_required": True}],
        output_parameters=[{"name": "grams", "type": "number"}],
    )
    app = App(client=slack)

    @app.function("weigh")
    def weigh(inputs, complete, fail):
        if inputs["dish"] == "stone":
            fail("not to be eaten")
        else:
            complete(outputs={"grams": 20})

    def runs(outcome):
        rows = state("slack", "function_executions")
        return [row["outcome"][outcome] for row in rows if isinstance(row["outcome"], dict) and outcome in row["outcome"]]

    with serving(app):
        act(EATER, "slack.user.run_function", app=APP, callback_id="weigh", inputs={"dish": "egg"})
        done = eventually(lambda: runs("completed"), "the step is over")[0]
        claim_equal(done, {"grams": 20}, "with what comes out of it")
        act(EATER, "slack.user.run_function", app=APP, callback_id="weigh", inputs={"dish": "stone"})
        failed = eventually(lambda: runs("failed"), "the other fails")[0]
        claim_equal(failed, "not to be eaten", "and says why")


def assistants_suggest_and_stream():
    configure()
    app, assistant = App(client=slack), Assistant()

    @assistant.thread_started
    def started(say, set_suggested_prompts, set_title):
        say("What shall it be?")
        set_title("Supper")
        set_suggested_prompts(prompts=[{"title": "Soup", "message": "Tell me about soup"}])

    @assistant.user_message
    def asked(payload, set_status, say_stream):
        set_status("is stirring...")
        stream = say_stream(buffer_size=8)
        for word in ["Soup ", "is ", "**mostly** ", "water."]:
            stream.append(markdown_text=word)
        stream.stop()

    app.use(assistant)

    def said(text):
        return [row for row in state("slack", "messages") if text in row["text"]]

    with serving(app):
        opened = act(EATER, "slack.user.open_assistant", app=APP)
        eventually(lambda: said("What shall it be?"), "the assistant greets")
        prompts = lambda: [row for row in state("slack", "assistants") if "Soup" in json.dumps(row)]
        eventually(prompts, "and suggests something")
        act(EATER, "slack.user.pick_prompt", app=APP, thread_ts=opened["thread_ts"], title="Soup")
        whole = eventually(lambda: said("mostly* water."), "the answer comes in pieces, and is whole in the end")[0]
        claim_equal(whole["thread_ts"], opened["thread_ts"], "in the thread")


def options_are_loaded():
    configure(interactivity_url="")
    app = App(client=slack)
    chosen = []

    @app.options("dish")
    def options(ack, payload):
        dishes = [dish for dish in ("Soup", "Salad", "Bread") if dish.lower().startswith(payload["value"])]
        ack(options=[{"text": {"type": "plain_text", "text": dish}, "value": dish.lower()} for dish in dishes])

    @app.action("dish")
    def picked(ack, action, respond):
        ack()
        chosen.append(action["selected_option"]["value"])
        for n in range(6):
            answers.append(respond(text=f"{n}", replace_original=False, response_type="ephemeral"))

    answers = []
    select = {
        "type": "external_select",
        "action_id": "dish",
        "min_query_length": 1,
        "placeholder": {"type": "plain_text", "text": "Dish"},
    }
    with serving(app):
        posted = slack.chat_postMessage(
            channel=channel("general"), text="Choose", blocks=[{"type": "actions", "elements": [select]}]
        )
        where = {"channel": "general", "message_ts": posted["ts"], "action_id": "dish"}
        act(EATER, "slack.user.look_up", value="s", **where)
        pick = lambda dish: can("slack.user.use", value=dish, **where)
        eventually(lambda: pick("Soup"), "what fits is offered, and picked")
        claim(not pick("Bread"), "and nothing else")
        eventually(lambda: chosen == ["soup"], "the choice is told")
        eventually(lambda: len(answers) == 6, "it is answered six times")
        claim_equal([answer.status_code for answer in answers], [200] * 5 + [404], "five of which are taken")


def home_tabs_have_hashes():
    configure()
    lena = slack.users_lookupByEmail(email="lena.fischer@acme.example")["user"]["id"]
    view = {"type": "home", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "Menu"}}]}
    first = slack.views_publish(user_id=lena, view=view)["view"]
    second = slack.views_publish(user_id=lena, view=view, hash=first["hash"])["view"]
    claim(first["hash"] != second["hash"], "each time it has another hash")
    claim_equal(refusal(slack.views_publish, user_id=lena, view=view, hash=first["hash"]), "hash_conflict", "an old one")


def files_come_by_the_dozen():
    place = channel("general")
    uploads = [{"content": f"number {n}", "filename": f"{n}.txt", "title": f"File {n}"} for n in range(4)]
    uploads.append({"content": PNG, "filename": "a.png", "title": "Picture"})
    told = slack.files_upload_v2(channel=place, file_uploads=uploads, initial_comment="five files")["files"]
    claim_equal([file["title"] for file in told], [f"File {n}" for n in range(4)] + ["Picture"], "all are told")
    shared = lambda: next((row for row in history(place) if row["text"] == "five files"), None)
    message = eventually(shared, "they are shared a little later")
    claim_equal([file["title"] for file in message["files"]], [file["title"] for file in told], "in one message")
    picture = message["files"][-1]
    claim_equal((picture["original_w"], picture["thumb_360_h"]), (800, 270), "the picture has its sizes")
    small = download(picture["thumb_360"])
    claim_equal(struct.unpack(">II", small[16:24]), (360, 270), "and is shown so small to those who may see it")
    renamed = slack.chat_update(channel=place, ts=message["ts"], text="one file", file_ids=[told[0]["id"]])
    claim_equal([file["id"] for file in renamed["message"]["files"]], [told[0]["id"]], "an update shows others")
    asyncio.run(upload_asynchronously(place))


async def upload_asynchronously(place):
    client = AsyncWebClient(token=TOKEN, base_url=URL)
    uploads = [{"content": f"async {n}", "filename": f"async-{n}.txt"} for n in range(2)]
    told = await client.files_upload_v2(channel=place, file_uploads=uploads)
    claim_equal(len(told["files"]), 2, "both are told")
    listed = await client.files_list(types="all", count=100)
    claim({file["id"] for file in told["files"]} <= {file["id"] for file in listed["files"]}, "and listed")


def history(place):
    return slack.conversations_history(channel=place, limit=20)["messages"]


def download(url):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(request, timeout=10).read()


def lists_come_in_pages():
    names = [row["name"] for page in slack.conversations_list(limit=2) for row in page["channels"]]
    claim(len(names) > 4 and len(names) == len(set(names)), "all channels, each once")
    pages = slack.users_list(limit=5)
    claim(sum(len(page["members"]) for page in pages) > 10, "and people")


async def lists_come_in_pages_asynchronously():
    names = []
    async for page in await AsyncWebClient(token=TOKEN, base_url=URL).conversations_list(limit=2):
        names += [row["name"] for row in page["channels"]]
    claim(len(names) > 4 and len(names) == len(set(names)), "all channels, each once")


def posting_waits_when_told():
    patient = WebClient(token=TOKEN, base_url=URL, retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=2)])
    on = {"twin": "slack", "operation": "chat.postMessage"}
    start = time.monotonic()
    with fault({"rate_limited": {"retry_after": "1s"}}, **on):
        posted = patient.chat_postMessage(channel=channel("general"), text="patience")
    claim(posted["ok"] and time.monotonic() - start >= 1, "the client waits and gets through")
    claim_equal([row["text"] for row in history(channel("general"))].count("patience"), 1, "once")


def saved_files_and_searches():
    told = person.files_upload_v2(channel=channel("general"), content="a walrus", filename="walrus.txt")["file"]
    person.stars_add(file=told["id"])
    claim_equal(person.stars_list()["items"][0]["file"]["id"], told["id"], "a file is saved")
    claim_equal(refusal(person.stars_add, file=told["id"]), "already_starred", "once")
    person.stars_remove(file=told["id"])
    slack.chat_postMessage(channel=channel("general"), text="walrus at large")
    found = lambda query: person.search_messages(query=query, sort="timestamp")["messages"]["total"]
    claim_equal((found("walrus"), found("walrus -on:today"), found("walrus with:@lena")), (1, 0, 0), "modifiers narrow")


def reminders_are_read_as_people_write():
    made = person.reminders_add(text="eat", time="tomorrow at noon")["reminder"]
    claim(made["time"] > time.time(), "a time of day is read")
    again = person.reminders_add(text="report", time="every monday and friday at 9am")["reminder"]
    claim_equal(again["recurrence"], {"frequency": "weekly", "weekdays": ["monday", "friday"]}, "and days of the week")
    claim_equal(refusal(person.reminders_add, text="x", time="when pigs fly"), "cannot_parse", "not all is")


def links_are_shown():
    configure()
    act(INSTALLER, "slack.admin.distribute_app", app=APP, unfurl_domains=["menu.example"])
    app = App(client=slack)
    heard = []

    @app.event("link_shared")
    def shared(event, client):
        heard.append(event)
        unfurls = {link["url"]: {"text": "Soup of the day"} for link in event["links"]}
        client.chat_unfurl(unfurl_id=event["unfurl_id"], source=event["source"], unfurls=unfurls)

    place = channel("general")
    with serving(app):
        posted = act(EATER, "slack.user.post", channel="general", text="https://menu.example/today")
        shown = lambda: [row for row in history(place) if row["ts"] == posted["ts"] and row.get("attachments")]
        preview = eventually(shown, "the app shows what the link leads to")[0]["attachments"][0]
        claim_equal((preview["text"], preview["is_app_unfurl"]), ("Soup of the day", True), "in its words")
    link = slack.chat_getPermalink(channel=place, message_ts=posted["ts"])["permalink"]
    quoting = slack.chat_postMessage(channel=place, text=f"see {link}", unfurl_links=True)
    shown = lambda: [row for row in history(place) if row["ts"] == quoting["ts"] and row.get("attachments")]
    quote = eventually(shown, "Slack quotes a message a moment later")[0]["attachments"][0]
    claim_equal((quote["ts"], quote["is_msg_unfurl"]), (posted["ts"], True), "that which is linked")


def installations_turn_over():
    redirect = "http://127.0.0.1:9/slack/oauth_redirect"
    act(INSTALLER, "slack.admin.distribute_app", app=APP, redirect_urls=[redirect], token_rotation=True)
    row = next(row for row in state("slack", "apps") if row["key"] == APP)
    folder = os.path.join(os.environ["HOME"], "rotating")
    store = FileInstallationStore(base_dir=folder)
    settings = OAuthSettings(
        client_id=row["client_id"],
        client_secret=row["client_secret"],
        scopes=["chat:write", "commands"],
        user_scopes=["chat:write"],
        redirect_uri=redirect,
        installation_store=store,
        state_store=FileOAuthStateStore(expiration_seconds=60, base_dir=folder),
        # Longer than tokens live, so that each use turns them over.
        token_rotation_expiration_minutes=60 * 24,
    )
    client = WebClient(base_url=URL)
    app = App(client=client, signing_secret=SECRET, oauth_flow=OAuthFlow(client=client, settings=settings))
    # The only client of bolt's that takes no address from the app.
    settings.authorize.token_rotator.client = client
    tokens = []

    @app.command("/supper")
    def command(ack, context):
        tokens.append(context.bot_token)
        ack()

    allowed = act(EATER, "slack.user.install_app", app=APP, scopes=settings.scopes, user_scopes=["chat:write"])
    installed = app.oauth_flow.run_installation(allowed["code"])
    claim(installed.bot_token.startswith("xoxe.xoxb-") and installed.bot_refresh_token, "the token is one that ends")
    claim(installed.user_token.startswith("xoxe.xoxp-") and installed.user_refresh_token, "so is the person's")
    app.oauth_flow.store_installation(BoltRequest(body="", query={}, headers={}), installed)
    for _ in range(2):
        claim_equal(app.dispatch(command_request(installed)).status, 200, "the command is taken")
    claim_equal(len({installed.bot_token, *tokens}), 3, "each use gets another token")
    claim(WebClient(token=tokens[-1], base_url=URL).auth_test()["ok"], "of which the last one works")
    found = store.find_installation(enterprise_id=None, team_id=installed.team_id, user_id=installed.user_id)
    claim_equal(found.bot_token, tokens[-1], "the store has it")


def command_request(installed):
    """What Slack sends of a command."""
    form = f"command=%2Fsupper&team_id={installed.team_id}&user_id={installed.user_id}&channel_id=C1&token=t"
    stamp = str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=form)
    headers = {
        "content-type": ["application/x-www-form-urlencoded"],
        "x-slack-signature": [signature],
        "x-slack-request-timestamp": [stamp],
    }
    return BoltRequest(body=form, headers=headers)


def sockets_come_by_the_ten():
    configure()
    clients = [SocketModeClient(app_token=APP_TOKEN, web_client=slack) for _ in range(10)]
    for client in clients:
        client.connect()
    eventually(lambda: sockets() == 10, "ten sockets are open")
    heard = []
    late = SocketModeClient(app_token=APP_TOKEN, web_client=slack, auto_reconnect_enabled=False)
    late.on_message_listeners.append(lambda raw: heard.append(json.loads(raw)))
    late.connect()
    reasons = lambda: [message.get("reason") for message in heard if message.get("type") == "disconnect"]
    eventually(lambda: "too_many_websockets" in reasons(), f"the eleventh is told that it is one too many: {heard}")
    late.close()
    for client in clients:
        client.close()
    eventually(lambda: sockets() == 0, "all are closed")
    short = SocketModeClient(app_token=APP_TOKEN, web_client=slack, auto_reconnect_enabled=False)
    greetings = []
    short.on_message_listeners.append(lambda raw: greetings.append(json.loads(raw)))
    short.wss_uri = slack.apps_connections_open(app_token=APP_TOKEN)["url"] + "&debug_reconnects=true"
    short.connect()
    hello = eventually(lambda: [m for m in greetings if m.get("type") == "hello"], "the socket greets")[0]
    claim_equal(hello["debug_info"]["approximate_connection_time"], 360, "it is a short one")
    claim_equal(hello["num_connections"], 1, "and the only one")
    act(INSTALLER, "slack.admin.configure_app", app=APP, socket_mode=False)
    ended = lambda: [m for m in greetings if m.get("type") == "disconnect" and m.get("reason") == "link_disabled"]
    eventually(ended, "where Socket Mode is turned off, the socket is told so")


def every_element():
    """An element of each kind that the library builds for blocks of actions."""
    options = [kit.Option(text="One", value="1", description="first"), kit.Option(text="Two", value="2")]
    sure = kit.ConfirmObject(title="Sure?", text="Really", confirm="Yes", deny="No", style="danger")
    people = kit.ConversationFilter(include=["im", "public"], exclude_bot_users=True)
    return [
        kit.ButtonElement(text="Go", action_id="go", value="v", style="primary", confirm=sure, accessibility_label="go"),
        kit.StaticSelectElement(placeholder="p", options=options, action_id="s", initial_option=options[0]),
        kit.StaticSelectElement(option_groups=[kit.OptionGroup(label="g", options=options)], action_id="g"),
        kit.StaticMultiSelectElement(options=options, action_id="ms", max_selected_items=2),
        kit.ExternalDataSelectElement(action_id="e", min_query_length=1),
        kit.ExternalDataMultiSelectElement(action_id="me"),
        kit.UserSelectElement(action_id="u", initial_user="U0"),
        kit.UserMultiSelectElement(action_id="mu"),
        kit.ConversationSelectElement(action_id="c", filter=people, default_to_current_conversation=True),
        kit.ConversationMultiSelectElement(action_id="mc"),
        kit.ChannelSelectElement(action_id="ch", response_url_enabled=True),
        kit.ChannelMultiSelectElement(action_id="mch"),
        kit.OverflowMenuElement(options=options, action_id="o"),
        kit.DatePickerElement(action_id="d", initial_date="2026-01-01"),
        kit.TimePickerElement(action_id="t", initial_time="10:00", timezone="Europe/Berlin"),
        kit.DateTimePickerElement(action_id="dt", initial_date_time=1628633820),
        kit.CheckboxesElement(options=options, action_id="cb", initial_options=[options[1]]),
        kit.RadioButtonsElement(options=options, action_id="r", initial_option=options[0]),
    ]


def every_block():
    """A block of each kind that the library builds for messages."""
    image = kit.ImageElement(image_url="https://acme.example/a.png", alt_text="a")
    run = kit.RichTextElementParts.Text(text="a", style=kit.RichTextElementParts.TextStyle(bold=True))
    line = kit.RichTextSectionElement(elements=[run, kit.RichTextElementParts.Emoji(name="tada")])
    rich = kit.RichTextBlock(
        elements=[
            line,
            kit.RichTextListElement(style="bullet", indent=0, elements=[line]),
            kit.RichTextQuoteElement(elements=[run]),
            kit.RichTextPreformattedElement(elements=[run], border=0),
        ]
    )
    opinion = kit.FeedbackButtonsElement(
        action_id="opinion",
        positive_button=kit.FeedbackButtonObject(text="Good", value="good"),
        negative_button=kit.FeedbackButtonObject(text="Bad", value="bad"),
    )
    card = kit.CardBlock(title=kit.MarkdownTextObject(text="Soup"), icon=image, actions=[every_element()[0]])
    task = kit.TaskCardBlock(task_id="1", title="Stir", status="in_progress", details=rich)
    return [
        kit.SectionBlock(text="hi", fields=["a", "b"], accessory=image, expand=True),
        kit.DividerBlock(),
        kit.ImageBlock(image_url="https://acme.example/a.png", alt_text="a", title="t"),
        kit.ContextBlock(elements=[image, kit.MarkdownTextObject(text="x", verbatim=True)]),
        kit.HeaderBlock(text="h"),
        kit.MarkdownBlock(text="# x"),
        rich,
        kit.ActionsBlock(elements=every_element()),
        kit.InputBlock(label="l", element=kit.PlainTextInputElement(action_id="p", max_length=9), hint="h"),
        kit.ContextActionsBlock(elements=[opinion]),
        kit.TableBlock(rows=[[{"type": "raw_text", "text": "a"}, rich]], column_settings=[None, {"align": "right"}]),
        card,
        kit.CarouselBlock(elements=[card]),
        kit.ContainerBlock(title="c", child_blocks=[kit.DividerBlock()], width="full"),
        kit.PlanBlock(title="Supper", tasks=[task]),
    ]


def blocks_that_the_library_builds_are_taken():
    configure(interactivity_url="")
    place, app, heard = channel("general"), App(client=slack), []
    for block in every_block():
        told = slack.chat_postMessage(channel=place, text="a block", blocks=[block])["message"]["blocks"]
        claim(slack.chat_postMessage(channel=place, text="again", blocks=told)["ok"], f"{block.type}: so is what is told")
    spoilt = [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}, "accessory": None}]
    claim_equal(refusal(slack.chat_postMessage, channel=place, text="x", blocks=spoilt), "invalid_blocks", "not null")

    @app.action("opinion")
    def opinion(ack, action, respond):
        ack()
        heard.append((action["value"], action["text"]["text"]))
        respond(text=":heart: \u2764\ufe0f", response_type="ephemeral", replace_original=False)

    with serving(app):
        act(EATER, "slack.user.click", channel="general", label="Bad")
        eventually(lambda: heard == [("bad", "Bad")], "what somebody thinks is told")
        said = lambda: [row for row in state("slack", "ephemerals") if row["text"] == ":heart: :heart:"]
        eventually(said, "emoji are told by name")


run(
    functions_are_completed_and_fail,
    assistants_suggest_and_stream,
    options_are_loaded,
    home_tabs_have_hashes,
    files_come_by_the_dozen,
    lists_come_in_pages,
    lists_come_in_pages_asynchronously,
    posting_waits_when_told,
    saved_files_and_searches,
    reminders_are_read_as_people_write,
    links_are_shown,
    blocks_that_the_library_builds_are_taken,
    sockets_come_by_the_ten,
    # Last: tokens of the app end from then on.
    installations_turn_over,
)
