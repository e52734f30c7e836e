/**
 * What this validator certified: the header signed for each of the last sequences (never two for one), the balances after
 * the last, and what orders have spent. One file per deployment of the protocol, written before a signature leaves.
 */
import { join } from "node:path";
import { InferiumError } from "../../base/errors.ts";
import { ensureFolder, readIfThere, writeDurably } from "../../pool/durable-file.ts";
import type { ProtocolDomain } from "../../protocol/typed-data.ts";
import type { LastCertified } from "./check-previous.ts";

export interface CertifiedState {
  readonly last: LastCertified | undefined;
  /** Header hash by sequence, of the last ones. */
  readonly signed: ReadonlyMap<bigint, string>;
  readonly spentWei: ReadonlyMap<string, bigint>;
}

export interface CertifiedRecord {
  read(): CertifiedState;
  /** Durable when it resolves. @throws InferiumError AlreadyCertified, StateUnwritable */
  save(next: LastCertified, spentWei: ReadonlyMap<string, bigint>): Promise<void>;
}

const keptSequences = 1024;

/** @throws InferiumError StateUnreadable (fatal: signing without the record could be signing twice), StateUnwritable */
export async function openCertifiedRecord(stateDir: string, domain: ProtocolDomain): Promise<CertifiedRecord> {
  await ensureFolder(stateDir);
  const path = join(stateDir, `certified-${domain.chainId}-${domain.settlement.toLowerCase()}.json`);
  let state = parse(await readIfThere(path), path);
  return {
    read: () => state,
    async save(last, spentWei) {
      if (!maySign(state, last.sequence, last.headerHash)) {
        const message = `Sequence ${last.sequence} was signed or passed before; another header would contradict it.`;
        throw new InferiumError("AlreadyCertified", message);
      }
      const signed = new Map([...state.signed, [last.sequence, last.headerHash] as const].slice(-keptSequences));
      const next = { last, signed, spentWei };
      await writeDurably(path, format(next));
      state = next;
    },
  };
}

/** Never two headers for one sequence, and nothing older than what is remembered. */
export function maySign({ last, signed }: CertifiedState, sequence: bigint, headerHash: string): boolean {
  if (signed.has(sequence)) return signed.get(sequence) === headerHash;
  return last === undefined || sequence > last.sequence;
}

const toText = (map: ReadonlyMap<string | bigint, string | bigint>) =>
  Object.fromEntries([...map].map(([key, value]) => [String(key), String(value)]));

function format({ last, signed, spentWei }: CertifiedState): string {
  const lastText = last && { ...last, sequence: String(last.sequence), balances: toText(last.balances) };
  return JSON.stringify({ last: lastText, signed: toText(signed), spentWei: toText(spentWei) });
}

function parse(text: string | undefined, path: string): CertifiedState {
  if (text === undefined) return { last: undefined, signed: new Map(), spentWei: new Map() };
  try {
    const { last, signed, spentWei } = JSON.parse(text) as StateText;
    return {
      last: last && { ...last, sequence: BigInt(last.sequence), balances: toWei(last.balances) },
      signed: new Map(Object.entries(signed).map(([sequence, hash]) => [BigInt(sequence), hash])),
      spentWei: toWei(spentWei),
    };
  } catch (cause) {
    const message = `The record ${path} of signed batches is damaged; restore it, for signing twice costs the bond.`;
    throw new InferiumError("StateUnreadable", message, { disposition: "fatal", cause });
  }
}

interface StateText {
  readonly last?: { readonly sequence: string; readonly headerHash: string; readonly balances: Record<string, string> };
  readonly signed: Record<string, string>;
  readonly spentWei: Record<string, string>;
}

function toWei(texts: Record<string, string>): Map<string, bigint> {
  return new Map(Object.entries(texts).map(([key, wei]) => [key, BigInt(wei)]));
}
