"""slack_sdk's Socket Mode clients and slack_bolt, unmodified, against Slack's twin."""

import asyncio
import itertools
import logging
import os
from pathlib import Path

import yaml
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.aiohttp import SocketModeClient as AiohttpClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from claims import claim, claim_equal, eventually, run
from dtu_control import act, advance, arm, disarm, ledger, state

URL = os.environ["SLACK_API_URL"]
TOKEN = os.environ["SLACK_BOT_TOKEN"]
APP_TOKEN = os.environ["SLACK_APP_TOKEN"]
APP, INSTALLER = "dtu-tester", "dana"
PLAN = yaml.safe_load((Path(__file__).parents[3] / "fixtures/faults/slack-socket-flapping.yaml").read_text())

logging.disable(logging.CRITICAL)
slack = WebClient(token=TOKEN, base_url=URL)
_numbers = itertools.count(1)

act(
    INSTALLER,
    "slack.admin.configure_app",
    app=APP,
    socket_mode=True,
    events=["message.channels", "app_mention"],
    commands={"/dtu": ""},
)


def sockets():
    """How many sockets the app has open."""
    return next(app["sockets"] for app in state("slack", "apps") if app["key"] == APP)


def say():
    """A person says something nobody has said before; returns it."""
    text = f"hello number {next(_numbers)}"
    act("lena", "slack.user.post", channel="general", text=text)
    return text


def can(verb, **arguments):
    """Whether a person can do something, which is done then."""
    try:
        return act("lena", verb, **arguments) is not None
    except RuntimeError:
        return False


def whispers(text):
    return [row for row in state("slack", "ephemerals") if row["text"] == text]


def texts(requests):
    """The texts of the messages that a client was told of."""
    events = (request.payload["event"] for request in list(requests) if request.type == "events_api")
    return [event.get("text") for event in events if event["type"] == "message"]


def events_commands_and_reconnection():
    client = SocketModeClient(app_token=APP_TOKEN, web_client=slack, ping_interval=1)
    came = []

    def listener(client, request):
        came.append(request)
        payload = {"text": "done at once"} if request.type == "slash_commands" else None
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))

    client.socket_mode_request_listeners.append(listener)
    client.connect()
    eventually(lambda: client.is_connected() and sockets() == 1, "the client is connected")
    text = say()
    eventually(lambda: text in texts(came), "an event comes over the socket")
    claim_equal((came[0].retry_attempt, came[0].accepts_response_payload), (0, False), "for the first time")
    act("lena", "slack.user.slash", channel="general", command="/dtu", text="now")
    eventually(lambda: whispers("done at once"), "what the app answers is shown")
    command = next(request.payload for request in came if request.type == "slash_commands")
    claim_equal((command["command"], command["text"]), ("/dtu", "now"), "the command's payload")
    arm(
        {
            "id": "flap",
            "on": {"twin": "slack"},
            "do": {"close_socket": {"every": "1s", "code": 1000, "announced": True}},
            "times": 1,
        }
    )
    before = client.session_id()
    eventually(lambda: client.session_id() != before and client.is_connected(), "the client connects anew", 30)
    eventually(lambda: sockets() == 1, "the old socket is gone")
    claim_equal(disarm("flap"), 1, "the rule has closed one socket")
    text = say()
    eventually(lambda: text in texts(came), "events come over the new socket")
    client.close()
    eventually(lambda: sockets() == 0, "the socket is closed")


def flapping_connections_lose_nothing():
    """The named plan `slack-socket-flapping`: connections end, are refused at first, and events come late."""
    # PyYAML reads the key `on` as a truth value.
    rules = [{("on" if key is True else key): value for key, value in rule.items()} for rule in PLAN["rules"]]
    client = SocketModeClient(app_token=APP_TOKEN, web_client=slack, ping_interval=1)
    came = []

    def listener(client, request):
        came.append(request)
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    client.socket_mode_request_listeners.append(listener)
    client.connect()
    eventually(client.is_connected, "the client is connected")
    for rule in rules:
        arm(rule)
    said, sessions = [], set()

    def pass_time():
        # The client connects anew in real time: the virtual clock waits for it, as it would take a second of it.
        eventually(lambda: sockets() >= 1, "it is connected, or again", 30)
        sessions.add(client.session_id())
        advance("20s")

    try:
        for _ in range(36):
            said.append(say())
            pass_time()
        # Slack's last try comes six minutes after the first.
        for _ in range(20):
            pass_time()
    finally:
        fired = {rule["id"]: disarm(rule["id"]) for rule in rules}
        client.close()
    claim(fired["asked-to-refresh"] >= 2 and fired["broken-without-a-word"] >= 1, f"the plan strikes: {fired}")
    deliveries = [row for row in ledger() if row["kind"] == "delivery" and row["error"]]
    given_up = {row["delivery"]["id"] for row in deliveries if row["delivery"]["attempt"] == 4}
    lost = set(said) - set(texts(came))
    claim_equal(len(lost), len(given_up), "what was sent into a dead connection comes again, four times at most")
    claim(deliveries and any(request.retry_attempt for request in came), "and is marked as a retry")
    claim(len(sessions) >= 3, f"the client has had several connections: {len(sessions)}")


