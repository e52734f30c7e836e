/**
 * Brings one closed window to the operator: its root first, then, when the seed is drawn, the calls that it picks. Each step
 * is tried until it is taken or refused for good. Effects: calls of the sink.
 */
import type { Clock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { untilDone } from "../../base/until-done.ts";
import type { CallSink } from "../../pool/agents.ts";
import { sampleCalls } from "../../protocol/calls.ts";
import type { ClosedWindow } from "./open-window.ts";

export interface DeliverWindow {
  readonly sink: CallSink;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the trying. */
  readonly signal: AbortSignal;
  /** The operator holds the window: it will be paid. */
  readonly onCommitted: (closed: ClosedWindow) => void;
}

/** Refused: the operator will never take it. Left: stopped before it was taken. */
export type DeliveryResult = "Opened" | "Refused" | "Left";

/** Never rejects. */
export async function deliverWindow(closed: ClosedWindow, context: DeliverWindow): Promise<DeliveryResult> {
  const { sink, onCommitted } = context;
  const { windowId, count } = closed.window;
  try {
    const { seed, samples } = await retry(() => sink.commit(closed.window), closed, context);
    onCommitted(closed);
    const opened = sampleCalls(seed, count, samples).map((index) => closed.open(index));
    await retry(() => sink.open(windowId, opened), closed, context);
    return "Opened";
  } catch (error) {
    if (context.signal.aborted) return "Left";
    const fields = { window: windowId, agent: closed.owner.agentId, calls: count, error: describeError(error) };
    context.logger.error("the pool refuses a window of calls", fields);
    return "Refused";
  }
}

function retry<T>(step: () => Promise<T>, closed: ClosedWindow, { clock, logger, signal }: DeliverWindow): Promise<T> {
  const message = "a window of calls is not delivered yet";
  return untilDone(
    () => step().catch(tellPassing),
    { message, fields: { window: closed.window.windowId }, clock, logger },
    signal,
  );
}

/** Only a refusal costs a window: what nobody foresaw, such as a broken connection, may pass. */
function tellPassing(error: unknown): never {
  if (error instanceof InferiumError) throw error;
  throw new InferiumError("WindowNotDelivered", describeError(error), { disposition: "retry", cause: error });
}
