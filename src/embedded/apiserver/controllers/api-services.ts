/**
 * An APIService for each group version that is served, as the aggregator of a real server registers them. All are local:
 * nothing is proxied here. Effects: creates and deletes APIServices.
 */
import { describeError } from "../../../base/errors.ts";
import { groupVersions } from "../discovery/discovery.ts";
import { formatTime, type KubeObject } from "../object.ts";
import { type ApiContext, internalWrite } from "../operations/context.ts";
import { createObject } from "../operations/create.ts";
import { deleteObject } from "../operations/delete.ts";
import { backgroundDeletion } from "../operations/delete-options.ts";
import { updateObject } from "../operations/update.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { WorkQueue } from "./work-queue.ts";

const manager = "kube-apiserver";
const storage = "apiservices.apiregistration.k8s.io";
const automanaged = "kube-aggregator.kubernetes.io/automanaged";

/** `groupPriorityMinimum` and `versionPriority` (15 where not said otherwise), as kube-apiserver declares them. */
const priorities: Readonly<Record<string, number>> = {
  "": 18_000,
  apps: 17_800,
  "events.k8s.io": 17_750,
  "authentication.k8s.io": 17_700,
  "authorization.k8s.io": 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  "certificates.k8s.io": 17_300,
  "networking.k8s.io": 17_200,
  policy: 17_100,
  "rbac.authorization.k8s.io": 17_000,
  "storage.k8s.io": 16_800,
  "apiextensions.k8s.io": 16_700,
  "admissionregistration.k8s.io": 16_700,
  "scheduling.k8s.io": 16_600,
  "coordination.k8s.io": 16_500,
  "node.k8s.io": 16_300,
  "discovery.k8s.io": 16_200,
  "resource.k8s.io": 16_200,
  "flowcontrol.apiserver.k8s.io": 16_100,
};
const versionPriorities: Readonly<Record<string, number>> = {
  "/v1": 1,
  "autoscaling/v2": 30,
  "flowcontrol.apiserver.k8s.io/v1": 21,
  "resource.k8s.io/v1": 21,
};
/** Groups of custom resources come after all others. */
const custom = { groupPriorityMinimum: 1_000, versionPriority: 100 };

export class ApiServiceController {
  readonly #context: ApiContext;
  /** Of names of APIServices. */
  readonly #queue: WorkQueue;
  readonly #stop: () => void;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#queue = new WorkQueue(
      (name) => this.#reconcile(name),
      (name, error) => context.logger.error("an APIService is not up to date", { name, error: describeError(error) }),
    );
    this.#stop = context.kinds.onChange(() => this.#addChanged());
    this.#addChanged();
  }

  stop(): void {
    this.#stop();
    this.#queue.stop();
  }

  /** Names that are missing, or served no more. */
  #addChanged(): void {
    const wanted = this.#wanted();
    const existing = new Set(this.#context.store.list(storage).items.map(({ key }) => key));
    for (const name of existing.symmetricDifference(wanted)) this.#queue.add(name);
  }

  #reconcile(name: string): void {
    const kind = this.#context.kinds.find("apiregistration.k8s.io", "v1", "apiservices");
    if (kind === undefined) return;
    const service = this.#wanted().get(name);
    const existing = this.#context.store.get(storage, name)?.object;
    if (service !== undefined && existing === undefined) this.#create(kind, service);
    // One that somebody made by hand is left alone.
    if (service !== undefined || existing?.metadata.labels?.[automanaged] === undefined) return;
    deleteObject(this.#context, { kind, namespace: undefined, name, subresource: "" }, backgroundDeletion);
  }

  #wanted(): Map<string, KubeObject> {
    const wanted = new Map<string, KubeObject>();
    for (const [group, versions] of groupVersions(this.#context.kinds)) {
      // The aggregator's own group is served by nobody else.
      if (group === "apiregistration.k8s.io") continue;
      for (const version of versions) {
        const service = describeService(group, version);
        wanted.set(service.metadata.name, service);
      }
    }
    return wanted;
  }

  #create(kind: ResourceKind, service: KubeObject): void {
    const options = internalWrite(manager);
    const old = createObject(this.#context, { kind, namespace: undefined }, service, options);
    const condition = {
      type: "Available",
      status: "True",
      lastTransitionTime: formatTime(this.#context.clock.now()),
      reason: "Local",
      message: "Local APIServices are always available",
    };
    const { name } = service.metadata;
    const target = { kind, namespace: undefined, name, subresource: "status" };
    const candidate = { ...old.object, status: { conditions: [condition] } };
    updateObject(this.#context, target, { old, candidate }, options);
  }
}

function describeService(group: string, version: string): KubeObject {
  const groupPriorityMinimum = priorities[group];
  const isCustom = groupPriorityMinimum === undefined;
  const order = isCustom
    ? custom
    : { groupPriorityMinimum, versionPriority: versionPriorities[`${group}/${version}`] ?? 15 };
  return {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: { name: `${version}.${group}`, labels: { [automanaged]: isCustom ? "true" : "onstart" } },
    spec: { ...(group === "" ? {} : { group }), version, ...order },
  };
}
