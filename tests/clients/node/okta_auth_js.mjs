// @okta/okta-auth-js, unmodified, against Okta's twin: how an app signs people in on pages of its own, by the
// Authentication API and by the Identity Engine's interaction code flow.

import { AuthenticatorKey, IdxStatus, OktaAuth } from '@okta/okta-auth-js';

import { claim, claimEqual, failure, run } from './claims.mjs';
import { act, advance } from './dtu_control.mjs';
import { Browser, ORG, PASSWORD, REDIRECT, admin, newClient, newPerson } from './okta_org.mjs';

const CUSTOM = `${ORG}/oauth2/default`;
const NEXT = 'Another-passw0rd';

/** A page's app: it has no secret. */
const newPage = (label) =>
  newClient(
    label,
    {
      application_type: 'browser',
      grant_types: ['authorization_code', 'refresh_token', 'interaction_code'],
      response_types: ['code'],
      redirect_uris: [REDIRECT],
    },
    { token_endpoint_auth_method: 'none' },
  );

/** What one browser keeps. */
function ownStorage() {
  const kept = new Map();
  const storageProvider = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
  const names = ['token', 'cache', 'transaction', 'shared-transaction', 'original-uri', 'idx-response'];
  return Object.fromEntries(names.map((name) => [name, { storageProvider }]));
}

/** The client library of a page in a browser of its own, on a custom server unless another is named. */
const library = ({ id }, more = {}) =>
  new OktaAuth({
    issuer: CUSTOM,
    clientId: id,
    redirectUri: REDIRECT,
    scopes: ['openid', 'profile', 'email'],
    storageManager: ownStorage(),
    ...more,
  });

/** The same for the flows that find their steps themselves. */
const guided = (page, more = {}) => library(page, { idx: { enableLegacyMode: true }, ...more });

/** A policy for everybody, in front of the others; gives back how to take it away. */
async function policy(type, name, rule, settings) {
  const made = await admin('POST', '/api/v1/policies', { type, name, priority: 1, ...settings });
  await admin('POST', `/api/v1/policies/${made.id}/rules`, { type: rule.type, name: `${name} rule`, ...rule });
  return () => admin('DELETE', `/api/v1/policies/${made.id}`);
}

/** Asks everybody of a group for a second factor. */
async function askForFactor(name, person) {
  const group = await admin('POST', '/api/v1/groups', { profile: { name } });
  await admin('PUT', `/api/v1/groups/${group.id}/users/${person.id}`);
  return policy(
    'OKTA_SIGN_ON',
    name,
    { type: 'SIGN_ON', actions: { signon: { access: 'ALLOW', requireFactor: true, factorPromptMode: 'ALWAYS' } } },
    { conditions: { people: { groups: { include: [group.id] } } } },
  );
}

/** The code that waits in somebody's phone or mail. */
const code = async (person, factor) => (await act(person.login, 'okta.read_code', { factor })).code;

/** What a transaction asks for next: the step, and what it wants to know. */
const asked = ({ nextStep }) => [nextStep.name, nextStep.inputs.map((input) => input.name)];

/** A sign-in is over: its tokens are about the person. */
async function signedIn(library, transaction, person) {
  claimEqual([transaction.status, transaction.messages], [IdxStatus.SUCCESS, undefined], 'the sign-in is over');
  const { accessToken, idToken } = transaction.tokens;
  claimEqual([idToken.claims.sub, idToken.claims.aud], [person.id, library.options.clientId], 'the ID token fits');
  const info = await library.token.getUserInfo(accessToken, idToken);
  claimEqual(info.preferred_username, person.login, 'and the access token is good');
  return idToken.claims.amr;
}

