/** `inferium model scan` on files of every kind, as a user runs it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runScan } from "../../../src/cli/model/scan.ts";

const model = new URL("../../../src/embedded/demo/models/mnist-int8.onnx", import.meta.url).pathname;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-scan-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function scan(path: string, output: "text" | "json") {
  const lines: string[] = [];
  const io = { out: (line: string) => void lines.push(line), note: () => undefined };
  const status = await runScan(path, { output }, { io, signal: new AbortController().signal });
  return { status, text: lines.join("\n") };
}

test("tells what validators would sign, for people and for machines", async () => {
  const { status, text } = await scan(model, "text");
  expect(status).toBe(0);
  expect(text).toContain("Inputs       pixels uint8[N,784]");
  expect(text).toContain("Fit for      Exact, Tolerance");
  const json = JSON.parse((await scan(model, "json")).text);
  expect(json).toMatchObject({ policies: ["Exact", "Tolerance"], findings: { weights: "SevenBits", problems: [] } });
  expect(json.findingsHash).toMatch(/^0x[0-9a-f]{64}$/);
});

test("fails on what they would not approve, with the reason", async () => {
  const path = join(dir, "zeros.onnx");
  await writeFile(path, new Uint8Array(1_000));
  const { status, text } = await scan(path, "text");
  expect(status).toBe(1);
  expect(text).toContain("Problem      Malformed: ");
});

test("says which file cannot be read", async () => {
  await expect(scan(join(dir, "nowhere"), "text")).rejects.toMatchObject({ code: "NotFound" });
  await expect(scan(dir, "text")).rejects.toMatchObject({ code: "NotFound" });
});
