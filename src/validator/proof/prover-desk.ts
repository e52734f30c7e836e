/**
 * Proofs that this validator was asked for, one after another beside its other duties: a proof takes seconds, in which votes and
 * batches must not wait. Re-executes first, checks its own proof before it stakes its bond on it, and says so where it cannot prove.
 * Effects: the execution, the prover's process, calls to the pool.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { digestToBytes32 } from "../../base/digest.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { ProveDuty } from "../../pool/duty.ts";
import type { AttestRequest } from "../../pool/wire.ts";
import { endorsementOf, type ProofData } from "../../protocol/proof.ts";
import { proofEndorsementTypes } from "../../protocol/typed-data.ts";
import { digestVerifyingKey, proofWords, verifyingKeyFromWords } from "../../zk/proving/groth16.ts";
import type { InferenceProver, ProvenInference } from "../../zk/proving/prove-inference.ts";
import { type Execute, judgeItem } from "../judge.ts";
import { type ProofContext, readInputsOf, requireCircuit } from "./check-proof.ts";
import type { EndorseContext } from "./endorse-duty.ts";

export interface ProverDeskOptions extends ProofContext, EndorseContext {
  readonly prover: InferenceProver | undefined;
  readonly execute: Execute;
  readonly clock: Clock;
  readonly logger: Logger;
}

type ProveAnswer = Extract<AttestRequest, { kind: "prove" | "decline" }>;

/** Further ones are declined: each would wait for all before it. */
const maxWaiting = 8;
/** Answers that are kept in case the pool asks again. */
const keptAnswers = 32;
/** Below the field's order whatever the bytes. */
const saltBytes = 31;

export class ProverDesk {
  readonly #options: ProverDeskOptions;
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  readonly #answers = new Map<string, ProveAnswer>();
  #last: Promise<void> = Promise.resolve();

  constructor(options: ProverDeskOptions) {
    this.#options = options;
  }

  /** Returns at once; the answer goes to the pool when it is there. */
  accept(duty: ProveDuty): "Started" | "Running" | "Busy" {
    const { validationId } = duty;
    if (this.#running.has(validationId)) return "Running";
    const isBusy = this.#running.size >= maxWaiting;
    const work = isBusy
      ? this.#send(duty, decline(duty, "ProverBusy", `${this.#running.size} proofs wait here already.`))
      : this.#last.then(() => this.#answer(duty));
    const running = work.finally(() => this.#running.delete(validationId));
    this.#running.set(validationId, running);
    if (!isBusy) this.#last = running;
    return isBusy ? "Busy" : "Started";
  }

  /** Resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#stopping.abort(new InferiumError("Stopping", "The validator stops."));
    await Promise.all(this.#running.values());
  }

  async #answer(duty: ProveDuty): Promise<void> {
    const { clock } = this.#options;
    const leftMs = Math.min(duty.deadlineMs - clock.now(), 2 ** 31 - 1);
    const known = this.#answers.get(duty.validationId);
    if (this.#stopping.signal.aborted || (leftMs <= 0 && known === undefined)) return;
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(Math.max(1, leftMs))]);
    const answer = known ?? (await this.#prove(duty, signal));
    if (this.#stopping.signal.aborted) return;
    this.#answers.set(duty.validationId, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > keptAnswers && oldest !== undefined) this.#answers.delete(oldest);
    await this.#send(duty, answer);
  }

  /** Where the pool cannot be reached the duty comes again. */
  async #send({ validation }: ProveDuty, answer: ProveAnswer): Promise<void> {
    const { client, logger } = this.#options;
    try {
      const { status } = await client.attest(answer, this.#stopping.signal);
      logger.info("proof answered", { validation, kind: answer.kind, status });
    } catch (error) {
      logger.warn("a proof could not be handed in", { validation, error: describeError(error) });
    }
  }

  async #prove(duty: ProveDuty, signal: AbortSignal): Promise<ProveAnswer> {
    try {
      return await makeProof(this.#options, duty, signal);
    } catch (error) {
      const reason = error instanceof InferiumError ? error.code : signal.aborted ? "ProofTimedOut" : "ProverFailed";
      this.#options.logger.warn("no proof", { validation: duty.validation, reason, error: describeError(error) });
      return decline(duty, reason, describeError(error));
    }
  }
}

function decline({ namespace, validation }: ProveDuty, reason: string, message: string): ProveAnswer {
  return { kind: "decline", namespace, validation, reason, message: message.slice(0, 1_024) };
}

/** @throws InferiumError NoProver, NotRegistered, AnotherCircuit, ResultDisputed, and whatever reading, running and proving throw */
async function makeProof(options: ProverDeskOptions, duty: ProveDuty, signal: AbortSignal): Promise<ProveAnswer> {
  const { prover, clock, domain, signer, checkProof } = options;
  const { item, namespace, validation } = duty;
  if (prover === undefined) {
    throw new InferiumError("NoProver", "This validator holds no proving keys: set INFERIUM_PROOF_ARTIFACTS_DIR.");
  }
  const startedMs = clock.monotonic();
  const judged = await judgeItem({ execute: options.execute, domain }, item, signal);
  if (judged.vote !== "Accept") {
    throw new InferiumError("ResultDisputed", `The worker's result is not proven: ${judged.reason ?? judged.vote}.`);
  }
  const inputs = await readInputsOf(options, item, signal);
  const circuit = await requireCircuit(options, inputs, item.receipt.message.modelDigest);
  const { onnx, input, task, rows } = inputs;
  const record = await prover.requireRecord(item.model.digest, rows);
  const registeredKey = digestVerifyingKey(verifyingKeyFromWords(circuit.keyWords));
  if (record.verifyingKeyDigest !== registeredKey || digestToBytes32(record.r1csDigest) !== circuit.r1csDigest) {
    const message = `The proving key here is for circuit ${record.r1csDigest}, key ${record.verifyingKeyDigest}; the chain has ${circuit.r1csDigest}, ${registeredKey}.`;
    throw new InferiumError("AnotherCircuit", message);
  }
  const salt = BigInt(`0x${randomBytes(saltBytes).toString("hex")}`);
  const proof = toData(await prover.prove({ onnx, input, salt, task }, signal));
  const found = await checkProof(item, proof, signal);
  if (found !== undefined) throw new InferiumError(found.code, `The own proof does not hold: ${found.message}`);
  const proveMs = Math.round(clock.monotonic() - startedMs);
  const signature = await signer.signTypedData(domain, proofEndorsementTypes, endorsementOf(proof, signer.address));
  const circuitDigest = record.r1csDigest;
  const developmentSetup = circuit.isDevelopment;
  return { kind: "prove", namespace, validation, proof, circuitDigest, developmentSetup, proveMs, signature };
}

function toData({ proof, ...proven }: ProvenInference): ProofData {
  return { ...proven, words: proofWords(proof).map(String) };
}
