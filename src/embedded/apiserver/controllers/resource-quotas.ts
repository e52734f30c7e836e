/** Keeps what each ResourceQuota limits and what its namespace uses in its status. Effects: status updates. */
import { describeError } from "../../../base/errors.ts";
import { compareQuantities } from "../../quantity.ts";
import { hardOf, usedOf } from "../admission/quota/namespace-usage.ts";
import { asObject } from "../json-value.ts";
import { statusOf } from "../object.ts";
import { type ApiContext, internalWrite } from "../operations/context.ts";
import { updateObject } from "../operations/update.ts";
import type { StoreEvent } from "../storage/store.ts";
import { WorkQueue } from "./work-queue.ts";

const storage = "resourcequotas";
const writer = internalWrite("kube-controller-manager");

export class ResourceQuotaController {
  readonly #context: ApiContext;
  readonly #queue: WorkQueue;
  readonly #stop: () => void;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#queue = new WorkQueue(
      (namespace) => this.#reconcile(namespace),
      (namespace, error) => context.logger.error("quota failed", { namespace, error: describeError(error) }),
    );
    this.#stop = context.store.watchAll((event) => this.#onEvent(event));
    for (const { object } of context.store.list(storage).items) this.#queue.add(object.metadata.namespace ?? "");
  }

  stop(): void {
    this.#stop();
    this.#queue.stop();
  }

  #onEvent({ current }: StoreEvent): void {
    const { namespace } = current.object.metadata;
    if (namespace === undefined || this.#context.store.count(storage) === 0) return;
    this.#queue.add(namespace);
  }

  #reconcile(namespace: string): void {
    const { store, kinds } = this.#context;
    const kind = kinds.find("", "v1", storage);
    if (kind === undefined) return;
    for (const old of store.list(storage, { namespace }).items) {
      const quota = old.object;
      const status = { hard: hardOf(quota), used: usedOf(this.#context, quota) };
      const shown = statusOf(quota);
      if (isSame(shown.hard, status.hard) && isSame(shown.used, status.used)) continue;
      const target = { kind, namespace, name: quota.metadata.name, subresource: "status" };
      updateObject(this.#context, target, { old, candidate: { ...quota, status } }, writer);
    }
  }
}

/** Quantities that are written in another way are the same. */
function isSame(shown: unknown, wanted: Readonly<Record<string, string>>): boolean {
  const before = asObject(shown);
  const names = Object.keys(wanted);
  if (names.length !== Object.keys(before).length) return false;
  return names.every((name) => before[name] !== undefined && compareQuantities(before[name], wanted[name]) === 0);
}
