'use strict';
const page = JSON.parse(document.getElementById('data').textContent);
const { summary } = page;
const SIGNS = { satisfied: '✓', unsatisfied: '✗', undecided: '?', void: '∅' };
const SVG = 'http://www.w3.org/2000/svg';

/* Building blocks. What a target wrote only ever becomes text. */
function el(name, attributes, ...children) {
  const made = name.startsWith('svg:') ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === 'onclick') made.addEventListener('click', value);
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== undefined && child !== null && child !== false) made.append(child);
  }
  return made;
}
const fixed = (value) => (value === null || value === undefined ? '–' : value.toFixed(2));
const interval = (point, low, high) => (point === null ? '–' : `${fixed(point)} [${fixed(low)}–${fixed(high)}]`);
const badge = (word) => el('span', { class: `badge ${word}` }, word);
const address = (cell) => `#t/${[cell.scenario, cell.variant, cell.n].map(encodeURIComponent).join('/')}`;
const cellName = (cell) => `${cell.scenario} · ${cell.label || 'only variant'} · #${cell.n}: ${cell.outcome}`;

/* The head: verdict and figures. */
function head() {
  const s = summary.satisfaction;
  const figure = (what, value) => el('div', {}, el('span', { class: 'dim' }, what), el('b', {}, value));
  const verdict = summary.gate ? summary.gate.ruling : page.verdict;
  return [
    el('h1', {}, summary.target, ' ', badge(verdict)),
    el('div', { class: 'figures' },
      figure('satisfaction, on these scenarios', interval(s.point, s.low, s.high)),
      figure('as a sample of all stories', interval(s.point, s.population.low, s.population.high)),
      page.difference && figure('to the baseline', page.difference),
      figure('decided', `${s.decided} of ${s.trajectories}`),
      figure('void', String(s.void)),
      figure('undecided', String(s.undecided)),
      figure('seed', String(summary.seed))),
  ];
}

function gateTable() {
  if (!summary.gate) return null;
  const row = (rule) => el('tr', {}, el('td', {}, rule.rule), el('td', {}, rule.scenario || ''),
    el('td', {}, badge(rule.ruling || rule.says || '')), el('td', {}, rule.why));
  return [el('h2', {}, 'Gate'), el('table', {},
    el('tr', {}, ['rule', 'scenario', 'says', 'why'].map((name) => el('th', {}, name))), summary.gate.rules.map(row))];
}

/* The forest plot: each scenario's fraction and its interval. */
function forest(scenarios) {
  const [left, width, step] = [420, 560, 24];
  const x = (value) => left + value * width;
  const s = summary.satisfaction;
  const rows = [
    { name: 'all, on these scenarios', point: s.point, low: s.low, high: s.high, whole: true },
    { name: 'all, as a sample of stories', point: s.point, low: s.population.low, high: s.population.high, whole: true },
    ...scenarios.map((one) => ({ name: one.id, point: one.point, low: one.low, high: one.high, one })),
  ];
  const height = rows.length * step + 30;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((tick) => [
    el('svg:line', { class: 'grid', x1: x(tick), x2: x(tick), y1: 4, y2: height - 24 }),
    el('svg:text', { class: 'dim', x: x(tick), y: height - 8, 'text-anchor': 'middle' }, String(tick))]);
  const drawn = rows.map((row, at) => {
    const y = at * step + 16;
    const colour = row.point === null ? 'var(--void)' : row.one && row.one.satisfied < row.one.decided ? 'var(--bad)'
      : row.whole ? 'var(--mark)' : 'var(--good)';
    const name = row.name.length > 54 ? `${row.name.slice(0, 53)}…` : row.name;
    const go = row.one && { 'data-go': `#s/${encodeURIComponent(row.one.id)}`, tabindex: 0, role: 'link' };
    return el('svg:g', { ...go },
      el('svg:title', {}, `${row.name}: ${interval(row.point, row.low, row.high)}`),
      el('svg:rect', { class: 'row', x: 0, y: y - 12, width: 1100, height: step }),
      el('svg:text', { x: 4, y: y + 4, 'font-weight': row.whole ? 600 : 400 }, name),
      row.point === null ? el('svg:text', { class: 'dim', x: left + 4, y: y + 4 }, 'nothing decided') : [
        el('svg:line', { x1: x(row.low), x2: x(row.high), y1: y, y2: y, stroke: colour, 'stroke-width': 2 }),
        el('svg:circle', { cx: x(row.point), cy: y, r: row.whole ? 5 : 4, fill: colour })],
      el('svg:text', { class: 'dim', x: left + width + 16, y: y + 4 },
        row.one ? `${row.one.satisfied}/${row.one.decided}${row.one.void ? `, ${row.one.void} void` : ''}` : fixed(row.point)));
  });
  const drawing = el('svg:svg', { class: 'forest', width: 1100, height, role: 'img', 'aria-label': 'satisfaction by scenario' }, ticks, drawn);
  return [el('h2', {}, 'Scenarios'), el('div', { class: 'scroll' }, drawing)];
}

