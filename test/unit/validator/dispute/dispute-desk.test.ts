import { afterEach, describe, expect, test } from "vitest";
import { InferiumError } from "../../../../src/base/errors.ts";
import { silentLogger } from "../../../../src/base/log.ts";
import type { ChainEvent } from "../../../../src/chain/chain-event.ts";
import type { DisputeSender } from "../../../../src/chain/dispute-sender.ts";
import type { JudgeItem } from "../../../../src/pool/duty.ts";
import { computeDisputeId, computeJurorCommitment, type DisputeView } from "../../../../src/protocol/dispute.ts";
import { hashMessage, receiptTypes } from "../../../../src/protocol/typed-data.ts";
import { type ClosedDispute, DisputeDesk } from "../../../../src/validator/dispute/dispute-desk.ts";
import type { ResultFinding } from "../../../../src/validator/dispute/judge-result.ts";
import type { VerdictRecord, VerdictRecords } from "../../../../src/validator/dispute/verdict-record.ts";
import { createManualClock } from "../../kube/manual-clock.ts";
import { aReceipt, domain, validators } from "../a-batch.ts";

const stopping: AbortController[] = [];
afterEach(() => {
  for (const controller of stopping.splice(0)) controller.abort(new Error("test is over"));
});

/** As on the disk, which verdict-record.test.ts is about. */
function memoryRecords(known?: VerdictRecord): VerdictRecords {
  let record = known;
  return {
    find: async () => record,
    add: async (vote) => {
      record = { ...vote, state: "Judged" };
    },
    advance: async (before, state) => {
      record = { ...before, state };
    },
    prune: async () => undefined,
  };
}

const [me, challenger, accused] = validators.map(({ address }) => address) as [string, string, string];
const receipt = await aReceipt();
const id = computeDisputeId(hashMessage(domain, receiptTypes, receipt.message), challenger, [accused]);
const pollMs = 1_000;
const patienceMs = 10_000;

interface Scene {
  view: Partial<DisputeView>;
  jury: string[];
  timestamp: number;
  item: () => Promise<{ item: JudgeItem }>;
  finding: ResultFinding;
  hasCommitted: boolean;
  record: VerdictRecord | undefined;
  refuse: InferiumError | undefined;
}

/** A desk on a chain that says what the scene says. */
async function aDesk(overrides: Partial<Scene> = {}, account = me) {
  const item = { taskId: receipt.message.taskId, attempt: 1, receipt } as JudgeItem;
  const scene: Scene = {
    view: { state: "Committing", deadline: 100 },
    jury: [me],
    timestamp: 50,
    item: async () => ({ item }),
    finding: { verdict: "Wrong" },
    hasCommitted: false,
    record: undefined,
    refuse: undefined,
    ...overrides,
  };
  const sent: string[] = [];
  const closed: ClosedDispute[] = [];
  const clock = createManualClock();
  const records = memoryRecords(scene.record);
  const outcome = { txHash: "0x", blockNumber: 1, gasUsed: 1n };
  const send = async (what: string) => {
    sent.push(what);
    if (scene.refuse) throw scene.refuse;
    return outcome;
  };
  const sender: DisputeSender = {
    account,
    open: async () => ({ ...(await send("open")), id }),
    draw: (_, seedBlock) => send(`draw ${seedBlock}`),
    commit: async (_, commitment) => {
      const written = await records.find(id);
      return send(`commit ${written && computeJurorCommitment(written) === commitment}`);
    },
    reveal: (_, { verdict }) => send(`reveal ${verdict}`),
    rule: () => send("rule"),
    execute: () => send("execute"),
    collect: () => send("collect"),
    resume: async () => [],
  };
  let judged = 0;
  const desk = new DisputeDesk({
    reader: {
      dispute: async () => ({
        ...{ challenger, worker: "0xw", state: "None", ruling: "None", deadline: 0, seedBlock: 10 },
        ...{ bondWei: 1n, overturn: 0, uphold: 0 },
        ...scene.view,
      }),
      jury: async () => scene.jury,
      accused: async () => [accused],
      parameters: async () => ({ revealSeconds: 50 }) as never,
      hasCommitted: async () => scene.hasCommitted,
      owedTo: async () => 5n,
      now: async () => ({ block: 20, timestamp: scene.timestamp }),
    },
    ...{ sender, records, domain, clock, pollMs, patienceMs, logger: silentLogger, metrics: undefined },
    pool: { item: () => scene.item() },
    judge: async () => {
      judged += 1;
      return scene.finding;
    },
    onClosed: (one) => void closed.push(one),
  });
  const controller = new AbortController();
  stopping.push(controller);
  desk.observe(opened);
  void desk.run(controller.signal);
  await clock.advance(1);
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += pollMs) await clock.advance(pollMs);
  };
  return { scene, desk, sent, closed, records, pass, judged: () => judged };
}

const opened: ChainEvent = {
  ...{ kind: "Opened", dispute: id, taskId: receipt.message.taskId, attempt: 1, worker: "0xw", challenger },
  ...{ id: "0x/1", blockNumber: 7, blockHash: "0x", txHash: "0x" },
};

