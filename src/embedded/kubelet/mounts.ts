/**
 * Volume mounts without a mount namespace. A process cannot see a volume at its mountPath, so that path is mapped: every
 * occurrence of a mountPath in command, args, workingDir and environment values is rewritten to the real directory, and
 * each mount NAME is also given as INFERIUM_MOUNT_<NAME> (upper case, other characters become "_"). Pure.
 */
import { posix } from "node:path";
import { InferiumError } from "../../base/errors.ts";
import type { Container } from "./core-types.ts";
import type { Environment } from "./environment.ts";
import { expandVariables } from "./expansion.ts";

export interface MountPoint {
  readonly name: string;
  readonly mountPath: string;
  readonly realPath: string;
  /** Below the volume: a directory that the kubelet makes where there is nothing. */
  readonly isSubPath?: boolean;
}

/** @param volumeDirs real directory (or file, for a hostPath) of each volume of the pod */
export function resolveMounts(
  container: Container,
  volumeDirs: ReadonlyMap<string, string>,
  declared: Environment,
): readonly MountPoint[] {
  return (container.volumeMounts ?? []).map((mount) => {
    const directory = volumeDirs.get(mount.name);
    if (directory === undefined) {
      throw new InferiumError("CreateContainerConfigError", `volumeMount '${mount.name}' names no volume of this pod.`);
    }
    const subPath = mount.subPath ?? expandVariables(mount.subPathExpr ?? "", (name) => declared[name]);
    const realPath = posix.join(directory, checkInside(subPath));
    const mountPath = posix.normalize(mount.mountPath).replace(/(.)\/$/, "$1");
    return { name: mount.name, mountPath, realPath, ...(subPath === "" ? {} : { isSubPath: true }) };
  });
}

/** Refuses a relative path that would leave its volume. */
export function checkInside(path: string): string {
  if (!path.startsWith("/") && !path.split("/").includes("..")) return path;
  throw new InferiumError(
    "CreateContainerConfigError",
    `Path '${path}' leaves its volume: expected a relative path without '..'.`,
  );
}

/** The first mount of a volume names it when a container mounts it twice. */
export function buildMountEnvironment(mounts: readonly MountPoint[]): Environment {
  const pairs = mounts.map((mount) => [formatMountVariable(mount.name), mount.realPath] as const);
  return Object.fromEntries(pairs.reverse());
}

export function formatMountVariable(volumeName: string): string {
  return `INFERIUM_MOUNT_${volumeName.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
}

/**
 * One pass over the text, longest mountPath first, only at path boundaries: "/data" is found in "--in=/data/x" and
 * "file:///data", not in "/database" or "/my/data". One pass, because a real path may itself contain a mountPath.
 */
export function createPathRewriter(mounts: readonly MountPoint[]): (text: string) => string {
  const mapped = mounts.filter((mount) => mount.mountPath !== "/");
  if (mapped.length === 0) return (text) => text;
  const byPath = new Map(mapped.map((mount) => [mount.mountPath, mount.realPath]));
  const paths = [...byPath.keys()].sort((one, other) => other.length - one.length).map(escapePattern);
  const pattern = new RegExp(`(?:(?<![\\w.\\-/])|(?<=://))(?:${paths.join("|")})(?![\\w.\\-])`, "g");
  return (text) => text.replace(pattern, (path) => byPath.get(path) ?? path);
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
