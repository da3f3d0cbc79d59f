// @okta/okta-sdk-nodejs, unmodified, against Okta's twin.

import { readFileSync } from 'node:fs';

import okta from '@okta/okta-sdk-nodejs';

import { all, claim, claimEqual, failure, run } from './claims.mjs';
import { act, withFault } from './dtu_control.mjs';
import { withListener } from './listener.mjs';
import * as flows from './okta_flows.mjs';
import { claimRefused, client, newUser, withPassword } from './okta_sdk.mjs';

const LENA = 'lena.fischer@acme.example';
const TAKEN = 'An object with this field already exists in the current organization';

const { userApi, groupApi, systemLogApi, eventHookApi } = client();

/** The logins' short forms of those that a list gives. */
async function logins(query) {
  const users = await all(await userApi.listUsers(query));
  return users.map((user) => user.profile.login.split('@')[0]);
}

async function listPeople() {
  const paged = await all(await userApi.listUsers({ limit: 10 }));
  const whole = await all(await userApi.listUsers({}));
  claim(paged.length > 30, 'the collection goes on over pages');
  claimEqual(
    paged.map((user) => user.id),
    whole.map((user) => user.id),
    'pages together are the whole list',
  );
  claim(
    whole.every((user) => user.id.startsWith('00u') && user.status !== 'DEPROVISIONED'),
    'people who left are not listed',
  );
  const met = [];
  await (await userApi.listUsers({ limit: 5 })).each((user) => met.push(user.id) < 7);
  claimEqual(
    met,
    whole.slice(0, 7).map((user) => user.id),
    'each() stops where it is told to',
  );

  const lena = await userApi.getUser({ userId: LENA });
  claimEqual([lena.profile.firstName, lena.status], ['Lena', 'ACTIVE'], 'a person is found by login');
  claim(lena.created instanceof Date && !Number.isNaN(lena.created.getTime()), 'times are read as times');
  claimEqual((await userApi.getUser({ userId: lena.id })).profile.login, LENA, 'and by id');
  const missing = await claimRefused(404, 'E0000007', userApi.getUser({ userId: 'nobody@acme.example' }));
  claimEqual(missing.errorSummary, 'Not found: Resource not found: nobody@acme.example (User)', 'a miss is named');
  await claimRefused(401, 'E0000011', client({ token: '00not-a-token' }).userApi.getUser({ userId: 'me' }));
}

async function findPeople() {
  claimEqual((await logins({ filter: 'status eq "DEPROVISIONED"' })).sort(), ['kirsten.dahl', 'marcus.bell'], 'filter');
  claimEqual(
    await logins({ search: 'profile.email co "fischer@" and status eq "ACTIVE"' }),
    ['lena.fischer'],
    'search',
  );
  const sorted = await logins({
    search: 'profile.department eq "Design"',
    sortBy: 'profile.lastName',
    sortOrder: 'desc',
    limit: 2,
  });
  claim(sorted.length > 2, 'search is paged');
  claim(sorted.indexOf('omar.haddad') < sorted.indexOf('lena.fischer'), 'and sorted');
  claimEqual(await logins({ q: 'castel' }), ['rob.castellanos'], 'q looks at beginnings of names');
  claimEqual(await logins({ search: `profile.lastName eq "O'Connor"` }), ['siobhan.oconnor'], 'a quote in a value');
  await claimRefused(400, 'E0000031', logins({ filter: 'profile.firstName sw "L"' }));
  await claimRefused(400, 'E0000031', logins({ search: 'status' }));
}

