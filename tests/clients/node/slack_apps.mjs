// @slack/web-api and @slack/bolt, unmodified, each as a whole app against Slack's twin. See slack_supper.

import bolt from '@slack/bolt';
import { WebClient } from '@slack/web-api';

import { claim, claimEqual, run } from './claims.mjs';
import { act, state } from './dtu_control.mjs';
import { ok, withListener } from './listener.mjs';
import { logger } from './quiet.mjs';
import { APP, EATER, INSTALLER, cook, dishOf, eat, errorsOf, orderView, question } from './slack_supper.mjs';

const { App } = bolt;
const { SLACK_API_URL, SLACK_APP_TOKEN, SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET } = process.env;
const clientOptions = { slackApiUrl: SLACK_API_URL };

/** Slack sends what people do to an address. */
const overHttp = (url) =>
  act(INSTALLER, 'slack.admin.configure_app', {
    app: APP,
    socket_mode: false,
    interactivity_url: url,
    commands: { '/supper': url },
  });

async function theWebClientOverHttp() {
  const redirect_uri = 'http://127.0.0.1:9/back';
  await act(INSTALLER, 'slack.admin.distribute_app', { app: APP, redirect_urls: [redirect_uri] });
  const allowed = await act(INSTALLER, 'slack.user.install_app', { app: APP, redirect_uri });
  const { client_id, client_secret, code } = allowed;
  const installed = await new WebClient(undefined, clientOptions).oauth.v2.access({
    client_id,
    client_secret,
    code,
    redirect_uri,
  });
  const client = new WebClient(installed.access_token, clientOptions);
  claimEqual((await client.auth.test()).user_id, installed.bot_user_id, 'the app is installed');

  const submitted = ({ view }) => {
    const errors = errorsOf(dishOf(view));
    if (errors) return JSON.stringify({ response_action: 'errors', errors });
    client.chat.postMessage({ channel: view.private_metadata, ...question(dishOf(view)) });
    return '';
  };
  const slack = ({ body }) => {
    const form = new URLSearchParams(body);
    if (form.has('command')) {
      client.views.open({ trigger_id: form.get('trigger_id'), view: orderView(form.get('channel_id')) });
      return ok();
    }
    const payload = JSON.parse(form.get('payload'));
    if (payload.type === 'view_submission') {
      return { status: 200, type: 'application/json', body: submitted(payload) };
    }
    const respond = (message) =>
      fetch(payload.response_url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(message),
      });
    cook(client, respond, payload.channel.id, payload.message.ts, payload.actions[0].value);
    return ok();
  };
  await withListener({ slack }, async (app) => {
    await overHttp(app.url('slack'));
    await eat('soup');
  });
}

/** What an app of bolt does. */
function serveSupper(app) {
  app.command('/supper', async ({ ack, body, client }) => {
    await ack();
    await client.views.open({ trigger_id: body.trigger_id, view: orderView(body.channel_id) });
  });
  app.view('order', async ({ ack, view, client }) => {
    const errors = errorsOf(dishOf(view));
    if (errors) {
      await ack({ response_action: 'errors', errors });
      return;
    }
    await ack();
    await client.chat.postMessage({ channel: view.private_metadata, ...question(dishOf(view)) });
  });
  app.action('cook', async ({ ack, body, action, client, respond }) => {
    await ack();
    await cook(client, respond, body.channel.id, body.message.ts, action.value);
  });
}

/** Installations, by workspace. */
class Installations {
  kept = new Map();

  async storeInstallation(installation) {
    this.kept.set(installation.team.id, installation);
  }

  async fetchInstallation({ teamId }) {
    return this.kept.get(teamId);
  }
}

/** A person goes through the app's own pages; gives the status and page at the end. */
async function install(base) {
  const start = await fetch(`${base}/slack/install`, { redirect: 'manual' });
  const asked = new URL(start.headers.get('location')).searchParams;
  const allowed = await act(EATER, 'slack.user.install_app', {
    app: APP,
    scopes: asked.get('scope').split(','),
    redirect_uri: asked.get('redirect_uri'),
    state: asked.get('state'),
  });
  const cookie = start.headers.getSetCookie().map((set) => set.split(';')[0]).join('; ');
  const end = await fetch(allowed.location, { headers: { cookie }, redirect: 'manual' });
  return [end.status, await end.text()];
}

async function boltOverHttp() {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const redirectUri = `${base}/slack/oauth_redirect`;
  await act(INSTALLER, 'slack.admin.distribute_app', { app: APP, redirect_urls: [redirectUri] });
  const row = (await state('slack', 'apps')).find((app) => app.key === APP);
  const app = new App({
    signingSecret: SLACK_SIGNING_SECRET,
    clientId: row.client_id,
    clientSecret: row.client_secret,
    stateSecret: 'dtu-state',
    scopes: ['commands', 'chat:write', 'files:write', 'files:read'],
    redirectUri,
    installationStore: new Installations(),
    installerOptions: { directInstall: true, redirectUriPath: '/slack/oauth_redirect', clientOptions },
    clientOptions,
    logger,
  });
  serveSupper(app);
  await app.start({ port, host: '127.0.0.1' });
  const [status, page] = await install(base);
  claim(status === 200 && page.includes('Thank you'), `the app is installed by its own pages: ${status} ${page}`);
  await overHttp(`${base}/slack/events`);
  await eat('rice');
  await app.stop();
}

/** A port that nobody listens on. */
async function freePort() {
  let port;
  await withListener({}, async (app) => {
    port = Number(new URL(app.url('')).port);
  });
  return port;
}

async function boltOverSockets() {
  await act(INSTALLER, 'slack.admin.configure_app', { app: APP, socket_mode: true, commands: { '/supper': '' } });
  const app = new App({ token: SLACK_BOT_TOKEN, appToken: SLACK_APP_TOKEN, socketMode: true, clientOptions, logger });
  serveSupper(app);
  await app.start();
  await eat('beans');
  await app.stop();
}

await run(theWebClientOverHttp, boltOverHttp, boltOverSockets);
