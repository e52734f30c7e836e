/**
 * A writer is killed (SIGKILL) at random moments, round after round on the same data directory. After each, the state of
 * every key must be that of its last acknowledged step or of the one that was on its way, whole; nothing else may be there.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDataDir } from "../../../src/embedded/apiserver/storage/data-dir.ts";
import { compactBytes, crashObject, isDeletion, keyCount } from "./journal-writer.ts";

const rounds = 6;
const mostMs = 250;

/** A small linear congruential generator: the moments are random and the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** @returns the steps that the writer said are durable, in order of each key */
async function writeUntilKilled(dir: string, next: readonly number[], afterMs: number): Promise<Map<string, number>> {
  const script = new URL("journal-writer.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, dir, ...next.map(String)], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  const exited = new Promise((resolve) => child.once("close", resolve));
  await new Promise<void>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the writer ended by itself with status ${code}`)));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.includes("ready\n")) resolve();
    });
  });
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill("SIGKILL");
  await exited;
  const acknowledged = output
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split(" "));
  return new Map(acknowledged.filter((parts) => parts.length === 2).map(([key = "", step]) => [key, Number(step)]));
}

test("a kill at any moment loses no acknowledged write and leaves nothing half written", async () => {
  const dir = await mkdtemp(join(tmpdir(), "inferium-crash-"));
  const random = seeded(20260727);
  const acknowledged = new Map<string, number>();
  let writes = 0;
  try {
    let next = Array.from({ length: keyCount }, () => 0);
    for (let round = 0; round < rounds; round += 1) {
      const said = await writeUntilKilled(dir, next, random() * mostMs);
      for (const [key, step] of said) acknowledged.set(key, step);
      writes += said.size;
      const data = await openDataDir(dir, {
        compactBytes,
        onFailure: (error) => {
          throw error;
        },
      });
      next = Array.from({ length: keyCount }, (_, index) => {
        const key = `key-${index}`;
        const last = acknowledged.get(key) ?? -1;
        const stored = data.store.get("things", key)?.object;
        const possible = [last, last + 1].map((step) =>
          step < 0 || isDeletion(step) ? undefined : crashObject(key, step),
        );
        const shown = stored && { ...stored, metadata: { name: stored.metadata.name } };
        expect(possible, `round ${round}, ${key}`).toContainEqual(shown);
        const happened = (stored?.step as number | undefined) ?? (isDeletion(last + 1) ? last + 1 : last);
        acknowledged.set(key, happened);
        return happened + 1;
      });
      expect(data.store.count("things")).toBeLessThanOrEqual(keyCount);
      await data.close();
    }
    expect(writes).toBeGreaterThan(0);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
