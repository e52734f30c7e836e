/**
 * Models and inputs by URI and digest (stages 4 and 6: workers and validators fetch for themselves). The bytes are
 * streamed to a temporary file while they are hashed and counted, and enter the shared cache only when the digest is the
 * one the task names. Effects: network, files under the cache folder.
 */
import { createHash, type Hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type BackoffOptions, computeBackoffMs } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { type Digest, sha256 } from "../base/digest.ts";
import { InferiumError } from "../base/errors.ts";
import { createArtifactCache, ignoreMissing, isDiskFull, type TempFile } from "./artifact-cache.ts";
import { checkUri, openSource, type Source, type SourcePolicy } from "./artifact-source.ts";
import { createLru } from "./lru.ts";
import { createSharedWork } from "./shared-work.ts";

export interface ArtifactRef {
  readonly uri: string;
  readonly digest: Digest;
}

export interface Artifact {
  readonly path: string;
  readonly digest: Digest;
}

export interface ArtifactStoreOptions extends SourcePolicy {
  readonly cacheDir: string;
  /** Bound of the cache folder. */
  readonly maxCacheBytes?: number;
  /** Bound of one artifact. */
  readonly maxArtifactBytes?: number;
  /** Bound of one download, all attempts apart. */
  readonly timeoutMs?: number;
  readonly attempts?: number;
  readonly backoff?: BackoffOptions;
  readonly clock?: Clock;
}

export interface ArtifactStore {
  /** @throws InferiumError InvalidUri, NotAllowed */
  checkAllowed(uri: string): void;
  /**
   * Puts an artifact into the cache unless it is there. The file may be evicted later: read it soon, or use read.
   * @throws InferiumError InvalidUri, NotAllowed, NotFound, TooLarge, DigestMismatch, Unavailable (retry),
   * CacheUnusable (retry where the disk is full); or the signal's reason
   */
  fetchArtifact(ref: ArtifactRef, signal?: AbortSignal): Promise<Artifact>;
  /** The bytes, verified once more after reading: the folder is shared, and disks decay. Throws as fetchArtifact. */
  readArtifact(ref: ArtifactRef, signal?: AbortSignal): Promise<Uint8Array>;
}

const gibibyte = 2 ** 30;

const readAttempts = 5;

export function createArtifactStore(options: ArtifactStoreOptions): ArtifactStore {
  const clock = options.clock ?? systemClock;
  const cache = createArtifactCache(options.cacheDir, options.maxCacheBytes ?? 20 * gibibyte, clock);
  /** One download at a time for one digest and URI in this process; the digest alone would let a bad URI fail a good one. */
  const downloads = createSharedWork<string>();

  async function downloadWithRetries(url: URL, digest: Digest, signal: AbortSignal): Promise<string> {
    const attempts = options.attempts ?? 3;
    for (let attempt = 1; ; attempt++) {
      try {
        return await downloadOnce(url, digest, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (attempt >= attempts || !(error instanceof InferiumError) || error.disposition !== "retry") throw error;
        await clock.sleep(computeBackoffMs(attempt, options.backoff ?? { initialMs: 250, maxMs: 5_000 }), signal);
      }
    }
  }

  async function downloadOnce(url: URL, digest: Digest, signal: AbortSignal): Promise<string> {
    const timeout = AbortSignal.timeout(options.timeoutMs ?? 600_000);
    const source = await openSource(url, options, AbortSignal.any([timeout, signal]));
    try {
      const temp = await cache.createTemp();
      try {
        await copyVerified(source, temp, { digest, maxBytes: maxArtifactBytes(options), signal });
        return await cache.commit(temp, digest);
      } catch (error) {
        await cache.discard(temp);
        if (!isDiskFull(error)) throw error;
        await cache.makeRoom();
        throw diskFull(options.cacheDir, error);
      }
    } finally {
      await source.close();
    }
  }

  function download(url: URL, digest: Digest, signal: AbortSignal | undefined): Promise<string> {
    return downloads.join(`${digest} ${url.href}`, (stop) => downloadWithRetries(url, digest, stop), signal);
  }

  async function fetchArtifact(ref: ArtifactRef, signal?: AbortSignal): Promise<Artifact> {
    // The policy comes before the cache: what one task may read must not depend on what another has fetched.
    const url = checkUri(ref.uri, options);
    const path = (await cache.find(ref.digest)) ?? (await download(url, ref.digest, signal));
    return { path, digest: ref.digest };
  }

  async function readArtifact(ref: ArtifactRef, signal?: AbortSignal): Promise<Uint8Array> {
    for (let attempt = 0; attempt < readAttempts; attempt++) {
      const { path } = await fetchArtifact(ref, signal);
      const bytes = await readFile(path).catch(ignoreMissing);
      // Gone: another process has made room meanwhile. Wrong: the disk or somebody has changed it.
      if (bytes === undefined) continue;
      if (sha256(bytes) === ref.digest) return bytes;
      await cache.remove(ref.digest);
    }
    const message = `The artifact ${ref.digest} vanished from the cache or was damaged ${readAttempts} times after it was fetched. Give the cache more room.`;
    throw new InferiumError("Unavailable", message, { disposition: "retry" });
  }

  /** The policy never changes, and tasks repeat their URIs: parsing one costs more than many a small model's run. */
  const allowed = createLru<string>(4096, () => 1);
  function checkAllowed(uri: string): void {
    if (allowed.get(uri) !== undefined) return;
    checkUri(uri, options);
    allowed.set(uri, uri);
  }

  return { checkAllowed, fetchArtifact, readArtifact };
}

function maxArtifactBytes(options: ArtifactStoreOptions): number {
  return Math.min(options.maxArtifactBytes ?? 2 * gibibyte, options.maxCacheBytes ?? Number.POSITIVE_INFINITY);
}

interface Expectation {
  readonly digest: Digest;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

async function copyVerified(source: Source, temp: TempFile, want: Expectation): Promise<void> {
  if (source.sizeBytes !== undefined && source.sizeBytes > want.maxBytes)
    throw tooLarge(source.sizeBytes, want.maxBytes);
  const hash = createHash("sha256");
  await copyHashed(source.chunks, temp, { ...want, hash });
  const got: Digest = `sha256:${hash.digest("hex")}`;
  if (got !== want.digest) throw digestMismatch(want.digest, got);
}

async function copyHashed(
  chunks: AsyncIterable<Uint8Array>,
  temp: TempFile,
  { hash, maxBytes, signal }: Omit<Expectation, "digest"> & { hash: Hash },
): Promise<void> {
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    sizeBytes += chunk.byteLength;
    // The announced size is not to be trusted, so the count is.
    if (sizeBytes > maxBytes) throw tooLarge(sizeBytes, maxBytes);
    hash.update(chunk);
    await temp.file.writeFile(chunk);
  }
}

function diskFull(dir: string, cause: unknown): InferiumError {
  const message = `The disk of the artifact cache ${dir} is full; half of the cache was dropped. Give it more room, or a smaller bound.`;
  return new InferiumError("CacheUnusable", message, { disposition: "retry", cause });
}

function tooLarge(sizeBytes: number, maxBytes: number): InferiumError {
  const message = `The artifact has at least ${sizeBytes} bytes; at most ${maxBytes} are allowed here.`;
  return new InferiumError("TooLarge", message, { evidence: { sizeBytes, maxBytes } });
}

function digestMismatch(expected: Digest, got: Digest): InferiumError {
  const message = `The artifact's bytes have digest ${got}; the task names ${expected}. The file at its URI is another one.`;
  return new InferiumError("DigestMismatch", message, { evidence: { expected, got } });
}
