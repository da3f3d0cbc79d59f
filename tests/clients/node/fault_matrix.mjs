// What unmodified client libraries for Node see of each effect of a fault rule: one cell for each effect and twin.
//
// A cell is printed as a line of JSON; `tests/all/faults.rs` holds the cells against `tests/evidence/faults.json`.

import okta from '@okta/okta-sdk-nodejs';
import socketMode from '@slack/socket-mode';
import slackWebApi from '@slack/web-api';

import { claim, claimEqual, eventually, ownPart, run } from './claims.mjs';
import { act, arm, disarm } from './dtu_control.mjs';

const { ErrorCode, LogLevel, WebClient } = slackWebApi;
const { SocketModeClient } = socketMode;
const { SLACK_API_URL, SLACK_APP_TOKEN, SLACK_BOT_TOKEN, OKTA_CLIENT_ORGURL, OKTA_CLIENT_TOKEN } = process.env;

// How long the libraries wait for an answer, in milliseconds, and how long a rule hangs: longer than that.
const PATIENCE = 3000;
const HANGS = '4s';
const LENA = 'lena.fischer@acme.example';

const quiet = { ...console };
for (const level of ['debug', 'info', 'warn', 'error', 'setLevel', 'setName']) quiet[level] = () => {};
quiet.getLevel = () => LogLevel.ERROR;

/** Slack, as its library is made: it tries again what may be tried again. */
function slackColumn() {
  const client = new WebClient(SLACK_BOT_TOKEN, {
    slackApiUrl: SLACK_API_URL,
    retryConfig: { retries: 1, minTimeout: 10 },
    timeout: PATIENCE,
    logger: quiet,
  });
  return {
    twin: 'slack',
    library: '@slack/web-api',
    url: SLACK_API_URL,
    reads: 'users.info',
    lists: 'users.list',
    writes: 'conversations.create',
    stale: 'conversations.list',
    drifts: '/user',
    look: async () => (await client.users.info({ user: 'USLACKBOT' })).user.name,
    page: async () => {
      const { response_metadata: next } = await client.users.list({ limit: 2 });
      await client.users.list({ limit: 2, cursor: next.next_cursor });
    },
    make: (name) => client.conversations.create({ name }),
    there: async (name) => {
      const { channels } = await client.conversations.list({ limit: 900 });
      return channels.filter((channel) => channel.name === name).length;
    },
    words(error) {
      const code = Object.keys(ErrorCode).find((name) => ErrorCode[name] === error.code);
      if (error.code === ErrorCode.PlatformError) {
        if (error.data.error.startsWith('{')) return '`PlatformError`, the broken text as its code';
        const needed = error.data.needed ? `, needed \`${error.data.needed}\`` : '';
        return `\`PlatformError\` \`${error.data.error}\`${needed}`;
      }
      if (error.code === ErrorCode.HTTPError) return `\`HTTPError\` ${error.statusCode}`;
      if (error.code === ErrorCode.RequestError) return `\`RequestError\` (${cause(error.original)})`;
      return code && `\`${code}\``;
    },
  };
}

/** Okta through its own SDK. It keeps no answers, because here each look must reach the twin. */
function oktaColumn() {
  const client = (options = {}) =>
    new okta.Client({ orgUrl: OKTA_CLIENT_ORGURL, token: OKTA_CLIENT_TOKEN, cacheMiddleware: null, ...options });
  const executor = () => new okta.DefaultRequestExecutor({ maxRetries: 1, requestTimeout: 10_000 });
  const patient = client({ requestExecutor: executor() });
  return {
    twin: 'okta',
    library: '@okta/okta-sdk-nodejs',
    url: OKTA_CLIENT_ORGURL,
    reads: 'getUser',
    lists: 'listUsers',
    writes: 'addGroup',
    stale: 'listGroups',
    drifts: '/profile',
    look: async () => (await patient.userApi.getUser({ userId: LENA })).profile.login,
    page: async () => {
      let met = 0;
      await (await patient.userApi.listUsers({ limit: 2 })).each(() => {
        met += 1;
        return met < 4;
      });
    },
    make: (name) => patient.groupApi.createGroup({ group: { profile: { name } } }),
    there: async (name) => {
      let found = 0;
      await (await patient.groupApi.listGroups({})).each((group) => {
        found += group.profile.name === name ? 1 : 0;
      });
      return found;
    },
    words: (error) => {
      if (error.errorCode) return `\`${error.name}\` ${error.status} \`${error.errorCode}\``;
      if (error.status) return `\`${error.name}\` ${error.status}`;
      return undefined;
    },
  };
}

