// An app that takes orders for supper, and the people who use it: what the whole-app script of all libraries share.
//
// `/supper` opens a modal; what is submitted is posted with a button; the button replaces the message, replies in a
// thread, shares a file there, and has a message posted later.

import { claim, claimEqual, eventually } from './claims.mjs';
import { act, state } from './dtu_control.mjs';

export const APP = 'dtu-tester';
export const INSTALLER = 'dana';
export const EATER = 'lena';
const CHANNEL = 'general';
const BAD_DISH = 'stone';
export const RECEIPT = 'one supper\n';

const plain = (text) => ({ type: 'plain_text', text });

/** The modal, which remembers where it was asked for. */
export const orderView = (channel) => ({
  type: 'modal',
  callback_id: 'order',
  private_metadata: channel,
  title: plain('Supper'),
  submit: plain('Order'),
  blocks: [
    {
      type: 'input',
      block_id: 'dish',
      label: plain('Dish'),
      element: { type: 'plain_text_input', action_id: 'name' },
    },
  ],
});

export const dishOf = (view) => view.state.values.dish.name.value;

/** What is wrong with an order. */
export const errorsOf = (dish) => (dish === BAD_DISH ? { dish: 'not to be eaten' } : undefined);

/** The message with a button. */
export function question(dish) {
  const button = { type: 'button', action_id: 'cook', style: 'primary', value: dish, text: plain(`Cook ${dish}`) };
  const section = { type: 'section', block_id: 'ask', text: { type: 'mrkdwn', text: `*${dish}* for supper?` } };
  return { text: `${dish} for supper?`, blocks: [section, { type: 'actions', elements: [button] }] };
}

/** What the button does, by way of a WebClient. */
export async function cook(client, respond, channel, ts, dish) {
  await respond({ text: `${dish} is being cooked`, replace_original: true });
  await client.chat.postMessage({ channel, thread_ts: ts, text: `Who wants ${dish}?` });
  await client.filesUploadV2({
    channel_id: channel,
    thread_ts: ts,
    content: RECEIPT,
    filename: 'receipt.txt',
    title: `Receipt for ${dish}`,
  });
  const soon = Math.floor(Date.now() / 1000) + 3;
  const later = await client.chat.scheduleMessage({ channel, post_at: soon, text: `${dish} is ready` });
  const waiting = await client.chat.scheduledMessages.list({ channel });
  const ids = waiting.scheduled_messages.map((row) => row.id);
  claim(ids.includes(later.scheduled_message_id), 'what comes later is listed');
}

/** Whether a person can do something, which is done then. */
async function can(verb, with_) {
  try {
    await act(EATER, verb, with_);
    return true;
  } catch {
    return false;
  }
}

const said = async (text) => (await state('slack', 'messages')).find((row) => row.text === text);
const windows = async () => (await state('slack', 'windows')).filter((row) => row.kind === 'modal');

async function receipt(dish) {
  const files = (await state('slack', 'files')).filter((row) => row.title === `Receipt for ${dish}`);
  return files.find((row) => row.channels.includes(CHANNEL) && row.text === RECEIPT);
}

/** A person orders a dish, at first wrongly, and has it cooked; all that the app does is seen. */
export async function eat(dish) {
  await act(EATER, 'slack.user.slash', { channel: CHANNEL, command: '/supper', text: dish });
  await eventually(() => can('slack.user.use', { label: 'Dish', value: BAD_DISH }), 'a modal opens');
  await act(EATER, 'slack.user.submit', {});
  const told = async () => (await windows()).some((row) => Object.keys(row.errors ?? {}).length > 0);
  await eventually(told, 'a wrong order leaves it open, and says what is wrong');
  claim(await can('slack.user.use', { label: 'Dish', value: dish }), 'to be set right');
  await act(EATER, 'slack.user.submit', {});
  await eventually(() => said(`${dish} for supper?`), 'the order is posted');
  await eventually(async () => (await windows()).length === 0, 'the modal is closed');
  await act(EATER, 'slack.user.click', { channel: CHANNEL, label: `Cook ${dish}` });
  const cooking = await eventually(() => said(`${dish} is being cooked`), 'the message is replaced');
  claim(!(await said(`${dish} for supper?`)), 'by the new one');
  const reply = await eventually(() => said(`Who wants ${dish}?`), 'the app replies');
  claimEqual(reply.thread_ts, cooking.ts, "in the message's thread");
  await eventually(() => receipt(dish), 'a file is shared', 20);
  await eventually(() => said(`${dish} is ready`), 'a message comes later', 20);
}
