// @okta/jwt-verifier, unmodified, against Okta's twin: what resource servers and relying parties believe.

import OktaJwtVerifier from '@okta/jwt-verifier';

import { claim, claimEqual, failure, run } from './claims.mjs';
import { Browser, ORG, REDIRECT, admin, newClient, newPerson, newWebClient } from './okta_org.mjs';

const ISSUER = `${ORG}/oauth2/default`;
const AUDIENCE = 'api://default';

const verifier = (more = {}) =>
  new OktaJwtVerifier({ issuer: ISSUER, testing: { disableHttpsCheck: true }, ...more });

/** A call of the token endpoint. */
async function grant({ id, secret }, fields, server = 'default') {
  const response = await fetch(`${ORG}/oauth2/${server}/v1/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams(fields),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(body)}`);
  return body;
}

let made;

/** A program that acts for itself, made once. */
function service() {
  made ??= (async () => {
    await admin('POST', '/api/v1/authorizationServers/default/scopes', { name: 'orders.read' });
    return newClient(
      'Orders',
      { application_type: 'service', grant_types: ['client_credentials'], response_types: ['token'] },
      { token_endpoint_auth_method: 'client_secret_basic' },
    );
  })();
  return made;
}

const accessToken = async () =>
  (await grant(await service(), { grant_type: 'client_credentials', scope: 'orders.read' })).access_token;

/** Runs something at another time of this machine. */
async function later(seconds, during) {
  const Machine = Date;
  globalThis.Date = class extends Machine {
    constructor(...parts) {
      if (parts.length > 0) super(...parts);
      else super(Machine.now() + seconds * 1000);
    }
    static now() {
      return Machine.now() + seconds * 1000;
    }
  };
  try {
    return await during();
  } finally {
    globalThis.Date = Machine;
  }
}

async function accessTokens() {
  const token = await accessToken();
  const { claims, header } = await verifier().verifyAccessToken(token, AUDIENCE);
  claimEqual([claims.iss, claims.aud, claims.scp], [ISSUER, AUDIENCE, ['orders.read']], 'a token is believed');
  claimEqual(header.alg, 'RS256', 'by its signature');
  const wrong = await failure(verifier().verifyAccessToken(token, 'api://other'), 'not for another audience');
  claim(wrong.message.includes('does not match expected audience'), 'which is said');
  const asserting = (assertClaims) => verifier({ assertClaims }).verifyAccessToken(token, AUDIENCE);
  claim(await asserting({ 'scp.includes': 'orders.read' }), 'scopes can be asked for');
  await failure(asserting({ 'scp.includes': 'orders.write' }), 'and missed');
  const stranger = verifier({ issuer: ORG, jwksUri: `${ISSUER}/v1/keys` });
  await failure(stranger.verifyAccessToken(token, AUDIENCE), 'another issuer is not believed');
  const [head, body, signature] = token.split('.');
  const forged = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  await failure(verifier().verifyAccessToken(forged, AUDIENCE), 'a forged token neither');
  const old = await failure(
    later(3_601, () => verifier().verifyAccessToken(token, AUDIENCE)),
    'a token ends after an hour',
  );
  claim(old.message.includes('expired'), 'which is said');
}

async function rotation() {
  const kept = verifier();
  const before = await accessToken();
  const { header: first } = await kept.verifyAccessToken(before, AUDIENCE);
  await admin('POST', '/api/v1/authorizationServers/default/credentials/lifecycle/keyRotate', { use: 'sig' });
  const after = await accessToken();
  const { header: second } = await kept.verifyAccessToken(after, AUDIENCE);
  claim(first.kid !== second.kid, 'another key signs');
  claim(await kept.verifyAccessToken(before, AUDIENCE), 'what the old key signed is still believed');
  claim(await verifier().verifyAccessToken(before, AUDIENCE), 'also by those who come now');
}

async function idTokens() {
  const client = await newWebClient('Portal');
  const person = await newPerson('Vera', 'Verified', client.app);
  const asked = new URLSearchParams({
    client_id: client.id,
    redirect_uri: REDIRECT,
    response_type: 'code',
    scope: 'openid profile',
    state: 's',
    nonce: 'n1',
  });
  const browser = new Browser();
  await browser.open(`/oauth2/default/v1/authorize?${asked}`);
  const back = await browser.signIn(person.login);
  const code = back.searchParams.get('code');
  const { id_token: token, access_token: access } = await grant(client, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT,
  });
  const { claims } = await verifier({ clientId: client.id }).verifyIdToken(token, client.id, 'n1');
  claimEqual([claims.sub, claims.preferred_username], [person.id, person.login], 'an ID token is believed');
  await failure(verifier().verifyIdToken(token, client.id, 'n2'), 'not with another nonce');
  await failure(verifier().verifyIdToken(token, 'another', 'n1'), 'nor for another client');
  const { claims: own } = await verifier().verifyAccessToken(access, AUDIENCE);
  claimEqual([own.uid, own.sub, own.cid], [person.id, person.login, client.id], 'its access token is about the same');
}

await run(accessTokens, rotation, idTokens);
