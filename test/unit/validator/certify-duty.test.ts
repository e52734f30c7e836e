import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import type { BatchData } from "../../../src/pool/batch-evidence.ts";
import type { AttestRequest } from "../../../src/pool/wire.ts";
import { batchHeaderTypes, computeTaskId, hashMessage, recoverSigner } from "../../../src/protocol/typed-data.ts";
import { openCertifiedRecord } from "../../../src/validator/certify/certified-record.ts";
import { type CertifyContext, type ChainView, certifyBatch } from "../../../src/validator/certify/certify-duty.ts";
import { openSettledTasks } from "../../../src/validator/certify/settled-tasks.ts";
import { aBatch, anOrder, aReceipt, aTask, domain, nowMs, pool, requester, treasury, validators } from "./a-batch.ts";

let stateDir = "";
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "inferium-certify-"));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

const signer = validators[2];
const never = new AbortController().signal;

/** A validator over the state folder; every call is like a restart. */
async function aValidator(chain: ChainView = {}, on = domain) {
  const sent: AttestRequest[] = [];
  const context: CertifyContext = {
    client: {
      attest: async (request) => {
        sent.push(request);
        return { status: "Recorded" };
      },
    },
    signer,
    domain: on,
    record: await openCertifiedRecord(stateDir, on),
    settled: await openSettledTasks(stateDir, on),
    records: { hasJudged: async () => false },
    chain,
    rules: { pool, treasury, minimumQuorum: 2, allowUnverified: false },
    clock: { ...systemClock, now: () => nowMs },
    checkProof: async () => undefined,
  };
  const certify = (batch: BatchData) => certifyBatch(context, { kind: "certify", batch, deadlineMs: nowMs }, never);
  return { certify, sent };
}

const hashHeader = ({ header }: BatchData) => hashMessage(domain, batchHeaderTypes, header);

async function firstBatch(): Promise<BatchData> {
  return aBatch([await aTask()]);
}

function nextBatch(first: BatchData): Promise<BatchData> {
  return onTop(first, {});
}

async function onTop(first: BatchData, options: Parameters<typeof aBatch>[1]): Promise<BatchData> {
  const receipt = await aReceipt({ taskId: computeTaskId("task-2") });
  const task = await aTask({ receipt, order: await anOrder({ nonce: "8" }) });
  return aBatch([task], { sequence: 2n, previousHash: hashHeader(first), previous: first, ...options });
}

