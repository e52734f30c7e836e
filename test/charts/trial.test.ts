/**
 * The shortest way to a working pool on a cluster: no chain, no key, no address, only which members run where. The chart's development
 * chain, its setup and generated keys do the rest; a task is settled, and the chain is there after its pod was replaced.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findAnvil } from "../../src/embedded/chain/anvil-binary.ts";
import { trialAddresses } from "../../src/embedded/chain/set-up-trial.ts";
import { type ArtifactServer, startArtifactServer } from "../../src/embedded/demo/artifact-server.ts";
import { createClient } from "../../src/kube/client.ts";
import { configMaps, namespaces } from "../../src/kube/core-resources.ts";
import { findTool } from "../integration/clients/client-tools.ts";
import { CommandLine } from "../integration/clients/command-line.ts";
import { runCommand } from "../support/run-command.ts";
import { type BaseCluster, baseKind, openBaseCluster } from "./base-cluster.ts";
import {
  image,
  isLong,
  onProcesses,
  onSimulatedNodes,
  startNodes,
  startServiceProxy,
  system,
} from "./chart-cluster.ts";
import { describePods } from "./describe-pods.ts";
import { chart, helms } from "./helm.ts";
import { listReady } from "./member-release.ts";
import { submitTask, untilSettled } from "./submitted-task.ts";

const newest = helms.at(-1);
const kubectlBinary = findTool("kubectl-1.35");
const anvilImage = "ghcr.io/foundry-rs/foundry:v1.7.1";
const members = [
  { name: "worker-a", node: "gpu-high-a100" },
  { name: "validator-1", node: "cpu-validator-1", role: "Validator" },
  { name: "validator-2", node: "cpu-validator-2", role: "Validator" },
  { name: "validator-3", node: "cpu-validator-3", role: "Validator" },
];
/** No other pod of the release is there: pods of one node share its address. */
const chainNode = "gpu-low-p4";

if (!isLong) console.log("The chart's trial is skipped, which takes a minute: npm run test:charts runs it.");

describe.runIf(isLong && newest !== undefined && kubectlBinary !== undefined)(
  `the chart with a development chain of its own (${baseKind})`,
  () => {
    let cluster: BaseCluster;
    let artifacts: ArtifactServer;
    let helm: CommandLine;
    let kubectl: CommandLine;
    let values: object;
    const closing: (() => unknown)[] = [];

    beforeAll(async () => {
      const bundled = await runCommand(process.execPath, ["bundle.ts", "--if-changed"]);
      expect(bundled.code, bundled.stderr).toBe(0);
      cluster = await openBaseCluster();
      closing.push(() => cluster.close());
      const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
      await createClient(cluster.transport, namespaces).apply({ metadata: { name: system, labels } });
      const binary = findAnvil();
      const images = { [anvilImage]: { entrypoint: [binary] } };
      const others = [...members.map(({ node }) => node), chainNode];
      const addresses = await startNodes(cluster, others, { images, paths: [dirname(binary)] });
      artifacts = await startArtifactServer();
      closing.push(() => artifacts.close());
      const proxy = await startServiceProxy(cluster, "inferium-pool");
      closing.push(() => proxy.server.close());
      const home = await mkdtemp(join(tmpdir(), "chart-trial-"));
      closing.push(() => rm(home, { recursive: true, force: true }));
      helm = new CommandLine(newest?.binary ?? "", cluster.kubeconfigPath);
      kubectl = new CommandLine(kubectlBinary ?? "", cluster.kubeconfigPath);
      closing.push(
        () => helm.close(),
        () => kubectl.close(),
      );
      const [repository = "", tag = ""] = image.split(":");
      // Where cluster addresses lead nowhere, the chain is dialled at its pod and the pool through a proxy.
      values = {
        ...onSimulatedNodes,
        image: { repository, tag, pullPolicy: "Never" },
        chain: {
          rpcUrl: `http://${addresses.get(chainNode)}:8545`,
          embedded: {
            enabled: true,
            pullPolicy: "Never",
            storage: { enabled: false },
            nodeSelector: { "kubernetes.io/hostname": chainNode },
          },
        },
        pool: { url: `https://127.0.0.1:${proxy.port}`, tls: { extraAddresses: ["127.0.0.1"] } },
        members,
        worker: onProcesses,
        validator: onProcesses,
      };
    });
    afterAll(async () => {
      for (let end = closing.pop(); end !== undefined; end = closing.pop()) await end();
    });

    test("installs, and every member is bonded without a word", async () => {
      const args = ["install", "inferium", chart, "-n", system, "--values", "-", "--wait", "--timeout", "120s"];
      const done = await helm.run(args, { input: JSON.stringify(values) });
      expect(done.code, `${done.err}\n${await describePods(kubectl)}`).toBe(0);
      expect(done.out).toContain("a development chain for a trial");
      const ready = () => listReady(cluster.transport);
      await expect.poll(ready, { timeout: 90_000 }).toEqual(members.map(({ name }) => name).sort());
    });

    test("tells its pods where the contracts are that the setup deploys", async () => {
      const named = { namespace: system, name: "inferium-contracts" };
      const { data } = await createClient(cluster.transport, configMaps).get(named);
      expect(JSON.parse(data?.["addresses.json"] ?? "{}")).toEqual(trialAddresses());
    });

    test("settles a task", async () => {
      const ref = { namespace: "default", name: "first" };
      await submitTask({ artifacts }, kubectl, ref);
      await untilSettled({ cluster }, ref).catch(async (error: unknown) => {
        throw new Error(`${String(error)}\n${await describePods(kubectl)}`);
      });
    });
  },
);
