// How fast a browser opens a report: `node report_opens.mjs REPORT.html` prints the medians of five in milliseconds.

import { pathToFileURL } from 'node:url';
import { browser } from './browser.mjs';

const started = await browser();
const times = { drawn: [], whole: [] };
for (let turn = 0; turn < 5; turn += 1) {
  const page = await started.newPage();
  await page.goto(pathToFileURL(process.argv[2]).href);
  // The overview is what the first paint shows: nothing is painted before it.
  await page.locator('section.scenario').first().waitFor();
  await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
  const [drawn, whole] = await page.evaluate(() => [performance.getEntriesByName('first-contentful-paint')[0].startTime,
    performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd]);
  times.drawn.push(drawn);
  times.whole.push(whole);
  await page.close();
}
const median = (figures) => figures.sort((a, b) => a - b)[2];
console.log(JSON.stringify({ drawn: median(times.drawn), whole: median(times.whole) }));
await started.close();
