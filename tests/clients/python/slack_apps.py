"""slack_sdk and slack_bolt, unmodified, each as a whole app against Slack's twin. See slack_supper."""

import asyncio
import html
import json
import logging
import os
import re
import socket
import threading
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlparse

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk import WebClient
from slack_sdk.oauth.installation_store import FileInstallationStore
from slack_sdk.oauth.state_store import FileOAuthStateStore
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient as AiohttpClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook import WebhookClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from claims import claim, claim_equal, eventually, run
from dtu_control import act, state
from listener import Listener, ok
from slack_supper import APP, EATER, INSTALLER, RECEIPT, dish_of, eat, errors_of, order_view, question, soon

URL = os.environ["SLACK_API_URL"]
TOKEN = os.environ["SLACK_BOT_TOKEN"]
APP_TOKEN = os.environ["SLACK_APP_TOKEN"]
SECRET = os.environ["SLACK_SIGNING_SECRET"]

logging.disable(logging.CRITICAL)


def app_row():
    return next(row for row in state("slack", "apps") if row["key"] == APP)


def over_http(url):
    """Slack sends what people do to an address."""
    act(INSTALLER, "slack.admin.configure_app", app=APP, socket_mode=False, interactivity_url=url, commands={"/supper": url})


def over_sockets():
    """Slack sends what people do over sockets."""
    act(INSTALLER, "slack.admin.configure_app", app=APP, socket_mode=True, commands={"/supper": ""})


def cook(client, respond, channel, ts, dish):
    """What the button does, by way of a WebClient."""
    respond(text=f"{dish} is being cooked", replace_original=True)
    client.chat_postMessage(channel=channel, thread_ts=ts, text=f"Who wants {dish}?")
    client.files_upload_v2(
        channel=channel, thread_ts=ts, content=RECEIPT, filename="receipt.txt", title=f"Receipt for {dish}"
    )
    later = client.chat_scheduleMessage(channel=channel, post_at=soon(), text=f"{dish} is ready")
    waiting = client.chat_scheduledMessages_list(channel=channel)["scheduled_messages"]
    claim(any(row["id"] == later["scheduled_message_id"] for row in waiting), "what comes later is listed")


async def cook_async(client, respond, channel, ts, dish):
    """The same by way of an AsyncWebClient."""
    await respond(text=f"{dish} is being cooked", replace_original=True)
    await client.chat_postMessage(channel=channel, thread_ts=ts, text=f"Who wants {dish}?")
    await client.files_upload_v2(
        channel=channel, thread_ts=ts, content=RECEIPT, filename="receipt.txt", title=f"Receipt for {dish}"
    )
    await client.chat_scheduleMessage(channel=channel, post_at=soon(), text=f"{dish} is ready")


def the_sdk_over_http():
    redirect = "http://127.0.0.1:9/back"
    act(INSTALLER, "slack.admin.distribute_app", app=APP, redirect_urls=[redirect])
    allowed = act(INSTALLER, "slack.user.install_app", app=APP, redirect_uri=redirect)
    installed = WebClient(base_url=URL).oauth_v2_access(
        client_id=allowed["client_id"],
        client_secret=allowed["client_secret"],
        code=allowed["code"],
        redirect_uri=redirect,
    )
    client = WebClient(token=installed["access_token"], base_url=URL)
    claim_equal(client.auth_test()["bot_id"], installed_bot(), "the app is installed")
    verifier = SignatureVerifier(SECRET)

    def heard(request):
        claim(verifier.is_valid_request(request.body, request.headers), "the request is signed")
        form = request.form()
        if "command" in form:
            client.views_open(trigger_id=form["trigger_id"], view=order_view(form["channel_id"]))
            return ok(request)
        payload = json.loads(form["payload"])
        if payload["type"] == "view_submission":
            dish = dish_of(payload["view"])
            if errors := errors_of(dish):
                return 200, "application/json", json.dumps({"response_action": "errors", "errors": errors})
            client.chat_postMessage(channel=payload["view"]["private_metadata"], **question(dish))
            return ok(request)
        where = (payload["channel"]["id"], payload["message"]["ts"], payload["actions"][0]["value"])
        respond = WebhookClient(payload["response_url"]).send
        threading.Thread(target=cook, args=(client, respond, *where), daemon=True).start()
        return ok(request)

    with Listener(slack=heard) as app:
        over_http(app.url("slack"))
        eat("soup")


def installed_bot():
    return WebClient(token=TOKEN, base_url=URL).auth_test()["bot_id"]


