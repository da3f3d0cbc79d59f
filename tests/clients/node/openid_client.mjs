// openid-client, unmodified, against Okta's twin: whole flows, as a relying party runs them.

import * as oidc from 'openid-client';

import { claim, claimEqual, failure, run } from './claims.mjs';
import { act } from './dtu_control.mjs';
import { Browser, GOODBYE, ORG, PASSWORD, REDIRECT, admin, newClient, newPerson, newWebClient } from './okta_org.mjs';

const CUSTOM = `${ORG}/oauth2/default`;
const plainHttp = { execute: [oidc.allowInsecureRequests] };

/** A relying party that knows only a server's address, its client id and how it shows who it is. */
const party = (issuer, { id, secret }, auth) => oidc.discovery(new URL(issuer), id, secret, auth, plainHttp);

/** Somebody signs in to a client in a browser; gives the tokens. */
async function signIn(config, scope, person, browser = new Browser()) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
  const address = oidc.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    scope,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
  });
  let back = await browser.open(address);
  if (!back) {
    claim(browser.page.includes('name="password"'), 'the sign-in page asks for a password');
    back = await browser.signIn(person.login);
  }
  claim(back && back.href.startsWith(REDIRECT), `the browser comes back: ${browser.page}`);
  return oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, expectedNonce });
}

async function codeFlow() {
  for (const issuer of [ORG, CUSTOM]) {
    const client = await newWebClient(`Portal of ${issuer}`);
    const person = await newPerson('Ines', issuer === ORG ? 'Orgsen' : 'Customsen', client.app);
    const config = await party(issuer, client);
    const server = config.serverMetadata();
    claimEqual(server.issuer, issuer, 'discovery names the issuer');
    claim(server.supportsPKCE(), 'and PKCE');
    const browser = new Browser();
    const tokens = await signIn(config, 'openid profile email offline_access', person, browser);
    claimEqual(tokens.claims().sub, person.id, 'the ID token is about the person');
    claim(tokens.refresh_token && tokens.expires_in === 3600, 'access lasts an hour, and can be renewed');

    const info = await oidc.fetchUserInfo(config, tokens.access_token, person.id);
    claimEqual([info.email, info.preferred_username], [person.login, person.login], 'userinfo says who it is');
    await failure(oidc.fetchUserInfo(config, 'no.such.token', person.id), 'not with another token');

    const shown = await oidc.tokenIntrospection(config, tokens.access_token);
    claimEqual([shown.active, shown.client_id, shown.username], [true, client.id, person.login], 'introspection');
    await oidc.tokenRevocation(config, tokens.access_token);
    claimEqual((await oidc.tokenIntrospection(config, tokens.access_token)).active, false, 'revoked');

    const again = await signIn(config, 'openid', person, browser);
    claim(again.id_token && !again.refresh_token, 'the session signs in without asking');
    const bye = oidc.buildEndSessionUrl(config, {
      id_token_hint: again.id_token,
      post_logout_redirect_uri: GOODBYE,
      state: 'over',
    });
    claimEqual((await browser.open(bye)).href, `${GOODBYE}?state=over`, 'signing out goes back');
    claim(!browser.has('sid'), 'and ends the session');
  }
}

async function refusals() {
  const client = await newWebClient('Refused');
  const person = await newPerson('Rita', 'Refusen', client.app);
  const stranger = await newPerson('Sten', 'Strange');
  const config = await party(CUSTOM, client);
  const verifier = oidc.randomPKCECodeVerifier();
  const ask = (more) => ({ redirect_uri: REDIRECT, scope: 'openid', state: 's', response_type: 'code', ...more });
  const back = async (more, login) => {
    const browser = new Browser();
    const there = await browser.open(oidc.buildAuthorizationUrl(config, ask(more)));
    return there ?? browser.signIn(login);
  };
  const refused = async (more, login, error) => {
    const told = await failure(
      oidc.authorizationCodeGrant(config, await back(more, login), { expectedState: 's' }),
      `${error} is told`,
    );
    claimEqual(told.error, error, 'in the standard\'s words');
  };
  await refused({ scope: 'openid magic' }, undefined, 'invalid_scope');
  await refused({ prompt: 'none' }, undefined, 'login_required');
  await refused({}, stranger.login, 'access_denied');
  const browser = new Browser();
  await browser.open(oidc.buildAuthorizationUrl(config, ask({})));
  claim(!(await browser.signIn(person.login, 'wrong')), 'a wrong password does not sign in');
  claimEqual(browser.status, 401, 'and says so');
  const challenge = await oidc.calculatePKCECodeChallenge(verifier);
  const code = await back({ code_challenge: challenge, code_challenge_method: 'S256' }, person.login);
  const wrong = oidc.authorizationCodeGrant(config, code, {
    expectedState: 's',
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
  });
  claimEqual((await failure(wrong, 'another verifier is refused')).error, 'invalid_grant', 'as no grant');
}