async function authenticationApi() {
  const page = await newPage('Own pages');
  const person = await newPerson('Anka', 'Primary', page.app);
  const auth = library(page);
  const done = await auth.signInWithCredentials({ username: person.login, password: PASSWORD });
  claimEqual([done.status, done.user.profile.login], ['SUCCESS', person.login], 'name and password are enough');
  claim(done.sessionToken.length > 40, 'there is a session token');

  // The library opens a hidden frame for this; elsewhere its address is opened by a browser.
  const params = await auth.token.prepareTokenParams({ sessionToken: done.sessionToken, prompt: 'none' });
  const address = `${CUSTOM}/v1/authorize?${new URLSearchParams({
    client_id: page.id,
    redirect_uri: REDIRECT,
    response_type: 'code',
    scope: 'openid profile email offline_access',
    state: params.state,
    nonce: params.nonce,
    code_challenge: params.codeChallenge,
    code_challenge_method: params.codeChallengeMethod,
    sessionToken: done.sessionToken,
    prompt: 'none',
  })}`;
  const browser = new Browser();
  const back = await browser.open(address);
  claimEqual(back.searchParams.get('state'), params.state, 'the browser comes back');
  const { tokens } = await auth.token.exchangeCodeForTokens({
    ...params,
    authorizationCode: back.searchParams.get('code'),
    scopes: ['openid', 'profile', 'email', 'offline_access'],
  });
  auth.tokenManager.setTokens(tokens);
  claimEqual(tokens.idToken.claims.sub, person.id, 'the code becomes tokens');
  claimEqual((await auth.getUser()).email, person.login, 'userinfo says who it is');
  const renewed = await auth.token.renewTokens();
  claim(renewed.accessToken.accessToken !== tokens.accessToken.accessToken, 'the tokens are renewed');
  claim(await auth.token.verify(renewed.idToken, { clientId: page.id, issuer: CUSTOM }), 'and hold');
  await auth.revokeAccessToken(renewed.accessToken);
  await failure(auth.token.getUserInfo(renewed.accessToken, renewed.idToken), 'a token that is revoked is of no use');

  claimEqual(await auth.session.exists(), false, 'a program without cookies has no session');
  claimEqual((await auth.session.get()).status, 'INACTIVE', 'which is told');
  await failure(auth.session.close(), 'and cannot be closed');
  const wrong = await failure(auth.signInWithCredentials({ username: person.login, password: 'no' }), 'a wrong password');
  claimEqual([wrong.errorCode, wrong.errorSummary], ['E0000004', 'Authentication failed'], 'is refused');
}

async function authenticationApiStepByStep() {
  const page = await newPage('Steps');
  const person = await newPerson('Bela', 'Steps', page.app);
  await act(person.login, 'okta.enrol_factor', { factor: 'sms', phone: '+4915112345601' });
  await advance('40s');
  const undo = await askForFactor('steps', person);
  const auth = library(page);
  let step = await auth.signInWithCredentials({ username: person.login, password: PASSWORD });
  claimEqual([step.status, step.factors.map((factor) => factor.factorType)], ['MFA_REQUIRED', ['sms']], 'a factor');
  step = await step.factors[0].verify();
  claimEqual(step.status, 'MFA_CHALLENGE', 'a code is sent');
  const wrong = await failure(step.verify({ passCode: '000000' }), 'another code');
  claimEqual(wrong.errorCode, 'E0000068', 'is refused');
  const again = await auth.tx.resume();
  claimEqual(again.status, 'MFA_CHALLENGE', 'the transaction is taken up again');
  step = await again.verify({ passCode: await code(person, 'sms') });
  claimEqual(step.status, 'SUCCESS', 'the code is right');
  await undo();

  await admin('POST', `/api/v1/users/${person.id}/lifecycle/expire_password`);
  step = await auth.signInWithCredentials({ username: person.login, password: PASSWORD });
  claimEqual(step.status, 'PASSWORD_EXPIRED', 'the password has expired');
  const weak = await failure(step.changePassword({ oldPassword: PASSWORD, newPassword: 'short' }), 'a weak one');
  claimEqual(weak.errorCode, 'E0000014', 'is refused');
  step = await step.changePassword({ oldPassword: PASSWORD, newPassword: NEXT });
  claimEqual(step.status, 'SUCCESS', 'a new one is chosen');

  step = await auth.forgotPassword({ username: person.login, factorType: 'EMAIL' });
  claimEqual([step.status, step.factorResult, step.factorType], ['RECOVERY_CHALLENGE', 'WAITING', 'EMAIL'], 'a mail');
}

