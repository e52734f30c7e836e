/**
 * Reads a whole collection page by page. Every page comes from the resource version of the first, which is the one that
 * a watch may start from. A continue token that expires between two pages starts the list again, once, in one piece.
 */
import { isGone } from "./api-error.ts";
import type { KubeObject, ListMeta } from "./object.ts";
import { collectionPath, type ResourceType } from "./resource.ts";
import type { Transport } from "./transport.ts";

export interface Selection {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface ListOptions extends Selection {
  /** Objects per request; 0 asks for all of them at once. */
  readonly pageSize?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ObjectList<T> {
  readonly items: T[];
  readonly resourceVersion: string;
}

interface Page<T> {
  readonly metadata?: ListMeta;
  readonly items?: T[] | null;
}

export function listPages<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: ListOptions = {},
): Promise<ObjectList<T>> {
  return listPagesAs(transport, type, options, (item) => item);
}

/** Keeps of each item only what `stage` makes of it, so that a page's objects are free when the next one comes. */
export async function listPagesAs<T extends KubeObject, R>(
  transport: Transport,
  type: ResourceType<T>,
  options: ListOptions,
  stage: (item: T) => R,
): Promise<ObjectList<R>> {
  const read = (pageSize: number) => readPages(transport, type, { ...options, pageSize }, stage);
  const pageSize = options.pageSize ?? 500;
  try {
    return await read(pageSize);
  } catch (error) {
    if (!isGone(error) || pageSize === 0) throw error;
    return read(0);
  }
}

async function readPages<T extends KubeObject, R>(
  transport: Transport,
  type: ResourceType<T>,
  options: ListOptions & { readonly pageSize: number },
  stage: (item: T) => R,
): Promise<ObjectList<R>> {
  const items: R[] = [];
  let next: string | undefined;
  for (;;) {
    const page = await readPage(transport, type, options, next);
    for (const item of page.items ?? []) items.push(stage(withKind(item, type)));
    next = page.metadata?.continue || undefined;
    if (next === undefined) return { items, resourceVersion: page.metadata?.resourceVersion ?? "" };
  }
}

function readPage<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: ListOptions & { readonly pageSize: number },
  next: string | undefined,
): Promise<Page<T>> {
  return transport.request<Page<T>>({
    method: "GET",
    path: collectionPath(type, options.namespace),
    query: {
      labelSelector: options.labelSelector || undefined,
      fieldSelector: options.fieldSelector || undefined,
      limit: options.pageSize || undefined,
      continue: next,
    },
    timeoutMs: options.timeoutMs,
    signal: options.signal,
  });
}

/** The API server leaves apiVersion and kind out of list items; a watch gives them. One shape for both. */
export function withKind<T extends KubeObject>(item: T, type: ResourceType<T>): T {
  if (item.kind && item.apiVersion) return item;
  return { ...item, apiVersion: type.apiVersion, kind: type.kind };
}
