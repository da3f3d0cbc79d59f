'use strict';
const page = JSON.parse(document.getElementById('data').textContent);
const OUTCOMES = { s: 'satisfied', u: 'unsatisfied', o: 'undecided', v: 'void' };
const SIGNS = { satisfied: '✓', unsatisfied: '✗', undecided: '?', void: '∅' };
const RULING_SIGNS = { pass: '✓', fail: '✗', inconclusive: '?', breach: '!' };
const SVG = 'http://www.w3.org/2000/svg';
/* So many of a long list are shown at once. */
const FEW = 8;
/* From so many trajectories on a scenario's squares are small. */
const MANY = 200;

/* Building blocks. What a target wrote only ever becomes text. */
function el(name, attributes, ...children) {
  const made = name.startsWith('svg:') ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (key === 'style') made.style.cssText = value;
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== undefined && child !== null && child !== false) made.append(child);
  }
  return made;
}
const fixed = (value) => (value === null || value === undefined ? '–' : value.toFixed(2));
const interval = (point, low, high) => (point === null ? '–' : `${fixed(point)} [${fixed(low)}–${fixed(high)}]`);
const plural = (count, one, more) => `${count} ${count === 1 ? one : more}`;
const badge = (word) => el('span', { class: `badge ${word}` }, RULING_SIGNS[word] || SIGNS[word] || '', ' ', word);
/* Words in which what stands between backticks is code. */
const words = (text) => (text ? text.split('`').map((part, at, all) => (at % 2 === 0 ? part : at === all.length - 1 ? `\`${part}` : el('code', {}, part))) : text);
const none = (text) => el('p', { class: 'none' }, text);

/* All trajectories, in the order of the plan. */
const cells = page.scenarios.flatMap((scenario) => scenario.variants.flatMap((variant) => variant.runs.map(([n, seed, letter, packed, reasons]) => {
  const cell = { scenario, variant, n, seed, outcome: OUTCOMES[letter], packed, reasons };
  cell.address = `#t/${[scenario.id, variant.id, n].map(encodeURIComponent).join('/')}`;
  return cell;
})));
const byAddress = new Map(cells.map((cell) => [cell.address, cell]));
const cellsOf = new Map();
for (const cell of cells) {
  if (!cellsOf.has(cell.variant)) cellsOf.set(cell.variant, []);
  cellsOf.get(cell.variant).push(cell);
}
const run = page.scenarios.filter((one) => one.decided + one.undecided + one.void > 0);
const labelOf = (cell) => `${cell.variant.label || 'only variant'} #${cell.n}`;
const cellName = (cell) => `${cell.scenario.id}, ${labelOf(cell)}: ${cell.outcome}`;
const failuresOf = (one) => one.decided - one.satisfied + one.undecided + one.void;

/* The head: verdict and figures. */
function head() {
  const s = page.satisfaction;
  const figure = (what, value, great) => el('div', { class: great && 'great' }, el('span', { class: 'dim' }, what), el('b', {}, value));
  const satisfied = run.reduce((sum, one) => sum + one.satisfied, 0);
  const counts = { satisfied, unsatisfied: s.decided - satisfied, undecided: s.undecided, void: s.void };
  const left = Math.max(0, s.trajectories - s.decided - s.undecided - s.void);
  const share = ([outcome, count]) => count > 0 && el('i', { class: outcome, style: `flex: ${count}`, title: `${count} ${outcome}` });
  const told = Object.entries(counts).map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  const shares = el('div', { class: 'shares', role: 'img', 'aria-label': told }, Object.entries(counts).map(share), left > 0 && el('i', { style: `flex: ${left}`, title: `${left} not run` }));
  return [
    el('h1', {}, page.target, ' ', badge(page.gate ? page.gate.ruling : page.verdict)),
    el('div', { class: 'figures' },
      figure('satisfaction on these scenarios', interval(s.point, s.low, s.high), true),
      page.difference && figure('to the baseline', page.difference, true),
      figure('as a sample of all stories', interval(s.point, s.population.low, s.population.high)),
      figure('decided', `${s.decided} of ${s.trajectories}`),
      figure('seed', page.seed)),
    shares,
    el('p', { class: 'legend dim' }, Object.entries(counts).map(([outcome, count]) => el('span', {}, el('i', { class: `cell ${outcome}` }, SIGNS[outcome]), `${count} ${outcome}`)),
      left > 0 && el('span', {}, `${left} not run`)),
  ];
}

