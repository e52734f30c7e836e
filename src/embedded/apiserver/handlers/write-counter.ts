/** Counts the successful writes that clients made, by resource, subresource and verb. Dry runs do not count. */
export interface WriteCount {
  /** Plural and group, such as `inferencetasks.inferium.io`, `pods`. */
  readonly resource: string;
  readonly subresource: string;
  /** create, update, patch, delete or deletecollection. */
  readonly verb: string;
  readonly count: number;
}

export class WriteCounter {
  readonly #counts = new Map<string, number>();

  add(resource: string, subresource: string, verb: string): void {
    const id = [resource, subresource, verb].join(" ");
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
  }

  list(): readonly WriteCount[] {
    return [...this.#counts].map(([id, count]) => {
      const [resource = "", subresource = "", verb = ""] = id.split(" ");
      return { resource, subresource, verb, count };
    });
  }
}
