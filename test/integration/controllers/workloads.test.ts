import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../apiserver/api-client.ts";
import { hasKubectl } from "../apiserver/kubectl.ts";
import { openWorkloadCluster, type WorkloadCluster } from "./workload-cluster.ts";

let cluster: WorkloadCluster;

beforeAll(async () => {
  cluster = await openWorkloadCluster(undefined, { jobBackoffMs: 50 });
});
afterAll(() => cluster.close());

const ok = (args: string, input?: string) => cluster.kubectl.ok(args, input);
const get = async (path: string) => (await cluster.api.get(path)).body;
const create = async (path: string, body: object) => {
  const reply = await cluster.api.post(path, body);
  expect(reply.status, JSON.stringify(reply.body)).toBe(201);
};
const template = (app: string, image: string, spec: object = {}) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: "main", image }], ...spec },
});
const podsOf = async (app: string) => (await get(`/api/v1/namespaces/default/pods?labelSelector=app%3D${app}`)).items;
const apps = "/apis/apps/v1/namespaces/default";
const jobsPath = "/apis/batch/v1/namespaces/default/jobs";

describe.skipIf(!hasKubectl())("deployments by kubectl", () => {
  it("rolls out, keeps its history, rolls back, restarts and scales", async () => {
    await ok("create deployment web --image=web:1 --replicas=3");
    expect(await ok("rollout status deploy/web --timeout=30s")).toContain("successfully rolled out");
    await ok("set image deploy/web web=web:2");
    await ok("rollout status deploy/web --timeout=30s");
    expect(
      (await podsOf("web")).map((pod: { spec: { containers: { image: string }[] } }) => pod.spec.containers[0]?.image),
    ).toEqual(Array(3).fill("web:2"));
    expect(await ok("rollout history deploy/web")).toMatch(/^1 .*\n2 /m);
    await ok("rollout undo deploy/web");
    await ok("rollout status deploy/web --timeout=30s");
    expect(await ok("rollout history deploy/web")).toMatch(/^2 .*\n3 /m);
    expect((await podsOf("web"))[0].spec.containers[0].image).toBe("web:1");
    await ok("rollout restart deploy/web");
    await ok("rollout status deploy/web --timeout=30s");
    await ok("scale deploy/web --replicas=5");
    await ok("rollout status deploy/web --timeout=30s");
    const { status } = await get(`${apps}/deployments/web`);
    expect(status).toMatchObject({ replicas: 5, updatedReplicas: 5, readyReplicas: 5, availableReplicas: 5 });
    expect(await ok("describe deploy web")).toMatch(
      /ScalingReplicaSet .* deployment-controller +Scaled up replica set web-\w+ from 0 to 3/,
    );
  });

  it("stops a rollout that cannot be ready, says so at its deadline, and holds while it is paused", async () => {
    await ok("create deployment stuck --image=ok:1 --replicas=2");
    await ok("rollout status deploy/stuck --timeout=30s");
    const spec = { progressDeadlineSeconds: 1, template: template("stuck", "never-ready") };
    await cluster.api.patch(`${apps}/deployments/stuck`, "strategic", {
      spec: { ...spec, template: { spec: { $patch: "replace", containers: spec.template.spec.containers } } },
    });
    const failed = await cluster.kubectl.run("rollout status deploy/stuck --timeout=30s");
    expect(failed.err).toContain("exceeded its progress deadline");
    const { status } = await get(`${apps}/deployments/stuck`);
    expect(status.availableReplicas).toBeGreaterThanOrEqual(1);
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }),
    );
    // What follows has the time that it takes on a busy machine.
    await cluster.api.patch(`${apps}/deployments/stuck`, "merge", { spec: { progressDeadlineSeconds: 600 } });
    await ok("rollout undo deploy/stuck");
    await ok("rollout status deploy/stuck --timeout=30s");
    await ok("rollout pause deploy/stuck");
    await ok("set image deploy/stuck *=ok:9");
    await ok("scale deploy/stuck --replicas=3");
    await eventually("the paused deployment is scaled", async () => {
      return (await get(`${apps}/deployments/stuck`)).status.readyReplicas === 3;
    });
    expect(
      (await podsOf("stuck")).some(
        (pod: { spec: { containers: { image: string }[] } }) => pod.spec.containers[0]?.image === "ok:9",
      ),
    ).toBe(false);
    await ok("rollout resume deploy/stuck");
    await ok("rollout status deploy/stuck --timeout=30s");
  });
});