async function rotation() {
  const client = await newWebClient('Rotating', {
    refresh_token: { rotation_type: 'ROTATE', leeway: 0 },
  });
  const person = await newPerson('Rolf', 'Rotanen', client.app);
  const config = await party(CUSTOM, client);
  const first = await signIn(config, 'openid offline_access', person);
  const second = await oidc.refreshTokenGrant(config, first.refresh_token);
  claim(second.refresh_token !== first.refresh_token, 'each use gives a new token');
  const replayed = await failure(oidc.refreshTokenGrant(config, first.refresh_token), 'the old one is used up');
  claimEqual(replayed.error, 'invalid_grant', 'and says so');
  await failure(oidc.refreshTokenGrant(config, second.refresh_token), 'a replay ends the whole sign-in');
  const shown = await oidc.tokenIntrospection(config, second.access_token);
  claimEqual(shown.active, false, 'with its access tokens');

  const kept = await newWebClient('Static');
  await admin('POST', `/api/v1/apps/${kept.app}/users`, { id: person.id });
  const still = await party(CUSTOM, kept);
  const one = await signIn(still, 'openid offline_access', person);
  const two = await oidc.refreshTokenGrant(still, one.refresh_token);
  claimEqual(two.refresh_token, one.refresh_token, 'a static token stays');
  const listed = await admin('GET', `/api/v1/authorizationServers/default/clients/${kept.id}/tokens`);
  claimEqual(
    listed.map((token) => token.userId),
    [person.id],
    'administrators see it',
  );
  await admin('DELETE', `/api/v1/authorizationServers/default/clients/${kept.id}/tokens/${listed[0].id}`);
  await failure(oidc.refreshTokenGrant(still, one.refresh_token), 'and take it away');
}

async function devices() {
  const client = await newClient(
    'Television',
    {
      application_type: 'native',
      grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      redirect_uris: [REDIRECT],
    },
    { token_endpoint_auth_method: 'none' },
  );
  const person = await newPerson('Dora', 'Devicen', client.app);
  const config = await party(CUSTOM, client, oidc.None());
  const told = await oidc.initiateDeviceAuthorization(config, { scope: 'openid' });
  const browser = new Browser();
  await browser.open(told.verification_uri_complete);
  await browser.signIn(person.login);
  await browser.submit({});
  claim(browser.page.includes('Device activated'), `somebody lets it in: ${browser.page}`);
  const tokens = await oidc.pollDeviceAuthorizationGrant(config, told);
  claimEqual(tokens.claims().sub, person.id, 'the device is signed in');
}

/** A key pair, and its public half as the app has it. */
async function newKey() {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const { kty, n, e } = await crypto.subtle.exportKey('jwk', publicKey);
  return { key: privateKey, kid: 'k1', jwk: { kty, n, e, kid: 'k1', use: 'sig', alg: 'RS256', status: 'ACTIVE' } };
}

/** A service app that signs with its key. */
async function newService(label, more = {}) {
  const { key, kid, jwk } = await newKey();
  const client = await newClient(
    label,
    { application_type: 'service', grant_types: ['client_credentials'], response_types: ['token'], jwks: { keys: [jwk] }, ...more },
    { token_endpoint_auth_method: 'private_key_jwt' },
  );
  // Okta wants the endpoint as audience.
  const auth = (endpoint) => oidc.PrivateKeyJwt({ key, kid }, { [oidc.modifyAssertion]: (_, body) => (body.aud = endpoint) });
  return { ...client, auth };
}

async function services() {
  const client = await newService('Daemon');
  await admin('POST', '/api/v1/authorizationServers/default/scopes', { name: 'daemon.run' });
  const custom = await party(CUSTOM, { id: client.id }, client.auth(`${CUSTOM}/v1/token`));
  const tokens = await oidc.clientCredentialsGrant(custom, { scope: 'daemon.run' });
  claimEqual([tokens.token_type, tokens.scope], ['bearer', 'daemon.run'], 'a key gets a token');
  const openid = await failure(oidc.clientCredentialsGrant(custom, { scope: 'openid' }), 'there is nobody to sign in');
  claimEqual(openid.error, 'invalid_scope', 'so no such scope');

  const org = await party(ORG, { id: client.id }, client.auth(`${ORG}/oauth2/v1/token`));
  const early = await failure(oidc.clientCredentialsGrant(org, { scope: 'okta.users.read' }), 'not without a grant');
  claimEqual(early.error, 'consent_required', 'an administrator must consent');
  await admin('POST', `/api/v1/apps/${client.app}/grants`, { issuer: ORG, scopeId: 'okta.users.read' });
  const granted = await oidc.clientCredentialsGrant(org, { scope: 'okta.users.read' });
  claimEqual(granted.scope, 'okta.users.read', 'and then it is given');
  const impostor = await newKey();
  const false_ = oidc.PrivateKeyJwt(impostor, { [oidc.modifyAssertion]: (_, body) => (body.aud = `${CUSTOM}/v1/token`) });
  const other = await party(CUSTOM, { id: client.id }, false_);
  const forged = await failure(oidc.clientCredentialsGrant(other, { scope: 'daemon.run' }), 'another key gets none');
  claimEqual([forged.error, forged.status], ['invalid_client', 401], 'and says so');
}

