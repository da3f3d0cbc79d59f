"""What programs set up in an org, with the Python SDK: policies, authorization servers, networks, hooks, keys."""

import base64
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from Cryptodome.PublicKey import RSA
from okta.client import Client

from okta_sdk import claim_refused, client, good, made, models, new_group, new_user

from claims import claim, claim_equal

ORG = os.environ["OKTA_CLIENT_ORGURL"]
PASSWORD = "Not-a-real-passw0rd"
# The key with which service apps sign.
KEY = Path(__file__).parents[3] / "fixtures" / "keys" / "okta-client.pem"


async def set_policies():
    okta = client()
    group = await good(okta.add_group(new_group("careful-people")))
    strict = made(
        models.PasswordPolicy,
        type="PASSWORD",
        name="Careful",
        priority=1,
        conditions={"people": {"groups": {"include": [group.id]}}, "authProvider": {"provider": "OKTA"}},
        settings={"password": {"complexity": {"minLength": 20}}},
    )
    policy = await good(okta.create_policy(strict))
    claim_equal((type(policy), policy.settings.password.complexity.min_length), (models.PasswordPolicy, 20), "made")
    draft = {
        "type": "PASSWORD",
        "actions": {
            "passwordChange": {"access": "ALLOW"},
            "selfServicePasswordReset": {"access": "DENY"},
            "selfServiceUnlock": {"access": "DENY"},
        },
    }
    rules = [
        await good(okta.create_policy_rule(policy.id, made(models.PasswordPolicyRule, name=name, **draft)))
        for name in ("First", "Second")
    ]
    claim_equal([rule.priority for rule in rules], [1, 2], "rules come one after the other")
    claim(all(type(rule) is models.PasswordPolicyRule for rule in rules), "and are of their kind")
    up = made(models.PasswordPolicyRule, name="Second", priority=1, **draft)
    claim_equal((await good(okta.replace_policy_rule(policy.id, rules[1].id, up))).priority, 1, "a rule is moved up")
    listed = await good(okta.list_policy_rules(policy.id))
    claim_equal([(rule.name, rule.priority) for rule in listed], [("Second", 1), ("First", 2)], "others make way")
    wanda = await good(okta.create_user(new_user("Wanda", "Weak", password=PASSWORD)))
    await good(okta.assign_user_to_group(group.id, wanda.id))
    weak = made(models.UpdateUserRequest, credentials={"password": {"value": "Only-17-characters"}})
    refused = await claim_refused(400, "E0000001", okta.update_user(wanda.id, weak))
    causes = str(refused.error_causes)
    claim("at least 20 characters" in causes, f"the policy holds for its group: {causes}")
    found = await good(okta.list_policies(type="PASSWORD"))
    claim_equal([one.name for one in found][0], "Careful", "policies are listed by their priority")
    claim(all(type(one) is models.PasswordPolicy for one in found), "and are of their kind")

    people = {"groups": {"include": [group.id]}}
    gate = made(models.OktaSignOnPolicy, type="OKTA_SIGN_ON", name="Gate", conditions={"people": people})
    gate = await good(okta.create_policy(gate))
    closed = made(
        models.OktaSignOnPolicyRule,
        type="SIGN_ON",
        name="Closed",
        actions={"signon": {"access": "DENY", "requireFactor": False}},
        conditions={"network": {"connection": "ANYWHERE"}},
    )
    closed = await good(okta.create_policy_rule(gate.id, closed))
    kind = (type(closed), closed.actions.signon.access)
    claim_equal(kind, (models.OktaSignOnPolicyRule, "DENY"), "a rule of sign-on")
    await good(okta.deactivate_policy_rule(gate.id, closed.id))
    claim_equal((await good(okta.get_policy_rule(gate.id, closed.id))).status.value, "INACTIVE", "it is switched off")
    for one in (gate, policy):
        await good(okta.deactivate_policy(one.id))
        await good(okta.delete_policy(one.id))
        await claim_refused(404, "E0000007", okta.get_policy(one.id))
    for kind, model in (("OKTA_SIGN_ON", models.OktaSignOnPolicy), ("ACCESS_POLICY", models.AccessPolicy)):
        found = await good(okta.list_policies(type=kind))
        claim(found and all(type(one) is model for one in found), f"policies of {kind} are of their kind")


def service_app(label, **more):
    """A service app."""
    own = {"application_type": "service", "grant_types": ["client_credentials"], "response_types": ["token"], **more}
    return made(
        models.OpenIdConnectApplication,
        name="oidc_client",
        label=label,
        signOnMode="OPENID_CONNECT",
        credentials={"oauthClient": {"token_endpoint_auth_method": "client_secret_basic"}},
        settings={"oauthClient": own},
    )


