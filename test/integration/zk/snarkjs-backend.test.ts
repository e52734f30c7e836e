/** The prover's process is held to its limits: what outgrows its memory is ended, and the next request gets another process. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createSnarkjsBackend } from "../../../src/zk/proving/snarkjs-backend.ts";

const { record, proven } = JSON.parse(readFileSync(new URL("../../vectors/zk-groth16.json", import.meta.url), "utf8"));

/** Of this process: the provers that it has started and that still run. */
function listProvers(): string[] {
  const output = execFileSync("ps", ["--ppid", String(process.pid), "-o", "pid=,stat=,args="], { encoding: "utf8" });
  return output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.includes("snarkjs-process") && !/^\d+\s+Z/.test(line));
}

describe.skipIf(process.platform !== "linux")("a prover that has to be ended", () => {
  let dir: string;
  let neverRead: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "inferium-prover-"));
    // Opening it waits for a writer that never comes: the request lasts until somebody ends it.
    neverRead = join(dir, "fifo");
    execFileSync("mkfifo", [neverRead]);
  });
  afterAll(() => rm(dir, { recursive: true }));

  test("for its memory: the error says how much it took and what is allowed", async () => {
    const backend = createSnarkjsBackend({ maxMemoryBytes: 2 ** 20, timeoutMs: 60_000 });
    const proving = backend.prove({ zkeyPath: neverRead, witnessPath: neverRead });
    await vi.waitFor(() => expect(listProvers()).toHaveLength(1), { timeout: 20_000 });
    await expect(proving).rejects.toMatchObject({
      code: "ProverOutOfMemory",
      message: expect.stringMatching(/took \d{7,} bytes for "prove", allowed are 1048576/),
    });
    await vi.waitFor(() => expect(listProvers()).toEqual([]), { timeout: 20_000 });
    await backend.close();
  }, 90_000);

  test("costs those who wait nothing: they get a process of their own", async () => {
    const backend = createSnarkjsBackend({ timeoutMs: 60_000 });
    const abort = new AbortController();
    const stuck = backend.prove({ zkeyPath: neverRead, witnessPath: neverRead }, abort.signal);
    const signals = proven.signals.map(BigInt);
    const waiting = backend.verify({ key: record.verifyingKey, signals, proof: proven.proof });
    await vi.waitFor(() => expect(listProvers()).toHaveLength(1), { timeout: 20_000 });
    const [first] = listProvers();
    abort.abort();
    await expect(stuck).rejects.toMatchObject({ code: "ProverCancelled" });
    await expect(waiting).resolves.toBe(true);
    expect(listProvers()).toEqual([expect.not.stringMatching(`^${first?.split(" ")[0]} `)]);
    await backend.close();
  }, 90_000);
});
