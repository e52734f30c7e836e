/** What every controller of the manager is made from. Made once by `controller-manager.ts`. */
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { createClient, type KubeClient } from "../../kube/client.ts";
import { type Controller, createController, type Reconcile } from "../../kube/controller.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { ResourceType } from "../../kube/resource.ts";
import type { Transport } from "../../kube/transport.ts";
import type { EventSink } from "./event-sink.ts";
import type { SharedInformers } from "./shared-informers.ts";
import type { ControllerTiming } from "./timing.ts";

export interface ControllerContext {
  readonly transport: Transport;
  readonly informers: SharedInformers;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timing: ControllerTiming;
}

/** Field manager of all that the controllers write. */
export const fieldManager = "kube-controller-manager";

export function clientOf<T extends KubeObject>(context: ControllerContext, type: ResourceType<T>): KubeClient<T> {
  return createClient(context.transport, type, { fieldManager });
}

export function controllerNamed(context: ControllerContext, name: string, reconcile: Reconcile): Controller {
  const { clock, logger } = context;
  return createController({ name, reconcile, clock, logger, concurrency: 5 });
}
