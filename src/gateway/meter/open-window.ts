/** Calls of one caller of one agent, until they are closed into one root. No effects but memory. */
import type { Digest } from "../../base/digest.ts";
import type { CallWindow, OpenedCall } from "../../pool/agents.ts";
import type { CallReceipt } from "../../protocol/call-receipt.ts";
import {
  buildCallTree,
  type CallLeaf,
  type CallOutcome,
  type CallTree,
  computeWindowId,
  hashCallLeaf,
} from "../../protocol/calls.ts";
import type { ReceiptKey } from "./receipt-key.ts";

/** A call that has ended, as whoever made it tells. */
export interface FinishedCall {
  readonly outcome: CallOutcome;
  readonly inputDigest: string;
  readonly outputDigest: string;
  readonly priceWei: bigint;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Made only of calls that are opened: most never are. */
  readonly input: () => OpenedCall["input"];
  readonly output: () => OpenedCall["output"];
  /** Memory that the two hold until then. */
  readonly sizeBytes: number;
}

export interface WindowOwner {
  readonly agentId: string;
  readonly callerId: string;
}

export interface OpenWindow {
  readonly owner: WindowOwner;
  readonly windowId: string;
  readonly openedAtMs: number;
  count(): number;
  sizeBytes(): number;
  add(call: FinishedCall): CallReceipt;
  close(): ClosedWindow;
}

export interface ClosedWindow {
  readonly owner: WindowOwner;
  readonly window: CallWindow;
  readonly revenueWei: bigint;
  readonly receipts: readonly CallReceipt[];
  readonly tree: CallTree;
  /** Memory that the calls hold. */
  readonly sizeBytes: number;
  open(index: number): OpenedCall;
}

export interface OpenWindowOptions {
  readonly key: ReceiptKey;
  /** 16 random bytes, 0x-hex. */
  readonly nonce: string;
  readonly openedAtMs: number;
}

export function createOpenWindow(owner: WindowOwner, { key, nonce, openedAtMs }: OpenWindowOptions): OpenWindow {
  const identity = { ...owner, nonce, receiptKey: key.publicKey };
  const windowId = computeWindowId(identity);
  const calls: FinishedCall[] = [];
  const receipts: CallReceipt[] = [];
  const hashes: Digest[] = [];
  let sizeBytes = 0;

  function add(call: FinishedCall): CallReceipt {
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
    const receipt = { leaf, hash, signature: key.sign(hash) };
    calls.push(call);
    receipts.push(receipt);
    hashes.push(hash);
    sizeBytes += call.sizeBytes;
    return receipt;
  }

  function close(): ClosedWindow {
    const tree = buildCallTree(hashes);
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
    return { owner, window, revenueWei, receipts, tree, sizeBytes, open: (index) => open(index, tree) };
  }

  function open(index: number, tree: CallTree): OpenedCall {
    const [call, receipt] = [calls[index], receipts[index]];
    // The tree refuses what is not there, so that both are.
    const proof = tree.proof(index);
    if (call === undefined || receipt === undefined) throw new RangeError(`no call ${index}`);
    const output = call.output();
    return { leaf: receipt.leaf, proof, input: call.input(), ...(output === undefined ? {} : { output }) };
  }

  return {
    owner,
    windowId,
    openedAtMs,
    count: () => calls.length,
    sizeBytes: () => sizeBytes,
    add,
    close,
  };
}
