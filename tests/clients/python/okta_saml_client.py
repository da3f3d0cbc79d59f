"""python3-saml, unmodified, as the service provider of a SAML app in Okta's twin.

It checks signatures with libxmlsec1, and answers against the schemas of SAML 2.0.
"""

import base64
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock

from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.constants import OneLogin_Saml2_Constants
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.logout_response import OneLogin_Saml2_Logout_Response
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from claims import claim, claim_equal, run
from dtu_control import _call, act

ORG = os.environ["OKTA_CLIENT_ORGURL"].rstrip("/")
SP = "https://sp.acme.example"
ACS = f"{SP}/acs"
LENA = "lena.fischer@acme.example"
# The service provider's key, which programs under test have, and its certificate.
KEY = (Path(__file__).parents[3] / "fixtures" / "keys" / "okta-client.pem").read_text()
CERTIFICATE = "".join(
    (
        "MIIDDTCCAfWgAwIBAgIUQGFAxZvHx6vzd70mTkTSkmHycpUwDQYJKoZIhvcNAQELBQAwFTETMBEGA1UEAwwKc3AuZXhhbXBsZTAg",
        "Fw0yNjExMjExNTM3NDBaGA8yMTI2MTAyODE1Mzc0MFowFTETMBEGA1UEAwwKc3AuZXhhbXBsZTCCASIwDQYJKoZIhvcNAQEBBQAD",
        "ggEPADCCAQoCggEBALITkuXALUgP60gt72C69aAN8AD6u4h/Kc9KbYWBNmfD3DxZPNVCAhwe+cHYBAHWJ6gy1uTSds/eJKCKmd57",
        "fULGKgzoEN9MMsjk91iJskwW2fmdvZcjLWVARcSJ9mJAaF2mg/0WhvMdpXUl8t2XIePUsUpV5rWdFBWiDCAIu1IDHBqxI7dtrNgH",
        "z1uFMMxuvak8bdNPY0eDGwf1ruw1D5npQk0ucDfQCbmc6wpQN3kCwEXehR6LYhErMCV3faw31Yi4XJWMIpKmZ87r+asagmrmZSsw",
        "eOulJrsWvFrvViNu2+c4OAr5Tx28vyHjqz1P6cL5n1CihTCsklC5qrfOVvsCAwEAAaNTMFEwHQYDVR0OBBYEFGSwa9339XiW9g4T",
        "uhZU6D1a4iD7MB8GA1UdIwQYMBaAFGSwa9339XiW9g4TuhZU6D1a4iD7MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQAD",
        "ggEBAGXRomSxSwxlx28v3o/bIQi4Fw7IVrBoZ78XF2cHfAAnynOt6T6X8I501e269iq5o1T5gmMg0e3pECk2a6YK7fKDm7WP8n2X",
        "I5iT2J9bqd0uQsRyXPSg7wBsUOAW+Sgeg4jnaJYkinsoepAAXvu+8tyqVUUjL4BezhEeDl9wUqiCT5o31Qod0yVRsrzQWK0Ibb/Q",
        "SeD7x4DVGrVyxqMNldCbkHvvgsyXy3UKaK51n3zTBStGgOCAFxkG3aFSbRgptbkWVXmOcYLZmLVmdznzAwTe7N5Bv/n1hM51VvaX",
        "CoteKoyL/Nln+zsWEQZzI/iMhZ06n4YuN70BWiW/2kCZ1fQ=",
    )
)
BEARER = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
BASIC = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    """As much of a browser as sign-in needs: cookies, forms, and no redirects on its own."""

    def __init__(self):
        self.cookies = {}
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())

    def go(self, url, form=None):
        """The status, address of a redirect, and text of a page."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        request = urllib.request.Request(url, data=data, headers={"Cookie": cookie} if cookie else {})
        try:
            answer = self.opener.open(request, timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            for line in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = line.split(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, answer.headers.get("Location"), answer.read().decode()


class _Form(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.action, self.fields = None, {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.action = attributes["action"]
        if tag == "input":
            self.fields[attributes["name"]] = attributes.get("value") or ""


def api(method, path, body=None, accept="application/json"):
    """A call of Okta's API by the administrator."""
    request = urllib.request.Request(
        path if path.startswith("http") else ORG + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"SSWS {os.environ['OKTA_CLIENT_TOKEN']}",
            "Accept": accept,
            "Content-Type": "application/json",
        },
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error
    return json.loads(text) if accept == "application/json" and text else text


