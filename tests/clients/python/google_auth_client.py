"""google-auth, unmodified, against Google's identity twin: service accounts, delegation, refresh tokens."""

import json
import os
from datetime import datetime, timedelta, timezone

import google.auth
from google.auth import exceptions
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2 import credentials, service_account

from claims import claim, claim_equal, run
from dtu_control import act, fault, state

with open(os.environ["GOOGLE_APPLICATION_CREDENTIALS"], encoding="utf-8") as file:
    KEY = json.load(file)
ORIGIN = KEY["token_uri"].removesuffix("/token")
DRIVE = "https://www.googleapis.com/auth/drive"
EMAIL = "https://www.googleapis.com/auth/userinfo.email"
LENA = "lena.fischer@acme.example"
OMAR = "omar.haddad@acme.example"


def service(scopes=(DRIVE,), **changes):
    """Credentials of the key file, with changes to it."""
    return service_account.Credentials.from_service_account_info({**KEY, **changes}, scopes=list(scopes))


def fresh(of):
    """The credentials with an access token."""
    of.refresh(Request())
    return of


def failure(call):
    """Why a token is not given; it must not be."""
    try:
        call()
    except exceptions.RefreshError as error:
        return error
    raise AssertionError("the token is refused")


def claim_refused(code, description, of):
    """Says that credentials get no token, and why the library says that it is so."""
    error = failure(lambda: fresh(of))
    claim_equal(error.args[0], f"{code}: {description}", "the library's words")
    claim_equal(error.args[1], {"error": code, "error_description": description}, "the endpoint's words")
    return error


def look(token):
    """What the endpoint says of an access token: status and body."""
    session = AuthorizedSession(credentials.Credentials(token))
    answer = session.get(f"{ORIGIN}/tokeninfo", params={"access_token": token})
    return answer.status_code, answer.json()


def be_a_service_account():
    found, project = google.auth.default(scopes=[DRIVE])
    claim_equal((type(found), project), (service_account.Credentials, KEY["project_id"]), "the key file is found")
    claim(not found.valid, "no token is there before one is asked for")
    fresh(found)
    claim(found.valid and found.token.startswith("ya29."), "a signed assertion gets an access token")
    left = found.expiry.replace(tzinfo=timezone.utc) - datetime.now(timezone.utc)
    claim(timedelta(minutes=59) < left <= timedelta(minutes=60), f"which lives for an hour: {left}")
    status, info = look(found.token)
    claim_equal((status, info["scope"], info["azp"]), (200, DRIVE, KEY["client_id"]), "the endpoint knows it")
    first = found.token
    claim(fresh(found).token != first, "each assertion gets a token of its own")


def act_for_people():
    fresh_lena = fresh(service([EMAIL, DRIVE]).with_subject(LENA))
    session = AuthorizedSession(fresh_lena)
    who = session.get(f"{ORIGIN}/v1/userinfo").json()
    claim_equal((who["email"], who["hd"]), (LENA, "acme.example"), "the token speaks for the person")
    kept = [row for row in state("google-identity", "tokens") if row["holder"] == LENA]
    claim_equal(kept[0]["scopes"], [EMAIL, DRIVE], "with the scopes asked for")
    claim_refused("invalid_grant", "Not a valid email or user ID.", service().with_subject("ghost@acme.example"))
    claim_refused("invalid_request", "Invalid impersonation prn email address.", service().with_subject("lena"))
    gone = service().with_subject("beatriz.alonso@acme.example")
    claim_refused("invalid_grant", "Invalid email or User ID", gone)


def be_refused():
    issuer = "Invalid JWT: No valid verifier found for issuer"
    claim_refused("invalid_grant", issuer, service(client_email="nobody@x.example"))
    claim_refused("invalid_grant", "Invalid JWT Signature.", service(private_key_id="0" * 40))
    scope = "Invalid OAuth scope or ID token audience provided."
    for scopes in ([], ["drive"], [f"{DRIVE},{EMAIL}"]):
        claim_refused("invalid_scope", scope, service(scopes))
    error = claim_refused("invalid_scope", scope, service(["drive"]))
    claim(not error.retryable, "it makes no sense to try again")


