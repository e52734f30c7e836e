import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

// It is some 710; with the whole object beside it, without what is large, 1,320.
const mostBytes = 900;

test("a task that waits takes the operator less than a kilobyte", { timeout: 120_000 }, async () => {
  const script = join(import.meta.dirname, "task-memory-process.ts");
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", script, "8000"]);
  const bytes = Number(stdout);
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(mostBytes);
});
