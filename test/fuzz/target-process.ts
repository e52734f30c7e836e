/**
 * One target in a process of its own, which may die or hang: `node target-process.ts TARGET SEED FIRST MS PLACE`. Execution
 * number i has its luck from the seed and i alone, and i is written to the file PLACE before it begins, so that whoever finds this
 * process dead knows of what. Prints what was found and, at the end, the statistics, as lines of JSON.
 */
import { openSync, writeSync } from "node:fs";
import { describeError } from "../../src/base/errors.ts";
import { createRandom } from "../chaos/random.ts";
import { targets } from "./targets.ts";

const [name = "", seed = "0", first = "0", ms = "0", place = "/dev/null"] = process.argv.slice(2);
const target = targets.find((one) => one.name === name);
if (target === undefined) throw new Error(`no target ${name}`);
const file = openSync(place, "w");
const outcomes: Record<string, number> = {};
const luck = createRandom(Number(seed)).fork(name);
const open = await target.open();
const endMs = performance.now() + Number(ms);
let index = Number(first);
const at = Buffer.alloc(8);
do {
  at.writeBigUInt64LE(BigInt(index));
  writeSync(file, at, 0, 8, 0);
  const began = performance.now();
  try {
    const outcome = await open.execute(luck.fork(String(index)));
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? "").split("\n").slice(1, 4).join(" ") : "";
    console.log(JSON.stringify({ crash: describeError(error).slice(0, 1_000), stack, index }));
    outcomes.crash = (outcomes.crash ?? 0) + 1;
  }
  const took = performance.now() - began;
  if (took > target.hangMs) console.log(JSON.stringify({ hang: `took ${Math.round(took)} ms`, index }));
  index++;
} while (performance.now() < endMs);
console.log(JSON.stringify({ executions: index - Number(first), outcomes }));
await open.close?.();
