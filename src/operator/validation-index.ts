/**
 * Every Validation, and which of them judges a given attempt. Follows the informer and our own writes, so that what was
 * created a moment ago is never created again.
 */

import { objectKey } from "../kube/object.ts";
import type { StoreEvent } from "../kube/store.ts";
import type { ValidationObject } from "./kinds.ts";

export type ValidationHandler = (
  key: string,
  validation: ValidationObject | undefined,
  previous: ValidationObject | undefined,
) => void;

export class ValidationIndex {
  readonly #validations = new Map<string, ValidationObject>();
  /** Keys of Validations by uid/attempt. */
  readonly #covering = new Map<string, Set<string>>();
  readonly #handlers: ValidationHandler[] = [];

  get(key: string): ValidationObject | undefined {
    return this.#validations.get(key);
  }

  list(): IterableIterator<ValidationObject> {
    return this.#validations.values();
  }

  /** The one that counts: of the second round, if there was one. */
  covering(uid: string, attempt: number): ValidationObject | undefined {
    const keys = this.#covering.get(`${uid}/${attempt}`) ?? [];
    const found = [...keys].map((key) => this.#validations.get(key)).filter((validation) => validation !== undefined);
    return found.sort((a, b) => b.spec.round - a.spec.round)[0];
  }

  onChange(handler: ValidationHandler): void {
    this.#handlers.push(handler);
  }

  observe(event: StoreEvent<ValidationObject>): void {
    const known = this.#validations.get(event.key);
    if (event.type !== "deleted") this.put(event.object);
    else if (known?.metadata.uid === event.object.metadata.uid) this.#set(event.key, undefined);
  }

  /** Takes an object of the server, unless a newer one is known. */
  put(validation: ValidationObject): void {
    const key = objectKey(validation);
    const known = this.#validations.get(key);
    const isSame = known?.metadata.uid === validation.metadata.uid;
    if (isSame && Number(known?.metadata.resourceVersion) >= Number(validation.metadata.resourceVersion)) return;
    this.#set(key, validation);
  }

  #set(key: string, validation: ValidationObject | undefined): void {
    const previous = this.#validations.get(key);
    for (const id of receiptIds(previous)) this.#uncover(id, key);
    if (validation) this.#validations.set(key, validation);
    else this.#validations.delete(key);
    for (const id of receiptIds(validation)) this.#covering.set(id, (this.#covering.get(id) ?? new Set()).add(key));
    for (const handler of this.#handlers) handler(key, validation, previous);
  }

  #uncover(id: string, key: string): void {
    const keys = this.#covering.get(id);
    keys?.delete(key);
    if (keys?.size === 0) this.#covering.delete(id);
  }
}

function receiptIds(validation: ValidationObject | undefined): string[] {
  return (validation?.spec.receipts ?? []).map(({ uid, attempt }) => `${uid}/${attempt}`);
}

export function isDecided(validation: ValidationObject): boolean {
  return validation.status?.phase === "Decided";
}
