import { expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { createMissedStage, type MissedOptions } from "../../../src/operator/controllers/missed.ts";
import { MissedBook } from "../../../src/operator/missed-book.ts";
import { aRecordStore } from "../../support/memory-record-store.ts";

const key = "demo/job";
const deadlineMs = 1_000_000;
const message = { taskId: `0x${"1".repeat(64)}`, attempt: 2, worker: "0xW", deadlineMs };
const claim = { message, signature: "0x" } as never;
const assignment = { worker: "w", attempt: 2 };
const ended = (outcome: string) => ({ attempts: [{ attempt: 2, worker: "w", outcome }] });

/** The stage a minute after the deadline, over a worker that is there and silent of it, on a task with this status. */
async function judge(uid: string, status: object) {
  const book = new MissedBook(aRecordStore());
  const name = book.suspect({ key, uid: "uid-1", worker: "w", claimedAtMs: deadlineMs - 5_000, claim })!;
  const stage = createMissedStage({
    ...{ book, clock: { ...systemClock, now: () => deadlineMs + 60_000 }, logger: silentLogger, graceMs: 30_000 },
    ledger: { get: () => ({ key, uid, task: {}, status: { phase: "Queued", ...status } }) },
    directory: { get: () => ({ metadata: {}, spec: {} }), nodeOf: () => undefined },
    presence: { of: () => ({ lastSeenMs: deadlineMs + 50_000 }) },
  } as unknown as MissedOptions);
  const result = await stage(name, new AbortController().signal);
  return { state: book.get(name)?.state, again: result !== undefined };
}

test.each([
  { what: "let its deadline pass", status: ended("Expired"), want: { state: "Due", again: false } },
  { what: "failed, which was written late", status: ended("Failed"), want: { state: undefined, again: false } },
  { what: "gave way", status: ended("Preempted"), want: { state: undefined, again: false } },
  {
    what: "delivered, which was written late",
    status: { phase: "Validating", assignment, receipt: {}, conditions: [{ type: "Committed", status: "True" }] },
    want: { state: undefined, again: false },
  },
  {
    what: "has not ended, while its end is being written",
    status: { phase: "Assigned", assignment, conditions: [{ type: "Assigned", status: "True" }] },
    want: { state: "Suspected", again: true },
  },
])("a worker whose attempt $what is due only for what the task says of it", async ({ status, want }) => {
  expect(await judge("uid-1", status)).toEqual(want);
});

test("nobody is due for a task that is another one now", async () => {
  expect(await judge("uid-2", ended("Expired"))).toEqual({ state: undefined, again: false });
});
