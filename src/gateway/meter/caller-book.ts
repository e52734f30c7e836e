/** Who calls: keys of one agent's callers, and an account for each. An agent that asks for no key knows callers by address. */
import type { Clock } from "../../base/clock.ts";
import { sha256 } from "../../base/digest.ts";
import type { AgentEntry } from "../../pool/agents.ts";
import { CallRefusal } from "../call-refusal.ts";
import { type CallerAccount, createCallerAccount } from "./caller-account.ts";

export interface Caller {
  /** As windows name it; `anyone` for all callers of an agent that asks for no key. */
  readonly id: string;
  readonly account: CallerAccount;
  readonly priceWei: bigint;
}

export interface CallerBook {
  update(entry: AgentEntry): void;
  /** Undefined where nobody of this agent has the key. */
  find(key: string | undefined, address: string): Caller | undefined;
  /** By the id that windows name; undefined where it is no caller any more. */
  accountOf(callerId: string): CallerAccount | undefined;
}

export const anyone = "anyone";
/** Addresses whose rate is known at once; the one seen longest ago is forgotten first. */
const maxAddresses = 10_000;

export function createCallerBook(clock: Clock): CallerBook {
  let entry: AgentEntry | undefined;
  const byId = new Map<string, CallerAccount>();
  let byKey = new Map<string, Caller>();
  const byAddress = new Map<string, Caller>();

  function update(next: AgentEntry): void {
    entry = next;
    byKey = new Map();
    if (next.callers === "anyone") {
      byId.clear();
      for (const { account } of byAddress.values()) account.update(undefined, next.limits);
      return;
    }
    const known = new Set(next.callers.map(({ id }) => id));
    for (const id of byId.keys()) if (!known.has(id)) byId.delete(id);
    for (const caller of next.callers) {
      const account = byId.get(caller.id) ?? createCallerAccount(clock);
      account.update(caller, next.limits);
      byId.set(caller.id, account);
      byKey.set(caller.keyDigest, { id: caller.id, account, priceWei: BigInt(next.priceWei) });
    }
  }

  function findByAddress(address: string, current: AgentEntry): Caller {
    const known = byAddress.get(address);
    if (known !== undefined) return known;
    const account = createCallerAccount(clock);
    account.update(undefined, current.limits);
    // Nobody is there to pay.
    const caller = { id: anyone, account, priceWei: 0n };
    const [oldest] = byAddress.keys();
    if (byAddress.size >= maxAddresses && oldest !== undefined) byAddress.delete(oldest);
    byAddress.set(address, caller);
    return caller;
  }

  return {
    update,
    find(key, address) {
      if (entry?.callers === "anyone") return findByAddress(address, entry);
      // The digest is looked up and not the key: how long that takes tells nothing of any key.
      return key === undefined ? undefined : byKey.get(sha256(key));
    },
    accountOf: (callerId) => byId.get(callerId),
  };
}

export function refuseKey(key: string | undefined): CallRefusal {
  const what = key === undefined ? "No key was given" : "The key is not that of any caller of this agent";
  return new CallRefusal(401, "InvalidKey", `${what}; send "Authorization: Bearer KEY".`);
}
