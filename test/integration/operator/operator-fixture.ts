/** An API server, a chain and members, and operators that can be started and stopped on them. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JsonRpcProvider, Wallet } from "ethers";
import type { WorkerNodeStatus } from "../../../src/api/v1alpha1/generated/workernodes.ts";
import { createLogger, silentLogger } from "../../../src/base/log.ts";
import { createCertificateAuthority, issueServerCertificate } from "../../../src/base/tls.ts";
import type { ContractAddresses } from "../../../src/chain/addresses.ts";
import { bondNodes, type ChainWriter, depositFor, mintTokens } from "../../../src/chain/bond.ts";
import { type ChainClient, connectChain } from "../../../src/chain/client.ts";
import { deployContracts } from "../../../src/chain/deploy.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { openProvider } from "../../../src/chain/provider.ts";
import { type ApiServer, startApiServer } from "../../../src/embedded/apiserver/server.ts";
import { type Anvil, startAnvil } from "../../../src/embedded/chain/anvil.ts";
import { applyObjects, readManifests } from "../../../src/embedded/up/manifests.ts";
import { createClient, type KubeClient } from "../../../src/kube/client.ts";
import { createStaticConnection } from "../../../src/kube/connection.ts";
import { configMaps, namespaces, nodes, secrets } from "../../../src/kube/core-resources.ts";
import { createTransport, type Transport } from "../../../src/kube/transport.ts";
import type { OperatorConfig } from "../../../src/operator/config.ts";
import {
  type LeaderboardObject,
  leaderboards,
  type TaskObject,
  tasks,
  type ValidationObject,
  validations,
  type WorkerObject,
  workerNodes,
} from "../../../src/operator/kinds.ts";
import { runOperator } from "../../../src/operator/operator.ts";
import { createSigner, type ProtocolSigner } from "../../../src/pool/signer.ts";
import { type OrderMessage, orderTypes, type ProtocolDomain } from "../../../src/protocol/typed-data.ts";

export const treasury = new Wallet(`0x${"7e".repeat(32)}`).address;
export const pool = "test-pool";
const system = "inferium-system";

export interface FixtureMember {
  readonly name: string;
  readonly role: "Worker" | "Validator";
  readonly signer: ProtocolSigner;
  /** Of the signer. */
  readonly privateKey: string;
  readonly owner: string;
}

export interface Cluster {
  readonly server: Pick<ApiServer, "url" | "adminToken" | "caPem" | "writes" | "close">;
  readonly chain: ChainClient;
  /** Deployed the contracts. */
  readonly admin: ChainWriter;
  readonly domain: ProtocolDomain;
  readonly transport: Transport;
  readonly tasks: KubeClient<TaskObject>;
  readonly validations: KubeClient<ValidationObject>;
  readonly workers: KubeClient<WorkerObject>;
  readonly leaderboards: KubeClient<LeaderboardObject>;
  readonly members: readonly FixtureMember[];
  readonly poolCa: string;
  readonly config: OperatorConfig;
  readonly anvilPid: number;
  /** Blocks at an interval, on or off. */
  readonly setTicking: (on: boolean) => void;
  member(name: string): FixtureMember;
  /** Creates or replaces the Secret with the requester's order. */
  order(name: string, change?: Partial<OrderMessage>): Promise<void>;
  close(): Promise<void>;
}

const requester = new Wallet(`0x${"5e".repeat(32)}`);

export interface ClusterParts {
  readonly workers: readonly string[];
  readonly validators: readonly string[];
  /** Of each worker. */
  readonly slots?: number;
  readonly gpus?: number;
  /** Left out: one in this process. */
  readonly startServer?: () => Promise<Cluster["server"]>;
}

