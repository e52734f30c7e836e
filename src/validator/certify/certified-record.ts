/**
 * What this validator certified: the header signed for each of the last sequences (never two for one in one epoch), the
 * balances after the last, and what orders have spent. One file per deployment of the protocol, written before a signature leaves.
 */
import { join } from "node:path";
import { InferiumError } from "../../base/errors.ts";
import { ensureFolder, readIfThere, writeDurably } from "../../pool/durable-file.ts";
import { zeroHash } from "../../protocol/settlement.ts";
import type { ProtocolDomain } from "../../protocol/typed-data.ts";
import type { LastCertified } from "./check-previous.ts";

export interface CertifiedState {
  readonly last: LastCertified | undefined;
  /** Header hash by epoch and sequence, of the last ones. */
  readonly signed: ReadonlyMap<string, string>;
  /** By budget, after the last batch. */
  readonly spentWei: ReadonlyMap<string, bigint>;
  /** The same after each of the last batches, by header hash: one may have to be made anew, on top of an earlier one. */
  readonly spentAfter: ReadonlyMap<string, ReadonlyMap<string, bigint>>;
}

export interface HeaderIdentity {
  readonly sequence: bigint;
  readonly epoch: bigint;
  readonly headerHash: string;
}

export interface CertifiedRecord {
  read(): CertifiedState;
  /**
   * What budgets had spent after the batch of this header, and so before the next: one that takes the place of others spends
   * anew. Where that batch is not known, all that was ever certified counts.
   */
  spentBefore(previousHash: string): ReadonlyMap<string, bigint>;
  /** Durable when it resolves. @throws InferiumError AlreadyCertified, StateUnwritable */
  save(next: LastCertified, spentWei: ReadonlyMap<string, bigint>): Promise<void>;
}

const keptSequences = 1024;
/** Far fewer than are kept: one sequence may be signed under several epochs. */
const rememberedSequences = 64n;
/** A rolled-back batch takes its successors with it; more than a few are rare. */
const keptBudgets = 16;

/** @throws InferiumError StateUnreadable (fatal: signing without the record could be signing twice), StateUnwritable */
export async function openCertifiedRecord(stateDir: string, domain: ProtocolDomain): Promise<CertifiedRecord> {
  await ensureFolder(stateDir);
  const path = join(stateDir, `certified-${domain.chainId}-${domain.settlement.toLowerCase()}.json`);
  let state = parse(await readIfThere(path), path);
  return {
    read: () => state,
    spentBefore: (previousHash) =>
      previousHash === zeroHash ? new Map() : (state.spentAfter.get(previousHash) ?? state.spentWei),
    async save(last, spentWei) {
      if (!maySign(state, last)) {
        const message = `Sequence ${last.sequence} was signed or passed before; another header would contradict it.`;
        throw new InferiumError("AlreadyCertified", message);
      }
      const signed = new Map([...state.signed, [keyOf(last), last.headerHash] as const].slice(-keptSequences));
      const spentAfter = new Map([...state.spentAfter, [last.headerHash, spentWei] as const].slice(-keptBudgets));
      const next = { last, signed, spentWei, spentAfter };
      await writeDurably(path, format(next));
      state = next;
    },
  };
}

const keyOf = ({ epoch, sequence }: HeaderIdentity) => `${epoch}/${sequence}`;

export function wasSigned({ signed }: CertifiedState, header: HeaderIdentity): boolean {
  return signed.get(keyOf(header)) === header.headerHash;
}

/**
 * Never two headers for one sequence in one epoch, and nothing older than what is surely remembered. An earlier sequence comes
 * again after a batch was rolled back, and an earlier epoch where a reorganisation undid a rotation.
 */
export function maySign({ last, signed }: CertifiedState, header: HeaderIdentity): boolean {
  const before = signed.get(keyOf(header));
  if (before !== undefined) return before === header.headerHash;
  return last === undefined || header.sequence + rememberedSequences > last.sequence;
}

const toText = (map: ReadonlyMap<string | bigint, string | bigint>) =>
  Object.fromEntries([...map].map(([key, value]) => [String(key), String(value)]));

function format({ last, signed, spentWei, spentAfter }: CertifiedState): string {
  const lastText = last && {
    ...last,
    sequence: String(last.sequence),
    epoch: String(last.epoch),
    balances: toText(last.balances),
    spent: toText(last.spent),
  };
  const after = [...spentAfter].map(([headerHash, wei]) => [headerHash, toText(wei)] as const);
  const spent = { spentWei: toText(spentWei), spentAfter: Object.fromEntries(after) };
  return JSON.stringify({ last: lastText, signed: toText(signed), ...spent });
}

function parse(text: string | undefined, path: string): CertifiedState {
  const nothing = new Map<string, never>();
  if (text === undefined) return { last: undefined, signed: nothing, spentWei: nothing, spentAfter: nothing };
  try {
    const { last, signed, spentWei, spentAfter = {} } = JSON.parse(text) as StateText;
    return {
      last: last && reviveLast(last),
      signed: new Map(Object.entries(signed)),
      spentWei: toWei(spentWei),
      spentAfter: new Map(Object.entries(spentAfter).map(([headerHash, wei]) => [headerHash, toWei(wei)])),
    };
  } catch (cause) {
    const message = `The record ${path} of signed batches is damaged; restore it, for signing twice costs the bond.`;
    throw new InferiumError("StateUnreadable", message, { disposition: "fatal", cause });
  }
}

type WeiText = Readonly<Record<string, string>>;

interface LastText {
  readonly sequence: string;
  readonly epoch: string;
  readonly headerHash: string;
  readonly balances: WeiText;
  readonly spent: WeiText;
}

interface StateText {
  readonly last?: LastText;
  readonly signed: WeiText;
  readonly spentWei: WeiText;
  readonly spentAfter?: Readonly<Record<string, WeiText>>;
}

function reviveLast({ sequence, epoch, headerHash, balances, spent }: LastText): LastCertified {
  return {
    sequence: BigInt(sequence),
    epoch: BigInt(epoch),
    headerHash,
    balances: toWei(balances),
    spent: toWei(spent),
  };
}

function toWei(texts: Record<string, string>): Map<string, bigint> {
  return new Map(Object.entries(texts).map(([key, wei]) => [key, BigInt(wei)]));
}
