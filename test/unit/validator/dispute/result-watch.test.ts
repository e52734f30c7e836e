import { afterEach, describe, expect, test } from "vitest";
import { InferiumError } from "../../../../src/base/errors.ts";
import { silentLogger } from "../../../../src/base/log.ts";
import type { ApprovedEvidence } from "../../../../src/chain/calls.ts";
import type { ChainEvent } from "../../../../src/chain/chain-event.ts";
import { readHeader } from "../../../../src/pool/batch-data.ts";
import type { BatchData, BatchTask, JudgeItem } from "../../../../src/pool/wire.ts";
import type { DisputeRuling } from "../../../../src/protocol/dispute.ts";
import { batchHeaderTypes, hashMessage } from "../../../../src/protocol/typed-data.ts";
import type { ResultFinding } from "../../../../src/validator/dispute/judge-result.ts";
import { ResultWatch } from "../../../../src/validator/dispute/result-watch.ts";
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
  const watch = new ResultWatch({
    reader: { parameters: async () => ({ bondWei: 10n }) as never },
    readBalance: async () => balancesWei.shift() ?? scene.balanceWei ?? 10n,
    sender: {
      account: me,
      open: async (evidence) => {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        opened.push(evidence);
        return { id: "0xid", txHash: "0x", blockNumber: 1, gasUsed: 1n };
      },
    },
    desk: { findCovering: async () => covering },
    pool: {
      batch: async () => ({ batch }),
      item: async ({ taskId, attempt }) => {
        asked.push(taskId);
        return { item: { taskId, attempt, receipt: scene.receipt ?? receipt } as JudgeItem };
      },
    },
    judge: async () => scene.finding ?? { verdict: "Wrong" },
    ...{ domain, clock, logger: silentLogger, metrics: undefined },
    rules: { rate: scene.rate ?? 0.02, fewVotes: 2 },
    random: () => 0.5,
    spreadMs: 1_000,
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
    watch.onClosed({ id: "0xother", ruling }, controller.signal);
    await clock.advance(2_000);
  };
  return { opened, asked, task, close, clock, failures };
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
    const away = new InferiumError("RpcFailed", "Nobody answers.", { disposition: "retry" });
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
