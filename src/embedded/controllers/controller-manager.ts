/**
 * The controller manager: what turns stored workloads into pods. It knows the API server only by its transport, so the
 * same code runs beside the embedded server and against any other. Called by `inferium up` and by tests, never on a
 * cluster that has controllers of its own. Effects: one watch a kind; nothing is polled.
 */
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { createManager } from "../../kube/manager.ts";
import type { Transport } from "../../kube/transport.ts";
import type { ControllerContext } from "./controller-context.ts";
import { selectControllers } from "./controller-table.ts";
import { EventSink } from "./event-sink.ts";
import { readServedKinds } from "./served-kinds.ts";
import { SharedInformers } from "./shared-informers.ts";
import { type ControllerTiming, defaultTiming } from "./timing.ts";

export interface ControllerManagerOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Left out: as Kubernetes has it. */
  readonly timing?: Partial<ControllerTiming>;
}

export interface RunningControllers {
  /** Controllers that run; one whose kinds the server does not serve is left out. */
  readonly names: readonly string[];
  stop(): Promise<void>;
}

const eventFlushTimeoutMs = 2_000;

/** Resolves once the controllers run or will as soon as the server answers; a failure later is logged. */
export async function startControllerManager(options: ControllerManagerOptions): Promise<RunningControllers> {
  const { transport, clock, logger } = options;
  const events = new EventSink(transport, clock, logger);
  const informers = new SharedInformers(transport, { clock, logger });
  const timing = { ...defaultTiming, ...options.timing };
  const context: ControllerContext = { transport, informers, events, clock, logger, timing };
  const controllers = selectControllers(context, await readServedKinds(transport));
  const manager = createManager({ informers: informers.seal(), controllers, clock, logger });
  const stopping = new AbortController();
  const running = manager.run(stopping.signal).catch((error: unknown) => {
    logger.error("the controllers stopped", { error: describeError(error) });
  });
  return {
    names: controllers.map((controller) => controller.name),
    stop: async () => {
      stopping.abort(new Error("the controllers stopped"));
      await running;
      await events.stop(eventFlushTimeoutMs);
    },
  };
}
