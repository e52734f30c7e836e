/** A trace that goes on where an operator was killed in the middle of a line. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { openTraceFile } from "../../../src/operator/trace-file.ts";

let path: string;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-trace-"));
  path = join(dir, "trace.jsonl");
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const whole = `${JSON.stringify({ op: "remove", id: "a/b", atMs: 1 })}\n`;

test.each([
  { name: "there is no file yet", before: undefined, kept: "" },
  { name: "all is whole", before: whole.repeat(2), kept: whole.repeat(2) },
  { name: "its last line is cut off", before: `${whole}${whole.slice(0, 10)}`, kept: whole },
  { name: "its only line is cut off", before: whole.slice(0, 10), kept: "" },
  { name: "what is cut off is long", before: `${whole}${"x".repeat(200_000)}`, kept: whole },
])("begins with a line of its own where $name", async ({ before, kept }) => {
  await rm(path, { force: true });
  if (before !== undefined) await writeFile(path, before);
  openTraceFile({ path, maxBytes: 10_000, policies: {}, clock: systemClock, logger: silentLogger }).close();
  const text = () => readFile(path, "utf8");
  await expect.poll(text, { timeout: 30_000 }).toMatch(/"op":"begin".*\n$/);
  expect((await text()).slice(0, kept.length)).toBe(kept);
  expect((await text()).slice(kept.length)).toMatch(/^\{"op":"begin"[^\n]*\n$/);
});
