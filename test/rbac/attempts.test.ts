/**
 * What the accounts must not do, tried with their own tokens: by RBAC, and where RBAC cannot tell one node or pod from another, by the chart's
 * admission policies. Each refused attempt has its twin that works, so that a refusal says something.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { ConformanceApi, Reply } from "../conformance/support/api.ts";
import { type Account, openRbacCluster, type RbacCluster, system, tenant } from "./rbac-cluster.ts";

const own = "/apis/inferium.io/v1alpha1";
const core = "/api/v1";
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const tasks = `${own}/namespaces/${tenant}/inferencetasks`;
const someAddress = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";

const workerNode = (name: string, nodeName: string) => ({
  ...{ apiVersion: "inferium.io/v1alpha1", kind: "WorkerNode", metadata: { name } },
  spec: { nodeName, address: someAddress, role: "Worker", slots: 1 },
});
const adminRole = {
  ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "more" } },
  rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }],
};
const bindToAdmin = (account: Account) => ({
  ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding", metadata: { name: "more" } },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
  subjects: [{ kind: "ServiceAccount", name: `inferium-${account}`, namespace: system }],
});
const aPod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "mine" },
  spec: { containers: [{ name: "a", image: "a" }] },
};
const label = (name: string, value: string) => ({ metadata: { labels: { [name]: value } } });

type Attempt = readonly [what: string, send: (api: ConformanceApi) => PromiseLike<Reply>];

/** Nobody of ours may. */
const forAll: readonly Attempt[] = [
  ["list the Secrets of its own namespace", (api) => api.get(`${core}/namespaces/${system}/secrets`)],
  ["list all Secrets", (api) => api.get(`${core}/secrets`)],
  ["watch Secrets", (api) => api.get(`${core}/secrets?watch=true&timeoutSeconds=1`)],
  ["change a Secret", (api) => api.patch(`${core}/namespaces/${tenant}/secrets/order`, "merge", { data: {} })],
  ["change a task's spec", (api) => api.patch(`${tasks}/t1`, "merge", { spec: { reward: "0" } })],
  ["make a Model", (api) => api.post(`${own}/namespaces/${tenant}/models`, {})],
  ["make a Leaderboard", (api) => api.post(`${own}/namespaces/${tenant}/leaderboards`, {})],
  ["make an Agent", (api) => api.post(`${own}/namespaces/${tenant}/agents`, {})],
  ["make itself a role", (api) => api.post(`${rbac}/clusterroles`, adminRole)],
  ["bind itself to cluster-admin", (api) => api.post(`${rbac}/clusterrolebindings`, bindToAdmin("operator"))],
  [
    "widen its own role",
    (api) => api.patch(`${rbac}/clusterroles/inferium-agent`, "merge", { rules: adminRole.rules }),
  ],
  ["impersonate an administrator", (api) => api.as({ user: "admin", groups: ["system:masters"] }).get(`${core}/nodes`)],
  [
    "run a command in a pod",
    (api) => api.post(`${core}/namespaces/${system}/pods/pod-operator/exec?command=id`, undefined),
  ],
  ["read a pod's log", (api) => api.get(`${core}/namespaces/${system}/pods/pod-operator/log`)],
  ["create a pod", (api) => api.post(`${core}/namespaces/${system}/pods`, aPod)],
  [
    "make a token of another account",
    (api) => api.post(`${core}/namespaces/${system}/serviceaccounts/inferium-operator/token`, {}),
  ],
  ["delete a node", (api) => api.delete(`${core}/nodes/node-b`)],
  ["write a node's status", (api) => api.patch(`${core}/nodes/node-a/status`, "merge", { status: {} })],
  ["reach a node's kubelet", (api) => api.get(`${core}/nodes/node-a/proxy/pods`)],
  ["change a WorkerNode's spec", (api) => api.patch(`${own}/workernodes/node-b`, "merge", { spec: { slots: 9 } })],
  ["delete a WorkerNode", (api) => api.delete(`${own}/workernodes/node-b`)],
  [
    "take away the policy that confines agents",
    (api) => api.delete("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/inferium-agent-own-node"),
  ],
  [
    "change a definition",
    (api) => api.patch("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/workernodes.inferium.io", "merge", {}),
  ],
  [
    "read a lease of another namespace",
    (api) => api.get("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler"),
  ],
  ["read the server's metrics", (api) => api.get("/metrics")],
];

