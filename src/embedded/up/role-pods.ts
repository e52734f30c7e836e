/** Which pods a run consists of, and what each is told. The same variables as on a cluster; see docs/configuration.md. */
import type { Pod } from "../../kube/pod-types.ts";
import { names } from "./identities.ts";
import type { LocalChain } from "./local-chain.ts";
import type { Member } from "./members.ts";
import { buildRolePod, type Mount, processImage, processScheduler, type RolePod, systemNamespace } from "./pods.ts";

export const poolName = "embedded";
/** Where a launcher makes pods; see manifests/launcher. */
export const taskNamespace = "inferium-tasks";
/** The simulated node that the operator runs on. */
export const controlNode = "control";

export interface RunFacts {
  readonly chain: Pick<LocalChain, "rpcUrl" | "addresses" | "accounts" | "client">;
  readonly poolPort: number;
  /** Proving keys, on this machine's disk. */
  readonly proofsDir: string;
  readonly operatorMetricsPort: number;
}

const paths = { poolCa: "/etc/inferium/pool-ca", key: "/etc/inferium/key", state: "/var/lib/inferium" } as const;

const contractsMount: Mount = {
  name: "contracts",
  path: "/etc/inferium/contracts",
  source: { configMap: names.contracts },
};

export function buildPods(members: readonly Member[], facts: RunFacts): Pod[] {
  const roles = [
    operatorPod(facts),
    ...members.map((member) => (member.role === "Worker" ? workerPod(member, facts) : validatorPod(member, facts))),
  ];
  return roles.map(buildRolePod);
}

/** @param ports of their health servers, one for each member */
export function buildAgentPods(members: readonly Member[], ports: readonly number[]): Pod[] {
  return members.map((member, index) => buildRolePod(agentPod(member, ports[index] ?? 0)));
}

function operatorPod(facts: RunFacts): RolePod {
  return {
    name: "inferium-operator",
    component: "operator",
    node: controlNode,
    args: ["operator"],
    serviceAccount: "inferium-operator",
    healthPort: facts.operatorMetricsPort,
    env: {
      INFERIUM_NAMESPACE: systemNamespace,
      INFERIUM_POOL_NAME: poolName,
      INFERIUM_POOL_HOST: "127.0.0.1",
      INFERIUM_POOL_PORT: String(facts.poolPort),
      INFERIUM_TLS_CERT_FILE: "/etc/inferium/tls/tls.crt",
      INFERIUM_TLS_KEY_FILE: "/etc/inferium/tls/tls.key",
      INFERIUM_RPC_URL: facts.chain.rpcUrl,
      INFERIUM_ADDRESSES_FILE: "/etc/inferium/contracts/addresses.json",
      INFERIUM_SETTLER_KEY_FILE: `${paths.key}/key`,
      INFERIUM_TREASURY: facts.chain.accounts.treasury,
      // Every node of this run is simulated, and says so wherever it shows.
      INFERIUM_ACCEPT_SIMULATED: "true",
      INFERIUM_AGENTS: "true",
      INFERIUM_AGENT_IMAGE: processImage,
      INFERIUM_AGENT_IMAGE_PULL_POLICY: "Never",
      INFERIUM_GATEWAY_ACCOUNTS: facts.chain.accounts.gateway.address,
      // For the servers of agents, which fetch their models from this machine.
      INFERIUM_ALLOWED_ADDRESSES: "127.0.0.0/8",
      INFERIUM_BATCH_SECONDS: "0.2",
      // A batch closes within seconds here, so verdict and settlement can share one write of the task.
      INFERIUM_MERGE_MS: "6000",
      INFERIUM_METRICS_ADDR: `127.0.0.1:${facts.operatorMetricsPort}`,
    },
    mounts: [
      { name: "tls", path: "/etc/inferium/tls", source: { secret: names.poolTls } },
      contractsMount,
      { name: "key", path: paths.key, source: { secret: names.settler } },
    ],
  };
}

export interface GatewayPorts {
  readonly port: number;
  readonly healthPort: number;
}

/** Takes calls of agents; starts when there is one. */
export function gatewayPod({ poolPort }: Pick<RunFacts, "poolPort">, { port, healthPort }: GatewayPorts): RolePod {
  return {
    name: "inferium-gateway",
    component: "gateway",
    node: controlNode,
    args: ["gateway"],
    serviceAccount: "inferium-worker",
    healthPort,
    env: {
      INFERIUM_GATEWAY_ADDR: `127.0.0.1:${port}`,
      INFERIUM_METRICS_ADDR: `127.0.0.1:${healthPort}`,
      INFERIUM_POOL_URL: `https://127.0.0.1:${poolPort}`,
      INFERIUM_POOL_CA_FILE: `${paths.poolCa}/ca.crt`,
      INFERIUM_POOL_NAME: poolName,
      INFERIUM_KEY_FILE: `${paths.key}/key`,
      INFERIUM_CACHE_DIR: `${paths.state}/cache`,
      INFERIUM_WINDOW_SECONDS: "1",
    },
    mounts: [
      { name: "pool-ca", path: paths.poolCa, source: { configMap: names.poolCa } },
      { name: "key", path: paths.key, source: { secret: names.memberKey("gateway") } },
      { name: "state", path: paths.state, source: { empty: true } },
    ],
  };
}