/* One scenario: its variants against its seeds, and what went wrong. */
function problems(scenario) {
  const found = new Map();
  for (const failure of scenario.failures) {
    const names = failure.outcome === 'void' ? [] : failure.checks.filter((check) => check.role !== 'info').map((check) => `${check.name} (${check.role})`);
    for (const name of [...failure.reasons, ...names]) {
      if (!found.has(name)) found.set(name, []);
      found.get(name).push(failure);
    }
  }
  const item = ([name, failures]) => {
    const [first] = failures;
    const check = first.checks.find((one) => name.startsWith(one.name));
    return el('li', {}, el('b', {}, name), ` – ${failures.length} of ${scenario.decided + scenario.void + scenario.undecided}`,
      check && check.why ? `: ${check.why} ` : ' ',
      el('a', { href: address({ scenario: scenario.id, ...first }) }, 'look'));
  };
  return found.size > 0 && el('ul', { class: 'problems' }, [...found].map(item));
}

function scenarioSection(scenario, cells) {
  const row = (variant) => [
    el('div', { class: 'name mono' }, variant.label || 'only variant'),
    el('div', { class: 'cells' }, (cells.get(variant.id) || []).map((cell) =>
      el('a', { class: `cell ${cell.outcome}`, href: address(cell), title: cellName(cell), 'aria-label': cellName(cell) }, SIGNS[cell.outcome])))];
  return el('section', { class: 'scenario', id: `s/${scenario.id}` },
    el('h3', {}, scenario.id, ' ', el('span', { class: 'dim' }, interval(scenario.point, scenario.low, scenario.high))),
    el('div', { class: 'dim' }, scenario.title),
    el('div', { class: 'heat' }, scenario.variants.map(row)),
    problems(scenario));
}

function overview() {
  const run = summary.scenarios.filter((one) => one.decided + one.undecided + one.void > 0);
  const cells = new Map(run.map((one) => [one.id, new Map()]));
  for (const cell of page.trajectories) {
    const of = cells.get(cell.scenario);
    if (of && !of.has(cell.variant)) of.set(cell.variant, []);
    if (of) of.get(cell.variant).push(cell);
  }
  const legend = el('p', { class: 'legend dim' }, Object.entries(SIGNS).map(([outcome, sign]) =>
    el('span', {}, el('i', { class: `cell ${outcome}` }), `${sign} ${outcome}`)), 'a square is a trajectory: click it');
  return [gateTable(), forest(run), el('h2', {}, 'Variants and seeds'), legend,
    run.map((one) => scenarioSection(one, cells.get(one.id)))];
}

/* A trajectory. */
async function unpack(at) {
  const text = document.getElementById(`t${at}`).textContent;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return JSON.parse(await new Response(stream).text());
}

const isAct = (entry) => entry.kind === 'act' || entry.kind === 'answer';
const named = (entry) => (isAct(entry) ? `${entry.action} ${entry.name}${entry.kind === 'answer' ? ' answered' : ''}` : '') || entry.operation || entry.verb || (entry.delivery && entry.delivery.kind) || entry.rule || entry.action || entry.kind;
const isError = (entry) => entry.kind !== 'fault' && (Boolean(entry.error) || entry.status >= 400 || entry.gap === true);
const family = (entry) => (entry.kind === 'fault' ? 'fault' : isError(entry) ? 'error' : entry.principal.startsWith('actor') ? 'actor'
  : entry.principal === 'target' ? 'target' : 'system');

