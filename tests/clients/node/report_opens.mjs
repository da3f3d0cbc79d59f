// How fast a browser opens a report: `node report_opens.mjs REPORT.html` prints the medians of five in milliseconds.

import { pathToFileURL } from 'node:url';
import { browser } from './browser.mjs';

const started = await browser();
const times = { drawn: [], whole: [], loaded: [] };
for (let turn = 0; turn < 5; turn += 1) {
  const page = await started.newPage();
  await page.goto(pathToFileURL(process.argv[2]).href);
  // The overview is what the first paint shows: nothing is painted before it.
  await page.locator('section.scenario').first().waitFor();
  await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
  await page.waitForFunction(() => performance.getEntriesByType('navigation')[0].loadEventEnd > 0);
  const [drawn, whole, loaded] = await page.evaluate(() => {
    const [opened] = performance.getEntriesByType('navigation');
    const [painted] = performance.getEntriesByName('first-contentful-paint');
    return [painted.startTime, opened.domContentLoadedEventEnd, opened.loadEventEnd];
  });
  times.drawn.push(drawn);
  times.whole.push(whole);
  times.loaded.push(loaded);
  await page.close();
}
const median = (figures) => figures.sort((a, b) => a - b)[2];
const medians = Object.entries(times).map(([name, figures]) => [name, median(figures)]);
console.log(JSON.stringify(Object.fromEntries(medians)));
await started.close();
