/**
 * Proofs of Validations with policy ZeroKnowledge while they are being made and checked: the first validator that was drawn proves,
 * the others endorse. In memory alone, as votes are: a restart asks again. Checks whose word something is and for which work;
 * whether a proof holds is for the panel to find.
 */
import { getAddress } from "ethers";
import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import { objectKey } from "../kube/object.ts";
import type { Duty, ValidateDuty } from "../pool/duty.ts";
import type { AttestRequest, AttestResponse } from "../pool/wire.ts";
import { findForeignProof, recoverEndorser, toStatement } from "../protocol/proof.ts";
import type { Because } from "../protocol/status-change.ts";
import { computeTaskId, computeValidationId, type ProtocolDomain } from "../protocol/typed-data.ts";
import type { ProofTiming } from "../protocol/verdict/proof-step.ts";
import type { ValidationObject } from "./kinds.ts";

type ProveRequest = Extract<AttestRequest, { kind: "prove" }>;
type EndorseRequest = Extract<AttestRequest, { kind: "endorse" }>;
type DeclineRequest = Extract<AttestRequest, { kind: "decline" }>;

export interface ProofPanel {
  readonly key: string;
  readonly validation: ValidationObject;
  readonly members: readonly string[];
  /** Monotonic; when this process began to ask. */
  readonly startedMs: number;
  readonly endorsements: Map<string, { readonly signature: string; readonly atMs: number }>;
  readonly declined: Map<string, Because>;
  proof: Omit<ProveRequest, "kind" | "namespace" | "validation"> | undefined;
  /** Why there will be no proof. */
  failure: Because | undefined;
  /** Whether the task's owner heard of it. */
  isToldOfFallback: boolean;
}

export interface ProofBookOptions {
  readonly domain: ProtocolDomain;
  readonly clock: Clock;
  readonly timing: ProofTiming;
  readonly buildItems: (validation: ValidationObject) => Promise<ValidateDuty["items"]>;
  /** Something came in. */
  readonly onChange: (key: string) => void;
}

/** A duty that is not answered is handed out again after so long. */
const handOutAgainMs = 10_000;

export class ProofBook {
  readonly #options: ProofBookOptions;
  readonly #panels = new Map<string, ProofPanel>();
  /** Monotonic time of the last hand-out by `duty kind/validation/validator`. */
  readonly #handedMs = new Map<string, number>();

  constructor(options: ProofBookOptions) {
    this.#options = options;
  }

  get timing(): ProofTiming {
    return this.#options.timing;
  }

  /** Begins to ask for a proof, unless it is being asked for. */
  open(validation: ValidationObject): ProofPanel {
    const key = objectKey(validation);
    const known = this.#panels.get(key);
    if (known && known.validation.metadata.uid === validation.metadata.uid) return known;
    this.close(key);
    const panel: ProofPanel = {
      key,
      validation,
      members: validation.spec.validators.map(({ address }) => getAddress(address.toLowerCase())),
      startedMs: this.#options.clock.monotonic(),
      endorsements: new Map(),
      declined: new Map(),
      proof: undefined,
      failure: undefined,
      isToldOfFallback: false,
    };
    this.#panels.set(key, panel);
    return panel;
  }

  close(key: string): void {
    const panel = this.#panels.get(key);
    if (!panel) return;
    this.#panels.delete(key);
    for (const member of panel.members)
      for (const kind of ["prove", "endorse"]) this.#handedMs.delete(`${kind}/${key}/${member}`);
  }

