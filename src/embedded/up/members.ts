/**
 * Who takes part in an embedded run: one control node for the operator, workers of all three tiers (one of them
 * dishonest) and validators (one of them lazy), each of another owner and with keys of its own made at start. Pure but for the
 * keys.
 */
import { randomBytes } from "node:crypto";
import { hexlify, Wallet } from "ethers";
import { InferiumError } from "../../base/errors.ts";
import { NativeKey } from "../../chain/native-key.ts";

export interface Member {
  /** Name of its node and of its WorkerNode. */
  readonly name: string;
  readonly role: "Worker" | "Validator";
  /** A dishonest worker answers some tasks without running them; a dishonest validator approves without looking. */
  readonly honest: boolean;
  /** Bonded from the start, and started only for the part of the demonstration that needs it. */
  readonly joinsLater: boolean;
  readonly slots: number;
  /** A worker whose tasks run in pods, which Kubernetes places. */
  readonly launcher: boolean;
  /** Signs receipts and attestations; its address is what is bonded. */
  readonly key: Wallet;
  /** Who owns it and is paid: address of `ownerKey`. */
  readonly owner: string;
  /** Puts up its bond. */
  readonly ownerKey: Wallet;
}

export interface Accounts {
  /** Deploys the contracts and mints the demo's tokens. */
  readonly deployer: Wallet;
  /** Sends batches. */
  readonly settler: Wallet;
  /** Pays for the demo's tasks. */
  readonly requester: Wallet;
  /** Counts the calls of agents; holds nothing. */
  readonly gateway: Wallet;
  readonly treasury: string;
}

export interface MemberPlan {
  readonly name: string;
  readonly role: "Worker" | "Validator";
  readonly honest?: boolean;
  readonly joinsLater?: boolean;
  readonly slots?: number;
  readonly launcher?: boolean;
}

export function createMembers(plans: readonly MemberPlan[]): Member[] {
  return plans.map((plan) => {
    const { name, role, honest = true, joinsLater = false, slots = 1, launcher = false } = plan;
    const ownerKey = createKey();
    return { name, role, honest, joinsLater, slots, launcher, key: createKey(), owner: ownerKey.address, ownerKey };
  });
}

/** @param funded accounts that hold ether on the chain; the first two are taken */
export function createAccounts(funded: readonly { readonly privateKey: string }[]): Accounts {
  const [deployer, settler] = funded;
  if (!deployer || !settler)
    throw new InferiumError("NoFundedAccounts", "The chain has fewer than two funded accounts.");
  return {
    deployer: new Wallet(new NativeKey(deployer.privateKey)),
    settler: new Wallet(new NativeKey(settler.privateKey)),
    requester: createKey(),
    gateway: createKey(),
    treasury: createKey().address,
  };
}

function createKey(): Wallet {
  return new Wallet(new NativeKey(hexlify(randomBytes(32))));
}
