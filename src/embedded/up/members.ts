/**
 * Who takes part in an embedded run: one control node for the operator, workers of all three tiers (one of them
 * dishonest) and validators of different owners, each with keys of its own made at start. Pure but for the keys.
 */
import { randomBytes } from "node:crypto";
import { hexlify, Wallet } from "ethers";
import { InferiumError } from "../../base/errors.ts";

export interface Member {
  /** Name of its node and of its WorkerNode. */
  readonly name: string;
  readonly role: "Worker" | "Validator";
  /** A dishonest worker answers its first task without running it. */
  readonly honest: boolean;
  readonly slots: number;
  /** Signs receipts and attestations; its address is what is bonded. */
  readonly key: Wallet;
  /** Who owns it and is paid. */
  readonly owner: string;
}

export interface Accounts {
  /** Deploys the contracts and mints the demo's tokens. */
  readonly deployer: Wallet;
  /** Sends batches. */
  readonly settler: Wallet;
  /** Pays for the demo's tasks. */
  readonly requester: Wallet;
  readonly treasury: string;
}

export interface MemberPlan {
  readonly name: string;
  readonly role: "Worker" | "Validator";
  readonly honest?: boolean;
  readonly slots?: number;
}

export function createMembers(plans: readonly MemberPlan[]): Member[] {
  return plans.map((plan) => ({
    name: plan.name,
    role: plan.role,
    honest: plan.honest ?? true,
    slots: plan.slots ?? 1,
    key: createKey(),
    owner: createKey().address,
  }));
}

/** @param funded accounts that hold ether on the chain; the first two are taken */
export function createAccounts(funded: readonly { readonly privateKey: string }[]): Accounts {
  const [deployer, settler] = funded;
  if (!deployer || !settler)
    throw new InferiumError("NoFundedAccounts", "The chain has fewer than two funded accounts.");
  return {
    deployer: new Wallet(deployer.privateKey),
    settler: new Wallet(settler.privateKey),
    requester: createKey(),
    treasury: createKey().address,
  };
}

function createKey(): Wallet {
  return new Wallet(hexlify(randomBytes(32)));
}
