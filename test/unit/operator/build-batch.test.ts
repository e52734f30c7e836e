import { Wallet } from "ethers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BatchRecord } from "../../../src/operator/batch-book.ts";
import { type BatchPlan, buildBatch, type SettleCandidate } from "../../../src/operator/build-batch.ts";
import { anyModel, type Order } from "../../../src/protocol/order.ts";

const address = (byte: string) => new Wallet(`0x${byte.repeat(32)}`).address;
const [requester, worker, treasury] = ["01", "02", "03"].map(address) as [string, string, string];
const hash = (number: number) => `0x${number.toString(16).padStart(64, "0")}`;

const anOrder = (maxTotalWei: bigint, nonce = 1n): Order => ({
  message: { requester, pool: "p", maxPerTaskWei: 1_000n, maxTotalWei, modelsRoot: anyModel, expiresAt: 1, nonce },
  signature: "0x",
});

function aCandidate(number: number, rewardWei: bigint, order = anOrder(10n ** 6n)): SettleCandidate {
  const task = {
    taskId: hash(number),
    attempt: 1,
    receipt: { message: {} as never, signature: "0x" },
    receiptDigest: hash(number),
    worker,
    payee: worker,
    requester,
    rewardWei: rewardWei.toString(),
    votes: [],
  };
  return { key: `default/t${number}`, uid: `u${number}`, task, ...(rewardWei > 0n ? { order } : {}) };
}

const aPlan = (candidates: SettleCandidate[], depositWei = 10n ** 9n, previous?: BatchRecord): BatchPlan => ({
  previous,
  epoch: 1n,
  createdAtMs: 5_000,
  treasury,
  candidates,
  spendableWei: new Map([[requester, depositWei]]),
});
const members = (plan: BatchPlan) => buildBatch(plan)?.body.members.map(({ uid }) => uid);

test("names no claim as missed before the header's own time, in whole seconds, says so", () => {
  const claim = (deadlineMs: number) => ({
    message: { taskId: hash(deadlineMs), attempt: 1, worker, deadlineMs },
    signature: "0x",
  });
  const missed = [claim(5_000), claim(5_001)];
  const built = buildBatch({ ...aPlan([aCandidate(1, 0n)]), createdAtMs: 5_999, missed });
  expect(built?.body.data.missed).toEqual([missed[0]]);
});

describe("buildBatch", () => {
  const cases = [
    { name: "what the deposit covers goes along", rewards: [400n, 600n], deposit: 1_000n, want: ["u0", "u1"] },
    {
      name: "what it does not cover stays behind, and the next that fits goes along",
      rewards: [400n, 700n, 600n],
      deposit: 1_000n,
      want: ["u0", "u2"],
    },
    { name: "a task that pays nothing needs no deposit", rewards: [0n, 400n], deposit: 0n, want: ["u0"] },
    { name: "nothing covered, no batch", rewards: [400n], deposit: 399n, want: undefined },
  ];
  for (const { name, rewards, deposit, want } of cases) {
    test(name, () =>
      expect(
        members(
          aPlan(
            rewards.map((reward, index) => aCandidate(index, reward)),
            deposit,
          ),
        ),
      ).toEqual(want),
    );
  }

  const copies = () => [0, 1].map((number) => ({ ...aCandidate(number, 400n), otherUid: `u${1 - number}` }));

  test("of two copies of a shard the first is paid, and the other one settled without", () => {
    const planned = buildBatch(aPlan(copies()));
    expect(planned?.body.data.tasks.map(({ rewardWei }) => rewardWei)).toEqual(["400", "0"]);
    expect(planned?.body.data.tasks[1]?.order).toBeUndefined();
    expect(Object.values(planned?.body.spentByBudget ?? {})).toEqual(["400"]);
    expect([...(planned?.batch.spent.values() ?? [])]).toEqual([400n]);
  });

  test("a copy whose other one is in no batch is paid", () => {
    expect(buildBatch(aPlan(copies().slice(1)))?.body.data.tasks.map(({ rewardWei }) => rewardWei)).toEqual(["400"]);
  });

  test("an order's total holds over all batches", () => {
    const order = anOrder(1_000n);
    const first = buildBatch(aPlan([aCandidate(0, 600n, order)]));
    const record = {
      sequence: 1,
      state: "Applied",
      headerHash: hash(9),
      body: first!.body,
      signatures: {},
    } as BatchRecord;
    expect(members(aPlan([aCandidate(1, 500n, order), aCandidate(2, 400n, order)], 10n ** 9n, record))).toEqual(["u2"]);
  });

  test("a batch follows the one before: sequence, hash and balances", () => {
    const first = buildBatch(aPlan([aCandidate(0, 100n)]));
    const record = {
      sequence: 1,
      state: "Applied",
      headerHash: hash(9),
      body: first!.body,
      signatures: {},
    } as BatchRecord;
    const second = buildBatch(aPlan([aCandidate(1, 100n)], 10n ** 9n, record));
    expect(second?.body.data.header).toMatchObject({
      sequence: "2",
      previousHash: hash(9),
      settledWei: "200",
      createdAt: "5",
    });
    expect(second?.body.data.previousBalances).toEqual(first?.body.data.balances);
    expect(BigInt(second!.body.data.balances[worker]!)).toBe(2n * BigInt(first!.body.data.balances[worker]!));
  });

  test("law: what is credited is what the tasks pay, and what is spent is what is credited", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 1_000n }), { minLength: 1, maxLength: 20 }), (rewards) => {
        const planned = buildBatch(aPlan(rewards.map((reward, index) => aCandidate(index, reward))));
        const paid = rewards.reduce((sum, reward) => sum + reward, 0n);
        const credited = Object.values(planned!.body.data.balances).reduce((sum, wei) => sum + BigInt(wei), 0n);
        expect(credited).toBe(paid);
        expect(BigInt(planned!.body.data.spent[requester] ?? "0")).toBe(paid);
      }),
    );
  });
});
