/**
 * The transactions of a party to disputes: challenger, juror, or whoever moves one on. Through an outbox of its own, so that
 * each is journalled before it is broadcast, goes out again after a crash as the same bytes, and is never sent for what is on
 * the chain already. Called by the validator.
 */

import { computeDisputeId, type JurorVerdict, jurorVerdictCode } from "../protocol/dispute.ts";
import { hashMessage, receiptTypes } from "../protocol/typed-data.ts";
import { loadArtifact } from "./artifacts.ts";
import { type ApprovedEvidence, encodeOpenDispute } from "./calls.ts";
import { sortAddresses } from "./certificate.ts";
import type { ChainClient } from "./client.ts";
import { createDisputeEffectFinder, type DisputeIntent } from "./dispute-effects.ts";
import { type OutboxOptions, openOutbox, type TransactionOutcome } from "./outbox.ts";

export interface DisputePlace {
  readonly id: string;
  /** Block in which it was opened, or an earlier one. */
  readonly fromBlock: number;
}

/** All throw InferiumError as Outbox.submit; each is idempotent. */
export interface DisputeSender {
  /** Checksummed. */
  readonly account: string;
  /** Approves the bond, then opens. */
  open(evidence: ApprovedEvidence, bondWei: bigint): Promise<TransactionOutcome & { readonly id: string }>;
  /** @param seedBlock a draw that comes too late takes a new one, and is then to be sent again */
  draw(place: DisputePlace, seedBlock: number): Promise<TransactionOutcome>;
  commit(place: DisputePlace, commitment: string): Promise<TransactionOutcome>;
  reveal(
    place: DisputePlace,
    vote: { readonly verdict: JurorVerdict; readonly salt: string },
  ): Promise<TransactionOutcome>;
  rule(place: DisputePlace): Promise<TransactionOutcome>;
  execute(place: DisputePlace): Promise<TransactionOutcome>;
  /** Takes the bonds that came free. */
  collect(place: DisputePlace): Promise<TransactionOutcome>;
  /** Call once after a start. @returns the ids that are still not confirmed */
  resume(): Promise<string[]>;
}

export interface DisputeSenderOptions extends Omit<OutboxOptions, "findEffect"> {
  readonly client: ChainClient;
}

export async function openDisputeSender(options: DisputeSenderOptions): Promise<DisputeSender> {
  const { client } = options;
  const { disputes, token } = client.addresses;
  const account = await options.signer.getAddress();
  const outbox = await openOutbox({ ...options, findEffect: createDisputeEffectFinder(client) });
  const { abi } = loadArtifact("Disputes");

  const send = (kind: DisputeIntent["kind"], place: DisputePlace, call: Call) => {
    const { to = disputes, data, suffix = "", subject = place.id } = call;
    const payload = { kind, dispute: place.id, fromBlock: place.fromBlock, account };
    return outbox.submit({ id: `${kind}/${place.id}${suffix}`, subject, payload, to, data });
  };
  const anybody = (kind: "rule" | "execute") => (place: DisputePlace) =>
    send(kind, place, { data: abi.encodeFunctionData(kind, [place.id]) });

  return {
    account,
    async open(evidence, bondWei) {
      const receiptDigest = hashMessage(client.domain, receiptTypes, evidence.receipt);
      const accused = sortAddresses(evidence.approvals.map(({ attestation }) => attestation.validator));
      const id = computeDisputeId(receiptDigest, account, accused);
      const place = { id, fromBlock: await client.blockNumber() };
      const approval = loadArtifact("IFRToken").abi.encodeFunctionData("approve", [disputes, bondWei]);
      await send("approve", place, { to: token, data: approval });
      return { id, ...(await send("open", place, { data: encodeOpenDispute(evidence) })) };
    },
    draw: (place, seedBlock) =>
      send("draw", place, { data: abi.encodeFunctionData("draw", [place.id]), suffix: `/${seedBlock}` }),
    commit: (place, commitment) =>
      // As the subject: another commitment for the same dispute is refused.
      send("commit", place, { data: abi.encodeFunctionData("commit", [place.id, commitment]), subject: commitment }),
    reveal: (place, { verdict, salt }) =>
      send("reveal", place, { data: abi.encodeFunctionData("reveal", [place.id, jurorVerdictCode[verdict], salt]) }),
    rule: anybody("rule"),
    execute: anybody("execute"),
    collect: (place) => send("collect", place, { data: abi.encodeFunctionData("collect", [account]) }),
    resume: () => outbox.resume(),
  };
}

interface Call {
  readonly to?: string;
  readonly data: string;
  /** Tells apart what may be sent more than once for one dispute. */
  readonly suffix?: string;
  readonly subject?: string;
}
