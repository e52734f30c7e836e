/** InferenceTasks out of a file of manifests, for `submit -f`. What is not a task is refused before anything is created. */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { parseAllDocuments } from "yaml";
import { apiVersion } from "../api/v1alpha1/meta.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import type { NewTask } from "./build-task.ts";

export interface ManifestOptions {
  /** Where a manifest names none. */
  readonly namespace: string;
  /** Whether the namespace was asked for: then no manifest may name another. */
  readonly isAsked: boolean;
  /** Makes a name unique where only its beginning is given. */
  readonly suffix: () => string;
  /** For `-`; left out: standard input. */
  readonly stdin?: AsyncIterable<Uint8Array | string>;
}

/** @param path file of YAML or JSON, or `-`. @throws InferiumError InvalidUsage */
export async function readTaskManifests(path: string, options: ManifestOptions): Promise<NewTask[]> {
  const where = path === "-" ? "standard input" : path;
  const objects = parse(await readAll(path, options), where);
  if (objects.length === 0) throw invalid(`${where} holds no object; expected one InferenceTask or several.`);
  return objects.map((object, index) => toTask(object, `${where}, object ${index + 1}`, options));
}

async function readAll(path: string, { stdin = process.stdin }: ManifestOptions): Promise<string> {
  try {
    return path === "-" ? await text(stdin as AsyncIterable<Uint8Array>) : await readFile(path, "utf8");
  } catch (cause) {
    throw new InferiumError("InvalidUsage", `Cannot read ${path}: ${describeError(cause)}`, { cause });
  }
}

/** A List is its items, as for kubectl. */
function parse(source: string, where: string): unknown[] {
  const documents = parseAllDocuments(source);
  const [problem] = documents.flatMap((document) => document.errors);
  if (problem !== undefined) throw invalid(`${where} is no YAML: ${problem.message}`);
  return documents.flatMap((document) => {
    const object: { kind?: unknown; items?: unknown } | null = document.toJS();
    return object?.kind === "List" && Array.isArray(object.items) ? object.items : object === null ? [] : [object];
  });
}

interface Manifest {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly metadata?: { readonly name?: string; readonly generateName?: string; readonly namespace?: string };
}

function toTask(object: unknown, where: string, { namespace, isAsked, suffix }: ManifestOptions): NewTask {
  const { apiVersion: version, kind, metadata } = (typeof object === "object" && object ? object : {}) as Manifest;
  if (kind !== "InferenceTask" || version !== apiVersion) {
    throw invalid(`${where} is ${String(version)} ${String(kind)}; expected ${apiVersion} InferenceTask.`);
  }
  const name = metadata?.name ?? (metadata?.generateName ? `${metadata.generateName}${suffix()}` : undefined);
  if (name === undefined) throw invalid(`${where} has no metadata.name; give one, or metadata.generateName.`);
  const own = metadata?.namespace;
  if (isAsked && own !== undefined && own !== namespace) {
    throw invalid(`${where} is in namespace ${own}, and --namespace says ${namespace}; leave one of them out.`);
  }
  return { ...(object as NewTask), metadata: { ...(object as NewTask).metadata, name, namespace: own ?? namespace } };
}

function invalid(message: string): InferiumError {
  return new InferiumError("InvalidUsage", message);
}