async function passwordOnly() {
  const page = await newPage('Pages by interaction');
  const person = await newPerson('Cora', 'Interaction', page.app);
  const auth = guided(page);
  const start = await auth.idx.startTransaction();
  claimEqual(start.enabledFeatures, ['recover-password'], 'passwords can be recovered, and nobody registers');
  let step = await auth.idx.authenticate();
  claimEqual([step.status, ...asked(step)], [IdxStatus.PENDING, 'identify', ['username', 'password', 'rememberMe']], 'who?');
  step = await auth.idx.authenticate({ username: person.login, password: 'Wrong-passw0rd' });
  claimEqual(
    [step.status, step.messages.map((message) => message.i18n.key), step.nextStep.name],
    [IdxStatus.PENDING, ['errors.E0000004'], 'identify'],
    'a wrong password is told, and asked for again',
  );
  const nobody = await auth.idx.authenticate({ username: 'nobody@acme.example', password: PASSWORD });
  claimEqual(nobody.messages[0].message, step.messages[0].message, 'nobody learns whether there is somebody');
  step = await auth.idx.authenticate({ username: person.login, password: PASSWORD });
  claimEqual(await signedIn(auth, step, person), ['pwd'], 'by a password');

  // The same step by step, as newer versions of the library want it.
  const steps = library(page);
  step = await steps.idx.start();
  step = await steps.idx.proceed({ step: 'identify', username: person.login, password: PASSWORD });
  await signedIn(steps, step, person);

  const org = guided(page, { issuer: ORG });
  step = await org.idx.authenticate({ username: person.login, password: PASSWORD });
  await signedIn(org, step, person);

  const stranger = await newPerson('Dora', 'Unassigned');
  step = await guided(page).idx.authenticate({ username: stranger.login, password: PASSWORD });
  claimEqual(
    [step.status, step.messages[0].i18n.key],
    [IdxStatus.TERMINAL, 'security.access_denied'],
    'who may not use the app is turned away',
  );
}

async function cancelledAndExpired() {
  const page = await newPage('Given up');
  const person = await newPerson('Emil', 'Late', page.app);
  const auth = guided(page);
  let step = await auth.idx.authenticate();
  const before = step.context.stateHandle;
  const canceled = await auth.idx.cancel();
  claimEqual(canceled.status, IdxStatus.CANCELED, 'it is given up');
  claim(canceled.context.stateHandle !== before, 'under another handle it would begin anew');
  await failure(auth.idx.proceed({ username: person.login }), 'there is nothing to go on with');
  step = await auth.idx.authenticate();
  await advance('2h');
  step = await auth.idx.authenticate({ username: person.login, password: PASSWORD });
  claimEqual(
    [step.status, step.messages.map((message) => message.i18n.key)],
    [IdxStatus.TERMINAL, ['idx.session.expired']],
    'who takes too long begins anew',
  );
  const gone = await failure(library(page).idx.proceed({ stateHandle: '02none', step: 'identify' }), 'no such handle');
  claimEqual(gone.xhr.status, 401, 'is refused');
  const other = await newClient('No interaction', {
    application_type: 'browser', grant_types: ['authorization_code'], response_types: ['code'], redirect_uris: [REDIRECT],
  }, { token_endpoint_auth_method: 'none' });
  const refused = await failure(guided(other).idx.authenticate(), 'an app without the grant');
  claimEqual(refused.errorCode, 'unauthorized_client', 'gets no interaction');
}

async function identifierFirst() {
  const page = await newPage('Name first');
  const person = await newPerson('Fritz', 'Name', page.app);
  const everyone = (await admin('GET', '/api/v1/groups?q=Everyone'))[0].id;
  const signon = { access: 'ALLOW', requireFactor: false, primaryFactor: 'PASSWORD_IDP_ANY_FACTOR' };
  const undo = await policy(
    'OKTA_SIGN_ON',
    'name first',
    { type: 'SIGN_ON', actions: { signon } },
    { conditions: { people: { groups: { include: [everyone] } } } },
  );
  try {
    const auth = guided(page);
    let step = await auth.idx.authenticate();
    claimEqual(asked(step), ['identify', ['username', 'rememberMe']], 'a name is asked for alone');
    step = await auth.idx.authenticate({ username: person.login });
    claimEqual(asked(step), ['challenge-authenticator', ['password']], 'then the password');
    step = await auth.idx.proceed({ password: 'Wrong-passw0rd' });
    claimEqual([step.status, step.messages[0].i18n.key], [IdxStatus.PENDING, 'incorrectPassword'], 'a wrong one');
    step = await auth.idx.proceed({ password: PASSWORD });
    await signedIn(auth, step, person);
    const nobody = guided(page);
    await nobody.idx.authenticate({ username: 'nobody@acme.example' });
    step = await nobody.idx.proceed({ password: PASSWORD });
    claimEqual(step.messages[0].i18n.key, 'incorrectPassword', 'nobody has a wrong password as well');
  } finally {
    await undo();
  }
}