/* A list of which the rest unfolds. */
function folded(rows, rest, make) {
  return [make(rows), rest.length > 0 && el('details', {}, el('summary', {}, rows.length > 0 ? `${rest.length} more` : plural(rest.length, 'rule passes', 'rules pass')), make(rest))];
}

function gate() {
  if (!page.gate) return null;
  const row = (rule) => el('tr', {}, el('td', { class: `sign says-${rule.ruling}`, title: rule.ruling }, RULING_SIGNS[rule.ruling]),
    el('td', {}, rule.rule), el('td', {}, rule.scenario && el('a', { href: `#s/${encodeURIComponent(rule.scenario)}` }, rule.scenario)), el('td', { class: 'grow' }, words(rule.why)));
  const table = (rules) => rules.length > 0 && el('table', {}, el('tr', {}, ['', 'rule', 'scenario', 'why'].map((name) => el('th', {}, name))), rules.map(row));
  const open = page.gate.rules.filter((rule) => rule.ruling !== 'pass');
  const passed = page.gate.rules.filter((rule) => rule.ruling === 'pass');
  const { quarantined = [], next = [] } = page.gate;
  return [el('h2', {}, 'Gate ', badge(page.gate.ruling)),
    passed.length + open.length <= FEW ? table([...open, ...passed]) : folded(open, passed, table),
    quarantined.length > 0 && el('p', { class: 'dim' }, `In quarantine, and not counted: ${quarantined.join(', ')}`),
    next.length > 0 && el('p', { class: 'dim' }, `${plural(next.length, 'trajectory more', 'trajectories more')} may decide it.`)];
}

/* What went wrong, worst first. */
function problems() {
  const found = run.flatMap((scenario) => scenario.problems.map((problem) => ({ scenario, ...problem })));
  const rank = (problem) => (problem.void ? 2 : problem.role === 'should' ? 1 : 0);
  found.sort((a, b) => rank(a) - rank(b) || b.count - a.count);
  const row = (problem) => {
    const { decided, undecided, void: empty } = problem.scenario;
    const [variant, n] = problem.first;
    const all = decided + undecided + empty;
    const address = `#t/${[problem.scenario.id, variant, n].map(encodeURIComponent).join('/')}`;
    return el('tr', {}, el('td', { class: 'bar' }, el('i', { class: problem.void && 'void', style: `width: ${(100 * problem.count) / all}%`, title: `${problem.count} of ${all}` })),
      el('td', { class: 'count' }, `${problem.count} of ${all}`), el('td', { class: 'grow' }, el('a', { href: address }, words(problem.what)), problem.role && el('span', { class: 'dim' }, ` ${problem.role}`),
        el('div', { class: 'dim' }, problem.scenario.id)));
  };
  const table = (rows) => rows.length > 0 && el('table', {}, rows.map(row));
  return [el('h2', {}, 'What went wrong'), found.length === 0 ? none(run.length === 0 ? 'No trajectory has been run.' : 'Nothing.') : folded(found.slice(0, FEW), found.slice(FEW), table)];
}

/* How a scenario differs from the baseline's, in trajectories with the same seed. */
function change(scenario, long) {
  const { better, worse, pairs } = scenario.difference || {};
  if (!pairs) return '';
  if (!long) return better + worse === 0 ? '' : ` Δ${better ? ` +${better}` : ''}${worse ? ` −${worse}` : ''}`;
  return better + worse === 0 ? `as in the baseline, in all of ${pairs}` : `to the baseline: ${better} better, ${worse} worse, of ${pairs}`;
}

/* The forest plot: each scenario's fraction and its interval. */
function range(kind, { point, low, high }) {
  if (point === null) return el('span', { class: 'range' }, el('em', { class: 'none' }, 'nothing decided'));
  const at = (value) => `${(100 * value).toFixed(2)}%`;
  return el('span', { class: `range ${kind}` }, el('i', { style: `left: ${at(low)}; width: ${at(high - low)}` }), el('b', { style: `left: ${at(point)}` }));
}

