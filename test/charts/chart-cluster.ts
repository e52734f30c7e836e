/**
 * A cluster that the chart is really installed on (base-cluster.ts: the embedded control plane or a real one), nodes whose
 * pods are local processes at addresses of their own, a local chain on which the members are bonded, and what kube-proxy
 * would be for the pool's Service.
 */
import { writeFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hexlify, randomBytes, Wallet } from "ethers";
import { parse, stringify } from "yaml";
import { silentLogger } from "../../src/base/log.ts";
import type { ContractAddresses } from "../../src/chain/addresses.ts";
import { bondNodes, depositFor, mintTokens } from "../../src/chain/bond.ts";
import { deployContracts } from "../../src/chain/deploy.ts";
import { defaultDeployParameters } from "../../src/chain/deploy-parameters.ts";
import { openProvider } from "../../src/chain/provider.ts";
import { registerCircuit } from "../../src/chain/registered-circuit.ts";
import { startAnvil } from "../../src/embedded/chain/anvil.ts";
import type { FundedAccount } from "../../src/embedded/chain/development-accounts.ts";
import { type ArtifactServer, startArtifactServer } from "../../src/embedded/demo/artifact-server.ts";
import { openProvingSetup } from "../../src/embedded/demo/proving-setup.ts";
import type { ImageTable } from "../../src/embedded/kubelet/image-table.ts";
import { writeFakeNvidiaSmi } from "../../src/embedded/nodes/fake-nvidia-smi.ts";
import { nodeProfiles } from "../../src/embedded/nodes/node-profiles.ts";
import { createClient } from "../../src/kube/client.ts";
import { namespaces, pods } from "../../src/kube/core-resources.ts";
import { parseIfr } from "../../src/protocol/amount.ts";
import { describeRegistration } from "../../src/zk/ceremony/describe-registration.ts";
import { CommandLine } from "../integration/clients/command-line.ts";
import { type BaseCluster, openBaseCluster } from "./base-cluster.ts";

export const system = "inferium-system";
export const image = "inferium.io/inferium:process";

export interface ChartMember {
  readonly name: string;
  readonly node: string;
  readonly role: "Worker" | "Validator";
  readonly wallet: Wallet;
  readonly owner: string;
}

export interface ChartCluster {
  readonly cluster: BaseCluster;
  readonly members: readonly ChartMember[];
  readonly artifacts: ArtifactServer;
  readonly chain: StartedChain;
  /** Of the chart, for an install that works here. */
  readonly values: Readonly<Record<string, unknown>>;
  client(binary: string): CommandLine;
  close(): Promise<void>;
}

const placed = [
  { name: "worker-a", node: "gpu-high-a100", role: "Worker" },
  { name: "validator-1", node: "cpu-validator-1", role: "Validator" },
  { name: "validator-2", node: "cpu-validator-2", role: "Validator" },
  { name: "validator-3", node: "cpu-validator-3", role: "Validator" },
] as const;
const controlNodes = ["control", "cpu-low", "gpu-mid-l4"];
const depositWei = parseIfr("1000");
/** `npm run test:charts`; `npm test` leaves out what takes long and changes rarely. */
export const isLong = process.env.INFERIUM_CHARTS === "long";
const onControlNodes = {
  requiredDuringSchedulingIgnoredDuringExecution: {
    nodeSelectorTerms: [
      { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: controlNodes }] },
    ],
  },
};
/** Of this process alone: two runs on one machine would take each other's ports. */
const ownNetwork = `127.${1 + ((process.pid >> 8) % 250)}.${process.pid % 256}`;
/** The third node is for the one that a rollout adds. */
const apart = {
  requiredDuringSchedulingIgnoredDuringExecution: [
    {
      topologyKey: "kubernetes.io/hostname",
      labelSelector: { matchLabels: { "app.kubernetes.io/component": "operator" } },
    },
  ],
};

