import { describe, expect, test } from "vitest";
import { digestToBytes32 } from "../../../src/base/digest.ts";
import type { JudgeItem } from "../../../src/pool/duty.ts";
import { readInline } from "../../../src/pool/inline-tensors.ts";
import { hashWindow, joinCalls, splitCalls } from "../../../src/protocol/call-window.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { judgeResult } from "../../../src/validator/dispute/judge-result.ts";
import { type Execute, judgeItem } from "../../../src/validator/judge.ts";
import { aCallWindow, type ServedWindow, tensorOf, twice } from "../../support/a-call-window.ts";
import { aReceipt, domain, modelDigest } from "./a-batch.ts";

const never = new AbortController().signal;
const model = { uri: "file:///model", digest: `sha256:${modelDigest.slice(2)}` };
/** What the model of the window gives for the drawn calls. */
const execute: Execute = async ({ input, calls = 0 }) => {
  if (!("inline" in input)) throw new Error("the input of a window is inline");
  const inputs = readInline(fromJson(input.inline));
  const outputs = joinCalls(splitCalls(inputs, calls).map(twice));
  const runtime = { version: "1", provider: "cpu", isa: "avx2", level: "all" };
  const digests = {
    inputDigest: digestTensors(inputs),
    outputDigest: digestTensors(outputs),
    modelDigest: model.digest,
  };
  return { outputs, ...digests, runtime, items: calls } as Awaited<ReturnType<Execute>>;
};

function fromJson(inline: Readonly<Record<string, { dtype: string; shape: readonly number[]; data: unknown }>>) {
  const entries = Object.entries(inline).map(([name, { dtype, shape, data }]) => [
    name,
    typeof data === "string" ? { dtype, shape, base64: data } : { dtype, shape, data },
  ]);
  return Object.fromEntries(entries) as NonNullable<JudgeItem["input"]["inline"]>;
}

interface Signed {
  /** What the host signs, where it is not what the callers got. */
  readonly output?: ServedWindow["output"];
  readonly window?: ServedWindow["statement"];
}

async function anItem(served: ServedWindow, signed: Signed = {}): Promise<JudgeItem> {
  const output = signed.output ?? served.output;
  const receipt = await aReceipt({
    codeDigest: hashWindow(domain, signed.window ?? served.statement),
    inputDigest: digestToBytes32(digestTensors(readInline(served.input))),
    outputDigest: digestToBytes32(digestTensors(readInline(output))),
  });
  const { taskId, attempt } = receipt.message;
  const input = { inline: served.input, calls: served.answered };
  const calls = { statement: served.statement, opened: served.opened, content: served.content };
  return { taskId, attempt, model, input, verification: { policy: "Exact" }, receipt, output, calls };
}

const vote = async (item: JudgeItem) => judgeItem({ execute, domain }, item, never);
const ruling = async (item: JudgeItem) => (await judgeResult({ execute, domain }, item, never)).verdict;

describe("a window of calls before a validator", () => {
  test("is accepted where callers got what the model gives", async () => {
    const item = await anItem(aCallWindow());
    expect((await vote(item)).vote).toBe("Accept");
    expect(await ruling(item)).toBe("Right");
  });

  test("is accepted with calls that failed among the drawn ones", async () => {
    const served = aCallWindow({ calls: [undefined, 2, undefined, 4], samples: 4 });
    expect(served.answered).toBe(2);
    expect((await vote(await anItem(served))).vote).toBe("Accept");
  });

  test("is rejected where a caller got something else than the host signs, though that is right", async () => {
    const served = aCallWindow({ answer: (input) => tensorOf("y", (input.get("x")?.data[0] ?? 0) + 1) });
    const item = await anItem(served, { output: aCallWindow().output });
    expect(await vote(item)).toMatchObject({ vote: "Reject", reason: expect.stringContaining("was given sha256:") });
    expect(await ruling(item)).toBe("Wrong");
  });

  test("is rejected where callers got, and the host signs, what the model does not give", async () => {
    const item = await anItem(aCallWindow({ answer: (input) => tensorOf("y", (input.get("x")?.data[0] ?? 0) + 1) }));
    expect(await vote(item)).toMatchObject({ vote: "Reject", reason: expect.stringContaining("re-execution gives") });
    expect(await ruling(item)).toBe("Wrong");
  });

  test("is rejected where the host signs for other inputs than the callers sent", async () => {
    const served = aCallWindow();
    const others = aCallWindow({ calls: [11, 12, 13, 14, 15] });
    const item = await anItem({ ...served, input: others.input, output: others.output });
    expect(await vote(item)).toMatchObject({ vote: "Reject", reason: expect.stringContaining("had input") });
  });

  test("is nobody's fault where the pool names another window than the host signed", async () => {
    const item = await anItem(aCallWindow(), { window: aCallWindow({ nonce: `0x${"77".repeat(16)}` }).statement });
    expect(await vote(item)).toMatchObject({
      vote: "Abstain",
      reason: expect.stringContaining("the pool names window"),
    });
    expect(await ruling(item)).toBe("Unknown");
  });

  test("is nothing to judge where of the calls only the digests are known", async () => {
    const item = await anItem(aCallWindow({ content: "Digests" }));
    expect(await vote(item)).toMatchObject({ vote: "Abstain", reason: expect.stringContaining("only the digests") });
    expect(await ruling(item)).toBe("Unknown");
  });

  const served = aCallWindow();
  const [first, second, third] = served.opened;
  if (!first || !second || !third) throw new Error("the window opens three calls");
  const broken: readonly [string, Partial<ServedWindow>][] = [
    ["a root over other calls", { statement: { ...served.statement, root: `sha256:${"0".repeat(64)}` } }],
    ["fewer calls than the seed draws", { opened: [first, second] }],
    ["another call than the seed draws", { opened: [first, second, { ...third, leaf: { ...third.leaf, index: 0 } }] }],
    ["a call that was not in the window", { opened: [first, second, { ...third, proof: second.proof }] }],
    ["an index beyond the window", { opened: [first, second, { ...third, leaf: { ...third.leaf, index: 99 } }] }],
    ["a window of another caller", { statement: { ...served.statement, callerId: "bob" } }],
    ["more failures than calls", { statement: { ...served.statement, failed: 6 } }],
    ["an output of a call that was changed after it was signed", { opened: [first, second, changed(third)] }],
    ["a price in a leaf that is no number", { opened: [first, second, changed(third, { priceWei: "-1" })] }],
  ];
  test.each(broken)("with %s is no evidence", async (_, change) => {
    const item = await anItem({ ...served, ...change });
    expect((await vote(item)).vote).toBe("Abstain");
    expect(await ruling(item)).toBe("Unknown");
  });
});

type Opened = ServedWindow["opened"][number];

function changed(opened: Opened, leaf: Partial<Opened["leaf"]> = { outputDigest: `sha256:${"1".repeat(64)}` }): Opened {
  return { ...opened, leaf: { ...opened.leaf, ...leaf } };
}
