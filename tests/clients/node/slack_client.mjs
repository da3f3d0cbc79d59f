// @slack/web-api, unmodified, against Slack's twin.

import { createHmac } from 'node:crypto';

import slackWebApi from '@slack/web-api';

import { all, claim, claimEqual, eventually, failure, run } from './claims.mjs';
import { act, state, withFault } from './dtu_control.mjs';
import { ok, withListener } from './listener.mjs';
import { logger } from './quiet.mjs';

const { ErrorCode, WebClient, WebClientEvent } = slackWebApi;
const { SLACK_API_URL, SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET } = process.env;

// The app whose token this is, and who installed it.
const APP = 'dtu-tester';
const INSTALLER = 'dana';

const LENA = 'lena.fischer@acme.example';

const BUTTON_BLOCKS = [
  { type: 'section', text: { type: 'mrkdwn', text: '*Lunch?*' } },
  {
    type: 'actions',
    block_id: 'choice',
    elements: [{ type: 'button', action_id: 'supper_yes', text: { type: 'plain_text', text: 'Yes' }, value: 'yes' }],
  },
];

/** A client. Its own log is quiet, since refusals are wanted here; it retries without long waits. */
function client(token = SLACK_BOT_TOKEN, options = {}) {
  return new WebClient(token, {
    slackApiUrl: SLACK_API_URL,
    retryConfig: { retries: 2, minTimeout: 10 },
    logger,
    ...options,
  });
}

const slack = client();

/** Says that a call is refused with a code; gives the answer. */
async function claimRefused(code, call) {
  const error = await failure(call, `${code} is thrown`);
  claimEqual([error.code, error.data?.error], [ErrorCode.PlatformError, code], `the refusal is ${code}`);
  return error.data;
}

/** The id of a channel, seen or not by the app. */
async function channelId(name) {
  const channels = await state('slack', 'channels');
  return channels.find((channel) => channel.name === name).id;
}

async function userId(email) {
  const { user } = await slack.users.lookupByEmail({ email });
  return user.id;
}

async function tellWhoTheyAre() {
  const me = await slack.auth.test();
  claimEqual(
    [me.team, me.url, me.user],
    ['Acme', 'https://acme-corp.slack.com/', 'dtutester'],
    'auth.test knows its token',
  );
  claim(me.response_metadata.scopes.includes('chat:write'), "the token's scopes are read from a header");
  const posted = await slack.chat.postMessage({ channel: '#general', text: 'hello' });
  claimEqual(posted.response_metadata.acceptedScopes, ['chat:write'], 'so are the scopes that a method accepts');
  const echo = await slack.api.test({ foo: 'bar' });
  claimEqual(echo.args.foo, 'bar', 'api.test echoes its arguments');
  await claimRefused('not_authed', client('').auth.test());
  await claimRefused('invalid_auth', client('xoxb-not-a-token').auth.test());
  const unknown = await claimRefused('unknown_method', slack.apiCall('users.fly'));
  claimEqual(unknown.req_method, 'users.fly', 'an unknown method is named');
}

async function findPeople() {
  const pages = await all(slack.paginate('users.list', { limit: 10 }));
  claim(
    pages.length > 3 && pages.every((page) => page.members.length <= 10),
    'users.list comes in pages of at most ten',
  );
  const ids = pages.flatMap((page) => page.members.map((member) => member.id));
  const whole = await slack.users.list({});
  claimEqual(
    ids,
    whole.members.map((member) => member.id),
    'the pages together are the whole list',
  );
  claimEqual(new Set(ids).size, ids.length, 'nobody is on two pages');
  const stopped = await slack.paginate(
    'users.list',
    { limit: 10 },
    () => true,
    (sum = 0, page) => sum + page.members.length,
  );
  claimEqual(stopped, 10, 'paging stops where it is told to');

  const { user } = await slack.users.lookupByEmail({ email: LENA });
  claimEqual([user.profile.email, user.deleted, user.is_bot], [LENA, false, false], 'lookupByEmail finds its person');
  const info = await slack.users.info({ user: user.id, include_locale: true });
  claimEqual(info.user.real_name, 'Lena Fischer', 'a boolean argument is taken');
  await claimRefused('users_not_found', slack.users.lookupByEmail({ email: 'nobody@acme.example' }));
  await claimRefused('user_not_found', slack.users.info({ user: 'U00000000' }));
}