def sign_on(**changes):
    """The settings of a SAML app."""
    statements = [
        {"type": "EXPRESSION", "name": "mail", "namespace": BASIC, "values": ["user.email"]},
        {"type": "EXPRESSION", "name": "called", "namespace": BASIC, "values": ["user.firstName + ' & co'"]},
        {"type": "EXPRESSION", "name": "roles", "namespace": BASIC, "values": ["reader", "writer"]},
        {"type": "GROUP", "name": "groups", "namespace": BASIC, "filterType": "REGEX", "filterValue": "Every.*"},
    ]
    return {
        "ssoAcsUrl": ACS,
        "audience": SP,
        "recipient": ACS,
        "destination": ACS,
        "subjectNameIdTemplate": "${user.userName}",
        "subjectNameIdFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
        "responseSigned": True,
        "assertionSigned": True,
        "signatureAlgorithm": "RSA_SHA256",
        "digestAlgorithm": "SHA256",
        "honorForceAuthn": True,
        "requestCompressed": False,
        "allowMultipleAcsEndpoints": False,
        "authnContextClassRef": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        "attributeStatements": statements,
        "defaultRelayState": "/home",
        **changes,
    }


def new_app(label, people=(LENA,), **changes):
    """A SAML app of the org's own, with its people."""
    body = {"label": label, "signOnMode": "SAML_2_0", "settings": {"signOn": sign_on(**changes)}}
    app = api("POST", "/api/v1/apps", body)
    for person in people:
        user = api("GET", f"/api/v1/users/{person}")
        api("POST", f"/api/v1/apps/{app['id']}/users", {"id": user["id"]})
    return app


def provider(app, kid=None, entity=SP, **security):
    """python3-saml's settings: what the app's metadata says, and what the service provider says of itself."""
    link = app["_links"]["metadata"]["href"] + (f"?kid={kid}" if kid else "")
    learned = OneLogin_Saml2_IdPMetadataParser.parse(api("GET", link, accept="application/xml"))
    wanted = {"wantMessagesSigned": True, "wantAssertionsSigned": True, "wantNameId": True, **security}
    own = {
        "strict": True,
        "sp": {"entityId": entity, "assertionConsumerService": {"url": ACS, "binding": BEARER}},
        "security": {"requestedAuthnContext": False, "rejectDeprecatedAlgorithm": True, **wanted},
    }
    return OneLogin_Saml2_IdPMetadataParser.merge_settings(own, learned)


def auth(settings, fields=None):
    """python3-saml at its address, with what was posted there."""
    url = urllib.parse.urlsplit(ACS)
    request = {"https": "on", "http_host": url.netloc, "script_name": url.path, "get_data": {}}
    return OneLogin_Saml2_Auth({**request, "post_data": fields or {}}, settings)


def session_token(who="lena"):
    """A one-time token of somebody who has signed in."""
    return act(who, "okta.user.sign_in")["sessionToken"]


def signed_in(browser, url, who="lena"):
    """The form with which Okta answers a sign-in at an address."""
    status, _, page = browser.go(f"{url}{'&' if '?' in url else '?'}sessionToken={session_token(who)}")
    claim_equal(status, 200, "who signs in gets a page")
    return _Form(page)


def accepted(settings, form, request_id=None):
    """What python3-saml takes from an answer; it must accept it."""
    sp = auth(settings, form.fields)
    sp.process_response(request_id=request_id)
    claim_equal((sp.get_errors(), sp.get_last_error_reason()), ([], None), "the answer is accepted")
    claim(sp.is_authenticated(), "the person is signed in")
    return sp


def refused(settings, form, why, request_id=None):
    """Says that python3-saml does not accept an answer, and why."""
    sp = auth(settings, form.fields)
    sp.process_response(request_id=request_id)
    claim(sp.get_errors() and not sp.is_authenticated(), f"the answer is not accepted: {why}")
    claim(why in sp.get_last_error_reason(), f"because of {why!r}: {sp.get_last_error_reason()}")


