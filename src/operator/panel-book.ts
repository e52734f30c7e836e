/**
 * The votes of panels while they are being cast. In memory alone: a restart forgets them, the validators are asked again
 * and answer the same from their own records. What is decided is in the Validation. Checks every commitment, reveal and
 * signature; decides nothing.
 */

import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import { objectKey } from "../kube/object.ts";
import type { Duty, ValidateDuty } from "../pool/duty.ts";
import type { AttestRequest, AttestResponse } from "../pool/wire.ts";
import { checksumAddress } from "../protocol/checksum-address.ts";
import { computeCommitment } from "../protocol/commitment.ts";
import { attestationTypes, computeValidationId, type ProtocolDomain, recoverSigner } from "../protocol/typed-data.ts";
import { buildVoteTree, type CastVote } from "../protocol/verdict/evidence.ts";
import { commitShare } from "../protocol/verdict/panel.ts";
import type { ValidationObject } from "./kinds.ts";

export interface Reveal {
  readonly votes: readonly CastVote[];
  readonly votesRoot: string;
  readonly signature: string;
  readonly overheadMs: number;
  readonly note: string | undefined;
  readonly atMs: number;
}

export interface Panel {
  readonly key: string;
  readonly validation: ValidationObject;
  readonly validationId: string;
  /** Monotonic; when this process began to ask. */
  readonly startedMs: number;
  revealing: boolean;
  readonly commits: Map<string, { readonly commitment: string; readonly atMs: number }>;
  readonly reveals: Map<string, Reveal>;
}

export interface PanelBookOptions {
  readonly domain: ProtocolDomain;
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** What the panel must run. Remembered by the caller. */
  readonly buildItems: (validation: ValidationObject) => Promise<ValidateDuty["items"]>;
  /** A vote came in. */
  readonly onVote: (key: string) => void;
}

type CommitRequest = Extract<AttestRequest, { kind: "commit" }>;
type RevealRequest = Extract<AttestRequest, { kind: "reveal" }>;

/** A duty that is not answered is handed out again after so long. */
const handOutAgainMs = 10_000;

export class PanelBook {
  readonly #options: PanelBookOptions;
  readonly #panels = new Map<string, Panel>();
  readonly #ofValidator = new Map<string, Set<string>>();
  /** Monotonic time of the last hand-out by `duty kind/validation/validator`. */
  readonly #handedMs = new Map<string, number>();

  constructor(options: PanelBookOptions) {
    this.#options = options;
  }

  get(key: string): Panel | undefined {
    return this.#panels.get(key);
  }

  /** Begins to ask a panel, unless it is being asked. */
  open(validation: ValidationObject): Panel {
    const key = objectKey(validation);
    const known = this.#panels.get(key);
    if (known && known.validation.metadata.uid === validation.metadata.uid) return known;
    this.close(key);
    const panel: Panel = {
      key,
      validation,
      validationId: computeValidationId(validation.metadata.uid ?? ""),
      startedMs: this.#options.clock.monotonic(),
      revealing: false,
      commits: new Map(),
      reveals: new Map(),
    };
    this.#panels.set(key, panel);
    for (const address of membersOf(panel)) {
      const keys = this.#ofValidator.get(address) ?? new Set<string>();
      this.#ofValidator.set(address, keys.add(key));
    }
    return panel;
  }

  close(key: string): void {
    const panel = this.#panels.get(key);
    if (!panel) return;
    this.#panels.delete(key);
    for (const address of membersOf(panel)) {
      this.#ofValidator.get(address)?.delete(key);
      for (const kind of ["reveal", "validate"]) this.#handedMs.delete(`${kind}/${key}/${address}`);
    }
  }

