import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runReplay } from "../../../src/cli/replay.ts";
import { decideAssignments, type WorkerFacts } from "../../../src/protocol/matching.ts";
import { TaskPool } from "../../../src/protocol/pool.ts";
import { formatTraceEvent, type TraceEvent } from "../../../src/protocol/trace.ts";

const worker = (name: string, tier: "Mid" | "High"): WorkerFacts => ({
  ...{ name, address: "0x1", isWorker: true, cordoned: false, disqualified: false, bonded: true, proven: true, tier },
  ...{
    gpus: 1,
    memoryMiB: 1,
    migProfiles: [],
    nodeLabels: {},
    freeSlots: 1,
    connected: true,
    models: new Set<string>(),
  },
});

let dir: string;
let trace: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-replay-"));
  const lines = [formatTraceEvent({ op: "begin", version: 1, policies: {}, atMs: 0 })];
  const pool = new TaskPool({}, (event) => lines.push(formatTraceEvent({ ...event, atMs: 1_000 } as TraceEvent)));
  const common = { tenant: "team", model: "m", failedWorkers: [] };
  pool.add({ ...common, id: "team/large", key: 0, requirements: { tier: "High" } });
  pool.add({ ...common, id: "team/small", key: 1, requirements: { tier: "Mid" } });
  decideAssignments(worker("mid", "Mid"), pool, () => []);
  decideAssignments(worker("high", "High"), pool, () => []);
  trace = lines.join("\n");
});

afterAll(() => rm(dir, { recursive: true, force: true }));

async function run(text: string, options: Parameters<typeof runReplay>[1] = {}) {
  const path = join(dir, "trace.jsonl");
  await writeFile(path, text);
  const [out, notes]: string[][] = [[], []];
  const io = { out: (line: string) => void out?.push(line), note: (line: string) => void notes?.push(line) };
  return { status: await runReplay(path, options, io), out, notes };
}

describe("inferium replay", () => {
  test("prints each decision, and that all are as they were recorded", async () => {
    const { status, out, notes } = await run(trace);
    expect(out).toEqual([
      "1970-01-01T00:00:01.000Z mid: team/small (of team, tier Mid)",
      "1970-01-01T00:00:01.000Z high: team/large (of team, tier High)",
    ]);
    expect(notes?.at(-1)).toContain("0 decisions differ");
    expect(status).toBe(0);
  });

  test("ends with 1 where the record says something else", async () => {
    const { status, out } = await run(trace.replace('"taken":["team/small"]', '"taken":["team/large"]'));
    expect(out?.[0]).toContain("(the record says: team/large)");
    expect(status).toBe(1);
  });

  test("explains one task", async () => {
    const { out } = await run(trace, { explain: "team/large" });
    expect(out?.join("\n")).toMatch(
      /team\/large waits\n.*given to high\n.*\n.*\n +1 +BelowTier +.* mid got team\/small/,
    );
  });

  test("leaves out a last line that was not written to its end, and says so", async () => {
    const { status, out, notes } = await run(`${trace}\n${trace.split("\n")[1]?.slice(0, 40)}`);
    expect(out).toHaveLength(2);
    expect(notes?.[0]).toBe("Line 6, the last of the trace, was not written to its end and is left out.");
    expect(status).toBe(0);
  });

  test("refuses such a line in the middle, by its number", async () => {
    const [first = "", ...others] = trace.split("\n");
    const torn = [first, `${others[0]?.slice(0, 40)}${others[1]}`, ...others.slice(2), ""].join("\n");
    await expect(run(torn)).rejects.toMatchObject({
      code: "InvalidTrace",
      message: expect.stringMatching(/^Line 2 of the trace cannot be used/),
    });
    await expect(run(`${trace}\n{"op":\n`)).rejects.toMatchObject({ message: expect.stringMatching(/^Line 6 /) });
  });

  test("says what is wrong with the file, the line, or the name", async () => {
    const io = { out: () => undefined, note: () => undefined };
    await expect(runReplay(join(dir, "absent"), {}, io)).rejects.toMatchObject({ code: "TraceUnreadable" });
    await expect(run(`${trace}\n{}`)).rejects.toMatchObject({ code: "InvalidTrace" });
    await expect(run(trace, { explain: "team/nobody" })).rejects.toMatchObject({ code: "TaskNotInTrace" });
  });
});
