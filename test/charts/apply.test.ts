/**
 * What the chart renders, the kustomize overlays and the samples are taken by an API server, which validates them in a dry run:
 * the embedded one, or with KUBEBUILDER_ASSETS or KUBECONFIG a real one. Then the policies against the roles' own accounts.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { findTool } from "../integration/clients/client-tools.ts";
import { CommandLine } from "../integration/clients/command-line.ts";
import { openTestCluster, type TestCluster } from "../support/test-cluster.ts";
import { helms, hubValues, render, someAddress } from "./helm.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const kubectlBinary = findTool("kubectl-1.35");
const newest = helms.at(-1);
const own = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";

describe.runIf(kubectlBinary !== undefined && newest !== undefined)("an API server", () => {
  let cluster: TestCluster;
  let kubectl: CommandLine;
  const apply = (input: string, args: readonly string[] = []) =>
    kubectl.run(["apply", "--server-side", "--force-conflicts", "-f", "-", ...args], { input });
  const as = (account: string, node: string) => [
    `--as=system:serviceaccount:inferium-system:${account}`,
    "--as-group=system:serviceaccounts",
    `--as-user-extra=authentication.kubernetes.io/node-name=${node}`,
  ];

  beforeAll(async () => {
    cluster = await openTestCluster();
    kubectl = new CommandLine(kubectlBinary ?? "", cluster.kubeconfigPath);
    await kubectl.ok("create namespace inferium-system");
    const { text, error } = render(newest?.binary ?? "", hubValues);
    const applied = await apply(text);
    expect(applied.code, applied.err + error).toBe(0);
    await kubectl.ok("wait --for=condition=Established crd --all --timeout=60s");
  });
  afterAll(async () => {
    kubectl?.close();
    await cluster?.close();
  });

  test("takes every sample", async () => {
    const applied = await kubectl.run([
      "apply",
      "--dry-run=server",
      "--validate=strict",
      "-f",
      `${root}manifests/samples`,
    ]);
    expect(applied.code, applied.err).toBe(0);
    const documents = readdirSync(`${root}manifests/samples`).flatMap((name) =>
      parseAllDocuments(readFileSync(`${root}manifests/samples/${name}`, "utf8")),
    );
    expect(applied.out.match(/\(server dry run\)/g)?.length).toBe(documents.length);
  });

  const workerNode = (name: string, nodeName: string) =>
    JSON.stringify({
      ...{ apiVersion: "inferium.io/v1alpha1", kind: "WorkerNode", metadata: { name } },
      spec: { nodeName, address: someAddress, role: "Worker", slots: 1 },
    });

  test("lets an agent make its own WorkerNode and no other", async () => {
    const create = (name: string, node: string) =>
      kubectl.run(["create", "-f", "-", ...as("inferium-agent", "node-a")], { input: workerNode(name, node) });
    // A policy is enforced a moment after it was made.
    const refused = async () => (await create("other", "node-b")).err;
    await expect.poll(refused, { timeout: 30_000 }).toContain("this one runs on node-a");
    const done = await create("own", "node-a");
    expect(done.code, done.err).toBe(0);
  });

  test("lets an agent label its own node under inferium.io and change nothing else", async () => {
    for (const name of ["node-a", "node-b"])
      await kubectl.ok(["create", "-f", "-"], {
        input: JSON.stringify({ apiVersion: "v1", kind: "Node", metadata: { name } }),
      });
    const patch = (node: string, body: object) =>
      kubectl.run([
        "patch",
        "node",
        node,
        "--type=merge",
        "-p",
        JSON.stringify(body),
        ...as("inferium-agent", "node-a"),
      ]);
    const tier = { metadata: { labels: { "inferium.io/tier": "Mid" } } };
    expect((await patch("node-a", tier)).code).toBe(0);
    expect((await patch("node-b", tier)).err).toContain("this one runs on node-a");
    expect((await patch("node-a", { metadata: { labels: { other: "x" } } })).err).toContain(
      "labels of inferium.io only",
    );
    expect((await patch("node-a", { spec: { unschedulable: true } })).err).toContain("never its spec");
    expect((await kubectl.run(["get", "secrets", "-A", ...as("inferium-agent", "node-a")])).err).toContain("forbidden");
  });

  test("lets a namespace name its own requesters only", async () => {
    await kubectl.ok("create namespace team");
    await kubectl.ok(["annotate", "namespace", "team", `inferium.io/requesters=${own.toLowerCase()}, 0x1`]);
    const submit = (requester: string) => {
      const digest = `sha256:${"a".repeat(64)}`;
      const source = { uri: "https://models.example.com/m", digest };
      const metadata = { generateName: "task-", namespace: "team" };
      const spec = { model: source, input: source, reward: "1", requester, orderRef: { name: "order" } };
      return kubectl.run(["create", "-f", "-"], {
        input: JSON.stringify({ apiVersion: "inferium.io/v1alpha1", kind: "InferenceTask", metadata, spec }),
      });
    };
    expect((await submit(someAddress)).err).toContain("is not among those of the annotation inferium.io/requesters");
    const allowed = await submit(own);
    expect(allowed.code, allowed.err).toBe(0);
    // The operator makes a leaderboard's tasks, so that the leaderboard itself is held to the same.
    const compare = (requester: string) => {
      const source = { uri: "https://models.example.com/m", digest: `sha256:${"a".repeat(64)}` };
      const labels = { configMapRef: { name: "labels", key: "labels.json" }, digest: source.digest };
      const spec = {
        ...{ models: [{ name: "one", ...source, outputName: "label" }], metrics: ["Accuracy"] },
        dataset: { classes: 2, shards: [{ rows: 1, input: source, labels }] },
        ...{ reward: "1", requester, orderRef: { name: "order" } },
      };
      const object = {
        apiVersion: "inferium.io/v1alpha1",
        kind: "Leaderboard",
        metadata: { name: "lb", namespace: "team" },
      };
      return apply(JSON.stringify({ ...object, spec }));
    };
    expect((await compare(someAddress)).err).toContain("is not among those of the annotation inferium.io/requesters");
    const made = await compare(own);
    expect(made.code, made.err).toBe(0);
    expect((await compare(someAddress)).err).toContain("is not among those of the annotation inferium.io/requesters");
  });

  test("gives workers and validators nothing", async () => {
    const can = await kubectl.ok(["auth", "can-i", "--list", ...as("inferium-member", "node-a")]);
    expect(can).not.toMatch(/inferium\.io|secrets|pods/);
  });

  // At the end: they take over the chart's objects of the same names.
  test.each(["hub", "overlays/single-node", "overlays/production", "overlays/member"])(
    "takes manifests/%s, and a second look finds no difference",
    async (folder) => {
      const built = spawnSync(kubectlBinary ?? "", ["kustomize", `${root}manifests/${folder}`], { encoding: "utf8" });
      expect(built.status, built.stderr).toBe(0);
      const applied = await apply(built.stdout, ["--validate=strict"]);
      expect(applied.code, applied.err).toBe(0);
      const diff = await kubectl.run(["diff", "--server-side", "--force-conflicts", "-f", "-"], {
        input: built.stdout,
      });
      expect(diff.code, diff.out + diff.err).toBe(0);
    },
  );

  test("takes the embedded run's base", async () => {
    const applied = await kubectl.run([
      "apply",
      "--dry-run=server",
      "--validate=strict",
      "-f",
      `${root}manifests/base`,
    ]);
    expect(applied.code, applied.err).toBe(0);
  });
});
