"""The control plane of the universe under test: faults, what people do, and what became of it."""

import contextlib
import itertools
import json
import os
import urllib.error
import urllib.request

_BASE = f"{os.environ['DTU_CONTROL_URL']}/v1/universes/{os.environ['DTU_UNIVERSE']}"
_numbers = itertools.count(1)
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _call(method, path, body=None):
    request = urllib.request.Request(
        _BASE + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {os.environ['DTU_CONTROL_TOKEN']}", "Content-Type": "application/json"},
    )
    try:
        with _OPENER.open(request, timeout=10) as response:
            text = response.read()
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from error
    return json.loads(text) if text else None


def act(who, verb, **arguments):
    """A person does something; returns what they see of it."""
    return _call("POST", "/affordances", {"as": who, "do": verb, "with": arguments})["result"]


def state(twin, view):
    """A part of a twin's state."""
    return _call("GET", f"/state/{twin}/{view}")


def advance(by):
    """Lets the universe's time go on (`2s`, `3h`), with what is due by then."""
    _call("POST", "/clock/advance", {"by": by})


def ledger():
    """All that has happened, as the ledger tells it."""
    entries, following = [], 0
    while page := _call("GET", f"/ledger?from={following}&limit=500")["entries"]:
        entries += page
        following = page[-1]["seq"] + 1
    return entries


class Fault:
    """An armed fault rule."""

    def __init__(self, rule):
        self.rule = rule

    def fired(self):
        """How often it struck."""
        return next(row["fired"] for row in _call("GET", "/faults") if row["rule"]["id"] == self.rule)


@contextlib.contextmanager
def fault(effect, times=1, **on):
    """Arms a fault for the length of a block; it strikes once, unless more is said."""
    rule = f"client-{next(_numbers)}"
    _call("POST", "/faults", {"rules": [{"id": rule, "on": on, "do": effect, "times": times}]})
    try:
        yield Fault(rule)
    finally:
        _call("DELETE", f"/faults/{rule}")


def is_struck(twin):
    """Whether a rule for this twin is armed."""
    return any(row["rule"]["on"].get("twin") == twin for row in _call("GET", "/faults"))


def arm(rule):
    """Arms a rule until it is disarmed."""
    _call("POST", "/faults", {"rules": [rule]})


def disarm(rule):
    """Disarms a rule; returns how often it struck."""
    fired = Fault(rule).fired()
    _call("DELETE", f"/faults/{rule}")
    return fired
