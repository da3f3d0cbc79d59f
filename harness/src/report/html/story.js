/* A trajectory: its checks, its timeline, and what one moment of it says. */

/* The evidence stands after this program, so that a page of thousands is drawn before it has all come. */
const whole = new Promise((done) => {
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', done);
  else done();
});

async function unpack(at) {
  await whole;
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
const FAMILIES = { target: 'the program', actor: 'a person', system: 'delivery, or the harness', error: 'refused or failed', fault: 'fault' };

/* A sign for each family, so that colour is not all that tells them apart. */
function sign(kind, x, y, r) {
  const path = { error: `M${x} ${y - r - 1}L${x + r + 1} ${y}L${x} ${y + r + 1}L${x - r - 1} ${y}Z`, fault: `M${x} ${y - r - 1}L${x + r + 1} ${y + r}L${x - r - 1} ${y + r}Z`,
    actor: `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}Z` }[kind];
  return path ? el('svg:path', { class: 'dot', d: path }) : el('svg:circle', { class: 'dot', cx: x, cy: y, r });
}

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

const STEP = 26;
const LANE = 30;

/* Only what is in sight is drawn: a ledger may have thousands of entries. */
function timeline(ledger, wrong, choose) {
  const lanes = laneOrder(ledger);
  const y = (name) => 37 + lanes.indexOf(name) * LANE;
  const x = (at) => 18 + at * STEP;
  const [width, height] = [x(ledger.length) + 4, 24 + lanes.length * LANE];
  const began = Date.parse(ledger[0].at);
  const seconds = (entry) => `${((Date.parse(entry.at) - began) / 1000).toFixed(1)} s`;
  const mark = (entry, at) => {
    const [from, to] = ends(entry);
    const kind = family(entry);
    const time = at % 4 === 0 && (at === 0 || seconds(entry) !== seconds(ledger[at - 4])) && seconds(entry);
    const told = `${entry.principal} ${entry.twin} ${named(entry)} ${entry.status || ''} ${entry.error || ''}`;
    return el('svg:g', { class: kind },
      time && el('svg:text', { x: x(at), y: 14, 'text-anchor': at === 0 ? 'start' : 'middle' }, time),
      to && to !== from && el('svg:line', { class: 'link', x1: x(at), x2: x(at), y1: y(from), y2: y(to) }),
      to && to !== from && sign(kind, x(at), y(from), 3),
      sign(kind, x(at), y(to || from), 6),
      wrong.has(entry.seq) && el('svg:circle', { class: 'ring', cx: x(at), cy: y(to || from), r: 10.5 }),
      el('svg:rect', { class: 'hit', 'data-seq': entry.seq, x: x(at) - STEP / 2, y: 18, width: STEP, height: height - 18, onclick: () => choose(at) }, el('svg:title', {}, told)));
  };
  const rails = lanes.map((name) => el('svg:line', { class: 'rail', x1: 0, x2: width, y1: y(name), y2: y(name) }));
  const light = el('svg:rect', { class: 'chosen', y: 18, width: STEP, height: height - 18, x: -100 });
  const marks = el('svg:g', {});
  const drawing = el('svg:svg', { width, height, role: 'img', 'aria-label': `timeline of ${ledger.length} moments` }, rails, light, marks);
  const track = el('div', { class: 'track', tabindex: 0, role: 'group', 'aria-label': 'timeline: go through its moments with the arrow keys' }, drawing);
  let drawn = '';
  const draw = () => {
    const from = Math.max(0, Math.floor(track.scrollLeft / STEP) - 40);
    const to = Math.min(ledger.length, Math.ceil((track.scrollLeft + (track.clientWidth || 1200)) / STEP) + 40);
    if (drawn === `${from} ${to}`) return;
    drawn = `${from} ${to}`;
    marks.replaceChildren(...ledger.slice(from, to).map((entry, at) => mark(entry, from + at)));
  };
  track.addEventListener('scroll', draw);
  const names = el('div', { class: 'names' }, lanes.map((name) => el('div', { title: name }, name.startsWith('actor:') ? [el('span', { class: 'dim' }, 'actor '), name.slice(6)] : name)));
  const show = (at) => {
    light.setAttribute('x', x(at) - STEP / 2);
    if (x(at) - 60 < track.scrollLeft || x(at) + 60 > track.scrollLeft + track.clientWidth) track.scrollLeft = x(at) - track.clientWidth / 2;
    draw();
  };
  return { box: el('div', { class: 'lanes' }, names, track), track, show };
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
  return el('div', { class: 'change' }, el('b', { class: 'mono' }, `${change.twin ? `${change.twin}.` : ''}${change.table} ${change.key}`),
    el('span', { class: 'dim' }, ` ${what}${causes && ` by ${causes}`}`), el('pre', { class: 'diff' }, lines));
}

/* All that is different at the end: what the program did in full, the rest on demand. */
function difference(changes) {
  const byTarget = (change) => (change.causes || []).some((cause) => cause.principal === 'target');
  const [own, others] = [changes.filter(byTarget), changes.filter((change) => !byTarget(change))];
  if (changes.length === 0) return none('Nothing.');
  return [own.length > 0 ? own.map(changed) : none('Nothing by the program.'),
    others.length > 0 && el('details', {}, el('summary', {}, plural(others.length, 'change by others', 'changes by others')), others.map(changed))];
}

function failed(check) {
  return el('div', { class: 'failed' }, el('b', {}, `${check.held === 'error' ? '!' : '✗'} ${check.name}`), el('span', { class: 'dim' }, ` ${check.role}`), check.why && el('div', {}, words(check.why)));
}

function entryDetail(entry, cases) {
  const line = (message) => message && `${message.method || ''} ${message.target || message.status || ''}`.trim();
  const pair = (entry.request && entry.request.target) || entry.response;
  const plain = !pair && (entry.with || entry.effect || entry.detail);
  const side = (kind, message, otherwise) => el('div', { class: kind }, el('span', { class: 'dim' }, `${kind} `), el('code', {}, line(message) || otherwise), body(message) ? el('pre', {}, body(message)) : el('div', { class: 'none' }, 'no body'));
  const changes = entry.changes || [];
  return [
    el('h3', {}, el('span', { class: 'dim' }, `#${entry.seq} `), `${entry.principal} → ${isAct(entry) ? 'target' : entry.twin || 'universe'} ${named(entry)} `, entry.status && el('span', { class: isError(entry) ? 'del' : 'dim' }, String(entry.status)),
      entry.error && el('span', { class: 'del' }, ` ${entry.error}`)),
    el('div', { class: 'dim' }, entry.at, entry.fault && ` · struck by the fault ${entry.fault}`, entry.cause !== undefined && ` · caused by #${entry.cause}`, entry.gap && ' · the twin does not serve this'),
    cases.map(failed),
    pair && el('div', { class: 'two' }, side('request', entry.request, 'none'), side('response', entry.response, entry.error || 'none')),
    plain && el('pre', {}, JSON.stringify(plain, null, 2)),
    entry.result !== undefined && [el('div', { class: 'dim' }, 'result'), el('pre', {}, JSON.stringify(entry.result, null, 2))],
    changes.length > 0 ? changes.map(changed) : pair && el('p', { class: 'dim' }, 'It changed nothing.')];
}

function checkTable(checks, go) {
  const moments = (check) => (check.moments || []).filter((moment) => moment.seq > 0).slice(0, 6);
  const row = (check) => el('tr', { class: `check held-${check.held}` },
    el('td', { class: 'sign' }, { yes: '✓', no: '✗', error: '!' }[check.held]), el('td', {}, el('b', {}, check.name)), el('td', { class: 'dim' }, check.role), el('td', { class: 'grow' }, words(check.why)),
    el('td', {}, check.held !== 'yes' && moments(check).map((moment) => [el('button', { onclick: () => go(moment.seq), title: `${moment.principal} ${moment.twin} ${moment.what}` }, `#${moment.seq}`), ' '])));
  const table = (rows) => rows.length > 0 && el('table', {}, rows.map(row));
  const broken = checks.filter((check) => check.held !== 'yes');
  const held = checks.filter((check) => check.held === 'yes');
  return [table(broken), held.length > 0 && el('details', { open: broken.length === 0 }, el('summary', {}, plural(held.length, 'check holds', 'checks hold')), table(held))];
}

/* What the keys of a shown trajectory do; nothing while none is shown. */
let move = () => {};

/* Where the program itself is to blame, what it wrote comes first. */
function story(evidence, early) {
  const { ledger, checks, exit = {}, timings = {} } = evidence;
  const wrong = new Map();
  for (const check of checks.filter((one) => one.held !== 'yes')) {
    for (const moment of check.moments || []) wrong.set(moment.seq, [...(wrong.get(moment.seq) || []), check]);
  }
  const output = (name) => [el('h2', {}, name), evidence[name] ? el('pre', {}, evidence[name]) : none('Nothing.')];
  const facts = [['exit', exit], ['machine time', timings], ['parameters', evidence.manifest.params]].map(([name, value]) => value && el('div', {}, el('span', { class: 'dim' }, `${name} `), el('code', {}, JSON.stringify(value))));
  const outputs = [output('stderr'), output('stdout')];
  const rest = [el('h2', {}, 'What is different at the end'), difference(evidence.diff), !early && outputs, el('h2', {}, 'About'), facts];
  if (ledger.length === 0) return [early && outputs, el('h2', {}, 'Checks'), checkTable(checks, () => {}), el('h2', {}, 'Timeline'), none('Nothing happened.'), rest];
  const detail = el('div', { id: 'entry', 'aria-live': 'polite' });
  let at = 0;
  const choose = (next) => {
    at = Math.max(0, Math.min(ledger.length - 1, next));
    detail.replaceChildren(el('div', {}, entryDetail(ledger[at], wrong.get(ledger[at].seq) || [])));
    drawn.show(at);
  };
  const go = (seq) => {
    choose(ledger.findIndex((entry) => entry.seq === seq));
    drawn.box.scrollIntoView({ block: 'nearest' });
  };
  const drawn = timeline(ledger, wrong, choose);
  move = (key) => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: ledger.length - 1 }[key];
    if (to !== undefined) choose(to);
    return to !== undefined;
  };
  const first = ledger.findIndex((entry) => wrong.has(entry.seq));
  setTimeout(() => choose(first < 0 ? 0 : first));
  const key = el('p', { class: 'legend dim' }, Object.entries(FAMILIES).map(([kind, name]) => el('span', { class: 'lanes', style: 'border: 0' },
    el('svg:svg', { width: 20, height: 20, class: kind, 'aria-hidden': true }, sign(kind, 9, 10, 5)), name)), el('span', {}, 'a ring: what a failed check points at'));
  return [early && outputs, el('h2', {}, 'Checks'), checks.length > 0 ? checkTable(checks, go) : none('It did not come to the checks.'),
    el('h2', {}, 'Timeline'), el('p', { class: 'dim' }, 'Click a moment, or go through them with ', el('kbd', {}, '←'), ' ', el('kbd', {}, '→'), '.'), drawn.box, key, detail, rest];
}

