import { afterEach, describe, expect, test } from "vitest";
import { InferiumError } from "../../../../src/base/errors.ts";
import { silentLogger } from "../../../../src/base/log.ts";
import type { ApprovedEvidence } from "../../../../src/chain/calls.ts";
import type { ChainEvent } from "../../../../src/chain/chain-event.ts";
import { readHeader } from "../../../../src/pool/batch-data.ts";
import type { BatchData, BatchTask } from "../../../../src/pool/batch-evidence.ts";
import type { JudgeItem } from "../../../../src/pool/duty.ts";
import type { DisputeRuling } from "../../../../src/protocol/dispute.ts";
import { batchHeaderTypes, hashMessage } from "../../../../src/protocol/typed-data.ts";
import { createBondCheck } from "../../../../src/validator/dispute/bond-check.ts";
import type { ResultFinding } from "../../../../src/validator/dispute/judge-result.ts";
import { ResultWatch } from "../../../../src/validator/dispute/result-watch.ts";
import { SuspectPursuit } from "../../../../src/validator/dispute/suspect-pursuit.ts";
import type { Suspect, SuspectRecords } from "../../../../src/validator/dispute/suspect-record.ts";
import { createManualClock } from "../../kube/manual-clock.ts";
import { aBatch, aReceipt, aTask, aVote, domain, validators } from "../a-batch.ts";

const stopping: AbortController[] = [];
afterEach(() => {
  for (const controller of stopping.splice(0)) controller.abort(new Error("test is over"));
});

const me = validators[2].address;
const headerHashOf = (batch: BatchData) => hashMessage(domain, batchHeaderTypes, readHeader(batch.header));

interface Scene {
  readonly finding?: ResultFinding;
  readonly balanceWei?: bigint;
  readonly rate?: number;
  readonly covering?: string;
  readonly receipt?: JudgeItem["receipt"];
  readonly headerHash?: string;
  readonly task?: BatchTask;
  /** What it holds first, each time that it is asked. */
  readonly balancesWei?: readonly bigint[];
  /** What opening a dispute throws, time after time, before it succeeds. */
  readonly failures?: readonly Error[];
  readonly records?: SuspectRecords;
}

/** What outlives a process. */
function memoryRecords(): SuspectRecords & { readonly suspects: Map<string, Suspect> } {
  const suspects = new Map<string, Suspect>();
  return {
    suspects,
    add: async (suspect) => void suspects.set(suspect.task.taskId, suspect),
    remove: async (id) => void suspects.delete(id),
    readAll: async () => [...suspects.values()],
    prune: async () => undefined,
  };
}

/** A watcher that is told of one settled batch of a task that one validator approved. */
async function aWatch(scene: Scene = {}) {
  const receipt = await aReceipt();
  const task = scene.task ?? (await aTask({ receipt, votes: [await aVote(validators[0], receipt)] }));
  const batch = await aBatch([task]);
  const opened: ApprovedEvidence[] = [];
  const asked: string[] = [];
  let covering = scene.covering;
  const balancesWei = [...(scene.balancesWei ?? [])];
  const failures = [...(scene.failures ?? [])];
  const clock = createManualClock();
  const reader = { parameters: async () => ({ bondWei: 10n }) as never };
  const readBalance = async () => balancesWei.shift() ?? scene.balanceWei ?? 10n;
  const shared = { random: () => 0.5, clock, logger: silentLogger, metrics: undefined };
  const canPay = createBondCheck({ reader, account: me, readBalance, logger: silentLogger });
  const records = scene.records ?? memoryRecords();
  const pursuit = new SuspectPursuit({
    ...{ ...shared, reader, canPay, records },
    spreadMs: 1_000,
    desk: { findCovering: async () => covering },
    sender: {
      account: me,
      open: async (evidence) => {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        opened.push(evidence);
        return { id: "0xid", txHash: "0x", blockNumber: 1, gasUsed: 1n };
      },
    },
  });
  const watch = new ResultWatch({
    ...{ ...shared, account: me, canPay, pursuit, domain },
    pool: {
      batch: async () => ({ batch }),
      item: async ({ taskId, attempt }) => {
        asked.push(taskId);
        return { item: { taskId, attempt, receipt: scene.receipt ?? receipt } as JudgeItem };
      },
    },
    judge: async () => scene.finding ?? { verdict: "Wrong" },
    rules: { rate: scene.rate ?? 0.02, fewVotes: 2 },
  });
  const controller = new AbortController();
  stopping.push(controller);
  void watch.run(controller.signal);
  const place = { id: "0x/1", blockNumber: 1, blockHash: "0x", txHash: "0x" };
  const settled = { kind: "Settled", sequence: 1n, headerHash: scene.headerHash ?? headerHashOf(batch) } as const;
  watch.observe({ ...place, ...settled } as ChainEvent);
  await clock.advance(2_000);
  const close = async (ruling: DisputeRuling) => {
    covering = undefined;
    pursuit.onClosed({ id: "0xother", ruling }, controller.signal);
    await clock.advance(2_000);
  };
  const end = () => controller.abort(new Error("the process ends"));
  const resume = async () => {
    await pursuit.resume(controller.signal);
    await clock.advance(2_000);
  };
  return { opened, asked, task, close, clock, failures, end, resume };
}

