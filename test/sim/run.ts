/**
 * `npm run test:sim -- exactly-once [--seed N] [--tasks N] [--batch N] [--kills N] [--output json|text]`: a simulation by name.
 * Prints how many faults of each kind were injected and what came of it; exits 1 where anything is not as it must be. The
 * same seed chooses the same faults again.
 */
import { parseArgs } from "node:util";
import { type SimulationReport, simulateExactlyOnce } from "./exactly-once/simulate.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string" },
    tasks: { type: "string", default: "1000" },
    batch: { type: "string", default: "20" },
    kills: { type: "string", default: "90" },
    output: { type: "string", default: "text" },
  },
});
const [name] = positionals;
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const numbers = [seed, Number(values.tasks), Number(values.batch), Number(values.kills)];

if (name !== "exactly-once" || numbers.some((n) => !Number.isInteger(n) || n < 0) || Number(values.tasks) < 1) {
  console.error(
    "usage: npm run test:sim -- exactly-once [--seed N] [--tasks N] [--batch N] [--kills N] [--output json]",
  );
  process.exitCode = 2;
} else {
  const isJson = values.output === "json";
  const say = (line: string) => (isJson ? console.error(line) : console.log(line));
  say(`exactly-once: seed ${seed}`);
  const report = await simulateExactlyOnce({
    ...{ seed, tasks: Number(values.tasks), batchSize: Number(values.batch), kills: Number(values.kills) },
    timeoutMs: 3_600_000,
    onProgress: (line) => say(`  ${line}`),
  });
  if (isJson) console.log(JSON.stringify(report));
  else print(report);
  process.exitCode = report.problems.length > 0 ? 1 : 0;
}

function print({ faults, problems, ...report }: SimulationReport): void {
  console.log("\nFAULT                       INJECTED");
  for (const [fault, n] of Object.entries(faults).sort()) console.log(`${fault.padEnd(28)}${n}`);
  for (const problem of problems.slice(0, 50)) console.log(`FAIL ${problem}`);
  const all = Object.values(faults).reduce((sum, n) => sum + n, 0);
  console.log(
    `\nexactly-once seed ${report.seed}: ${report.tasks} tasks in ${report.batches} batches, ${all} faults, ${report.seconds} s: ` +
      `${report.lost} lost, ${report.paidTwice} paid twice, ${report.slashedWrongly} slashed wrongly: ${problems.length === 0 ? "ok" : "FAILED"}`,
  );
}
