/** A true window of calls to an agent that doubles numbers; tests tamper with copies of it. */
import { sha256 } from "../../src/base/digest.ts";
import { writeInline } from "../../src/pool/inline-tensors.ts";
import type { InlineTensors } from "../../src/pool/work-assignment.ts";
import { type CallContentKind, tensorOfDigest } from "../../src/protocol/call-contents.ts";
import { joinCalls, type OpenedLeaf, type WindowStatement } from "../../src/protocol/call-window.ts";
import {
  buildCallTree,
  type CallLeaf,
  computeWindowId,
  hashCallLeaf,
  noOutput,
  sampleCalls,
} from "../../src/protocol/calls.ts";
import { digestTensors } from "../../src/protocol/tensors/canonical.ts";
import { createTensor, type NamedTensors } from "../../src/protocol/tensors/tensor.ts";

export interface ServedWindow {
  readonly statement: WindowStatement;
  readonly opened: readonly OpenedLeaf[];
  /** Of the answered calls among the opened ones. */
  readonly input: InlineTensors;
  readonly output: InlineTensors;
  readonly answered: number;
  readonly content: CallContentKind;
}

export interface WindowPlan {
  readonly agentId?: string;
  readonly callerId?: string;
  readonly nonce?: string;
  readonly receiptKey?: string;
  readonly seed?: string;
  readonly samples?: number;
  readonly priceWei?: bigint;
  readonly atMs?: number;
  /** What came in; undefined for a call that failed. */
  readonly calls?: readonly (number | undefined)[];
  /** What the backend gave for an input. */
  readonly answer?: (input: NamedTensors) => NamedTensors;
  /** Digests: inputs and outputs are bodies of OpenAI's API, of which the window's task has the digests. */
  readonly content?: CallContentKind;
}

export const tensorOf = (name: string, value: number): NamedTensors =>
  new Map([[name, createTensor("uint8", [1], Uint8Array.of(value))]]);

export const twice = (input: NamedTensors): NamedTensors => tensorOf("y", (input.get("x")?.data[0] ?? 0) * 2);

/** As OpenAI's API would carry it. */
export const bodyOf = (tensors: NamedTensors): Buffer =>
  Buffer.from(JSON.stringify([...tensors].map(([name, { data }]) => ({ role: name, content: [...data].join() }))));

export function aCallWindow(plan: WindowPlan = {}): ServedWindow {
  const { priceWei = 5n, atMs = 1_800_000_000_000, samples = 3, seed = `0x${"e1".repeat(32)}`, answer = twice } = plan;
  const { content = "Tensors" } = plan;
  const digest = (tensors: NamedTensors) => (content === "Tensors" ? digestTensors(tensors) : sha256(bodyOf(tensors)));
  const shown = (tensors: NamedTensors) => (content === "Tensors" ? tensors : tensorOfDigest(digest(tensors)));
  const identity = {
    agentId: plan.agentId ?? `0x${"a9".repeat(32)}`,
    callerId: plan.callerId ?? "alice",
    nonce: plan.nonce ?? `0x${"0b".repeat(16)}`,
    receiptKey: plan.receiptKey ?? `0x${"0c".repeat(32)}`,
  };
  const windowId = computeWindowId(identity);
  const calls = (plan.calls ?? [1, 2, 3, 4, 5]).map((value, index) => {
    const input = tensorOf("x", value ?? 0);
    const output = value === undefined ? undefined : answer(input);
    const leaf: CallLeaf = {
      ...{ windowId, index, outcome: output ? "Ok" : "Failed", inputDigest: digest(input) },
      ...{ outputDigest: output ? digest(output) : noOutput, priceWei: output ? String(priceWei) : "0" },
      ...{ startedAtMs: atMs + index, endedAtMs: atMs + index + 1 },
    };
    return { leaf, input, output };
  });
  const tree = buildCallTree(calls.map(({ leaf }) => hashCallLeaf(leaf)));
  const count = calls.length;
  const failed = calls.filter(({ output }) => output === undefined).length;
  const statement = {
    ...{
      windowId,
      ...identity,
      firstAtMs: atMs,
      lastAtMs: atMs + count,
      count,
      failed,
      root: tree.root,
      seed,
      samples,
    },
    revenueWei: String(priceWei * BigInt(count - failed)),
  };
  const drawn = sampleCalls(seed, count, samples).flatMap((index) => calls[index] ?? []);
  const answered = drawn.flatMap(({ input, output }) => (output ? [{ input, output }] : []));
  return {
    statement,
    opened: drawn.map(({ leaf: { windowId: _, ...leaf } }) => ({ leaf, proof: tree.proof(leaf.index) })),
    input: writeInline(joinCalls(answered.map(({ input }) => shown(input)))),
    output: writeInline(joinCalls(answered.map(({ output }) => shown(output)))),
    answered: answered.length,
    content,
  };
}