/* Where an entry begins and ends: who acts, and on which twin; a delivery goes the other way. */
function ends(entry) {
  if (entry.kind === 'control') return ['harness', null];
  if (entry.kind === 'fault') return ['faults', entry.twin || null];
  if (entry.kind === 'delivery') return [entry.twin, 'target'];
  if (isAct(entry)) {
    const who = entry.principal === 'operator' ? 'harness' : entry.principal;
    return entry.action === 'pick' ? [who, null] : entry.kind === 'act' ? [who, 'target'] : ['target', who];
  }
  const principal = entry.principal.startsWith('fault') ? 'faults' : entry.principal === 'operator' ? 'harness' : entry.principal;
  return [principal, entry.twin || null];
}

function laneOrder(ledger) {
  const all = new Set(ledger.flatMap(ends).filter((lane) => lane !== null));
  const rank = (lane) => (lane === 'harness' ? 0 : lane === 'faults' ? 1 : lane.startsWith('actor') ? 2 : lane === 'target' ? 3 : lane === 'system' ? 5 : 4);
  return [...all].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function timeline(ledger, wrong, choose) {
  const [left, step, lane] = [150, 26, 30];
  const lanes = laneOrder(ledger);
  const y = (name) => 34 + lanes.indexOf(name) * lane;
  const x = (at) => left + 18 + at * step;
  const [width, height] = [x(ledger.length) + 10, y(lanes[lanes.length - 1]) + 26];
  const began = Date.parse(ledger[0].at);
  const seconds = (entry) => `${((Date.parse(entry.at) - began) / 1000).toFixed(1)} s`;
  let said = '';
  const chosen = el('svg:rect', { class: 'chosen', y: 18, width: step, height: height - 22, x: -100 });
  const marks = ledger.map((entry, at) => {
    const [from, to] = ends(entry);
    const time = seconds(entry);
    const label = (at === 0 || at % 5 === 0) && time !== said && (said = time);
    return el('svg:g', { class: family(entry) },
      label && el('svg:text', { class: 'dim', x: x(at), y: 14, 'text-anchor': 'middle' }, label),
      to && to !== from && el('svg:line', { class: 'link', x1: x(at), x2: x(at), y1: y(from), y2: y(to) }),
      el('svg:circle', { class: 'dot', cx: x(at), cy: y(from), r: 4 }),
      to && to !== from && el('svg:circle', { class: 'dot', cx: x(at), cy: y(to), r: 6 }),
      wrong.has(entry.seq) && el('svg:circle', { class: 'ring', cx: x(at), cy: y(to || from), r: 10 }),
      el('svg:rect', { class: 'hit', x: x(at) - step / 2, y: 18, width: step, height: height - 22, onclick: () => choose(at) },
        el('svg:title', {}, `${entry.principal} ${entry.twin} ${named(entry)} ${entry.status || ''} ${entry.error || ''}`)));
  });
  const rails = lanes.map((name) => [
    el('svg:line', { class: 'grid', x1: left, x2: width, y1: y(name), y2: y(name) }),
    el('svg:text', { x: 8, y: y(name) + 4 }, name.replace(/^actor:/, ''), )]);
  const drawing = el('svg:svg', { width, height, role: 'img', 'aria-label': 'timeline' }, rails, chosen, marks);
  const box = el('div', { class: 'lanes', tabindex: 0 }, drawing);
  const show = (at) => {
    chosen.setAttribute('x', x(at) - step / 2);
    const [near, far] = [x(at) - 60, x(at) + 60];
    if (near < box.scrollLeft + left || far > box.scrollLeft + box.clientWidth) box.scrollLeft = x(at) - box.clientWidth / 2;
  };
  return { box, show };
}

/* JSON and forms as people read them. */
function body(message) {
  if (!message || !message.body) return '';
  try { return JSON.stringify(JSON.parse(message.body), null, 2); } catch { /* not JSON */ }
  if (/^[^\s=&]+=[^\s]*$/.test(message.body)) {
    const lines = [...new URLSearchParams(message.body)].map(([key, value]) => {
      try { return `${key} = ${JSON.stringify(JSON.parse(value), null, 2)}`; } catch { return `${key} = ${value}`; }
    });
    return lines.join('\n');
  }
  return message.body;
}

/* What of a row changed. */
function changed(change) {
  const keys = [...new Set([...Object.keys(change.before || {}), ...Object.keys(change.after || {})])];
  const text = (value) => (value === undefined ? '' : JSON.stringify(value));
  const lines = keys.filter((key) => text((change.before || {})[key]) !== text((change.after || {})[key])).flatMap((key) => [
    change.before && key in change.before && el('div', { class: 'del' }, `− ${key}: ${text(change.before[key])}`),
    change.after && key in change.after && el('div', { class: 'add' }, `+ ${key}: ${text(change.after[key])}`)]);
  const what = change.before === null ? 'new' : change.after === null ? 'gone' : 'changed';
  const causes = (change.causes || []).map((cause) => `${cause.principal} #${cause.seq}`).join(', ');
  return el('div', {}, el('b', { class: 'mono' }, `${change.twin ? `${change.twin}.` : ''}${change.table} ${change.key}`),
    el('span', { class: 'dim' }, ` ${what}${causes && ` by ${causes}`}`), el('pre', {}, lines));
}

function entryDetail(entry, cases) {
  const line = (message) => message && `${message.method || ''} ${message.target || message.status || ''}`.trim();
  const pair = (entry.request && entry.request.target) || entry.response;
  const plain = !pair && (entry.with || entry.effect || entry.detail);
  const asked = pair && el('div', {}, el('div', { class: 'dim' }, 'request ', el('code', {}, line(entry.request) || '')), el('pre', {}, body(entry.request)));
  const told = pair && el('div', {}, el('div', { class: 'dim' }, 'response ', el('code', {}, line(entry.response) || entry.error || 'none')), el('pre', {}, body(entry.response)));
  return [
    el('h3', {}, `#${entry.seq} ${entry.principal} → ${isAct(entry) ? 'target' : entry.twin || 'universe'} ${named(entry)} `, entry.status && el('span', { class: 'dim' }, String(entry.status)),
      entry.error && el('span', { class: 'del' }, ` ${entry.error}`)),
    el('div', { class: 'dim' }, entry.at, entry.fault && ` · fault ${entry.fault}`, entry.cause !== undefined && ` · caused by #${entry.cause}`, entry.gap && ' · the twin does not serve this'),
    cases.map((one) => el('div', { class: 'del' }, `✗ ${one.name}${one.why && `: ${one.why}`}`)),
    pair && el('div', { class: 'two' }, asked, told),
    plain && el('pre', {}, JSON.stringify(plain, null, 2)),
    entry.result !== undefined && el('pre', {}, JSON.stringify(entry.result, null, 2)),
    (entry.changes || []).map(changed)];
}

function checkTable(checks, go) {
  const row = (check) => el('tr', { class: `held-${check.held}` },
    el('td', {}, { yes: '✓', no: '✗', error: '!' }[check.held]), el('td', {}, check.name), el('td', { class: 'dim' }, check.role), el('td', {}, check.why),
    el('td', {}, (check.moments || []).filter((moment) => moment.seq > 0).map((moment) => [el('button', { onclick: () => go(moment.seq) }, `#${moment.seq}`), ' '])));
  return el('table', {}, el('tr', {}, ['', 'check', 'role', 'why', 'where'].map((name) => el('th', {}, name))), checks.map(row));
}

function story(evidence) {
  const { ledger, checks } = evidence;
  const wrong = new Map();
  for (const check of checks.filter((one) => one.held !== 'yes')) {
    for (const moment of check.moments || []) wrong.set(moment.seq, [...(wrong.get(moment.seq) || []), check]);
  }
  const detail = el('div', { id: 'entry' });
  let at = 0;
  const choose = (next) => {
    at = Math.max(0, Math.min(ledger.length - 1, next));
    detail.replaceChildren(el('div', {}, entryDetail(ledger[at], wrong.get(ledger[at].seq) || [])));
    drawn.show(at);
  };
  const go = (seq) => choose(ledger.findIndex((entry) => entry.seq === seq));
  const drawn = timeline(ledger, wrong, choose);
  const keys = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) { event.preventDefault(); choose(at + by); }
  };
  drawn.box.addEventListener('keydown', keys);
  const first = ledger.findIndex((entry) => wrong.has(entry.seq));
  setTimeout(() => choose(first < 0 ? 0 : first));
  const output = (name) => evidence[name] && [el('h2', {}, name), el('pre', {}, evidence[name])];
  return [el('h2', {}, 'Checks'), checks.length > 0 ? checkTable(checks, go) : el('p', { class: 'dim' }, 'It did not come to the checks.'),
    el('h2', {}, 'Timeline'), el('p', { class: 'dim' }, 'Click a moment, or use the arrow keys. A ring marks what a failed check points at; dashed lines are deliveries to the program.'),
    drawn.box, el('p', {}), detail,
    el('h2', {}, 'What is different at the end'), evidence.diff.length > 0 ? evidence.diff.map(changed) : el('p', { class: 'dim' }, 'Nothing.'),
    output('stdout'), output('stderr'),
    el('p', { class: 'dim' }, `exit: ${JSON.stringify(evidence.exit)} · ${JSON.stringify(evidence.timings)} · parameters: ${JSON.stringify(evidence.manifest.params)}`)];
}