function forest(shown) {
  const s = page.satisfaction;
  const row = (name, kind, figures, count, href) => el('a', { href, class: kind === 'all' && 'whole', title: `${name}: ${interval(figures.point, figures.low, figures.high)}` },
    el('span', { class: 'name' }, name), range(kind, figures), el('span', { class: 'count dim' }, count));
  const of = (one) => row(one.id, one.satisfied < one.decided ? 'bad' : 'good', one, `${one.satisfied}/${one.decided}${one.void ? ` ∅${one.void}` : ''}${one.undecided ? ` ?${one.undecided}` : ''}${change(one)}`, `#s/${encodeURIComponent(one.id)}`);
  return el('div', { class: 'forest', role: 'group', 'aria-label': 'satisfaction by scenario, with intervals' },
    row('all, on these scenarios', 'all', s, fixed(s.point), '#'), row('all, as a sample of stories', 'all', { ...s, ...s.population }, '', '#'), shown.map(of),
    el('span', { class: 'ticks dim' }, [0, 0.25, 0.5, 0.75, 1].map((tick) => el('span', { style: `left: ${100 * tick}%` }, String(tick)))));
}

/* One scenario: its variants against its seeds, and what went wrong. */
function heat(scenario) {
  const row = (variant) => {
    const made = [];
    for (const cell of cellsOf.get(variant) || []) {
      while (made.length + 1 < cell.n && made.length < 10_000) made.push(el('span', { class: 'cell gap', title: `#${made.length + 1} was not run` }));
      made.push(el('a', { class: `cell ${cell.outcome}`, href: cell.address, title: cellName(cell), 'aria-label': cellName(cell), tabindex: -1 }, SIGNS[cell.outcome]));
    }
    return [el('div', { class: 'name mono' }, variant.label || 'only variant'), el('div', { class: 'cells' }, made.length > 0 ? made : el('span', { class: 'none' }, 'not run'))];
  };
  const count = scenario.variants.reduce((sum, variant) => sum + variant.runs.length, 0);
  const made = el('div', { class: `heat${count > MANY ? ' many' : ''}` }, scenario.variants.map(row));
  // One stop of the tab key for all squares; arrows go from one to the next.
  const first = made.querySelector('a.unsatisfied') || made.querySelector('a');
  if (first) first.tabIndex = 0;
  return made;
}

function problemList(scenario) {
  const all = scenario.decided + scenario.undecided + scenario.void;
  const item = (problem) => el('li', {}, el('b', {}, words(problem.what)), problem.role && el('span', { class: 'dim' }, ` ${problem.role}`), ` in ${problem.count} of ${all}`, problem.why && [': ', words(problem.why)], ' ',
    el('a', { href: `#t/${[scenario.id, ...problem.first].map(encodeURIComponent).join('/')}` }, 'look'));
  return scenario.problems.length > 0 && el('ul', { class: 'problems' }, scenario.problems.map(item));
}

function scenarioSection(scenario, watcher) {
  const rows = scenario.variants.length * (1 + Math.floor(Math.max(0, ...scenario.variants.map((variant) => variant.runs.length)) / 30));
  // Squares are made when they come near; until then the section is about as high as it will be.
  const body = el('div', { style: `min-height: ${rows * 27 + scenario.problems.length * 24}px` });
  const made = el('section', { class: 'scenario', id: `s/${scenario.id}` },
    el('h3', {}, scenario.id, ' ', el('span', { class: 'dim' }, interval(scenario.point, scenario.low, scenario.high))),
    el('div', { class: 'dim' }, scenario.title, scenario.consistency !== null && scenario.consistency < 1 && scenario.point > 0 && ` · three in a row satisfy in ${fixed(scenario.consistency)}`),
    scenario.difference && el('div', { class: scenario.difference.worse > scenario.difference.better ? 'says-fail' : 'dim' }, change(scenario, true)), body);
  made.fill = () => {
    body.style.minHeight = '';
    body.replaceChildren(heat(scenario), ...[problemList(scenario)].filter(Boolean));
    watcher.unobserve(made);
  };
  watcher.observe(made);
  return made;
}

/* What of all scenarios is shown. Stays as it is while one looks at a trajectory. */
const chosen = { text: '', wrong: false, order: 'plan' };

/* How many more trajectories fell than rose, in parts of those compared. */
const fall = (one) => (one.difference ? (one.difference.worse - one.difference.better) / one.difference.pairs : -2);

