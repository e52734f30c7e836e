/** The examples for users of the runtime, run as they stand, and the README's code, which must be theirs. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expireConfigMaps } from "../../../examples/kube/expire-config-maps.ts";
import { labelConfigMaps } from "../../../examples/kube/label-config-maps.ts";
import { countRunning, createPodIndex } from "../../../examples/kube/pods-by-node.ts";
import { findFreePorts } from "../../../src/embedded/up/ports.ts";
import { isNotFound } from "../../../src/kube/api-error.ts";
import { createClient } from "../../../src/kube/client.ts";
import { type KubeConnection, loadKubeConnection } from "../../../src/kube/connection.ts";
import { configMaps, events, leases, pods, serviceAccounts } from "../../../src/kube/core-resources.ts";
import { createTransport, type Transport } from "../../../src/kube/transport.ts";
import { openTestCluster, type TestCluster } from "../../support/test-cluster.ts";

const root = new URL("../../../", import.meta.url);
const namespace = "default";
let cluster: TestCluster;
let connection: KubeConnection;
let transport: Transport;

beforeAll(async () => {
  cluster = await openTestCluster();
  connection = await loadKubeConnection({ kubeconfigPath: cluster.kubeconfigPath });
  transport = createTransport(connection, { fieldManager: "test" });
}, 90_000);

afterAll(async () => {
  await transport.close();
  await cluster.close();
});

const eventually = { timeout: 20_000 };

describe("the examples", () => {
  test("of ten lines labels what is there and what comes, and ends when told", async () => {
    const client = createClient(transport, configMaps);
    const stop = new AbortController();
    await client.apply({ metadata: { name: "early", namespace } });
    const running = labelConfigMaps(transport, stop.signal);
    await client.apply({ metadata: { name: "late", namespace } });
    const label = async (name: string) => (await client.get({ name, namespace })).metadata.labels?.seen;
    await expect.poll(() => label("early"), eventually).toBe("yes");
    await expect.poll(() => label("late"), eventually).toBe("yes");
    stop.abort();
    await running;
  });

  test("of production archives a map before it goes, tells of it, shows its metrics and gives its lease back", async () => {
    const client = createClient(transport, configMaps);
    const stop = new AbortController();
    const archived: string[] = [];
    const [healthPort = 0] = await findFreePorts(1);
    const archive = async (map: { metadata: { name: string } }) => void archived.push(map.metadata.name);
    const running = expireConfigMaps(
      { connection, namespace, identity: "replica-1", healthPort, archive },
      stop.signal,
    );
    const annotations = { "example.com/expires-after-seconds": "1" };
    await client.apply({ metadata: { name: "short-lived", namespace, annotations } });
    await client.apply({ metadata: { name: "long-lived", namespace } });
    const isGone = () => client.get({ name: "short-lived", namespace }).then(() => false, isNotFound);
    await expect.poll(isGone, eventually).toBe(true);
    expect([...new Set(archived)]).toEqual(["short-lived"]);
    expect((await client.get({ name: "long-lived", namespace })).metadata.finalizers).toBeUndefined();
    const metrics = await (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text();
    expect(metrics).toMatch(/controller_runtime_reconcile_total\{controller="expiry",result="success"\} \d/);
    expect((await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status).toBe(200);
    stop.abort();
    await running;
    const told = await createClient(transport, events).list({ namespace });
    expect(told.items.map((event) => event.reason)).toContain("Expired");
    const lease = await createClient(transport, leases).get({ namespace, name: "expiry" });
    expect(lease.spec?.holderIdentity || undefined).toBeUndefined();
  });

  test("of an index keeps two fields of each pod, by node", async () => {
    // A real API server admits no pod before its namespace has the account, which a controller would make.
    await createClient(transport, serviceAccounts).apply({ metadata: { name: "default", namespace } });
    const spec = { nodeName: "node-1", containers: [{ name: "c", image: "example.com/c" }] };
    await createClient(transport, pods).apply({ metadata: { name: "indexed", namespace }, spec });
    await createClient(transport, pods).applyStatus({
      metadata: { name: "indexed", namespace },
      status: { phase: "Running" },
    });
    const informer = createPodIndex(transport);
    informer.start();
    await informer.synced(20_000);
    expect(informer.store.get("default/indexed")).toEqual({ node: "node-1", phase: "Running" });
    expect([countRunning(informer, "node-1"), countRunning(informer, "node-2")]).toEqual([1, 0]);
    await informer.stop();
  });
});

test("each piece of code in the README stands in one of the examples, line by line", () => {
  const dedent = (text: string) =>
    text
      .split("\n")
      .map((line) => line.trim())
      .join("\n")
      .trim();
  const readme = readFileSync(new URL("src/kube/README.md", root), "utf8");
  const blocks = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => dedent(match[1] ?? ""));
  const examples = readdirSync(new URL("examples/kube/", root)).map((name) =>
    dedent(readFileSync(new URL(`examples/kube/${name}`, root), "utf8")),
  );
  expect(blocks.length).toBeGreaterThanOrEqual(3);
  expect(blocks.filter((block) => !examples.some((example) => example.includes(block)))).toEqual([]);
  expect(blocks[0]?.split("\n")).toHaveLength(10);
});