async function keepChannels() {
  const lena = await userId(LENA);
  const { channel } = await slack.conversations.create({ name: 'node-lunch' });
  claimEqual([channel.id[0], channel.is_private, channel.is_member], ['C', false, true], 'a channel is made');
  const hidden = await slack.conversations.create({ name: 'node-secrets', is_private: true });
  claim(hidden.channel.is_private, 'a private channel is made');
  await claimRefused('name_taken', slack.conversations.create({ name: 'node-lunch' }));
  await claimRefused('invalid_name_specials', slack.conversations.create({ name: 'Lunch Time' }));
  await slack.conversations.invite({ channel: channel.id, users: lena });
  await claimRefused('already_in_channel', slack.conversations.invite({ channel: channel.id, users: lena }));
  const { members } = await slack.conversations.members({ channel: channel.id });
  claim(members.includes(lena) && members.length === 2, 'an invited person is a member');
  await slack.conversations.join({ channel: await channelId('random') });
  const again = await slack.conversations.join({ channel: await channelId('random') });
  claimEqual(again.response_metadata.warnings, ['already_in_channel'], 'joining twice warns');
  const info = await slack.conversations.info({ channel: channel.id, include_num_members: true });
  claimEqual(info.channel.num_members, 2, 'members are counted');
  await claimRefused('channel_not_found', slack.conversations.info({ channel: await channelId('finance-private') }));

  const list = slack.paginate('conversations.list', {
    limit: 3,
    types: 'public_channel,private_channel',
    exclude_archived: true,
  });
  const names = (await all(list)).flatMap((page) => page.channels.map((row) => row.name));
  claim(
    ['general', 'node-lunch', 'node-secrets'].every((name) => names.includes(name)),
    'conversations.list pages through all',
  );
  claim(
    !names.includes('finance-private') && !names.includes('project-atlas-2024'),
    'hidden and archived ones are left out',
  );
  claimEqual(new Set(names).size, names.length, 'no channel is on two pages');
}

async function talk() {
  const me = await slack.auth.test();
  const { channel } = await slack.conversations.create({ name: 'node-talk' });
  const place = channel.id;
  const first = await slack.chat.postMessage({
    channel: place,
    text: 'Soup & salad – <https://acme.example/menu|menu> 🥗',
    blocks: BUTTON_BLOCKS,
  });
  claimEqual([first.channel, first.message.ts], [place, first.ts], 'the answer says where and when');
  claimEqual([first.message.user, first.message.bot_id], [me.user_id, me.bot_id], 'and from whom');
  claimEqual(
    first.message.blocks.map((block) => block.type),
    ['section', 'actions'],
    'blocks within a form are read',
  );
  const marked = await slack.chat.postMessage({
    channel: place,
    text: 'noted',
    metadata: { event_type: 'noted', event_payload: { n: 1 } },
  });
  const [seen] = (await slack.conversations.history({ channel: place, limit: 1, include_all_metadata: true })).messages;
  claimEqual([seen.ts, seen.metadata.event_payload.n], [marked.ts, 1], 'metadata comes back');

  const reply = await slack.chat.postMessage({ channel: place, text: 'reply', thread_ts: first.ts });
  await slack.chat.postMessage({ channel: place, text: 'told to all', thread_ts: first.ts, reply_broadcast: true });
  const { messages: thread } = await slack.conversations.replies({ channel: place, ts: first.ts });
  claimEqual(
    thread.slice(0, 2).map((message) => message.ts),
    [first.ts, reply.ts],
    'a thread is told oldest first',
  );
  claimEqual([thread[0].reply_count, thread[2].subtype], [2, 'thread_broadcast'], 'with its count and kinds');
  const history = (await all(slack.paginate('conversations.history', { channel: place, limit: 2 }))).flatMap(
    (page) => page.messages,
  );
  claimEqual(
    history.map((message) => message.text).slice(0, 2),
    ['told to all', 'noted'],
    'history is told newest first',
  );
  claim(!history.some((message) => message.ts === reply.ts), 'replies are not in the history');

  const edited = await slack.chat.update({ channel: place, ts: first.ts, text: 'Soup only' });
  claimEqual(
    [edited.text, edited.message.blocks?.some((block) => block.type === 'actions') ?? false],
    ['Soup only', false],
    'an edit without blocks drops them',
  );
  const lena = await userId(LENA);
  await slack.conversations.invite({ channel: place, users: lena });
  const shown = await slack.chat.postEphemeral({ channel: place, user: lena, text: 'only you' });
  claim(Number(shown.message_ts) > 0, 'postEphemeral answers with a time');
  const direct = await slack.conversations.open({ users: lena, return_im: true });
  claimEqual([direct.channel.id[0], direct.channel.user], ['D', lena], 'a direct message is opened');
}

