/**
 * A folder of artifacts named by their digest, shared by every process of a machine without locks: a file appears under
 * its name by an atomic rename, complete or not at all, and whoever finds a file gone fetches it again. Bounded in bytes:
 * what was used longest ago (by modification time, which each use renews) goes first.
 */
import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Digest } from "../base/digest.ts";
import { InferiumError } from "../base/errors.ts";

/** No download lasts this long, so an older temporary file belongs to a process that died. */
const abandonedMs = 24 * 60 * 60 * 1000;

export interface TempFile {
  readonly path: string;
  readonly file: FileHandle;
}

export interface ArtifactCache {
  /** The path of an artifact, renewed; undefined where it is not there. */
  find(digest: Digest): Promise<string | undefined>;
  createTemp(): Promise<TempFile>;
  /** Gives a written and verified temporary file its name, then makes room. */
  commit(temp: TempFile, digest: Digest): Promise<string>;
  discard(temp: TempFile): Promise<void>;
  /** Drops what was used longest ago until half of the bytes are left: the disk has less room than the bound. */
  makeRoom(): Promise<void>;
  /** Drops an artifact that was found damaged. */
  remove(digest: Digest): Promise<void>;
}

export function createArtifactCache(dir: string, maxBytes: number, clock: Clock): ArtifactCache {
  const pathOf = (digest: Digest) => join(dir, digest.replace(":", "-"));
  return {
    async find(digest) {
      const now = clock.now() / 1000;
      const path = pathOf(digest);
      return (await succeeds(utimes(path, now, now))) ? path : undefined;
    },
    async createTemp() {
      await mkdir(dir, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
        throw new InferiumError("CacheUnusable", `The artifact cache ${dir} cannot be made; give a writable folder.`, {
          cause,
        });
      });
      const path = join(dir, `tmp-${process.pid}-${randomUUID()}`);
      return { path, file: await open(path, "wx", 0o600) };
    },
    async commit(temp, digest) {
      const path = pathOf(digest);
      await temp.file.close();
      await rename(temp.path, path);
      await evict(dir, maxBytes, { keep: path, now: clock.now() });
      return path;
    },
    async discard(temp) {
      await succeeds(temp.file.close());
      await succeeds(unlink(temp.path));
    },
    async makeRoom() {
      const sizes = (await listFiles(dir)).filter(({ temporary }) => !temporary).map(({ sizeBytes }) => sizeBytes);
      await evict(dir, sizes.reduce((sum, size) => sum + size, 0) / 2, { keep: "", now: clock.now() });
    },
    async remove(digest) {
      await succeeds(unlink(pathOf(digest)));
    },
  };
}

interface CachedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly usedAt: number;
  readonly temporary: boolean;
}

/** Another process may evict at the same time; a file that is already gone was the aim. */
async function evict(dir: string, maxBytes: number, { keep, now }: { keep: string; now: number }): Promise<void> {
  const files = await listFiles(dir);
  const abandoned = files.filter((file) => file.temporary && now - file.usedAt > abandonedMs);
  const artifacts = files.filter((file) => !file.temporary).sort((a, b) => a.usedAt - b.usedAt);
  let total = artifacts.reduce((sum, file) => sum + file.sizeBytes, 0);
  const chosen = artifacts.filter((file) => {
    if (total <= maxBytes || file.path === keep) return false;
    total -= file.sizeBytes;
    return true;
  });
  for (const file of [...abandoned, ...chosen]) await succeeds(unlink(file.path));
}

async function listFiles(dir: string): Promise<CachedFile[]> {
  const names = (await readdir(dir)).filter((name) => name.startsWith("sha256-") || name.startsWith("tmp-"));
  const files = names.map(async (name): Promise<CachedFile[]> => {
    const path = join(dir, name);
    const stats = await stat(path).catch(ignoreMissing);
    if (stats === undefined) return [];
    return [{ path, sizeBytes: stats.size, usedAt: stats.mtimeMs, temporary: name.startsWith("tmp-") }];
  });
  return (await Promise.all(files)).flat();
}

/** Whether it worked; a file that another process has already removed or a handle already closed is a plain no. */
async function succeeds(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => true,
    (error: unknown) => {
      ignoreMissing(error);
      return false;
    },
  );
}

/** No room, over a quota, or over the file size that a process may write. */
export function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
}

export function ignoreMissing(error: unknown): undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "EBADF") return undefined;
  throw error;
}
