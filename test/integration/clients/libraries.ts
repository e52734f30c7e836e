/** Client libraries for JavaScript, unmodified: informers of @kubernetes/client-node, and kubernetes-fluent-client. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  type V1ConfigMap,
  type V1Deployment,
} from "@kubernetes/client-node";
import { describe, expect, test } from "vitest";
import { eventually } from "../kubelet/worker-bench.ts";
import { findTool } from "./client-tools.ts";
import { shared } from "./shared-cluster.ts";

const fluent = findTool("kubernetes-fluent-client-3.11.11");

function loadConfig(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(shared().cluster.server.kubeconfig());
  return config;
}

describe.concurrent("@kubernetes/client-node", () => {
  test("an informer lists, then follows what is added, changed and deleted, by a label", async () => {
    const namespace = await shared().namespace();
    const config = loadConfig();
    const api = config.makeApiClient(CoreV1Api);
    const create = (name: string, labels: Record<string, string>) =>
      api.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels }, data: { a: "1" } } });
    await create("before", { watched: "yes" });
    await create("other", {});
    const list = () => api.listNamespacedConfigMap({ namespace, labelSelector: "watched" });
    const informer = makeInformer<V1ConfigMap>(config, `/api/v1/namespaces/${namespace}/configmaps`, list, "watched");
    const seen: string[] = [];
    for (const verb of ["add", "update", "delete"] as const)
      informer.on(verb, (object) => seen.push(`${verb} ${object.metadata?.name} ${object.data?.a}`));
    await informer.start();
    try {
      await create("after", { watched: "yes" });
      const found = await api.readNamespacedConfigMap({ namespace, name: "after" });
      await api.replaceNamespacedConfigMap({ namespace, name: "after", body: { ...found, data: { a: "2" } } });
      await api.deleteNamespacedConfigMap({ namespace, name: "before" });
      await eventually("all is seen", () => seen.includes("delete before 1"));
      expect(seen).toEqual(["add before 1", "add after 1", "update after 2", "delete before 1"]);
      expect(informer.list(namespace).map((object) => object.metadata?.name)).toEqual(["after"]);
      expect(informer.get("after", namespace)?.data).toEqual({ a: "2" });
    } finally {
      await informer.stop();
    }
  });

  test("typed and untyped clients create, patch in each form, apply, and tell of failures", async () => {
    const namespace = await shared().namespace();
    const config = loadConfig();
    const apps = config.makeApiClient(AppsV1Api);
    const objects = KubernetesObjectApi.makeApiClient(config);
    const container = { name: "web", image: "registry.example/web:1" };
    const deployment = (replicas: number): V1Deployment => ({
      ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace } },
      spec: {
        replicas,
        selector: { matchLabels: { app: "web" } },
        template: {
          metadata: { labels: { app: "web" } },
          spec: { terminationGracePeriodSeconds: 1, containers: [container] },
        },
      },
    });
    await objects.create(deployment(1));
    await eventually("it is available", async () => {
      const { status } = await apps.readNamespacedDeploymentStatus({ namespace, name: "web" });
      return status?.availableReplicas === 1;
    });
    const scaled = await objects.patch(
      deployment(2),
      undefined,
      undefined,
      "applier",
      true,
      PatchStrategy.ServerSideApply,
    );
    expect(scaled.spec?.replicas).toBe(2);
    const merged = await objects.patch(
      { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace, labels: { a: "b" } } },
      ...([undefined, undefined, undefined, undefined, PatchStrategy.MergePatch] as const),
    );
    expect(merged.metadata?.labels).toEqual({ a: "b" });
    const { spec } = await apps.readNamespacedDeploymentScale({ namespace, name: "web" });
    expect(spec?.replicas).toBe(2);
    const missing = await apps.readNamespacedDeployment({ namespace, name: "none" }).catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(ApiException);
    expect(missing).toMatchObject({ code: 404 });
    await apps.deleteNamespacedDeployment({ namespace, name: "web", propagationPolicy: "Foreground" });
  });
});

test.skipIf(fluent === undefined)(
  "kubernetes-fluent-client applies, watches, patches, reads logs and serves custom kinds",
  async () => {
    const namespace = await shared().namespace();
    const node = shared().client(process.execPath, namespace);
    const script = fileURLToPath(new URL("fluent-client-script.mjs", import.meta.url));
    const packagePath = join(fluent ?? "", "node_modules", "kubernetes-fluent-client");
    const printed = await node.ok([script, packagePath, namespace]);
    expect(JSON.parse(printed.split("\n").at(-1) ?? "")).toEqual({
      events: ["ADDED one 1", "MODIFIED one 2", "MODIFIED one 3", "DELETED one 3"],
      manager: "pepr",
      read: { a: "3" },
      listed: 1,
      missing: 404,
      logs: ["[pod/p] from the pod"],
      custom: { phase: "Ready" },
      finalizers: ["example.com/hold"],
    });
  },
);
