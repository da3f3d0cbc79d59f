"""An app that takes orders for supper, and the people who use it: what the whole-app scripts of all libraries share.

`/supper` opens a modal; what is submitted is posted with a button; the button replaces the message, replies in a
thread, shares a file there, and has a message posted later.
"""

import time

from claims import claim, claim_equal, eventually
from dtu_control import act, state

APP, INSTALLER, EATER = "dtu-tester", "dana", "lena"
CHANNEL = "general"
BAD_DISH = "stone"
RECEIPT = b"one supper\n"


def plain(text):
    return {"type": "plain_text", "text": text}


def order_view(channel):
    """The modal, which remembers where it was asked for."""
    return {
        "type": "modal",
        "callback_id": "order",
        "private_metadata": channel,
        "title": plain("Supper"),
        "submit": plain("Order"),
        "blocks": [
            {
                "type": "input",
                "block_id": "dish",
                "label": plain("Dish"),
                "element": {"type": "plain_text_input", "action_id": "name"},
            }
        ],
    }


def dish_of(view):
    return view["state"]["values"]["dish"]["name"]["value"]


def errors_of(dish):
    """What is wrong with an order."""
    return {"dish": "not to be eaten"} if dish == BAD_DISH else None


def question(dish):
    """The message with a button."""
    button = {"type": "button", "action_id": "cook", "style": "primary", "value": dish, "text": plain(f"Cook {dish}")}
    section = {"type": "section", "block_id": "ask", "text": {"type": "mrkdwn", "text": f"*{dish}* for supper?"}}
    return {"text": f"{dish} for supper?", "blocks": [section, {"type": "actions", "elements": [button]}]}


def soon():
    """When the last message is to be posted."""
    return int(time.time()) + 3


def can(verb, **arguments):
    """Whether a person can do something, which is done then."""
    try:
        return act(EATER, verb, **arguments) is not None
    except RuntimeError:
        return False


def said(text):
    """The messages of that text."""
    return [row for row in state("slack", "messages") if row["text"] == text]


def eat(dish):
    """A person orders a dish, at first wrongly, and has it cooked; all that the app does is seen."""
    act(EATER, "slack.user.slash", channel=CHANNEL, command="/supper", text=dish)
    eventually(lambda: can("slack.user.use", label="Dish", value=BAD_DISH), "a modal opens")
    act(EATER, "slack.user.submit")
    eventually(lambda: any(row["errors"] for row in windows()), "a wrong order leaves it open, and says what is wrong")
    claim(can("slack.user.use", label="Dish", value=dish), "to be set right")
    act(EATER, "slack.user.submit")
    eventually(lambda: said(f"{dish} for supper?"), "the order is posted")
    eventually(lambda: not windows(), "the modal is closed")
    act(EATER, "slack.user.click", channel=CHANNEL, label=f"Cook {dish}")
    [cooking] = eventually(lambda: said(f"{dish} is being cooked"), "the message is replaced")
    claim(not said(f"{dish} for supper?"), "by the new one")
    [reply] = eventually(lambda: said(f"Who wants {dish}?"), "the app replies")
    claim_equal(reply["thread_ts"], cooking["ts"], "in the message's thread")
    eventually(lambda: receipts(dish), "a file is shared", 20)
    eventually(lambda: said(f"{dish} is ready"), "a message comes later", 20)


def windows():
    return [row for row in state("slack", "windows") if row["kind"] == "modal"]


def receipts(dish):
    """The files of a supper that are shown where it was ordered, whole."""
    shown = (row for row in state("slack", "files") if row["title"] == f"Receipt for {dish}")
    return [row for row in shown if CHANNEL in row["channels"] and row["text"] == RECEIPT.decode()]