/* A command to copy; where the browser does not let it, it is selected. */
function command(what, text) {
  const code = el('code', {}, text);
  const copy = (event) => {
    const done = (word) => { event.target.textContent = word; };
    const select = () => { getSelection().selectAllChildren(code); done('selected'); };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => done('copied'), select); else select();
  };
  return [el('span', { class: 'dim' }, what), code, el('button', { onclick: copy, 'aria-label': `copy the command: ${what}` }, 'copy')];
}

/* The trajectories before and after this one that did not satisfy. */
function neighbours(cell) {
  const at = cells.indexOf(cell);
  const bad = (one) => one.outcome !== 'satisfied';
  return { before: cells.slice(0, at).findLast(bad), after: cells.slice(at + 1).find(bad) };
}

async function trajectory(cell) {
  move = () => {};
  const back = (place) => el('a', { href: place }, '← all scenarios');
  if (!cell) return [el('nav', {}, back('#')), none('There is no such trajectory in this run.')];
  const { before, after } = neighbours(cell);
  const link = (to, text) => to && el('a', { href: to.address, title: cellName(to) }, text);
  const replay = `${cell.variant.replay}`.replace(/0('?)$/, `${cell.n}$1`);
  const about = [
    el('nav', {}, back(`#s/${encodeURIComponent(cell.scenario.id)}`), link(before, '‹ failure before'), link(after, 'next failure ›'), el('span', { class: 'dim' }, 'keys: ', el('kbd', {}, 'esc'), ' back, ', el('kbd', {}, 'p'), ' ', el('kbd', {}, 'n'), ' other failures')),
    el('h1', {}, `${cell.scenario.id} #${cell.n} `, badge(cell.outcome)),
    el('div', {}, cell.scenario.title),
    el('p', { class: 'mono dim' }, cell.variant.label && `${cell.variant.label} · `, `seed ${cell.seed}`),
    cell.reasons.map((reason) => el('div', { class: 'failed' }, words(reason))),
    el('div', { class: 'commands' }, cell.packed !== null && command('replay it', replay), command('run it again', cell.variant.again.replace(/0('?)$/, `${cell.n}$1`)))];
  if (cell.packed === null) return [...about, none('This page does not hold its evidence: it was not kept, or there was no room for it.')];
  return [...about, ...story(await unpack(cell.packed), cell.reasons.length > 0 && cell.outcome !== 'void')];
}

function keyOfTrajectory(event) {
  const cell = byAddress.get(location.hash);
  const { before, after } = cell ? neighbours(cell) : {};
  const to = { Escape: cell && `#s/${encodeURIComponent(cell.scenario.id)}`, p: before && before.address, n: after && after.address }[event.key];
  if (to) location.hash = to;
  else if (move(event.key)) event.preventDefault();
}

show();