  /** Checks before new proofs: they are short, and somebody's task waits for them. */
  async nextDuty(validator: string): Promise<Duty | undefined> {
    const open = [...this.#panels.values()].filter(({ failure }) => failure === undefined);
    const endorse = open.find((panel) => this.#isDue("endorse", panel, validator));
    if (endorse?.proof)
      return { kind: "endorse", ...(await this.#address(endorse, "endorse", validator)), ...endorse.proof };
    const prove = open.find((panel) => this.#isDue("prove", panel, validator));
    return prove && { kind: "prove", ...(await this.#address(prove, "prove", validator)) };
  }

  prove(validator: string, request: ProveRequest): AttestResponse {
    const panel = this.#find(validator, request);
    if (!panel || panel.failure) return { status: "Late" };
    if (panel.members[0] !== validator) throw refuse("NotProver", `${validator} was not asked for this proof.`);
    if (panel.proof) return { status: "Duplicate" };
    const { kind: _, namespace: __, validation: ___, ...proof } = request;
    checkWork(panel, request);
    this.#checkSigner({ validator, proof: request.proof, signature: request.signature });
    panel.proof = proof;
    return this.#endorse(panel, validator, request.signature);
  }

  endorse(validator: string, request: EndorseRequest): AttestResponse {
    const panel = this.#find(validator, request);
    if (!panel?.proof || panel.failure) return { status: "Late" };
    if (panel.endorsements.has(validator)) return { status: "Duplicate" };
    this.#checkSigner({ validator, proof: panel.proof.proof, signature: request.signature });
    return this.#endorse(panel, validator, request.signature);
  }

  decline(validator: string, { reason, message, ...request }: DeclineRequest): AttestResponse {
    const panel = this.#find(validator, request);
    if (!panel || panel.failure || panel.endorsements.has(validator)) return { status: "Late" };
    if (panel.proof) panel.declined.set(validator, { reason, message });
    else if (panel.members[0] === validator) panel.failure = { reason, message };
    this.#options.onChange(panel.key);
    return { status: "Recorded" };
  }

  #endorse(panel: ProofPanel, validator: string, signature: string): AttestResponse {
    panel.endorsements.set(validator, { signature, atMs: this.#options.clock.monotonic() });
    this.#options.onChange(panel.key);
    return { status: "Recorded" };
  }

  #find(
    validator: string,
    { namespace, validation }: { namespace: string; validation: string },
  ): ProofPanel | undefined {
    const panel = this.#panels.get(`${namespace}/${validation}`);
    if (!panel || panel.members.includes(validator)) return panel;
    throw refuse("NotOnPanel", `${validator} is not on the panel of ${namespace}/${validation}.`);
  }

  #checkSigner(signed: { validator: string; signature: string; proof: ProveRequest["proof"] }): void {
    const signer = recoverEndorser(this.#options.domain, signed.proof, signed);
    if (signer === signed.validator) return;
    const message = `The endorsement is signed by ${signer ?? "nobody"}, not ${signed.validator}.`;
    throw refuse("NotSignedByValidator", message);
  }

  #isDue(kind: "prove" | "endorse", panel: ProofPanel, validator: string): boolean {
    const isOpen =
      kind === "prove"
        ? panel.proof === undefined && panel.members[0] === validator
        : panel.proof !== undefined &&
          panel.members.includes(validator) &&
          !panel.endorsements.has(validator) &&
          !panel.declined.has(validator);
    const handedMs = this.#handedMs.get(`${kind}/${panel.key}/${validator}`);
    return isOpen && (handedMs === undefined || this.#options.clock.monotonic() - handedMs >= handOutAgainMs);
  }

  async #address({ key, validation, startedMs }: ProofPanel, kind: "prove" | "endorse", validator: string) {
    const { clock, timing, buildItems } = this.#options;
    // Before the duty is built, so that two calls of one validator do not both get it.
    this.#handedMs.set(`${kind}/${key}/${validator}`, clock.monotonic());
    const [item] = await buildItems(validation);
    if (item === undefined) throw refuse("ReceiptGone", `The Validation ${key} holds no receipt.`);
    const { namespace = "", name, uid = "" } = validation.metadata;
    const leftMs = startedMs + timing.provingMs + (kind === "endorse" ? timing.endorsingMs : 0) - clock.monotonic();
    const deadlineMs = Math.round(clock.now() + Math.max(0, leftMs));
    return { namespace, validation: name, validationId: computeValidationId(uid), item, deadlineMs };
  }
}

/** @throws InferiumError AnotherTask, AnotherAttempt, AnotherWorker */
function checkWork({ validation }: ProofPanel, { proof }: ProveRequest): void {
  const [receipt] = validation.spec.receipts;
  if (receipt === undefined) return;
  const statement = toStatement(proof);
  const { attempt, worker } = receipt;
  // The model's digest stands in the receipt itself, which the panel has.
  const work = { taskId: computeTaskId(receipt.uid), attempt, worker, modelDigest: statement.modelDigest };
  const foreign = findForeignProof(statement, work);
  if (foreign) throw refuse(foreign.code, foreign.message);
}

function refuse(code: string, message: string): InferiumError {
  return new InferiumError(code, message);
}
