/**
 * What a pod takes from other objects (config maps, secrets, service account tokens), gathered before anything is built,
 * so that the builders of environment and volumes stay pure. Effects: reads through the given fetcher.
 */
import { InferiumError } from "../../base/errors.ts";
import type { Container, Pod, VolumeProjection } from "./core-types.ts";

export type KeyedData = ReadonlyMap<string, Uint8Array>;

/** `undefined` for an object that does not exist. */
export interface PodSources {
  readonly configMaps: ReadonlyMap<string, KeyedData | undefined>;
  readonly secrets: ReadonlyMap<string, KeyedData | undefined>;
}

export interface SourceFetcher {
  configMap(namespace: string, name: string): Promise<KeyedData | undefined>;
  secret(namespace: string, name: string): Promise<KeyedData | undefined>;
}

interface SourceNames {
  readonly configMaps: Set<string>;
  readonly secrets: Set<string>;
}

/** @param containers those that are about to start; their volumes are the pod's. */
export async function gatherSources(
  fetcher: SourceFetcher,
  pod: Pod,
  containers: readonly Container[],
): Promise<PodSources> {
  const names = listSourceNames(pod, containers);
  const namespace = pod.metadata.namespace ?? "default";
  const fetchAll = async (
    wanted: Set<string>,
    fetchOne: (namespace: string, name: string) => Promise<KeyedData | undefined>,
  ) => new Map(await Promise.all([...wanted].map(async (name) => [name, await fetchOne(namespace, name)] as const)));
  const [configMaps, secrets] = await Promise.all([
    fetchAll(names.configMaps, fetcher.configMap),
    fetchAll(names.secrets, fetcher.secret),
  ]);
  return { configMaps, secrets };
}

export function listSourceNames(pod: Pod, containers: readonly Container[]): SourceNames {
  const names: SourceNames = { configMaps: new Set(), secrets: new Set() };
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.configMap !== undefined) names.configMaps.add(volume.configMap.name);
    if (volume.secret !== undefined) names.secrets.add(volume.secret.secretName);
    for (const projection of volume.projected?.sources ?? []) addProjection(names, projection);
  }
  for (const container of containers) addContainer(names, container);
  return names;
}

function addProjection(names: SourceNames, projection: VolumeProjection): void {
  if (projection.configMap !== undefined) names.configMaps.add(projection.configMap.name);
  if (projection.secret !== undefined) names.secrets.add(projection.secret.name);
}

function addContainer(names: SourceNames, container: Container): void {
  for (const from of container.envFrom ?? []) {
    if (from.configMapRef !== undefined) names.configMaps.add(from.configMapRef.name);
    if (from.secretRef !== undefined) names.secrets.add(from.secretRef.name);
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.configMapKeyRef !== undefined) names.configMaps.add(valueFrom.configMapKeyRef.name);
    if (valueFrom?.secretKeyRef !== undefined) names.secrets.add(valueFrom.secretKeyRef.name);
  }
}

/** The data of a referenced object; empty where the reference is optional; otherwise an error the kubelet retries. */
export function requireSource(
  kind: "configmap" | "secret",
  reference: { readonly name: string; readonly optional?: boolean },
  sources: PodSources,
): KeyedData {
  const data = (kind === "configmap" ? sources.configMaps : sources.secrets).get(reference.name);
  if (data !== undefined) return data;
  if (reference.optional === true) return new Map();
  throw new InferiumError("CreateContainerConfigError", `${kind} "${reference.name}" not found`, {
    disposition: "retry",
  });
}
