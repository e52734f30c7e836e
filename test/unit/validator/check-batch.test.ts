import { describe, expect, test } from "vitest";
import type { BatchData, BatchTask, ProofEvidence } from "../../../src/pool/batch-evidence.ts";
import { computeModelsRoot, identifyBudget } from "../../../src/protocol/order.ts";
import { computeTaskId } from "../../../src/protocol/typed-data.ts";
import { type BatchRules, checkBatch } from "../../../src/validator/certify/check-batch.ts";
import { parseBatch } from "../../../src/validator/certify/parse-batch.ts";
import {
  aBatch,
  anOrder,
  aProvenTask,
  aReceipt,
  aTask,
  aVote,
  domain,
  modelDigest,
  nowMs,
  otherDomain,
  pool,
  requester,
  treasury,
  validators,
  wei,
  worker,
} from "./a-batch.ts";

const budget = identifyBudget({ requester: requester.address, nonce: 7n });

function rules(overrides: Partial<BatchRules> = {}): BatchRules {
  return {
    domain,
    pool,
    treasury,
    minimumQuorum: 2,
    allowUnverified: false,
    validators: new Set(validators.map(({ address }) => address)),
    payouts: undefined,
    spendable: undefined,
    agents: undefined,
    settledTasks: new Set(),
    answered: new Set(),
    spentWei: new Map(),
    nowMs,
    checkProof: async () => undefined,
    ...overrides,
  };
}

async function find(batch: BatchData, overrides: Partial<BatchRules> = {}): Promise<string> {
  const outcome = await checkBatch(parseBatch(batch), rules(overrides));
  return outcome instanceof Map ? "signed" : outcome.code;
}

async function findTask(overrides: Partial<BatchTask>, given: Partial<BatchRules> = {}): Promise<string> {
  return find(await aBatch([await aTask(overrides)]), given);
}

describe("a batch that is true", () => {
  test("may be signed, and its orders have spent its rewards", async () => {
    const outcome = await checkBatch(
      parseBatch(await aBatch([await aTask()])),
      rules({ spentWei: new Map([[budget, 5n]]) }),
    );
    expect(outcome).toEqual(new Map([[budget, wei(10) + 5n]]));
  });

  test("may be signed with an unpaid, unchecked task in it", async () => {
    const { order: _, ...task } = await aTask({ rewardWei: "0", votes: [] });
    expect(await find(await aBatch([task]))).toBe("signed");
  });
});

describe("a receipt that does not hold", () => {
  test("signed by another", async () => {
    const receipt = await aReceipt({}, validators[2]);
    expect(await findTask({ receipt })).toBe("ReceiptNotValid");
  });

  test("changed after it was signed", async () => {
    const { message, signature } = await aReceipt();
    const receipt = { message: { ...message, outputDigest: `0x${"dd".repeat(32)}` }, signature };
    const votes = [await aVote(validators[0], receipt), await aVote(validators[1], receipt)];
    expect(await findTask({ receipt, votes })).toBe("ReceiptNotValid");
  });

  test("of another attempt", async () => {
    expect(await findTask({ receipt: await aReceipt({ attempt: 2 }), attempt: 1 })).toBe("ReceiptNotValid");
  });

  test("under another digest", async () => {
    expect(await findTask({ receiptDigest: `0x${"ee".repeat(32)}` })).toBe("ReceiptDigestMismatch");
  });

  test("credited to another worker", async () => {
    expect(await findTask({ worker: validators[2].address })).toBe("WorkerMismatch");
  });
});