def token_of(server, client_id, secret, **form):
    """What the token endpoint of a server answers."""
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    request = urllib.request.Request(
        f"{ORG}/oauth2/{server}/v1/token",
        data=urllib.parse.urlencode({"grant_type": "client_credentials", **form}).encode(),
        headers={"Authorization": f"Basic {basic}", "Accept": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def part_of(token, number):
    text = token.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def head_of(token):
    """How a token is signed."""
    return part_of(token, 0)


def claims_of(token):
    """What a token says."""
    return part_of(token, 1)


async def mint_tokens_by_a_server_of_ones_own():
    okta = client()
    app = await good(okta.create_application(service_app("Orders worker")))
    claim_equal(type(app), models.OpenIdConnectApplication, "an app is of its kind")
    own = app.credentials.oauth_client
    draft = models.AuthorizationServer(name="Orders", description="Orders' API", audiences=["api://orders"])
    server = await good(okta.create_authorization_server(draft))
    claim(server.issuer.endswith(f"/oauth2/{server.id}"), "a server is made")
    scope = models.OAuth2Scope(name="orders.read", description="Reads orders")
    scope = await good(okta.create_o_auth2_scope(server.id, scope))
    claim_equal((scope.name, scope.system), ("orders.read", False), "a scope")
    drafted = made(
        models.OAuth2Claim,
        name="shop",
        claimType="RESOURCE",
        valueType="EXPRESSION",
        value='"main"',
        status="ACTIVE",
        alwaysIncludeInToken=True,
        conditions={"scopes": []},
    )
    drafted = await good(okta.create_o_auth2_claim(server.id, drafted))
    claim_equal((drafted.claim_type.value, drafted.value_type.value), ("RESOURCE", "EXPRESSION"), "a claim")
    before = token_of(server.id, own.client_id, own.client_secret, scope="orders.read")
    claim_equal(before["error"], "access_denied", "without a policy there is no token")
    policy = made(
        models.AuthorizationServerPolicy,
        type="OAUTH_AUTHORIZATION_POLICY",
        name="Workers",
        description="Workers",
        priority=1,
        conditions={"clients": {"include": [own.client_id]}},
    )
    policy = await good(okta.create_authorization_server_policy(server.id, policy))
    rule = made(
        models.AuthorizationServerPolicyRuleRequest,
        type="RESOURCE_ACCESS",
        name="Workers",
        priority=1,
        conditions={
            "people": {"groups": {"include": ["EVERYONE"]}},
            "grantTypes": {"include": ["client_credentials"]},
            "scopes": {"include": ["orders.read"]},
        },
        actions={"token": {"accessTokenLifetimeMinutes": 30}},
    )
    rule = await good(okta.create_authorization_server_policy_rule(server.id, policy.id, rule))
    claim_equal(rule.actions.token.access_token_lifetime_minutes, 30, "a rule")
    given = token_of(server.id, own.client_id, own.client_secret, scope="orders.read")
    claim_equal((given["token_type"], given["expires_in"], given["scope"]), ("Bearer", 1800, "orders.read"), "a token")
    said = claims_of(given["access_token"])
    wanted = {"aud": "api://orders", "shop": "main", "scp": ["orders.read"], "cid": own.client_id}
    claim_equal({name: said[name] for name in wanted}, wanted, "which says what was set")
    unknown = token_of(server.id, own.client_id, own.client_secret, scope="orders.write")
    claim_equal(unknown["error"], "invalid_scope", "other scopes are refused")
    keys = await good(okta.list_authorization_server_keys(server.id))
    claim_equal([key.status for key in keys], ["ACTIVE"], "it signs with a key of its own")
    rotated = await good(okta.rotate_authorization_server_keys(server.id, models.JwkUse(use="sig")))
    by_status = {key.status: key.kid for key in rotated}
    claim_equal(set(by_status), {"ACTIVE", "EXPIRED"}, "its keys are rotated")
    claim_equal(by_status["EXPIRED"], keys[0].kid, "the old one is not used any more")
    later = token_of(server.id, own.client_id, own.client_secret, scope="orders.read")["access_token"]
    claim_equal(head_of(later)["kid"], by_status["ACTIVE"], "but the new one")
    await good(okta.deactivate_authorization_server(server.id))
    await good(okta.delete_authorization_server(server.id))
    await claim_refused(404, "E0000007", okta.get_authorization_server(server.id))


async def set_networks_and_origins():
    okta = client()
    zone = made(models.IPNetworkZone, type="IP", name="Office", gateways=[{"type": "CIDR", "value": "192.0.2.0/24"}])
    zone = await good(okta.create_network_zone(zone))
    claim_equal((type(zone), zone.usage.value), (models.IPNetworkZone, "POLICY"), "a zone is of its kind")
    kinds = {type(one).__name__ for one in await good(okta.list_network_zones())}
    claim({"IPNetworkZone"} <= kinds, f"zones are read: {kinds}")
    claim_equal((await good(okta.deactivate_network_zone(zone.id))).status.value, "INACTIVE", "it is switched off")
    await good(okta.delete_network_zone(zone.id))
    await claim_refused(404, "E0000007", okta.get_network_zone(zone.id))

    scopes = [{"type": "CORS"}, {"type": "REDIRECT"}]
    origin = made(models.TrustedOriginWrite, name="Shop", origin="https://shop.example", scopes=scopes)
    origin = await good(okta.create_trusted_origin(origin))
    claim_equal([scope.type.value for scope in origin.scopes], ["CORS", "REDIRECT"], "an origin is trusted")
    claim("https://shop.example" in [one.origin for one in await good(okta.list_trusted_origins())], "and listed")
    await good(okta.deactivate_trusted_origin(origin.id))
    await good(okta.delete_trusted_origin(origin.id))
    await claim_refused(404, "E0000007", okta.get_trusted_origin(origin.id))


async def set_an_identity_provider():
    okta = client()
    idp = made(
        models.IdentityProvider,
        type="OIDC",
        name="Partner",
        protocol={
            "type": "OIDC",
            "scopes": ["openid", "profile", "email"],
            "issuer": {"url": "https://partner.example"},
            "endpoints": {
                "authorization": {"url": "https://partner.example/auth", "binding": "HTTP-REDIRECT"},
                "token": {"url": "https://partner.example/token", "binding": "HTTP-POST"},
                "jwks": {"url": "https://partner.example/keys", "binding": "HTTP-REDIRECT"},
            },
            "credentials": {"client": {"client_id": "acme", "client_secret": "not-a-real-secret"}},
        },
        policy={
            "accountLink": {"action": "AUTO", "filter": None},
            "provisioning": {"action": "AUTO", "profileMaster": False, "groups": {"action": "NONE"}},
            "maxClockSkew": 0,
            "subject": {"userNameTemplate": {"template": "idpuser.email"}, "matchType": "USERNAME"},
        },
    )
    idp = await good(okta.create_identity_provider(idp))
    claim_equal((idp.type.value, idp.status.value), ("OIDC", "ACTIVE"), "a provider is made")
    claim_equal(idp.policy.subject.match_type.value, "USERNAME", "with its policy")
    listed = await good(okta.list_identity_providers(type="OIDC"))
    claim_equal([one.id for one in listed], [idp.id], "and listed by its kind")
    off = await good(okta.deactivate_identity_provider(idp.id))
    claim_equal(off.status.value, "INACTIVE", "it is switched off")
    await good(okta.delete_identity_provider(idp.id))
    await claim_refused(404, "E0000007", okta.get_identity_provider(idp.id))


async def set_inline_hooks():
    okta = client()
    hook = made(
        models.InlineHookCreate,
        name="Token notes",
        type="com.okta.oauth2.tokens.transform",
        version="1.0.0",
        channel={
            "type": "HTTP",
            "version": "1.0.0",
            "config": {
                "uri": "https://hooks.example/token",
                "method": "POST",
                "headers": [],
                "authScheme": {"type": "HEADER", "key": "Authorization", "value": "not-a-real-secret"},
            },
        },
    )
    hook = await good(okta.create_inline_hook(hook))
    claim_equal((hook.id[:3], hook.status.value), ("cal", "ACTIVE"), "a hook is made")
    claim_equal([one.id for one in await good(okta.list_inline_hooks(type=hook.type.value))], [hook.id], "and listed")
    claim_equal((await good(okta.deactivate_inline_hook(hook.id))).status.value, "INACTIVE", "it is switched off")
    await good(okta.delete_inline_hook(hook.id))
    await claim_refused(404, "E0000007", okta.get_inline_hook(hook.id))


async def rotate_an_apps_keys():
    okta = client()
    acs = "https://payroll.example/acs"
    sign_on = {
        "ssoAcsUrl": acs,
        "recipient": acs,
        "destination": acs,
        "audience": "https://payroll.example",
        "subjectNameIdTemplate": "${user.userName}",
        "subjectNameIdFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
        "responseSigned": True,
        "assertionSigned": True,
        "signatureAlgorithm": "RSA_SHA256",
        "digestAlgorithm": "SHA256",
        "honorForceAuthn": True,
        "authnContextClassRef": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        "attributeStatements": [],
        "allowMultipleAcsEndpoints": False,
        "requestCompressed": False,
    }
    saml = made(models.SamlApplication, label="Payroll", signOnMode="SAML_2_0", settings={"signOn": sign_on})
    app = await good(okta.create_application(saml))
    claim_equal(type(app), models.SamlApplication, "an app is of its kind")
    first = app.credentials.signing.kid
    key = await good(okta.generate_application_key(app.id, 2))
    claim_equal((key.kty, key.use, len(key.x5c)), ("RSA", "sig", 1), "a key is made")
    keys = await good(okta.list_application_keys(app.id))
    claim_equal({one.kid for one in keys}, {first, key.kid}, "beside the first")
    app.credentials.signing.kid = key.kid
    replaced = await good(okta.replace_application(app.id, app))
    claim_equal(replaced.credentials.signing.kid, key.kid, "the app signs with it")
    await good(okta.deactivate_application(app.id))
    await good(okta.delete_application(app.id))
    await claim_refused(404, "E0000007", okta.get_application(app.id))


async def grant_scopes_to_a_service_app():
    okta = client()
    app, own = await new_service(okta, "Groups worker")
    _, _, refused = await own("okta.groups.read").list_groups()
    claim(refused is not None, "no scope is granted at first")
    await grant(okta, app, "okta.groups.read", "okta.users.read")
    reader = own("okta.groups.read")
    claim_equal(len(await good(reader.list_groups(limit=2))), 2, "groups are read")
    for call in (reader.list_users(limit=1), reader.add_group(new_group("not-made"))):
        _, response, _ = await call
        claim_equal(response.status_code, 403, "a token without the scope is refused")
        said = response.headers["WWW-Authenticate"]
        claim('error="insufficient_scope"' in said, f"and told why: {said}")


async def bind_tokens_to_keys():
    okta = client()
    app, own = await new_service(okta, "Bound worker", dpop_bound_access_tokens=True)
    await grant(okta, app, "okta.groups.read")
    claim((await own("okta.groups.read").list_groups(limit=1))[-1] is not None, "a bound app must prove its key")
    proving = own("okta.groups.read", dpopEnabled=True)
    for limit in (1, 2):
        claim_equal(len(await good(proving.list_groups(limit=limit))), limit, "and does so with each call")


async def new_service(okta, label, **more):
    """A service app that signs with its key; and what makes clients of it, for scopes."""
    public = {"id": "pksSetByOkta00000000", "kid": "dtu-okta-client", "kty": "RSA", "use": "sig", "alg": "RS256"}
    draft = service_app(label, jwks={"keys": [{**public, **numbers()}]}, **more)
    method = models.OAuthEndpointAuthenticationMethod.PRIVATE_KEY_JWT
    draft.credentials.oauth_client.token_endpoint_auth_method = method
    app = await good(okta.create_application(draft))
    keys = {"clientId": app.credentials.oauth_client.client_id, "privateKey": KEY.read_text(), "kid": public["kid"]}

    def own(*scopes, **options):
        return Client({"orgUrl": ORG, "authorizationMode": "PrivateKey", "scopes": list(scopes), **keys, **options})

    return app, own


async def grant(okta, app, *scopes):
    """Grants scopes to an app, and lets it read."""
    for scope in scopes:
        wanted = models.OAuth2ScopeConsentGrant(issuer=ORG, scope_id=scope)
        granted = await good(okta.grant_consent_to_scope(app.id, wanted))
        claim_equal((granted.scope_id, granted.source.value), (scope, "ADMIN"), "a scope is granted")
    role = models.AssignRoleToClientRequest(models.StandardRoleAssignmentSchema(type="READ_ONLY_ADMIN"))
    await good(okta.assign_role_to_client(app.credentials.oauth_client.client_id, role))


def numbers():
    """The public numbers of the key with which service apps sign."""
    key = RSA.import_key(KEY.read_text())
    text = lambda number: base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).decode().rstrip("=")
    return {"n": text(key.n), "e": text(key.e)}


SECTIONS = [
    set_policies,
    mint_tokens_by_a_server_of_ones_own,
    set_networks_and_origins,
    set_an_identity_provider,
    set_inline_hooks,
    rotate_an_apps_keys,
    grant_scopes_to_a_service_app,
    bind_tokens_to_keys,
]