def get_id_tokens():
    audience = "https://app.example"
    found = service_account.IDTokenCredentials.from_service_account_info(KEY, target_audience=audience)
    fresh(found)
    session = AuthorizedSession(fresh(service()))
    info = session.get(f"{ORIGIN}/tokeninfo", params={"id_token": found.token}).json()
    claim_equal((info["aud"], info["email"]), (audience, KEY["client_email"]), "an audience gets an ID token")
    claim_equal(info["iss"], "https://accounts.google.com", "signed by Google")


def person(**changes):
    """A person's credentials with a refresh token: those that acme's own client has of its administrator."""
    standing = os.environ["GOOGLE_ACCESS_TOKEN"]
    known = {
        "refresh_token": standing.replace("ya29.", "1//", 1),
        "token_uri": KEY["token_uri"],
        "client_id": look(standing)[1]["azp"],
        "client_secret": "GOCSPX-dtu-not-a-real-secret",
    }
    return credentials.Credentials(None, **{**known, **changes})


def refresh_for_a_person():
    found = fresh(person())
    claim(found.valid and found.refresh_token.startswith("1//"), "a refresh token gets access tokens, and stays")
    claim(DRIVE in look(found.token)[1]["scope"].split(), "with its scopes")
    narrow = fresh(person(scopes=[DRIVE]))
    claim_equal((look(narrow.token)[1]["scope"], narrow.granted_scopes), (DRIVE, [DRIVE]), "or fewer")
    claim_refused("invalid_client", "The OAuth client was not found.", person(client_id="x"))
    claim_refused("invalid_request", "Could not determine client ID from request.", person(client_id=""))
    claim_refused("invalid_client", "Unauthorized", person(client_secret="x"))
    claim_refused("invalid_grant", "Bad Request", person(refresh_token="1//x"))


def lose_a_token():
    omar = fresh(service([EMAIL]).with_subject(OMAR))
    session = AuthorizedSession(credentials.Credentials(omar.token))
    userinfo = f"{ORIGIN}/v1/userinfo"
    claim_equal(session.get(userinfo).status_code, 200, "a token is good")
    revoked = session.post(f"{ORIGIN}/revoke", params={"token": omar.token})
    claim_equal((revoked.status_code, revoked.json()), (200, {}), "it is revoked")
    claim_equal(look(omar.token), (400, {"error": "invalid_token", "error_description": "Invalid Value"}), "and gone")
    again = AuthorizedSession(omar)
    claim_equal(again.get(userinfo).status_code, 200, "the library gets another one when it is refused")
    act("dana", "google-identity.admin.suspend_user", user=OMAR)
    error = failure(lambda: again.get(userinfo))
    claim_equal(error.args[0], "invalid_grant: Invalid email or User ID", "but none for who is suspended")


def try_again():
    on = {"twin": "google-identity", "operation": "oauth2.token"}
    with fault({"error": {"status": 503}}, **on) as rule:
        claim(fresh(service()).token, "the library tries again after 503")
        claim_equal(rule.fired(), 1, "which struck")
    with fault({"error": {"code": "internal_failure"}}, **on) as rule:
        claim(fresh(service()).token, "and after an internal failure")
        claim_equal(rule.fired(), 1, "which struck as well")
    with fault({"error": {"status": 500}}, times=9, **on):
        error = failure(lambda: fresh(service()))
        claim(error.retryable, "in the end it says that one may try again")
    with fault({"revoked": {}}, **on):
        error = failure(lambda: fresh(service()))
        claim(error.args[0].startswith("invalid_grant: "), f"what is revoked is not tried again: {error}")


run(
    be_a_service_account,
    act_for_people,
    be_refused,
    get_id_tokens,
    refresh_for_a_person,
    lose_a_token,
    try_again,
)