async function leadAPersonThroughLife() {
  const status = async (userId) => (await userApi.getUser({ userId })).status;
  const staged = await userApi.createUser({ body: newUser('Nora', 'Stein'), activate: false });
  claimEqual(staged.status, 'STAGED', 'made without activation');
  const token = await userApi.activateUser({ userId: staged.id, sendEmail: false });
  claim(token.activationToken && token.activationUrl.includes(token.activationToken), 'activation gives a link');
  claimEqual(await status(staged.id), 'PROVISIONED', 'a password is still to be chosen');

  const { id: userId, profile } = await userApi.createUser({
    body: withPassword(newUser('Paulo', 'Reis', { title: 'Buyer' })),
  });
  claimEqual([await status(userId), profile.title], ['ACTIVE', 'Buyer'], 'with a password one is active at once');
  const updated = await userApi.updateUser({ userId, user: { profile: { title: 'Head Buyer' } } });
  claimEqual([updated.profile.title, updated.profile.lastName], ['Head Buyer', 'Reis'], 'POST changes what it names');
  const replaced = await userApi.replaceUser({ userId, user: newUser('Paulo', 'Reis') });
  claim(!replaced.profile.title, 'PUT takes away what it does not name');
  await userApi.suspendUser({ userId });
  claimEqual(await status(userId), 'SUSPENDED', 'suspended');
  await userApi.unsuspendUser({ userId });
  claimEqual(await status(userId), 'ACTIVE', 'unsuspended');
  const remembering = client({ cacheMiddleware: undefined }).userApi;
  await remembering.getUser({ userId });
  await remembering.updateUser({ userId, user: { profile: { nickName: 'Paulinho' } } });
  const remembered = await remembering.getUser({ userId });
  claimEqual(remembered.profile.nickName, 'Paulinho', 'a client that keeps answers sees its own changes');
  const notLocked = await claimRefused(403, 'E0000032', userApi.unlockUser({ userId }));
  claim(notLocked.errorCauses.length > 0, 'the refusal has a cause');
  claimEqual((await userApi.expirePassword({ userId })).status, 'PASSWORD_EXPIRED', 'the password is expired');
  await userApi.deactivateUser({ userId });
  claimEqual(await status(userId), 'DEPROVISIONED', 'deactivated');
  await userApi.deleteUser({ userId });
  await claimRefused(404, 'E0000007', userApi.getUser({ userId }));

  const twice = await claimRefused(400, 'E0000001', userApi.createUser({ body: newUser('Lena', 'Fischer') }));
  claimEqual(
    twice.errorCauses.map((cause) => cause.errorSummary),
    [`login: ${TAKEN}`],
    'a login is taken once',
  );
  const blank = await claimRefused(400, 'E0000001', userApi.createUser({ body: { profile: {} } }));
  const causes = blank.errorCauses.map((cause) => cause.errorSummary);
  const missing = ['login', 'firstName', 'lastName', 'email'].map((name) => `${name}: The field cannot be left blank`);
  claim(
    missing.every((cause) => causes.includes(cause)),
    `each missing field is named: ${causes}`,
  );
  const unknown = await claimRefused(
    400,
    'E0000001',
    userApi.createUser({ body: newUser('Una', 'Known', { shoeSize: '43' }) }),
  );
  claim(unknown.errorCauses[0].errorSummary.includes('shoeSize'), 'an unknown attribute is named');
}

