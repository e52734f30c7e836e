/** Tables: the columns of built-in kinds and what their cells say. */
import { expect } from "vitest";
import { area, type CaseTools } from "./support/conformance-case.ts";
import { aContainer, aDeployment, aPod, aService } from "./support/manifests.ts";

const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

interface Table {
  readonly columnDefinitions: readonly { name: string; priority: number; type: string; format: string }[];
  readonly rows: readonly { cells: readonly unknown[]; object?: { kind: string; metadata: { name: string } } }[];
}

async function table({ api }: CaseTools, path: string): Promise<Table> {
  return api.get(path, { headers: { accept } }).expect(200, { kind: "Table", apiVersion: "meta.k8s.io/v1" });
}

const columns = (of: Table, priority: number) =>
  of.columnDefinitions.filter((column) => column.priority === priority).map((column) => column.name);

/** Cells by the name of their column, the age left out. */
function cells(of: Table, row = 0): Record<string, unknown> {
  const pairs = of.columnDefinitions.map((column, index) => [column.name, of.rows[row]?.cells[index]] as const);
  return Object.fromEntries(pairs.filter(([name]) => name !== "Age"));
}

/** Makes a pod with this status and returns its row. */
async function podRow(tools: CaseTools, status: object, spec: Record<string, unknown> = {}) {
  const pods = await tools.path("pods");
  await tools.api.post(pods, aPod("one", spec)).expect(201);
  await tools.api.patch(`${pods}/one/status`, "merge", { status }).expect(200);
  return cells(await table(tools, `${pods}/one`));
}

const running = { running: { startedAt: "2026-01-02T03:04:05Z" } };
const ended = (exitCode: number, reason = "") => ({
  terminated: { exitCode, ...(reason !== "" && { reason }), finishedAt: "2026-01-02T03:04:05Z" },
});
const aStatus = (state: object, fields: object = {}) => ({
  name: "main",
  image: "i",
  imageID: "",
  ready: false,
  restartCount: 0,
  state,
  ...fields,
});

