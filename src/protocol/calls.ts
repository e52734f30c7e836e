/**
 * Calls of agents: what a receipt of one call says, and how a window of calls becomes one root. Used by the gateway that
 * makes receipts, by the operator and validators that check opened calls, and by callers. Pure.
 *
 * The tree is that of RFC 9162, section 2.1 (SHA-256, leaves and nodes apart by their first byte, order kept): unlike the
 * sorted pairs of protocol/merkle.ts a proof shows the place of a call and how many there are, and thousands of leaves a
 * second cost next to nothing. No contract reads this root itself; it stands in the task that settles the window.
 */
import { type Digest, digestToBytes32, isDigest, sha256 } from "../base/digest.ts";
import { InferiumError } from "../base/errors.ts";
import { collectSiblings } from "./siblings.ts";

export type CallOutcome = "Ok" | "Failed";
const outcomeCode: Readonly<Record<CallOutcome, number>> = { Ok: 1, Failed: 2 };

/** All that is said of one call; JSON as it stands. */
export interface CallLeaf {
  /** 32 bytes, 0x-hex: names agent, caller and receipt key by itself, see computeWindowId. */
  readonly windowId: string;
  /** Place within the window, from 0. */
  readonly index: number;
  readonly outcome: CallOutcome;
  readonly inputDigest: string;
  /** `noOutput` where the call failed. */
  readonly outputDigest: string;
  /** Decimal; "0" where the call failed. */
  readonly priceWei: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

export const noOutput: Digest = `sha256:${"0".repeat(64)}`;

const leafLength = 32 + 8 + 1 + 32 + 32 + 32 + 8 + 8;
const leafPrefix = 0;
const nodePrefix = 1;

/** @throws InferiumError InvalidCall */
export function hashCallLeaf(leaf: CallLeaf): Digest {
  const bytes = Buffer.alloc(1 + leafLength);
  bytes[0] = leafPrefix;
  let offset = 1 + writeHex(bytes, 1, leaf.windowId, "windowId");
  offset += writeWhole(bytes, offset, leaf.index, "index");
  bytes[offset++] = outcomeCode[leaf.outcome];
  offset += writeHex(bytes, offset, toBytes32(leaf.inputDigest, "inputDigest"), "inputDigest");
  offset += writeHex(bytes, offset, toBytes32(leaf.outputDigest, "outputDigest"), "outputDigest");
  offset += writeHex(bytes, offset, `0x${parsePrice(leaf.priceWei).toString(16).padStart(64, "0")}`, "priceWei");
  offset += writeWhole(bytes, offset, leaf.startedAtMs, "startedAtMs");
  writeWhole(bytes, offset, leaf.endedAtMs, "endedAtMs");
  return sha256(bytes);
}

function toBytes32(digest: string, name: string): string {
  if (isDigest(digest)) return digestToBytes32(digest);
  throw invalid(name, digest, "sha256: and 64 hex digits");
}

function writeHex(bytes: Buffer, offset: number, value: string, name: string): number {
  if (!/^0x[0-9a-f]{64}$/.test(value)) throw invalid(name, value, "32 bytes in lower-case hex");
  return bytes.write(value.slice(2), offset, "hex");
}

function writeWhole(bytes: Buffer, offset: number, value: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < 0) throw invalid(name, String(value), "a whole number from 0");
  bytes.writeUInt32BE(Math.floor(value / 2 ** 32), offset);
  bytes.writeUInt32BE(value % 2 ** 32, offset + 4);
  return 8;
}

function parsePrice(value: string): bigint {
  if (!/^(0|[1-9][0-9]{0,77})$/.test(value)) throw invalid("priceWei", value, "a decimal number");
  const wei = BigInt(value);
  if (wei < 2n ** 256n) return wei;
  throw invalid("priceWei", value, "less than 2^256");
}

function invalid(name: string, got: string, expected: string): InferiumError {
  return new InferiumError("InvalidCall", `A call's ${name} is "${got.slice(0, 80)}"; expected ${expected}.`);
}

export interface WindowIdentity {
  readonly agentId: string;
  readonly callerId: string;
  /** 16 bytes, 0x-hex. */
  readonly nonce: string;
  /** Ed25519 public key, 32 bytes, 0x-hex. */
  readonly receiptKey: string;
}

/** Whoever knows a window's id and its parts knows whose calls are in it and who signs them. */
export function computeWindowId({ agentId, callerId, nonce, receiptKey }: WindowIdentity): string {
  return digestToBytes32(sha256(JSON.stringify(["inferium/call-window/v1", agentId, callerId, nonce, receiptKey])));
}

