"""What unmodified client libraries see of each effect of a fault rule: one cell for each effect and twin.

A cell is printed as a line of JSON; `tests/all/faults.rs` holds the cells against `tests/evidence/faults.json`, from
which `docs/faults.md` is made. Claims here say what must be so whatever the library does.
"""

import asyncio
import contextlib
import json
import logging
import os
import socket
import sys
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

os.environ["OKTA_TESTING_TESTINGDISABLEHTTPSCHECK"] = "true"

import httplib2
from google.oauth2 import service_account
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from jira import JIRA, JIRAError
from okta import models
from okta.client import Client
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse

from claims import claim, claim_equal, eventually, own_part, run
from dtu_control import Fault, act, arm, disarm, is_struck, state
from listener import Listener

for name in ("okta-sdk-python", "jira", "googleapiclient", ""):
    logging.getLogger(name).setLevel(logging.CRITICAL)
warnings.simplefilter("ignore")

#: How long the libraries wait for an answer, and how long a rule hangs: longer than that.
PATIENCE, HANGS = 3, "4s"
LENA = "lena.fischer@acme.example"


class Slack:
    """Slack through slack_sdk, with its own handlers for what may be tried again."""

    twin, library, url = "slack", "slack_sdk", os.environ["SLACK_API_URL"]
    reads, lists, writes, drifts = "users.info", "users.list", "conversations.create", "/user"

    def __init__(self):
        handlers = [ConnectionErrorRetryHandler(), RateLimitErrorRetryHandler(), ServerErrorRetryHandler()]
        token = os.environ["SLACK_BOT_TOKEN"]
        self.client = WebClient(token=token, base_url=self.url, timeout=PATIENCE, retry_handlers=handlers)

    def look(self):
        return self.client.users_info(user="USLACKBOT")["user"]["name"]

    def page(self):
        first = self.client.users_list(limit=2)
        self.client.users_list(limit=2, cursor=first["response_metadata"]["next_cursor"])

    def make(self, name):
        self.client.conversations_create(name=name)

    def there(self, name):
        pages = self.client.conversations_list(limit=900)
        return sum(channel["name"] == name for channel in pages["channels"])

    stale = "conversations.list"

    def date(self):
        return self.client.users_info(user="USLACKBOT").headers["date"]

    @staticmethod
    def words(error):
        if not isinstance(error, SlackApiError):
            return None
        answer = error.response
        if isinstance(answer, dict) or not isinstance(answer.data, dict):
            return f"`SlackApiError` {answer.status_code}"
        if answer.headers.get("content-type", answer.headers.get("Content-Type", "")).startswith("text/html"):
            return f"`SlackApiError` {answer.status_code}, no JSON"
        more = ""
        if answer.status_code == 429:
            more = f", Retry-After {answer.headers['Retry-After']}"
        if "needed" in answer.data:
            more = f", needed `{answer.data['needed']}`"
        return f"`SlackApiError` {answer.status_code} `{answer.data.get('error')}`{more}"


class Okta:
    """Okta through its own SDK."""

    twin, library, url = "okta", "okta-sdk-python", os.environ["OKTA_CLIENT_ORGURL"]
    reads, lists, writes, drifts = "getUser", "listUsers", "addGroup", "/profile"
    stale = "listGroups"

    #: The SDK's timeout is for all tries together, and the time that it waits between them.
    hasty = False
    #: Scopes are of access tokens: API tokens have none.
    scoped = {
        "authorizationMode": "PrivateKey",
        "clientId": "0oaAccessService5d7",
        "scopes": ["okta.users.read"],
        "kid": "dtu-okta-client",
        "privateKey": (Path(__file__).parents[3] / "fixtures/keys/okta-client.pem").read_text(),
    }

    def call(self, ask, **config):
        async def once():
            patience = {"requestTimeout": PATIENCE} if self.hasty else {}
            result = await ask(Client({**patience, **config}))
            if result[-1] is not None:
                error = result[-1]
                raise error if isinstance(error, BaseException) else OktaError(error)
            return result

        return asyncio.run(once())

    def look(self):
        return self.call(lambda okta: okta.get_user(LENA))[0].profile.login

    def look_scoped(self):
        return self.call(lambda okta: okta.get_user(LENA), **self.scoped)[0].profile.login

    def page(self):
        users = self.call(lambda okta: okta.list_users(limit=2))[0]
        self.call(lambda okta: okta.list_users(limit=2, after=users[-1].id))

    def make(self, name):
        group = models.AddGroupRequest(profile=models.OktaUserGroupProfile(name=name))
        self.call(lambda okta: okta.add_group(group))

    def there(self, name):
        groups = self.call(lambda okta: okta.list_groups(limit=10000))[0]
        return sum(group.profile.actual_instance.name == name for group in groups)

    def date(self):
        return self.call(lambda okta: okta.get_user(LENA))[1].headers["Date"]

    @staticmethod
    def words(error):
        said = error.args[0] if isinstance(error, OktaError) else error
        if hasattr(said, "error_code"):
            return f"`{type(said).__name__}` {said.status} `{said.error_code}`"
        if hasattr(said, "status"):
            return f"`{type(said).__name__}` {said.status}"
        return None