  /** Reveals before new work: a panel that waits holds up its tasks. */
  async nextDuty(validator: string): Promise<Duty | undefined> {
    const panels = [...(this.#ofValidator.get(validator) ?? [])]
      .map((key) => this.#panels.get(key))
      .filter((panel) => panel !== undefined);
    const reveal = panels.find((panel) => this.#isDue("reveal", panel, validator));
    if (reveal) {
      this.#note("reveal", reveal, validator);
      return { kind: "reveal", ...this.#addressOf(reveal, 1) };
    }
    const validate = panels.find((panel) => this.#isDue("validate", panel, validator));
    if (!validate) return undefined;
    this.#note("validate", validate, validator);
    const items = await this.#options.buildItems(validate.validation);
    return { kind: "validate", ...this.#addressOf(validate, commitShare), items };
  }

  commit(validator: string, request: CommitRequest): AttestResponse {
    const panel = this.#find(validator, request);
    if (!panel) return { status: "Late" };
    const known = panel.commits.get(validator);
    if (known) return repeat(known.commitment === request.commitment, "commitment");
    if (panel.revealing) return { status: "Late" };
    panel.commits.set(validator, { commitment: request.commitment, atMs: this.#options.clock.monotonic() });
    this.#options.onVote(panel.key);
    return { status: "Recorded" };
  }

  reveal(validator: string, request: RevealRequest): AttestResponse {
    const panel = this.#find(validator, request);
    if (!panel) return { status: "Late" };
    const known = panel.reveals.get(validator);
    if (known) return repeat(known.signature === request.signature, "reveal");
    const commit = panel.commits.get(validator);
    if (!commit || !panel.revealing) {
      throw refuse(
        "RevealTooEarly",
        "A reveal came before the commitments of the panel were in; commit and wait for the duty.",
      );
    }
    const votesRoot = this.#check(panel, { validator, request, commitment: commit.commitment });
    const { votes, signature, overheadMs, note } = request;
    const atMs = this.#options.clock.monotonic();
    panel.reveals.set(validator, { votes, votesRoot, signature, overheadMs, note, atMs });
    this.#options.onVote(panel.key);
    return { status: "Recorded" };
  }

  #find(
    validator: string,
    { namespace, validation }: { readonly namespace: string; readonly validation: string },
  ): Panel | undefined {
    const panel = this.#panels.get(`${namespace}/${validation}`);
    if (!panel) return undefined;
    if (membersOf(panel).includes(validator)) return panel;
    throw refuse("NotOnPanel", `${validator} is not on the panel of ${namespace}/${validation}.`);
  }

  #check(panel: Panel, cast: { validator: string; request: RevealRequest; commitment: string }): string {
    const { validator, request, commitment } = cast;
    const { receipts } = panel.validation.spec;
    const { validationId } = panel;
    if (request.votes.length !== receipts.length) {
      throw refuse(
        "WrongVoteCount",
        `${request.votes.length} votes came for ${receipts.length} receipts; give one for each.`,
      );
    }
    const votesRoot = buildVoteTree(receipts, request.votes).root;
    if (computeCommitment({ validationId, votesRoot, validator, salt: request.salt }) !== commitment) {
      throw refuse("CommitmentMismatch", "The votes and the salt do not hash to what was committed.");
    }
    const message = { validationId, votesRoot, validator };
    const signer = recoverSigner(this.#options.domain, attestationTypes, message, request.signature);
    if (signer !== validator)
      throw refuse("NotSignedByValidator", `The attestation is signed by ${signer ?? "nobody"}, not ${validator}.`);
    return votesRoot;
  }

  #isDue(kind: "validate" | "reveal", panel: Panel, validator: string): boolean {
    const isOpen =
      kind === "validate" ? !panel.revealing && !panel.commits.has(validator) : isRevealOpen(panel, validator);
    if (!isOpen) return false;
    const handedMs = this.#handedMs.get(`${kind}/${panel.key}/${validator}`);
    return handedMs === undefined || this.#options.clock.monotonic() - handedMs >= handOutAgainMs;
  }

  /** Before the duty is built, so that two calls of one validator do not both get it. */
  #note(kind: "validate" | "reveal", panel: Panel, validator: string): void {
    this.#handedMs.set(`${kind}/${panel.key}/${validator}`, this.#options.clock.monotonic());
  }

  /** @param share of the panel's time by which the answer must be in */
  #addressOf(panel: Panel, share: number) {
    const { namespace = "", name } = panel.validation.metadata;
    const leftMs = panel.startedMs + this.#options.deadlineMs * share - this.#options.clock.monotonic();
    const deadlineMs = Math.round(this.#options.clock.now() + Math.max(0, leftMs));
    return { namespace, validation: name, validationId: panel.validationId, deadlineMs };
  }
}

function isRevealOpen(panel: Panel, validator: string): boolean {
  return panel.revealing && panel.commits.has(validator) && !panel.reveals.has(validator);
}

function membersOf(panel: Panel): string[] {
  return panel.validation.spec.validators.map((member) => checksumAddress(member.address));
}

function repeat(same: boolean, what: string): AttestResponse {
  if (same) return { status: "Duplicate" };
  throw refuse("AnsweredDifferently", `Another ${what} was recorded before; a validator answers once.`);
}

function refuse(code: string, message: string): InferiumError {
  return new InferiumError(code, message);
}