async def unacknowledged_events_come_again():
    web = AsyncWebClient(token=TOKEN, base_url=URL)
    client = AiohttpClient(app_token=APP_TOKEN, web_client=web)
    came = []

    async def listener(client, request):
        came.append(request)
        if request.retry_attempt:
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    client.socket_mode_request_listeners.append(listener)
    await client.connect()
    text = await asyncio.to_thread(say)
    for _ in range(500):
        if len(came) > 1:
            break
        await asyncio.sleep(0.02)
    claim_equal(texts(came), [text, text], "the event comes twice")
    first, second = came
    claim_equal(first.envelope_id, second.envelope_id, "in the same envelope")
    claim_equal((second.retry_attempt, second.retry_reason), (1, "timeout"), "and says why")
    await client.close()


def a_whole_app_in_bolt():
    app = App(client=slack)
    seen = []

    @app.command("/dtu")
    def command(ack, body, client):
        ack(f"on it, {body['text']}")
        client.chat_postMessage(
            channel=body["channel_id"],
            text="Lunch?",
            blocks=[
                {
                    "type": "actions",
                    "elements": [
                        {
                            "type": "button",
                            "action_id": "yes",
                            "value": "1",
                            "text": {"type": "plain_text", "text": "Yes"},
                        }
                    ],
                }
            ],
        )

    @app.action("yes")
    def clicked(ack, body, client, respond):
        ack()
        respond(text="Lunch it is", replace_original=True)
        client.views_open(
            trigger_id=body["trigger_id"],
            view={
                "type": "modal",
                "callback_id": "order",
                "title": {"type": "plain_text", "text": "Order"},
                "submit": {"type": "plain_text", "text": "Send"},
                "blocks": [
                    {
                        "type": "input",
                        "block_id": "dish",
                        "label": {"type": "plain_text", "text": "Dish"},
                        "element": {"type": "plain_text_input", "action_id": "name"},
                    }
                ],
            },
        )

    @app.view("order")
    def submitted(ack, view):
        dish = view["state"]["values"]["dish"]["name"]["value"]
        if dish == "stone":
            ack(response_action="errors", errors={"dish": "not to be eaten"})
            return
        ack()
        seen.append(dish)

    @app.message("lunch")
    def message(say, message):
        say(text="again?", thread_ts=message["ts"])

    handler = SocketModeHandler(app, APP_TOKEN)
    handler.connect()
    eventually(lambda: sockets() == 1, "the app is connected")
    act("lena", "slack.user.slash", channel="general", command="/dtu", text="boss")
    eventually(lambda: whispers("on it, boss"), "the acknowledgement is shown")

    def said(text):
        return [row for row in state("slack", "messages") if row["text"] == text]

    eventually(lambda: said("Lunch?"), "the app posts")
    act("lena", "slack.user.click", channel="general", label="Yes")
    eventually(lambda: said("Lunch it is"), "the message is replaced")
    eventually(lambda: can("slack.user.use", label="Dish", value="stone"), "a window opens")
    act("lena", "slack.user.submit")
    eventually(lambda: can("slack.user.use", label="Dish", value="soup"), "the window stays open")
    act("lena", "slack.user.submit")
    eventually(lambda: seen == ["soup"], "the app is told what was submitted")
    act("lena", "slack.user.post", channel="general", text="is it lunch yet")
    eventually(lambda: said("again?"), "the app replies in a thread")
    claim(said("again?")[0]["thread_ts"], "in a thread")
    handler.close()
    eventually(lambda: sockets() == 0, "the app has gone")


run(
    events_commands_and_reconnection,
    unacknowledged_events_come_again,
    a_whole_app_in_bolt,
    # Last: it may leave connections behind.
    flapping_connections_lose_nothing,
)
