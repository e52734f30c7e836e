/**
 * Keeps each Model's status: asks a panel of validators where it is new, changed or its approval runs out, and writes what a quorum
 * of them found. A writer of Model statuses and of nothing else.
 */
import type { Clock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Reconcile, ReconcileResult } from "../../kube/controller.ts";
import type { Informer } from "../../kube/informer.ts";
import { objectKey } from "../../kube/object.ts";
import { readInline } from "../../pool/inline-tensors.ts";
import { calibrate, type SampledRun } from "../../protocol/model/calibrate.ts";
import { decideModelStep } from "../../protocol/model/decide-model-step.ts";
import {
  checkingModel,
  expiredModel,
  foundModel,
  type ModelApproval,
  type ModelContext,
  provableModel,
  unsettledModel,
} from "../../protocol/model/model-status.ts";
import { formatTime, type ModelObject } from "../kinds.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { CircuitBook } from "../models/circuit-book.ts";
import type { CheckOutcome, ModelDesk, SignedFinding } from "../models/model-desk.ts";
import { readStanding } from "../models/read-standing.ts";

export interface ModelStageOptions {
  readonly models: Informer<ModelObject>;
  readonly client: KubeClient<ModelObject>;
  readonly desk: ModelDesk;
  readonly circuits: CircuitBook;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<OperatorMetrics, "modelChecks">;
  readonly quorum: number;
  /** An approval holds for so long. */
  readonly validMs: number;
}

type ModelStatus = NonNullable<ModelObject["status"]>;

/** Validators come and go; there is no event for it here. */
const fewValidatorsMs = 2_000;
const retryMs = 30_000;
const maxRetryMs = 3_600_000;
/** The clock of setTimeout ends after 24 days. */
const maxRestMs = 86_400_000;

export function createModelStage(given: ModelStageOptions): Reconcile {
  const { models, desk, clock } = given;
  const written = new Written();
  const options = { ...given, written };
  return async (key) => {
    const seen = models.store.get(key);
    if (!seen || seen.metadata.deletionTimestamp !== undefined) return forget(options, key);
    const model = written.newest(key, seen);
    const { uid = "", generation = 1 } = model.metadata;
    const outcome = desk.outcomeOf({ key, uid, generation });
    if (outcome?.state === "Open") return { requeueAfterMs: Math.min(maxRestMs, Math.ceil(outcome.leftMs)) };
    if (outcome) return settle(options, model, outcome);
    const step = decideModelStep(readStanding(model), generation, clock.now());
    if (step.step === "Rest") {
      const result = { requeueAfterMs: restMs(step.untilMs - clock.now()) };
      const known = statusOf(model);
      const provable = await addCircuits(options, model, known);
      if (provable !== known) await write(options, model, provable);
      return result;
    }
    if (step.step === "Check") return check(options, model);
    await write(options, model, expiredModel(statusOf(model), contextOf(options, model)));
    return { requeueAfterMs: 1 };
  };
}

function restMs(untilMs: number): number {
  return Math.max(1, Math.min(maxRestMs, untilMs));
}

async function check(options: Stage, model: ModelObject): Promise<ReconcileResult | undefined> {
  const { uid = "", generation = 1 } = model.metadata;
  const { uri, digest, sample } = model.spec;
  const key = objectKey(model);
  const asked = { key, uid, generation, model: { uri, digest }, ...(sample ? { sample } : {}) };
  const { isOpen, eligible } = options.desk.open(asked);
  const because = isOpen
    ? { reason: "Checking", message: "Validators fetch, scan and load the model." }
    : { reason: "NoValidators", message: `${eligible} validators can be asked now; ${options.quorum} are needed.` };
  const known = model.status?.conditions?.find(({ type }) => type === "Reconciling");
  const isNews = known?.reason !== because.reason || known.observedGeneration !== generation;
  if (isNews) await write(options, model, checkingModel(statusOf(model), because, contextOf(options, model)));
  return { requeueAfterMs: isOpen ? 1 : fewValidatorsMs };
}

async function settle(
  options: Stage,
  model: ModelObject,
  outcome: Exclude<CheckOutcome, { state: "Open" }>,
): Promise<ReconcileResult | undefined> {
  const { desk, metrics, logger } = options;
  const status = await addCircuits(options, model, decideStatus(options, model, outcome));
  await write(options, model, status);
  desk.drop(objectKey(model));
  const approved = status.conditions?.find(({ type }) => type === "Approved");
  metrics.modelChecks.inc({ result: outcome.state === "Agreed" ? (approved?.reason ?? "") : outcome.reason });
  logger.info("a model was checked", { model: objectKey(model), outcome: outcome.state, reason: approved?.reason });
  return { requeueAfterMs: 1_000 };
}