async function beRefused() {
  const general = await channelId('general');
  const post = (more) => slack.chat.postMessage({ channel: general, text: 'x', ...more });
  await claimRefused('channel_not_found', post({ channel: 'C00000000' }));
  await claimRefused('no_text', post({ text: '' }));
  await claimRefused('is_archived', post({ channel: await channelId('project-atlas-2024') }));
  const bad = await claimRefused('invalid_blocks', post({ blocks: [{ type: 'section' }] }));
  claim(bad.response_metadata.messages[0].startsWith('[ERROR] '), 'bad blocks are explained');
  await claimRefused('message_not_found', slack.chat.update({ channel: general, ts: '1.000001', text: 'x' }));
  const others = await act('lena', 'slack.user.post', { channel: '#general', text: 'mine alone' });
  await claimRefused('cant_update_message', slack.chat.update({ channel: general, ts: others.ts, text: 'x' }));
  await claimRefused('thread_not_found', slack.conversations.replies({ channel: general, ts: '1.000001' }));
}

async function waitWhenTold() {
  const on = { twin: 'slack', operation: 'users.info' };
  const call = () => slack.users.info({ user: 'USLACKBOT' });
  const busy = { rate_limited: { retry_after: '1s' } };
  const waits = [];
  slack.on(WebClientEvent.RATE_LIMITED, (seconds) => waits.push(seconds));
  const start = Date.now();
  const answer = await withFault(busy, on, call);
  claimEqual([answer.ok, waits], [true, [1]], 'the client waits as told and tries again');
  claim(Date.now() - start >= 1000, 'it did wait');
  const hasty = client(SLACK_BOT_TOKEN, { rejectRateLimitedCalls: true });
  const error = await withFault(busy, on, () =>
    failure(hasty.users.info({ user: 'USLACKBOT' }), 'a hasty client is refused'),
  );
  claimEqual([error.code, error.retryAfter], [ErrorCode.RateLimitedError, 1], 'with the seconds to wait');
  claim((await withFault({ proxy_page: { status: 503 } }, on, call)).ok, 'the client tries again after 503');
  claim((await withFault({ reset: {} }, on, call)).ok, 'and after a reset connection');
  const once = client(SLACK_BOT_TOKEN, { retryConfig: { retries: 0 } });
  const page = await withFault({ proxy_page: { status: 502 } }, on, () =>
    failure(once.users.info({ user: 'USLACKBOT' }), 'a proxy is in the way'),
  );
  claimEqual([page.code, page.statusCode], [ErrorCode.HTTPError, 502], 'its page is an HTTP error');
  const failed = withFault({ error: { code: 'internal_error' } }, on, () => failure(call(), 'the service fails'));
  claimEqual((await failed).data.error, 'internal_error', 'in its own words');
}

/** Says that a request carries Slack's signature. */
function claimSigned({ headers, body, path }) {
  const stamp = headers['x-slack-request-timestamp'];
  claim(Math.abs(Date.now() / 1000 - Number(stamp)) < 300, 'the request is fresh');
  const digest = createHmac('sha256', SLACK_SIGNING_SECRET).update(`v0:${stamp}:${body}`).digest('hex');
  claimEqual(headers['x-slack-signature'], `v0=${digest}`, `the request to ${path} is signed`);
}