/** A chain with the contracts, where all members are bonded and the requester has a deposit; clusters can follow each other on it. */
export interface PreparedChain {
  readonly rpcUrl: string;
  readonly anvil: Anvil;
  readonly client: ChainClient;
  readonly admin: ChainWriter;
  readonly addresses: ContractAddresses;
  readonly members: readonly FixtureMember[];
  readonly provider: JsonRpcProvider;
  /** Back to how it was when it was ready. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** Without a phrase, from which a key takes long to derive. */
function aWallet(): Wallet {
  return new Wallet(`0x${randomBytes(32).toString("hex")}`);
}

export async function prepareChain(names: Pick<ClusterParts, "workers" | "validators">): Promise<PreparedChain> {
  const dir = await mkdtemp(join(tmpdir(), "inferium-anvil-"));
  const anvil = await startAnvil({ port: 0, dataDir: join(dir, "anvil"), logger: silentLogger, blockSeconds: 0.25 });
  const provider = await openProvider({ rpcUrl: anvil.rpcUrl, timeoutMs: 10_000 });
  const admin = new Wallet(anvil.accounts[0]!.privateKey, provider);
  const wallets = new Map([...names.workers, ...names.validators].map((name) => [name, aWallet()]));
  const owners = new Map([...wallets.keys()].map((name) => [name, aWallet().address]));
  const validatorAddresses = names.validators.map((name) => wallets.get(name)!.address);
  const addresses = await deployContracts({ signer: admin, parameters: { validators: validatorAddresses } });
  const writer = { signer: admin, addresses };
  await mintTokens(writer, [
    { account: admin.address, amountWei: (4_000_000n + 10_000n * BigInt(wallets.size)) * oneToken },
  ]);
  await bondNodes(
    writer,
    [...wallets].map(([name, node]) => ({
      node,
      role: names.validators.includes(name) ? ("Validator" as const) : ("Worker" as const),
      payout: owners.get(name)!,
      amountWei: (names.validators.includes(name) ? 50_000n : 10_000n) * oneToken,
    })),
  );
  await depositFor(writer, [{ account: requester.address, amountWei: 10_000n * oneToken }]);
  const client = await connectChain({ rpcUrl: anvil.rpcUrl, addresses, timeoutMs: 10_000 });
  const members = [...wallets].map(([name, wallet]) => ({
    name,
    role: names.validators.includes(name) ? ("Validator" as const) : ("Worker" as const),
    signer: createSigner(wallet.privateKey),
    privateKey: wallet.privateKey,
    owner: owners.get(name)!,
  }));
  let snapshot = await provider.send("evm_snapshot", []);
  return {
    ...{ rpcUrl: anvil.rpcUrl, anvil, client, admin: writer, addresses, members, provider },
    reset: async () => {
      const isBack = await provider.send("evm_revert", [snapshot]);
      if (isBack !== true) throw new Error(`anvil has no snapshot ${snapshot}`);
      snapshot = await provider.send("evm_snapshot", []);
    },
    close: async () => {
      client.close();
      provider.destroy();
      await anvil.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Read once: a simulation starts hundreds of clusters in one process. */
let crds: ReturnType<typeof readManifests> | undefined;
function readCrds() {
  crds ??= readManifests("crds");
  return crds;
}

/** @param prepared stays open when the cluster is closed; left out: a chain of the cluster's own */
export async function startCluster(names: ClusterParts, prepared?: PreparedChain): Promise<Cluster> {
  const dir = await mkdtemp(join(tmpdir(), "inferium-operator-"));
  const ground = prepared ?? (await prepareChain(names));
  const { client: chain, anvil, members } = ground;
  const server = await (names.startServer?.() ?? startApiServer({ logger: silentLogger }));
  const connection = createStaticConnection({ server: server.url, token: server.adminToken, ca: server.caPem });
  const transport = createTransport(connection, { fieldManager: "inferium-agent" });
  await applyObjects(transport, await readCrds());
  await createClient(transport, namespaces).apply({ metadata: { name: system } });
  const workers = createClient(transport, workerNodes);
  for (const member of members) await createWorkerNode(transport, member, names);
  const { config, caPem } = await writeConfig(dir, {
    kubeconfig: kubeconfigOf(server),
    rpcUrl: anvil.rpcUrl,
    addresses: ground.addresses,
    settlerKey: anvil.accounts[1]!.privateKey,
  });
  return {
    server,
    chain,
    admin: ground.admin,
    domain: chain.domain,
    transport,
    tasks: createClient(transport, tasks),
    validations: createClient(transport, validations),
    workers,
    leaderboards: createClient(transport, leaderboards),
    members,
    poolCa: caPem,
    config,
    anvilPid: anvil.pid,
    setTicking: anvil.setTicking,
    member: (name) => members.find((member) => member.name === name)!,
    order: (name, change) => createOrder(transport, chain.domain, { name, ...(change ? { change } : {}) }),
    close: async () => {
      await transport.close();
      await server.close();
      if (prepared === undefined) await ground.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** @param caPem left out: no TLS */
export function kubeconfigOf({ url, adminToken, caPem }: { url: string; adminToken: string; caPem?: string }): string {
  const authority = caPem === undefined ? {} : { "certificate-authority-data": Buffer.from(caPem).toString("base64") };
  const cluster = { server: url, ...authority };
  return JSON.stringify({
    ...{ apiVersion: "v1", kind: "Config", "current-context": "test" },
    clusters: [{ name: "test", cluster }],
    users: [{ name: "admin", user: { token: adminToken } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
  });
}

async function createWorkerNode(
  transport: Transport,
  { name, role, signer, owner }: FixtureMember,
  { slots = 4, gpus = 1 }: ClusterParts,
): Promise<void> {
  await createClient(transport, nodes).apply({ metadata: { name: `node-${name}`, labels: { "test/node": name } } });
  const client = createClient(transport, workerNodes);
  await client.apply({
    metadata: { name },
    spec: { nodeName: `node-${name}`, address: signer.address, role, owner, slots },
  });
  if (role !== "Worker") return;
  const status: Partial<WorkerNodeStatus> = {
    tier: "Mid",
    capability: { level: "Inspected" },
    hardware: {
      source: "NvidiaSmi",
      simulated: true,
      gpus: Array.from({ length: gpus }, (_, index) => ({
        uuid: index === 0 ? `GPU-${name}` : `GPU-${name}-${index}`,
        ...{ product: "Test", memoryMiB: 16_000, computeCapability: "8.0" },
      })),
    },
  };
  await client.applyStatus({ metadata: { name }, status });
}

async function createOrder(
  transport: Transport,
  domain: ProtocolDomain,
  { name, change }: { name: string; change?: Partial<OrderMessage> },
): Promise<void> {
  const message: OrderMessage = {
    requester: requester.address,
    pool,
    maxPerTaskWei: 10n * oneToken,
    maxTotalWei: 1_000n * oneToken,
    modelsRoot: `0x${"0".repeat(64)}`,
    expiresAt: Math.floor(Date.now() / 1_000) + 3_600,
    nonce: 1n,
    ...change,
  };
  const signature = await createSigner(requester.privateKey).signTypedData(domain, orderTypes, message);
  const text = JSON.stringify({ message, signature }, (_, value) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  const data = { "order.json": Buffer.from(text).toString("base64") };
  await createClient(transport, secrets).apply({ metadata: { name, namespace: "default" }, data });
}

interface ConfigParts {
  readonly kubeconfig: string;
  readonly rpcUrl: string;
  readonly addresses: OperatorConfig["chain"]["addresses"];
  readonly settlerKey: string;
}

async function writeConfig(dir: string, parts: ConfigParts): Promise<{ config: OperatorConfig; caPem: string }> {
  const authority = await createCertificateAuthority("test pool");
  const tls = await issueServerCertificate(authority, { commonName: "pool", ipAddresses: ["127.0.0.1"] });
  const write = async (name: string, text: string) => {
    const path = join(dir, name);
    await writeFile(path, text);
    return path;
  };
  const config: OperatorConfig = {
    kubeconfigPath: await write("kubeconfig", parts.kubeconfig),
    namespace: system,
    watchNamespace: undefined,
    pool: { name: pool, host: "127.0.0.1", port: 0 },
    tls: { certFile: await write("tls.crt", tls.certPem), keyFile: await write("tls.key", tls.keyPem), refreshMs: 100 },
    chain: {
      rpcUrl: parts.rpcUrl,
      addresses: parts.addresses,
      signer: { keyFile: await write("settler", parts.settlerKey) },
      maxFeePerGasWei: 500n * 10n ** 9n,
      treasury,
      fromBlock: 0,
      confirmations: 1,
      refreshMs: 2_000,
      slashQuorum: 2,
    },
    batch: { maxAgeMs: 500, maxTasks: 1_024 },
    validation: {
      ...{ windowMs: 100, deadlineMs: 20_000, stragglerMs: 1_000, keepMs: 3_600_000 },
      ...{ provingMs: 4_000, endorsingMs: 10_000 },
    },
    mergeMs: 1_000,
    duplicates: { factor: 2, floorMs: 600_000 },
    explainAfterMs: 1_000,
    silenceMs: 20_000,
    missedGraceMs: 1_000,
    policies: {},
    agents: undefined,
    allowUnverified: false,
    models: { isApprovalRequired: false, validators: 3, quorum: 2, validMs: 3_600_000 },
    capability: { minimumLevel: "Inspected", acceptSimulated: true, challenges: undefined, attestationRoots: [] },
    trace: undefined,
    metrics: { host: "127.0.0.1", port: 0 },
    leaderElection: undefined,
    leaderPod: undefined,
  };
  return { config, caPem: tls.caPem };
}

export interface RunningOperator {
  readonly url: string;
  readonly metricsUrl: string;
  stop(): Promise<void>;
}

export async function startOperator(cluster: Cluster, change: Partial<OperatorConfig> = {}): Promise<RunningOperator> {
  const stopping = new AbortController();
  const serving = Promise.withResolvers<string>();
  let metricsUrl = "";
  const logger = process.env.TEST_LOG ? createLogger({ level: "debug" }) : silentLogger;
  const done = runOperator(
    { ...cluster.config, ...change },
    { signal: stopping.signal, logger, onServing: serving.resolve, onMetrics: (url) => (metricsUrl = url) },
  );
  const url = await Promise.race([serving.promise, done.then(() => Promise.reject(new Error("the operator ended")))]);
  return {
    url,
    metricsUrl,
    stop: async () => {
      stopping.abort(new Error("test stops the operator"));
      await done;
    },
  };
}

export const model = `sha256:${"ab".repeat(32)}`;

/** A task that pays one token and doubles its input, unless `change` says otherwise. */
export function aTask(name: string, change: Partial<TaskObject["spec"]> = {}): TaskObject {
  const spec = {
    model: { uri: "https://models.test/double.onnx", digest: model },
    input: { inline: { x: { dtype: "int32", shape: [2], data: [3, 4] } } },
    tier: "Low",
    reward: "1",
    requester: requester.address,
    orderRef: { name: "order" },
    ...change,
  };
  return {
    apiVersion: "inferium.io/v1alpha1",
    kind: "InferenceTask",
    metadata: { name, namespace: "default" },
    spec,
  } as TaskObject;
}

export { configMaps, requester, system };
