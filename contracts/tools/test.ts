/**
 * `npm run test:contracts`: the contracts' tests. Without options what `npm test -- contracts` runs; `--long` with more and
 * longer fuzz runs, see `long.ts`; `--coverage` with line coverage of `contracts/src`, at least 95 %, and every
 * custom error named by a test; `--mutate` see `mutate.ts`.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gasTests, runForgeForOutput } from "./forge.ts";

const minimumPercent = 95;
const args = process.argv.slice(2);

function runScript(path: string, rest: readonly string[]): number {
  const script = resolve(import.meta.dirname, path);
  return spawnSync(process.execPath, [script, ...rest], { stdio: "inherit" }).status ?? 1;
}

/** @returns an exit status: 1 where tests fail or too few lines are reached */
function checkCoverage(): number {
  const { status, output } = runForgeForOutput([
    "coverage",
    "--report",
    "summary",
    "--no-match-coverage",
    "(test|lib|node_modules)/",
    "--no-match-contract",
    "Invariants",
    "--no-match-test",
    gasTests,
  ]);
  process.stdout.write(output);
  const unreached = listUnreachedErrors();
  for (const name of unreached) process.stderr.write(`No test expects the custom error ${name}.\n`);
  const total = /^\|\s*Total\s*\|\s*([\d.]+)%/m.exec(output)?.[1];
  if (status !== 0 || total === undefined) return 1;
  if (Number(total) >= minimumPercent) return unreached.length === 0 ? 0 : 1;
  process.stderr.write(`Line coverage of contracts/src is ${total} %, at least ${minimumPercent} % is asked for.\n`);
  return 1;
}

/** Custom errors of `contracts/src` that no test names. */
function listUnreachedErrors(): string[] {
  const read = (folder: string) =>
    readdirSync(resolve(import.meta.dirname, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".sol"))
      .map((name) => readFileSync(resolve(import.meta.dirname, folder, name), "utf8"))
      .join("\n");
  const tests = read("../test");
  const names = [...read("../src").matchAll(/^\s*error (\w+)\(/gm)].map(([, name]) => name ?? "");
  return [...new Set(names)].filter((name) => !tests.includes(`.${name}.selector`));
}

if (args.includes("--mutate")) process.exitCode = runScript("mutate.ts", args);
else if (args.includes("--coverage")) process.exitCode = checkCoverage();
else if (args.includes("--long")) process.exitCode = runScript("long.ts", args);
else process.exitCode = runScript("../../test/run.ts", ["contracts"]);
