// What the scripts of @okta/okta-sdk-nodejs share: clients, people, and what becomes of calls.

import okta from '@okta/okta-sdk-nodejs';

import { claim, claimEqual, failure } from './claims.mjs';

/** A client. It keeps no answers, because here each look must reach the twin. */
export function client(options = {}) {
  const { OKTA_CLIENT_ORGURL: orgUrl, OKTA_CLIENT_TOKEN: token } = process.env;
  return new okta.Client({ orgUrl, token, cacheMiddleware: null, ...options });
}

/** Says that a call is refused with a status and a code, in Okta's envelope. */
export async function claimRefused(status, code, call) {
  const error = await failure(call, `${code} is thrown`);
  claimEqual([error.status, error.errorCode], [status, code], `the refusal is ${code}`);
  claim(error.errorId.startsWith('oae') && error.errorSummary, 'the error has an id and a summary');
  return error;
}

/** A made-up person. */
export function newUser(firstName, lastName, more = {}) {
  const email = `${firstName}.${lastName}@acme.example`.toLowerCase();
  return { profile: { firstName, lastName, email, login: email, ...more } };
}

export const withPassword = (user) => ({ ...user, credentials: { password: { value: 'Not-a-real-passw0rd' } } });