class OktaError(Exception):
    """An error that the SDK returns and that is no exception."""


class Jira:
    """Jira through the library of pycontribs, which tries again by itself."""

    twin, library, url = "jira", "jira", os.environ["JIRA_URL"]
    reads, lists, writes, drifts = "getCurrentUser", "", "createFilter", "/displayName"
    stale = "getFiltersPaginated"

    def __init__(self):
        self.connect()

    def connect(self):
        pair = (os.environ["JIRA_EMAIL"], os.environ["JIRA_API_TOKEN"])
        options = {"server": os.environ["JIRA_URL"]}
        self.client = JIRA(options=options, basic_auth=pair, max_retries=1, timeout=PATIENCE, get_server_info=False)

    def look(self):
        return self.client.myself()["displayName"]

    def make(self, name):
        self.made = self.client.create_filter(name, jql="project = WEB")

    def there(self, name):
        return sum(row["name"] == name for row in self.client._get_json("filter/search")["values"])

    def date(self):
        session = self.client._session
        return session.get(os.environ["JIRA_URL"] + "/rest/api/2/myself").headers["Date"]

    @staticmethod
    def words(error):
        if not isinstance(error, JIRAError):
            return None
        headers = error.response.headers if error.response is not None else {}
        more = f", Retry-After {headers['retry-after']}" if "retry-after" in headers else ""
        return f"`JIRAError` {error.status_code}{more}"


class Google:
    """An API of Google's through google-api-python-client, which tries again where it is told to."""

    library = "google-api-python-client"
    lists = ""

    def connect(self):
        name, version, address = self.address
        key = os.environ["GOOGLE_APPLICATION_CREDENTIALS"]
        scopes = ["https://www.googleapis.com/auth/drive"]
        lena = service_account.Credentials.from_service_account_file(key, scopes=scopes, subject=LENA)
        http = AuthorizedHttp(lena, http=httplib2.Http(timeout=PATIENCE))
        options = {"api_endpoint": address}
        self.url = address
        self.api = build(name, version, http=http, client_options=options, static_discovery=True)

    def look(self):
        return self.member(self.asked().execute(num_retries=1))

    def date(self):
        seen, request = [], self.asked()
        request.add_response_callback(seen.append)
        request.execute()
        return seen[0]["date"]

    @staticmethod
    def words(error):
        if not isinstance(error, HttpError):
            return None
        try:
            said = json.loads(error.content)["error"]
        except ValueError:
            return f"`HttpError` {error.status_code}"
        reason = said["errors"][0]["reason"] if "errors" in said else said["status"]
        return f"`HttpError` {error.status_code} `{reason}`"


class Drive(Google):
    """Files."""

    twin = "google-drive"
    address = "drive", "v3", os.environ["GOOGLE_DRIVE_URL"] + "/drive/v3/"
    reads, lists, writes, drifts = "drive.about.get", "drive.files.list", "drive.files.create", "/user"
    stale = "drive.files.list"

    def __init__(self):
        self.connect()
        for name in ("matrix one", "matrix two"):
            self.make(name)

    def asked(self):
        return self.api.about().get(fields="user")

    @staticmethod
    def member(answer):
        return answer["user"]["displayName"]

    def page(self):
        first = self.api.files().list(pageSize=1)
        self.api.files().list_next(first, first.execute()).execute()

    def make(self, name):
        self.api.files().create(body={"name": name}).execute(num_retries=1)

    def there(self, name):
        files = self.api.files().list(pageSize=1000, fields="files(name)").execute()["files"]
        return sum(file["name"] == name for file in files)