/** Calls that ended together are signed together: the root of a small tree of their leaves, of one leaf the leaf itself. */
export interface SignedBatch {
  readonly index: number;
  readonly count: number;
  /** Siblings from the leaf upwards; empty where it was signed alone. */
  readonly proof: readonly string[];
}

/** What the receipt key signs: nothing else could be taken for it. */
export function encodeReceiptMessage(root: Digest): Uint8Array {
  return Buffer.from(`inferium/call-receipt/v1 ${root}`, "latin1");
}

export interface CallTree {
  readonly root: Digest;
  /** Siblings from the leaf upwards. @throws InferiumError LeafOutOfRange */
  proof(index: number): Digest[];
}

/** @param leaves of hashCallLeaf, in order of their index @throws InferiumError EmptyTree */
export function buildCallTree(leaves: readonly Digest[]): CallTree {
  const [only] = leaves;
  if (only === undefined) throw new InferiumError("EmptyTree", "A window needs at least one call, got none.");
  const levels: (readonly Digest[])[] = [leaves];
  let top = leaves;
  while (top.length > 1) {
    top = hashLevel(top);
    levels.push(top);
  }
  return { root: top[0] ?? only, proof: (index) => proveCall(levels, index) };
}

function proveCall(levels: readonly (readonly Digest[])[], index: number): Digest[] {
  const siblings = collectSiblings(levels, index);
  if (siblings !== undefined) return siblings;
  throw new InferiumError("LeafOutOfRange", `Call ${index} asked of a window with ${levels[0]?.length ?? 0} calls.`);
}

/** A node without a sibling moves up as it is: the same tree as the RFC's split at the largest power of two. */
function hashLevel(level: readonly Digest[]): Digest[] {
  const next: Digest[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const [left, right] = [level[i], level[i + 1]];
    if (left !== undefined) next.push(right === undefined ? left : hashNode(left, right));
  }
  return next;
}

function hashNode(left: Digest, right: Digest): Digest {
  const bytes = Buffer.alloc(65);
  bytes[0] = nodePrefix;
  bytes.write(left.slice("sha256:".length), 1, "hex");
  bytes.write(right.slice("sha256:".length), 33, "hex");
  return sha256(bytes);
}

export interface CallProof {
  readonly root: string;
  readonly count: number;
  readonly index: number;
  readonly leaf: string;
  readonly proof: readonly string[];
}

/** Whether the leaf stands at this place among so many. RFC 9162, section 2.1.3.2. */
export function verifyCallProof({ root, ...place }: CallProof): boolean {
  return climb(place) === root;
}

/** The root to which the proof leads; undefined where it cannot be a proof of this place. */
export function climb({ count, index, leaf, proof }: Omit<CallProof, "root">): Digest | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(count) || index < 0 || index >= count) return undefined;
  if (!isDigest(leaf) || !proof.every(isDigest)) return undefined;
  let [node, position, last]: [Digest, number, number] = [leaf, index, count - 1];
  for (const sibling of proof) {
    if (last === 0) return undefined;
    if (position % 2 === 0 && position !== last) node = hashNode(node, sibling);
    else {
      node = hashNode(sibling, node);
      // The last node of a level has no right sibling: it has moved up, as far as one stands to its left.
      while (position % 2 === 0 && position > 0) [position, last] = [position >> 1, last >> 1];
    }
    [position, last] = [position >> 1, last >> 1];
  }
  return last === 0 ? node : undefined;
}

/**
 * Which calls are opened: `samples` different places below `count`, ascending; all of them where there are not more. Everybody
 * who knows the seed draws the same. @param seed 32 bytes, 0x-hex
 */
export function sampleCalls(seed: string, count: number, samples: number): number[] {
  if (samples >= count) return Array.from({ length: count }, (_, index) => index);
  const drawn = new Set<number>();
  // Floyd's algorithm: as many draws as samples, each set of places as likely as the others.
  for (let limit = count - samples; limit < count; limit++) {
    const place = drawBelow(seed, limit, limit + 1);
    drawn.add(drawn.has(place) ? limit : place);
  }
  return [...drawn].sort((a, b) => a - b);
}

/** 256 bits over a small bound: the bias is beyond notice. */
function drawBelow(seed: string, round: number, bound: number): number {
  const hash = sha256(`inferium/call-sample/v1 ${seed} ${round}`);
  return Number(BigInt(digestToBytes32(hash)) % BigInt(bound));
}
