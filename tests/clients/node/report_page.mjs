// A report as a person sees it, in a real browser: `node report_page.mjs REPORT.html`.
//
// The report is of a run of several scenarios in which something failed.

import { pathToFileURL } from 'node:url';
import { browser } from './browser.mjs';
import { claim, claimEqual, eventually, run } from './claims.mjs';

const address = pathToFileURL(process.argv[2]).href;
const chromium = await browser();

/** Opens the report; what the page says on its console and asks of the network is written down. */
async function open({ width = 1280, colorScheme = 'light' } = {}) {
  const page = await chromium.newPage({ viewport: { width, height: 900 }, colorScheme });
  const told = [];
  page.on('console', (message) => told.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => told.push(`error: ${error.stack}`));
  page.on('request', (request) => request.url().split('#')[0] !== address && !request.url().startsWith('data:') && told.push(`asks for ${request.url()}`));
  await page.goto(address);
  return { page, quiet: async () => { claimEqual(told, [], 'the page says nothing on its console and asks for nothing'); await page.close(); } };
}

const text = (page, selector) => page.locator(selector).first().innerText();
const count = (page, selector) => page.locator(selector).count();

async function an_overview_is_drawn() {
  const { page, quiet } = await open();
  claim((await text(page, 'h1 .badge')).includes('fail'), 'the verdict stands at the top');
  const scenarios = await count(page, 'section.scenario');
  claim(scenarios > 0, 'there are scenarios');
  claimEqual(await count(page, '.forest > a'), scenarios + 2, 'the forest has a row for each scenario, and two for all');
  claim(await count(page, '.forest .range.bad') > 0, 'what failed stands out in the forest');
  claim(await count(page, 'a.cell.unsatisfied') > 0, 'what failed stands out in the heat map');
  claim(await count(page, 'a.cell[tabindex="0"]') > 0, 'squares are reached with the tab key');
  claim((await text(page, 'h2 + table a')).length > 0, 'what went wrong is listed');
  await quiet();
}

async function a_failed_trajectory_is_looked_into() {
  const { page, quiet } = await open();
  await page.locator('a.cell.unsatisfied').first().click();
  await page.locator('#entry h3').waitFor();
  claim((await text(page, 'h1 .badge')).includes('unsatisfied'), 'what came of it is told');
  claim(await count(page, 'tr.check.held-no') > 0, 'the failed check is told first');
  const shown = 'tr.check.held-no:has(button)';
  const check = await text(page, `${shown} b`);
  claim(await count(page, '.lanes .names div') >= 3, 'there are lanes');
  claim(await count(page, '.lanes .ring') > 0, 'rings mark what failed checks point at');
  // The moment that the check points at is chosen; a click chooses it again.
  await page.locator(`${shown} button`).first().click();
  const seq = (await text(page, `${shown} button`)).slice(1);
  await page.locator(`.lanes .hit[data-seq="${seq}"]`).click();
  await eventually(async () => (await text(page, '#entry h3')).startsWith(`#${seq} `), 'a click on a moment shows it');
  claim((await text(page, '#entry .failed')).includes(check), 'with the check that failed');
  claim(/(GET|POST|PUT|DELETE|PATCH) \//.test(await text(page, '#entry .request code')), 'with the request');
  claim(/^\d{3}$/.test(await text(page, '#entry .response code')), 'with the status of the response');
  claim((await text(page, '#entry .response')).length > 10, 'and its body');
  claim((await text(page, '#entry .change .diff')).includes('+ '), 'with what it changed');
  const commands = await page.locator('.commands code').allInnerTexts();
  claim(commands.some((line) => /^dtu run .* --seed \d+.* --only /.test(line)), 'there is a command that runs it again');
  claim(commands.some((line) => /^dtu replay .*evidence\//.test(line)), 'and one that replays it');
  await quiet();
}

async function keys_do_what_a_mouse_does() {
  const { page, quiet } = await open();
  await page.locator('a.cell[tabindex="0"]').first().focus();
  await page.keyboard.press('Enter');
  await page.locator('#entry h3').waitFor();
  await page.keyboard.press('Home');
  await eventually(async () => (await text(page, '#entry h3')).startsWith('#0 '), 'Home shows the first moment');
  await page.keyboard.press('ArrowRight');
  await eventually(async () => (await text(page, '#entry h3')).startsWith('#1 '), 'an arrow shows the next one');
  await page.keyboard.press('Escape');
  await page.locator('section.scenario').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('no such scenario');
  claim((await text(page, '.none')).includes('No scenario fits'), 'the list of scenarios is searched');
  await quiet();
}

async function it_fits_a_narrow_and_dark_screen() {
  const { page, quiet } = await open({ width: 360, colorScheme: 'dark' });
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
  claim(await fits(), 'nothing of the overview is beyond the edge');
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  claim(Math.max(...ground.match(/\d+/g).map(Number)) < 60, `the ground is dark: ${ground}`);
  await page.locator('h2 + table a').first().click();
  await page.locator('#entry h3').waitFor();
  claim(await fits(), 'nor of a trajectory');
  await quiet();
}

async function an_address_is_a_look() {
  const { page, quiet } = await open();
  await page.locator('a.cell.unsatisfied').first().click();
  await page.locator('#entry h3').waitFor();
  const heading = await text(page, 'h1');
  await page.reload();
  await page.locator('#entry h3').waitFor();
  claimEqual(await text(page, 'h1'), heading, 'the same trajectory is there when the page is opened again');
  await quiet();
}

await run(an_overview_is_drawn, a_failed_trajectory_is_looked_into, keys_do_what_a_mouse_does, it_fits_a_narrow_and_dark_screen, an_address_is_a_look);
