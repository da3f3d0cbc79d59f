// What a script says about a twin, counted: a claim stops a section, `run` runs all of them.

import { isDeepStrictEqual, inspect } from 'node:util';

let held = 0;

/** Says that something is so. */
export function claim(truth, message) {
  if (!truth) throw new Error(message);
  held += 1;
}

/** Says that two values are the same. */
export function claimEqual(got, wanted, message) {
  claim(isDeepStrictEqual(got, wanted), `${message}: got ${inspect(got)}, wanted ${inspect(wanted)}`);
}

/** Says that a call fails; gives the error with which it does. */
export async function failure(call, message) {
  let answer;
  try {
    answer = await call;
  } catch (error) {
    claim(true, message);
    return error;
  }
  throw new Error(`${message}: it works, with ${inspect(answer)}`);
}

/** Waits until `look` gives something, and gives it. */
export async function eventually(look, message, seconds = 10) {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const found = await look();
    if (found) {
      claim(true, message);
      return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${message}: not within ${seconds} s`);
}

/** All that an asynchronous iterator gives. */
export async function all(iterator) {
  const items = [];
  for await (const item of iterator) items.push(item);
  return items;
}

/** Those of some names that this process sees to: several may share them, each with a universe of its own. */
export function ownPart(names) {
  const [part, parts] = (process.env.DTU_PART || '0/1').split('/').map(Number);
  return names.filter((_, at) => at % parts === part);
}

/** Runs the sections, each apart from the others, and ends the program. */
export async function run(...sections) {
  const failed = [];
  for (const section of sections) {
    try {
      await section();
    } catch (error) {
      failed.push(section.name);
      console.error(`--- ${section.name}\n${error.stack || error}`);
    }
  }
  if (failed.length > 0) {
    console.error(`${failed.length} of ${sections.length} sections failed: ${failed.join(', ')}`);
    process.exit(1);
  }
  console.log(`${held} claims held`);
  process.exit(0);
}