async function keepGroups() {
  const profile = { name: 'film-club', description: 'Sees films' };
  const { id: groupId, type } = await groupApi.createGroup({ group: { profile } });
  claimEqual([groupId.slice(0, 3), type], ['00g', 'OKTA_GROUP'], 'a group is made');
  claimEqual((await groupApi.getGroup({ groupId })).profile.description, 'Sees films', 'it is found');
  const renamed = await groupApi.replaceGroup({ groupId, group: { profile: { name: 'cinema-club' } } });
  claimEqual(renamed.profile.name, 'cinema-club', 'it is renamed');
  const taken = await claimRefused(
    400,
    'E0000001',
    groupApi.createGroup({ group: { profile: { name: 'cinema-club' } } }),
  );
  claimEqual(taken.errorCauses[0].errorSummary, `name: ${TAKEN}`, 'a name is taken once');

  const people = [];
  for (const name of ['lena.fischer', 'omar.haddad', 'rob.castellanos']) {
    const user = await userApi.getUser({ userId: `${name}@acme.example` });
    await groupApi.assignUserToGroup({ groupId, userId: user.id });
    people.push(user.id);
  }
  await groupApi.assignUserToGroup({ groupId, userId: people[0] });
  const members = async () => (await all(await groupApi.listGroupUsers({ groupId, limit: 2 }))).map((user) => user.id);
  claimEqual((await members()).sort(), people.toSorted(), 'members come over pages, nobody twice');
  await groupApi.unassignUserFromGroup({ groupId, userId: people[0] });
  claim(!(await members()).includes(people[0]), 'a member is taken out');
  const theirs = await all(await userApi.listUserGroups({ userId: people[1] }));
  claim(
    ['cinema-club', 'Everyone'].every((name) => theirs.some((group) => group.profile.name === name)),
    'a person knows their groups',
  );

  const names = async (query) => (await all(await groupApi.listGroups(query))).map((group) => group.profile.name);
  claimEqual(await names({ q: 'cinema' }), ['cinema-club'], 'q finds by name');
  const found = await names({ search: 'profile.name sw "aws-prod"' });
  claimEqual(found.sort(), ['aws-prod-admin', 'aws-prod-readonly'], 'search finds by name');
  claimEqual(new Set(await names({ limit: 5 })).size, (await names({})).length, 'groups come over pages');
  await groupApi.deleteGroup({ groupId });
  const missing = await claimRefused(404, 'E0000007', groupApi.getGroup({ groupId }));
  claimEqual(missing.errorSummary, `Not found: Resource not found: ${groupId} (UserGroup)`, 'a miss is named');
}

async function readTheLog() {
  const since = new Date(Date.now() - 1000).toISOString();
  const user = await userApi.createUser({ body: withPassword(newUser('Rosa', 'Lund')) });
  await userApi.deactivateUser({ userId: user.id });
  const until = new Date(Date.now() + 60_000).toISOString();
  const log = (more) => systemLogApi.listLogEvents({ since, until, ...more });
  const mine = await all(await log({ filter: `target.id eq "${user.id}"`, limit: 1 }));
  const wanted = ['user.lifecycle.create', 'user.lifecycle.activate', 'user.lifecycle.deactivate'];
  claimEqual(
    mine.map((event) => event.eventType).filter((type) => wanted.includes(type)),
    wanted,
    'a bounded log is paged to its end',
  );
  claimEqual(
    [mine[0].actor.alternateId, mine[0].outcome.result],
    ['dana.whitfield@acme.example', 'SUCCESS'],
    'who did it, and how it went',
  );
  claim(mine[0].published instanceof Date, 'times are read as times');
  const backwards = await all(await log({ sortOrder: 'DESCENDING' }));
  claim(backwards[0].published >= backwards.at(-1).published, 'the log is read backwards as well');
  const bad = await failure(log({ filter: 'eventType eqq "x"' }).then(all), 'a bad filter is refused');
  claimEqual([bad.status, bad.errorCode], [400, 'E0000053'], 'as the log refuses');
}

