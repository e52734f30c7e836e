/** An incident that tests show: they are run, and their names are the table. A test that is not there any more is a problem. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ScenarioOptions, ScenarioReport } from "../scenario.ts";

export interface ShowingTests {
  readonly file: string;
  /** Of the tests' whole names; all of the file where left out. */
  readonly named?: string;
}

interface Result {
  readonly fullName: string;
  readonly status: "passed" | "failed" | "skipped" | "pending";
  readonly failureMessages: readonly string[];
}

const root = fileURLToPath(new URL("../../../", import.meta.url));

export async function runTests(tests: readonly ShowingTests[], options: ScenarioOptions): Promise<ScenarioReport> {
  const began = performance.now();
  const problems: string[] = [];
  const table: string[] = [];
  for (const one of tests) {
    const results = (await runFile(one, options.timeoutMs)).filter(
      ({ status }) => status === "passed" || status === "failed",
    );
    if (results.length === 0) problems.push(`no test of ${one.file} is named like ${one.named ?? "anything"}`);
    for (const { fullName, status, failureMessages } of results) {
      table.push(`${status}  ${fullName}`);
      if (status === "failed") problems.push(`${one.file}: ${fullName}: ${failureMessages.join(" ").slice(0, 500)}`);
    }
  }
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  return { seed: options.seed, seconds, faults: {}, problems, table };
}

async function runFile({ file, named }: ShowingTests, timeoutMs: number): Promise<readonly Result[]> {
  const folder = await mkdtemp(join(tmpdir(), "inferium-incident-"));
  const outputFile = join(folder, "report.json");
  const filter = named === undefined ? [] : ["-t", named];
  const args = ["run", file, ...filter, "--reporter=json", `--outputFile.json=${outputFile}`];
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn(join(root, "node_modules/.bin/vitest"), args, {
        ...{ cwd: root, stdio: "ignore", timeout: timeoutMs },
        env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}` },
      });
      child.on("error", reject);
      child.on("exit", () => resolve());
    });
    const report = JSON.parse(await readFile(outputFile, "utf8"));
    return report.testResults.flatMap(({ assertionResults }: { assertionResults: Result[] }) => assertionResults);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
