/** Calls of one caller of one agent, until they are closed into one root. No effects but memory. */
import type { Digest } from "../../base/digest.ts";
import type { OpenedCall } from "../../pool/agents.ts";
import type { CallWindow } from "../../protocol/call-window.ts";
import {
  buildCallTree,
  type CallLeaf,
  type CallOutcome,
  type CallTree,
  computeWindowId,
  hashCallLeaf,
} from "../../protocol/calls.ts";
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";
import { tensorContent } from "./contents.ts";

export interface KeptTensors {
  /** Absent where only digests tell of it, as of an `openai` agent's bodies. */
  readonly inputs: NamedTensors | undefined;
  /** Absent for the same reason, and where the call failed. */
  readonly outputs: NamedTensors | undefined;
  /** Memory that the call holds until its window is delivered. */
  readonly sizeBytes: number;
}

/** A call that has ended, as whoever made it tells. */
export interface FinishedCall extends KeptTensors {
  readonly outcome: CallOutcome;
  readonly inputDigest: string;
  readonly outputDigest: string;
  readonly priceWei: bigint;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

export interface WindowOwner {
  readonly agentId: string;
  readonly callerId: string;
}

export interface RecordedCall {
  readonly leaf: CallLeaf;
  /** Of the leaf. */
  readonly hash: Digest;
}

export interface OpenWindow extends OpenWindowOptions {
  readonly owner: WindowOwner;
  readonly windowId: string;
  count(): number;
  sizeBytes(): number;
  add(call: FinishedCall): RecordedCall;
  close(): ClosedWindow;
}

export interface ClosedWindow {
  readonly owner: WindowOwner;
  readonly window: CallWindow;
  readonly revenueWei: bigint;
  readonly recorded: readonly RecordedCall[];
  readonly tree: CallTree;
  /** Memory that the calls hold. */
  readonly sizeBytes: number;
  open(index: number): OpenedCall;
}

export interface OpenWindowOptions {
  /** Ed25519, 32 bytes, 0x-hex. */
  readonly receiptKey: string;
  /** 16 random bytes, 0x-hex. */
  readonly nonce: string;
  readonly openedAtMs: number;
}

export function createOpenWindow(owner: WindowOwner, { receiptKey, nonce, openedAtMs }: OpenWindowOptions): OpenWindow {
  const identity = { ...owner, nonce, receiptKey };
  const windowId = computeWindowId(identity);
  const calls: FinishedCall[] = [];
  const recorded: RecordedCall[] = [];
  let sizeBytes = 0;

  function add(call: FinishedCall): RecordedCall {
    const { outcome, inputDigest, outputDigest, startedAtMs, endedAtMs } = call;
    const priceWei = call.priceWei.toString();
    const leaf: CallLeaf = {
      windowId,
      index: calls.length,
      outcome,
      inputDigest,
      outputDigest,
      priceWei,
      startedAtMs,
      endedAtMs,
    };
    const hash = hashCallLeaf(leaf);
    calls.push(call);
    recorded.push({ leaf, hash });
    sizeBytes += call.sizeBytes;
    return { leaf, hash };
  }

  function close(): ClosedWindow {
    const tree = buildCallTree(recorded.map(({ hash }) => hash));
    const revenueWei = calls.reduce((sum, { priceWei }) => sum + priceWei, 0n);
    const window: CallWindow = {
      windowId,
      ...identity,
      firstAtMs: calls.reduce((first, { startedAtMs }) => Math.min(first, startedAtMs), Number.POSITIVE_INFINITY),
      lastAtMs: calls.reduce((last, { endedAtMs }) => Math.max(last, endedAtMs), 0),
      count: calls.length,
      failed: calls.filter(({ outcome }) => outcome === "Failed").length,
      revenueWei: revenueWei.toString(),
      root: tree.root,
    };
    return { owner, window, revenueWei, recorded, tree, sizeBytes, open: (index) => open(index, tree) };
  }

  function open(index: number, tree: CallTree): OpenedCall {
    const [call, known] = [calls[index], recorded[index]];
    // The tree refuses what is not there, so that both are.
    const proof = tree.proof(index);
    if (call === undefined || known === undefined) throw new RangeError(`no call ${index}`);
    const { inputs, outputs } = call;
    const input = inputs && { input: tensorContent(inputs) };
    return { leaf: known.leaf, proof, ...input, ...(outputs && { output: tensorContent(outputs) }) };
  }

  return {
    owner,
    windowId,
    receiptKey,
    nonce,
    openedAtMs,
    count: () => calls.length,
    sizeBytes: () => sizeBytes,
    add,
    close,
  };
}
