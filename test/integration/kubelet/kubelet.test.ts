import { readdir } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { startKubeletServer } from "../../../src/embedded/kubelet/kubelet-server.ts";
import { podResource } from "../../../src/embedded/kubelet/pod-api.ts";
import { createClient } from "../../../src/kube/client.ts";
import { leases } from "../../../src/kube/core-resources.ts";
import { createInformer } from "../../../src/kube/informer.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { eventually, isAlive, shell } from "./worker-bench.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await openCluster();
  await cluster.startKubelet("node-a");
});
afterAll(() => cluster.close());

describe("the node", () => {
  it("is registered Ready, with its capacity, address, log port and a lease that is renewed in micro time", async () => {
    const node = await cluster.nodes.get({ name: "node-a" });
    expect(node.metadata.labels).toMatchObject({ "inferium.io/process-kubelet": "true", tier: "low" });
    expect(node.status?.conditions?.find((one) => one.type === "Ready")).toMatchObject({ status: "True" });
    expect(node.status).toMatchObject({
      allocatable: { "nvidia.com/gpu": "1", cpu: "4" },
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }, { type: "Hostname" }],
      daemonEndpoints: { kubeletEndpoint: { Port: expect.any(Number) } },
    });
    const lease = await createClient(cluster.transport, leases).get({ namespace: "kube-node-lease", name: "node-a" });
    expect(lease.spec).toMatchObject({ holderIdentity: "node-a", leaseDurationSeconds: 40 });
    expect(lease.spec?.renewTime).toMatch(/\.\d{6}Z$/);
  });
});

it("a node that another kind of kubelet runs is neither taken over nor deleted", async () => {
  await cluster.nodes.create({ apiVersion: "v1", kind: "Node", metadata: { name: "foreign" }, spec: {} });
  const taints = [{ key: "ours", effect: "NoSchedule" as const }];
  const options = { deleteNodeOnStop: true, nodeTemplate: { taints } };
  await expect(cluster.startKubelet("foreign", options)).rejects.toThrow(/is not a process kubelet's/);
  expect((await cluster.nodes.get({ name: "foreign" })).spec?.taints ?? []).not.toContainEqual(
    expect.objectContaining({ key: "ours" }),
  );
  await cluster.nodes.delete({ name: "foreign" });
});

describe("a pod", () => {
  it("is scheduled, runs to completion and leaves its log", async () => {
    await cluster.createPod("once", { restartPolicy: "Never", containers: [shell("echo one; echo two")] });
    const pod = await cluster.untilPhase("once", "Succeeded");
    expect(pod.spec.nodeName).toBe("node-a");
    expect(pod.status).toMatchObject({ podIP: "127.0.0.1", hostIP: "127.0.0.1" });
    expect(await cluster.log("once")).toBe("one\ntwo\n");
    expect(await cluster.log("once", { tailLines: 1, timestamps: true })).toMatch(/^\d{4}-\d\d-\d\dT\S+Z two\n$/);
  });

  it("gets a kubeconfig with a token of its own service account", async () => {
    await cluster.createPod("account", {
      restartPolicy: "Never",
      containers: [shell('cat "$KUBECONFIG"; cat "$(dirname "$KUBECONFIG")/token"')],
    });
    await cluster.untilPhase("account", "Succeeded");
    const [config, token] = (await cluster.log("account")).split(/(?<=^\})\n/m);
    expect(JSON.parse(config ?? "")).toMatchObject({ clusters: [{ cluster: { server: cluster.server.url } }] });
    const claims = JSON.parse(Buffer.from(token?.split(".")[1] ?? "", "base64url").toString());
    expect(claims.sub).toBe("system:serviceaccount:default:default");
  });

  it("follows its log until it ends", async () => {
    await cluster.createPod("talk", {
      restartPolicy: "Never",
      containers: [shell("echo first; sleep 0.5; echo last")],
    });
    await cluster.untilPhase("talk", "Running");
    expect(await cluster.log("talk", { follow: true })).toBe("first\nlast\n");
  });

  it("is gone from the server and from the machine after a delete", async () => {
    await cluster.createPod("doomed", {
      terminationGracePeriodSeconds: 1,
      containers: [shell("echo $$$$; exec sleep 600")],
    });
    await cluster.untilPhase("doomed", "Running");
    const pid = Number(await cluster.log("doomed"));
    expect(isAlive(pid)).toBe(true);
    await cluster.pods.delete({ namespace: "default", name: "doomed" });
    await eventually("the object is gone", () =>
      cluster.pod("doomed").then(
        () => false,
        () => true,
      ),
    );
    expect(isAlive(pid)).toBe(false);
  });

  it("waits with ErrImageNeverPull for an unknown image", async () => {
    await cluster.createPod("stranger", { containers: [shell("true", { image: "docker.io/stranger:1" })] });
    const pod = await eventually("the reason shows", async () => {
      const found = await cluster.pod("stranger");
      return found.status?.containerStatuses?.[0]?.state?.waiting?.reason === "ErrImageNeverPull" && found;
    });
    expect(pod.status?.phase).toBe("Pending");
    await cluster.pods.delete({ namespace: "default", name: "stranger" });
  });
});

