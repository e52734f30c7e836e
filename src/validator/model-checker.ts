/**
 * Checks of Models that this validator was asked for, one after another beside its other duties: a download takes minutes, in which
 * votes and batches must not wait. Says what it found with its signature, or why it cannot tell. Effects: downloads into the cache,
 * a process for each model, calls to the pool.
 */
import { stat } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import { digestToBytes32, parseDigest } from "../base/digest.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { type ArtifactStore, type ArtifactStoreOptions, createArtifactStore } from "../inference/fetch-artifact.ts";
import { checkModelFile } from "../inference/model-check/check-model-file.ts";
import type { PoolClient } from "../pool/client.ts";
import type { ModelDuty } from "../pool/duty.ts";
import type { ProtocolSigner } from "../pool/signer.ts";
import type { ModelCheck } from "../pool/wire.ts";
import { computeCheckLimits } from "../protocol/model/check-limits.ts";
import { hashFindings } from "../protocol/model/findings.ts";
import { modelFindingTypes, type ProtocolDomain } from "../protocol/typed-data.ts";

export interface ModelCheckerOptions {
  readonly client: Pick<PoolClient, "attest">;
  readonly signer: ProtocolSigner;
  readonly domain: ProtocolDomain;
  readonly artifacts: ArtifactStoreOptions;
  readonly limits: { readonly maxMemoryBytes: number };
  readonly clock: Clock;
  readonly logger: Logger;
}

type Outcome = ModelCheck["outcome"];

/** Further ones are left for another time: each would wait for all before it. */
const maxWaiting = 32;

export class ModelChecker {
  readonly #options: ModelCheckerOptions;
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  #last: Promise<void> = Promise.resolve();

  constructor(options: ModelCheckerOptions) {
    this.#options = options;
  }

  /** Returns at once; the answer goes to the pool when it is there. */
  accept(duty: ModelDuty): "Started" | "Running" | "Busy" {
    if (this.#running.has(duty.checkId)) return "Running";
    if (this.#running.size >= maxWaiting) return "Busy";
    const running = this.#last.then(() => this.#answer(duty)).finally(() => this.#running.delete(duty.checkId));
    this.#running.set(duty.checkId, running);
    this.#last = running;
    return "Started";
  }

  /** Resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#stopping.abort(new InferiumError("Stopping", "The validator stops."));
    await Promise.all(this.#running.values());
  }

  /** Never rejects: where the pool cannot be reached the duty comes again. */
  async #answer(duty: ModelDuty): Promise<void> {
    const { client, clock, logger } = this.#options;
    const leftMs = Math.floor(Math.min(duty.deadlineMs - clock.now(), 2 ** 31 - 1));
    if (this.#stopping.signal.aborted || leftMs <= 0) return;
    const { digest } = duty.model;
    try {
      const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(leftMs)]);
      const outcome = await this.#check(duty, signal);
      const { status } = await client.attest({ kind: "model", checkId: duty.checkId, outcome }, this.#stopping.signal);
      logger.info("model checked", { digest, outcome: outcome.kind, status });
    } catch (error) {
      if (!this.#stopping.signal.aborted)
        logger.warn("a model was not checked", { digest, error: describeError(error) });
    }
  }

  async #check(duty: ModelDuty, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#find(duty, signal);
    } catch (error) {
      if (this.#stopping.signal.aborted) throw error;
      const reason = error instanceof InferiumError ? error.code : signal.aborted ? "CheckTimedOut" : "CheckFailed";
      return { kind: "Unable", reason, message: describeError(error).slice(0, 1_024) };
    }
  }

  async #find({ model, seed, sample }: ModelDuty, signal: AbortSignal): Promise<Outcome> {
    const { artifacts, limits, signer, domain, clock } = this.#options;
    const digest = parseDigest(model.digest);
    const store = createArtifactStore({ ...artifacts, clock });
    const { path } = await store.fetchArtifact({ uri: model.uri, digest }, signal);
    const { memoryBytes } = computeCheckLimits((await stat(path)).size);
    if (memoryBytes > limits.maxMemoryBytes) {
      const message = `Checking it may take ${memoryBytes} bytes of memory; here are ${limits.maxMemoryBytes}.`;
      return { kind: "Unable", reason: "TooLargeHere", message };
    }
    const fetched = await this.#fetchSample(store, sample, signal);
    const checked = await checkModelFile({ path, digest }, { signal, seed, sample: fetched });
    const { findings, runtime = "", samples } = checked;
    const findingsHash = hashFindings(findings);
    const message = { modelDigest: digestToBytes32(digest), findingsHash, runtime, validator: signer.address };
    const signature = await signer.signTypedData(domain, modelFindingTypes, message);
    return { kind: "Found", findings, runtime, signature, samples };
  }

  /** Without it the model is run on seeded inputs alone. */
  async #fetchSample(store: ArtifactStore, sample: ModelDuty["sample"], signal: AbortSignal) {
    if (sample === undefined) return undefined;
    try {
      return await store.fetchArtifact({ uri: sample.uri, digest: parseDigest(sample.digest) }, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#options.logger.warn("a model's sample was not fetched", { error: describeError(error) });
      return undefined;
    }
  }
}
