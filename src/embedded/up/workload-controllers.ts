/**
 * Starts the controllers of workloads (deployments, jobs, services and so on) beside an embedded API server; a cluster
 * that is somebody else's has its own. A run's tasks need none of them, so they are loaded and started behind its back,
 * when its first task is settled. Effects: reads and writes objects of the cluster until the teardown.
 */
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Cluster } from "./cluster.ts";
import type { Teardown } from "./teardown.ts";

export interface WorkloadControllersOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function startWorkloadControllers(options: WorkloadControllersOptions, teardown: Teardown): void {
  const { cluster, clock } = options;
  if (cluster.embedded === undefined) return;
  const logger = options.logger.child({ part: "controllers" });
  const starting = load({ transport: cluster.transport, clock, logger });
  starting.catch((error: unknown) => logger.error("the controllers did not start", { error: describeError(error) }));
  teardown.add("controllers", async () => {
    const running = await starting.catch(() => undefined);
    await running?.stop();
  });
}

type Options = Parameters<typeof import("../controllers/controller-manager.ts").startControllerManager>[0];

async function load(options: Options) {
  const { startControllerManager } = await import("../controllers/controller-manager.ts");
  return startControllerManager(options);
}
