/**
 * `npm run soak -- [--minutes M] [--seed N] [--every S] [--folder DIR] [--output json|text]`: the system under a steady load
 * for as long as it is told, with cuts every few seconds. Writes `soak.json` and `soak.svg` into the folder; prints what each
 * process held in the middle and at the end, and exits 1 where something grows, an event was missed or a task was lost.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkGrowth, describeGrowth } from "./growth.ts";
import { plotSvg } from "./plot.ts";
import { plotOf } from "./plot-of.ts";
import { runSoak } from "./soak.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    every: { type: "string", default: "3" },
    folder: { type: "string", default: "." },
    output: { type: "string", default: "text" },
  },
});
const minutes = Number(values.minutes);
const every = Number(values.every);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const isJson = values.output === "json";

if (!(minutes > 0) || minutes > 10_000 || !(every >= 0.5) || !Number.isInteger(seed) || seed < 0) {
  console.error(
    "usage: npm run soak -- [--minutes M, up to 10000] [--seed N, a whole number] [--every S, at least 0.5]",
  );
  console.error("                       [--folder DIR] [--output json]");
  process.exitCode = 2;
} else {
  const say = (line: string) => (isJson ? console.error(line) : console.log(line));
  say(`soak: seed ${seed}, ${minutes} min, a cut about every ${every} s`);
  // Some 200 samples, however long it takes; more often than every two seconds, sampling would be the load.
  const sampleEveryMs = Math.max(2_000, (minutes * 60_000) / 200);
  const run = await runSoak({
    ...{ seed, durationMs: minutes * 60_000, sampleEveryMs, cutEveryMs: every * 1_000 },
    onProgress: (line) => say(`  ${line}`),
  });
  const growth = checkGrowth(run.samples);
  const problems = [...run.problems, ...growth.problems];
  const report = { seed, minutes, ...run, growth: growth.figures, problems };
  await mkdir(values.folder, { recursive: true });
  await writeFile(join(values.folder, "soak.json"), `${JSON.stringify(report, null, 1)}\n`);
  await writeFile(join(values.folder, "soak.svg"), plotSvg(plotOf(run, `Soak, seed ${seed}`)));
  if (isJson) console.log(JSON.stringify(report));
  else {
    console.log(`\n${describeGrowth(growth).join("\n")}`);
    for (const problem of problems) console.log(`FAIL ${problem}`);
    const { tasks, events, cuts } = run;
    const cutCount = Object.values(cuts).reduce((sum, count) => sum + count, 0);
    console.log(
      `\nsoak seed ${seed}: ${cutCount} cuts, ${tasks.created} tasks = ${tasks.succeeded} settled + ${tasks.failed} failed + ${tasks.open} lost, ` +
        `${events.writes} writes, ${events.missed} events missed: ${problems.length === 0 ? "ok" : "FAILED"}`,
    );
    console.log(`soak.json and soak.svg are in ${values.folder}`);
  }
  process.exitCode = problems.length > 0 ? 1 : 0;
}