/** Signs in with name and password, up to the factor. */
async function toFactor(page, person, more) {
  const auth = guided(page);
  return [auth, await auth.idx.authenticate({ username: person.login, password: PASSWORD, ...more })];
}

async function furtherFactors() {
  const page = await newPage('Two factors');
  const person = await newPerson('Greta', 'Factors', page.app);
  await act(person.login, 'okta.enrol_factor', { factor: 'email' });
  await advance('40s');
  const undo = await askForFactor('two factors', person);
  let [auth, step] = await toFactor(page, person);
  claimEqual(step.nextStep.name, 'authenticator-verification-data', 'one factor is asked for before it is sent');
  step = await auth.idx.proceed({ authenticator: AuthenticatorKey.OKTA_EMAIL, methodType: 'email' });
  claimEqual(asked(step), ['challenge-authenticator', ['verificationCode']], 'a code by mail');
  claimEqual(step.nextStep.canResend, true, 'which can be sent again');
  step = await auth.idx.proceed({ verificationCode: '000000' });
  claimEqual(step.messages[0].i18n.key, 'api.authn.error.PASSCODE_INVALID', 'another code is refused');
  step = await auth.idx.proceed({ verificationCode: await code(person, 'email') });
  claimEqual(await signedIn(auth, step, person), ['pwd', 'mfa', 'otp'], 'by both');

  await act(person.login, 'okta.enrol_factor', { factor: 'sms', phone: '+4915112345602' });
  await act(person.login, 'okta.enrol_factor', { factor: 'question', question: 'first_award', answer: 'spelling' });
  await advance('40s');
  [auth, step] = await toFactor(page, person);
  claimEqual(step.nextStep.name, 'select-authenticator-authenticate', 'of several one is chosen');
  const offered = step.nextStep.inputs[0].options.map((option) => option.value);
  claimEqual(offered.toSorted(), ['okta_email', 'phone_number', 'security_question'], 'all are offered');
  step = await auth.idx.proceed({ authenticator: AuthenticatorKey.PHONE_NUMBER });
  claimEqual(step.nextStep.name, 'authenticator-verification-data', 'a phone asks by which way');
  step = await auth.idx.proceed({ methodType: 'sms' });
  claimEqual(asked(step), ['challenge-authenticator', ['verificationCode']], 'a text message');
  claim(step.nextStep.authenticator.profile.phoneNumber.endsWith('XXX-XXX-5602'), 'to a number that is not told whole');
  step = await auth.idx.proceed({ verificationCode: await code(person, 'sms') });
  claimEqual(await signedIn(auth, step, person), ['pwd', 'mfa', 'sms'], 'by phone');

  [auth, step] = await toFactor(page, person, { authenticators: [AuthenticatorKey.SECURITY_QUESTION] });
  claimEqual(asked(step), ['challenge-authenticator', ['answer']], 'a question');
  claimEqual(step.nextStep.authenticator.contextualData.enrolledQuestion.questionKey, 'first_award', 'which is told');
  step = await auth.idx.proceed({ answer: 'spelling' });
  claimEqual(await signedIn(auth, step, person), ['pwd', 'mfa', 'kba'], 'by its answer');
  await undo();
}