/** In the same write where the chain answers; what it knows of a model later comes with a later one. */
async function addCircuits(
  { circuits, logger }: Stage,
  { spec }: ModelObject,
  status: ModelStatus,
): Promise<ModelStatus> {
  try {
    return provableModel(status, await circuits.of(spec.digest));
  } catch (error) {
    logger.warn("a model's circuits could not be read", { digest: spec.digest, error: describeError(error) });
    return status;
  }
}

function decideStatus(
  options: ModelStageOptions,
  model: ModelObject,
  outcome: Exclude<CheckOutcome, { state: "Open" }>,
): ModelStatus {
  const context = contextOf(options, model);
  const [first] = outcome.state === "Agreed" ? outcome.findings : [];
  if (outcome.state === "Agreed" && first?.findings) {
    const calibration = calibrate(outcome.findings.flatMap(readRun), model.status?.calibration);
    const approval = approve(options, outcome);
    return foundModel(statusOf(model), { findings: first.findings, approval, calibration }, context);
  }
  const attempts = (model.status?.attempts ?? 0) + 1;
  const waitMs = Math.min(maxRetryMs, retryMs * 2 ** Math.min(10, attempts - 1));
  const retryAt = formatTime(options.clock.now() + waitMs);
  const because = outcome.state === "Agreed" ? { reason: "NoQuorum", message: "No finding." } : outcome;
  const { reason, message } = because;
  return unsettledModel(statusOf(model), { reason, message, retryAt, attempts }, context);
}

function approve(
  { clock, quorum, validMs }: ModelStageOptions,
  outcome: CheckOutcome & { state: "Agreed" },
): ModelApproval {
  const nowMs = clock.now();
  return {
    generation: outcome.checked.generation,
    at: formatTime(nowMs),
    expiresAt: formatTime(nowMs + validMs),
    findingsHash: outcome.findingsHash,
    quorum,
    validators: outcome.findings.map(({ validator, signature = "", runtime = "" }) => ({
      address: validator,
      signature,
      runtime,
    })),
  };
}

/** Nothing where its tensors are none. */
function readRun({ runtime, samples = [] }: SignedFinding): SampledRun[] {
  if (runtime === undefined) return [];
  try {
    return [{ runtime, outputs: samples.map(readInline) }];
  } catch (error) {
    if (error instanceof InferiumError) return [];
    throw error;
  }
}

function statusOf({ status }: ModelObject): ModelStatus {
  return status ?? { observedGeneration: -1 };
}

function contextOf({ clock }: ModelStageOptions, { metadata }: ModelObject): ModelContext {
  return { generation: metadata.generation ?? 1, now: formatTime(clock.now()) };
}

/** Of this very object: one of the same name made since is another model. */
async function write({ client, written }: Stage, model: ModelObject, status: ModelStatus): Promise<void> {
  const { namespace, name, uid } = model.metadata;
  const after = await client.applyStatus({ metadata: { namespace, name, ...(uid ? { uid } : {}) }, status });
  written.note(model, after);
}

/** What was written stands before the informer tells of it: else a check that has ended would be begun again. */
class Written {
  readonly #objects = new Map<string, { readonly beforeVersion: string | undefined; readonly after: ModelObject }>();

  note(before: ModelObject, after: ModelObject): void {
    const key = objectKey(after);
    // Of two writes in a row the informer may still be before the first.
    const known = this.#objects.get(key);
    const isSecond = known?.after === before;
    this.#objects.set(key, { beforeVersion: isSecond ? known.beforeVersion : before.metadata.resourceVersion, after });
  }

  newest(key: string, seen: ModelObject): ModelObject {
    const known = this.#objects.get(key);
    const isBehind = known && known.beforeVersion === seen.metadata.resourceVersion;
    if (isBehind && known.after.metadata.uid === seen.metadata.uid) return known.after;
    this.#objects.delete(key);
    return seen;
  }

  forget(key: string): void {
    this.#objects.delete(key);
  }
}

type Stage = ModelStageOptions & { readonly written: Written };

function forget({ desk, written }: Stage, key: string): undefined {
  desk.drop(key);
  written.forget(key);
}