describe("replica sets", () => {
  it("adopts what it selects, releases what no longer matches, and replaces it", async () => {
    const loose = { apiVersion: "v1", kind: "Pod", metadata: { name: "loose", labels: { app: "rs" } } };
    await create("/api/v1/namespaces/default/pods", { ...loose, spec: template("rs", "x:1").spec });
    const spec = { replicas: 2, selector: { matchLabels: { app: "rs" } }, template: template("rs", "x:1") };
    await create(`${apps}/replicasets`, { apiVersion: "apps/v1", kind: "ReplicaSet", metadata: { name: "rs" }, spec });
    const ready = async () => (await get(`${apps}/replicasets/rs`)).status.readyReplicas === 2;
    await eventually("two pods are ready", ready);
    const adopted = await get("/api/v1/namespaces/default/pods/loose");
    expect(adopted.metadata.ownerReferences[0]).toMatchObject({ kind: "ReplicaSet", name: "rs", controller: true });
    expect(await podsOf("rs")).toHaveLength(2);
    await cluster.api.patch("/api/v1/namespaces/default/pods/loose", "merge", {
      metadata: { labels: { app: "free" } },
    });
    await eventually("the freed pod has no owner and a successor", async () => {
      const freed = await get("/api/v1/namespaces/default/pods/loose");
      return (freed.metadata.ownerReferences ?? []).length === 0 && (await podsOf("rs")).length === 2;
    });
  });
});

describe("daemon sets", () => {
  it("runs on every node that it tolerates, follows nodes, and rolls one by one", async () => {
    const spec = { selector: { matchLabels: { app: "agent" } }, template: template("agent", "agent:1") };
    const updateStrategy = { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } };
    await create(`${apps}/daemonsets`, {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: "agent" },
      spec: { ...spec, updateStrategy },
    });
    const status = async () => (await get(`${apps}/daemonsets/agent`)).status ?? {};
    await eventually("three pods are ready", async () => (await status()).numberReady === 3);
    await cluster.addNode("node-4", { spec: { taints: [{ key: "own", effect: "NoSchedule" }] } });
    await cluster.addNode("node-5", { spec: { unschedulable: true } });
    await eventually("the cordoned node gets one, the tainted none", async () => (await status()).numberReady === 4);
    await cluster.api.patch(`${apps}/daemonsets/agent`, "strategic", {
      spec: { template: { spec: { containers: [{ name: "main", image: "agent:2" }] } } },
    });
    await eventually("all are updated", async () => {
      const { updatedNumberScheduled, numberAvailable, observedGeneration } = await status();
      return observedGeneration === 2 && updatedNumberScheduled === 4 && numberAvailable === 4;
    });
    const revisions = (await get(`${apps}/controllerrevisions?labelSelector=app%3Dagent`)).items;
    expect(revisions.map((one: { revision: number }) => one.revision).sort()).toEqual([1, 2]);
    await cluster.api.delete(`${apps}/daemonsets/agent`);
    for (const name of ["node-4", "node-5"]) await cluster.api.delete(`/api/v1/nodes/${name}`);
  });
});