class Sheets(Google):
    """Spreadsheets."""

    twin = "google-sheets"
    address = "sheets", "v4", os.environ["GOOGLE_SHEETS_URL"]
    reads, writes, drifts = "sheets.spreadsheets.get", "sheets.spreadsheets.create", "/properties"
    stale = "sheets.spreadsheets.get"

    def __init__(self):
        self.connect()
        self.drive = Drive()
        made = self.api.spreadsheets().create(body={"properties": {"title": "matrix"}}).execute()
        self.sheet = made["spreadsheetId"]

    def asked(self):
        return self.api.spreadsheets().get(spreadsheetId=self.sheet)

    @staticmethod
    def member(answer):
        return answer["properties"]["title"]

    def make(self, name):
        request = self.api.spreadsheets().create(body={"properties": {"title": name}})
        self.last = request.execute(num_retries=1)["spreadsheetId"]

    def there(self, name):
        try:
            self.api.spreadsheets().get(spreadsheetId=self.last).execute()
        except HttpError as error:
            claim_equal(error.status_code, 404, "what is not there yet")
            return 0
        return 1


class Docs(Google):
    """Documents."""

    twin = "google-docs"
    address = "docs", "v1", os.environ["GOOGLE_DOCS_URL"]
    reads, writes, drifts = "docs.documents.get", "docs.documents.create", "/title"
    stale = "docs.documents.get"

    def __init__(self):
        self.connect()
        self.drive = Drive()
        self.document = self.api.documents().create(body={"title": "matrix"}).execute()["documentId"]

    def asked(self):
        return self.api.documents().get(documentId=self.document)

    @staticmethod
    def member(answer):
        return answer["title"]

    def make(self, name):
        self.last = self.api.documents().create(body={"title": name}).execute(num_retries=1)["documentId"]

    def there(self, name):
        try:
            self.api.documents().get(documentId=self.last).execute()
        except HttpError as error:
            claim_equal(error.status_code, 404, "what is not there yet")
            return 0
        return 1


def outcome(column, call, *args):
    """What comes of a call, in words."""
    try:
        call(*args)
    except Exception as error:
        return column.words(error) or f"`{type(error).__name__}`"
    return "works"


def always_and_once(column, effect, operation, call):
    """What a call comes to while a rule strikes each time, and where it strikes once."""
    with armed(column, effect, operation) as always:
        lasting = outcome(column, call)
    claim(always.fired >= 1, f"{effect} strikes {column.twin}")
    with armed(column, effect, operation, times=1) as once:
        single = outcome(column, call)
    claim_equal(once.fired, 1, f"{effect} strikes {column.twin} once")
    tries = "" if always.fired == 1 else f" after {always.fired} tries"
    after = "" if single == lasting and tries == "" else f"; where it strikes once: {single}"
    return lasting + tries + after


class armed:
    """Arms a rule for the length of a block; `fired` says afterwards how often it struck."""

    def __init__(self, column, effect, operation=None, times=None, **on):
        on = {"twin": column.twin, **({"operation": operation} if operation else {}), **on}
        self.name = f"{column.twin}-{next(iter(effect))}-{'always' if times is None else times}"
        self.rule = {"id": self.name, "on": on, "do": effect, **({"times": times} if times else {})}

    def __enter__(self):
        arm(self.rule)
        return self

    def __exit__(self, *_):
        self.fired = disarm(self.name)


def before(effect):
    """A cell of an effect on a call that only looks."""
    return lambda column: always_and_once(column, effect, column.reads, column.look)


def scopes_cut(column):
    return always_and_once(column, {"scopes_cut": {}}, column.reads, getattr(column, "look_scoped", column.look))


def impatient(cell):
    """A cell of a client that does not wait for long."""

    def hasty(column):
        column.hasty = True
        try:
            return cell(column)
        finally:
            column.hasty = False

    return hasty


def cursor(column):
    if not column.lists:
        return None
    return always_and_once(column, {"bad_cursor": {}}, column.lists, column.page)


def committed(effect):
    """A cell of an effect on a write that happens: how often, counted afterwards."""

    def cell(column):
        name = f"matrix-{next(iter(effect)).replace('_', '-')}"
        with armed(column, effect, column.writes, times=1) as rule:
            told = outcome(column, column.make, name)
        claim_equal(rule.fired, 1, f"{effect} strikes {column.twin}")
        there = written(column, name)
        claim(there >= 1, f"{column.twin}: what the caller was told had failed is there")
        return f"{told}; it is there {'once' if there == 1 else f'{there} times'}"

    return cell


