/** helm 3.17 and 4.1 through the whole life of a release, on a chart of all that charts of third parties are made of. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createClient, type KubeClient } from "../../../src/kube/client.ts";
import { configMaps } from "../../../src/kube/core-resources.ts";
import type { KubeObject } from "../../../src/kube/object.ts";
import { defineResource } from "../../../src/kube/resource.ts";
import { findTool } from "./client-tools.ts";
import type { CommandLine } from "./command-line.ts";
import { shared } from "./shared-cluster.ts";

const chart = fileURLToPath(new URL("chart", import.meta.url));
const versions = (["helm-3.17", "helm-4.1"] as const).flatMap((name) => {
  const binary = findTool(name);
  return binary === undefined ? [] : [{ name, binary }];
});

interface Workload extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly template: { readonly spec: { containers: { image: string }[] } };
  };
  readonly status?: { readonly readyReplicas?: number; readonly updatedReplicas?: number };
}
const define = (apiVersion: string, kind: string, plural: string, namespaced = true) =>
  defineResource<Workload>({ apiVersion, kind, plural, namespaced });
const kinds = {
  deployments: define("apps/v1", "Deployment", "deployments"),
  jobs: define("batch/v1", "Job", "jobs"),
  gadgets: define("shop.example.com/v1", "Gadget", "gadgets"),
  ingresses: define("networking.k8s.io/v1", "Ingress", "ingresses"),
  budgets: define("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
  pods: define("v1", "Pod", "pods"),
  secrets: define("v1", "Secret", "secrets"),
};
const clientOf = (kind: keyof typeof kinds): KubeClient<Workload> =>
  createClient(shared().cluster.transport, kinds[kind]);

async function names(kind: keyof typeof kinds, namespace: string): Promise<string[]> {
  return (await clientOf(kind).list({ namespace })).items.map((item) => item.metadata.name);
}

/** Status of each revision, oldest first. */
async function history(helm: CommandLine): Promise<string[]> {
  const revisions = JSON.parse(await helm.ok("history shop -o json")) as { status: string }[];
  return revisions.map((revision) => revision.status);
}

describe.concurrent.each(versions)("$name", ({ binary }) => {
  async function openHelm() {
    const namespace = await shared().namespace();
    const deployment = () => clientOf("deployments").get({ namespace, name: "shop" });
    const image = async () => (await deployment()).spec.template.spec.containers[0]?.image;
    const data = async (name: string) =>
      (await createClient(shared().cluster.transport, configMaps).get({ namespace, name })).data ?? {};
    return { helm: shared().client(binary, namespace), namespace, deployment, image, data };
  }

  test("installs with definitions, hooks and lookups, tests, upgrades, rolls back and uninstalls", async () => {
    const { helm, namespace, deployment, image, data } = await openHelm();
    expect(await helm.ok(["install", "shop", chart, "--wait", "--timeout=120s"])).toMatch(
      /STATUS: deployed\nREVISION: 1\n[\s\S]*Shop shop says hello\./,
    );
    expect((await deployment()).status).toMatchObject({ readyReplicas: 2, updatedReplicas: 2 });
    expect(await data("shop")).toEqual({ message: "hello", cluster: namespace });
    // Of the hooks, the one that asks to be kept is left, and both of this event have run.
    expect(await names("jobs", namespace)).toEqual(["shop-post-install"]);
    expect(await data("shop-before-jobs")).toEqual({ revision: "1" });
    expect(await names("gadgets", namespace)).toEqual(["shop"]);
    const password = (await clientOf("secrets").get({ namespace, name: "shop" })) as { data?: { password: string } };

    expect(await helm.ok("test shop --logs --timeout=120s")).toMatch(/Phase: +Succeeded[\s\S]*message is hello/);
    expect(await helm.ok("list -o json")).toContain('"chart":"shop-1.0.0"');
    const all = await helm.ok("get all shop");
    for (const part of ["COMPUTED VALUES:", "HOOKS:", "MANIFEST:", "kind: Gadget", "NOTES:"])
      expect(all).toContain(part);

    const values = ["--set", "release=2,message=bye", "--wait", "--timeout=120s"];
    expect(await helm.ok(["upgrade", "shop", chart, ...values])).toMatch(/has been upgraded[\s\S]*says bye/);
    expect(await image()).toBe("registry.example/web:2");
    expect(await data("shop-before-jobs")).toEqual({ revision: "2" });
    expect(await clientOf("secrets").get({ namespace, name: "shop" })).toMatchObject({ data: password.data });
    expect(await helm.fails("test shop --timeout=120s")).toMatch(/shop-test/);
    expect(await helm.ok("rollback shop 1 --wait --timeout=120s")).toMatch(/Rollback was a success/);
    expect(await image()).toBe("registry.example/web:1");
    expect(await data("shop")).toMatchObject({ message: "hello" });
    expect(await history(helm)).toEqual(["superseded", "superseded", "deployed"]);

    expect(await helm.ok("uninstall shop --wait --timeout=120s")).toContain('release "shop" uninstalled');
    for (const kind of ["deployments", "ingresses", "budgets", "gadgets", "secrets"] as const)
      expect(await names(kind, namespace)).toEqual([]);
    expect(await names("jobs", namespace)).toEqual(["shop-post-install"]);
    expect(await helm.fails("status shop")).toMatch(/not found/);
  });

  test("tells of an upgrade that does not become ready, rolls back by itself when told to, and stops at a hook that fails", async () => {
    const { helm, deployment, image } = await openHelm();
    await helm.ok(["install", "shop", chart, "--set=replicas=1", "--wait", "--timeout=120s"]);
    const crashing = ["upgrade", "shop", chart, "--set", "replicas=1,crashes=true,release=2", "--wait", "--timeout=4s"];
    expect(await helm.fails(crashing)).toMatch(/UPGRADE FAILED/);
    expect(await history(helm)).toEqual(["deployed", "failed"]);
    expect(await helm.ok("rollback shop --wait --timeout=120s")).toMatch(/Rollback was a success/);
    expect(await image()).toBe("registry.example/web:1");
    expect((await deployment()).status).toMatchObject({ readyReplicas: 1 });
    const atomic = [
      "upgrade",
      "shop",
      chart,
      "--set",
      "replicas=1,hookFails=true,release=2",
      "--atomic",
      "--timeout=120s",
    ];
    expect(await helm.fails(atomic)).toMatch(/has been rolled back due to/);
    expect(await history(helm)).toEqual(["superseded", "failed", "superseded", "failed", "deployed"]);
    const failing = ["upgrade", "shop", chart, "--set", "replicas=1,hookFails=true,release=2", "--timeout=20s"];
    expect(await helm.fails(failing)).toMatch(/pre-upgrade hooks failed/);
    expect(await image()).toBe("registry.example/web:1");
    expect((await history(helm)).at(-1)).toBe("failed");
    expect(await helm.ok(["upgrade", "--install", "shop", chart, "--set=replicas=1", "--dry-run=server"])).toContain(
      "kind: Deployment",
    );
  });
});