describe("stateful sets", () => {
  const set = (name: string, image: string, spec: object = {}) => ({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name },
    spec: {
      replicas: 3,
      serviceName: name,
      selector: { matchLabels: { app: name } },
      template: template(name, image),
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
      ...spec,
    },
  });
  const claim = {
    metadata: { name: "data" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  };
  const revisionsOf = async (name: string) =>
    (await podsOf(name)).map(
      (pod: { metadata: { labels: Record<string, string> } }) => pod.metadata.labels["controller-revision-hash"],
    );

  it("starts in order, keeps names and claims, and updates down to its partition", async () => {
    await create(`${apps}/statefulsets`, set("db", "db:1", { volumeClaimTemplates: [claim] }));
    const status = async () => (await get(`${apps}/statefulsets/db`)).status ?? {};
    await eventually("three pods are ready", async () => (await status()).readyReplicas === 3);
    const pods = await podsOf("db");
    expect(pods.map((pod: { metadata: { name: string } }) => pod.metadata.name)).toEqual(["db-0", "db-1", "db-2"]);
    expect(pods[1]).toMatchObject({
      metadata: { labels: { "apps.kubernetes.io/pod-index": "1", "statefulset.kubernetes.io/pod-name": "db-1" } },
      spec: { hostname: "db-1", subdomain: "db" },
    });
    expect(pods[1].spec.volumes).toContainEqual({ name: "data", persistentVolumeClaim: { claimName: "data-db-1" } });
    expect((await get("/api/v1/namespaces/default/persistentvolumeclaims/data-db-2")).kind).toBe(
      "PersistentVolumeClaim",
    );
    await cluster.api.patch(`${apps}/statefulsets/db`, "strategic", {
      spec: {
        template: { spec: { containers: [{ name: "main", image: "db:2" }] } },
        updateStrategy: { rollingUpdate: { partition: 2 } },
      },
    });
    await eventually("only the last is updated", async () => {
      const { updatedReplicas, readyReplicas, observedGeneration } = await status();
      return observedGeneration === 2 && updatedReplicas === 1 && readyReplicas === 3;
    });
    const [first, second, third] = await revisionsOf("db");
    expect([first === second, second === third]).toEqual([true, false]);
    await cluster.api.patch(`${apps}/statefulsets/db`, "merge", {
      spec: { updateStrategy: { rollingUpdate: { partition: 0 } } },
    });
    await eventually("the rest follows", async () => {
      const { currentRevision, updateRevision, readyReplicas } = await status();
      return currentRevision === updateRevision && readyReplicas === 3 && new Set(await revisionsOf("db")).size === 1;
    });
    await cluster.api.patch(`${apps}/statefulsets/db/scale`, "merge", { spec: { replicas: 1 } });
    await eventually("one is left", async () => (await podsOf("db")).length === 1);
  });

  it("waits for the first pod, unless it is parallel", async () => {
    await create(`${apps}/statefulsets`, set("slow", "never-ready"));
    await create(`${apps}/statefulsets`, set("fast", "never-ready", { podManagementPolicy: "Parallel" }));
    await eventually("the parallel set has all", async () => (await podsOf("fast")).length === 3);
    expect(await podsOf("slow")).toHaveLength(1);
  });
});

