/**
 * What an agent's host vouches for when it signs the receipt of a window of calls, and what everybody checks of it: the
 * opened calls are those that the seed draws, each stands in the window's tree, and what was signed is what the callers got.
 * Used by the operator that takes windows, the host's worker, validators and jurors. Pure.
 */
import { digestToBytes32, isDigest } from "../base/digest.ts";
import { type CallContentKind, digestContents } from "./call-contents.ts";
import { type CallLeaf, computeWindowId, hashCallLeaf, noOutput, sampleCalls, verifyCallProof } from "./calls.ts";
import type { NamedTensors, Tensor } from "./tensors/tensor.ts";
import { callWindowTypes, hashMessage, type ProtocolDomain } from "./typed-data.ts";

/**
 * A window as a gateway brings it; `windowId` must be `computeWindowId` of the rest. JSON as it stands: wei as decimal text, ids and
 * seed 0x-hex, the root a `sha256:` digest.
 */
export interface CallWindow {
  readonly windowId: string;
  readonly agentId: string;
  /** `anyone` where the agent asks for no key. */
  readonly callerId: string;
  /** 16 random bytes, 0x-hex. */
  readonly nonce: string;
  /** Ed25519 public key (32 bytes, 0x-hex) that the window's receipts are signed with. */
  readonly receiptKey: string;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly count: number;
  /** Of `count`: calls that a backend did not answer well. They cost nothing. */
  readonly failed: number;
  readonly revenueWei: string;
  /** Over the leaves in order, see calls.ts. */
  readonly root: string;
}

/** What the operator adds, once the root is fixed. */
export interface CommittedWindow {
  /** 32 bytes, 0x-hex. */
  readonly seed: string;
  /** How many calls are opened; all where the window has fewer. */
  readonly samples: number;
}

export type WindowStatement = CallWindow & CommittedWindow;

export interface OpenedLeaf {
  readonly leaf: Omit<CallLeaf, "windowId">;
  readonly proof: readonly string[];
}

/** Stands in a window's receipt where the digest of the worker's code stands in others. 0x-hex. */
export function hashWindow(domain: ProtocolDomain, statement: WindowStatement): string {
  if (!isDigest(statement.root)) throw new TypeError(`a window's root is "${statement.root.slice(0, 80)}"`);
  return hashMessage(domain, callWindowTypes, { ...statement, root: digestToBytes32(statement.root) });
}

/** Why the statement does not hold together, or undefined where it does. */
export function checkStatement(statement: WindowStatement): string | undefined {
  const { windowId, count, failed, revenueWei } = statement;
  if (computeWindowId(statement) !== windowId) return `window ${windowId} is not of this agent, caller and key`;
  if (count < 1 || failed < 0 || failed > count) return `${failed} of ${count} calls failed`;
  if (failed === count && revenueWei !== "0") return "every call failed, and yet they cost something";
  return undefined;
}

/** Why the opened calls are not those that the seed draws from the window, or undefined where they are. */
export function checkOpened(statement: WindowStatement, opened: readonly OpenedLeaf[]): string | undefined {
  const { windowId, seed, count, samples, root } = statement;
  const drawn = sampleCalls(seed, count, samples);
  if (opened.length !== drawn.length) return `${opened.length} calls are opened; the seed draws ${drawn.length}`;
  for (const [at, { leaf, proof }] of opened.entries()) {
    if (leaf.index !== drawn[at]) return `call ${leaf.index} is opened; the seed draws call ${drawn[at]}`;
    const hash = hashCallLeaf({ windowId, ...leaf });
    if (!verifyCallProof({ root, count, index: leaf.index, leaf: hash, proof }))
      return `call ${leaf.index} does not stand under root ${root}`;
    if (leaf.outcome === "Failed" && (leaf.outputDigest !== noOutput || leaf.priceWei !== "0"))
      return `call ${leaf.index} failed, and yet has an output or a price`;
  }
  return undefined;
}

/** Only calls that were answered can be run again. */
export function listAnswered<T extends OpenedLeaf>(opened: readonly T[]): T[] {
  return opened.filter(({ leaf }) => leaf.outcome === "Ok");
}

/** Tensors of several calls under one roof: those of call 1 are named `1/...`. */
export function joinCalls(calls: readonly NamedTensors[]): NamedTensors {
  return new Map(
    calls.flatMap((tensors, at) => [...tensors].map(([name, tensor]): [string, Tensor] => [`${at}/${name}`, tensor])),
  );
}

/** The other way round; tensors of no call are left out. */
export function splitCalls(joined: NamedTensors, count: number): NamedTensors[] {
  const calls = Array.from({ length: count }, () => new Map<string, Tensor>());
  for (const [name, tensor] of joined) {
    const [, at = "", own = ""] = /^(0|[1-9][0-9]*)\/(.+)$/s.exec(name) ?? [];
    if (at !== "") calls[Number(at)]?.set(own, tensor);
  }
  return calls;
}

interface Side {
  readonly side: "inputDigest" | "outputDigest";
  readonly content?: CallContentKind | undefined;
}

/**
 * The first answered call of which the tensors are others than its leaf says; undefined where all are the same.
 * @param tensors joined, of the answered calls in their order
 */
export function findChanged(
  answered: readonly OpenedLeaf[],
  tensors: NamedTensors,
  { side, content = "Tensors" }: Side,
): { readonly index: number; readonly got: string; readonly expected: string } | undefined {
  const calls = splitCalls(tensors, answered.length);
  for (const [at, { leaf }] of answered.entries()) {
    const got = digestContents(content, calls[at] ?? new Map()) ?? "no digest";
    if (got !== leaf[side]) return { index: leaf.index, got, expected: leaf[side] };
  }
  return undefined;
}
