// The control plane of the universe under test: faults, what people do, and what became of it.

const { DTU_CONTROL_URL, DTU_CONTROL_TOKEN, DTU_UNIVERSE } = process.env;

async function call(method, path, body) {
  const response = await fetch(`${DTU_CONTROL_URL}/v1/universes/${DTU_UNIVERSE}${path}`, {
    method,
    headers: { Authorization: `Bearer ${DTU_CONTROL_TOKEN}`, 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** A person does something; gives what they see of it. */
export async function act(who, verb, arguments_) {
  const answer = await call('POST', '/affordances', { as: who, do: verb, with: arguments_ });
  return answer.result;
}

/** A part of a twin's state. */
export const state = (twin, view) => call('GET', `/state/${twin}/${view}`);

/** Lets the universe's time go on (`2s`, `3h`), with what is due by then. */
export const advance = (by) => call('POST', '/clock/advance', { by });

let rules = 0;

/** Arms a fault that strikes once, while `during` runs; gives what that gives, once the fault has struck. */
export async function withFault(effect, on, during) {
  rules += 1;
  const id = `client-${rules}`;
  await call('POST', '/faults', { rules: [{ id, on, do: effect, times: 1 }] });
  try {
    const result = await during();
    const armed = await call('GET', '/faults');
    const { fired } = armed.find((row) => row.rule.id === id);
    if (fired !== 1) throw new Error(`the fault ${JSON.stringify(effect)} strikes once, but it struck ${fired} times`);
    return result;
  } finally {
    await call('DELETE', `/faults/${id}`);
  }
}

/** Arms a rule until it is disarmed. */
export const arm = (rule) => call('POST', '/faults', { rules: [rule] });

/** Disarms a rule; gives how often it struck. */
export async function disarm(id) {
  const armed = await call('GET', '/faults');
  await call('DELETE', `/faults/${id}`);
  return armed.find((row) => row.rule.id === id).fired;
}