/** The name of an error, or the code of the system behind it. */
const cause = (error) => (typeof error.code === 'string' ? error.code : error.name);

/** What comes of a call, in words. */
async function outcome(column, call) {
  try {
    await call();
    return 'works';
  } catch (error) {
    return column.words(error) ?? `\`${error.name}\`${cause(error) === error.name ? '' : ` (${error.code})`}`;
  }
}

/** Arms a rule while `during` runs; gives what that gives, and how often the rule struck. */
async function armed(column, effect, operation, times, during) {
  const id = `node-${column.twin}-${Object.keys(effect)[0]}-${times ?? 'always'}`;
  await arm({ id, on: { twin: column.twin, ...(operation && { operation }) }, do: effect, ...(times && { times }) });
  let result;
  let fired;
  try {
    result = await during();
  } finally {
    fired = await disarm(id);
  }
  return { result, fired };
}

/** What a call comes to while a rule strikes each time, and where it strikes once. */
async function alwaysAndOnce(column, effect, operation, call) {
  const always = await armed(column, effect, operation, undefined, () => outcome(column, call));
  claim(always.fired >= 1, `${JSON.stringify(effect)} strikes`);
  const once = await armed(column, effect, operation, 1, () => outcome(column, call));
  claimEqual(once.fired, 1, `${JSON.stringify(effect)} strikes once`);
  const tries = always.fired === 1 ? '' : ` after ${always.fired} tries`;
  const after = once.result === always.result && tries === '' ? '' : `; where it strikes once: ${once.result}`;
  return always.result + tries + after;
}

const before = (effect) => (column) => alwaysAndOnce(column, effect, column.reads, column.look);

/** A cell of a write that happens: how often, counted afterwards. */
const committed = (effect) => async (column) => {
  const name = `node-${Object.keys(effect)[0].replace('_', '-')}`;
  const told = await armed(column, effect, column.writes, 1, () => outcome(column, () => column.make(name)));
  claimEqual(told.fired, 1, `${name} strikes once`);
  const there = await column.there(name);
  claim(there >= 1, 'what the caller was told had failed is there');
  return `${told.result}; it is there ${there === 1 ? 'once' : `${there} times`}`;
};

async function slowly(column, short, long, words) {
  const told = await armed(column, short, column.reads, 1, () => outcome(column, column.look));
  claimEqual(told.fired, 1, 'the rule strikes');
  if (column.twin === 'okta') return `${told.result}, ${words}`;
  const late = await armed(column, long, column.reads, undefined, () => outcome(column, column.look));
  return `${told.result}, ${words}; past the client's patience: ${late.result}`;
}

async function stale(column) {
  const { result, fired } = await armed(column, { stale: { by: '1h' } }, column.stale, undefined, async () => {
    await column.make('node-stale');
    return column.there('node-stale');
  });
  claimEqual([result, await column.there('node-stale')], [0, 1], 'what was just made is seen later');
  claim(fired >= 1, 'the rule strikes');
  return 'does not see what it has just made; sees it once the lag is over';
}

async function drift(column) {
  const strike = async (at, change) =>
    (await armed(column, { drift: { at, change } }, column.reads, 1, () => outcome(column, column.look))).result;
  const gone = await strike(column.drifts, 'removed');
  const wider = await strike(column.drifts, 'widened');
  const more = await strike('/matrix', { added: 1 });
  return `without \`${column.drifts.slice(1)}\`: ${gone}; as a list: ${wider}; with a member more: ${more}`;
}

