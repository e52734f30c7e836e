/** The control plane as other projects use it: the examples as they stand, and the README's code, which must be theirs. */
import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scheduleDeployment } from "../../../examples/control-plane/deployment.ts";
import { readBack } from "../../../examples/control-plane/read-back.ts";
import { startControlPlane } from "../../../src/embedded/control-plane.ts";
import { createClient } from "../../../src/kube/client.ts";
import { loadKubeConnection } from "../../../src/kube/connection.ts";
import { configMaps } from "../../../src/kube/core-resources.ts";
import { createTransport } from "../../../src/kube/transport.ts";

test("an object that a client applies is read back", async () => {
  expect(await readBack()).toBe("blue");
});

test("with controllers and scheduler a deployment becomes pods on a node", async () => {
  expect(await scheduleDeployment()).toEqual(["node-1", "node-1"]);
});

test("the README's code is the example's", async () => {
  const read = (path: string) => readFile(new URL(`../../../${path}`, import.meta.url), "utf8");
  const code = /```ts\n([\s\S]*?)```/.exec(await read("src/embedded/README.md"))?.[1] ?? "";
  const lines = (text: string) => text.split("\n").map((line) => line.trim());
  expect(lines(code).length).toBeGreaterThan(5);
  expect(lines(await read("examples/control-plane/read-back.ts")).join("\n")).toContain(lines(code).join("\n").trim());
});

test("after close the kubeconfig is gone and the port free", async () => {
  const one = await startControlPlane();
  const port = Number(new URL(one.url).port);
  await one.close();
  await expect(access(one.kubeconfigPath)).rejects.toThrow();
  const two = await startControlPlane({ port });
  await two.close();
});

test("with a data directory, objects, kubeconfig and custom kinds outlive a restart", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "inferium-control-plane-"));
  try {
    const one = await startControlPlane({ dataDir });
    const port = Number(new URL(one.url).port);
    const widgets = "/apis/example.com/v1/namespaces/default/widgets";
    const post = (path: string, body: object) => one.transport.request({ method: "POST", path, body });
    await post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      metadata: { name: "widgets.example.com" },
      spec: {
        group: "example.com",
        scope: "Namespaced",
        names: { kind: "Widget", plural: "widgets" },
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
      },
    });
    await expect.poll(() => post(widgets, { kind: "Widget", metadata: { name: "w" } }).catch(() => null)).toBeTruthy();
    await createClient(one.transport, configMaps).apply({ metadata: { name: "kept", namespace: "default" } });
    const { kubeconfig } = one;
    await one.close();

    const two = await startControlPlane({ dataDir, port });
    expect(two.kubeconfig).toBe(kubeconfig);
    const connection = await loadKubeConnection({ kubeconfigPath: two.kubeconfigPath });
    const transport = createTransport(connection, { fieldManager: "test" });
    const kept = await createClient(transport, configMaps).get({ name: "kept", namespace: "default" });
    expect(kept.metadata.uid).toBeTruthy();
    await expect(transport.request({ method: "GET", path: `${widgets}/w` })).resolves.toMatchObject({
      metadata: { name: "w" },
    });
    await transport.close();
    await two.close();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