async def the_sdk_over_sockets():
    over_sockets()
    web = AsyncWebClient(token=TOKEN, base_url=URL)
    client = AiohttpClient(app_token=APP_TOKEN, web_client=web)

    async def listener(client, request):
        payload, answer = request.payload, None
        if request.type == "interactive" and payload["type"] == "view_submission":
            dish = dish_of(payload["view"])
            if errors := errors_of(dish):
                answer = {"response_action": "errors", "errors": errors}
            else:
                await web.chat_postMessage(channel=payload["view"]["private_metadata"], **question(dish))
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=answer))
        if request.type == "slash_commands":
            await web.views_open(trigger_id=payload["trigger_id"], view=order_view(payload["channel_id"]))
        elif payload.get("type") == "block_actions":
            where = (payload["channel"]["id"], payload["message"]["ts"], payload["actions"][0]["value"])
            await cook_async(web, AsyncWebhookClient(payload["response_url"]).send, *where)

    client.socket_mode_request_listeners.append(listener)
    await client.connect()
    await asyncio.to_thread(eat, "bread")
    await client.close()


def serve_supper(app):
    """What an app of slack_bolt does."""

    @app.command("/supper")
    def command(ack, body, client):
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=order_view(body["channel_id"]))

    @app.view("order")
    def submitted(ack, view, client):
        dish = dish_of(view)
        if errors := errors_of(dish):
            return ack(response_action="errors", errors=errors)
        ack()
        client.chat_postMessage(channel=view["private_metadata"], **question(dish))

    @app.action("cook")
    def clicked(ack, body, action, client, respond):
        ack()
        cook(client, respond, body["channel"]["id"], body["message"]["ts"], action["value"])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


_BROWSER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)


def browse(url, cookie=""):
    """What a browser is answered: status, headers and page."""
    try:
        answer = _BROWSER.open(urllib.request.Request(url, headers={"Cookie": cookie}), timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.headers, answer.read().decode()


def install(base):
    """A person goes through the app's own pages; what they are shown at the end."""
    status, headers, page = browse(f"{base}/slack/install")
    claim_equal(status, 200, "the app has a page to install it")
    link = html.unescape(re.search(r'href="(https://slack\.com/oauth/v2/authorize[^"]*)"', page)[1])
    asked = {name: values[0] for name, values in parse_qs(urlparse(link).query).items()}
    allowed = act(
        EATER,
        "slack.user.install_app",
        app=APP,
        scopes=asked["scope"].split(","),
        redirect_uri=asked["redirect_uri"],
        state=asked["state"],
    )
    claim_equal(allowed["client_id"], asked["client_id"], "the app's page leads to its own installation")
    cookie = (headers["Set-Cookie"] or "").split(";")[0]
    return browse(allowed["location"], cookie)


def bolt_over_http():
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    redirect = f"{base}/slack/oauth_redirect"
    act(INSTALLER, "slack.admin.distribute_app", app=APP, redirect_urls=[redirect])
    row = app_row()
    folder = os.path.join(os.environ["HOME"], "installations")
    settings = OAuthSettings(
        client_id=row["client_id"],
        client_secret=row["client_secret"],
        scopes=["commands", "chat:write", "files:write", "files:read"],
        redirect_uri=redirect,
        installation_store=FileInstallationStore(base_dir=folder),
        state_store=FileOAuthStateStore(expiration_seconds=60, base_dir=folder),
    )
    client = WebClient(base_url=URL)
    app = App(client=client, signing_secret=SECRET, oauth_flow=OAuthFlow(client=client, settings=settings))
    serve_supper(app)
    threading.Thread(target=lambda: app.start(port=port), daemon=True).start()
    eventually(lambda: answers(base), "the app's server is up")
    status, _, page = install(base)
    claim(status == 200 and "Thank you" in page, "the app is installed by its own pages")
    over_http(f"{base}/slack/events")
    eat("rice")


def answers(base):
    try:
        return browse(base)[0] > 0
    except OSError:
        return False


def bolt_over_sockets():
    over_sockets()
    app = App(client=WebClient(token=TOKEN, base_url=URL))
    serve_supper(app)
    handler = SocketModeHandler(app, APP_TOKEN)
    handler.connect()
    eat("beans")
    handler.close()


async def async_bolt_over_sockets():
    over_sockets()
    app = AsyncApp(client=AsyncWebClient(token=TOKEN, base_url=URL))

    @app.command("/supper")
    async def command(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=order_view(body["channel_id"]))

    @app.view("order")
    async def submitted(ack, view, client):
        dish = dish_of(view)
        if errors := errors_of(dish):
            return await ack(response_action="errors", errors=errors)
        await ack()
        await client.chat_postMessage(channel=view["private_metadata"], **question(dish))

    @app.action("cook")
    async def clicked(ack, body, action, client, respond):
        await ack()
        await cook_async(client, respond, body["channel"]["id"], body["message"]["ts"], action["value"])

    handler = AsyncSocketModeHandler(app, APP_TOKEN)
    await handler.connect_async()
    await asyncio.to_thread(eat, "peas")
    await handler.close_async()


run(the_sdk_over_http, the_sdk_over_sockets, bolt_over_http, bolt_over_sockets, async_bolt_over_sockets)
