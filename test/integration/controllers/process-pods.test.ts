/** Controllers, scheduler and process kubelet together: workloads whose pods are real processes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import {
  type RunningControllers,
  startControllerManager,
} from "../../../src/embedded/controllers/controller-manager.ts";
import { deployments, jobs } from "../../../src/embedded/controllers/workload-resources.ts";
import { createClient } from "../../../src/kube/client.ts";
import { type Cluster, openCluster } from "../kubelet/cluster.ts";
import { eventually } from "../kubelet/worker-bench.ts";

let cluster: Cluster;
let controllers: RunningControllers;

beforeAll(async () => {
  cluster = await openCluster();
  const common = { transport: cluster.transport, clock: systemClock, logger: silentLogger };
  controllers = await startControllerManager({ ...common, timing: { jobBackoffMs: 50 } });
  await cluster.startKubelet("node-a");
});
afterAll(async () => {
  await controllers.stop();
  await cluster.close();
});

const shell = (script: string) => ({ name: "main", image: "sh", args: ["-c", script], imagePullPolicy: "Never" });

describe("workloads of processes", () => {
  it("run a deployment, roll it, and scale it to nothing", async () => {
    const client = createClient(cluster.transport, deployments);
    const ref = { namespace: "default", name: "loop" };
    const template = (script: string) => ({
      metadata: { labels: { app: "loop" } },
      spec: { containers: [shell(script)] },
    });
    await client.create({
      ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: ref },
      spec: { replicas: 2, selector: { matchLabels: { app: "loop" } }, template: template("echo one; exec sleep 60") },
    });
    const isDone = async () => {
      const { metadata, status } = await client.get(ref);
      return (
        status?.observedGeneration === metadata.generation &&
        status?.updatedReplicas === 2 &&
        status.availableReplicas === 2 &&
        status.replicas === 2
      );
    };
    await eventually("two pods run", isDone);
    await client.patch(ref, { kind: "merge", body: { spec: { template: template("echo two; exec sleep 60") } } });
    await eventually("two new pods run", isDone);
    const pods = async () => (await cluster.pods.list({ namespace: "default", labelSelector: "app=loop" })).items;
    await eventually("the old pods are gone", async () => (await pods()).length === 2);
    const [pod] = await pods();
    await eventually("it is the new program", async () => (await cluster.log(pod?.metadata.name ?? "")) === "two\n");
    await client.patch(ref, { kind: "merge", body: { spec: { replicas: 0 } } });
    await eventually("no pod is left", async () => (await pods()).length === 0);
  });

  it("run an indexed job, whose processes know their index", async () => {
    const client = createClient(cluster.transport, jobs);
    const spec = {
      restartPolicy: "Never",
      containers: [shell('echo "index $JOB_COMPLETION_INDEX"; exit "$JOB_COMPLETION_INDEX"')],
    };
    await client.create({
      ...{ apiVersion: "batch/v1", kind: "Job", metadata: { namespace: "default", name: "count" } },
      spec: { completions: 2, parallelism: 2, completionMode: "Indexed", backoffLimit: 1, template: { spec } },
    });
    const status = async () => (await client.get({ namespace: "default", name: "count" })).status;
    await eventually("it has failed", async () => (await status())?.conditions?.some((one) => one.type === "Failed"));
    expect(await status()).toMatchObject({ succeeded: 1, failed: 2, completedIndexes: "0" });
  });
});
