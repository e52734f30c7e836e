/** What is shown of an agent: its calls, and how what they cost was shared. Pure. */
import { formatIfr } from "../../protocol/amount.ts";

/** Amounts are wei. */
export interface ShownAgent {
  readonly agent: string;
  readonly host: string;
  readonly calls: number;
  /** Calls of which the label was the true one. */
  readonly correct: number;
  /** Windows of calls, each one task in a batch. */
  readonly windows: number;
  readonly revenueWei: string;
  readonly split: {
    readonly creator: string;
    readonly host: string;
    readonly validators: string;
    readonly treasury: string;
  };
  /** Of one call, over HTTP through the gateway. */
  readonly medianMs: number;
  /** From the agent's creation to the settled windows. */
  readonly seconds: number;
}

export function renderAgent({ agent, host, calls, correct, windows, revenueWei, split, ...shown }: ShownAgent): string {
  const ifr = (wei: string) => `${formatIfr(BigInt(wei))} IFR`;
  const shares = `creator ${ifr(split.creator)}, host ${ifr(split.host)}, validators ${ifr(split.validators)}, treasury ${ifr(split.treasury)}`;
  return `Agent ${agent}, hosted by ${host}, answered ${calls} calls through the gateway (${correct} digits right, ${shown.medianMs} ms each) for ${ifr(revenueWei)}; ${windows === 1 ? "one window of them was" : `${windows} windows of them were`} checked and settled, and shared on the chain's terms: ${shares}. It took ${shown.seconds} s.`;
}
