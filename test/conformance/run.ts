/**
 * `npm run test:conformance`: every case on the embedded API server, or on a real one that KUBECONFIG or
 * KUBEBUILDER_ASSETS names; cases by area, those that a real server cannot run with their reasons, and a line of totals.
 * Arguments go to vitest (file filters, `-t`). Exits 1 on any failure, and over the whole set where there are fewer than
 * 400 cases or more than 2 % are exempt.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Assertion {
  readonly status: "passed" | "failed" | "skipped" | "pending";
  readonly ancestorTitles: readonly string[];
  readonly title: string;
}

const leastCases = 400;
const mostExemptShare = 0.02;
const root = new URL("../../", import.meta.url).pathname;
const filters = process.argv.slice(2);

function runVitest(): readonly Assertion[] {
  const folder = mkdtempSync(join(tmpdir(), "inferium-conformance-"));
  const report = join(folder, "report.json");
  try {
    const args = ["run", "--project", "conformance", "--reporter=default", "--reporter=json"];
    spawnSync(
      process.execPath,
      ["node_modules/vitest/vitest.mjs", ...args, `--outputFile.json=${report}`, ...filters],
      {
        cwd: root,
        stdio: "inherit",
      },
    );
    const files = JSON.parse(readFileSync(report, "utf8")) as {
      testResults: { name: string; status: string; message: string; assertionResults: Assertion[] }[];
    };
    const broken = files.testResults.filter((file) => file.assertionResults.length === 0);
    for (const file of broken) console.log(`no case could be read from ${file.name}: ${file.message}`);
    if (broken.length > 0) process.exitCode = 1;
    return files.testResults.flatMap((file) => file.assertionResults);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const server = process.env.KUBECONFIG
  ? `the cluster of ${process.env.KUBECONFIG}`
  : process.env.KUBEBUILDER_ASSETS
    ? `kube-apiserver of ${process.env.KUBEBUILDER_ASSETS}`
    : "the embedded API server";
const cases = runVitest();
const count = (list: readonly Assertion[], status: Assertion["status"]) =>
  list.filter((one) => one.status === status).length;
const areas = Map.groupBy(cases, (one) => one.ancestorTitles[0] ?? "");
const width = Math.max(4, ...[...areas.keys()].map((name) => name.length));
console.log(`\n${"AREA".padEnd(width)}  CASES  PASSED  FAILED`);
for (const [name, list] of [...areas].sort(([a], [b]) => a.localeCompare(b))) {
  const numbers = [list.length, count(list, "passed"), count(list, "failed")];
  console.log(`${name.padEnd(width)}  ${numbers.map((n, i) => String(n).padStart([5, 6, 6][i] ?? 6)).join("  ")}`);
}
const exempt = cases.filter((one) => one.status !== "passed" && one.status !== "failed");
for (const one of exempt) console.log(`not run: ${one.ancestorTitles[0]}: ${one.title}`);
if (filters.length === 0 && cases.length < leastCases) {
  console.log(`only ${cases.length} cases; at least ${leastCases} belong here`);
  process.exitCode = 1;
}
if (exempt.length > cases.length * mostExemptShare) {
  console.log(`${exempt.length} of ${cases.length} cases do not run on this server; at most 2 % may`);
  process.exitCode = 1;
}
const failed = count(cases, "failed");
if (failed > 0 || cases.length === 0) process.exitCode = 1;
console.log(`${cases.length} cases on ${server}`);
console.log(
  `${count(cases, "passed")} passed, ${failed} failed${exempt.length > 0 ? `, ${exempt.length} skipped` : ""}`,
);
