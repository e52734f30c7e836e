import { randomBytes } from "node:crypto";
import { Wallet } from "ethers";
import { describe, expect, test } from "vitest";
import type { AgentEvidence, BatchTask } from "../../../src/pool/batch-evidence.ts";
import { hashWindow, type WindowStatement } from "../../../src/protocol/call-window.ts";
import { computeWindowId } from "../../../src/protocol/calls.ts";
import { computeTaskId } from "../../../src/protocol/typed-data.ts";
import { type BatchRules, checkBatch } from "../../../src/validator/certify/check-batch.ts";
import { parseBatch } from "../../../src/validator/certify/parse-batch.ts";
import { aBatch, anOrder, aReceipt, aTask, domain, nowMs, pool, treasury, validators, wei, worker } from "./a-batch.ts";

const hex = (byte: string, count: number) => `0x${byte.repeat(count)}`;
const creator = new Wallet(hex("51", 32)).address;
const shares = { creatorBps: 6_000, hostBps: 2_500, validatorsBps: 1_000, treasuryBps: 500 };
const agentId = hex("a9", 32);

function aWindow(change: Partial<WindowStatement> = {}): WindowStatement {
  const identity = {
    ...{ agentId, callerId: "alice", nonce: hex("0b", 16), receiptKey: hex("0c", 32) },
    ...change,
  };
  return {
    ...{ windowId: computeWindowId(identity), firstAtMs: nowMs - 9_000, lastAtMs: nowMs - 3_000, count: 10, failed: 1 },
    ...{ revenueWei: wei(10).toString(), root: `sha256:${"d1".repeat(32)}`, seed: hex("e1", 32), samples: 4 },
    ...identity,
  };
}

async function aWindowTask(
  window = aWindow(),
  change: Partial<BatchTask> & { uid?: string; agent?: AgentEvidence } = {},
): Promise<BatchTask> {
  const { uid = "window-1", ...rest } = change;
  const receipt = await aReceipt({ taskId: computeTaskId(uid), codeDigest: hashWindow(domain, window) });
  const order = await anOrder({ maxTotalWei: wei(100).toString() });
  return aTask({ receipt, order, agent: { window, creator, shares }, ...rest });
}

function rules(overrides: Partial<BatchRules> = {}): BatchRules {
  return {
    ...{ domain, pool, treasury, minimumQuorum: 2, allowUnverified: false },
    ...{ validators: undefined, payouts: undefined, spendable: undefined, settledTasks: new Set<string>() },
    ...{ answered: new Set<string>(), spentWei: new Map(), nowMs, checkProof: async () => undefined },
    agents: new Map([[agentId, { creator, host: worker.address, shares }]]),
    ...overrides,
  };
}

async function find(tasks: readonly BatchTask[], overrides: Partial<BatchRules> = {}): Promise<string> {
  const outcome = await checkBatch(parseBatch(await aBatch(tasks)), rules(overrides));
  return outcome instanceof Map ? "signed" : outcome.code;
}