area("printing", (conformance) => {
  conformance("the table of pods", async (tools) => {
    const pods = await tools.path("pods");
    await tools.api.post(pods, aPod("one")).expect(201);
    const list = await table(tools, pods);
    expect(columns(list, 0)).toEqual(["Name", "Ready", "Status", "Restarts", "Age"]);
    expect(columns(list, 1)).toEqual(["IP", "Node", "Nominated Node", "Readiness Gates"]);
    expect(cells(list)).toEqual({
      Name: "one",
      Ready: "0/1",
      Status: "Pending",
      Restarts: "0",
      IP: "<none>",
      Node: "<none>",
      "Nominated Node": "<none>",
      "Readiness Gates": "<none>",
    });
    expect(list.columnDefinitions[0]).toMatchObject({ name: "Name", type: "string", format: "name" });
  });

  conformance("rows carry the metadata, the object or nothing, as asked", async (tools) => {
    const pods = await tools.path("pods");
    await tools.api.post(pods, aPod("one")).expect(201);
    expect((await table(tools, pods)).rows[0]?.object).toMatchObject({
      kind: "PartialObjectMetadata",
      metadata: { name: "one" },
    });
    expect((await table(tools, `${pods}?includeObject=Object`)).rows[0]?.object).toMatchObject({ kind: "Pod" });
    expect((await table(tools, `${pods}?includeObject=None`)).rows[0]?.object ?? null).toBeNull();
  });

  conformance("a pod that crashes again and again", async (tools) => {
    const lastState = ended(1, "Error");
    const waiting = aStatus({ waiting: { reason: "CrashLoopBackOff" } }, { restartCount: 3, lastState });
    const row = await podRow(tools, { phase: "Running", containerStatuses: [waiting] });
    expect(row).toMatchObject({ Ready: "0/1", Status: "CrashLoopBackOff" });
    expect(row.Restarts).toMatch(/^3 \(\d+[a-z0-9]* ago\)$/);
  });

  conformance("a pod that is still preparing", async (tools) => {
    const spec = { initContainers: [aContainer({ name: "a" }), aContainer({ name: "b" })] };
    const initContainerStatuses = [aStatus(ended(0, "Completed"), { name: "a" }), aStatus(running, { name: "b" })];
    const main = aStatus({ waiting: { reason: "PodInitializing" } });
    const status = { phase: "Pending", initContainerStatuses, containerStatuses: [main] };
    expect(await podRow(tools, status, spec)).toMatchObject({ Ready: "0/1", Status: "Init:1/2" });
  });

  conformance("a pod whose preparation failed", async (tools) => {
    const spec = { initContainers: [aContainer({ name: "a" })], restartPolicy: "Never" };
    const status = { phase: "Failed", initContainerStatuses: [aStatus(ended(2, "Error"), { name: "a" })] };
    expect(await podRow(tools, status, spec)).toMatchObject({ Status: "Init:Error" });
  });

  conformance("a pod that ran with a sidecar beside it", async (tools) => {
    const spec = { initContainers: [aContainer({ name: "side", restartPolicy: "Always" })] };
    const side = aStatus(running, { name: "side", started: true, ready: true });
    const main = aStatus(running, { ready: true });
    const status = { phase: "Running", initContainerStatuses: [side], containerStatuses: [main] };
    expect(await podRow(tools, status, spec)).toMatchObject({ Ready: "2/2", Status: "Running" });
  });

  conformance("a pod that ended well, and one killed by a signal", async (tools) => {
    const done = { phase: "Succeeded", containerStatuses: [aStatus(ended(0, "Completed"))] };
    expect(await podRow(tools, done, { restartPolicy: "Never" })).toMatchObject({ Ready: "0/1", Status: "Completed" });
    const pods = await tools.path("pods");
    await tools.api.post(pods, aPod("two", { restartPolicy: "Never" })).expect(201);
    const killed = { terminated: { exitCode: 137, signal: 9 } };
    await tools.api
      .patch(`${pods}/two/status`, "merge", { status: { phase: "Failed", containerStatuses: [aStatus(killed)] } })
      .expect(200);
    expect(cells(await table(tools, `${pods}/two`))).toMatchObject({ Status: "Signal:9" });
  });

  conformance("a gated pod, an evicted one, readiness gates", async (tools) => {
    const pods = await tools.path("pods");
    await tools.api.post(pods, aPod("gated", { schedulingGates: [{ name: "a" }] })).expect(201);
    expect(cells(await table(tools, `${pods}/gated`))).toMatchObject({ Status: "SchedulingGated" });
    const readinessGates = [{ conditionType: "example.com/a" }, { conditionType: "example.com/b" }];
    const status = { phase: "Failed", reason: "Evicted", conditions: [{ type: "example.com/a", status: "True" }] };
    expect(await podRow(tools, status, { readinessGates })).toMatchObject({
      Status: "Evicted",
      "Readiness Gates": "1/2",
    });
  });

  conformance("services by type", async (tools) => {
    const services = await tools.path("services");
    const one = await tools.api.post(services, aService("a")).expect(201);
    const ports = [
      { name: "x", port: 80 },
      { name: "y", port: 53, protocol: "UDP" },
    ];
    const two = await tools.api.post(services, aService("b", { type: "NodePort", ports })).expect(201);
    await tools.api.post(services, aService("c", { type: "LoadBalancer" })).expect(201);
    await tools.api
      .post(
        services,
        aService("d", { type: "ExternalName", externalName: "example.com", ports: undefined, selector: undefined }),
      )
      .expect(201);
    const list = await table(tools, services);
    expect(columns(list, 0)).toEqual(["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age"]);
    expect(columns(list, 1)).toEqual(["Selector"]);
    expect(cells(list, 0)).toMatchObject({
      Type: "ClusterIP",
      "Cluster-IP": one.spec.clusterIP,
      "External-IP": "<none>",
      "Port(s)": "80/TCP",
      Selector: "app=a",
    });
    const [x, y] = two.spec.ports;
    expect(cells(list, 1)).toMatchObject({ "Port(s)": `80:${x.nodePort}/TCP,53:${y.nodePort}/UDP` });
    expect(cells(list, 2)).toMatchObject({ "External-IP": "<pending>" });
    expect(cells(list, 3)).toMatchObject({
      "Cluster-IP": "<none>",
      "External-IP": "example.com",
      "Port(s)": "<none>",
      Selector: "<none>",
    });
  });

  conformance("deployments", async (tools) => {
    const deployments = await tools.path("deployments", "apps/v1");
    const selector = { matchLabels: { app: "one" }, matchExpressions: [{ key: "app", operator: "Exists" }] };
    await tools.api.post(deployments, aDeployment("one", { replicas: 3, selector })).expect(201);
    const status = { replicas: 3, readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 };
    await tools.api.patch(`${deployments}/one/status`, "merge", { status }).expect(200);
    const list = await table(tools, deployments);
    expect(columns(list, 0)).toEqual(["Name", "Ready", "Up-to-date", "Available", "Age"]);
    expect(cells(list)).toMatchObject({
      Ready: "2/3",
      "Up-to-date": 3,
      Available: 1,
      Containers: "main",
      Images: "registry.example.com/app:1",
    });
  });

  conformance("jobs and cron jobs", async (tools) => {
    const template = { spec: { restartPolicy: "Never", containers: [aContainer()] } };
    const jobs = await tools.path("jobs", "batch/v1");
    const job = { apiVersion: "batch/v1", kind: "Job", metadata: { name: "one" }, spec: { template, completions: 3 } };
    await tools.api.post(jobs, { ...job, spec: { ...job.spec, suspend: true } }).expect(201);
    const list = await table(tools, jobs);
    expect(columns(list, 0)).toEqual(["Name", "Status", "Completions", "Duration", "Age"]);
    expect(cells(list)).toMatchObject({ Status: "Running", Completions: "0/3", Duration: "" });
    const cron = await tools.path("cronjobs", "batch/v1");
    const spec = { schedule: "0 * * * *", timeZone: "Etc/UTC", jobTemplate: { spec: { template } } };
    await tools.api
      .post(cron, { apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "one" }, spec })
      .expect(201);
    expect(cells(await table(tools, cron))).toEqual({
      Name: "one",
      Schedule: "0 * * * *",
      Timezone: "Etc/UTC",
      Suspend: "False",
      Active: 0,
      "Last Schedule": "<none>",
      Containers: "main",
      Images: "registry.example.com/app:1",
      Selector: "<none>",
    });
  });

  conformance("nodes", async (tools) => {
    const name = tools.unique("node");
    tools.removeLater(`/api/v1/nodes/${name}`);
    const labels = { "node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/gpu": "" };
    const status = {
      conditions: [{ type: "Ready", status: "False" }],
      addresses: [{ type: "InternalIP", address: "10.0.0.9" }],
    };
    const node = { apiVersion: "v1", kind: "Node", metadata: { name, labels }, spec: { unschedulable: true }, status };
    await tools.api.post("/api/v1/nodes", node).expect(201);
    const one = await table(tools, `/api/v1/nodes/${name}`);
    expect(columns(one, 0)).toEqual(["Name", "Status", "Roles", "Age", "Version"]);
    expect(cells(one)).toMatchObject({
      Status: "NotReady,SchedulingDisabled",
      Roles: "gpu,worker",
      "Internal-IP": "10.0.0.9",
      "External-IP": "<none>",
      "OS-Image": "<unknown>",
    });
  });

  conformance("volume claims, budgets, autoscalers, ingresses, policies", async (tools) => {
    const make = async (plural: string, groupVersion: string | undefined, kind: string, fields: object) => {
      const path = await tools.path(plural, groupVersion);
      const object = { apiVersion: groupVersion ?? "v1", kind, metadata: { name: "one" }, ...fields };
      await tools.api.post(path, object).expect(201);
      return cells(await table(tools, path));
    };
    const claim = {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      storageClassName: "fast",
    };
    expect(await make("persistentvolumeclaims", undefined, "PersistentVolumeClaim", { spec: claim })).toEqual({
      Name: "one",
      Status: "Pending",
      Volume: "",
      Capacity: "",
      "Access Modes": "",
      StorageClass: "fast",
      VolumeAttributesClass: "<unset>",
      VolumeMode: "Filesystem",
    });
    expect(
      await make("poddisruptionbudgets", "policy/v1", "PodDisruptionBudget", { spec: { minAvailable: "50%" } }),
    ).toEqual({
      Name: "one",
      "Min Available": "50%",
      "Max Unavailable": "N/A",
      "Allowed Disruptions": 0,
    });
    const scaler = { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, maxReplicas: 5 };
    expect(
      await make("horizontalpodautoscalers", "autoscaling/v2", "HorizontalPodAutoscaler", { spec: scaler }),
    ).toEqual({
      Name: "one",
      Reference: "Deployment/web",
      Targets: "cpu: <unknown>/80%",
      MinPods: "1",
      MaxPods: 5,
      Replicas: 0,
    });
    const ingress = { rules: ["a", "b", "c", "d"].map((host) => ({ host })), tls: [{ hosts: ["a"] }] };
    expect(await make("ingresses", "networking.k8s.io/v1", "Ingress", { spec: ingress })).toEqual({
      Name: "one",
      Class: "<none>",
      Hosts: "a,b,c + 1 more...",
      Address: "",
      Ports: "80, 443",
    });
    const policy = { podSelector: { matchLabels: { a: "b" } } };
    expect(await make("networkpolicies", "networking.k8s.io/v1", "NetworkPolicy", { spec: policy })).toEqual({
      Name: "one",
      "Pod-Selector": "a=b",
    });
  });

  conformance("config maps, secrets, accounts, roles and bindings", async (tools) => {
    const make = async (plural: string, groupVersion: string | undefined, kind: string, fields: object) => {
      const path = await tools.path(plural, groupVersion);
      const object = { apiVersion: groupVersion ?? "v1", kind, metadata: { name: "one" }, ...fields };
      await tools.api.post(path, object).expect(201);
      return cells(await table(tools, `${path}/one`));
    };
    expect(await make("configmaps", undefined, "ConfigMap", { data: { a: "1" }, binaryData: { b: "MQ==" } })).toEqual({
      Name: "one",
      Data: 2,
    });
    expect(await make("secrets", undefined, "Secret", { stringData: { a: "1" } })).toEqual({
      Name: "one",
      Type: "Opaque",
      Data: 1,
    });
    const rbac = "rbac.authorization.k8s.io";
    const binding = {
      roleRef: { apiGroup: rbac, kind: "Role", name: "reader" },
      subjects: [
        { kind: "User", apiGroup: rbac, name: "jo" },
        { kind: "ServiceAccount", name: "bot", namespace: "x" },
      ],
    };
    expect(await make("rolebindings", `${rbac}/v1`, "RoleBinding", binding)).toEqual({
      Name: "one",
      Role: "Role/reader",
      Users: "jo",
      Groups: "",
      ServiceAccounts: "x/bot",
    });
    expect(Object.keys(await make("roles", `${rbac}/v1`, "Role", { rules: [] }))).toEqual(["Name", "Created At"]);
  });

  conformance("events, leases, endpoint slices, revisions", async (tools) => {
    const events = await tools.path("events");
    const namespace = await tools.namespace();
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "one" },
      involvedObject: { kind: "Pod", name: "p", namespace, fieldPath: "spec" },
      reason: "Started",
      message: " it runs\n",
      type: "Normal",
      source: { component: "kubelet", host: "n1" },
    };
    await tools.api.post(events, event).expect(201);
    expect(cells(await table(tools, events))).toEqual({
      "Last Seen": "<unknown>",
      Type: "Normal",
      Reason: "Started",
      Object: "pod/p",
      Subobject: "spec",
      Source: "kubelet, n1",
      Message: "it runs",
      "First Seen": "<unknown>",
      Count: 1,
      Name: "one",
    });
    const slices = await tools.path("endpointslices", "discovery.k8s.io/v1");
    const endpoints = [
      { addresses: ["10.0.0.1"] },
      { addresses: ["10.0.0.2"] },
      { addresses: ["10.0.0.3"] },
      { addresses: ["10.0.0.4"] },
    ];
    const slice = {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "one" },
      addressType: "IPv4",
    };
    await tools.api.post(slices, { ...slice, endpoints, ports: [{ port: 80 }] }).expect(201);
    await tools.api.post(slices, { ...slice, metadata: { name: "two" }, endpoints: [], ports: [] }).expect(201);
    const list = await table(tools, slices);
    expect(cells(list, 0)).toEqual({
      Name: "one",
      AddressType: "IPv4",
      Ports: "80",
      Endpoints: "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...",
    });
    expect(cells(list, 1)).toMatchObject({ Ports: "<unset>", Endpoints: "<unset>" });
  });
});