async function boundTokens() {
  const client = await newService('Bound', { dpop_bound_access_tokens: true });
  await admin('POST', '/api/v1/authorizationServers/default/scopes', { name: 'bound.run' });
  const config = await party(CUSTOM, { id: client.id }, client.auth(`${CUSTOM}/v1/token`));
  const without = await failure(oidc.clientCredentialsGrant(config, { scope: 'bound.run' }), 'a proof is needed');
  claimEqual(without.error, 'invalid_dpop_proof', 'and missed');
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
  const tokens = await oidc.clientCredentialsGrant(config, { scope: 'bound.run' }, { DPoP });
  claimEqual(tokens.token_type, 'dpop', 'with one, nonce and all, a bound token is given');

  const web = await newWebClient('Bound portal', { dpop_bound_access_tokens: true });
  const person = await newPerson('Dina', 'Bounden', web.app);
  const portal = await party(CUSTOM, web);
  const handle = oidc.getDPoPHandle(portal, await oidc.randomDPoPKeyPair('RS256'));
  const browser = new Browser();
  const verifier = oidc.randomPKCECodeVerifier();
  const address = oidc.buildAuthorizationUrl(portal, {
    redirect_uri: REDIRECT,
    scope: 'openid email',
    state: 's',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  await browser.open(address);
  const back = await browser.signIn(person.login);
  const checks = { pkceCodeVerifier: verifier, expectedState: 's' };
  const signedIn = await oidc.authorizationCodeGrant(portal, back, checks, undefined, { DPoP: handle });
  const info = await oidc.fetchUserInfo(portal, signedIn.access_token, person.id, { DPoP: handle });
  claimEqual(info.email, person.login, 'the bound token is taken with its proof');
  await failure(oidc.fetchUserInfo(portal, signedIn.access_token, person.id), 'and not without');
}

const CIBA = 'urn:openid:params:grant-type:ciba';
const OOB = 'urn:okta:params:oauth:grant-type:oob';
const MFA_OOB = 'http://auth0.com/oauth/grant-type/mfa-oob';

/** A web app with a secret that has people asked on their phones, and somebody who has one. */
async function asking(label, grants, first) {
  const client = await newClient(label, { application_type: 'web', grant_types: grants, response_types: ['token'] });
  const person = await newPerson(first, 'Elsewhere', client.app);
  await act(person.login, 'okta.enrol_factor', { factor: 'push' });
  return { client, person };
}

async function backchannel() {
  const { client, person } = await asking('Till', [CIBA], 'Cora');
  const known = (await party(ORG, client)).serverMetadata();
  claimEqual(known.backchannel_token_delivery_modes_supported, ['poll'], 'discovery says how tokens come');
  // Where a request begins, Okta's metadata do not say.
  const server = { ...known, backchannel_authentication_endpoint: `${ORG}/oauth2/v1/bc/authorize` };
  const config = new oidc.Configuration(server, client.id, client.secret);
  oidc.allowInsecureRequests(config);
  const ask = () => oidc.initiateBackchannelAuthentication(config, { scope: 'openid email', login_hint: person.login, binding_message: 'Pay 5' });
  const asked = await ask();
  claimEqual([asked.expires_in, asked.interval], [300, 5], 'the request is taken');
  const early = await failure(oidc.genericGrantRequest(config, CIBA, { auth_req_id: asked.auth_req_id }), 'nobody has answered');
  claimEqual(early.error, 'authorization_pending', 'so the client waits');
  const seen = await act(person.login, 'okta.approve_push', {});
  claimEqual(seen.message, 'Pay 5', 'the person sees what it is about');
  const tokens = await oidc.pollBackchannelAuthenticationGrant(config, asked);
  claimEqual(tokens.claims().sub, person.id, 'the client knows who has approved');
  const refused = await ask();
  await act(person.login, 'okta.reject_push', {});
  const denied = await failure(oidc.pollBackchannelAuthenticationGrant(config, refused), 'a refusal ends the wait');
  claimEqual(denied.error, 'access_denied', 'and says so');
}

async function direct() {
  const { client, person } = await asking('Direct', [OOB, MFA_OOB, 'password'], 'Dirk');
  const config = await party(ORG, client);
  const post = async (endpoint, fields) => {
    const body = new URLSearchParams({ client_id: client.id, client_secret: client.secret, ...fields });
    const response = await fetch(`${ORG}/oauth2/v1/${endpoint}`, { method: 'POST', body });
    return response.json();
  };
  const told = await post('primary-authenticate', { login_hint: person.login, channel_hint: 'push', challenge_hint: OOB });
  claimEqual([told.channel, told.binding_method], ['push', 'none'], 'a prompt is shown');
  const grant = { scope: 'openid', oob_code: told.oob_code };
  const early = await failure(oidc.genericGrantRequest(config, OOB, grant), 'nobody has answered');
  claimEqual(early.error, 'authorization_pending', 'so the client waits');
  await act(person.login, 'okta.approve_push', {});
  const tokens = await oidc.genericGrantRequest(config, OOB, grant);
  claimEqual(tokens.claims().amr, ['swk'], 'a prompt signs in');

  const policy = await admin('POST', '/api/v1/policies', {
    type: 'OKTA_SIGN_ON',
    name: 'Two factors',
    conditions: { people: { users: { include: [person.id] } } },
  });
  await admin('POST', `/api/v1/policies/${policy.id}/rules`, {
    type: 'SIGN_ON',
    name: 'All',
    actions: { signon: { access: 'ALLOW', requireFactor: true, factorPromptMode: 'ALWAYS' } },
  });
  const password = { scope: 'openid', username: person.login, password: PASSWORD };
  const half = await failure(oidc.genericGrantRequest(config, 'password', password), 'a password is not enough');
  claimEqual([half.error, half.status], ['mfa_required', 403], 'and a factor is asked for');
  const { mfa_token } = half.cause;
  const challenge = await post('challenge', { mfa_token, challenge_types_supported: MFA_OOB });
  await act(person.login, 'okta.approve_push', {});
  const more = { scope: 'openid', mfa_token, oob_code: challenge.oob_code };
  const whole = await oidc.genericGrantRequest(config, MFA_OOB, more);
  claimEqual(whole.claims().amr, ['pwd', 'mfa', 'swk'], 'both count');
}

async function signedRequests() {
  const { key, kid, jwk } = await newKey();
  const client = await newWebClient('Signs', { jwks: { keys: [jwk] }, request_object_signing_alg: 'RS256' });
  const person = await newPerson('Sina', 'Signed', client.app);
  const config = await party(CUSTOM, client);
  claim(config.serverMetadata().request_parameter_supported, 'discovery names signed requests');
  const verifier = oidc.randomPKCECodeVerifier();
  const asked = {
    redirect_uri: REDIRECT,
    scope: 'openid',
    state: 's',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  };
  const signIn = async (address) => {
    const browser = new Browser();
    const back = (await browser.open(address)) ?? (await browser.signIn(person.login));
    return oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: 's' });
  };
  const signed = await oidc.buildAuthorizationUrlWithJAR(config, asked, { key, kid });
  claim(!signed.searchParams.has('scope'), 'all is in the signed request');
  claimEqual((await signIn(signed)).claims().sub, person.id, 'a signed request signs in');
  // The library's own way to push wants 201 (RFC 9126); Okta's document has 200.
  const push = async (parameters) => {
    const body = new URLSearchParams({ client_secret: client.secret, ...parameters });
    const endpoint = config.serverMetadata().pushed_authorization_request_endpoint;
    const { request_uri } = await (await fetch(endpoint, { method: 'POST', body })).json();
    claim(request_uri, 'a request is pushed');
    return oidc.buildAuthorizationUrl(config, { request_uri });
  };
  const own = oidc.buildAuthorizationUrl(config, asked).searchParams;
  claimEqual((await signIn(await push(Object.fromEntries(own)))).claims().sub, person.id, 'a pushed request signs in');
  const both = await oidc.buildAuthorizationUrlWithJAR(config, asked, { key, kid });
  const whole = await push(Object.fromEntries(both.searchParams));
  claimEqual((await signIn(whole)).claims().sub, person.id, 'so does a signed one');
  const forged = await oidc.buildAuthorizationUrlWithJAR(config, asked, { key: (await newKey()).key, kid });
  forged.searchParams.set('redirect_uri', REDIRECT);
  forged.searchParams.set('state', 's');
  const browser = new Browser();
  const back = await browser.open(forged);
  claimEqual(back.searchParams.get('error'), 'invalid_request_object', 'another key signs nobody in');
}

await run(codeFlow, refusals, rotation, devices, services, boundTokens, backchannel, direct, signedRequests);
