/**
 * All windows of this gateway: one open for each caller of each agent, closed by number of calls, by size or by age; the
 * closed ones on their way to the operator; and those lately delivered, so that callers can have proofs. Memory is bounded:
 * where the operator does not take windows, `problem` says so and no more calls are taken.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { CallSink } from "../../pool/agents.ts";
import type { CallSpool } from "../spool/call-spool.ts";
import { type DeliveryResult, deliverWindow } from "./deliver-window.ts";
import {
  type ClosedWindow,
  createOpenWindow,
  type FinishedCall,
  type OpenWindow,
  type RecordedCall,
  type WindowOwner,
} from "./open-window.ts";

export interface WindowLimits {
  readonly maxCalls: number;
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  /** Of inputs and outputs in windows that are not delivered. */
  readonly maxHeldBytes: number;
  /** Windows kept for proofs after they were delivered. */
  readonly keptWindows: number;
}

export interface WindowBookOptions {
  readonly sink: CallSink;
  /** Ed25519, 32 bytes, 0x-hex. */
  readonly receiptKey: string;
  readonly limits: WindowLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Keeps windows over a kill; without it they are in memory alone. */
  readonly spool: CallSpool | undefined;
  /** It was called for before this gateway started. */
  readonly onAdopted: (owner: WindowOwner, wei: bigint) => void;
  readonly onCommitted: (owner: WindowOwner, wei: bigint) => void;
  /** It will never be paid. */
  readonly onRefused: (owner: WindowOwner, wei: bigint) => void;
  readonly onEnd: (result: DeliveryResult, closed: ClosedWindow) => void;
}

export interface FoundWindow {
  readonly owner: WindowOwner;
  readonly state: "Open" | "Closed" | "Committed" | DeliveryResult;
  /** Absent while it is open. */
  readonly closed?: ClosedWindow;
}

export interface WindowBook {
  record(owner: WindowOwner, call: FinishedCall): RecordedCall;
  /** A window that an earlier gateway left: closed as it stands. */
  adopt(window: OpenWindow): void;
  /** Why no call could be kept now; undefined where one can be. */
  problem(): "ReceiptsBehind" | "SpoolFull" | "SpoolFailed" | undefined;
  heldBytes(): number;
  find(windowId: string): FoundWindow | undefined;
  /** Windows of one agent; of all where left out. */
  closeAll(agentId?: string): void;
  /** Closes all and waits until they are delivered or the time is up. @returns how many are left */
  drain(timeoutMs: number): Promise<number>;
}

export function createWindowBook(options: WindowBookOptions): WindowBook {
  const { sink, receiptKey, limits, clock, logger, spool } = options;
  const open = new Map<string, OpenWindow>();
  const closed = new Map<string, { readonly window: ClosedWindow; state: FoundWindow["state"] }>();
  const deliveries = new Set<Promise<void>>();
  const stopping = new AbortController();
  let heldBytes = 0;

  const timer = setInterval(closeOld, Math.max(10, Math.min(1_000, limits.maxAgeMs / 4)));
  timer.unref();

  function record(owner: WindowOwner, call: FinishedCall): RecordedCall {
    const name = `${owner.agentId} ${owner.callerId}`;
    let window = open.get(name);
    if (window === undefined) {
      const nonce = `0x${randomBytes(16).toString("hex")}`;
      window = createOpenWindow(owner, { receiptKey, nonce, openedAtMs: clock.monotonic() });
      open.set(name, window);
      spool?.begin(window.windowId, { owner, nonce, receiptKey });
    }
    const receipt = window.add(call);
    spool?.append(window.windowId, call);
    heldBytes += call.sizeBytes;
    if (window.count() >= limits.maxCalls || window.sizeBytes() >= limits.maxBytes) close(name, window);
    return receipt;
  }

  function closeOld(): void {
    const now = clock.monotonic();
    for (const [name, window] of open) if (now - window.openedAtMs >= limits.maxAgeMs) close(name, window);
  }

  function close(name: string, window: OpenWindow): void {
    open.delete(name);
    start(window.close());
  }

  function adopt(window: OpenWindow): void {
    heldBytes += window.sizeBytes();
    const closing = window.close();
    options.onAdopted(window.owner, closing.revenueWei);
    start(closing);
  }

  function start(window: ClosedWindow): void {
    const delivery = deliver(window).finally(() => deliveries.delete(delivery));
    deliveries.add(delivery);
  }

  async function deliver(window: ClosedWindow): Promise<void> {
    const entry: { window: ClosedWindow; state: FoundWindow["state"] } = { window, state: "Closed" };
    closed.set(window.window.windowId, entry);
    const onCommitted = () => {
      entry.state = "Committed";
      options.onCommitted(window.owner, window.revenueWei);
    };
    // Whole on disk first: one that came again with fewer calls would be another window.
    await spool?.seal(window.window.windowId);
    const result = await deliverWindow(window, { sink, clock, logger, signal: stopping.signal, onCommitted });
    if (result === "Refused" && entry.state === "Closed") options.onRefused(window.owner, window.revenueWei);
    entry.state = result;
    if (result !== "Left") await spool?.remove(window.window.windowId);
    heldBytes -= window.sizeBytes;
    options.onEnd(result, window);
    // What a proof needs stays; what was called does not.
    closed.set(window.window.windowId, { window: forget(window), state: result });
    trim();
  }

  /** The oldest go first; what is not delivered stays. */
  function trim(): void {
    for (const [windowId, { state }] of closed) {
      if (closed.size <= limits.keptWindows) return;
      if (state !== "Closed" && state !== "Committed") closed.delete(windowId);
    }
  }

  function find(windowId: string): FoundWindow | undefined {
    const entry = closed.get(windowId);
    if (entry !== undefined) return { owner: entry.window.owner, state: entry.state, closed: entry.window };
    const window = open.values().find((one) => one.windowId === windowId);
    return window && { owner: window.owner, state: "Open" };
  }

  function closeAll(agentId?: string): void {
    for (const [name, window] of open)
      if (agentId === undefined || window.owner.agentId === agentId) close(name, window);
  }

  async function drain(timeoutMs: number): Promise<number> {
    clearInterval(timer);
    closeAll();
    const ended = Promise.all(deliveries);
    await Promise.race([ended, clock.sleep(timeoutMs, stopping.signal).catch(() => undefined)]);
    const left = deliveries.size;
    stopping.abort(new Error("the gateway stops"));
    await Promise.all(deliveries);
    return left;
  }

  const problem = () => (heldBytes >= limits.maxHeldBytes ? "ReceiptsBehind" : spool?.problem());

  return { record, adopt, problem, heldBytes: () => heldBytes, find, closeAll, drain };
}

function forget(window: ClosedWindow): ClosedWindow {
  const { owner, window: facts, revenueWei, recorded, tree } = window;
  const open = () => {
    throw new RangeError("delivered windows are not opened again");
  };
  return { owner, window: facts, revenueWei, recorded, tree, sizeBytes: 0, open };
}
