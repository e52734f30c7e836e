/**
 * The Deployment and the Service of an agent's replicas. Pure. Replicas get no Kubernetes credential, run confined, are placed
 * by tier like tasks are, and are replaced one at a time with the new one ready before the old one ends. A replica that ends
 * first leaves its endpoints, then waits until gateways have heard of it, then finishes what is in flight.
 */
import { labels } from "../../api/v1alpha1/labels.ts";
import type { Tier } from "../../api/v1alpha1/types.ts";
import type { Deployment } from "../../kube/app-resources.ts";
import type { Service } from "../../kube/core-resources.ts";
import { type ObjectMeta, ownerReferenceTo } from "../../kube/object.ts";
import type { Affinity, Container } from "../../kube/pod-types.ts";
import type { AgentObject } from "../kinds.ts";

export interface BackendDefaults {
  /** Of the built-in model server: the operator's own. */
  readonly image: string;
  readonly imagePullPolicy: string;
  /** What the built-in server may read and compute on, as the workers of the pool are told. */
  readonly environment: Readonly<Record<string, string>>;
}

const portName = "http";
/** Gateways learn of an endpoint's end by their long poll; this is longer than that takes. */
const hearSeconds = 3;

export function backendName({ metadata }: AgentObject): string {
  return `agent-${metadata.name}`;
}

export function modelNameOf({ metadata, spec }: AgentObject): string {
  return spec.modelName ?? metadata.name;
}

export function buildDeployment(agent: AgentObject, replicas: number, defaults: BackendDefaults): Deployment {
  const { placement = {}, drainSeconds } = agent.spec;
  const { nodeSelector, schedulerName, runtimeClassName, priorityClassName, tolerations } = placement;
  const own = labelsOf(agent);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadataOf(agent),
    spec: {
      replicas,
      revisionHistoryLimit: 2,
      selector: { matchLabels: own },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: own },
        spec: {
          containers: [buildContainer(agent, defaults)],
          volumes: [{ name: "cache", emptyDir: {} }],
          affinity: affinityOf(agent.spec.tier),
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: drainSeconds + hearSeconds,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
          ...(nodeSelector ? { nodeSelector } : {}),
          ...(schedulerName ? { schedulerName } : {}),
          ...(runtimeClassName ? { runtimeClassName } : {}),
          ...(priorityClassName ? { priorityClassName } : {}),
          ...(tolerations ? { tolerations } : {}),
        },
      },
    },
  };
}

export function buildService(agent: AgentObject): Service {
  const { port } = agent.spec;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(agent),
    spec: { selector: labelsOf(agent), ports: [{ name: portName, port, targetPort: port }] },
  };
}

function metadataOf(agent: AgentObject): ObjectMeta {
  const { namespace = "" } = agent.metadata;
  return { name: backendName(agent), namespace, labels: labelsOf(agent), ownerReferences: [ownerReferenceTo(agent)] };
}

function labelsOf({ metadata }: AgentObject): Record<string, string> {
  return {
    "app.kubernetes.io/name": "inferium",
    "app.kubernetes.io/component": "agent-backend",
    [labels.agent]: metadata.name,
  };
}

function buildContainer(agent: AgentObject, defaults: BackendDefaults): Container {
  const { container, port, resources = {} } = agent.spec;
  const { cpu, memory, gpus = 0 } = resources as { cpu?: string; memory?: string; gpus?: number };
  const gpu = gpus > 0 ? { "nvidia.com/gpu": String(gpus) } : {};
  const probe = { path: container?.readinessPath ?? "/v2/health/ready", port };
  return {
    name: "backend",
    ...(container ? customParts(container) : builtInParts(agent, defaults)),
    ports: [{ name: portName, containerPort: port }],
    resources: {
      requests: { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}), ...gpu },
      limits: { ...(memory ? { memory } : {}), ...gpu },
    },
    volumeMounts: [{ name: "cache", mountPath: cachePath }],
    readinessProbe: { httpGet: probe, periodSeconds: 2, failureThreshold: 2 },
    // A model may take minutes to load; until then nobody asks whether it lives.
    startupProbe: { httpGet: probe, periodSeconds: 1, failureThreshold: 900 },
    ...({ lifecycle: { preStop: { sleep: { seconds: hearSeconds } } } } as object),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      ...(container?.runAsUser === undefined ? {} : { runAsUser: container.runAsUser }),
    },
  };
}

const cachePath = "/var/cache/inferium";

type Custom = NonNullable<AgentObject["spec"]["container"]>;

function customParts({ image, imagePullPolicy, command, args, env = [] }: Custom): Omit<Container, "name"> {
  return {
    image,
    imagePullPolicy,
    ...(command ? { command } : {}),
    ...(args ? { args } : {}),
    env: env.map(({ name, value = "" }) => ({ name, value })),
  };
}

/** `inferium serve`, which fetches the model by its digest. */
function builtInParts(agent: AgentObject, defaults: BackendDefaults): Omit<Container, "name"> {
  const { model, port, drainSeconds, limits } = agent.spec;
  const { image, imagePullPolicy } = defaults;
  const env = {
    ...defaults.environment,
    // The pod's own address and no other.
    INFERIUM_SERVE_ADDR: `$(POD_IP):${port}`,
    INFERIUM_MODELS: `${modelNameOf(agent)}=${model.uri}@${model.digest}`,
    INFERIUM_GRACE_SECONDS: String(drainSeconds),
    INFERIUM_MAX_BODY_MIB: String(Math.max(1, Math.ceil(limits.maxBodyBytes / 2 ** 20))),
    INFERIUM_CACHE_DIR: cachePath,
  };
  const podIp = { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } };
  const variables = Object.entries(env).map(([name, value]) => ({ name, value }));
  return { image, imagePullPolicy, args: ["serve"], env: [podIp, ...variables] };
}

/** The label is computed from proven hardware by the node's agent. */
function affinityOf(tier: Tier): Affinity {
  const order: readonly Tier[] = ["Low", "Mid", "High"];
  const values = order.slice(order.indexOf(tier));
  const nodeSelectorTerms = [{ matchExpressions: [{ key: labels.tier, operator: "In", values }] }];
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
}
