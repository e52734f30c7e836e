/**
 * Files named after the digest of what they hold, one record for each circuit that was registered, and one for the tile of dispute games. Artifacts are written once,
 * moved into place whole, and checked when they are first opened by this process. Effects: the folder.
 */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Digest } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import type { CircuitKeys, CircuitRecord } from "./circuit-record.ts";

export class ProofArtifactStore {
  readonly #dir: string;
  readonly #checked = new Set<Digest>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** A file that is written from outside and then kept or removed. */
  async withTemporary<T>(use: (path: string) => Promise<T>): Promise<T> {
    await mkdir(this.#dir, { recursive: true });
    const path = join(this.#dir, `.${randomUUID()}.tmp`);
    try {
      return await use(path);
    } finally {
      await rm(path, { force: true });
    }
  }

  /** Takes the file into the store. */
  async keep(path: string): Promise<Digest> {
    const digest = await digestFile(path);
    await rename(path, this.#pathOf(digest));
    this.#checked.add(digest);
    return digest;
  }

  /** @returns the path of the artifact @throws InferiumError ArtifactMissing, ArtifactCorrupt */
  async open(digest: Digest): Promise<string> {
    const path = this.#pathOf(digest);
    if (this.#checked.has(digest)) return path;
    const got = await digestFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") throw missing(digest, path);
      throw error;
    });
    if (got !== digest) {
      throw new InferiumError("ArtifactCorrupt", `${path} holds ${got}, expected ${digest}. Register the model again.`);
    }
    this.#checked.add(digest);
    return path;
  }

  writeRecord(record: CircuitRecord): Promise<void> {
    return this.#writeJson(this.#recordPathOf(record.modelDigest, record.rows), record);
  }

  /** @returns undefined where the model was not registered for that many rows */
  readRecord(model: Digest, rows: number): Promise<CircuitRecord | undefined> {
    return readJson<CircuitRecord>(this.#recordPathOf(model, rows));
  }

  writeTileKeys(keys: CircuitKeys): Promise<void> {
    return this.#writeJson(this.#tilePath(), keys);
  }

  /** @returns undefined where no ceremony of the tile was kept here */
  readTileKeys(): Promise<CircuitKeys | undefined> {
    return readJson<CircuitKeys>(this.#tilePath());
  }

  async #writeJson(to: string, record: CircuitKeys): Promise<void> {
    await this.withTemporary(async (path) => {
      await writeFile(path, JSON.stringify(record));
      await rename(path, to);
    });
  }

  #tilePath(): string {
    return join(this.#dir, "tile.json");
  }

  #pathOf(digest: Digest): string {
    return join(this.#dir, digest.replace(":", "-"));
  }

  #recordPathOf(model: Digest, rows: number): string {
    return join(this.#dir, `circuit-${model.replace(":", "-")}-${rows}.json`);
  }
}

async function readJson<T extends CircuitKeys>(path: string): Promise<T | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

async function digestFile(path: string): Promise<Digest> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return `sha256:${hash.digest("hex")}`;
}

function missing(digest: Digest, path: string): InferiumError {
  return new InferiumError("ArtifactMissing", `There is no artifact ${digest} at ${path}. Register the model.`);
}