function copied(text) {
  const button = el('button', { onclick: () => navigator.clipboard.writeText(text).then(() => { button.textContent = 'copied'; }) }, 'copy');
  return button;
}

async function trajectory(parts) {
  const [scenario, variant, n] = parts.map(decodeURIComponent);
  const at = page.trajectories.findIndex((cell) => cell.scenario === scenario && cell.variant === variant && String(cell.n) === n);
  const cell = page.trajectories[at];
  if (!cell) return [el('nav', {}, el('a', { href: '#' }, '← all scenarios')), el('p', {}, 'There is no such trajectory in this run.')];
  const about = [
    el('nav', {}, el('a', { href: `#s/${encodeURIComponent(scenario)}` }, '← all scenarios')),
    el('h1', {}, `${scenario} #${cell.n} `, badge(cell.outcome)),
    el('p', { class: 'mono' }, cell.label, ` · seed ${cell.seed}`),
    cell.reasons.map((reason) => el('p', { class: 'del' }, reason)),
    el('p', {}, 'Run it again: ', el('code', {}, cell.again), ' ', copied(cell.again)),
    el('p', { class: 'dim' }, 'Evidence: ', el('code', {}, cell.evidence))];
  if (!cell.packed) return [...about, el('p', {}, 'This page does not hold its evidence: it was not kept, or there was no room for it.')];
  return [...about, ...story(await unpack(at))];
}

/* Which part is shown stands in the address, so that a look can be sent to somebody. */
async function show() {
  const main = document.getElementById('main');
  const [kind, ...parts] = location.hash.slice(1).split('/');
  const isTrajectory = kind === 't' && parts.length === 3;
  document.getElementById('head').replaceChildren(...(isTrajectory ? [] : head()));
  const made = isTrajectory ? await trajectory(parts) : overview();
  main.replaceChildren(el('div', {}, made));
  const place = kind === 's' && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (place) place.scrollIntoView(); else window.scrollTo(0, 0);
}
document.addEventListener('click', (event) => {
  const place = event.target.closest && event.target.closest('[data-go]');
  if (place) location.hash = place.getAttribute('data-go');
});
document.addEventListener('keydown', (event) => {
  const place = event.key === 'Enter' && event.target.getAttribute && event.target.getAttribute('data-go');
  if (place) location.hash = place;
});
window.addEventListener('hashchange', show);
document.title = `${summary.target}: satisfaction ${interval(summary.satisfaction.point, summary.satisfaction.low, summary.satisfaction.high)}`;
show();