def sign_in_by_the_app():
    settings = provider(new_app("By the app"))
    sp = auth(settings)
    browser = Browser()
    form = signed_in(browser, sp.login(return_to="/start"))
    claim_equal((form.action, form.fields["RelayState"]), (ACS, "/start"), "the answer goes to the app")
    done = accepted(settings, form, sp.get_last_request_id())
    claim_equal(done.get_nameid(), LENA, "the person is named")
    claim(done.get_nameid_format().endswith(":emailAddress"), "in the format that the app wants")
    told = done.get_attributes()
    claim_equal(told["mail"], [LENA], "attributes are told")
    claim_equal(told["called"], ["Lena & co"], "expressions are evaluated, and their values escaped")
    claim_equal(told["roles"], ["reader", "writer"], "texts stand for themselves")
    claim_equal(told["groups"], ["Everyone"], "groups are filtered")
    claim(done.get_session_index(), "the session has an index")
    refused(settings, form, "InResponseTo", "another-request")
    # The session is there: the next time nobody is asked.
    again = auth(settings)
    status, _, page = browser.go(again.login())
    claim_equal(status, 200, "who has a session is not asked again")
    accepted(settings, _Form(page), again.get_last_request_id())


def sign_in_by_the_tile():
    app = new_app("By the tile")
    settings = provider(app)
    tile = app["_links"]["appLinks"][0]["href"]
    form = signed_in(Browser(), tile)
    claim_equal(form.fields["RelayState"], "/home", "the app's own relay state goes with it")
    claim_equal(accepted(settings, form).get_nameid(), LENA, "a tile signs people in without a request")
    post = act("lena", "okta.user.sign_in_to_app", app="By the tile")
    claim_equal(post["post"], ACS, "without a browser too")
    form.fields = {"SAMLResponse": post["SAMLResponse"], "RelayState": post["RelayState"]}
    claim_equal(accepted(settings, form).get_nameid(), LENA, "with the same answer")


def be_asked_to_sign_in():
    settings = provider(new_app("Asks first"))
    browser, sp = Browser(), auth(settings)
    status, _, page = browser.go(sp.login(return_to="/deep"))
    form = _Form(page)
    claim_equal((status, form.action), (200, "/login/login.htm"), "without a session the person is asked to sign in")
    claim("okta_key=" in form.fields["fromURI"], "and goes on from there")
    browser.cookies["sid"] = session_of("lena")
    status, _, page = browser.go(ORG + form.fields["fromURI"])
    form = _Form(page)
    claim_equal(form.fields["RelayState"], "/deep", "with what the app wants back")
    accepted(settings, form, sp.get_last_request_id())
    # An app may want people signed in anew, and may want nobody asked.
    forced = auth(settings)
    status, _, page = browser.go(forced.login(force_authn=True))
    claim_equal(_Form(page).action, "/login/login.htm", "ForceAuthn asks who has a session as well")
    browser.cookies["sid"] = session_of("lena")
    _, _, page = browser.go(ORG + _Form(page).fields["fromURI"])
    accepted(settings, _Form(page), forced.get_last_request_id())
    passive = auth(settings)
    _, _, page = Browser().go(passive.login(is_passive=True))
    form = _Form(page)
    claim_equal(form.action, ACS, "IsPassive asks nobody")
    refused(settings, form, "NoPassive", passive.get_last_request_id())


def session_of(who):
    """The cookie of a session that somebody has begun elsewhere."""
    browser = Browser()
    browser.go(f"{ORG}/login/sessionCookieRedirect?token={session_token(who)}&redirectUrl=/")
    return browser.cookies["sid"]


def refuse_who_is_not_assigned():
    settings = provider(new_app("For nobody", people=()))
    status, _, page = Browser().go(f"{auth(settings).login()}&sessionToken={session_token()}")
    claim_equal(status, 403, "who has not the app is told so")
    claim("not assigned" in page and "SAMLResponse" not in page, "and gets no answer for it")


def sign_what_is_wanted():
    for response, assertion in ((True, True), (True, False), (False, True)):
        for algorithm, digest in (("RSA_SHA256", "SHA256"), ("RSA_SHA1", "SHA1")):
            changes = {"responseSigned": response, "assertionSigned": assertion}
            label = f"Signs {response} {assertion} {algorithm}"
            app = new_app(label, signatureAlgorithm=algorithm, digestAlgorithm=digest, **changes)
            wanted = {"wantMessagesSigned": response, "wantAssertionsSigned": assertion}
            settings = provider(app, rejectDeprecatedAlgorithm=algorithm == "RSA_SHA256", **wanted)
            sp = auth(settings)
            form = signed_in(Browser(), sp.login())
            accepted(settings, form, sp.get_last_request_id())
            xml = base64.b64decode(form.fields["SAMLResponse"]).decode()
            claim_equal(xml.count("<ds:Signature "), response + assertion, "what is wanted is signed, and nothing else")
    unsigned = provider(new_app("Signs nothing", responseSigned=False, assertionSigned=False))
    refused(unsigned, signed_in(Browser(), auth(unsigned).login()), "not signed")


