import { describe, expect, test } from "vitest";
import { isConditionTrue } from "../../../src/api/v1alpha1/conditions.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import type { ChainEvent } from "../../../src/chain/chain-event.ts";
import { createDisputeStage } from "../../../src/operator/controllers/dispute.ts";
import { DisputeBook } from "../../../src/operator/dispute-book.ts";
import type { TaskChange, TaskEntry, TaskLedger } from "../../../src/operator/ledger.ts";
import { TaskFinder } from "../../../src/operator/task-finder.ts";
import type { DisputeView } from "../../../src/protocol/dispute.ts";
import { settleTask } from "../../../src/protocol/lifecycle.ts";
import { computeTaskId } from "../../../src/protocol/typed-data.ts";

const uid = "uid-1";
const taskId = computeTaskId(uid);
const id = `0x${"1d".repeat(32)}`;
const context = { generation: 1, now: "2026-01-01T00:00:00Z" };
const never = new AbortController().signal;

const settled = settleTask(
  {
    observedGeneration: 1,
    phase: "Settling",
    verdict: { result: "Accepted" },
    assignment: { worker: "worker-w", attempt: 2 } as never,
    receipt: { message: { taskId, attempt: 2 } } as never,
  },
  { batch: 1, index: 0 },
  context,
);

function anEvent(overrides: object = {}): ChainEvent {
  const place = { id: "0x/1", blockNumber: 1, blockHash: "0x", txHash: "0x" };
  const opened = { kind: "Opened", dispute: id, taskId, attempt: 2, worker: "0xW", challenger: "0xC" } as const;
  return { ...place, ...opened, ...overrides };
}

/** The stage over one task, on a chain that says `view`. */
function aStage(view: Partial<DisputeView>, { status = settled, event = anEvent() } = {}) {
  let entry = { key: "demo/job", uid, task: { metadata: {} }, status } as unknown as TaskEntry;
  let writes = 0;
  const ledger = {
    get: (key: string) => (key === entry.key ? entry : undefined),
    entries: () => [entry].values(),
    onChange: () => undefined,
    change: async (_: string, change: TaskChange) => {
      const next = change.decide(entry.status, context);
      if (next) writes += 1;
      entry = { ...entry, status: next ?? entry.status };
      return entry;
    },
  } as unknown as TaskLedger;
  const told: string[] = [];
  const outcomes: string[] = [];
  const book = new DisputeBook();
  const known = book.observe(event);
  const stage = createDisputeStage({
    ...{ book, ledger, finder: new TaskFinder(ledger), logger: silentLogger, clock: systemClock },
    reputations: { record: ({ worker, outcome, id }) => void outcomes.push(`${worker} ${outcome} ${id}`) },
    reader: () => ({
      dispute: async () => ({ worker: "0xW", overturn: 2, ...view }) as DisputeView,
      accused: async () => ["0xA"],
    }),
    nameOf: (address) => ({ "0xA": "validator-a", "0xC": "validator-c", "0xW": "worker-w" })[address],
    tell: (_, reason, note) => void told.push(`${reason}: ${note}`),
  });
  return { run: () => stage(taskId, never), status: () => entry.status, told, known, outcomes, writes: () => writes };
}

describe("a task whose result is disputed", () => {
  test("says so while the jury hears it, and is written once", async () => {
    const { run, status, told, known, writes } = aStage({ state: "Committing" });
    expect(known).toBe(taskId);
    await run();
    await run();
    expect(isConditionTrue(status().conditions, "Disputed")).toBe(true);
    expect(status().phase).toBe("Succeeded");
    expect(told).toEqual([`Disputed: Dispute ${id} of validator-c against validator-a is before the jury.`]);
    expect(writes()).toBe(1);
  });

  test("is rejected once the ruling against it is carried out, and not before", async () => {
    const ruled = aStage({ state: "Ruled", ruling: "Overturned" });
    await ruled.run();
    expect(ruled.status().phase).toBe("Succeeded");
    expect(ruled.outcomes).toEqual([]);
    const closed = aStage({ state: "Closed", ruling: "Overturned" });
    await closed.run();
    expect(closed.status().phase).toBe("Rejected");
    expect(closed.status().verdict?.result).toBe("Overturned");
    expect(closed.outcomes).toEqual(["worker-w Rejected uid-1/2/overturned"]);
    expect(closed.told[0]).toMatch(/validator-a, who approved it, lost stake and seat; worker-w, who signed it/);
  });

  const ends = ["Upheld", "Inconclusive", "Vetoed"] as const;
  test.each(ends)("stands after a dispute that ended %s", async (ruling) => {
    const { run, status } = aStage({ state: "Closed", ruling });
    await run();
    const disputed = status().conditions?.find(({ type }) => type === "Disputed");
    expect(disputed).toMatchObject({ status: "False", reason: `Dispute${ruling}` });
    expect(isConditionTrue(status().conditions, "Ready")).toBe(true);
  });

  test("is not touched by a dispute over an attempt that did not count", async () => {
    const { run, writes } = aStage({ state: "Closed", ruling: "Overturned" }, { event: anEvent({ attempt: 1 }) });
    await run();
    expect(writes()).toBe(0);
  });

  test("is looked at again where its settlement is not written yet", async () => {
    const waiting = { ...settled, conditions: [] };
    const { run, writes } = aStage({ state: "Committing" }, { status: waiting });
    expect(await run()).toEqual({ requeueAfterMs: 2_000 });
    expect(writes()).toBe(0);
  });
});