async function refuse(column) {
  const refused = () => fetch(column.url, { headers: { connection: 'close' } }).then(() => false, () => true);
  const { result } = await armed(column, { refuse: {} }, undefined, undefined, async () => {
    await eventually(refused, `${column.twin} refuses`);
    return outcome(column, column.look);
  });
  await eventually(async () => !(await refused()), `${column.twin} is open again`);
  return result;
}

/** What Slack's socket client does when its connections end: told before, and without a word. */
async function closeSocket(column) {
  const configure = (socketModeOn, events) =>
    act('dana', 'slack.admin.configure_app', { app: 'dtu-tester', socket_mode: socketModeOn, events });
  await configure(true, ['message.channels']);
  const clientOptions = { slackApiUrl: SLACK_API_URL };
  const client = new SocketModeClient({ appToken: SLACK_APP_TOKEN, clientOptions, logger: quiet });
  const came = [];
  let connections = 0;
  client.on('connected', () => {
    connections += 1;
  });
  client.on('message', async ({ ack, event }) => {
    came.push(event.text);
    await ack();
  });
  await client.start();
  for (const [name, effect] of [
    ['told', { every: '1s', code: 1000, announced: true }],
    ['cut', { every: '1s' }],
  ]) {
    const before = connections;
    const { fired } = await armed(column, { close_socket: effect }, undefined, 1, () =>
      eventually(() => connections > before, 'the client connects anew', 30),
    );
    claimEqual(fired, 1, 'the rule closes one socket');
    await act('lena', 'slack.user.post', { channel: 'general', text: `node-${name}` });
    await eventually(() => came.includes(`node-${name}`), 'events come over the new connection', 30);
  }
  await client.disconnect();
  await configure(false, []);
  return 'connects again by itself, where it was told before and where it was not; is told of what comes then';
}

const CELLS = {
  // First: connections that are there already go on.
  refuse,
  rate_limited: before({ rate_limited: { retry_after: '1s' } }),
  quota_exhausted: before({ quota_exhausted: { resets: '1s' } }),
  error: before({ error: {} }),
  proxy_page: before({ proxy_page: { status: 503 } }),
  revoked: before({ revoked: {} }),
  expired: before({ expired: {} }),
  bad_cursor: (column) => alwaysAndOnce(column, { bad_cursor: {} }, column.lists, column.page),
  reset: before({ reset: {} }),
  hang: before({ hang: { for: HANGS } }),
  latency: (column) => slowly(column, { latency: { for: '400ms' } }, { latency: { for: HANGS } }, 'later'),
  drip: (column) =>
    slowly(column, { drip: { every: '5ms', bytes: 64 } }, { drip: { every: HANGS, bytes: 8 } }, 'piece by piece'),
  committed_error: committed({ committed_error: {} }),
  committed_reset: committed({ committed_reset: {} }),
  committed_hang: committed({ committed_hang: { for: HANGS } }),
  truncated: before({ truncated: {} }),
  garbled: before({ garbled: {} }),
  stale,
  drift,
};

async function eachEffectIsSeenByEachLibrary() {
  const failed = [];
  const fill = async (column) => {
    const own = { scopes_cut: before({ scopes_cut: {} }), close_socket: closeSocket };
    const cells = column.twin === 'slack' ? { ...CELLS, ...own } : CELLS;
    for (const effect of ownPart(Object.keys(cells))) {
      try {
        const sees = await cells[effect](column);
        const library = effect === 'close_socket' ? '@slack/socket-mode' : column.library;
        console.log(`cell ${JSON.stringify({ effect, twin: column.twin, library, sees })}`);
      } catch (error) {
        failed.push(`${effect} of ${column.twin}`);
        console.error(`--- ${effect} of ${column.twin}\n${error.stack || error}`);
      }
    }
  };
  await Promise.all([slackColumn(), oktaColumn()].map(fill));
  claimEqual(failed, [], 'all cells come about');
}

await run(eachEffectIsSeenByEachLibrary);
