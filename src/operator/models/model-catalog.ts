/**
 * What is known of a model by its digest when a task wants to use it: whether its namespace asks for approval, and what the Models of
 * that namespace, or of the operator's own, which count everywhere, say. Gathers only; decides nothing.
 */
import { labels } from "../../api/v1alpha1/labels.ts";
import type { Clock } from "../../base/clock.ts";
import type { Informer } from "../../kube/informer.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { CalibratedPair } from "../../protocol/model/calibrate.ts";
import { holdsNow } from "../../protocol/model/decide-model-step.ts";
import type { ModelFacts } from "../../protocol/task.ts";
import type { ModelObject } from "../kinds.ts";
import { readStanding } from "./read-standing.ts";

/** Name of the index over Models by digest. */
export const byDigest = "digest";

/** What is kept of a namespace. */
export interface NamespaceRules {
  readonly isApprovalRequired: boolean;
}

export function readNamespaceRules({ metadata }: KubeObject): NamespaceRules {
  return { isApprovalRequired: metadata.labels?.[labels.approvedModels] === "required" };
}

export interface ModelCatalogOptions {
  readonly models: Informer<ModelObject>;
  readonly namespaces: Informer<NamespaceRules>;
  /** Everywhere, whatever the namespaces say. */
  readonly isApprovalRequired: boolean;
  readonly ownNamespace: string;
  readonly clock: Clock;
}

export class ModelCatalog {
  readonly #options: ModelCatalogOptions;

  constructor(options: ModelCatalogOptions) {
    this.#options = options;
  }

  factsOf(namespace: string, digest: string): ModelFacts {
    const { namespaces, isApprovalRequired } = this.#options;
    return {
      isApprovalRequired: isApprovalRequired || namespaces.store.get(namespace)?.isApprovalRequired === true,
      policies: this.#find(namespace, digest)?.status?.policies,
    };
  }

  /** Undefined where no Model of it is approved. */
  calibrationOf(namespace: string, digest: string): readonly CalibratedPair[] | undefined {
    const found = this.#find(namespace, digest);
    return found && (found.status?.calibration ?? []);
  }

  listByDigest(digest: string): ModelObject[] {
    return this.#options.models.store.byIndex(byDigest, digest);
  }

  /** An approved one. */
  #find(namespace: string, digest: string): ModelObject | undefined {
    const { models, ownNamespace, clock } = this.#options;
    const nowMs = clock.now();
    return models.store
      .byIndex(byDigest, digest)
      .filter(({ metadata }) => metadata.namespace === namespace || metadata.namespace === ownNamespace)
      .find((model) => holdsNow(readStanding(model), model.metadata.generation ?? 1, nowMs));
  }
}
