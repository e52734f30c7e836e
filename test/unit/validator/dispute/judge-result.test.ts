import { describe, expect, test } from "vitest";
import type { Execution } from "../../../../src/inference/execute.ts";
import type { JudgeItem } from "../../../../src/pool/duty.ts";
import { judgeResult } from "../../../../src/validator/dispute/judge-result.ts";
import type { Execute } from "../../../../src/validator/judge.ts";
import { aReceipt, domain, modelDigest } from "../a-batch.ts";

const never = new AbortController().signal;
const hash = (byte: string) => `sha256:${byte.repeat(32)}` as const;
const execution = (output: string): Execution => ({
  outputs: new Map(),
  outputDigest: hash(output),
  inputDigest: hash("b2"),
  modelDigest: `sha256:${modelDigest.slice(2)}`,
  runtime: { version: "1", provider: "cpu", isa: "avx2", level: "all" },
  items: 1,
});

/** Runs that give these outputs one after another. */
function gives(...outputs: string[]): Execute {
  return async () => execution(outputs.length > 1 ? (outputs.shift() ?? "") : (outputs[0] ?? ""));
}

async function anItem(overrides: Partial<JudgeItem> = {}): Promise<JudgeItem> {
  const receipt = await aReceipt();
  return {
    ...{ taskId: receipt.message.taskId, attempt: 1, receipt, verification: { policy: "Exact" } },
    model: { uri: "file:///model", digest: `sha256:${modelDigest.slice(2)}` },
    input: { uri: "file:///input", digest: hash("b2") },
    ...overrides,
  };
}

interface Case {
  readonly title: string;
  readonly execute: Execute;
  readonly item?: () => Promise<Partial<JudgeItem>>;
  readonly want: string;
  readonly why?: RegExp;
}

const cases: readonly Case[] = [
  { title: "the same output", execute: gives("c3"), want: "Right" },
  { title: "another output, twice", execute: gives("dd"), want: "Wrong", why: /re-execution gives 0xdddd/ },
  { title: "another output once only", execute: gives("dd", "c3"), want: "Unknown", why: /two runs here do not agree/ },
  {
    title: "a run that fails",
    execute: () => Promise.reject(new Error("no such host")),
    want: "Unknown",
    why: /no such host/,
  },
  {
    title: "the pool names another model than the worker signed for",
    execute: async () => ({ ...execution("dd"), modelDigest: hash("77") }),
    want: "Unknown",
    why: /the pool names model 0x7777/,
  },
  {
    title: "the pool names another input than the worker signed for",
    execute: async () => ({ ...execution("dd"), inputDigest: hash("77") }),
    want: "Unknown",
    why: /the pool names input 0x7777/,
  },
  {
    title: "a receipt of another task",
    execute: gives("dd"),
    item: async () => ({ receipt: await aReceipt({ attempt: 2 }) }),
    want: "Unknown",
    why: /not 1 of/,
  },
  {
    title: "values are to be compared, and none were handed on",
    execute: gives("dd"),
    item: async () => ({ verification: { policy: "Tolerance", tolerance: { absolute: 0, relative: 0 } } }),
    want: "Unknown",
    why: /no output was handed on/,
  },
];

describe("whether a settled result is right", () => {
  test.each(cases)("$title: $want", async ({ execute, item, want, why }) => {
    const finding = await judgeResult({ execute, domain }, await anItem(await item?.()), never);
    expect(finding.verdict).toBe(want);
    if (why) expect(finding.reason).toMatch(why);
  });
});