const otherReceipt = await aReceipt({ outputDigest: `0x${"77".repeat(32)}` });
const approvedByTwo = await aTask();

describe("a watcher of settled results", () => {
  test("disputes a wrong one, with the approvals that the batch carries", async () => {
    const { opened, task } = await aWatch();
    expect(opened).toHaveLength(1);
    expect(opened[0]).toMatchObject({ receipt: task.receipt.message, epoch: 1n });
    expect(opened[0]?.approvals.map(({ attestation }) => attestation.validator)).toEqual([validators[0].address]);
  });

  const quiet: readonly (readonly [string, Scene])[] = [
    ["one that is right", { finding: { verdict: "Right" } }],
    ["one that cannot be judged", { finding: { verdict: "Unknown", reason: "no such host" } }],
    ["one whose batch is not what the chain settled", { headerHash: `0x${"00".repeat(32)}` }],
    ["one for which the pool shows another receipt", { receipt: otherReceipt }],
    ["one that two approved and chance does not pick", { task: approvedByTwo }],
    ["any while the watch is off", { rate: 0 }],
  ];
  test.each(quiet)("does not dispute %s", async (_, scene) => {
    expect((await aWatch(scene)).opened).toEqual([]);
  });

  test("runs nothing where it could not pay the bond", async () => {
    const { asked, opened } = await aWatch({ balanceWei: 9n });
    expect(asked).toEqual([]);
    expect(opened).toEqual([]);
  });

  const refused = (revert: string) =>
    new InferiumError("TransactionReverted", `Refused: ${revert}.`, { evidence: { revert } });

  test("tries again what cannot be disputed now, as while the token is paused", async () => {
    const { opened, clock, failures } = await aWatch({ failures: [refused("0x9e87fac8"), away] });
    expect(opened).toEqual([]);
    expect(failures).toHaveLength(1);
    await clock.advance(30_000);
    expect(failures).toHaveLength(1);
    await clock.advance(200_000);
    expect(failures).toEqual([]);
    expect(opened).toHaveLength(1);
    await clock.advance(3_600_000);
    expect(opened).toHaveLength(1);
  });

  test("disputes once it holds the bond again", async () => {
    const { opened, clock } = await aWatch({ balancesWei: [10n, 9n] });
    expect(opened).toEqual([]);
    await clock.advance(60_000);
    expect(opened).toHaveLength(1);
  });

  test("lets go of what the contract itself refuses", async () => {
    const { opened, clock } = await aWatch({ failures: [refused("EvidenceTooOld")] });
    await clock.advance(86_400_000);
    expect(opened).toEqual([]);
  });

  const away = new InferiumError("RpcFailed", "Nobody answers.", { disposition: "retry" });

  test("goes on after a restart with what it found wrong and could not dispute", async () => {
    const records = memoryRecords();
    const before = await aWatch({ records, failures: [away] });
    before.end();
    expect(before.opened).toEqual([]);
    expect([...records.suspects.keys()]).toEqual([before.task.taskId]);
    const after = await aWatch({ records, rate: 0 });
    expect(after.opened).toEqual([]);
    await after.resume();
    expect(after.opened).toMatchObject([{ receipt: before.task.receipt.message, epoch: 1n }]);
    expect(records.suspects.size).toBe(0);
  });

  test("forgets on the disk too what is disputed, refused or answered by another's dispute, and only that", async () => {
    const left = async (scene: Scene, ruling?: DisputeRuling) => {
      const records = memoryRecords();
      const { close } = await aWatch({ ...scene, records });
      if (ruling !== undefined) await close(ruling);
      return records.suspects.size;
    };
    expect(await left({})).toBe(0);
    expect(await left({ failures: [refused("EvidenceTooOld")] })).toBe(0);
    expect(await left({ covering: "0xother" }, "Overturned")).toBe(0);
    expect(await left({ covering: "0xother" })).toBe(1);
    expect(await left({ failures: [away] })).toBe(1);
  });

  test("pursues what it cannot write down", async () => {
    const add = () => Promise.reject(new InferiumError("StateUnwritable", "The disk is full."));
    const { opened } = await aWatch({ records: { ...memoryRecords(), add } });
    expect(opened).toHaveLength(1);
  });

  test("lets another's dispute go first, and opens its own only if that ends without an answer", async () => {
    for (const ruling of ["Overturned", "Upheld"] as const) {
      const answered = await aWatch({ covering: "0xother" });
      await answered.close(ruling);
      expect(answered.opened, ruling).toEqual([]);
    }
    for (const ruling of ["Inconclusive", "Vetoed"] as const) {
      const open = await aWatch({ covering: "0xother" });
      expect(open.opened, ruling).toEqual([]);
      await open.close(ruling);
      expect(open.opened, ruling).toHaveLength(1);
    }
  });
});