export async function openChartCluster(release: string): Promise<ChartCluster> {
  const closing: (() => unknown)[] = [];
  const close = async () => {
    for (let end = closing.pop(); end !== undefined; end = closing.pop()) await end();
  };
  try {
    const cluster = await openBaseCluster();
    closing.push(() => cluster.close());
    const { transport } = cluster;
    // What an administrator does first: only what the restricted standard allows runs there.
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    await createClient(transport, namespaces).apply({ metadata: { name: system, labels } });
    await startNodes(cluster, [...placed.map(({ node }) => node), ...(isLong ? ["gpu-low-p4"] : [])]);
    const members = placed.map((one) => ({ ...one, wallet: newKey(), owner: newKey().address }));
    const chain = await startChain(cluster.directory, members);
    closing.push(chain.stop);
    await createKeys(cluster, members, chain.settlerKey);
    const artifacts = await startArtifactServer();
    closing.push(() => artifacts.close());
    const proxy = await startServiceProxy(cluster, `${release}-pool`);
    closing.push(() => proxy.server.close());
    const clients: CommandLine[] = [];
    const { contexts, ...rest } = parse(await readFile(cluster.kubeconfigPath, "utf8"));
    const inSystem = contexts.map((one: { context: object }) => ({
      ...one,
      context: { ...one.context, namespace: system },
    }));
    closing.push(() => clients.forEach((client) => void client.close()));
    return {
      ...{ cluster, members, artifacts, chain, close },
      values: buildValues(members, chain, proxy.port),
      client: (binary) => {
        const kubeconfig = join(cluster.directory, `kubeconfig-${clients.length}`);
        writeFileSync(kubeconfig, stringify({ ...rest, contexts: inSystem }));
        const client = new CommandLine(binary, kubeconfig);
        clients.push(client);
        return client;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function newKey(): Wallet {
  return new Wallet(hexlify(randomBytes(32)));
}

interface MoreImages {
  readonly images?: ImageTable;
  /** Folders of commands that such images have. */
  readonly paths?: readonly string[];
}

/**
 * Those for operators first. Each node has an address, so that pods of several nodes use one port.
 * @returns the addresses, by node
 */
export async function startNodes(
  cluster: BaseCluster,
  others: readonly string[],
  { images = {}, paths = [] }: MoreImages = {},
): Promise<Map<string, string>> {
  const entrypoint = [process.execPath, fileURLToPath(new URL("../../dist/main.js", import.meta.url))];
  const path = [...paths, process.env.PATH ?? "/usr/bin:/bin"].join(":");
  const wanted = [...controlNodes, ...others];
  const addressOf = (index: number) => `${ownNetwork}.${index + 1}`;
  await Promise.all(
    wanted.map(async (name, index) => {
      const profile = nodeProfiles.find((one) => one.name === name);
      if (profile === undefined) throw new Error(`there is no simulated node ${name}`);
      const folder = join(cluster.directory, "bin", name);
      await mkdir(folder, { recursive: true });
      await writeFakeNvidiaSmi(folder, profile);
      await cluster.startKubelet(name, {
        nodeTemplate: profile,
        images: { [image]: { entrypoint }, ...images },
        podAddress: addressOf(index),
        hostEnv: { PATH: path, HOME: cluster.directory },
        nodeEnv: { PATH: `${folder}:${path}` },
        // Longer than a start takes on a busy machine.
        crashBackoff: { initialMs: 3_000, maxMs: 10_000 },
        // Roles end in order within moments; a shorter grace would kill an operator before it gives its lease back.
        stopGraceMs: 5_000,
      });
    }),
  );
  return new Map(wanted.map((name, index) => [name, addressOf(index)]));
}

export interface StartedChain {
  readonly rpcUrl: string;
  readonly remote: FundedAccount;
  readonly requester: FundedAccount;
  /** Proving keys of the classifier, which validators read. */
  readonly proofsDir: string;
  readonly addresses: ContractAddresses;
  readonly settlerKey: string;
  readonly stop: () => Promise<void>;
}

async function startChain(directory: string, members: readonly ChartMember[]): Promise<StartedChain> {
  const dataDir = join(directory, "chain");
  const proofsDir = join(directory, "proofs");
  const anvil = await startAnvil({ port: 0, dataDir, logger: silentLogger, blockSeconds: 0.25 });
  const provider = await openProvider({ rpcUrl: anvil.rpcUrl, timeoutMs: 10_000 });
  const [deployer, remote, settler, requester] = anvil.accounts;
  if (!deployer || !remote || !settler || !requester) throw new Error("anvil has no accounts");
  const signer = new Wallet(deployer.privateKey, provider);
  const validators = members.filter(({ role }) => role === "Validator").map(({ wallet }) => wallet.address);
  const addresses = await deployContracts({ signer, parameters: { validators, allowDevelopmentSetup: true } });
  // The samples' remote worker and requester are accounts of the local chain.
  const remoteWorker = { wallet: new Wallet(remote.privateKey), role: "Worker", owner: remote.address } as const;
  const bonds = [...members, remoteWorker].map(({ wallet, role, owner }) => ({
    node: wallet,
    role,
    payout: owner,
    amountWei: role === "Worker" ? defaultDeployParameters.workerBondWei : defaultDeployParameters.validatorBondWei,
  }));
  const amountWei = bonds.reduce((sum, bond) => sum + bond.amountWei, depositWei);
  const writer = { signer, addresses };
  await mintTokens(writer, [{ account: signer.address, amountWei }]);
  await bondNodes(writer, bonds);
  await depositFor(writer, [{ account: requester.address, amountWei: depositWei }]);
  await registerCircuit(writer, describeRegistration(await openProvingSetup(proofsDir)));
  provider.destroy();
  return {
    ...{ rpcUrl: anvil.rpcUrl, addresses, settlerKey: settler.privateKey, proofsDir, remote, requester },
    stop: () => anvil.stop(),
  };
}

/** Forwards to the pod that the Service selects, as long as there is exactly one that is ready: the leader. */
export async function startServiceProxy(
  cluster: BaseCluster,
  service: string,
): Promise<{ server: Server; port: number }> {
  const client = createClient(cluster.transport, pods);
  const findLeader = async () => {
    const selected = await client.list({
      namespace: system,
      labelSelector: `inferium.io/leader=true,app.kubernetes.io/component=operator`,
    });
    const addresses = selected.items.map((pod) => (pod.status as { podIP?: string } | undefined)?.podIP);
    return addresses.length === 1 ? addresses[0] : undefined;
  };
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    findLeader()
      .then((host) => {
        if (host === undefined) return socket.destroy(new Error(`${service} has no endpoint`));
        const onward = connect({ host, port: 8443 });
        onward.on("error", () => socket.destroy());
        socket.on("close", () => onward.destroy());
        onward.on("close", () => socket.destroy());
        return socket.pipe(onward).pipe(socket);
      })
      .catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
}

/** Values for nodes that say that they are simulated. */
export const onSimulatedNodes = {
  operator: {
    batchSeconds: 0.5,
    env: { INFERIUM_BOND_REFRESH_SECONDS: 2, INFERIUM_ACCEPT_SIMULATED: true },
    // Pods of one node share its address, so no two of them may listen on one port.
    affinity: { nodeAffinity: onControlNodes, podAntiAffinity: apart },
  },
  agent: { intervalSeconds: 5, env: { INFERIUM_SIMULATED: true } },
} as const;
/** Pods that are processes have no claims, need less than the chart asks for, and fetch from this machine. */
export const onProcesses = {
  storage: { enabled: false },
  resources: { requests: { cpu: "100m", memory: "128Mi" } },
  env: { INFERIUM_ALLOWED_ADDRESSES: "127.0.0.0/8" },
};

function buildValues(members: readonly ChartMember[], chain: StartedChain, poolPort: number): Record<string, unknown> {
  const [repository = "", tag = ""] = image.split(":");
  const proving = { INFERIUM_PROOF_ARTIFACTS_DIR: chain.proofsDir, INFERIUM_ALLOW_DEVELOPMENT_SETUP: true };
  return {
    image: { repository, tag, pullPolicy: "Never" },
    chain: {
      rpcUrl: chain.rpcUrl,
      chainId: 31_337,
      addresses: chain.addresses,
      treasury: new Wallet(`0x${"7e".repeat(32)}`).address,
      settler: { existingSecret: "settler" },
    },
    pool: { url: `https://127.0.0.1:${poolPort}`, tls: { extraAddresses: ["127.0.0.1"] } },
    ...onSimulatedNodes,
    members: members.map(({ name, node, role, owner, wallet }) => ({
      ...{ name, node, role, owner, address: wallet.address, existingSecret: `${name}-key` },
    })),
    worker: onProcesses,
    validator: { ...onProcesses, env: { ...onProcesses.env, ...proving } },
  };
}

/** The Secrets that an administrator makes before the install. */
async function createKeys(cluster: BaseCluster, members: readonly ChartMember[], settlerKey: string): Promise<void> {
  const keys = [...members.map(({ name, wallet }) => [`${name}-key`, wallet.privateKey]), ["settler", settlerKey]];
  for (const [name, key] of keys) {
    await cluster.transport.request({
      method: "POST",
      path: `/api/v1/namespaces/${system}/secrets`,
      body: { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: system }, stringData: { key } },
    });
  }
}

export async function readModel(): Promise<Buffer> {
  return readFile(new URL("../../src/embedded/demo/models/mnist-int8.onnx", import.meta.url));
}