async function prompts() {
  const page = await newPage('Prompts');
  const person = await newPerson('Hanno', 'Phone', page.app);
  await act(person.login, 'okta.enrol_factor', { factor: 'push', device: 'Telephone' });
  const undo = await askForFactor('prompts', person);
  let [auth, step] = await toFactor(page, person);
  claimEqual(step.nextStep.name, 'authenticator-verification-data', 'Okta Verify has two ways');
  step = await auth.idx.proceed({ methodType: 'push' });
  claimEqual([step.nextStep.name, step.nextStep.poll], ['challenge-poll', { required: true, refresh: 4000 }], 'a prompt');
  step = await auth.idx.poll();
  claimEqual([step.status, step.nextStep.name], [IdxStatus.PENDING, 'challenge-poll'], 'it waits');
  await act(person.login, 'okta.approve_push', {});
  step = await auth.idx.poll();
  claimEqual(await signedIn(auth, step, person), ['pwd', 'mfa', 'swk'], 'until it is approved');

  [auth, step] = await toFactor(page, person);
  await auth.idx.proceed({ methodType: 'push' });
  await act(person.login, 'okta.reject_push', {});
  step = await auth.idx.poll();
  claimEqual(step.messages[0].i18n.key, 'api.authn.poll.error.push_rejected', 'or rejected');

  [auth, step] = await toFactor(page, person);
  step = await auth.idx.proceed({ methodType: 'totp' });
  claimEqual(asked(step), ['challenge-authenticator', ['verificationCode']], 'or a code');
  step = await auth.idx.proceed({ verificationCode: await code(person, 'token:software:totp') });
  claimEqual(await signedIn(auth, step, person), ['pwd', 'mfa', 'otp'], 'by the code');
  await undo();
}

async function enrolment() {
  const page = await newPage('Enrolment');
  const person = await newPerson('Ilse', 'New', page.app);
  const undo = await askForFactor('enrolment', person);
  let [auth, step] = await toFactor(page, person);
  claimEqual(step.nextStep.name, 'select-authenticator-enroll', 'who has no factor enrols one');
  step = await auth.idx.proceed({ authenticator: AuthenticatorKey.GOOGLE_AUTHENTICATOR });
  claimEqual(asked(step), ['enroll-authenticator', ['verificationCode']], 'an app for codes');
  claimEqual(step.nextStep.authenticator.contextualData.sharedSecret.length, 16, 'whose secret is told');
  step = await auth.idx.proceed({ verificationCode: '000000' });
  claimEqual(step.messages[0].i18n.key, 'api.authn.error.PASSCODE_INVALID', 'another code is refused');
  step = await auth.idx.proceed({ verificationCode: await code(person, 'token:software:totp/GOOGLE') });
  await signedIn(auth, step, person);

  const other = await newPerson('Jorn', 'Phone', page.app);
  const undone = await askForFactor('enrolment by phone', other);
  [auth, step] = await toFactor(page, other);
  step = await auth.idx.proceed({ authenticator: AuthenticatorKey.PHONE_NUMBER });
  claimEqual(step.nextStep.name, 'authenticator-enrollment-data', 'a phone has a number');
  step = await auth.idx.proceed({ methodType: 'sms', phoneNumber: '+4915112345603' });
  claimEqual(asked(step), ['enroll-authenticator', ['verificationCode']], 'to which a code is sent');
  step = await auth.idx.proceed({ verificationCode: await code(other, 'sms') });
  await signedIn(auth, step, other);
  await undo();
  await undone();
}

