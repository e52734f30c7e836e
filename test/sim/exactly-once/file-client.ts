/**
 * Kubernetes objects as files, one each, for a process that is killed again and again: what was written is there for the
 * next one, and a write is whole or not at all. As much of a client as the settle stage uses.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { KubeApiError } from "../../../src/kube/api-error.ts";
import type { KubeClient } from "../../../src/kube/client.ts";
import type { KubeObject } from "../../../src/kube/object.ts";
import type { ResourceType } from "../../../src/kube/resource.ts";

type Json = Record<string, unknown>;

export function openFileClient<T extends KubeObject>(folder: string, type: ResourceType<T>): KubeClient<T> {
  const pathOf = (name: string) => join(folder, `${name}.json`);
  const read = async (name: string): Promise<T> => {
    try {
      return JSON.parse(await readFile(pathOf(name), "utf8")) as T;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      const body = { kind: "Status", reason: "NotFound", code: 404, message: `${name} not found` };
      throw new KubeApiError({ request: `GET ${name}`, status: 404, body });
    }
  };
  const write = async (object: T): Promise<T> => {
    await mkdir(folder, { recursive: true });
    const resourceVersion = String(Number(object.metadata.resourceVersion ?? "0") + 1);
    const next = { ...object, metadata: { ...object.metadata, resourceVersion } };
    const temporary = join(folder, `.${randomUUID()}`);
    await writeFile(temporary, JSON.stringify(next));
    await rename(temporary, pathOf(object.metadata.name));
    return next;
  };
  const refuse = (): never => {
    throw new Error("the simulation's client does not do this");
  };
  return {
    type,
    get: (ref) => read(ref.name),
    async list({ labelSelector } = {}) {
      const names = await readdir(folder).catch(() => []);
      const items = await Promise.all(
        names.filter((name) => !name.startsWith(".")).map((name) => read(name.slice(0, -".json".length))),
      );
      return { items: items.filter((item) => matches(item, labelSelector)), resourceVersion: "1" };
    },
    create: (object) => write(object),
    async apply(object) {
      const known = await read(object.metadata.name).catch(() => undefined);
      const metadata = { ...known?.metadata, ...object.metadata };
      return write({ ...object, metadata } as unknown as T);
    },
    async patch(ref, { body }) {
      const known = await read(ref.name);
      const patch = body as Json;
      return write(merge(known, { ...patch, metadata: {} }) as unknown as T);
    },
    delete: async (ref) => {
      await read(ref.name);
      await rm(pathOf(ref.name));
    },
    update: refuse,
    updateStatus: refuse,
    applyStatus: refuse,
    watch: refuse,
    getSubresource: refuse,
    createSubresource: refuse,
  };
}

function matches(object: KubeObject, selector: string | undefined): boolean {
  return (selector ?? "")
    .split(",")
    .filter((part) => part !== "")
    .every((part) => {
      const [key = "", value] = part.split("=");
      return object.metadata.labels?.[key] === value;
    });
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Json = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