describe("certification", () => {
  test("signs the header of a true first batch", async () => {
    const batch = await firstBatch();
    const { certify, sent } = await aValidator();
    expect(await certify(batch)).toEqual({ status: "Recorded" });
    const [request] = sent;
    if (request?.kind !== "certify") throw new Error("nothing was signed");
    expect(request).toMatchObject({ sequence: "1", headerHash: hashHeader(batch) });
    expect(recoverSigner(domain, batchHeaderTypes, batch.header, request.signature)).toBe(signer.address);
    expect(request.signature).toMatch(/^0x[0-9a-f]{128}$/);
  });

  test("signs the same header again after a restart, byte for byte, and another for its sequence never", async () => {
    const batch = await firstBatch();
    const before = await aValidator();
    await before.certify(batch);
    const after = await aValidator();
    await after.certify(batch);
    expect(after.sent).toEqual(before.sent);
    const other = { ...batch, header: { ...batch.header, createdAt: `${nowMs / 1_000 - 1}` } };
    expect((await after.certify(other)).refused?.code).toBe("AlreadyCertified");
    expect(after.sent[1]).toMatchObject({ kind: "refuse", sequence: "1", headerHash: hashHeader(other) });
  });

  test("nothing is signed where the record could not be written first", async () => {
    const batch = await firstBatch();
    const { certify, sent } = await aValidator();
    await rm(stateDir, { recursive: true });
    await expect(certify(batch)).rejects.toMatchObject({ code: "StateUnwritable" });
    expect(sent).toEqual([]);
  });

  test("signs a successor on its own record, and counts budgets over both", async () => {
    const first = await firstBatch();
    const { certify } = await aValidator();
    await certify(first);
    const next = await nextBatch(first);
    const greedy = await aTask({ receipt: await aReceipt({ taskId: computeTaskId("task-2") }) });
    const over = await aBatch([greedy], {
      sequence: 2n,
      previousHash: hashHeader(first),
      previous: first,
    });
    const restarted = await aValidator();
    // 10 of 15 tokens were spent by the first batch.
    expect((await restarted.certify(over)).refused?.code).toBe("OrderExhausted");
    expect((await restarted.certify(next)).refused).toBeUndefined();
    // Its predecessor can still be signed again, for the same header.
    expect((await restarted.certify(first)).refused).toBeUndefined();
  });

  test.for<{ name: string; options: (first: BatchData) => Parameters<typeof aBatch>[1]; want: string }>([
    {
      name: "on other balances",
      options: (first) => ({
        previousHash: hashHeader(first),
        previous: first,
        previousBalances: { ...first.balances, [treasury]: "1" },
      }),
      want: "UnknownPrevious",
    },
    {
      name: "on another header",
      options: (first) => ({ previousHash: `0x${"77".repeat(32)}`, previous: first }),
      want: "UnknownPrevious",
    },
  ])("refuses a successor $name", async ({ options, want }) => {
    const first = await firstBatch();
    const { certify } = await aValidator();
    await certify(first);
    const task = await aTask({ order: await anOrder({ nonce: "8" }) });
    const forged = await aBatch([task], { sequence: 2n, ...options(first) });
    expect((await certify(forged)).refused?.code).toBe(want);
  });

  test("refuses a first batch that brings balances along", async () => {
    const { certify } = await aValidator();
    const rich = await aBatch([await aTask()], { previousBalances: { [treasury]: "1" } });
    expect((await certify(rich)).refused?.code).toBe("UnknownPrevious");
  });

  test("after a gap the chain's last header and balances decide", async () => {
    const first = await firstBatch();
    const next = await nextBatch(first);
    const head = { sequence: 1n, headerHash: hashHeader(first) };
    const { previousHeader: _, ...headless } = next;
    const codes = [];
    for (const [view, batch] of [
      [{ ...head, sequence: 0n }, next],
      [{ ...head, headerHash: `0x${"1".repeat(64)}` }, next],
      [head, headless],
      [head, { ...next, previousHeader: { ...first.header, balanceRoot: `0x${"1".repeat(64)}` } }],
      [head, await onTop(first, { previousBalances: { ...first.balances, [treasury]: "1" } })],
      [head, next],
    ] as const) {
      const { certify } = await aValidator({ readHead: async () => view });
      codes.push((await certify(batch)).refused?.code);
    }
    expect(codes).toEqual([
      "WrongPrevious",
      "WrongPrevious",
      "WrongPreviousHeader",
      "WrongPreviousHeader",
      "WrongPreviousBalances",
      undefined,
    ]);
  });

  test("a task that it certified before is refused in a later batch, after a restart as well", async () => {
    const first = await firstBatch();
    await (await aValidator()).certify(first);
    const again = await aBatch([await aTask({ order: await anOrder({ nonce: "8" }) })], {
      sequence: 2n,
      previousHash: hashHeader(first),
      previous: first,
    });
    expect((await (await aValidator()).certify(again)).refused?.code).toBe("SettledBefore");
    expect((await (await aValidator()).certify(await nextBatch(first))).refused).toBeUndefined();
  });

  test("a batch of the next epoch may take the place of one that lapsed, with the same tasks and budget", async () => {
    const first = await firstBatch();
    const task = await aTask({
      receipt: await aReceipt({ taskId: computeTaskId("task-2") }),
      order: await anOrder({ nonce: "8" }),
    });
    const wish = { sequence: 2n, previousHash: hashHeader(first), previous: first };
    const head = { readHead: async () => ({ sequence: 1n, headerHash: hashHeader(first) }) };
    await (await aValidator()).certify(first);
    expect((await (await aValidator()).certify(await aBatch([task], wish))).refused).toBeUndefined();
    const replaced = await aBatch([task], { ...wish, epoch: 2n });
    expect((await (await aValidator(head)).certify(replaced)).refused).toBeUndefined();
    const otherTask = await aTask({ receipt: await aReceipt({ taskId: computeTaskId("task-3") }), order: task.order! });
    const other = await aBatch([otherTask], wish);
    expect((await (await aValidator(head)).certify(other)).refused?.code).toBe("AlreadyCertified");
  });

  test("nobody spends more than the chain holds for it", async () => {
    const batch = await firstBatch();
    const spent = BigInt(batch.spent[requester.address] ?? "0");
    const poor = await aValidator({ readSpendable: async () => spent - 1n });
    expect((await poor.certify(batch)).refused?.code).toBe("DepositExceeded");
    const rich = await aValidator({ readSpendable: async () => spent });
    expect((await rich.certify(batch)).refused).toBeUndefined();
  });

  test("asks the chain who may vote and who is paid, where it can", async () => {
    const batch = await firstBatch();
    const epochs: bigint[] = [];
    const strangers = await aValidator({
      readValidators: async (epoch) => {
        epochs.push(epoch);
        return [signer.address];
      },
    });
    expect((await strangers.certify(batch)).refused?.code).toBe("UnknownValidator");
    expect(epochs).toEqual([1n]);
    const elsewhere = await aValidator({ readPayouts: async (nodes) => nodes.map(() => treasury) });
    expect((await elsewhere.certify(batch)).refused?.code).toBe("WrongPayee");
    const honest = await aValidator({ readPayouts: async (nodes) => nodes });
    expect((await honest.certify(batch)).refused).toBeUndefined();
  });

  test("a batch that cannot be read is refused by its hash", async () => {
    const { certify, sent } = await aValidator();
    const batch = await firstBatch();
    const broken = { ...batch, balances: { nobody: "1" } };
    expect((await certify(broken)).refused?.code).toBe("MalformedBatch");
    expect(sent[0]).toMatchObject({ kind: "refuse", headerHash: hashHeader(batch) });
  });

  test("a deployment of its own has a record of its own", async () => {
    const batch = await firstBatch();
    await (await aValidator()).certify(batch);
    const elsewhere = { ...domain, settlement: `0x${"1".repeat(40)}` };
    // Its receipts are signed for the first deployment, so this one finds them false, not already certified.
    const { certify } = await aValidator({}, elsewhere);
    expect((await certify(batch)).refused?.code).toBe("ReceiptNotValid");
  });

  test("a damaged record stops the validator rather than let it sign twice", async () => {
    await (await aValidator()).certify(await firstBatch());
    const [name = ""] = await readdir(stateDir);
    await writeFile(join(stateDir, name), '{"last":');
    await expect(aValidator()).rejects.toMatchObject({ code: "StateUnreadable", disposition: "fatal" });
  });
});