describe("a task that was proven", () => {
  const change = async (alter: (proven: ProofEvidence) => ProofEvidence) => {
    const task = await aProvenTask();
    return aBatch([{ ...task, proven: alter(task.proven) }]);
  };

  test("may be signed once the proof holds here too, and pays who stands for it", async () => {
    const checked: string[] = [];
    const batch = await aBatch([await aProvenTask()]);
    const checkProof: BatchRules["checkProof"] = async ({ taskId }) => void checked.push(taskId);
    expect(await find(batch, { checkProof })).toBe("signed");
    expect(checked).toEqual([batch.tasks[0]!.taskId]);
    expect(Number(batch.balances[validators[0].address])).toBeGreaterThan(0);
  });

  test.each(["AnotherWorker", "AnotherAttempt", "AnotherTask", "AnotherModel", "InvalidProof"])(
    "is refused by the name of what is wrong with its proof: %s",
    async (code) => {
      const checkProof: BatchRules["checkProof"] = async () => ({ code, message: "so" });
      expect(await find(await aBatch([await aProvenTask()]), { checkProof })).toBe(code);
    },
  );

  test("is refused where the leaf holds another statement, or none", async () => {
    const proven = await aProvenTask();
    const other = { ...proven.proven.proof, signals: ["1", "9", "3"] as const };
    const batch = await aBatch([proven]);
    const tasks = [{ ...proven, proven: { ...proven.proven, proof: other } }];
    expect(await find({ ...batch, tasks })).toBe("HeaderMismatch");
    const { proven: _, ...bare } = proven;
    expect(await find({ ...batch, tasks: [{ ...bare, votes: (await aTask()).votes }] })).toBe("HeaderMismatch");
  });

  test("is refused where too few, twice the same, strangers or the worker itself stand for it", async () => {
    const twice = ({ endorsements }: ProofEvidence) => [endorsements[0]!, endorsements[0]!];
    expect(await find(await change((p) => ({ ...p, endorsements: p.endorsements.slice(1) })))).toBe("QuorumNotReached");
    expect(await find(await change((p) => ({ ...p, endorsements: twice(p) })))).toBe("DuplicateVote");
    const members = new Set([validators[0].address]);
    expect(await find(await change((p) => p), { validators: members })).toBe("UnknownValidator");
    const own = { validator: worker.address, payee: worker.address, signature: `0x${"00".repeat(64)}` };
    expect(await find(await change((p) => ({ ...p, endorsements: [own, ...p.endorsements] })))).toBe("OwnVote");
  });

  test("is refused where an endorsement is of another proof", async () => {
    const altered = await change((p) => ({ ...p, proof: { ...p.proof, words: [...p.proof.words].reverse() } }));
    expect(await find(altered)).toBe("EndorsementNotSigned");
  });

  test("has no votes beside its proof", async () => {
    const task = await aProvenTask();
    const batch = await aBatch([task]);
    const { votes } = await aTask();
    expect(() => parseBatch({ ...batch, tasks: [{ ...task, votes }] })).toThrow("votes and a proof");
  });
});

describe("votes that do not hold", () => {
  const withVotes = async (
    change: (votes: BatchTask["votes"]) => BatchTask["votes"],
    given: Partial<BatchRules> = {},
  ) => {
    const task = await aTask();
    return findTask({ ...task, votes: change(task.votes) }, given);
  };

  test("too few", async () => {
    expect(await withVotes((votes) => votes.slice(0, 1))).toBe("QuorumNotReached");
  });

  test("none for a paid task", async () => {
    expect(await withVotes(() => [])).toBe("QuorumNotReached");
  });

  test("none for a paid task may be enough where the configuration says so", async () => {
    expect(await withVotes(() => [], { allowUnverified: true })).toBe("signed");
  });

  test("the same validator twice", async () => {
    expect(await withVotes((votes) => [...votes.slice(0, 1), ...votes.slice(0, 1)])).toBe("DuplicateVote");
  });

  test("a validator that is not in the set", async () => {
    const members = new Set([validators[0].address]);
    expect(await withVotes((votes) => votes, { validators: members })).toBe("UnknownValidator");
    expect(await withVotes((votes) => votes, { validators: undefined })).toBe("signed");
  });

  test("the worker's own", async () => {
    const receipt = await aReceipt();
    const votes = [await aVote(worker, receipt), await aVote(validators[0], receipt)];
    expect(await findTask({ receipt, votes }, { validators: undefined })).toBe("OwnVote");
  });

  test("a rejecting one", async () => {
    const receipt = await aReceipt();
    const votes = [await aVote(validators[0], receipt, { vote: "Reject" }), await aVote(validators[1], receipt)];
    expect(await findTask({ receipt, votes })).toBe("NotAccepted");
  });

  test("a rejecting one that is called accepting", async () => {
    const receipt = await aReceipt();
    const reject = { ...(await aVote(validators[0], receipt, { vote: "Reject" })), vote: "Accept" as const };
    expect(await findTask({ receipt, votes: [reject, await aVote(validators[1], receipt)] })).toBe("VoteNotProven");
  });

  test("an accepting one on another receipt", async () => {
    const other = await aReceipt({ outputDigest: `0x${"dd".repeat(32)}` });
    const receipt = await aReceipt();
    const votes = [await aVote(validators[0], other), await aVote(validators[1], receipt)];
    expect(await findTask({ receipt, votes })).toBe("VoteNotProven");
  });

  test("one whose proof is cut off", async () => {
    expect(await withVotes((votes) => votes.map((vote) => ({ ...vote, proof: [] })))).toBe("VoteNotProven");
  });

  test("one that another signed", async () => {
    const receipt = await aReceipt();
    const forged = await aVote(validators[0], receipt, { signer: validators[2] });
    expect(await findTask({ receipt, votes: [forged, await aVote(validators[1], receipt)] })).toBe("VoteNotSigned");
  });

  test("one that was signed for another deployment", async () => {
    const receipt = await aReceipt();
    const foreign = await aVote(validators[0], receipt, { domain: otherDomain });
    expect(await findTask({ receipt, votes: [foreign, await aVote(validators[1], receipt)] })).toBe("VoteNotSigned");
  });
});