describe("a juror", () => {
  test("runs the task once, writes its verdict down, commits, waits, reveals", async () => {
    const { scene, sent, pass, records, judged } = await aDesk();
    await pass(5_000);
    // true: the record was there, with this commitment, when it was sent.
    expect(sent).toEqual(["commit true"]);
    expect(await records.find(id)).toMatchObject({ verdict: "Wrong", state: "Committed", juror: me });
    scene.timestamp = 101;
    await pass(3_000);
    expect(sent).toEqual(["commit true", "reveal Wrong"]);
    expect(judged()).toBe(1);
  });

  test("that was stopped between judging and committing commits to the same, and runs nothing again", async () => {
    const salt = `0x${"5a".repeat(32)}`;
    const record = { id, juror: me, verdict: "Right", salt, state: "Judged" } as const;
    const { sent, pass, judged, records } = await aDesk({ record });
    await pass(2_000);
    expect(sent).toEqual(["commit true"]);
    expect(await records.find(id)).toMatchObject({ verdict: "Right", salt, state: "Committed" });
    expect(judged()).toBe(0);
  });

  test.each([
    { state: "Revealing", timestamp: 50, hasCommitted: true, want: ["reveal Wrong"] },
    { state: "Committing", timestamp: 101, hasCommitted: true, want: ["reveal Wrong"] },
    { state: "Revealing", timestamp: 50, hasCommitted: false, want: [] },
  ] as const)(
    "that was stopped before it noted its commitment asks the chain for it: $state, $hasCommitted",
    async (at) => {
      const salt = `0x${"5a".repeat(32)}`;
      const record = { id, juror: me, verdict: "Wrong", salt, state: "Judged" } as const;
      const { state, timestamp, hasCommitted, want } = at;
      const view = { state, deadline: 100 };
      const { sent, pass } = await aDesk({ view, timestamp, jury: [me, accused], hasCommitted, record });
      await pass(4_000);
      expect(sent).toEqual(want);
    },
  );

  test("that cannot run it casts no vote, and tries again with pauses until it can", async () => {
    const { scene, sent, pass, judged } = await aDesk({ finding: { verdict: "Unknown", reason: "no such host" } });
    await pass(30_000);
    expect(sent).toEqual([]);
    expect(judged()).toBeGreaterThan(2);
    expect(judged()).toBeLessThan(12);
    scene.finding = { verdict: "Right" };
    await pass(60_000);
    expect(sent).toEqual(["commit true"]);
  });

  test("is not deceived by another receipt than the disputed one", async () => {
    const other = await aReceipt({ outputDigest: `0x${"77".repeat(32)}` });
    const item = { taskId: other.message.taskId, attempt: 1, receipt: other } as JudgeItem;
    const { sent, pass, judged } = await aDesk({ item: async () => ({ item }) });
    await pass(10_000);
    expect(judged()).toBe(0);
    expect(sent).toEqual([]);
  });

  test("whose transaction fails tries again later, each time a longer while", async () => {
    const refuse = new InferiumError("RpcFailed", "insufficient funds for gas", { disposition: "retry" });
    const { scene, sent, pass } = await aDesk({ refuse });
    await pass(30_000);
    expect(sent.length).toBeGreaterThan(2);
    expect(sent.length).toBeLessThan(12);
    scene.refuse = undefined;
    await pass(60_000);
    expect(new Set(sent)).toEqual(new Set(["commit true"]));
  });
});

describe("moving a dispute on", () => {
  const due = { view: { state: "Ruled", deadline: 100, ruling: "Overturned" } as const, timestamp: 101 };

  test("the challenger does it at once", async () => {
    const { sent, pass } = await aDesk({ ...due, jury: [accused] }, challenger);
    await pass(1_000);
    expect(sent[0]).toBe("execute");
  });

  test("a juror does it where the challenger is silent, in its turn", async () => {
    const { sent, pass } = await aDesk({ ...due, jury: [accused, me] });
    await pass(2 * patienceMs - 2_000);
    expect(sent).toEqual([]);
    await pass(4_000);
    expect(sent[0]).toBe("execute");
  });

  test("who has no part in it leaves it alone", async () => {
    const { sent, pass } = await aDesk({ ...due, jury: [accused] });
    await pass(10 * patienceMs);
    expect(sent).toEqual([]);
  });
});

describe("the end of a dispute", () => {
  const over = { view: { state: "Closed", ruling: "Overturned" } as const };

  test("is told, and forgotten", async () => {
    const { closed, desk, sent, pass } = await aDesk(over);
    await pass(5_000);
    expect(closed).toEqual([{ id, ruling: "Overturned" }]);
    expect(desk.oldestBlock).toBeUndefined();
    expect(sent).toEqual([]);
  });

  test("gives the challenger its bond back", async () => {
    const { sent, pass } = await aDesk(over, challenger);
    await pass(3_000);
    expect(sent).toEqual(["collect"]);
  });

  test("while it is open, its events are read again after a restart, and it covers who is accused in it", async () => {
    const { desk } = await aDesk();
    expect(desk.oldestBlock).toBe(7);
    expect(await desk.findCovering(receipt.message.taskId, 1, [accused])).toBe(id);
    expect(await desk.findCovering(receipt.message.taskId, 1, [accused, me])).toBeUndefined();
    expect(await desk.findCovering(receipt.message.taskId, 2, [accused])).toBeUndefined();
  });
});
