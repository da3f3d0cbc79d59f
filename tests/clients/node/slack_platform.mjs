// @slack/bolt and @slack/web-api, unmodified, in the corners of Slack's platform: functions, assistants, streams,
// options, home tabs, files by the dozen, and installations whose tokens turn over.

import bolt from '@slack/bolt';
import oauth from '@slack/oauth';
import { WebClient } from '@slack/web-api';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { all, claim, claimEqual, eventually, failure, run } from './claims.mjs';
import { act, state } from './dtu_control.mjs';
import { logger } from './quiet.mjs';

const { App, Assistant } = bolt;
const { FileInstallationStore, InstallProvider } = oauth;
const { SLACK_API_URL, SLACK_APP_TOKEN, SLACK_BOT_TOKEN } = process.env;
const clientOptions = { slackApiUrl: SLACK_API_URL };
const APP = 'dtu-tester';
const INSTALLER = 'dana';
const EATER = 'lena';

const slack = new WebClient(SLACK_BOT_TOKEN, { ...clientOptions, logger });

await act(INSTALLER, 'slack.admin.configure_app', {
  app: APP,
  socket_mode: true,
  events: ['message.im', 'function_executed', 'assistant_thread_started', 'assistant_thread_context_changed'],
});

const newApp = () =>
  new App({ token: SLACK_BOT_TOKEN, appToken: SLACK_APP_TOKEN, socketMode: true, clientOptions, logger });

/** Runs an app over a socket while `during` runs. */
async function serving(app, during) {
  const sockets = async () => (await state('slack', 'apps')).find((row) => row.key === APP).sockets;
  await app.start();
  await eventually(async () => (await sockets()) === 1, 'the app is connected');
  try {
    await during();
  } finally {
    await app.stop();
  }
  await eventually(async () => (await sockets()) === 0, 'the app has gone');
}

const channel = async (name) => (await state('slack', 'channels')).find((row) => row.name === name).id;
const rows = async (view, fits) => {
  const found = (await state('slack', view)).filter(fits);
  return found.length > 0 && found;
};

async function functionsAreCompletedAndFail() {
  await act(INSTALLER, 'slack.admin.define_function', {
    app: APP,
    callback_id: 'weigh',
    title: 'Weigh',
    input_parameters: [{ name: 'dish', type: 'string', is_required: true }],
    output_parameters: [{ name: 'grams', type: 'number' }],
  });
  const app = newApp();
  app.function('weigh', async ({ inputs, complete, fail }) => {
    if (inputs.dish === 'stone') await fail({ error: 'not to be eaten' });
    else await complete({ outputs: { grams: 20 } });
  });
  const weigh = (dish) => act(EATER, 'slack.user.run_function', { app: APP, callback_id: 'weigh', inputs: { dish } });
  const over = async (outcome) => {
    const found = await eventually(() => rows('function_executions', (row) => row.outcome?.[outcome]), outcome);
    return found[0].outcome[outcome];
  };
  await serving(app, async () => {
    await weigh('egg');
    claimEqual(await over('completed'), { grams: 20 }, 'a step is over, with what comes out of it');
    await weigh('stone');
    claimEqual(await over('failed'), 'not to be eaten', 'another fails and says why');
  });
}

async function assistantsSuggestAndStream() {
  const app = newApp();
  app.assistant(
    new Assistant({
      threadStarted: async ({ say, setSuggestedPrompts, setTitle }) => {
        await say('What shall it be?');
        await setTitle('Supper');
        await setSuggestedPrompts({ prompts: [{ title: 'Soup', message: 'Tell me about soup' }] });
      },
      threadContextChanged: async () => {},
      userMessage: async ({ setStatus, sayStream }) => {
        await setStatus('is stirring...');
        const stream = sayStream({ buffer_size: 8 });
        for (const part of ['Soup ', 'is ', '**mostly** ', 'water.']) await stream.append({ markdown_text: part });
        await stream.stop();
      },
    }),
  );
  await serving(app, async () => {
    const opened = await act(EATER, 'slack.user.open_assistant', { app: APP });
    const said = (text) => eventually(() => rows('messages', (row) => row.text.includes(text)), text);
    await said('What shall it be?');
    await eventually(() => rows('assistants', (row) => JSON.stringify(row).includes('Soup')), 'something is suggested');
    await act(EATER, 'slack.user.pick_prompt', { app: APP, thread_ts: opened.thread_ts, title: 'Soup' });
    const [whole] = await said('mostly* water.');
    claimEqual(whole.thread_ts, opened.thread_ts, 'the answer comes in pieces, and is whole in the end');
  });
}