async function recovery() {
  const page = await newPage('Forgotten');
  const person = await newPerson('Klara', 'Forgot', page.app);
  const auth = guided(page);
  let step = await auth.idx.recoverPassword({ username: person.login });
  claimEqual(step.nextStep.name, 'authenticator-verification-data', 'the mail address is offered');
  step = await auth.idx.proceed({ authenticator: AuthenticatorKey.OKTA_EMAIL, methodType: 'email' });
  claimEqual(asked(step), ['challenge-authenticator', ['verificationCode']], 'a code is sent');
  step = await auth.idx.proceed({ verificationCode: '000000' });
  claimEqual(step.messages[0].i18n.key, 'api.authn.error.PASSCODE_INVALID', 'another code is refused');
  step = await auth.idx.proceed({ verificationCode: await code(person, 'email') });
  claimEqual([step.nextStep.name, step.nextStep.inputs[0].name], ['reset-authenticator', 'password'], 'a new password');
  step = await auth.idx.proceed({ password: 'short' });
  claimEqual([step.status, step.nextStep.name], [IdxStatus.PENDING, 'reset-authenticator'], 'not a weak one');
  step = await auth.idx.proceed({ password: NEXT });
  await signedIn(auth, step, person);
  const nobody = guided(page);
  step = await nobody.idx.recoverPassword({ username: 'nobody@acme.example' });
  claimEqual(step.nextStep.name, 'authenticator-verification-data', 'nobody learns whether there is somebody');

  await admin('POST', `/api/v1/users/${person.id}/lifecycle/expire_password`);
  const late = guided(page);
  step = await late.idx.authenticate({ username: person.login, password: NEXT });
  claimEqual([step.nextStep.name, step.nextStep.inputs[0].name], ['reenroll-authenticator', 'newPassword'], 'expired');
  step = await late.idx.proceed({ newPassword: 'A-third-passw0rd' });
  await signedIn(late, step, person);
}

async function registration() {
  const page = await newPage('Newcomers');
  const everyone = (await admin('GET', '/api/v1/groups?q=Everyone'))[0].id;
  await admin('PUT', `/api/v1/apps/${page.app}/groups/${everyone}`, {});
  const closed = guided(page);
  await failure(closed.idx.register({}), 'where the policy says nothing, nobody registers');
  const [found] = await admin('GET', '/api/v1/policies?type=PROFILE_ENROLLMENT');
  const [rule] = await admin('GET', `/api/v1/policies/${found.id}/rules`);
  rule.actions.profileEnrollment.unknownUserAction = 'REGISTER';
  await admin('PUT', `/api/v1/policies/${found.id}/rules/${rule.id}`, rule);

  const auth = guided(page);
  let step = await auth.idx.register();
  claimEqual(asked(step), ['enroll-profile', ['email', 'firstName', 'lastName']], 'the form is the policy’s');
  const login = 'lotte.neu@acme.example';
  step = await auth.idx.register({ firstName: 'Lotte', lastName: 'Neu', email: login });
  claimEqual(step.nextStep.name, 'select-authenticator-enroll', 'the mail address and a password come next');
  step = await auth.idx.proceed({ authenticator: AuthenticatorKey.OKTA_EMAIL });
  claimEqual(asked(step), ['enroll-authenticator', ['verificationCode']], 'a code by mail');
  step = await auth.idx.proceed({ verificationCode: await code({ login }, 'email') });
  step = await auth.idx.proceed({ authenticator: AuthenticatorKey.OKTA_PASSWORD });
  claimEqual(asked(step), ['enroll-authenticator', ['password']], 'then a password');
  step = await auth.idx.proceed({ password: PASSWORD });
  const made = await admin('GET', `/api/v1/users/${login}`);
  await signedIn(auth, step, { id: made.id, login });
  claimEqual([made.status, made.profile.lastName], ['ACTIVE', 'Neu'], 'there is somebody new');

  const again = guided(page);
  step = await again.idx.register({ firstName: 'Lotte', lastName: 'Neu', email: login });
  claimEqual(step.messages[0].i18n.key, 'registration.error.notUniqueWithinOrg', 'but once');
  rule.actions.profileEnrollment.unknownUserAction = 'DENY';
  await admin('PUT', `/api/v1/policies/${found.id}/rules/${rule.id}`, rule);
}

/** Lets the custom server give tokens for interaction codes. */
async function allowInteraction() {
  const policies = '/api/v1/authorizationServers/default/policies';
  const [first] = await admin('GET', policies);
  const [rule] = await admin('GET', `${policies}/${first.id}/rules`);
  rule.conditions.grantTypes.include.push('interaction_code');
  await admin('PUT', `${policies}/${first.id}/rules/${rule.id}`, rule);
  claim(rule.conditions.grantTypes.include.length > 1, 'the rule is changed');
}

await run(
  allowInteraction,
  authenticationApi,
  authenticationApiStepByStep,
  passwordOnly,
  identifierFirst,
  furtherFactors,
  prompts,
  enrolment,
  recovery,
  registration,
  cancelledAndExpired,
);