/** The operator may: it makes those of leaderboards and of agents' windows. */
const createTask: Attempt = ["create a task", (api) => api.post(tasks, {})];
const approveModel: Attempt = [
  "approve a Model",
  (api) => api.patch(`${own}/namespaces/${tenant}/models/m1/status`, "merge", { status: {} }),
];

const beyond: Readonly<Record<Account, readonly Attempt[]>> = {
  member: [
    createTask,
    approveModel,
    ["read a task", (api) => api.get(`${tasks}/t1`)],
    ["list tasks", (api) => api.get(`${own}/inferencetasks`)],
    ["write a task's status", (api) => api.patch(`${tasks}/t1/status`, "merge", { status: { phase: "Succeeded" } })],
    [
      "write its own WorkerNode's status",
      (api) => api.patch(`${own}/workernodes/node-a/status`, "merge", { status: {} }),
    ],
    ["read the order's Secret", (api) => api.get(`${core}/namespaces/${tenant}/secrets/order`)],
    ["read another member's key", (api) => api.get(`${core}/namespaces/${system}/secrets/other-key`)],
    ["read a node", (api) => api.get(`${core}/nodes/node-a`)],
    ["vote", (api) => api.post(`${own}/namespaces/${tenant}/validations`, {})],
  ],
  agent: [
    createTask,
    approveModel,
    ["read a task", (api) => api.get(`${tasks}/t1`)],
    ["write a task's status", (api) => api.patch(`${tasks}/t1/status`, "merge", { status: { phase: "Succeeded" } })],
    ["read the order's Secret", (api) => api.get(`${core}/namespaces/${tenant}/secrets/order`)],
    ["list nodes", (api) => api.get(`${core}/nodes`)],
    ["label a pod", (api) => api.patch(`${core}/namespaces/${system}/pods/pod-agent`, "merge", label("a", "b"))],
    // Of its own rights RBAC cannot say for which node: the policies do.
    ["make another node's WorkerNode", (api) => api.post(`${own}/workernodes`, workerNode("forged", "node-b"))],
    [
      "write another node's WorkerNode",
      (api) => api.patch(`${own}/workernodes/node-b/status`, "merge", { status: { tier: "High" } }),
    ],
    ["label another node", (api) => api.patch(`${core}/nodes/node-b`, "merge", label("inferium.io/tier", "high"))],
    [
      "label its node for others",
      (api) => api.patch(`${core}/nodes/node-a`, "merge", label("kubernetes.io/hostname", "x")),
    ],
    ["cordon its node", (api) => api.patch(`${core}/nodes/node-a`, "merge", { spec: { unschedulable: true } })],
  ],
  operator: [
    ["create a WorkerNode", (api) => api.post(`${own}/workernodes`, workerNode("forged", "node-b"))],
    ["change a node", (api) => api.patch(`${core}/nodes/node-a`, "merge", label("a", "b"))],
    ["delete another's pod", (api) => api.delete(`${core}/namespaces/${system}/pods/pod-member`)],
    [
      "write a record outside its namespace",
      (api) => api.post(`${core}/namespaces/${tenant}/configmaps`, { metadata: { name: "a" } }),
    ],
    [
      "take another's pod for the leader",
      (api) => api.patch(`${core}/namespaces/${system}/pods/pod-member`, "merge", label("inferium.io/leader", "true")),
    ],
    [
      "give its pod another label",
      (api) => api.patch(`${core}/namespaces/${system}/pods/pod-operator`, "merge", label("app", "x")),
    ],
  ],
};

const accounts: readonly Account[] = ["operator", "agent", "member"];