describe("consent that is not given", () => {
  test.for<{ name: string; order: Parameters<typeof anOrder>; want: string }>([
    {
      name: "an order of another requester",
      order: [{ requester: worker.address }, { signer: worker }],
      want: "RequesterMismatch",
    },
    { name: "an order that another signed", order: [{}, { signer: worker }], want: "OrderNotSigned" },
    { name: "an order for another pool", order: [{ pool: "other-pool" }], want: "OrderForOtherPool" },
    {
      name: "an order that had expired before the work",
      order: [{ expiresAt: nowMs / 1_000 - 2 }],
      want: "OrderExpired",
    },
    { name: "an order that expired after the work", order: [{ expiresAt: nowMs / 1_000 - 1 }], want: "signed" },
    {
      name: "a reward above the order",
      order: [{ maxPerTaskWei: (wei(10) - 1n).toString() }],
      want: "RewardAboveOrder",
    },
    { name: "a total above the order", order: [{ maxTotalWei: (wei(10) - 1n).toString() }], want: "OrderExhausted" },
  ])("$name is $want", async ({ order, want }) => {
    expect(await findTask({ order: await anOrder(...order) })).toBe(want);
  });

  test("no order at all", async () => {
    const { order: _, ...task } = await aTask();
    expect(await find(await aBatch([task]))).toBe("OrderMissing");
  });

  test("an order whose bounds were widened after it was signed", async () => {
    const order = await anOrder({ maxPerTaskWei: "1" });
    const widened = { ...order, message: { ...order.message, maxPerTaskWei: wei(10).toString() } };
    expect(await findTask({ order: widened })).toBe("OrderNotSigned");
  });

  test("an order for some models allows those alone", async () => {
    const models = [`sha256:${"11".repeat(32)}`, `sha256:${modelDigest.slice(2)}`];
    const listed = await anOrder({ modelsRoot: computeModelsRoot(models) }, { models });
    expect(await findTask({ order: listed })).toBe("signed");
    const others = [`sha256:${"11".repeat(32)}`, `sha256:${"22".repeat(32)}`];
    const without = await anOrder({ modelsRoot: computeModelsRoot(others) }, { models: others });
    expect(await findTask({ order: without })).toBe("ModelNotInOrder");
    expect(await findTask({ order: { ...without, models } })).toBe("ModelNotInOrder");
  });

  test("the budget counts the batches before and every task of this one", async () => {
    expect(await findTask({}, { spentWei: new Map([[budget, wei(5)]]) })).toBe("signed");
    expect(await findTask({}, { spentWei: new Map([[budget, wei(5) + 1n]]) })).toBe("OrderExhausted");
    const receipt = await aReceipt({ taskId: computeTaskId("task-2") });
    expect(await find(await aBatch([await aTask(), await aTask({ receipt })]))).toBe("OrderExhausted");
  });
});