async function beToldByHooks() {
  const secret = 'not-a-real-hook-secret';
  const hook = ({ headers }) => {
    const verification = headers['x-okta-verification-challenge'];
    return { status: 200, type: 'application/json', body: JSON.stringify(verification ? { verification } : {}) };
  };
  await withListener({ hook }, async (app) => {
    const config = { uri: app.url('hook'), authScheme: { type: 'HEADER', key: 'Authorization', value: secret } };
    const eventHook = {
      name: 'Group changes',
      events: { type: 'EVENT_TYPE', items: ['group.user_membership.add'] },
      channel: { type: 'HTTP', version: '1.0.0', config },
    };
    const made = await eventHookApi.createEventHook({ eventHook });
    claimEqual([made.id.slice(0, 3), made.verificationStatus], ['who', 'UNVERIFIED'], 'a hook is made');
    claim(!made.channel.config.authScheme.value, 'its secret is not told');
    const eventHookId = made.id;
    claimEqual((await eventHookApi.verifyEventHook({ eventHookId })).verificationStatus, 'VERIFIED', 'it is verified');
    await act('dana', 'okta.admin.add_to_group', { user: LENA, group: 'sandbox-users' });
    const [, told] = await app.wait('hook', 2);
    claimEqual(told.headers.authorization, secret, 'deliveries carry the secret');
    const [event] = JSON.parse(told.body).data.events;
    claimEqual(event.eventType, 'group.user_membership.add', 'with what happened');
    const [group] = await all(await groupApi.listGroups({ q: 'sandbox-users' }));
    claim(
      event.target.some((target) => target.id === group.id),
      'and to what',
    );
    const listed = await all(await eventHookApi.listEventHooks());
    claimEqual(
      listed.map((row) => row.id),
      [eventHookId],
      'the hook is listed',
    );
    await eventHookApi.deactivateEventHook({ eventHookId });
    await eventHookApi.deleteEventHook({ eventHookId });
    await claimRefused(404, 'E0000007', eventHookApi.getEventHook({ eventHookId }));
  });
}

async function waitWhenTold() {
  const on = { twin: 'okta', operation: 'getUser' };
  const call = (api) => api.getUser({ userId: LENA });
  const busy = { rate_limited: { retry_after: '1s' } };
  const waits = [];
  const patient = client();
  patient.requestExecutor.on('backoff', (request, response, requestId, delay) => waits.push({ requestId, delay }));
  const user = await withFault(busy, on, () => call(patient.userApi));
  claimEqual([user.profile.login, waits.length], [LENA, 1], 'the client waits for the reset and tries again');
  claim(
    waits[0].requestId && waits[0].delay > 0 && waits[0].delay <= 3000,
    `for as long as told: ${JSON.stringify(waits)}`,
  );
  const hasty = client({ requestExecutor: new okta.DefaultRequestExecutor({ maxRetries: 0 }) });
  await withFault(busy, on, () => claimRefused(429, 'E0000047', call(hasty.userApi)));
  await withFault({ error: { code: 'E0000009' } }, on, () => claimRefused(500, 'E0000009', call(userApi)));
  const page = await withFault({ proxy_page: { status: 503 } }, on, () =>
    failure(call(userApi), 'a proxy is in the way'),
  );
  claimEqual([page.status, page.errorCode], [503, undefined], "its page is no error of Okta's");
  const unsure = { committed_error: { code: 'E0000009' } };
  const body = newUser('Maybe', 'There');
  await withFault(unsure, { twin: 'okta', operation: 'createUser' }, () =>
    claimRefused(500, 'E0000009', userApi.createUser({ body })),
  );
  claimEqual(
    await logins({ filter: 'profile.login eq "maybe.there@acme.example"' }),
    ['maybe.there'],
    'a failed call may have worked',
  );
}

async function actAsAServiceApp() {
  const privateKey = readFileSync(new URL('../../../fixtures/keys/okta-client.pem', import.meta.url), 'utf8');
  for (const clientId of ['0oaAccessService5d7', '0oaBoundServiceX5d7']) {
    const app = { authorizationMode: 'PrivateKey', clientId, scopes: ['okta.users.read'], privateKey };
    const own = client({ token: undefined, ...app, keyId: 'dtu-okta-client' });
    const met = [];
    await (await own.userApi.listUsers({ limit: 2 })).each((user) => met.push(user.id) < 3);
    claimEqual(met.length, 3, "an app's own token is good for what it was granted");
    const error = await failure(own.groupApi.listGroups({}).then(all), '403 is thrown');
    claimEqual(error.status, 403, 'and for nothing else');
  }
}

await run(
  listPeople,
  findPeople,
  leadAPersonThroughLife,
  keepGroups,
  readTheLog,
  beToldByHooks,
  waitWhenTold,
  actAsAServiceApp,
  ...Object.values(flows),
);