describe("jobs", () => {
  const job = (name: string, image: string, spec: object = {}) => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name },
    spec: { ...spec, template: template(name, image, { restartPolicy: "Never" }) },
  });
  const status = async (name: string) => (await get(`${jobsPath}/${name}`)).status ?? {};
  const conditionTypes = (of: { conditions?: { type: string }[] }) => (of.conditions ?? []).map((one) => one.type);

  it("completes an indexed job, each index once, and releases its pods", async () => {
    await create(jobsPath, job("indexed", "exit-0", { completions: 5, parallelism: 2, completionMode: "Indexed" }));
    await eventually("it is complete", async () => conditionTypes(await status("indexed")).includes("Complete"));
    const done = await status("indexed");
    expect(done).toMatchObject({ succeeded: 5, completedIndexes: "0-4", ready: 0, terminating: 0 });
    expect(done.uncountedTerminatedPods).toEqual({});
    expect(conditionTypes(done)).toEqual(["SuccessCriteriaMet", "Complete"]);
    const pods = await podsOf("indexed");
    expect(pods).toHaveLength(5);
    for (const pod of pods) expect(pod.metadata.finalizers ?? []).toEqual([]);
    const env = pods[0].spec.containers[0].env[0];
    expect(env.name).toBe("JOB_COMPLETION_INDEX");
  });

  it("fails beyond its backoff limit with an exact count", async () => {
    await create(jobsPath, job("broken", "exit-3", { backoffLimit: 2 }));
    await eventually("it has failed", async () => conditionTypes(await status("broken")).includes("Failed"));
    expect(await status("broken")).toMatchObject({
      failed: 3,
      conditions: [
        { type: "FailureTarget", reason: "BackoffLimitExceeded" },
        { type: "Failed", reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" },
      ],
    });
  });

  it("ends at its deadline, and takes its running pods along", async () => {
    await create(jobsPath, job("late", "runs", { activeDeadlineSeconds: 1 }));
    await eventually("it has failed", async () => conditionTypes(await status("late")).includes("Failed"));
    expect((await status("late")).conditions.at(-1)).toMatchObject({ reason: "DeadlineExceeded" });
    expect(await podsOf("late")).toEqual([]);
  });

  it("suspends without counting failures, resumes, and goes after its time to live", async () => {
    await create(jobsPath, job("rest", "runs", { parallelism: 2, completions: 2, ttlSecondsAfterFinished: 0 }));
    await eventually("two pods run", async () => (await status("rest")).ready === 2);
    await cluster.api.patch(`${jobsPath}/rest`, "merge", { spec: { suspend: true } });
    await eventually("none is left", async () => (await podsOf("rest")).length === 0);
    await eventually("it says so", async () => conditionTypes(await status("rest")).includes("Suspended"));
    expect((await status("rest")).failed).toBeUndefined();
    await cluster.api.patch(`${jobsPath}/rest`, "merge", { spec: { suspend: false, activeDeadlineSeconds: 1 } });
    await eventually("it is over and gone", async () => (await cluster.api.get(`${jobsPath}/rest`)).status === 404);
    expect(await podsOf("rest")).toEqual([]);
  });

  it("fails at once where its pod failure policy says so", async () => {
    const rules = [{ action: "FailJob", onExitCodes: { operator: "In", values: [42] } }];
    await create(jobsPath, job("fatal", "exit-42", { backoffLimit: 6, podFailurePolicy: { rules } }));
    await eventually("it has failed", async () => conditionTypes(await status("fatal")).includes("Failed"));
    expect((await status("fatal")).conditions.at(-1)).toMatchObject({
      reason: "PodFailurePolicy",
      message: expect.stringMatching(
        /^Container main for pod default\/fatal-\w+ failed with exit code 42 matching FailJob rule at index 0$/,
      ),
    });
  });
});

describe("cron jobs", () => {
  it("starts what was missed once, and drops its history beyond the limit", async () => {
    const path = "/apis/batch/v1/namespaces/default/cronjobs";
    await create(path, {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: "tick" },
      spec: {
        schedule: "* * * * *",
        suspend: true,
        successfulJobsHistoryLimit: 0,
        jobTemplate: { spec: { template: template("tick", "exit-0", { restartPolicy: "Never" }) } },
      },
    });
    const anHourAgo = `${new Date(Date.now() - 3_600_000).toISOString().slice(0, 19)}Z`;
    await cluster.api.patch(`${path}/tick/status`, "merge", { status: { lastScheduleTime: anHourAgo } });
    await cluster.api.patch(`${path}/tick`, "merge", { spec: { suspend: false } });
    await eventually(
      "one job was started",
      async () => (await get(`${path}/tick`)).status.lastSuccessfulTime !== undefined,
    );
    await eventually("and is gone", async () => {
      const { items } = await get(jobsPath);
      return !items.some((one: { metadata: { name: string } }) => one.metadata.name.startsWith("tick-"));
    });
    const { status } = await get(`${path}/tick`);
    expect(Date.parse(status.lastScheduleTime)).toBeGreaterThan(Date.now() - 120_000);
    const events = (await get("/api/v1/namespaces/default/events?fieldSelector=involvedObject.kind%3DCronJob")).items;
    const said = events.map((one: { reason: string }) => one.reason);
    expect(said).toEqual(expect.arrayContaining(["SuccessfulCreate", "SawCompletedJob", "SuccessfulDelete"]));
    expect(said.filter((reason: string) => reason === "SuccessfulCreate")).toHaveLength(1);
    await cluster.api.delete(`${path}/tick`);
  });
});
