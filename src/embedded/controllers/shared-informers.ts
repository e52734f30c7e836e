/**
 * One informer a kind, shared by all controllers, with the indexes that they ask by. Made when the first controller
 * asks; started and stopped by the controller manager. Effects: one watch a kind.
 */
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { createInformer, type Informer } from "../../kube/informer.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { ResourceType } from "../../kube/resource.ts";
import type { Transport } from "../../kube/transport.ts";
import type { Pod } from "../kubelet/core-types.ts";
import { ownerIndex } from "./owners.ts";

export class SharedInformers {
  readonly #transport: Transport;
  readonly #options: { readonly clock: Clock; readonly logger: Logger };
  readonly #informers = new Map<string, Informer<KubeObject>>();
  #sealed = false;

  constructor(transport: Transport, options: { readonly clock: Clock; readonly logger: Logger }) {
    this.#transport = transport;
    this.#options = options;
  }

  /** From now on only informers that exist are given: one made later would never be started. */
  seal(): readonly Informer<KubeObject>[] {
    this.#sealed = true;
    return [...this.#informers.values()];
  }

  /** Indexes: `namespace`, `owner` (uid of the controller) and, for pods, `node`. Without a namespace: all of them. */
  of<T extends KubeObject>(type: ResourceType<T>, namespace?: string): Informer<T> {
    const key = `${type.apiVersion}/${type.plural}/${namespace ?? ""}`;
    const known = this.#informers.get(key);
    // A ResourceType ties the address to T, so the informer of the same address holds the same T.
    if (known !== undefined) return known as unknown as Informer<T>;
    if (this.#sealed) throw new Error(`the informer of ${key} must be asked for when its controller is made`);
    const indexers = {
      namespace: (object: T) => [object.metadata.namespace ?? ""],
      owner: ownerIndex,
      node: (object: T) => nodeOf(object),
    };
    const { clock, logger } = this.#options;
    const informer = createInformer(this.#transport, type, { indexers, namespace, clock, logger });
    this.#informers.set(key, informer as unknown as Informer<KubeObject>);
    return informer;
  }
}

function nodeOf(object: KubeObject): readonly string[] {
  const name = object.kind === "Pod" ? (object as Pod).spec.nodeName : undefined;
  return name ? [name] : [];
}
