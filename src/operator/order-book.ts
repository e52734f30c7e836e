/**
 * Requesters' orders, read from Secrets and remembered for a while, and how much of each is spoken for: what batches have
 * settled plus what admitted tasks will cost. The second part is what keeps many small tasks from overdrawing one order.
 */
import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import { isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import type { Secret } from "../kube/core-resources.ts";
import { identifyBudget, type Order, parseOrder } from "../protocol/order.ts";
import { type OrderFinding, rewardOf } from "../protocol/task.ts";
import { orderTypes, type ProtocolDomain, recoverSigner } from "../protocol/typed-data.ts";
import type { TaskObject } from "./kinds.ts";

export interface OrderBookOptions {
  readonly secrets: KubeClient<Secret>;
  readonly domain: ProtocolDomain;
  readonly clock: Clock;
  /** Spent under a budget in settled and proposed batches. */
  readonly settledOf: (budget: string) => bigint;
}

const cacheMs = 10_000;
const maxCached = 4_096;
/** Between the claim and the start of the work. */
const startMarginMs = 10_000;

export class OrderBook {
  readonly #options: OrderBookOptions;
  readonly #cache = new Map<string, { readonly finding: Promise<OrderFinding>; readonly atMs: number }>();
  /** By budget, then by uid of the task. */
  readonly #reserved = new Map<string, Map<string, bigint>>();
  readonly #budgets = new Map<string, string>();

  constructor(options: OrderBookOptions) {
    this.#options = options;
  }

  /** Undefined where the task pays nothing or names no order. @throws KubeApiError other than not found */
  async find(task: TaskObject): Promise<OrderFinding | undefined> {
    const name = task.spec.orderRef?.name;
    return name === undefined ? undefined : this.findNamed(task.metadata.namespace ?? "", name);
  }

  /** @throws KubeApiError other than not found */
  async findNamed(namespace: string, name: string): Promise<OrderFinding> {
    const key = `${namespace}/${name}`;
    const nowMs = this.#options.clock.monotonic();
    const cached = this.#cache.get(key);
    if (cached && nowMs - cached.atMs < cacheMs) return cached.finding;
    const finding = this.#read(namespace, name);
    this.#remember(key, { finding, atMs: nowMs });
    finding.then(
      // What may be put right is looked at again each time.
      (found) => found.state === "Found" || this.#cache.delete(key),
      () => this.#cache.delete(key),
    );
    return finding;
  }

  /** @throws InferiumError OrderNotGood where work that begins now could not be paid under it any more */
  async checkStillGood(task: TaskObject): Promise<void> {
    if (rewardOf(task.spec) === 0n) return;
    const found = await this.find(task);
    if (found?.state === "Found" && this.#options.clock.now() + startMarginMs < found.order.message.expiresAt * 1_000)
      return;
    throw new InferiumError("OrderNotGood", `The order of ${task.metadata.name} has expired or is gone.`);
  }

  /** What is spoken for under the order, but by the task itself, or by the other copy of a shard, of which one is paid. */
  reservedWei(order: Order, ...own: readonly string[]): bigint {
    const budget = identifyBudget(order.message);
    let sum = this.#options.settledOf(budget);
    for (const [holder, wei] of this.#reserved.get(budget) ?? []) if (!own.includes(holder)) sum += wei;
    return sum;
  }

  reserve(order: Order, task: TaskObject): void {
    const uid = task.metadata.uid ?? "";
    const budget = identifyBudget(order.message);
    const holders = this.#reserved.get(budget) ?? new Map<string, bigint>();
    this.#reserved.set(budget, holders.set(uid, rewardOf(task.spec)));
    this.#budgets.set(uid, budget);
  }

  /** The task is over, or counted in a batch. */
  release(uid: string): void {
    const budget = this.#budgets.get(uid);
    if (budget === undefined) return;
    this.#budgets.delete(uid);
    const holders = this.#reserved.get(budget);
    holders?.delete(uid);
    if (holders?.size === 0) this.#reserved.delete(budget);
  }

  #remember(key: string, entry: { readonly finding: Promise<OrderFinding>; readonly atMs: number }): void {
    this.#cache.delete(key);
    this.#cache.set(key, entry);
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > maxCached && oldest !== undefined) this.#cache.delete(oldest);
  }

  async #read(namespace: string, name: string): Promise<OrderFinding> {
    try {
      const secret = await this.#options.secrets.get({ namespace, name });
      return this.#parse(secret, `${namespace}/${name}`);
    } catch (error) {
      if (isNotFound(error)) return { state: "Missing", detail: `There is no Secret ${namespace}/${name}; create it.` };
      throw error;
    }
  }

  #parse(secret: Secret, where: string): OrderFinding {
    const encoded = secret.data?.["order.json"];
    if (encoded === undefined) return { state: "Invalid", detail: `Secret ${where} has no key order.json.` };
    try {
      const order = parseOrder(Buffer.from(encoded, "base64").toString("utf8"));
      const signer = recoverSigner(this.#options.domain, orderTypes, order.message, order.signature);
      return { state: "Found", order, signer };
    } catch (error) {
      if (error instanceof InferiumError && error.code === "InvalidOrder") {
        return { state: "Invalid", detail: `Secret ${where}: ${error.message}` };
      }
      throw error;
    }
  }
}
