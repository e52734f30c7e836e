/**
 * Checkpoints and models of trainings by digest, at a URI that the task names: put there by who trains, fetched by who goes on or
 * checks. Any HTTP server will do that takes a PUT and gives it back at the same URI. Effects: HTTP, the cache folder.
 */
import { Agent, type Dispatcher, request } from "undici";
import { computeBackoffMs } from "../../base/backoff.ts";
import { systemClock } from "../../base/clock.ts";
import { type Digest, sha256 } from "../../base/digest.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import { locateInStore } from "../../protocol/training.ts";
import { createAddressCheck } from "../address-policy.ts";
import { checkUri, withoutSecrets } from "../artifact-source.ts";
import { createCheckedLookup } from "../checked-lookup.ts";
import { type ArtifactStore, type ArtifactStoreOptions, createArtifactStore } from "../fetch-artifact.ts";

export interface CheckpointStore {
  /** @throws InferiumError InvalidUri, NotAllowed, StoreRefused, Unavailable (retry) */
  put(bytes: Uint8Array, signal?: AbortSignal): Promise<Digest>;
  /** Throws as ArtifactStore.readArtifact. */
  get(digest: Digest, signal?: AbortSignal): Promise<Uint8Array>;
}

export interface CheckpointStoreOptions extends ArtifactStoreOptions {
  /** Sent as a bearer token with what is put. */
  readonly token?: string | undefined;
  /** In place of one made from these options. */
  readonly artifacts?: ArtifactStore;
}

const attempts = 5;
const backoff = { initialMs: 500, maxMs: 15_000 } as const;
const putTimeoutMs = 120_000;

/** @param uri as the task names it */
export function openCheckpointStore(uri: string, options: CheckpointStoreOptions): CheckpointStore {
  const artifacts = options.artifacts ?? createArtifactStore(options);
  const clock = options.clock ?? systemClock;
  return {
    get: (digest, signal) => artifacts.readArtifact({ uri: locateInStore(uri, digest), digest }, signal),
    async put(bytes, signal) {
      const digest = sha256(bytes);
      const url = checkUri(locateInStore(uri, digest), options);
      for (let attempt = 1; ; attempt++) {
        const failure = await putOnce(url, bytes, { policy: options, signal });
        if (failure === undefined) return digest;
        signal?.throwIfAborted();
        if (attempt >= attempts || failure.disposition !== "retry") throw failure;
        await clock.sleep(computeBackoffMs(attempt, backoff), signal);
      }
    },
  };
}

interface PutOptions {
  readonly policy: CheckpointStoreOptions;
  readonly signal: AbortSignal | undefined;
}

async function putOnce(
  url: URL,
  bytes: Uint8Array,
  { policy, signal }: PutOptions,
): Promise<InferiumError | undefined> {
  const { token, allowedAddresses, resolve } = policy;
  const where = withoutSecrets(url);
  // The URI is a tenant's: what it may lead to is the same as for what is read.
  const lookup = createCheckedLookup(createAddressCheck(allowedAddresses), resolve);
  const dispatcher = new Agent({ connect: { lookup }, connections: 1, pipelining: 0 });
  const timeout = AbortSignal.timeout(putTimeoutMs);
  try {
    const { statusCode, body }: Dispatcher.ResponseData = await request(url, {
      dispatcher,
      method: "PUT",
      body: bytes,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      headers: {
        "content-type": "application/octet-stream",
        "user-agent": "inferium",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
    await body.dump();
    if (statusCode >= 200 && statusCode < 300) return undefined;
    const message = `The checkpoint store answered ${statusCode} to a PUT of ${where}; expected 200, 201 or 204.`;
    const passes = statusCode === 408 || statusCode === 429 || statusCode >= 500;
    return new InferiumError(passes ? "Unavailable" : "StoreRefused", message, {
      disposition: passes ? "retry" : "reject",
      evidence: { status: statusCode },
    });
  } catch (cause) {
    const message = `The checkpoint store did not take ${where}: ${describeError(cause)}`;
    return new InferiumError("Unavailable", message, { disposition: "retry", cause });
  } finally {
    await dispatcher.destroy();
  }
}
