/**
 * `kubectl cp` from a pod runs `tar cf - PATH` there and expects PATH in the archive. Mount paths are rewritten to the
 * real directories of their volumes, so tar is told to write the names that the caller knows. Pure.
 */
import type { MountPoint } from "./mounts.ts";

/** @param command as it was asked for; @param rewritten the same with real paths */
export function keepArchiveNames(
  command: readonly string[],
  rewritten: readonly string[],
  mounts: readonly MountPoint[],
): readonly string[] {
  const [program = "", mode = ""] = command;
  const isArchiving = /(^|\/)tar$/.test(program) && /^-?c/.test(mode);
  if (!isArchiving || command.every((word, index) => word === rewritten[index])) return rewritten;
  const used = mounts.filter((mount) => rewritten.some((word) => word.startsWith(mount.realPath)));
  return [...rewritten, ...used.map(buildTransform)];
}

/** tar strips the leading slash of names before, or after, it transforms them: both forms are met. */
function buildTransform({ realPath, mountPath }: MountPoint): string {
  const from = realPath.replace(/^\/+/, "").replaceAll(/[.*[\]^$\\,]/g, "\\$&");
  const to = mountPath.replace(/^\/+/, "").replaceAll(/[\\&,]/g, "\\$&");
  return `--transform=s,^/*${from}\\(/\\|$\\),${to}\\1,`;
}