describe("a header that does not follow from its data", () => {
  test.for<{ name: string; change: (batch: BatchData) => BatchData; want: string }>([
    {
      name: "another task root",
      change: (batch) => ({ ...batch, header: { ...batch.header, taskRoot: `0x${"12".repeat(32)}` } }),
      want: "HeaderMismatch",
    },
    {
      name: "another balance root",
      change: (batch) => ({ ...batch, header: { ...batch.header, balanceRoot: `0x${"12".repeat(32)}` } }),
      want: "HeaderMismatch",
    },
    {
      name: "one wei more in all",
      change: (batch) => ({
        ...batch,
        header: { ...batch.header, settledWei: `${BigInt(batch.header.settledWei) + 1n}` },
      }),
      want: "HeaderMismatch",
    },
    {
      name: "another count",
      change: (batch) => ({ ...batch, header: { ...batch.header, taskCount: 2 } }),
      want: "HeaderMismatch",
    },
    {
      name: "one wei more for the worker",
      change: (batch) => ({
        ...batch,
        balances: { ...batch.balances, [worker.address]: `${BigInt(batch.balances[worker.address] ?? 0) + 1n}` },
      }),
      want: "BalancesMismatch",
    },
    {
      name: "another payee of the worker",
      change: (batch) => ({ ...batch, tasks: batch.tasks.map((task) => ({ ...task, payee: validators[2].address })) }),
      want: "HeaderMismatch",
    },
    {
      name: "a higher reward",
      change: (batch) => ({ ...batch, tasks: batch.tasks.map((task) => ({ ...task, rewardWei: wei(11).toString() })) }),
      want: "HeaderMismatch",
    },
    {
      name: "a task twice",
      change: (batch) => ({ ...batch, tasks: [...batch.tasks, ...batch.tasks] }),
      want: "BatchNotComputable",
    },
    { name: "no task", change: (batch) => ({ ...batch, tasks: [] }), want: "BatchNotComputable" },
    {
      name: "a date ahead of our clock",
      change: (batch) => ({ ...batch, header: { ...batch.header, createdAt: `${nowMs / 1_000 + 600}` } }),
      want: "FromTheFuture",
    },
  ])("$name is $want", async ({ change, want }) => {
    expect(await find(change(await aBatch([await aTask()])))).toBe(want);
  });

  test("another treasury than configured", async () => {
    expect(await find(await aBatch([await aTask()]), { treasury: worker.address })).toBe("WrongTreasury");
  });

  test("a payee that the chain does not name", async () => {
    const payouts = new Map([worker, ...validators].map(({ address }) => [address, address]));
    expect(await findTask({}, { payouts })).toBe("signed");
    payouts.set(worker.address, treasury);
    expect(await findTask({}, { payouts })).toBe("WrongPayee");
    payouts.set(worker.address, worker.address).delete(validators[1].address);
    expect(await findTask({}, { payouts })).toBe("WrongPayee");
  });
});

describe("a batch that cannot be read", () => {
  test.for<{ name: string; change: (batch: BatchData) => unknown }>([
    {
      name: "an account in two spellings",
      change: (batch) => ({ ...batch, previousBalances: { [worker.address.toLowerCase()]: "1" } }),
    },
    { name: "a negative amount", change: (batch) => ({ ...batch, previousBalances: { [worker.address]: "-1" } }) },
    { name: "an amount with leading zeros", change: (batch) => ({ ...batch, balances: { [worker.address]: "01" } }) },
    {
      name: "a sequence that is no number",
      change: (batch) => ({ ...batch, header: { ...batch.header, sequence: "0x1" } }),
    },
    { name: "no tasks field", change: ({ tasks: _, ...batch }) => batch },
  ])("$name", async ({ change }) => {
    const batch = change(await aBatch([await aTask()])) as BatchData;
    expect(() => parseBatch(batch)).toThrow(expect.objectContaining({ code: "MalformedBatch" }));
  });
});