def reject_what_was_tampered_with():
    app = new_app("Tampered")
    settings = provider(app)
    form = signed_in(Browser(), auth(settings).login())
    xml = base64.b64decode(form.fields["SAMLResponse"]).decode()
    for old, new in ((LENA, "grace.lindqvist@acme.example"), (">Everyone<", ">Admins<"), ("writer", "owner")):
        claim(old in xml, f"the answer tells {old}")
        form.fields["SAMLResponse"] = base64.b64encode(xml.replace(old, new).encode()).decode()
        refused(settings, form, "Signature validation failed")
    form.fields["SAMLResponse"] = base64.b64encode(xml.encode()).decode()
    accepted(settings, form)
    other = provider(new_app("Another"))
    other["idp"]["entityId"] = settings["idp"]["entityId"]
    if other["idp"]["x509cert"] != settings["idp"]["x509cert"]:
        refused(other, form, "Signature validation failed")
    refused(provider(app, entity="https://other.acme.example"), form, "not a valid audience")


def expire_by_the_clock():
    settings = provider(new_app("Expires"))
    form = signed_in(Browser(), auth(settings).login())

    def shown():
        return int(datetime.fromisoformat(_call("GET", "/clock")["now"].replace("Z", "+00:00")).timestamp())

    # The service provider's clock is the universe's.
    with mock.patch.object(OneLogin_Saml2_Utils, "now", shown):
        accepted(settings, form)
        _call("POST", "/clock/advance", {"by": "4m"})
        accepted(settings, form)
        _call("POST", "/clock/advance", {"by": "6m"})
        refused(settings, form, "imestamp")
        accepted(settings, signed_in(Browser(), auth(settings).login()))


def rotate_the_key():
    app = new_app("Rotates")
    before = provider(app)
    key = api("POST", f"/api/v1/apps/{app['id']}/credentials/keys/generate?validityYears=2")
    claim(key["kid"] != app["credentials"]["signing"]["kid"], "there is a new key")
    accepted(before, signed_in(Browser(), auth(before).login()))
    app["credentials"]["signing"]["kid"] = key["kid"]
    api("PUT", f"/api/v1/apps/{app['id']}", app)
    form = signed_in(Browser(), auth(before).login())
    refused(before, form, "Signature validation failed")
    accepted(provider(app), form)
    accepted(provider(app, kid=key["kid"]), form)


def signed_inside(xml):
    """A message with the service provider's signature inside."""
    algorithms = (OneLogin_Saml2_Constants.RSA_SHA256, OneLogin_Saml2_Constants.SHA256)
    certificate = OneLogin_Saml2_Utils.format_cert(CERTIFICATE)
    signed = OneLogin_Saml2_Utils.add_sign(xml, KEY, certificate, False, *algorithms)
    return signed if isinstance(signed, bytes) else signed.encode()


def with_key(settings):
    """The same with the service provider's key, which signs and decrypts."""
    settings["sp"] = {**settings["sp"], "x509cert": CERTIFICATE, "privateKey": KEY}
    return settings


def read_what_only_the_app_can():
    ciphers = ("AES128_CBC", "AES256_CBC", "AES256_GCM")
    for cipher, transport in ((cipher, way) for cipher in ciphers for way in ("RSA_OAEP", "RSA_15")):
        sealed = {
            "enabled": True,
            "encryptionAlgorithm": cipher,
            "keyTransportAlgorithm": transport,
            "x5c": [CERTIFICATE],
        }
        settings = with_key(provider(new_app(f"Sealed {cipher} {transport}", assertionEncryption=sealed)))
        settings["security"]["wantAssertionsEncrypted"] = True
        sp = auth(settings)
        form = signed_in(Browser(), sp.login())
        xml = base64.b64decode(form.fields["SAMLResponse"]).decode()
        claim(LENA not in xml and "EncryptedAssertion" in xml, "nobody else can read the answer")
        done = accepted(settings, form, sp.get_last_request_id())
        claim_equal(done.get_nameid(), LENA, f"the app can: {cipher}, {transport}")
        claim_equal(done.get_attributes()["mail"], [LENA], "all of it")


