/** An agent's Deployment and Service on the server, and which of its replicas take calls. Effects: server-side apply. */
import { labels } from "../../api/v1alpha1/labels.ts";
import type { Clock } from "../../base/clock.ts";
import type { Deployment, EndpointSlice } from "../../kube/app-resources.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Service } from "../../kube/core-resources.ts";
import type { Informer } from "../../kube/informer.ts";
import { type ApplyObject, objectKey } from "../../kube/object.ts";
import type { AgentObject } from "../kinds.ts";
import { type BackendDefaults, backendName, buildDeployment, buildService } from "./build-backend.ts";

export interface BackendKeeperOptions {
  readonly deployments: KubeClient<Deployment>;
  readonly services: KubeClient<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly defaults: BackendDefaults;
  readonly clock: Clock;
}

/** What somebody else changed is put right so often, and sooner while replicas are missing. */
const applyAgainMs = 300_000;
const applyMissingMs = 15_000;

export class BackendKeeper {
  readonly #options: BackendKeeperOptions;
  readonly #applied = new Map<string, { readonly text: string; readonly atMs: number }>();

  constructor(options: BackendKeeperOptions) {
    this.#options = options;
  }

  async apply(agent: AgentObject, replicas: number): Promise<void> {
    const { deployments, services, defaults, clock } = this.#options;
    const deployment = buildDeployment(agent, replicas, defaults);
    const service = buildService(agent);
    const text = JSON.stringify([deployment, service]);
    const last = this.#applied.get(objectKey(agent));
    const ageMs = clock.monotonic() - (last?.atMs ?? 0);
    const isMissing = this.listReady(agent).length < replicas;
    if (last?.text === text && ageMs < (isMissing ? applyMissingMs : applyAgainMs)) return;
    await services.apply(service as ApplyObject<Service>);
    await deployments.apply(deployment as ApplyObject<Deployment>);
    this.#applied.set(objectKey(agent), { text, atMs: clock.monotonic() });
  }

  forget(key: string): void {
    this.#applied.delete(key);
  }

  /** Base URLs, in order; without those that are about to end. */
  listReady(agent: AgentObject): string[] {
    const { namespace } = agent.metadata;
    const name = backendName(agent);
    const slices = this.#options.slices.store
      .list()
      .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.[serviceLabel] === name);
    const urls = slices.flatMap(({ endpoints = [], ports = [], addressType }) => {
      const port = ports[0]?.port;
      const ready = endpoints.filter(
        ({ conditions }) => conditions?.ready !== false && conditions?.terminating !== true,
      );
      const hosts = ready.flatMap(({ addresses }) => addresses.slice(0, 1));
      return port === undefined
        ? []
        : hosts.map((host) => `http://${addressType === "IPv6" ? `[${host}]` : host}:${port}`);
    });
    return [...new Set(urls)].sort();
  }
}

const serviceLabel = "kubernetes.io/service-name";

/** `namespace/name` of the agent that a slice belongs to; the Service's labels are on it. */
export function agentOfSlice({ metadata }: EndpointSlice): string | undefined {
  const name = metadata.labels?.[labels.agent];
  return name === undefined ? undefined : `${metadata.namespace}/${name}`;
}