function agentPod(member: Member, healthPort: number): RolePod {
  return {
    name: `inferium-agent-${member.name}`,
    component: "agent",
    node: member.name,
    args: ["agent"],
    serviceAccount: "inferium-agent",
    env: {
      INFERIUM_ADDRESS: member.key.address,
      INFERIUM_ROLE: member.role,
      INFERIUM_OWNER: member.owner,
      INFERIUM_SLOTS: String(member.slots),
      INFERIUM_SIMULATED: "true",
      INFERIUM_EXECUTOR: member.launcher ? "pod" : "pooled",
      INFERIUM_HEALTH_HOST: "127.0.0.1",
      INFERIUM_HEALTH_PORT: String(healthPort),
    },
    mounts: [],
  };
}

function workerPod(member: Member, facts: RunFacts): RolePod {
  const pod = memberPod(member, facts);
  return {
    ...pod,
    ...(member.launcher ? { serviceAccount: "inferium-launcher", env: { ...pod.env, ...launcherEnv } } : {}),
    name: `inferium-worker-${member.name}`,
    component: "worker",
    args: [member.honest ? "worker" : "dishonest-worker"],
  };
}

/** What the pods of tasks are made with here: the image is this program, and this run's own scheduler and kubelets take them. */
const launcherEnv = {
  INFERIUM_EXECUTOR: "pod",
  INFERIUM_POD_NAMESPACE: taskNamespace,
  INFERIUM_POD_DEFAULTS: JSON.stringify({
    image: processImage,
    imagePullPolicy: "Never",
    schedulerName: processScheduler,
    tolerations: [{ operator: "Exists" }],
    env: [{ name: "INFERIUM_ALLOWED_ADDRESSES", value: "127.0.0.0/8" }],
  }),
  INFERIUM_POD_POLL_MS: "250",
} as const;

function validatorPod(member: Member, facts: RunFacts): RolePod {
  const pod = memberPod(member, facts);
  return {
    ...pod,
    // It checks payouts, the validator set and the last batch on the chain itself, and hears disputes.
    env: {
      ...pod.env,
      INFERIUM_RPC_URL: facts.chain.rpcUrl,
      INFERIUM_ADDRESSES_FILE: "/etc/inferium/contracts/addresses.json",
      INFERIUM_JURY: String(member.honest),
      INFERIUM_CHAIN_POLL_MS: "250",
      // The dispute that is shown is over a task that asks for one validator only.
      INFERIUM_MINIMUM_QUORUM: "1",
      INFERIUM_PROOF_ARTIFACTS_DIR: facts.proofsDir,
      INFERIUM_ALLOW_DEVELOPMENT_SETUP: "true",
    },
    mounts: [...pod.mounts, contractsMount],
    name: `inferium-validator-${member.name}`,
    component: "validator",
    args: [member.honest ? "validator" : "lazy-validator"],
  };
}

function memberPod(member: Member, facts: RunFacts): Omit<RolePod, "name" | "component" | "args"> {
  const { client, addresses, accounts } = facts.chain;
  const mounts: Mount[] = [
    { name: "pool-ca", path: paths.poolCa, source: { configMap: names.poolCa } },
    { name: "key", path: paths.key, source: { secret: names.memberKey(member.name) } },
    { name: "state", path: paths.state, source: { empty: true } },
  ];
  return {
    node: member.name,
    serviceAccount: "inferium-worker",
    env: {
      INFERIUM_POOL_URL: `https://127.0.0.1:${facts.poolPort}`,
      INFERIUM_POOL_CA_FILE: `${paths.poolCa}/ca.crt`,
      INFERIUM_POOL_NAME: poolName,
      INFERIUM_KEY_FILE: `${paths.key}/key`,
      INFERIUM_CACHE_DIR: `${paths.state}/cache`,
      // The demonstration's models are served by this machine.
      INFERIUM_ALLOWED_ADDRESSES: "127.0.0.0/8",
      INFERIUM_STATE_DIR: `${paths.state}/state`,
      INFERIUM_SLOTS: String(member.slots),
      // The models of a run are its own; that a Model is approved is shown after its tasks.
      INFERIUM_PROBE_MODELS: "false",
      INFERIUM_CHAIN_ID: String(client.chainId),
      INFERIUM_SETTLEMENT: addresses.settlement,
      INFERIUM_TREASURY: accounts.treasury,
    },
    mounts,
  };
}
