/**
 * Checks of Models while validators are at them: a panel drawn by lot is asked, each member fetches, scans and loads the file for
 * itself and signs what it found. Nobody is told what others found before it is decided. In memory alone: a check that a restart
 * loses is begun again. Effects: none but what it keeps.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { digestToBytes32, parseDigest } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { ModelDuty } from "../../pool/duty.ts";
import type { AttestResponse, ModelCheck } from "../../pool/wire.ts";
import type { InlineTensors, ModelReference } from "../../pool/work-assignment.ts";
import { type ApprovalStep, decideApproval, type FindingVote } from "../../protocol/model/decide-approval.ts";
import { hashFindings, type ModelFindings } from "../../protocol/model/findings.ts";
import { type Candidate, selectPanel } from "../../protocol/selection.ts";
import { modelFindingTypes, type ProtocolDomain, recoverSigner } from "../../protocol/typed-data.ts";
import type { Directory } from "../directory.ts";

export interface ModelDeskOptions {
  readonly directory: Pick<Directory, "candidates">;
  readonly domain: ProtocolDomain;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How many validators look at a model, and how many equal findings decide. */
  readonly panel: { readonly validators: number; readonly quorum: number };
  /** Something came out for the Model of this key. */
  readonly onChange: (key: string) => void;
  /** Validators may have something to do. */
  readonly onDuty: () => void;
}

export interface CheckedModel {
  readonly key: string;
  readonly uid: string;
  readonly generation: number;
  readonly model: ModelReference;
  readonly sample?: ModelReference;
}

export interface SignedFinding extends FindingVote {
  readonly findings?: ModelFindings;
  readonly runtime?: string;
  readonly signature?: string;
  readonly samples?: readonly InlineTensors[];
}

export type CheckOutcome =
  | { readonly state: "Open"; readonly leftMs: number }
  | {
      readonly state: "Agreed";
      readonly checked: CheckedModel;
      readonly findingsHash: string;
      /** Those with the finding that counts. */
      readonly findings: readonly SignedFinding[];
    }
  | { readonly state: "NoQuorum"; readonly checked: CheckedModel; readonly reason: string; readonly message: string };

interface Check {
  readonly id: string;
  readonly seed: string;
  readonly checked: CheckedModel;
  readonly panel: readonly Candidate[];
  readonly votes: SignedFinding[];
  /** When each was asked last, on the monotonic clock. */
  readonly askedAtMs: Map<string, number>;
  readonly openedAtMs: number;
}

/** A download of gigabytes, and their scan. */
const checkMs = 900_000;
/** Who has not answered is asked again after so long, in case it was started anew. */
const askAgainMs = 120_000;
const maxOpen = 256;

export class ModelDesk {
  readonly #options: ModelDeskOptions;
  /** By key of the Model. */
  readonly #checks = new Map<string, Check>();

  constructor(options: ModelDeskOptions) {
    this.#options = options;
  }

  /** Asks a panel. @returns how many could be asked where that is too few */
  open(checked: CheckedModel): { readonly isOpen: boolean; readonly eligible: number } {
    const { directory, panel, clock, onDuty } = this.#options;
    const seed = `0x${randomBytes(32).toString("hex")}`;
    const drawn = selectPanel(directory.candidates(), [], { seed, count: panel.validators });
    const isOpen = drawn.members.length >= panel.quorum && this.#checks.size < maxOpen;
    if (isOpen) {
      const id = randomBytes(16).toString("hex");
      const times = { askedAtMs: new Map<string, number>(), openedAtMs: clock.monotonic() };
      this.#checks.set(checked.key, {
        id,
        seed: randomBytes(32).toString("hex"),
        checked,
        panel: drawn.members,
        votes: [],
        ...times,
      });
      onDuty();
    }
    return { isOpen, eligible: drawn.eligible };
  }

  /** Undefined where nothing is going on for this generation of this very object. */
  outcomeOf({ key, uid, generation }: Pick<CheckedModel, "key" | "uid" | "generation">): CheckOutcome | undefined {
    const check = this.#checks.get(key);
    if (check?.checked.uid !== uid || check.checked.generation !== generation) return undefined;
    return this.#outcome(check);
  }

  drop(key: string): void {
    this.#checks.delete(key);
  }

  nextDuty(validator: string): ModelDuty | undefined {
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    const check = [...this.#checks.values()].find((one) => isNext(one, validator, nowMs) && this.#isOpen(one));
    if (check === undefined) return undefined;
    check.askedAtMs.set(validator, nowMs);
    const deadlineMs = Math.round(clock.now() + checkMs - (nowMs - check.openedAtMs));
    const { model, sample } = check.checked;
    return { kind: "model", checkId: check.id, model, seed: check.seed, ...(sample ? { sample } : {}), deadlineMs };
  }

  /** @throws InferiumError BadSignature */
  hear(validator: string, { checkId, outcome }: ModelCheck): AttestResponse {
    const check = [...this.#checks.values()].find(({ id }) => id === checkId);
    if (!check?.askedAtMs.has(validator) || !this.#isOpen(check)) return { status: "Late" };
    if (check.votes.some((vote) => vote.validator === validator)) return { status: "Duplicate" };
    check.votes.push(this.#readVote(validator, check, outcome));
    if (!this.#isOpen(check)) this.#options.onChange(check.checked.key);
    return { status: "Recorded" };
  }

  #readVote(validator: string, { checked }: Check, outcome: ModelCheck["outcome"]): SignedFinding {
    const { domain, logger } = this.#options;
    if (outcome.kind === "Unable") {
      const { reason, message } = outcome;
      logger.warn("a validator cannot check a model", { validator, model: checked.key, reason });
      return { validator, findingsHash: undefined, reason, message };
    }
    const { findings, runtime, signature, samples = [] } = outcome;
    const findingsHash = hashFindings(findings);
    const modelDigest = digestToBytes32(parseDigest(checked.model.digest));
    const message = { modelDigest, findingsHash, runtime, validator };
    if (recoverSigner(domain, modelFindingTypes, message, signature) !== validator) {
      throw new InferiumError("BadSignature", `The finding on ${checked.key} is not signed by ${validator}.`);
    }
    return { validator, findingsHash, findings, runtime, signature, samples };
  }

  #isOpen(check: Check): boolean {
    return this.#outcome(check).state === "Open";
  }

  #outcome({ checked, votes, panel, openedAtMs }: Check): CheckOutcome {
    const { clock, panel: rules } = this.#options;
    const step: ApprovalStep = decideApproval(votes, { members: panel.length, quorum: rules.quorum });
    if (step.step === "Agreed") {
      const { findingsHash } = step;
      const findings = votes.filter((vote) => vote.findingsHash === findingsHash);
      return { state: "Agreed", checked, findingsHash, findings };
    }
    if (step.step === "NoQuorum") return { state: "NoQuorum", checked, reason: step.reason, message: step.message };
    const leftMs = openedAtMs + checkMs - clock.monotonic();
    if (leftMs > 0) return { state: "Open", leftMs };
    const message = `${votes.length} of ${panel.length} validators answered within ${checkMs / 1_000} s; ${rules.quorum} equal findings are needed.`;
    return { state: "NoQuorum", checked, reason: "CheckTimedOut", message };
  }
}

function isNext({ panel, votes, askedAtMs }: Check, validator: string, nowMs: number): boolean {
  if (!panel.some(({ address }) => address === validator)) return false;
  if (votes.some((vote) => vote.validator === validator)) return false;
  return nowMs - (askedAtMs.get(validator) ?? Number.NEGATIVE_INFINITY) > askAgainMs;
}