def written(column, name):
    """How many things of a name there are: Drive lists the sheets and documents."""
    drive = getattr(column, "drive", None)
    if drive is None:
        return column.there(name)
    # Drive's own column may have a fault armed at this moment: believed is what is read while there is none.
    for _ in range(600):
        if not is_struck(drive.twin):
            with contextlib.suppress(Exception):
                there = drive.there(name)
                if not is_struck(drive.twin):
                    return there
        time.sleep(0.1)
    raise AssertionError("Drive is never left in peace")


def latency(column):
    with armed(column, {"latency": {"for": "400ms"}}, column.reads, times=1) as rule:
        start = time.monotonic()
        told = outcome(column, column.look)
        took = time.monotonic() - start
    claim(rule.fired == 1 and took >= 0.4, f"{column.twin}: the answer comes later: {took}")
    with armed(column, {"latency": {"for": HANGS}}, column.reads) as rule:
        late = outcome(column, column.look)
    claim(rule.fired >= 1, "the rule strikes")
    return f"{told}, later; past the client's patience: {late}"


def drip(column):
    with armed(column, {"drip": {"every": "5ms", "bytes": 64}}, column.reads, times=1) as rule:
        told = outcome(column, column.look)
    claim_equal(rule.fired, 1, "the rule strikes")
    with armed(column, {"drip": {"every": HANGS, "bytes": 8}}, column.reads) as rule:
        slow = outcome(column, column.look)
    claim(rule.fired >= 1, "the rule strikes")
    return f"{told}, piece by piece; where a piece takes longer than the client's patience: {slow}"


def stale(column):
    name = "matrix-stale"
    with armed(column, {"stale": {"by": "1h"}}, column.stale) as rule:
        column.make(name)
        behind = column.there(name)
    claim_equal((behind, column.there(name)), (0, 1), f"{column.twin}: what was just made is seen later")
    claim(rule.fired >= 1, "the rule strikes")
    return "does not see what it has just made; sees it once the lag is over"


def skew(column):
    with armed(column, {"skew": {"ahead": "10m"}}, column.reads, times=1):
        shown = parsedate_to_datetime(column.date())
    ahead = (shown - datetime.now(timezone.utc)).total_seconds()
    claim(590 < ahead < 610, f"{column.twin}: the clock is ahead: {ahead}")
    return "works; the answer's `Date` is ten minutes ahead"


def drift(column):
    with armed(column, {"drift": {"at": column.drifts, "change": "removed"}}, column.reads, times=1) as rule:
        gone = outcome(column, column.look)
    claim_equal(rule.fired, 1, "the rule strikes")
    with armed(column, {"drift": {"at": "/matrix", "change": {"added": 1}}}, column.reads, times=1):
        more = outcome(column, column.look)
    with armed(column, {"drift": {"at": column.drifts, "change": "widened"}}, column.reads, times=1):
        wider = outcome(column, column.look)
    return f"without `{column.drifts[1:]}`: {gone}; as a list: {wider}; with a member more: {more}"


def refuse(column):
    with armed(column, {"refuse": {}}):
        eventually(lambda: refused(column), f"{column.twin} refuses")
        if hasattr(column, "connect"):
            # Connections that are there already go on.
            column.connect()
        told = outcome(column, column.look)
    eventually(lambda: not refused(column), f"{column.twin} is open again")
    claim_equal(outcome(column, column.look), "works", f"{column.twin} answers again")
    return told


def refused(column):
    """Whether a twin's port is closed."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlsplit(column.url).port)) != 0


def close_socket(column):
    """What Slack's socket client does when its connections end: told before, and without a word."""
    if column.twin != "slack":
        return None
    act("dana", "slack.admin.configure_app", app="dtu-tester", socket_mode=True, events=["message.channels"])
    web = WebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=column.url)
    client = SocketModeClient(app_token=os.environ["SLACK_APP_TOKEN"], web_client=web, ping_interval=1)
    came = []

    def listener(client, request):
        came.append(request.payload["event"].get("text"))
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    client.socket_mode_request_listeners.append(listener)
    client.connect()
    eventually(client.is_connected, "the client is connected")
    for name, effect in (("told", {"every": "1s", "code": 1000, "announced": True}), ("cut", {"every": "1s"})):
        before = client.session_id()
        with armed(column, {"close_socket": effect}, times=1) as rule:
            eventually(lambda: client.session_id() != before and client.is_connected(), "it connects anew", 30)
        claim_equal(rule.fired, 1, "the rule closes one socket")
        act("lena", "slack.user.post", channel="general", text=f"matrix-{name}")
        eventually(lambda: f"matrix-{name}" in came, "events come over the new connection", 30)
    client.close()
    act("dana", "slack.admin.configure_app", app="dtu-tester", socket_mode=False, events=[])
    return "connects again by itself, where it was told before and where it was not; is told of what comes then"


