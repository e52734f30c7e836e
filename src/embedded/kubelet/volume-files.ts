/** The files of a volume that is made from API objects: configMap, secret, downwardAPI and projected volumes. Pure. */
import { InferiumError } from "../../base/errors.ts";
import type { DownwardFile, KeyToPath, Pod, Volume, VolumeProjection } from "./core-types.ts";
import { computeField, computeResourceField, type NodeFacts } from "./field-ref.ts";
import { checkInside } from "./mounts.ts";
import { type KeyedData, type PodSources, requireSource } from "./sources.ts";

export interface VolumeFile {
  readonly path: string;
  readonly data: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
}

export interface VolumeInput {
  readonly pod: Pod;
  readonly sources: PodSources;
  readonly facts: NodeFacts;
  /** Tokens of projected volumes, by `formatTokenKey`. */
  readonly tokens: ReadonlyMap<string, string>;
}

const defaultFileMode = 0o644;

/** `undefined` for a volume that holds no API data (emptyDir, hostPath, and what this kubelet does not know). */
export function buildVolumeFiles(volume: Volume, input: VolumeInput): readonly VolumeFile[] | undefined {
  const mode = computeDefaultMode(volume);
  if (volume.configMap !== undefined) return buildProjection({ configMap: volume.configMap }, mode, input);
  if (volume.secret !== undefined) {
    const { secretName, ...rest } = volume.secret;
    return buildProjection({ secret: { ...rest, name: secretName } }, mode, input);
  }
  if (volume.downwardAPI !== undefined) return buildProjection({ downwardAPI: volume.downwardAPI }, mode, input);
  return volume.projected?.sources?.flatMap((source) => buildProjection(source, mode, input));
}

function computeDefaultMode(volume: Volume): number {
  const source = volume.configMap ?? volume.secret ?? volume.downwardAPI ?? volume.projected;
  return source?.defaultMode ?? defaultFileMode;
}

function buildProjection(source: VolumeProjection, mode: number, input: VolumeInput): readonly VolumeFile[] {
  if (source.configMap !== undefined) {
    return selectKeys(source.configMap, requireSource("configmap", source.configMap, input.sources), mode);
  }
  if (source.secret !== undefined) {
    return selectKeys(source.secret, requireSource("secret", source.secret, input.sources), mode);
  }
  if (source.serviceAccountToken !== undefined) return [buildTokenFile(source.serviceAccountToken, mode, input)];
  if (source.downwardAPI !== undefined) {
    return (source.downwardAPI.items ?? []).map((item) => buildDownwardFile(item, mode, input));
  }
  throw new InferiumError(
    "UnsupportedVolume",
    `A projected volume has a source that this kubelet does not know: ${Object.keys(source).join(", ")}.`,
  );
}

function selectKeys(
  source: { readonly name: string; readonly items?: readonly KeyToPath[]; readonly optional?: boolean },
  data: KeyedData,
  mode: number,
): readonly VolumeFile[] {
  if (source.items === undefined || source.items.length === 0) {
    return [...data].map(([key, value]) => ({ path: checkInside(key), data: value, mode }));
  }
  return source.items.flatMap((item) => {
    const value = data.get(item.key);
    if (value !== undefined) return [{ path: checkInside(item.path), data: value, mode: item.mode ?? mode }];
    if (source.optional === true) return [];
    throw new InferiumError(
      "CreateContainerConfigError",
      `references non-existent key '${item.key}' of '${source.name}'`,
      {
        disposition: "retry",
      },
    );
  });
}

function buildDownwardFile(item: DownwardFile, mode: number, input: VolumeInput): VolumeFile {
  const text =
    item.resourceFieldRef === undefined
      ? computeField(item.fieldRef?.fieldPath ?? "", input.pod, input.facts)
      : computeResourceField(item.resourceFieldRef, undefined, input.pod, input.facts);
  return { path: checkInside(item.path), data: Buffer.from(text), mode: item.mode ?? mode };
}

export type TokenProjection = NonNullable<VolumeProjection["serviceAccountToken"]>;

function buildTokenFile(projection: TokenProjection, mode: number, input: VolumeInput): VolumeFile {
  const token = input.tokens.get(formatTokenKey(projection)) ?? "";
  // Only the user that runs the pod may read a token, whatever the volume's default mode says.
  return { path: checkInside(projection.path), data: Buffer.from(token), mode: mode & 0o600 };
}

export function formatTokenKey(projection: Pick<TokenProjection, "audience" | "expirationSeconds">): string {
  return `${projection.audience ?? ""} ${projection.expirationSeconds ?? 3600}`;
}

export function listTokenProjections(pod: Pod): readonly TokenProjection[] {
  return (pod.spec.volumes ?? []).flatMap((volume) =>
    (volume.projected?.sources ?? []).flatMap((source) => source.serviceAccountToken ?? []),
  );
}
