// @slack/socket-mode and @slack/bolt, unmodified, against Slack's twin.

import bolt from '@slack/bolt';
import socketMode from '@slack/socket-mode';

import { claim, claimEqual, eventually, run } from './claims.mjs';
import { act, arm, disarm, state } from './dtu_control.mjs';
import { logger } from './quiet.mjs';

const { App } = bolt;
const { SocketModeClient } = socketMode;
const { SLACK_API_URL, SLACK_APP_TOKEN, SLACK_BOT_TOKEN } = process.env;
const APP = 'dtu-tester';
const INSTALLER = 'dana';
const clientOptions = { slackApiUrl: SLACK_API_URL };

await act(INSTALLER, 'slack.admin.configure_app', {
  app: APP,
  socket_mode: true,
  events: ['message.channels', 'app_mention'],
  commands: { '/dtu': '' },
});

/** How many sockets the app has open. */
async function sockets() {
  return (await state('slack', 'apps')).find((app) => app.key === APP).sockets;
}

let said = 0;

/** A person says something nobody has said before; gives it. */
async function say() {
  said += 1;
  const text = `hello number ${said}`;
  await act('lena', 'slack.user.post', { channel: 'general', text });
  return text;
}

const shown = async (view, text) => (await state('slack', view)).find((row) => row.text === text);

/** Whether a person can do something, which is done then. */
async function can(verb, with_) {
  try {
    await act('lena', verb, with_);
    return true;
  } catch {
    return false;
  }
}

async function eventsCommandsAndReconnection() {
  const client = new SocketModeClient({ appToken: SLACK_APP_TOKEN, clientOptions, logger });
  const came = [];
  let connections = 0;
  client.on('connected', () => {
    connections += 1;
  });
  client.on('message', async ({ ack, body, event, retry_num: retry }) => {
    came.push({ body, text: event.text, retry });
    await ack();
  });
  client.on('slash_commands', async ({ ack, body }) => {
    came.push({ body });
    await ack({ text: 'done at once' });
  });
  await client.start();
  claimEqual(await sockets(), 1, 'the client is connected');
  const first = await say();
  await eventually(() => came.some((row) => row.text === first), 'an event comes over the socket');
  claimEqual([came[0].body.type, came[0].retry], ['event_callback', 0], 'for the first time');
  await act('lena', 'slack.user.slash', { channel: 'general', command: '/dtu', text: 'now' });
  await eventually(() => shown('ephemerals', 'done at once'), 'what the app answers is shown');
  const close = { every: '1s', code: 1000, announced: true };
  await arm({ id: 'flap', on: { twin: 'slack' }, do: { close_socket: close }, times: 1 });
  await eventually(() => connections > 1, 'the client connects anew', 30);
  await eventually(async () => (await sockets()) === 1, 'the old socket is gone');
  claimEqual(await disarm('flap'), 1, 'the rule has closed one socket');
  const second = await say();
  await eventually(() => came.some((row) => row.text === second), 'events come over the new socket');
  await client.disconnect();
  await eventually(async () => (await sockets()) === 0, 'the socket is closed');
}

async function unacknowledgedEventsComeAgain() {
  const client = new SocketModeClient({ appToken: SLACK_APP_TOKEN, clientOptions, logger });
  const came = [];
  client.on('message', async ({ ack, event, retry_num: retry, retry_reason: reason }) => {
    came.push([event.text, retry, reason]);
    if (retry > 0) await ack();
  });
  await client.start();
  const text = await say();
  await eventually(() => came.length > 1, 'the event comes again');
  claimEqual(came, [[text, 0, ''], [text, 1, 'timeout']], 'and says why');
  await client.disconnect();
}

/** A window with one field. */
const ORDER = {
  type: 'modal',
  callback_id: 'order',
  title: { type: 'plain_text', text: 'Order' },
  submit: { type: 'plain_text', text: 'Send' },
  blocks: [
    {
      type: 'input',
      block_id: 'dish',
      label: { type: 'plain_text', text: 'Dish' },
      element: { type: 'plain_text_input', action_id: 'name' },
    },
  ],
};

async function aWholeAppInBolt() {
  const seen = [];
  const app = new App({ token: SLACK_BOT_TOKEN, appToken: SLACK_APP_TOKEN, socketMode: true, clientOptions, logger });
  app.command('/dtu', async ({ ack, body, client }) => {
    await ack(`on it, ${body.text}`);
    const button = { type: 'button', action_id: 'yes', value: '1', text: { type: 'plain_text', text: 'Yes' } };
    const blocks = [{ type: 'actions', elements: [button] }];
    await client.chat.postMessage({ channel: body.channel_id, text: 'Lunch?', blocks });
  });
  app.action('yes', async ({ ack, body, client, respond }) => {
    await ack();
    await respond({ text: 'Lunch it is', replace_original: true });
    await client.views.open({ trigger_id: body.trigger_id, view: ORDER });
  });
  app.view('order', async ({ ack, view }) => {
    const dish = view.state.values.dish.name.value;
    if (dish === 'stone') {
      await ack({ response_action: 'errors', errors: { dish: 'not to be eaten' } });
      return;
    }
    await ack();
    seen.push(dish);
  });
  app.message('lunch', async ({ message, say: reply }) => {
    await reply({ text: 'again?', thread_ts: message.ts });
  });
  await app.start();
  await eventually(async () => (await sockets()) === 1, 'the app is connected');
  await act('lena', 'slack.user.slash', { channel: 'general', command: '/dtu', text: 'boss' });
  await eventually(() => shown('ephemerals', 'on it, boss'), 'the acknowledgement is shown');
  await eventually(() => shown('messages', 'Lunch?'), 'the app posts');
  await act('lena', 'slack.user.click', { channel: 'general', label: 'Yes' });
  await eventually(() => shown('messages', 'Lunch it is'), 'the message is replaced');
  await eventually(() => can('slack.user.use', { label: 'Dish', value: 'stone' }), 'a window opens');
  await act('lena', 'slack.user.submit', {});
  await eventually(() => can('slack.user.use', { label: 'Dish', value: 'soup' }), 'the window stays open');
  await act('lena', 'slack.user.submit', {});
  await eventually(() => seen.length > 0, 'the app is told what was submitted');
  claimEqual(seen, ['soup'], 'and only what it took');
  await act('lena', 'slack.user.post', { channel: 'general', text: 'is it lunch yet' });
  const answer = await eventually(() => shown('messages', 'again?'), 'the app replies');
  claim(answer.thread_ts, 'in a thread');
  await app.stop();
  await eventually(async () => (await sockets()) === 0, 'the app has gone');
}

await run(eventsCommandsAndReconnection, unacknowledgedEventsComeAgain, aWholeAppInBolt);
