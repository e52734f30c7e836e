/**
 * Writes the files of a volume so that a reader sees all of the old set or all of the new one: files live in a dated
 * directory, `..data` is a link to it that is replaced by rename, and each name links through `..data`. This is the
 * layout programs know from Kubernetes. Effects: files under the pod's directory.
 */
import { lstat, mkdir, readdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isNotFound } from "./file-errors.ts";
import type { VolumeFile } from "./volume-files.ts";

const dataLink = "..data";

/** @param generation a name unique within the volume, such as a time */
export async function writeVolumeFiles(
  directory: string,
  files: readonly VolumeFile[],
  generation: string,
): Promise<void> {
  const version = `..${generation}`;
  for (const file of files) {
    const path = join(directory, version, file.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file.data, { mode: file.mode });
  }
  await mkdir(join(directory, version), { recursive: true });
  const previous = await readLinkIfAny(join(directory, dataLink));
  await replaceLink(version, join(directory, dataLink));
  await linkTopNames(directory, files);
  if (previous !== undefined && previous !== version)
    await rm(join(directory, previous), { recursive: true, force: true });
}

async function linkTopNames(directory: string, files: readonly VolumeFile[]): Promise<void> {
  const names = new Set(files.map((file) => file.path.split("/")[0] ?? file.path));
  for (const name of names) await replaceLink(join(dataLink, name), join(directory, name));
  for (const existing of await readdir(directory)) {
    if (existing.startsWith("..") || names.has(existing)) continue;
    if ((await lstat(join(directory, existing))).isSymbolicLink()) await rm(join(directory, existing));
  }
}

async function replaceLink(target: string, path: string): Promise<void> {
  const temporary = join(dirname(path), `..new_${target.replaceAll("/", "_")}`);
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, path);
}

async function readLinkIfAny(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
