/**
 * Stage 7: collects the validators' signatures over the batch that is proposed. Signatures are in memory until there are
 * enough of them; a restart asks again, and validators sign the same header again from their own record.
 */
import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { compactSignature, computeQuorum } from "../chain/certificate.ts";
import { readHeader } from "../pool/batch-data.ts";
import type { CertifyDuty } from "../pool/duty.ts";
import type { AttestRequest, AttestResponse } from "../pool/wire.ts";
import { batchHeaderTypes, type ProtocolDomain, recoverSigner } from "../protocol/typed-data.ts";
import type { BatchRecord } from "./batch-book.ts";
import type { OperatorMetrics } from "./metrics.ts";

export interface CertifierOptions {
  readonly domain: ProtocolDomain;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: OperatorMetrics;
  /** Something came in, or there is something to sign. */
  readonly onChange: () => void;
}

interface Proposal {
  readonly record: BatchRecord;
  readonly members: readonly string[];
  readonly signatures: Map<string, string>;
  /** Monotonic time of the last hand-out. */
  readonly handedMs: Map<string, number>;
}

type CertifyRequest = Extract<AttestRequest, { kind: "certify" }>;
type RefuseRequest = Extract<AttestRequest, { kind: "refuse" }>;

const handOutAgainMs = 5_000;
const dutyMs = 30_000;

export class Certifier {
  readonly #options: CertifierOptions;
  #proposal: Proposal | undefined;

  constructor(options: CertifierOptions) {
    this.#options = options;
  }

  isOpen(record: BatchRecord): boolean {
    return this.#proposal?.record.headerHash === record.headerHash;
  }

  /** Begins to ask for signatures of this batch, unless it is being asked for. */
  open(record: BatchRecord, members: readonly string[]): void {
    if (this.isOpen(record)) return;
    this.#proposal = { record, members, signatures: new Map(), handedMs: new Map() };
    this.#options.onChange();
  }

  close(): void {
    this.#proposal = undefined;
  }

  /** Signatures by signer once there is a quorum. */
  get certificate(): ReadonlyMap<string, string> | undefined {
    const proposal = this.#proposal;
    if (!proposal || proposal.signatures.size < computeQuorum(proposal.members.length)) return undefined;
    return proposal.signatures;
  }

  nextDuty(validator: string): CertifyDuty | undefined {
    const proposal = this.#proposal;
    if (!proposal?.members.includes(validator) || proposal.signatures.has(validator)) return undefined;
    const { clock } = this.#options;
    const handedMs = proposal.handedMs.get(validator);
    if (handedMs !== undefined && clock.monotonic() - handedMs < handOutAgainMs) return undefined;
    proposal.handedMs.set(validator, clock.monotonic());
    return { kind: "certify", batch: proposal.record.body.data, deadlineMs: Math.round(clock.now() + dutyMs) };
  }

  /** @throws InferiumError NotSignedByValidator, NotInValidatorSet */
  sign(validator: string, request: CertifyRequest): AttestResponse {
    const proposal = this.#find(request);
    if (!proposal) return { status: "Late" };
    if (!proposal.members.includes(validator)) {
      throw new InferiumError("NotInValidatorSet", `${validator} is not in the validator set of the batch's epoch.`);
    }
    const header = readHeader(proposal.record.body.data.header);
    const signer = recoverSigner(this.#options.domain, batchHeaderTypes, header, request.signature);
    if (signer !== validator) {
      throw new InferiumError(
        "NotSignedByValidator",
        `The header is signed by ${signer ?? "nobody"}, not by ${validator}.`,
      );
    }
    if (proposal.signatures.has(validator)) return { status: "Duplicate" };
    proposal.signatures.set(validator, compactSignature(request.signature));
    this.#options.onChange();
    return { status: "Recorded" };
  }

  /** A validator that arrives at something else says so; it is asked again, since it may only have been behind. */
  refuse(validator: string, request: RefuseRequest): AttestResponse {
    const proposal = this.#find(request);
    if (!proposal) return { status: "Late" };
    this.#options.metrics.refusals.inc();
    const { sequence } = proposal.record;
    this.#options.logger.error("a validator refused to sign a batch", { validator, sequence, reason: request.reason });
    return { status: "Recorded" };
  }

  #find({ sequence, headerHash }: { readonly sequence: string; readonly headerHash: string }): Proposal | undefined {
    const record = this.#proposal?.record;
    const isThis = record?.headerHash === headerHash && String(record.sequence) === sequence;
    return isThis ? this.#proposal : undefined;
  }
}
