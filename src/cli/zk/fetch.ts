/**
 * `inferium zk fetch`: proving keys from where they are published into a store, as a validator's pod does before it starts. What is
 * named is the record that `register` keeps beside the keys, with its digest; the keys lie beside it under their own. Whoever has
 * them already fetches nothing. Effects: network, the store.
 */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, parseDigest } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import { type ArtifactStore, createArtifactStore } from "../../inference/fetch-artifact.ts";
import { ProofArtifactStore } from "../../zk/proving/artifact-store.ts";
import { type CircuitRecord, parseCircuitRecord } from "../../zk/proving/circuit-record.ts";
import { type OutputOptions, printResult, type ZkSession } from "./zk-session.ts";

export interface FetchOptions extends OutputOptions {
  readonly store: string;
  /** URL#sha256:... of each record. */
  readonly record: readonly string[];
  readonly allowDevelopmentSetup: boolean;
  /** Folders that `file:` URLs may point into. */
  readonly fileRoot?: readonly string[];
}

const timeoutMs = 600_000;
const attempts = 5;
const maxKeyBytes = 4 * 2 ** 30;

/** @throws InferiumError InvalidOption, InvalidRecord, DevelopmentSetup and those of fetching: NotFound, DigestMismatch, Unavailable */
export async function runFetch(options: FetchOptions, session: ZkSession): Promise<number> {
  const sources = options.record.map(parseSource);
  const cacheDir = await mkdtemp(join(tmpdir(), "inferium-keys-"));
  const store = new ProofArtifactStore(options.store);
  try {
    const remote = createArtifactStore({
      ...{ cacheDir, timeoutMs, attempts, maxArtifactBytes: maxKeyBytes },
      // Whoever runs the command names the URLs, not a tenant.
      allowedAddresses: ["0.0.0.0/0", "::/0"],
      ...(options.fileRoot === undefined ? {} : { fileRoots: options.fileRoot }),
    });
    const records = [];
    for (const source of sources) records.push(await fetchKeys(source, { remote, store, options, session }));
    return printResult(session, options, {
      summary: `Keys of ${records.length} circuits are in ${options.store}.`,
      details: records.map(({ modelDigest, rows }) => `${modelDigest}, ${rows} rows`),
      fields: { store: options.store, records: records.map(({ modelDigest, rows }) => ({ modelDigest, rows })) },
      isDevelopment: records.some(({ ceremony }) => ceremony.isDevelopment),
    });
  } finally {
    await rm(cacheDir, { recursive: true, force: true });
  }
}

interface Source {
  readonly uri: string;
  readonly digest: Digest;
}

function parseSource(text: string): Source {
  const at = text.lastIndexOf("#");
  if (at > 0) return { uri: text.slice(0, at), digest: parseDigest(text.slice(at + 1)) };
  throw new InferiumError(
    "InvalidOption",
    `--record is "${text}"; expected the URL of a circuit's record, # and its digest: https://keys.example.org/circuit.json#sha256:...`,
  );
}

interface Place {
  readonly remote: ArtifactStore;
  readonly store: ProofArtifactStore;
  readonly options: FetchOptions;
  readonly session: ZkSession;
}

async function fetchKeys(source: Source, { remote, store, options, session }: Place): Promise<CircuitRecord> {
  const { signal } = session;
  const record = parseCircuitRecord(await remote.readArtifact(source, signal), source.uri);
  if (record.ceremony.isDevelopment && !options.allowDevelopmentSetup) {
    throw new InferiumError(
      "DevelopmentSetup",
      `The keys at ${source.uri} are for development and not secure: whoever made them may be able to forge proofs. Take those of a whole ceremony, or allow it: --allow-development-setup.`,
    );
  }
  const { provingKeyDigest: digest } = record;
  const isHere = await store.open(digest).then(
    () => true,
    () => false,
  );
  if (options.dryRun === true) return record;
  if (!isHere) {
    const uri = new URL(digest.replace(":", "-"), source.uri).href;
    const { path: fetched } = await remote.fetchArtifact({ uri, digest }, signal);
    await store.withTemporary(async (path) => {
      await copyFile(fetched, path);
      await store.keep(path);
    });
  }
  await store.writeRecord(record);
  return record;
}
