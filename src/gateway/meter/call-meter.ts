/**
 * What every call goes through, whatever its protocol: may it be made, and what is written down when it has ended.
 *
 *   begin:  draining? -> key -> rate -> room for receipts -> budget (the price is held back)
 *   finish: receipt in the caller's window -> latency, metrics
 *   abandon: nothing was computed, nothing is asked for
 */
import type { Clock } from "../../base/clock.ts";
import { type CallReceipt, formatReceipt, receiptHeader } from "../../protocol/call-receipt.ts";
import type { Agent } from "../agent.ts";
import { CallRefusal } from "../call-refusal.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { type Caller, refuseKey } from "./caller-book.ts";
import type { FinishedCall, RecordedCall } from "./open-window.ts";
import type { ReceiptKey } from "./receipt-key.ts";
import type { WindowBook } from "./window-book.ts";

export interface CallMeter {
  /** @throws CallRefusal 401, 402, 429, 503 */
  begin(agent: Agent, key: string | undefined, address: string): MeteredCall;
}

export type CallContents = Pick<FinishedCall, "inputDigest" | "outputDigest" | "inputs" | "outputs" | "sizeBytes">;

export interface MeteredCall {
  /** A backend answered, and the caller gets it. */
  finish(contents: CallContents): Promise<CallReceipt>;
  /** A backend was asked and did not answer well: written down, free of charge. */
  fail(contents: CallContents): void;
  abandon(): void;
  /** One of the three has been said. */
  isOver(): boolean;
}

export interface CallMeterOptions {
  readonly windows: WindowBook;
  readonly sign: ReceiptKey["sign"];
  readonly clock: Clock;
  readonly metrics: GatewayMetrics | undefined;
  readonly isDraining: () => boolean;
}

const messages = {
  ReceiptsBehind: "The pool does not take receipts at the moment, and no more can be kept here; try again.",
  SpoolFull: "The pool does not take receipts at the moment, and the disk for them is used up; try again.",
  SpoolFailed: "Receipts cannot be written to disk at the moment; try again.",
} as const;

export function createCallMeter({ windows, sign, clock, metrics, isDraining }: CallMeterOptions): CallMeter {
  function begin(agent: Agent, key: string | undefined, address: string): MeteredCall {
    if (isDraining() || agent.entry().draining) {
      throw new CallRefusal(503, "Draining", "The agent takes no more calls here; try again.", 2_000);
    }
    const caller = agent.callers.find(key, address);
    if (caller === undefined) throw refuseKey(key);
    caller.account.take();
    const problem = windows.problem();
    if (problem !== undefined) throw new CallRefusal(503, problem, messages[problem], 5_000);
    caller.account.reserve(caller.priceWei);
    return follow(agent, caller);
  }

  function follow(agent: Agent, caller: Caller): MeteredCall {
    const startedAtMs = clock.now();
    const started = clock.monotonic();
    const owner = { agentId: agent.agentId, callerId: caller.id };
    const label = agent.entry().name;
    let isOver = false;

    function end(outcome: FinishedCall["outcome"], contents: CallContents): RecordedCall {
      isOver = true;
      const elapsedMs = clock.monotonic() - started;
      const priceWei = outcome === "Ok" ? caller.priceWei : 0n;
      // Of two clocks the one that never jumps says how long.
      const endedAtMs = startedAtMs + Math.round(elapsedMs);
      const recorded = windows.record(owner, { ...contents, outcome, priceWei, startedAtMs, endedAtMs });
      agent.load.add(elapsedMs);
      metrics?.calls.inc({ agent: label, outcome });
      metrics?.seconds.observe({ agent: label }, elapsedMs / 1_000);
      return recorded;
    }

    return {
      async finish(contents) {
        const recorded = end("Ok", contents);
        return { ...recorded, ...(await sign(recorded.hash)) };
      },
      fail(contents) {
        caller.account.release(caller.priceWei);
        end("Failed", contents);
      },
      abandon() {
        if (!isOver) caller.account.release(caller.priceWei);
        isOver = true;
      },
      isOver: () => isOver,
    };
  }

  return { begin };
}

export function receiptHeaders(receipt: CallReceipt): Readonly<Record<string, string>> {
  return { [receiptHeader]: formatReceipt(receipt) };
}
