"""What a script says about a twin, counted: `claim` stops a section, `run` runs all of them."""

import asyncio
import os
import sys
import time
import traceback

_held = 0


def claim(truth, message):
    """Says that something is so."""
    global _held
    if not truth:
        raise AssertionError(message)
    _held += 1


def claim_equal(got, wanted, message):
    """Says that two values are the same."""
    claim(got == wanted, f"{message}: got {got!r}, wanted {wanted!r}")


def eventually(look, message, seconds=10):
    """Waits until `look` returns something, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            claim(True, message)
            return found
        time.sleep(0.02)
    raise AssertionError(f"{message}: not within {seconds} s")


def own_part(names):
    """Those of some names that this process sees to: several may share them, each with a universe of its own."""
    part, _, parts = (os.environ.get("DTU_PART") or "0/1").partition("/")
    return [name for at, name in enumerate(names) if at % int(parts) == int(part)]


def run(*sections):
    """Runs the sections, each apart from the others, and ends the program."""
    failed = []
    for section in sections:
        try:
            if asyncio.iscoroutinefunction(section):
                asyncio.run(section())
            else:
                section()
        except Exception:
            failed.append(section.__name__)
            print(f"--- {section.__name__}", file=sys.stderr)
            traceback.print_exc()
    if failed:
        sys.exit(f"{len(failed)} of {len(sections)} sections failed: {', '.join(failed)}")
    print(f"{_held} claims held")