describe("an account's own token", () => {
  let cluster: RbacCluster;

  beforeAll(async () => {
    cluster = await openRbacCluster();
    const { admin } = cluster;
    for (const node of ["node-a", "node-b"]) await admin.post(`${own}/workernodes`, workerNode(node, node)).expect(201);
    const model = { uri: "https://models.test/m.onnx", digest: `sha256:${"ab".repeat(32)}` };
    const spec = { model, tier: "Low", input: { inline: { x: { dtype: "int32", shape: [1], data: [1] } } } };
    const task = { apiVersion: "inferium.io/v1alpha1", kind: "InferenceTask", metadata: { name: "t1" }, spec };
    await admin.post(tasks, task).expect(201);
    const secret = (name: string) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name },
      stringData: { key: "k" },
    });
    await admin.post(`${core}/namespaces/${tenant}/secrets`, secret("order")).expect(201);
    await admin.post(`${core}/namespaces/${system}/secrets`, secret("other-key")).expect(201);
    // A policy is enforced a moment after it was made. What came through before is undone.
    const isForbidden = (reply: PromiseLike<Reply>) => reply.then(({ status }) => expect(status).toBe(403));
    const patience = { timeout: 30_000, interval: 100 };
    await vi.waitFor(async () => {
      await admin.delete(`${own}/workernodes/too-early`);
      await isForbidden(cluster.as("agent").post(`${own}/workernodes`, workerNode("too-early", "node-b")));
    }, patience);
    const pod = `${core}/namespaces/${system}/pods/pod-member`;
    const take = (value: unknown) => ({ metadata: { labels: { "inferium.io/leader": value } } });
    await vi.waitFor(async () => {
      await admin.patch(pod, "merge", take(null)).expect(200);
      await isForbidden(cluster.as("operator").patch(pod, "merge", take("true")));
    }, patience);
  });
  afterAll(() => cluster?.close());

  const cases = accounts.flatMap((account) =>
    [...forAll, ...beyond[account]].map(([what, send]) => [account, what, send] as const),
  );
  test.each(cases)("of the %s does not let it %s", async (account, _, send) => {
    const { status, body } = await send(cluster.as(account));
    expect([status, body.reason, body.message]).toEqual([403, "Forbidden", expect.any(String)]);
  });

  test("of the agent writes its own node's WorkerNode and labels, and nothing without a node's name", async () => {
    const agent = cluster.as("agent");
    const status = { status: { tier: "Mid" } };
    await agent.patch(`${own}/workernodes/node-a/status`, "merge", status).expect(200);
    await agent.patch(`${core}/nodes/node-a`, "merge", label("inferium.io/tier", "mid")).expect(200);
    const unbound = await cluster.unbound("agent");
    await unbound.patch(`${own}/workernodes/node-a/status`, "merge", status).refuse(403, "Forbidden");
    await unbound.patch(`${core}/nodes/node-a`, "merge", label("inferium.io/tier", "low")).refuse(403, "Forbidden");
  });

  test("of the operator writes a task's status, reads an order by its name, and labels its own pod", async () => {
    const operator = cluster.as("operator");
    await operator.patch(`${tasks}/t1/status`, "merge", { status: { phase: "Pending" } }).expect(200);
    await operator.get(`${core}/namespaces/${tenant}/secrets/order`).expect(200);
    const pod = `${core}/namespaces/${system}/pods/pod-operator`;
    await operator.patch(pod, "merge", label("inferium.io/leader", "true")).expect(200);
  });

  test("left everything as it was", async () => {
    const { admin } = cluster;
    await admin.get(`${own}/workernodes/forged`).refuse(404, "NotFound");
    await admin.get(`${rbac}/clusterroles/more`).refuse(404, "NotFound");
    await admin.get(`${rbac}/clusterrolebindings/more`).refuse(404, "NotFound");
    const { spec, metadata } = await admin.get(`${core}/nodes/node-b`).expect(200);
    expect([spec?.unschedulable, metadata.labels?.["inferium.io/tier"]]).toEqual([undefined, undefined]);
    expect((await admin.get(`${own}/workernodes/node-b`).expect(200)).status?.tier).toBeUndefined();
  });
});
