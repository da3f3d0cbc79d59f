"""What the scripts of okta, the Python SDK, share: clients, and what becomes of calls.

The SDK takes a plain http address only where OKTA_TESTING_TESTINGDISABLEHTTPSCHECK is set.
"""

import logging
import os

os.environ["OKTA_TESTING_TESTINGDISABLEHTTPSCHECK"] = "true"

from okta import models
from okta.client import Client
from okta.pagination import PaginationHelper

from claims import claim, claim_equal

# The SDK logs each refused call; here they are wanted.
logging.getLogger("okta-sdk-python").setLevel(logging.CRITICAL)


def client(**config):
    """A client that is configured by the environment, as OKTA_CLIENT_ORGURL and OKTA_CLIENT_TOKEN say."""
    return Client(config)


async def good(call):
    """What a call gives; it must not fail."""
    result = await call
    if result[-1]:
        raise AssertionError(f"the call works: {result[-1]}")
    return result[0]


async def failure(call):
    """Why a call fails; it must. Calls that give nothing leave the data out of what they return."""
    error = (await call)[-1]
    claim(error is not None, "the call fails")
    return error


async def claim_refused(status, code, call):
    """Says that a call is refused with a status and a code, in Okta's envelope."""
    error = await failure(call)
    claim_equal((error.status, error.error_code), (status, code), f"the refusal is {code}")
    claim_equal(error.error_link, code, "the link is the code")
    claim(error.error_id.startswith("oae") and error.error_summary, "the error has an id and a summary")
    return error


async def every(call, **arguments):
    """All pages of a list, by the cursor of the `link` header, as the SDK reads it."""
    pages, after = [], None
    while True:
        page, response, error = await call(**arguments, **({"after": after} if after else {}))
        if error:
            raise AssertionError(f"the list works: {error}")
        pages.append(page)
        after = PaginationHelper.extract_next_cursor(response.headers)
        if after is None:
            return pages


def profile(first, last, **more):
    """A made-up person's profile."""
    email = f"{first}.{last}@acme.example".lower()
    return models.UserProfile(first_name=first, last_name=last, email=email, login=email, **more)


def new_user(first, last, password=None, **more):
    """A made-up person."""
    credentials = password and models.UserCredentialsWritable(password=models.PasswordCredential(value=password))
    return models.CreateUserRequest(profile=profile(first, last, **more), credentials=credentials or None)


def new_group(name, description=None):
    """A group to add."""
    return models.AddGroupRequest(profile=models.OktaUserGroupProfile(name=name, description=description))


def made(model, **members):
    """A model from what it holds, named as the API names it."""
    return model.from_dict(members)
