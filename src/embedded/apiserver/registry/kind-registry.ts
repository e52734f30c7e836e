/** The kinds the server serves now: built-in ones from the start, custom ones as their definitions come and go. */
import type { ResourceKind } from "./kind.ts";

export class KindRegistry {
  readonly #kinds = new Map<string, ResourceKind>();
  readonly #listeners = new Set<() => void>();
  #generation = 0;

  /** Changes with every addition and removal; caches of discovery and OpenAPI key on it. */
  get generation(): number {
    return this.#generation;
  }

  add(kind: ResourceKind): void {
    this.#kinds.set(idOf(kind.group, kind.version, kind.plural), kind);
    this.#changed();
  }

  remove(group: string, version: string, plural: string): void {
    if (this.#kinds.delete(idOf(group, version, plural))) this.#changed();
  }

  find(group: string, version: string, plural: string): ResourceKind | undefined {
    return this.#kinds.get(idOf(group, version, plural));
  }

  findByKind(apiVersion: string, kind: string): ResourceKind | undefined {
    return this.all().find((known) => known.apiVersion === apiVersion && known.kind === kind);
  }

  all(): readonly ResourceKind[] {
    return [...this.#kinds.values()];
  }

  /** One kind for each storage: the way a generic controller walks everything once. */
  storages(): readonly ResourceKind[] {
    const seen = new Map<string, ResourceKind>();
    for (const kind of this.#kinds.values()) if (!seen.has(kind.storage)) seen.set(kind.storage, kind);
    return [...seen.values()];
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    this.#generation += 1;
    for (const listener of this.#listeners) listener();
  }
}

function idOf(group: string, version: string, plural: string): string {
  return `${group}/${version}/${plural}`;
}
