/**
 * Keeps the rules of cluster roles with an aggregation rule equal to the rules of all roles that it selects. Effects:
 * updates of cluster roles.
 */
import { describeError } from "../../../base/errors.ts";
import { rbacStorage } from "../authorization/binding-index.ts";
import { asArray, asObject, deepEqual } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import { type ApiContext, internalWrite } from "../operations/context.ts";
import { updateObject } from "../operations/update.ts";
import { selectorMatches } from "../validation/label-selectors.ts";
import { WorkQueue } from "./work-queue.ts";

const writer = internalWrite("clusterrole-aggregation-controller");

export class ClusterRoleAggregation {
  readonly #context: ApiContext;
  readonly #queue: WorkQueue;
  readonly #stop: () => void;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#queue = new WorkQueue(
      () => this.reconcile(),
      (_key, error) => context.logger.error("aggregation of cluster roles failed", { error: describeError(error) }),
    );
    const { store } = context;
    this.#stop = store.watch(rbacStorage.clusterRoles, store.revision(), () => this.#queue.add("all"));
    this.#queue.add("all");
  }

  stop(): void {
    this.#stop();
    this.#queue.stop();
  }

  /** An aggregated role may be part of another one: goes on until nothing changes, each round one level up. */
  reconcile(): void {
    const aggregated = () => this.#roles().filter((role) => selectorsOf(role).length > 0);
    for (let round = aggregated().length; round > 0; round -= 1) {
      if (!aggregated().some((role) => this.#update(role))) return;
    }
  }

  #roles(): KubeObject[] {
    return this.#context.store.list(rbacStorage.clusterRoles).items.map((item) => item.object);
  }

  /** @returns whether the role was changed */
  #update(role: KubeObject): boolean {
    const { store, kinds } = this.#context;
    const rules = this.#collect(role);
    if (deepEqual(rules, asArray(role.rules))) return false;
    const kind = kinds.find("rbac.authorization.k8s.io", "v1", "clusterroles");
    const old = store.get(rbacStorage.clusterRoles, role.metadata.name);
    if (kind === undefined || old === undefined) return false;
    const target = { kind, namespace: undefined, name: role.metadata.name, subresource: "" };
    updateObject(this.#context, target, { old, candidate: { ...old.object, rules } }, writer);
    return true;
  }

  #collect(role: KubeObject): unknown[] {
    const rules: unknown[] = [];
    for (const selector of selectorsOf(role)) {
      for (const other of this.#roles()) {
        if (other.metadata.name === role.metadata.name) continue;
        if (!selectorMatches(selector, other.metadata.labels ?? {})) continue;
        for (const rule of asArray(other.rules)) if (!rules.some((one) => deepEqual(one, rule))) rules.push(rule);
      }
    }
    return rules;
  }
}

function selectorsOf(role: KubeObject): readonly unknown[] {
  return asArray(asObject(role.aggregationRule).clusterRoleSelectors);
}