def sign_what_is_asked():
    app = new_app("Signs requests", samlSignedRequestEnabled=True, spCertificate={"x5c": [CERTIFICATE]})
    settings = with_key(provider(app))
    claim(settings["security"].get("authnRequestsSigned"), "the app's metadata want signed requests")
    sp = auth(settings)
    browser = Browser()
    form = signed_in(browser, sp.login(return_to="/start"))
    accepted(settings, form, sp.get_last_request_id())
    plain = {**settings, "security": {**settings["security"], "authnRequestsSigned": False}}
    status, _, page = Browser().go(auth(plain).login())
    claim_equal((status, "not signed" in page), (400, True), "a request without a signature is refused")
    # The same in a form, with the signature inside.
    unsigned = auth(plain)
    unsigned.login()
    address = settings["idp"]["singleSignOnService"]["url"]
    signed = signed_inside(unsigned.get_last_request_xml())

    def post(xml):
        fields = {"SAMLRequest": base64.b64encode(xml).decode(), "sessionToken": session_token()}
        return Browser().go(address, fields)

    status, _, page = post(signed)
    claim_equal(status, 200, f"a signed request is taken: {page}")
    accepted(settings, _Form(page), unsigned.get_last_request_id())
    status, _, page = post(signed.replace(b"IsPassive", b"isPassive").replace(b"ProtocolBinding", b"protocolBinding", 1))
    claim_equal((status, "invalid" in page), (400, True), "a changed one is not")


def sign_out():
    bye = f"{SP}/bye"
    slo = {"enabled": True, "issuer": SP, "logoutUrl": bye}
    app = new_app("Signs out", slo=slo, spCertificate={"x5c": [CERTIFICATE]})
    settings = with_key(provider(app))
    settings["sp"]["singleLogoutService"] = {"url": bye}
    settings["security"]["logoutRequestSigned"] = True
    for posted in (False, True):
        browser = Browser()
        sp = auth(settings)
        form = signed_in(browser, sp.login())
        done = accepted(settings, form, sp.get_last_request_id())
        claim(browser.cookies["sid"], "there is a session")
        address = sp.logout(name_id=done.get_nameid(), session_index=done.get_session_index())
        if posted:
            fields = {"SAMLRequest": base64.b64encode(signed_inside(sp.get_last_request_xml())).decode()}
            status, _, page = browser.go(settings["idp"]["singleLogoutService"]["url"], fields)
        else:
            status, _, page = browser.go(address)
        form = _Form(page)
        claim_equal((status, form.action), (200, bye), f"Okta answers by a form: {page}")
        xml = base64.b64decode(form.fields["SAMLResponse"]).decode()
        certificate = settings["idp"]["x509cert"]
        place = "/samlp:LogoutResponse/ds:Signature"
        claim(OneLogin_Saml2_Utils.validate_sign(xml, cert=certificate, xpath=place), "the answer is signed")
        # It knows signatures beside messages only: the one inside is checked above.
        loose = {**settings, "security": {**settings["security"], "wantMessagesSigned": False}}
        response = OneLogin_Saml2_Logout_Response(auth(loose).get_settings(), form.fields["SAMLResponse"])
        url = urllib.parse.urlsplit(bye)
        data = {"https": "on", "http_host": url.netloc, "script_name": url.path, "get_data": {}}
        claim(response.is_valid(data, sp.get_last_request_id()), f"and is one: {response.get_error()}")
        claim("Success" in response.get_status(), "the person is signed out")
        claim(not browser.cookies["sid"].strip('"'), "the session is over")


run(
    read_what_only_the_app_can,
    sign_what_is_asked,
    sign_out,
    sign_in_by_the_app,
    sign_in_by_the_tile,
    be_asked_to_sign_in,
    refuse_who_is_not_assigned,
    sign_what_is_wanted,
    reject_what_was_tampered_with,
    rotate_the_key,
    # Last, since it moves the clock away from python3-saml's own.
    expire_by_the_clock,
)