CALLS = {
    "rate_limited": before({"rate_limited": {"retry_after": "1s"}}),
    "quota_exhausted": before({"quota_exhausted": {"resets": "1s"}}),
    "error": before({"error": {}}),
    "proxy_page": before({"proxy_page": {"status": 503}}),
    "revoked": before({"revoked": {}}),
    "expired": before({"expired": {}}),
    "scopes_cut": scopes_cut,
    "bad_cursor": cursor,
    "reset": before({"reset": {}}),
    "hang": impatient(before({"hang": {"for": HANGS}})),
    "latency": impatient(latency),
    "drip": impatient(drip),
    "committed_error": committed({"committed_error": {}}),
    "committed_reset": committed({"committed_reset": {}}),
    "committed_hang": impatient(committed({"committed_hang": {"for": HANGS}})),
    "truncated": before({"truncated": {}}),
    "garbled": before({"garbled": {}}),
    "stale": stale,
    "skew": skew,
    "drift": drift,
    "refuse": refuse,
    "close_socket": close_socket,
}


class SlackEvents:
    """An app that is told of messages."""

    twin, library, kind = "slack", "slack_sdk", "event_callback"

    def __init__(self):
        self.verifier = SignatureVerifier(os.environ["SLACK_SIGNING_SECRET"])

    def __enter__(self):
        def event(request):
            body = json.loads(request.body)
            return 200, "text/plain", body.get("challenge", "")

        self.app = Listener(events=event).__enter__()
        url = self.app.url("events")
        act("dana", "slack.admin.configure_app", app="dtu-tester", events_url=url, events=["message.channels"])
        eventually(lambda: any(row["verified"] for row in state("slack", "apps")), "the address is verified")
        self.skip = len(self.app.received)
        return self

    def __exit__(self, *_):
        act("dana", "slack.admin.configure_app", app="dtu-tester", events_url="", events=[])
        self.app.__exit__()

    def cause(self, text):
        act("lena", "slack.user.post", channel="#general", text=text)

    def told(self):
        """What came since the last look: text and id of each."""
        came = self.app.received[self.skip :]
        return [(json.loads(request.body)["event"]["text"], json.loads(request.body)["event_id"]) for request in came]

    def is_genuine(self):
        request = self.app.received[-1]
        return self.verifier.is_valid_request(request.body, request.headers)

    forged = "`SignatureVerifier` refuses it"


class OktaHooks:
    """A hook that is told of new groups."""

    twin, library, kind = "okta", "okta-sdk-python", "event_hook"

    def __init__(self):
        self.okta = Okta()

    def __enter__(self):
        def hook(request):
            challenge = request.headers.get("x-okta-verification-challenge")
            return 200, "application/json", json.dumps({"verification": challenge} if challenge else {})

        self.app = Listener(hook=hook).__enter__()
        scheme = models.EventHookChannelConfigAuthScheme(type="HEADER", key="Authorization", value="matrix-secret")
        config = models.EventHookChannelConfig(uri=self.app.url("hook"), auth_scheme=scheme)
        new = models.EventHook(
            name="Matrix",
            events=models.EventSubscriptions(type="EVENT_TYPE", items=["group.lifecycle.create"]),
            channel=models.EventHookChannel(type="HTTP", version="1.0.0", config=config),
        )
        self.hook = self.okta.call(lambda okta: okta.create_event_hook(new))[0]
        self.okta.call(lambda okta: okta.verify_event_hook(self.hook.id))
        self.skip = len(self.app.received)
        return self

    def __exit__(self, *_):
        self.okta.call(lambda okta: okta.deactivate_event_hook(self.hook.id))
        self.okta.call(lambda okta: okta.delete_event_hook(self.hook.id))
        self.app.__exit__()

    def cause(self, text):
        self.okta.make(text)

    def told(self):
        bodies = [json.loads(request.body) for request in self.app.received[self.skip :]]
        events = [event for body in bodies for event in body["data"]["events"]]
        return [(event["target"][0]["displayName"], event["uuid"]) for event in events]

    def is_genuine(self):
        return self.app.received[-1].headers["authorization"] == "matrix-secret"

    forged = "the `Authorization` header is not the hook's secret"