function selected() {
  const words = chosen.text.toLowerCase();
  const fits = (one) => `${one.id} ${one.title} ${one.area}`.toLowerCase().includes(words) && (!chosen.wrong || failuresOf(one) > 0);
  const shown = run.filter(fits);
  if (chosen.order === 'fallen') shown.sort((a, b) => fall(b) - fall(a));
  if (chosen.order === 'worst') shown.sort((a, b) => (a.point ?? 2) - (b.point ?? 2));
  return shown;
}

function scenarios() {
  const place = el('div', {});
  const draw = () => {
    const near = (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => entry.target.fill());
    const watcher = new IntersectionObserver(near, { rootMargin: '600px' });
    const shown = selected();
    const few = shown.length === run.length ? '' : ` (${shown.length} of ${run.length})`;
    place.replaceChildren(...(shown.length === 0 ? [none('No scenario fits.')] : [forest(shown), el('h2', {}, `Variants and seeds${few}`),
      el('p', { class: 'dim' }, 'A row is a variant, a square a trajectory. Click one, or go there with the tab and arrow keys.'),
      ...shown.map((one) => scenarioSection(one, watcher))]));
  };
  const set = (name, value) => { chosen[name] = value; draw(); };
  draw();
  const tools = run.length > 1 && el('div', { class: 'tools' },
    el('input', { type: 'search', placeholder: 'find a scenario  ( / )', 'aria-label': 'find a scenario', value: chosen.text, oninput: (event) => set('text', event.target.value) }),
    el('label', {}, el('input', { type: 'checkbox', checked: chosen.wrong, onchange: (event) => set('wrong', event.target.checked) }), ' only what went wrong'),
    el('label', {}, 'order ', el('select', { onchange: (event) => set('order', event.target.value) },
      [['plan', 'as planned'], ['worst', 'worst first'], ...(run.some((one) => one.difference) ? [['fallen', 'most fallen first']] : [])].map(([value, name]) => el('option', { value, selected: chosen.order === value }, name)))));
  return [el('h2', {}, 'Scenarios'), run.length === 0 ? none('No scenario has been run.') : [tools, place]];
}

/* Which part is shown stands in the address, so that a look can be sent to somebody. */
async function show() {
  const { hash } = location;
  const cell = byAddress.get(hash);
  const main = document.getElementById('main');
  const made = hash.startsWith('#t/') ? await trajectory(cell) : [head(), gate(), problems(), scenarios()];
  if (location.hash !== hash) return;
  main.replaceChildren(el('div', {}, made));
  document.body.dataset.shown = cell ? 'trajectory' : 'overview';
  const place = hash.startsWith('#s/') && document.getElementById(decodeURIComponent(hash.slice(1)));
  if (place) {
    place.fill();
    place.scrollIntoView();
  } else {
    window.scrollTo(0, 0);
  }
}

/* From one square to the next: in its row, or to the same place of the row above or below. */
function step(square, key) {
  const rows = [...square.closest('.heat').querySelectorAll('.cells')].map((row) => [...row.querySelectorAll('a')]).filter((row) => row.length > 0);
  const at = rows.findIndex((row) => row.includes(square));
  const place = rows[at].indexOf(square);
  const to = { ArrowLeft: rows[at][place - 1], ArrowRight: rows[at][place + 1], Home: rows[at][0], End: rows[at].at(-1) }[key]
    || (key === 'ArrowUp' && rows[at - 1] && (rows[at - 1][place] || rows[at - 1].at(-1))) || (key === 'ArrowDown' && rows[at + 1] && (rows[at + 1][place] || rows[at + 1].at(-1)));
  if (!to) return false;
  square.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
  return true;
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  const square = event.target.closest && event.target.closest('a.cell');
  if (square && step(square, event.key)) event.preventDefault();
  else if (event.key === '/' && !typing && document.querySelector('input[type=search]')) {
    event.preventDefault();
    document.querySelector('input[type=search]').focus();
  } else if (!typing && document.body.dataset.shown === 'trajectory') keyOfTrajectory(event);
});
window.addEventListener('hashchange', show);
document.title = `${page.target}: satisfaction ${interval(page.satisfaction.point, page.satisfaction.low, page.satisfaction.high)}`;
