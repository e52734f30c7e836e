/**
 * `npm test`: vitest (unit, integration, end-to-end) and forge for the contracts; ends with one line that sums both.
 * `npm test -- unit` runs one vitest project, `npm test -- contracts` forge alone. Exits 1 on any failure, and where no
 * test ran. Every skipped test is printed with its name; the test itself prints the reason. Where at most three files
 * failed, they are run once more, alone: what passes then is printed as flaky, with what it failed of, and is a bug to mend,
 * but not one that the change under test has made.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

interface VitestFile {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly {
    readonly status: string;
    readonly fullName: string;
    readonly failureMessages: readonly string[];
  }[];
}

interface VitestReport {
  readonly testResults: readonly VitestFile[];
}

interface ForgeSuite {
  readonly test_results: Readonly<Record<string, { readonly status: string; readonly reason: string | null }>>;
}

const root = new URL("../", import.meta.url).pathname;
/** Needs a container engine and minutes: `npm run test:image`. */
const apart = "image";

function run(command: string, args: readonly string[], capture: boolean): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", capture ? "pipe" : "inherit", "inherit"] });
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

const MOST_FILES_RUN_AGAIN = 3;

async function reportOf(args: readonly string[]): Promise<{ code: number; report: VitestReport }> {
  const folder = await mkdtemp(join(tmpdir(), "inferium-test-"));
  const outputFile = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${outputFile}`];
  try {
    const { code } = await run(
      process.execPath,
      ["node_modules/vitest/vitest.mjs", "run", ...reporters, ...args],
      false,
    );
    return { code, report: JSON.parse(await readFile(outputFile, "utf8")) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function runVitest(projects: readonly string[]): Promise<Totals> {
  // A kind of test may be of several projects: integration and integration-apart.
  const kinds = projects.length > 0 ? projects.flatMap((kind) => [kind, `${kind}-*`]) : [`!${apart}`];
  const chosen = kinds.flatMap((name) => ["--project", name]);
  let { code, report } = await reportOf(chosen);
  const failedFiles = report.testResults.filter((file) => file.status === "failed");
  if (code !== 0 && failedFiles.length > 0 && failedFiles.length <= MOST_FILES_RUN_AGAIN) {
    const names = failedFiles.map((file) => file.name);
    const again = await reportOf([...chosen, ...names]);
    for (const file of again.report.testResults) {
      const before = failedFiles.find((failed) => failed.name === file.name);
      if (file.status === "passed" && before) console.log(`flaky: ${describeFailure(before)}`);
    }
    const others = report.testResults.filter((file) => !names.includes(file.name));
    report = { testResults: [...others, ...again.report.testResults] };
    code = again.code;
  }
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const count = (...statuses: string[]) => tests.filter((test) => statuses.includes(test.status)).length;
  const skipped = tests.filter((test) => test.status !== "passed" && test.status !== "failed");
  for (const test of skipped) console.log(`skipped: ${test.fullName}`);
  // A file that fails to load has no test of its own; vitest's exit code alone would tell, so it counts as one.
  const unloaded = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  const failed = count("failed") + unloaded.length || (code === 0 ? 0 : 1);
  return { passed: count("passed"), failed, skipped: skipped.length };
}

function describeFailure({ name, message, assertionResults }: VitestFile): string {
  const failed = assertionResults.filter((test) => test.status === "failed");
  const why = failed.map((test) => `${test.fullName}: ${test.failureMessages.join("; ").split("\n")[0]}`);
  return `${name} failed once and passed when run again, alone: ${why.join(" | ") || message}`;
}

async function runForge(): Promise<Totals> {
  const { code, output } = await run(process.execPath, ["contracts/tools/forge.ts", "test", "--json"], true);
  const line = output.trim().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) {
    console.error(output);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const suites: Record<string, ForgeSuite> = JSON.parse(line);
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  for (const [suite, { test_results }] of Object.entries(suites)) {
    for (const [name, { status, reason }] of Object.entries(test_results)) {
      if (status === "Success") totals.passed += 1;
      else if (status === "Skipped") totals.skipped += 1;
      else totals.failed += 1;
      if (status !== "Success") console.log(`${status}: ${suite} ${name} ${reason ?? ""}`);
    }
  }
  console.log(`contracts: ${totals.passed} passed, ${totals.failed} failed (forge)`);
  if (code !== 0 && totals.failed === 0) totals.failed = 1;
  return totals;
}

const wanted = process.argv.slice(2);
const projects = wanted.filter((name) => name !== "contracts");
const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
const add = (more: Totals) => {
  totals.passed += more.passed;
  totals.failed += more.failed;
  totals.skipped += more.skipped;
};
// Side by side: forge spends most of its time in a compiler that uses one core.
const runs: Promise<Totals>[] = [];
if (wanted.length === 0 || wanted.includes("contracts")) runs.push(runForge());
if (wanted.length === 0 || projects.length > 0) runs.push(runVitest(projects));
for (const totals of await Promise.all(runs)) add(totals);
const skips = totals.skipped > 0 ? `, ${totals.skipped} skipped` : "";
console.log(`${totals.passed} passed, ${totals.failed} failed${skips}`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
