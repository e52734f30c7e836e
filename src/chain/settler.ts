/**
 * Settles batches and reports faults through the outbox. The operator's settle stage calls it; all its effects are
 * transactions of the settler's account. Idempotent: what is on the chain already, by whomever, is found and returned.
 */
import { endorsementOf } from "../protocol/proof.ts";
import {
  type BatchHeaderMessage,
  hashMessage,
  proofEndorsementTypes,
  type ReceiptMessage,
} from "../protocol/typed-data.ts";
import type { ContradictionEvidence, MissedEvidence, RejectedEvidence } from "./calls.ts";
import {
  encodeProveContradiction,
  encodeProveSpent,
  encodeSettle,
  encodeSlashMissed,
  encodeSlashRejected,
} from "./calls.ts";
import type { Certificate } from "./certificate.ts";
import type { ChainClient } from "./client.ts";
import { createEffectFinder } from "./effects.ts";
import { computeFaultId, type FaultKind } from "./faults.ts";
import { hashHeader } from "./header.ts";
import type { JsonValue } from "./journal.ts";
import { type Outbox, type OutboxOptions, openOutbox, type TransactionOutcome } from "./outbox.ts";
import { type BadProofEvidence, encodeProveBadProof } from "./proofs.ts";

export interface Settler {
  /**
   * @throws InferiumError as Outbox.submit; `ForeignBatch` (fatal) where the chain holds another header for the sequence
   */
  settle(header: BatchHeaderMessage, certificate: Certificate): Promise<TransactionOutcome>;
  slashRejected(evidence: RejectedEvidence): Promise<TransactionOutcome>;
  slashMissed(evidence: MissedEvidence): Promise<TransactionOutcome>;
  proveContradiction(evidence: ContradictionEvidence): Promise<TransactionOutcome>;
  /** Takes the bond and the seat of a validator that endorsed a proof which does not hold. */
  proveBadProof(evidence: BadProofEvidence): Promise<TransactionOutcome>;
  /** Shows the escrow what a requester has spent, so that it is not paid back. @param header the newest final one */
  proveSpent(header: BatchHeaderMessage, spent: SpentProof): Promise<TransactionOutcome>;
  /**
   * After a reorganisation: brings back the slashes and proofs that it took from the chain. Batches are the caller's, which
   * settles them again in their order.
   */
  recheck(): Promise<void>;
  /** Call once after a start, before the first batch. @returns the ids that are still not confirmed */
  resume(): Promise<string[]>;
}

export interface SpentProof {
  readonly requester: string;
  readonly spentWei: bigint;
  /** From the requester's spent leaf to the header's balance root. */
  readonly proof: readonly string[];
}

export interface SettlerOptions extends Omit<OutboxOptions, "findEffect"> {
  readonly client: ChainClient;
  /** Block of the deployment, where searches of the logs begin. Default 0. */
  readonly fromBlock?: number;
}

export async function openSettler(options: SettlerOptions): Promise<Settler> {
  const findEffect = createEffectFinder(options.client, options.fromBlock ?? 0);
  const outbox = await openOutbox({ ...options, findEffect });
  const { addresses, domain } = options.client;
  return {
    settle: (header, certificate) =>
      outbox.submit({
        id: `settle/${header.epoch}/${header.sequence}`,
        subject: hashHeader(domain, header),
        payload: toJson({ kind: "settle", header, certificate }),
        to: addresses.settlement,
        data: encodeSettle(header, certificate),
      }),
    slashRejected: (evidence) =>
      submitFault(outbox, addresses.slashing, {
        kind: "rejected",
        receipt: evidence.receipt,
        evidence,
        data: encodeSlashRejected(evidence),
      }),
    slashMissed: (evidence) =>
      submitFault(outbox, addresses.slashing, {
        kind: "missed",
        receipt: evidence.claim,
        evidence,
        data: encodeSlashMissed(evidence),
      }),
    proveContradiction: (evidence) =>
      submitFault(outbox, addresses.slashing, {
        kind: "contradiction",
        receipt: evidence.receiptA,
        evidence,
        data: encodeProveContradiction(evidence),
      }),
    proveBadProof: (evidence) => {
      const { proof, validator } = evidence;
      const faultId = hashMessage(domain, proofEndorsementTypes, endorsementOf(proof, validator));
      return outbox.submit({
        id: `badProof/${faultId}`,
        subject: faultId,
        payload: toJson({ kind: "badProof", taskId: proof.taskId, validator }),
        to: addresses.zkFaults,
        data: encodeProveBadProof(evidence),
      });
    },
    proveSpent: (header, spent) => {
      const headerHash = hashHeader(domain, header);
      const { requester, spentWei } = spent;
      return outbox.submit({
        // Of each header anew: a proof against one that is no longer the newest final one is refused.
        id: `spent/${requester}/${spentWei}/${header.sequence}`,
        subject: headerHash,
        payload: toJson({ kind: "spent", requester, spentWei }),
        to: addresses.escrow,
        data: encodeProveSpent(header, spent),
      });
    },
    recheck: () => outbox.recheck((id) => !id.startsWith("settle/") && !id.startsWith("fill/")),
    resume: () => outbox.resume(),
  };
}

interface FaultReport {
  readonly kind: FaultKind;
  /** Whose attempt it is about. */
  readonly receipt: Pick<ReceiptMessage, "taskId" | "attempt" | "worker">;
  readonly evidence: object;
  readonly data: string;
}

function submitFault(outbox: Outbox, to: string, report: FaultReport): Promise<TransactionOutcome> {
  const { kind, receipt, data } = report;
  const faultId = computeFaultId(kind, receipt);
  const { taskId, attempt, worker } = receipt;
  const payload = toJson({ kind, taskId, attempt, worker, evidence: report.evidence });
  return outbox.submit({ id: `${kind}/${faultId}`, subject: faultId, payload, to, data });
}

/** Big integers become decimal strings; everything else in a message is JSON already. */
function toJson(value: object): JsonValue {
  const text = JSON.stringify(value, (_, item) => (typeof item === "bigint" ? item.toString() : item));
  return JSON.parse(text) as JsonValue;
}
