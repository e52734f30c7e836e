/**
 * What turns Jobs into pods and pods into ended ones, in a process of its own: the embedded Job controller and scheduler, each with
 * the limit of requests it is given, and a kubelet that runs nothing and says at once that its pods have succeeded. Forked with
 * the server's address as the first message; says when it runs, ends on `close`.
 */
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/log.ts";
import { startControllerManager } from "../../src/embedded/controllers/controller-manager.ts";
import { createScheduler } from "../../src/embedded/scheduler/scheduler.ts";
import { createStaticConnection } from "../../src/kube/connection.ts";
import { type BucketLimits, TokenBucket } from "../../src/kube/token-bucket.ts";
import { createTransport, type Transport } from "../../src/kube/transport.ts";
import { startPodRunner } from "../integration/controllers/pod-runner.ts";

export interface JobsStart {
  readonly server: { readonly url: string; readonly caPem: string; readonly adminToken: string };
  /** Left out: none. */
  readonly limits?: { readonly controllers: BucketLimits; readonly scheduler: BucketLimits };
}

/** As flags of kube-controller-manager and kube-scheduler have them by default (`--kube-api-qps`, `--kube-api-burst`). */
export const defaultLimits: Required<JobsStart>["limits"] = {
  controllers: { ratePerSecond: 20, burst: 30 },
  scheduler: { ratePerSecond: 50, burst: 100 },
};

let stop: () => Promise<void> = async () => undefined;

process.on("message", (message: JobsStart | "close") => {
  if (message === "close") void stop().finally(() => process.disconnect());
  else void start(message).then(() => process.send?.("running"));
});

async function start({ server, limits }: JobsStart): Promise<void> {
  const connection = createStaticConnection({ server: server.url, token: server.adminToken, ca: server.caPem });
  const open = (limit?: BucketLimits) => {
    const transport = createTransport(connection);
    return limit ? throttle(transport, new TokenBucket(limit, systemClock)) : transport;
  };
  const common = { clock: systemClock, logger: silentLogger };
  const transports = { controllers: open(limits?.controllers), scheduler: open(limits?.scheduler), kubelet: open() };
  const scheduler = createScheduler({
    ...common,
    transport: transports.scheduler,
    schedulerNames: ["default-scheduler"],
  });
  await scheduler.start();
  const controllers = await startControllerManager({ ...common, transport: transports.controllers });
  const kubelet = await startPodRunner(transports.kubelet);
  stop = async () => {
    await controllers.stop();
    await scheduler.stop();
    await kubelet.stop();
    await Promise.all(Object.values(transports).map((transport) => transport.close()));
  };
}

/** As client-go does: each request, and each watch that is opened, waits for its turn. */
function throttle(transport: Transport, bucket: TokenBucket): Transport {
  return {
    fieldManager: transport.fieldManager,
    request: async (request) => {
      await bucket.take(request.signal);
      return transport.request(request);
    },
    stream: async function* (request) {
      await bucket.take(request.signal);
      yield* transport.stream(request);
    },
    close: () => transport.close(),
  };
}