async function optionsAreLoaded() {
  const app = newApp();
  const chosen = [];
  app.options('dish', async ({ ack, payload }) => {
    const dishes = ['Soup', 'Salad', 'Bread'].filter((dish) => dish.toLowerCase().startsWith(payload.value));
    await ack({ options: dishes.map((text) => ({ text: { type: 'plain_text', text }, value: text.toLowerCase() })) });
  });
  app.action('dish', async ({ ack, action }) => {
    await ack();
    chosen.push(action.selected_option.value);
  });
  const select = {
    type: 'external_select',
    action_id: 'dish',
    min_query_length: 1,
    placeholder: { type: 'plain_text', text: 'Dish' },
  };
  await serving(app, async () => {
    const blocks = [{ type: 'actions', elements: [select] }];
    const { ts } = await slack.chat.postMessage({ channel: await channel('general'), text: 'Choose', blocks });
    const where = { channel: 'general', message_ts: ts, action_id: 'dish' };
    await act(EATER, 'slack.user.look_up', { ...where, value: 's' });
    const pick = (value) =>
      act(EATER, 'slack.user.use', { ...where, value }).then(
        () => true,
        () => false,
      );
    await eventually(() => pick('Soup'), 'what fits is offered, and picked');
    claim(!(await pick('Bread')), 'and nothing else');
    await eventually(() => chosen[0] === 'soup', 'the choice is told');
  });
}

async function homeTabsHaveHashes() {
  const { user } = await slack.users.lookupByEmail({ email: 'lena.fischer@acme.example' });
  const view = { type: 'home', blocks: [{ type: 'section', text: { type: 'mrkdwn', text: 'Menu' } }] };
  const first = await slack.views.publish({ user_id: user.id, view });
  await slack.views.publish({ user_id: user.id, view, hash: first.view.hash });
  const late = await failure(slack.views.publish({ user_id: user.id, view, hash: first.view.hash }), 'is too late');
  claimEqual(late.data.error, 'hash_conflict', 'an old hash is refused');
}

async function filesComeByTheDozen() {
  const place = await channel('general');
  const file_uploads = [0, 1, 2].map((n) => ({ file: Buffer.from(`number ${n}`), filename: `${n}.txt`, title: `F${n}` }));
  const told = await slack.filesUploadV2({ channel_id: place, initial_comment: 'three files', file_uploads });
  const files = told.files.flatMap((one) => one.files);
  claimEqual(files.length, 3, 'all are told');
  const history = async () => (await slack.conversations.history({ channel: place, limit: 20 })).messages;
  const shared = async () => (await history()).find((row) => row.text === 'three files');
  const message = await eventually(shared, 'they are shared a little later');
  claimEqual(message.files.map((file) => file.title).sort(), ['F0', 'F1', 'F2'], 'in one message');
  const fewer = await slack.chat.update({ channel: place, ts: message.ts, text: 'one', file_ids: [message.files[0].id] });
  claimEqual(fewer.message.files.length, 1, 'an update shows others');
}

async function listsComeInPages() {
  const pages = await all(slack.paginate('conversations.list', { limit: 2 }));
  const names = pages.flatMap((page) => page.channels.map((row) => row.name));
  claim(names.length > 4 && new Set(names).size === names.length, 'all channels, each once');
}

async function installationsTurnOver() {
  const redirect = 'http://127.0.0.1:9/slack/oauth_redirect';
  await act(INSTALLER, 'slack.admin.distribute_app', { app: APP, redirect_urls: [redirect], token_rotation: true });
  const row = (await state('slack', 'apps')).find((app) => app.key === APP);
  const baseDir = mkdtempSync(join(tmpdir(), 'slack-'));
  const provider = new InstallProvider({
    clientId: row.client_id,
    clientSecret: row.client_secret,
    stateVerification: false,
    installationStore: new FileInstallationStore({ baseDir }),
    clientOptions,
    logger,
  });
  const allowed = await act(EATER, 'slack.user.install_app', { app: APP, scopes: ['chat:write'], redirect_uri: redirect });
  const shown = [];
  const request = { url: `/slack/oauth_redirect?code=${allowed.code}&state=`, headers: { host: '127.0.0.1:9' } };
  const response = { setHeader() {}, writeHead() {}, end: (text) => shown.push(text) };
  const callbackOptions = {
    success: (installation) => shown.push(installation),
    failure: (error) => shown.push(error),
  };
  await provider.handleCallback(request, response, callbackOptions, { scopes: ['chat:write'], redirectUri: redirect });
  const installed = shown.find((one) => one?.bot);
  claim(installed?.bot.token.startsWith('xoxe.xoxb-'), `the app is installed, with a token that ends: ${shown}`);
  // As if its twelve hours were over but for one.
  installed.bot.expiresAt = Math.floor(Date.now() / 1000) + 3600;
  await provider.installationStore.storeInstallation(installed, logger);
  const source = { teamId: installed.team.id, userId: installed.user.id, isEnterpriseInstall: false };
  const { botToken } = await provider.authorize(source);
  claim(botToken !== installed.bot.token, 'the token is turned over in time');
  claim((await new WebClient(botToken, clientOptions).auth.test()).ok, 'and works');
  const again = await provider.authorize(source);
  claimEqual(again.botToken, botToken, 'the store has it');
  rmSync(baseDir, { recursive: true });
}

await run(
  functionsAreCompletedAndFail,
  assistantsSuggestAndStream,
  optionsAreLoaded,
  homeTabsHaveHashes,
  filesComeByTheDozen,
  listsComeInPages,
  // Last: tokens of the app end from then on.
  installationsTurnOver,
);
