/**
 * What one caller of one agent may still do: calls per second, and wei. Budgets come from the operator, which subtracts the
 * windows that it holds; here is held back what it cannot know yet: calls in flight, open windows, and windows committed
 * since it last said what is left. No effects.
 */
import type { Clock } from "../../base/clock.ts";
import { createRateLimiter, type RateLimiter } from "../../base/rate-limit.ts";
import type { AgentLimits, CallerEntry } from "../../pool/agents.ts";
import { CallRefusal } from "../call-refusal.ts";

export interface CallerAccount {
  /** Undefined where the agent asks for no key. */
  update(entry: CallerEntry | undefined, limits: AgentLimits): void;
  /** @throws CallRefusal 429 RateLimited */
  take(): void;
  /** @throws CallRefusal 402 BudgetExhausted */
  reserve(priceWei: bigint): void;
  /** Whether or not there is enough: it was called for before. */
  hold(wei: bigint): void;
  /** Of what was reserved: it will not be asked for. */
  release(wei: bigint): void;
  /** Of what was reserved: the operator holds it now, and will subtract it from the budget that it says next. */
  hand(wei: bigint): void;
}

/** The operator says a new budget within a moment; a caller must not wait longer for what was perhaps said before. */
const handedMs = 30_000;

export function createCallerAccount(clock: Clock): CallerAccount {
  let limiter: RateLimiter | undefined;
  let rate = "";
  let budgetWei: bigint | undefined;
  let heldWei = 0n;
  let handed: { readonly wei: bigint; readonly atMs: number }[] = [];

  function handedWei(): bigint {
    if (handed.length === 0) return 0n;
    const now = clock.monotonic();
    handed = handed.filter(({ atMs }) => now - atMs < handedMs);
    return handed.reduce((sum, { wei }) => sum + wei, 0n);
  }

  return {
    update(entry, limits) {
      const perSecond = Math.min(entry?.requestsPerSecond ?? Number.POSITIVE_INFINITY, limits.requestsPerSecond);
      const burst = Math.max(
        1,
        Math.min(limits.burst, entry?.requestsPerSecond === undefined ? limits.burst : 2 * perSecond),
      );
      if (rate !== `${perSecond}/${burst}`) limiter = createRateLimiter({ perSecond, burst }, clock, 1);
      rate = `${perSecond}/${burst}`;
      const next = entry === undefined ? undefined : BigInt(entry.budgetWei);
      if (next !== budgetWei) handed = [];
      budgetWei = next;
    },
    take() {
      const waitMs = limiter?.take("") ?? 0;
      if (waitMs === 0) return;
      throw new CallRefusal(429, "RateLimited", `Too many calls; the next one may come in ${waitMs} ms.`, waitMs);
    },
    reserve(priceWei) {
      if (budgetWei === undefined || priceWei === 0n) return;
      if (heldWei + handedWei() + priceWei > budgetWei) {
        const message = `The budget is used up: a call costs ${priceWei} wei, ${budgetWei} wei are left, of which calls that are not settled yet take ${heldWei + handedWei()}.`;
        throw new CallRefusal(402, "BudgetExhausted", message);
      }
      heldWei += priceWei;
    },
    hold(wei) {
      if (budgetWei !== undefined) heldWei += wei;
    },
    release(wei) {
      if (budgetWei !== undefined) heldWei = wei > heldWei ? 0n : heldWei - wei;
    },
    hand(wei) {
      if (budgetWei === undefined || wei === 0n) return;
      heldWei = wei > heldWei ? 0n : heldWei - wei;
      handed.push({ wei, atMs: clock.monotonic() });
    },
  };
}
