import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import type { ReceiptRequest } from "../../../src/pool/wire.ts";
import { claimTypes, recoverSigner } from "../../../src/protocol/typed-data.ts";
import type { Execute } from "../../../src/worker/attempt.ts";
import { createSlots } from "../../../src/worker/slots.ts";
import { openSpool } from "../../../src/worker/spool.ts";
import { aFolder, anAssignment, anExecution, domain, openRecord, signer, taskId, until } from "./worker-fixture.ts";

const waiting: Execute = (_request, signal) =>
  new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));

async function aScene(execute: Execute) {
  const stateDir = await aFolder();
  const sent: ReceiptRequest[] = [];
  const client = {
    receipt: async (request: ReceiptRequest) => {
      sent.push(request);
      return { status: "Recorded" as const };
    },
  };
  const signed = await openRecord(stateDir);
  const spool = await openSpool({ stateDir, logger: silentLogger });
  const clock = systemClock;
  const zero = taskId("0");
  const slots = createSlots({
    attempt: { execute, signer, domain, imageDigest: zero, codeDigest: zero, signed, clock },
    deliver: { client, spool, clock, logger: silentLogger },
    metrics: undefined,
  });
  return { slots, sent, spool };
}

describe("the slots of a worker", () => {
  test("give its word for what runs, once signed", async () => {
    const { slots } = await aScene(waiting);
    const assignment = anAssignment();
    slots.start(assignment);
    const [described] = await slots.describe();
    const { deadlineMs } = assignment;
    const message = { taskId: taskId("a"), attempt: 1, worker: signer.address, deadlineMs };
    expect(described).toMatchObject({ taskId: taskId("a"), attempt: 1, claim: { deadlineMs } });
    expect(recoverSigner(domain, claimTypes, message, described!.claim!.signature)).toBe(signer.address);
    expect((await slots.describe())[0]).toEqual(described);
    await slots.drain(0);
    expect(await slots.describe()).toEqual([]);
  });

  test("run an assignment once, however often it is given, and deliver its receipt", async () => {
    let runs = 0;
    const { slots, sent } = await aScene(async () => {
      runs += 1;
      return anExecution();
    });
    slots.start(anAssignment());
    slots.start(anAssignment());
    expect(slots.running()).toEqual([{ taskId: taskId("a"), attempt: 1 }]);
    await until(() => slots.running().length === 0);
    expect(runs).toBe(1);
    expect(sent).toMatchObject([{ namespace: "demo", task: "task-a", outcome: { kind: "Completed" } }]);
  });

  test("a cancelled attempt ends and tells nobody; the others go on", async () => {
    const { slots, sent } = await aScene(waiting);
    slots.start(anAssignment());
    slots.start(anAssignment({ taskId: taskId("b") }));
    slots.cancel([
      { taskId: taskId("a"), attempt: 1 },
      { taskId: taskId("c"), attempt: 1 },
    ]);
    await until(() => slots.running().length === 1);
    expect(slots.running()).toEqual([{ taskId: taskId("b"), attempt: 1 }]);
    expect(sent).toEqual([]);
    await slots.drain(0);
  });

  test("a drain waits for what ends in time", async () => {
    const release = Promise.withResolvers<void>();
    const { slots, sent } = await aScene(async () => {
      await release.promise;
      return anExecution();
    });
    slots.start(anAssignment());
    const drained = slots.drain(10_000);
    release.resolve();
    await drained;
    expect(sent).toMatchObject([{ outcome: { kind: "Completed" } }]);
  });

  test("a drain hands back what does not end in time", async () => {
    const { slots, sent } = await aScene(waiting);
    slots.start(anAssignment());
    await slots.drain(20);
    expect(slots.running()).toEqual([]);
    expect(sent).toMatchObject([{ outcome: { kind: "Failed", reason: "Stopped", retryable: true } }]);
  });

  test("the wait for a free slot ends with a task or with a stop", async () => {
    const { slots } = await aScene(waiting);
    const stop = new AbortController();
    slots.start(anAssignment());
    const ends: string[] = [];
    const waits = [
      slots.nextEnd(stop.signal).then(() => ends.push("stop")),
      slots.nextEnd(new AbortController().signal).then(() => ends.push("end")),
    ];
    stop.abort();
    await waits[0];
    expect(ends).toEqual(["stop"]);
    slots.cancel([{ taskId: taskId("a"), attempt: 1 }]);
    await waits[1];
    expect(ends).toEqual(["stop", "end"]);
  });
});