describe("the scheduler", () => {
  it("says why a pod fits nowhere, and places it as soon as a node fits", async () => {
    await cluster.createPod("picky", {
      nodeSelector: { tier: "high" },
      restartPolicy: "Never",
      containers: [shell("true")],
    });
    const pending = await eventually("the condition shows", async () =>
      (await cluster.pod("picky")).status?.conditions?.find((one) => one.type === "PodScheduled"),
    );
    expect(pending).toMatchObject({
      status: "False",
      reason: "Unschedulable",
      message:
        "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    });
    await cluster.nodes.patch({ name: "node-a" }, { kind: "merge", body: { metadata: { labels: { tier: "high" } } } });
    const placed = await cluster.untilPhase("picky", "Succeeded");
    expect(placed.status?.conditions?.find((one) => one.type === "PodScheduled")?.status).toBe("True");
  });

  it("gives one GPU to one pod at a time, even when both are placed in one round", async () => {
    const resources = { limits: { "nvidia.com/gpu": "1" } };
    const spec = {
      restartPolicy: "Never",
      nodeSelector: { pair: "yes" },
      containers: [shell("sleep 0.5", { resources })],
    };
    const names = ["gpu-1", "gpu-2"];
    for (const name of names) await cluster.createPod(name, spec);
    const messages = async () => {
      const found = await Promise.all(names.map((name) => cluster.pod(name)));
      return found
        .flatMap((pod) => pod.status?.conditions ?? [])
        .flatMap((one) => (one.reason === "Unschedulable" ? one.message : []));
    };
    await eventually("both wait", async () => (await messages()).length === 2);
    await cluster.nodes.patch({ name: "node-a" }, { kind: "merge", body: { metadata: { labels: { pair: "yes" } } } });
    await eventually("one waits for the other's GPU", async () => {
      const left = await messages();
      return left.length === 1 && left[0]?.startsWith("0/1 nodes are available: 1 Insufficient nvidia.com/gpu. ");
    });
    await Promise.all(names.map((name) => cluster.untilPhase(name, "Succeeded")));
  });
});

describe("the log endpoint", () => {
  const get = async (path: string, token?: string): Promise<{ status: number | undefined; body: string }> => {
    const node = (await cluster.nodes.get({ name: "node-a" })) as {
      status?: { daemonEndpoints?: { kubeletEndpoint: { Port: number } } };
    };
    const port = node.status?.daemonEndpoints?.kubeletEndpoint.Port;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return new Promise((resolve, reject) => {
      request({ host: "127.0.0.1", port, path, headers, rejectUnauthorized: false, agent: false }, async (response) => {
        let body = "";
        for await (const chunk of response) body += chunk;
        resolve({ status: response.statusCode, body });
      })
        .on("error", reject)
        .end();
    });
  };

  it.each([
    { name: "no token", path: "/containerLogs/default/once/main", token: undefined, want: 401 },
    { name: "a wrong token", path: "/containerLogs/default/once/main", token: "wrong", want: 401 },
    { name: "the right token", path: "/containerLogs/default/once/main", token: "kubelet-test-token", want: 200 },
    { name: "an unknown pod", path: "/containerLogs/default/none/main", token: "kubelet-test-token", want: 404 },
    { name: "an unknown container", path: "/containerLogs/default/once/none", token: "kubelet-test-token", want: 400 },
    {
      name: "a bad count",
      path: "/containerLogs/default/once/main?tailLines=x",
      token: "kubelet-test-token",
      want: 400,
    },
    { name: "another endpoint", path: "/exec/default/once/main", token: "kubelet-test-token", want: 404 },
    { name: "health without a token", path: "/healthz", token: undefined, want: 200 },
  ])("answers $want to $name", async ({ path, token, want }) => {
    expect((await get(path, token)).status).toBe(want);
  });
});

describe("stopping", () => {
  it("ends its pods, tells the server, and leaves neither process nor node when asked to", async () => {
    const kubelet = await cluster.startKubelet("node-b", { deleteNodeOnStop: true });
    await cluster.createPod("left", { nodeName: "node-b", containers: [shell("echo $$$$; exec sleep 600")] });
    await cluster.untilPhase("left", "Running");
    const pid = Number(await cluster.log("left"));
    await kubelet.stop();
    expect(isAlive(pid)).toBe(false);
    expect((await cluster.pod("left")).status).toMatchObject({ phase: "Failed", reason: "Terminated" });
    await expect(cluster.nodes.get({ name: "node-b" })).rejects.toThrow(/404/);
    expect(await readdir(join(cluster.directory, "node-b", "groups"))).toEqual([]);
  });

  it("kills a pod that ignores SIGTERM once its own bound is over, whatever the pod's grace", async () => {
    const kubelet = await cluster.startKubelet("node-s", { stopGraceMs: 200, deleteNodeOnStop: true });
    const stubborn = shell("trap '' TERM; echo $$$$; while :; do sleep 0.05; done");
    await cluster.createPod("stubborn", {
      nodeName: "node-s",
      terminationGracePeriodSeconds: 3_600,
      containers: [stubborn],
    });
    await cluster.untilPhase("stubborn", "Running");
    const pid = Number(await eventually("its log", async () => (await cluster.log("stubborn")) || false));
    await kubelet.stop();
    expect(isAlive(pid)).toBe(false);
    expect((await cluster.pod("stubborn")).status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(137);
  });

  it("refuses a root directory that another kubelet uses", async () => {
    const rootDir = join(cluster.directory, "node-a");
    await expect(cluster.startKubelet("node-c", { rootDir })).rejects.toThrow(/is in use by a kubelet in process/);
  });
});

describe("many kubelets in one process", () => {
  it("share one watch and one log endpoint", async () => {
    const common = { clock: systemClock, logger: silentLogger };
    const podInformer = createInformer(cluster.transport, podResource, common);
    podInformer.start();
    const { serverToken = "", tls = { certPem: "", keyPem: "" } } = cluster.options("x");
    const server = await startKubeletServer({ ...common, token: serverToken, tls });
    const names = ["many-1", "many-2", "many-3"];
    const kubelets = await Promise.all(names.map((name) => cluster.startKubelet(name, { podInformer, server })));
    for (const name of names) {
      await cluster.createPod(name, { nodeName: name, restartPolicy: "Never", containers: [shell(`echo on ${name}`)] });
    }
    for (const name of names) {
      await cluster.untilPhase(name, "Succeeded");
      expect(await cluster.log(name)).toBe(`on ${name}\n`);
    }
    await Promise.all(kubelets.map((kubelet) => kubelet.stop()));
    await podInformer.stop();
    await server.close();
  });
});