def delivered(source, effect, texts, count, seconds=6, **rule):
    """What comes of deliveries under a rule, once `count` of them have come."""
    with armed(source, effect, deliver=source.kind, **rule) as fault:
        for text in texts:
            source.cause(text)
        eventually(lambda: len(source.told()) >= count, f"{count} deliveries come", seconds)
        told = source.told()
    source.skip = len(source.app.received)
    claim(fault.fired >= 1, f"{effect} strikes {source.twin}")
    return told


def duplicate(source):
    told = delivered(source, {"duplicate": {"copies": 1, "after": "200ms"}}, ["matrix-twice"], 2, times=1)
    claim_equal((len(told), told[0]), (2, told[1]), "both are the same")
    return "is told twice, under one id"


def delay(source):
    start = time.monotonic()
    told = delivered(source, {"delay": {"by": "1s"}}, ["matrix-late"], 1, times=1)
    claim(len(told) == 1 and time.monotonic() - start >= 0.9, "it comes later")
    return "is told a second later"


def reorder(source):
    texts = [f"matrix-order-{n}" for n in range(8)]
    told = [text for text, _ in delivered(source, {"reorder": {"within": "2s"}}, texts, 8)]
    claim(sorted(told) == texts and told != texts, f"all come, in another order: {told}")
    return "is told of all, in another order"


def hold(source):
    texts = [f"matrix-held-{n}" for n in range(3)]
    with armed(source, {"hold": {"every": "2s"}}, deliver=source.kind):
        for text in texts:
            source.cause(text)
        claim_equal(source.told(), [], "nothing comes for a while")
        told = eventually(lambda: len(source.told()) == 3 and source.told(), "then all")
    source.skip = len(source.app.received)
    claim_equal(sorted(text for text, _ in told), texts, "each of them once")
    return "is told nothing for a while, then of all"


def drop(source):
    with armed(source, {"drop": {}}, deliver=source.kind, times=1) as rule:
        source.cause("matrix-dropped")
        # Under a clock that runs, deliveries go out side by side: the next could be struck instead.
        eventually(lambda: Fault(rule.name).fired() == 1, "the rule strikes")
        source.cause("matrix-kept")
        told = eventually(source.told, "the next one comes")
    source.skip = len(source.app.received)
    claim_equal([text for text, _ in told], ["matrix-kept"], "one never comes")
    return "is never told"


def bad_signature(source):
    with armed(source, {"bad_signature": {}}, deliver=source.kind, times=1):
        source.cause("matrix-forged")
        eventually(source.told, "it comes")
        claim(not source.is_genuine(), "it is not genuine")
    source.skip = len(source.app.received)
    source.cause("matrix-genuine")
    eventually(source.told, "another comes")
    claim(source.is_genuine(), "which is")
    source.skip = len(source.app.received)
    return source.forged


DELIVERIES = {
    "duplicate": duplicate,
    "delay": delay,
    "reorder": reorder,
    "hold": hold,
    "drop": drop,
    "bad_signature": bad_signature,
}


def fill(column, cells):
    """Prints this process's cells of a column; gives the names of those that did not come about."""
    failed = []
    for effect, cell in ((name, cells[name]) for name in own_part(cells)):
        try:
            sees = cell(column)
        except Exception:
            failed.append(f"{effect} of {column.twin}")
            print(f"--- {failed[-1]}\n{traceback.format_exc()}", file=sys.stderr)
            continue
        if sees is not None:
            row = {"effect": effect, "twin": column.twin, "library": column.library, "sees": sees}
            print("cell " + json.dumps(row), flush=True)
    return failed


def whole(source):
    """All cells of deliveries of a twin."""
    with source() as connected:
        return fill(connected, DELIVERIES)


def each_effect_is_seen_by_each_library():
    columns = [Slack, Okta, Jira, Drive, Sheets, Docs]
    with ThreadPoolExecutor() as pool:
        columns = list(pool.map(lambda make: fill(make(), CALLS), columns))
        # Not before: rules on calls would strike the calls that cause deliveries.
        sources = pool.map(whole, [SlackEvents, OktaHooks])
        failed = [name for names in [*columns, *sources] for name in names]
    claim_equal(failed, [], "all cells come about")


run(each_effect_is_seen_by_each_library)
