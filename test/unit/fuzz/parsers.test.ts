import { expect, test } from "vitest";
import { createRandom } from "../../chaos/random.ts";
import { parserTargets } from "../../fuzz/targets/parsers.ts";

// A glance; `npm run fuzz` looks for minutes.
test.each(parserTargets())("$name refuse hostile input with an error of ours", async ({ name, open }) => {
  const luck = createRandom(20_261_127).fork(name);
  const target = await open();
  const outcomes = new Set<string>();
  for (let index = 0; index < 60; index++) outcomes.add(await target.execute(luck.fork(String(index))));
  expect(outcomes.size).toBeGreaterThan(0);
});
