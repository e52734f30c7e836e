/**
 * `npm run test:sim -- NAME|all [--seed N] [--output json|text] [--NUMBER N ...]`: simulations by name (`scenarios.ts`); each
 * has numbers of its own, such as `--tasks`. Prints how many faults of each kind were injected and what came of it; exits 1
 * where anything is not as it must be. The same seed chooses the same faults again.
 */
import { parseArgs } from "node:util";
import type { Scenario, ScenarioReport } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";

interface Run extends ScenarioReport {
  readonly scenario: string;
}

const flags = ["seed", "output", ...scenarios.flatMap(({ numbers }) => Object.keys(numbers))];
const options = Object.fromEntries(flags.map((flag) => [flag, { type: "string" as const }]));
const { values, positionals } = parseArgs({ allowPositionals: true, strict: false, options });
const wanted = positionals[0] === "all" ? scenarios : scenarios.filter(({ name }) => name === positionals[0]);
const isJson = values.output === "json";
const refusal = check();
if (refusal !== undefined) {
  console.error(`${refusal}\n\nusage: npm run test:sim -- NAME|all [--seed N] [--output json] [--NUMBER N ...]\n`);
  for (const { name, what, numbers } of scenarios) {
    const flags = Object.entries(numbers).map(([key, value]) => `--${key} ${value}`);
    console.error(`  ${name.padEnd(16)}${what}${flags.length > 0 ? ` (${flags.join(" ")})` : ""}`);
  }
  process.exitCode = 2;
} else {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const runs: Run[] = [];
  for (const scenario of wanted) runs.push(await runScenario(scenario, seed));
  if (isJson) console.log(JSON.stringify(positionals[0] === "all" ? sumUp(runs) : runs[0]));
  else for (const run of runs) print(run);
  if (!isJson && runs.length > 1) {
    const failed = runs.filter(({ problems }) => problems.length > 0).map(({ scenario }) => scenario);
    console.log(
      `\n${runs.length} scenarios, ${failed.length} failed${failed.length > 0 ? `: ${failed.join(", ")}` : ""}`,
    );
  }
  process.exitCode = runs.some(({ problems }) => problems.length > 0) ? 1 : 0;
}

function check(): string | undefined {
  const unknown = Object.keys(values).find((name) => !flags.includes(name));
  if (unknown !== undefined) return `--${unknown} is no option of any simulation`;
  if (positionals.length === 0) return "no simulation is named";
  if (positionals.length > 1) return `${positionals.length} names were given; expected one, or all`;
  if (wanted.length === 0) return `there is no simulation ${positionals[0]}`;
  const known = new Set(["seed", "output", ...wanted.flatMap(({ numbers }) => Object.keys(numbers))]);
  for (const [name, value] of Object.entries(values)) {
    if (!known.has(name)) return `--${name} is no option of ${positionals[0]}`;
    if (name === "output" ? value !== "json" && value !== "text" : !/^\d+$/.test(String(value)))
      return `--${name} is ${value}; expected ${name === "output" ? "json or text" : "a whole number"}`;
  }
  return undefined;
}

async function runScenario({ name, numbers, run }: Scenario, seed: number): Promise<Run> {
  const say = (line: string) => (isJson ? console.error(line) : console.log(line));
  say(`${name}: seed ${seed}`);
  const chosen = Object.entries(numbers).map(([key, value]) => [key, Number(values[key] ?? value)] as const);
  const report = await run({
    ...{ seed, numbers: Object.fromEntries(chosen), timeoutMs: 3_600_000 },
    onProgress: (line) => say(`  ${line}`),
  });
  return { scenario: name, ...report };
}

function sumUp(runs: readonly Run[]) {
  const sum = (key: "tasks" | "lost" | "paidTwice" | "slashedWrongly") =>
    runs.reduce((total, run) => total + (run[key] ?? 0), 0);
  const faults: Record<string, number> = {};
  for (const run of runs)
    for (const [fault, count] of Object.entries(run.faults)) faults[fault] = (faults[fault] ?? 0) + count;
  const problems = runs.flatMap((run) => run.problems.map((problem) => `${run.scenario}: ${problem}`));
  const counts = { lost: sum("lost"), paidTwice: sum("paidTwice"), slashedWrongly: sum("slashedWrongly") };
  return {
    scenarios: runs,
    faults,
    problems,
    tasks: sum("tasks"),
    ...counts,
    seeds: new Set(runs.map(({ seed }) => seed)).size,
  };
}

function print({ scenario, faults, problems, table = [], ...report }: Run): void {
  if (table.length > 0) console.log(`\n${table.join("\n")}`);
  if (Object.keys(faults).length > 0) console.log("\nFAULT                       INJECTED");
  for (const [fault, n] of Object.entries(faults).sort()) console.log(`${fault.padEnd(28)}${n}`);
  for (const problem of problems.slice(0, 50)) console.log(`FAIL ${problem}`);
  const all = Object.values(faults).reduce((sum, n) => sum + n, 0);
  const { tasks, lost, paidTwice, slashedWrongly } = report;
  const counts = [
    ...[
      `${all} faults`,
      report.seeds !== undefined && `${report.seeds} seeds`,
      tasks !== undefined && `${tasks} tasks`,
      lost !== undefined && `${lost} lost`,
    ],
    ...[paidTwice !== undefined && `${paidTwice} paid twice`],
    ...[slashedWrongly !== undefined && `${slashedWrongly} slashed wrongly`],
  ].filter(Boolean);
  const verdict = problems.length === 0 ? "ok" : "FAILED";
  console.log(`\n${scenario} seed ${report.seed}: ${report.seconds} s, ${counts.join(", ")}: ${verdict}`);
}
