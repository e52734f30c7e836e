/**
 * An IPAddress for each cluster IP of a service, so that `kubectl get ipaddresses` tells who holds what. The services
 * themselves decide (admission/service-allocation.ts); these objects follow. Effects: creates and deletes IPAddresses.
 */
import { describeError } from "../../../base/errors.ts";
import { asArray, asObject, asString } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import { type ApiContext, internalWrite } from "../operations/context.ts";
import { createObject } from "../operations/create.ts";
import { deleteObject } from "../operations/delete.ts";
import { backgroundDeletion } from "../operations/delete-options.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { WorkQueue } from "./work-queue.ts";

const managedBy = "ipaddress.kubernetes.io/managed-by";
const allocator = "ipallocator.k8s.io";

export class ServiceAddressController {
  readonly #context: ApiContext;
  readonly #queue: WorkQueue;
  readonly #stop: () => void;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#queue = new WorkQueue(
      (ip) => this.#reconcile(ip),
      (ip, error) => context.logger.error("an IPAddress is not up to date", { ip, error: describeError(error) }),
    );
    const { store } = context;
    for (const { object } of store.list("services").items) for (const ip of addressesOf(object)) this.#queue.add(ip);
    for (const { object } of store.list("ipaddresses.networking.k8s.io").items) this.#queue.add(object.metadata.name);
    this.#stop = store.watch("services", store.revision(), ({ type, current, previous }) => {
      const held = new Set(type === "DELETED" ? [] : addressesOf(current.object));
      const before = new Set(previous === undefined ? [] : addressesOf(previous.object));
      for (const ip of held.symmetricDifference(before)) this.#queue.add(ip);
    });
  }

  stop(): void {
    this.#stop();
    this.#queue.stop();
  }

  #reconcile(ip: string): void {
    const { store, kinds } = this.#context;
    const kind = kinds.find("networking.k8s.io", "v1", "ipaddresses");
    if (kind === undefined) return;
    const holder = store.list("services").items.find(({ object }) => addressesOf(object).includes(ip))?.object;
    const existing = store.get(kind.storage, ip)?.object;
    if (existing !== undefined && !isOf(existing, holder)) this.#remove(kind, existing);
    if (holder !== undefined && store.get(kind.storage, ip) === undefined) this.#create(kind, ip, holder);
  }

  #create(kind: ResourceKind, ip: string, { metadata }: KubeObject): void {
    const object = {
      apiVersion: kind.apiVersion,
      kind: kind.kind,
      metadata: { name: ip, labels: { [managedBy]: allocator, "ipaddress.kubernetes.io/ip-family": "IPv4" } },
      spec: { parentRef: { resource: "services", namespace: metadata.namespace, name: metadata.name } },
    };
    createObject(this.#context, { kind, namespace: undefined }, object, internalWrite("kube-apiserver"));
  }

  /** Those that somebody else made are left alone. */
  #remove(kind: ResourceKind, { metadata }: KubeObject): void {
    if (metadata.labels?.[managedBy] !== allocator) return;
    deleteObject(
      this.#context,
      { kind, namespace: undefined, name: metadata.name, subresource: "" },
      backgroundDeletion,
    );
  }
}

function addressesOf(service: KubeObject): string[] {
  return asArray(specOf(service).clusterIPs)
    .map(asString)
    .filter((ip) => ip !== "" && ip !== "None");
}

function isOf(address: KubeObject, service: KubeObject | undefined): boolean {
  const { namespace, name } = asObject(specOf(address).parentRef);
  return service !== undefined && namespace === service.metadata.namespace && name === service.metadata.name;
}
