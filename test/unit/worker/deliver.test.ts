import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import { InferiumError } from "../../../src/base/errors.ts";
import { silentLogger } from "../../../src/base/log.ts";
import type { ReceiptRequest, ReceiptResponse } from "../../../src/pool/wire.ts";
import { deliverOutcome } from "../../../src/worker/deliver.ts";
import { openSpool } from "../../../src/worker/spool.ts";
import { setDiskFull } from "../../chaos/full-disk.ts";
import { aFailure, aFolder, aReceiptRequest } from "./worker-fixture.ts";

const never = new AbortController().signal;
const unreachable = new InferiumError("PoolUnreachable", "No way there.", { disposition: "retry" });
const refused = (status: number) => new InferiumError("No", "No.", { evidence: { status } });

/** Sleeps in no time, and that time passes. */
function aQuickClock(): Clock {
  let offsetMs = 0;
  return {
    now: () => Date.now() + offsetMs,
    monotonic: systemClock.monotonic,
    sleep: async (ms, signal) => {
      offsetMs += ms;
      signal?.throwIfAborted();
    },
  };
}

/** Answers in turn; the last answer stays. */
async function aScene(...answers: (ReceiptResponse["status"] | Error)[]) {
  const stateDir = await aFolder();
  const spool = await openSpool({ stateDir, logger: silentLogger });
  const sent: ReceiptRequest[] = [];
  /** Files in the spool when each call was made. */
  const spooled: number[] = [];
  const client = {
    receipt: async (request: ReceiptRequest) => {
      sent.push(request);
      spooled.push((await spool.list()).length);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer instanceof Error) throw answer;
      return { status: answer ?? "Recorded" };
    },
  };
  const options = { client, spool, clock: aQuickClock(), logger: silentLogger };
  return { options, spool, sent, spooled, stateDir };
}

const item = (request = aReceiptRequest()) => ({ request, deadlineMs: Date.now() + 60_000 });

describe("bringing an outcome to the pool", () => {
  test.for(["Recorded", "Duplicate", "Superseded"] as const)("%s is an end, without a file", async (status) => {
    const { options, stateDir, sent } = await aScene(status);
    expect(await deliverOutcome(options, item(), never)).toBe(status);
    expect(sent).toHaveLength(1);
    expect(await readdir(join(stateDir, "spool"))).toEqual([]);
  });

  test("a receipt that the disk has no room for is brought all the same, and spooled once there is room", async () => {
    const { options, spool, spooled, stateDir, sent } = await aScene(unreachable, unreachable, unreachable, "Recorded");
    const { client } = options;
    await setDiskFull(stateDir, true);
    const receipt = async (request: ReceiptRequest) => {
      if (sent.length === 1) await setDiskFull(stateDir, false);
      return client.receipt(request);
    };
    expect(await deliverOutcome({ ...options, client: { receipt } }, item(), never)).toBe("Recorded");
    expect(spooled).toEqual([0, 0, 1, 1]);
    expect(await spool.list()).toEqual([]);
    expect(await readdir(join(stateDir, "spool"))).toEqual([]);
  });

  test("a receipt that could not be brought lies in the spool until it is", async () => {
    const { options, spool, spooled } = await aScene(unreachable, unreachable, "Recorded");
    expect(await deliverOutcome(options, item(), never)).toBe("Recorded");
    expect(spooled).toEqual([0, 1, 1]);
    expect(await spool.list()).toEqual([]);
  });

  test("a failure is tried again but leaves no file", async () => {
    const { options, spooled } = await aScene(unreachable, "Recorded");
    const failure = { namespace: "demo", task: "task-a", outcome: aFailure() };
    expect(await deliverOutcome(options, item(failure), never)).toBe("Recorded");
    expect(spooled).toEqual([0, 0]);
  });

  test("what the pool refuses is not sent again", async () => {
    const { options, spool, sent } = await aScene(unreachable, refused(422));
    expect(await deliverOutcome(options, item(), never)).toBe("Refused");
    expect(sent).toHaveLength(2);
    expect(await spool.list()).toEqual([]);
  });

  test.for([401, 403])("a %i is about us and not about the receipt, which stays", async (status) => {
    const { options } = await aScene(refused(status), "Recorded");
    expect(await deliverOutcome(options, item(), never)).toBe("Recorded");
  });

  test("nothing is sent after the deadline", async () => {
    const { options, spool, sent } = await aScene(unreachable);
    expect(await deliverOutcome(options, { ...item(), deadlineMs: Date.now() + 10_000 }, never)).toBe("Expired");
    expect(sent.length).toBeGreaterThan(1);
    expect(sent.length).toBeLessThan(30);
    expect(await spool.list()).toEqual([]);
  });

  test.each([
    { what: "a failure", request: { namespace: "demo", task: "task-a", outcome: aFailure() } },
    { what: "a receipt", request: aReceiptRequest() },
  ])(
    "$what is told once even where the deadline has passed: the pool's clock may have been set",
    async ({ request }) => {
      const { options, sent, spool } = await aScene(unreachable);
      expect(await deliverOutcome(options, { request, deadlineMs: Date.now() - 1 }, never)).toBe("Expired");
      expect(sent).toEqual([request]);
      expect(await spool.list()).toEqual([]);
    },
  );

  test("a stop keeps the receipt for the next start", async () => {
    const { options, spool } = await aScene(unreachable);
    const stop = new AbortController();
    stop.abort(new Error("stopping"));
    const given = item();
    expect(await deliverOutcome(options, given, stop.signal)).toBe("Kept");
    expect(await spool.list()).toEqual([given]);
  });
});

describe("the spool", () => {
  test("gives back after a restart what was saved, one file for one attempt", async () => {
    const stateDir = await aFolder();
    const spool = await openSpool({ stateDir, logger: silentLogger });
    const first = item();
    const second = item(aReceiptRequest({ attempt: 2 }));
    for (const saved of [first, second, first]) await spool.save(saved);
    const again = await openSpool({ stateDir, logger: silentLogger });
    expect((await again.list()).length).toBe(2);
    await again.remove(first.request);
    expect(await again.list()).toEqual([second]);
  });

  test("is bounded: the nearest deadline goes first", async () => {
    const spool = await openSpool({ stateDir: await aFolder(), logger: silentLogger, maxFiles: 2 });
    for (const [attempt, deadlineMs] of [
      [1, 300],
      [2, 100],
      [3, 200],
    ] as const) {
      await spool.save({ request: aReceiptRequest({ attempt }), deadlineMs });
    }
    expect((await spool.list()).map(({ deadlineMs }) => deadlineMs).sort()).toEqual([200, 300]);
  });

  test("files that are not its own are left alone", async () => {
    const stateDir = await aFolder();
    const spool = await openSpool({ stateDir, logger: silentLogger });
    await writeFile(join(stateDir, "spool", "a.json"), "{");
    await writeFile(join(stateDir, "spool", "b.json"), "[]");
    expect(await spool.list()).toEqual([]);
    expect(await readdir(join(stateDir, "spool"))).toEqual(["a.json", "b.json"]);
  });
});
