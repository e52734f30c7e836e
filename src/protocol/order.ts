/**
 * A requester's signed order: the leave to debit its deposit, within bounds. Read from the Secret that a task names,
 * checked at stage 1 by the operator and again by every validator before it signs a batch. Pure.
 *
 * order.json is `{"message":{...},"signature":"0x...","models":["sha256:..."]}`; `models` is needed only where
 * `message.modelsRoot` is not zero, and then must hash to it.
 */
import { AbiCoder, getAddress, keccak256 } from "ethers";
import { digestToBytes32, parseDigest } from "../base/digest.ts";
import { InferiumError } from "../base/errors.ts";
import { buildMerkleTree } from "./merkle.ts";
import type { OrderMessage } from "./typed-data.ts";

export interface Order {
  readonly message: OrderMessage;
  readonly signature: string;
  /** Digests of the models that it allows, in the order of the leaves; absent where it allows any. */
  readonly models?: readonly string[];
}

export const anyModel = `0x${"0".repeat(64)}`;

/** Most models that one order may list: bounds the work of checking it. */
const maxModels = 1024;

/** @throws InferiumError InvalidOrder */
export function parseOrder(text: string): Order {
  try {
    return readOrder(JSON.parse(text) as unknown);
  } catch (cause) {
    const message =
      'An order cannot be read; expected {"message":{requester,pool,maxPerTaskWei,maxTotalWei,modelsRoot,expiresAt,nonce},' +
      '"signature"}. Sign it again.';
    throw new InferiumError("InvalidOrder", message, { cause });
  }
}

function readOrder(value: unknown): Order {
  const root = record(value, "order");
  const message = record(root.message, "message");
  const models = root.models === undefined ? undefined : readModels(root.models);
  return {
    message: {
      requester: getAddress(text(message, "requester")),
      pool: text(message, "pool"),
      maxPerTaskWei: wei(message, "maxPerTaskWei"),
      maxTotalWei: wei(message, "maxTotalWei"),
      modelsRoot: text(message, "modelsRoot"),
      expiresAt: time(message, "expiresAt"),
      nonce: wei(message, "nonce"),
    },
    signature: text(root, "signature"),
    ...(models ? { models } : {}),
  };
}

function record(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new InferiumError("InvalidOrder", `${name} is no object`);
}

function text(from: Record<string, unknown>, name: string): string {
  const value = from[name];
  if (typeof value === "string" && value.length <= 256) return value;
  throw new InferiumError("InvalidOrder", `${name} is no string of at most 256 characters`);
}

function wei(from: Record<string, unknown>, name: string): bigint {
  const value = text(from, name);
  if (/^[0-9]{1,78}$/.test(value)) return BigInt(value);
  throw new InferiumError("InvalidOrder", `${name} is no decimal number`);
}

function time(from: Record<string, unknown>, name: string): number {
  const value = from[name];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InferiumError("InvalidOrder", `${name} is no whole number`);
}

function readModels(value: unknown): string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > maxModels) {
    throw new InferiumError("InvalidOrder", `models is no list of 1 to ${maxModels} digests`);
  }
  return value.map((digest) => parseDigest(String(digest)));
}

/** Root over the models that an order allows, hashed like every other leaf of the protocol. */
export function computeModelsRoot(digests: readonly string[]): string {
  const coder = AbiCoder.defaultAbiCoder();
  const leaf = (digest: string) =>
    keccak256(keccak256(coder.encode(["bytes32"], [digestToBytes32(parseDigest(digest))])));
  return buildMerkleTree(digests.map(leaf)).root;
}

/** Whether the order lets its deposit pay for this model. */
export function isModelAllowed(order: Order, digest: string): boolean {
  if (order.message.modelsRoot === anyModel) return true;
  if (!order.models?.includes(digest)) return false;
  return computeModelsRoot(order.models) === order.message.modelsRoot.toLowerCase();
}

/** One budget: a requester bounds what it spends in all under one nonce. */
export function identifyBudget(message: Pick<OrderMessage, "requester" | "nonce">): string {
  return `${message.requester}/${message.nonce}`;
}