/** Answers through a `response_url`, as an app does. */
async function respond(url, message) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(message),
  });
  return [response.status, await response.text()];
}

async function answerPeople() {
  const general = await channelId('general');
  const command = () => ({ status: 200, type: 'text/plain', body: 'Working on supper.' });
  const { form, payload, posted } = await withListener({ command, click: ok }, async (app) => {
    const where = { app: APP, commands: { '/supper': app.url('command') }, interactivity_url: app.url('click') };
    await act(INSTALLER, 'slack.admin.configure_app', where);
    await act('lena', 'slack.user.slash', { channel: '#general', command: '/supper', text: 'for two' });
    const [typed] = await app.wait('command');
    claimSigned(typed);
    const shown = async () => (await state('slack', 'ephemerals')).find((row) => row.text === 'Working on supper.');
    claimEqual((await eventually(shown, 'the plain answer is shown')).to, LENA, 'to the person alone');
    const posted = await slack.chat.postMessage({ channel: general, text: 'Supper?', blocks: BUTTON_BLOCKS });
    await act('lena', 'slack.user.click', { channel: '#general', action_id: 'supper_yes' });
    const [clicked] = await app.wait('click');
    claimSigned(clicked);
    const payload = JSON.parse(new URLSearchParams(clicked.body).get('payload'));
    return { form: new URLSearchParams(typed.body), payload, posted };
  });
  claimEqual(
    [form.get('command'), form.get('text'), form.get('channel_id')],
    ['/supper', 'for two', general],
    'a command is told',
  );
  claimEqual(
    await respond(form.get('response_url'), { text: 'For two.', response_type: 'in_channel' }),
    [200, 'ok'],
    'it is answered later',
  );
  const [newest] = (await slack.conversations.history({ channel: general, limit: 1 })).messages;
  claimEqual(newest.text, 'For two.', 'the channel sees the answer');

  claimEqual([payload.type, payload.message.ts], ['block_actions', posted.ts], 'a click is told');
  claimEqual([payload.actions[0].action_id, payload.actions[0].value], ['supper_yes', 'yes'], 'with its button');
  claimEqual(await respond(payload.response_url, { delete_original: true }), [200, 'ok'], 'the message is taken back');
  const { messages } = await slack.conversations.history({ channel: general, limit: 5 });
  claim(!messages.some((message) => message.ts === posted.ts), 'and is gone');
}

async function hearEvents() {
  const events = ({ body }) => ({
    status: 200,
    type: 'application/json',
    body: JSON.stringify({ challenge: JSON.parse(body).challenge }),
  });
  await withListener({ events }, async (app) => {
    const where = { app: APP, events_url: app.url('events'), events: ['app_mention', 'message.im'] };
    await act(INSTALLER, 'slack.admin.configure_app', where);
    await eventually(
      async () => (await state('slack', 'apps')).find((row) => row.key === APP).verified,
      'the address is verified',
    );
    const me = await slack.auth.test();
    await act('lena', 'slack.user.post', { channel: '#general', text: `<@${me.user_id}> are you there?` });
    const [, mention] = await app.wait('events', 2);
    claimSigned(mention);
    const { event, authorizations } = JSON.parse(mention.body);
    claimEqual([event.type, authorizations[0].user_id], ['app_mention', me.user_id], 'a mention is told');
    await act('lena', 'slack.user.post', { channel: `@${APP}`, text: 'psst' });
    const [, , direct] = await app.wait('events', 3);
    const { event: inner } = JSON.parse(direct.body);
    claimEqual([inner.type, inner.channel_type, inner.text], ['message', 'im', 'psst'], 'a direct message is told');
    await act(INSTALLER, 'slack.admin.configure_app', { app: APP, events_url: '', events: [] });
  });
}

await run(tellWhoTheyAre, findPeople, keepChannels, talk, beRefused, waitWhenTold, answerPeople, hearEvents);