describe("a window of an agent's calls in a batch", () => {
  test("is split as the chain says, and what does not divide is the creator's", async () => {
    const paid = 10n * 10n ** 18n + 7n;
    const window = aWindow({ revenueWei: paid.toString() });
    const order = await anOrder({ maxPerTaskWei: paid.toString(), maxTotalWei: paid.toString() });
    const task = await aWindowTask(window, { rewardWei: paid.toString(), order });
    const batch = await aBatch([task]);
    expect(await find([task])).toBe("signed");
    const [one = "", two = ""] = [validators[0].address, validators[1].address];
    const got = Object.fromEntries(
      [worker.address, one, two, treasury].map((who) => [who, BigInt(batch.balances[who] ?? 0)]),
    );
    expect(got).toEqual({
      [worker.address]: (paid * 2_500n) / 10_000n,
      [one]: (paid * 1_000n) / 10_000n / 2n,
      [two]: (paid * 1_000n) / 10_000n / 2n,
      [treasury]: (paid * 500n) / 10_000n,
    });
    const others = Object.values(got).reduce((sum, amount) => sum + amount, 0n);
    expect(BigInt(batch.balances[creator] ?? 0)).toBe(paid - others);
    expect(BigInt(batch.header.settledWei)).toBe(paid);
  });

  test("that nobody ran again is signed where unverified work is, and what is not earned by votes is the treasury's", async () => {
    const task = { ...(await aWindowTask()), votes: [] };
    expect(await find([task])).toBe("QuorumNotReached");
    expect(await find([task], { allowUnverified: true })).toBe("signed");
    const batch = await aBatch([task]);
    expect(batch.balances).toEqual({
      [creator]: wei(6).toString(),
      [worker.address]: (wei(5) / 2n).toString(),
      [treasury]: (wei(3) / 2n).toString(),
    });
  });

  test("is not signed where the receipt is about another window", async () => {
    const task = await aWindowTask();
    const window = aWindow({ nonce: `0x${randomBytes(16).toString("hex")}` });
    expect(await find([{ ...task, agent: { window, creator, shares } }])).toBe("WindowNotSigned");
  });

  test("is not signed where a worker's ordinary task is marked as somebody's agent's", async () => {
    expect(await find([await aTask({ agent: { window: aWindow(), creator, shares } })])).toBe("WindowNotSigned");
  });

  test("is not signed where the window is of another agent than its id says", async () => {
    const window = { ...aWindow(), agentId: hex("aa", 32) };
    expect(await find([await aWindowTask(window)])).toBe("WindowNotValid");
  });

  test("is not signed where it pays other than its calls cost", async () => {
    expect(await find([await aWindowTask(aWindow(), { rewardWei: wei(9).toString() })])).toBe("RevenueMismatch");
  });

  test("is not signed where every call failed and yet something is paid", async () => {
    expect(await find([await aWindowTask(aWindow({ count: 3, failed: 3 }))])).toBe("WindowNotValid");
  });

  const named: readonly [string, Partial<AgentEvidence>, string][] = [
    ["another creator than the chain's", { creator: worker.address }, "WrongCreator"],
    ["other shares than the chain's", { shares: { ...shares, creatorBps: 5_000, hostBps: 3_500 } }, "WrongSplit"],
  ];
  test.each(named)("is not signed with %s", async (_, change, code) => {
    const agent = { window: aWindow(), creator, shares, ...change };
    expect(await find([await aWindowTask(aWindow(), { agent })])).toBe(code);
  });

  test("is not signed where the chain has another host, or no such agent", async () => {
    const other = new Map([[agentId, { creator, host: validators[0].address, shares }]]);
    expect(await find([await aWindowTask()], { agents: other })).toBe("WrongHost");
    expect(await find([await aWindowTask()], { agents: new Map() })).toBe("UnknownAgent");
  });

  test("is not signed twice, by another task or in a later batch", async () => {
    const window = aWindow();
    const earlier = await aWindowTask(window);
    await expect(aBatch([earlier, await aWindowTask(window, { uid: "window-2" })])).rejects.toThrow(
      expect.objectContaining({ code: "DuplicateWindow" }),
    );
    expect(await find([earlier], { settledTasks: new Set([window.windowId]) })).toBe("WindowSettledBefore");
  });

  test("cannot be read with shares that do not sum to the whole", async () => {
    const batch = await aBatch([await aWindowTask()]);
    const task = batch.tasks[0];
    const bad = { ...batch, tasks: [{ ...task, agent: { ...task?.agent, shares: { ...shares, hostBps: 2_499 } } }] };
    expect(() => parseBatch(bad as typeof batch)).toThrow(expect.objectContaining({ code: "MalformedBatch" }));
  });

  test("is refused where only the split behind its balances was changed", async () => {
    const batch = await aBatch([await aWindowTask()]);
    const tasks = batch.tasks.map(({ agent: _, ...task }) => task);
    const plain = { ...batch, tasks };
    const outcome = await checkBatch(parseBatch(plain), rules());
    expect(outcome).toMatchObject({ code: "HeaderMismatch" });
  });
});
