/**
 * The EIP-712 messages of the protocol. The contracts hold the same types; `test/vectors/chain-eip712.json` ties both.
 * All digests are 0x-hex of 32 bytes; addresses are checksummed. Times named `...Ms` are
 * milliseconds since the epoch, `expiresAt` and `createdAt` seconds, as contracts count.
 */
import { type TypedDataDomain, TypedDataEncoder } from "ethers";
import { keccakText } from "../base/keccak.ts";
import { recoverAddress } from "./signature.ts";
import { createWordHasher, hashSigned } from "./words.ts";

export interface ProtocolDomain {
  readonly chainId: number;
  /** The Settlement contract: one deployment of the protocol is one domain. */
  readonly settlement: string;
}

/** A claim of the address to a pool session; signed once per session, never seen by a contract. */
export interface SessionMessage {
  readonly account: string;
  readonly pool: string;
  readonly role: string;
  readonly challenge: string;
  readonly expiresAtMs: number;
}

export interface OrderMessage {
  readonly requester: string;
  readonly pool: string;
  readonly maxPerTaskWei: bigint;
  readonly maxTotalWei: bigint;
  /** Merkle root over the model digests that the order allows, or 32 zero bytes for any model. */
  readonly modelsRoot: string;
  readonly expiresAt: number;
  readonly nonce: bigint;
}

export interface ReceiptMessage {
  readonly taskId: string;
  readonly attempt: number;
  readonly worker: string;
  readonly modelDigest: string;
  readonly imageDigest: string;
  readonly codeDigest: string;
  readonly inputDigest: string;
  readonly outputDigest: string;
  readonly runtime: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** That a worker has taken an attempt and will answer in time, with a receipt or by handing it back. */
export interface ClaimMessage {
  readonly taskId: string;
  readonly attempt: number;
  readonly worker: string;
  readonly deadlineMs: number;
}

/** One validator's signed answer for all receipts of one Validation: the root of its vote leaves. */
export interface AttestationMessage {
  readonly validationId: string;
  readonly votesRoot: string;
  readonly validator: string;
}

export interface BatchHeaderMessage {
  readonly sequence: bigint;
  readonly previousHash: string;
  readonly epoch: bigint;
  readonly taskRoot: string;
  readonly balanceRoot: string;
  readonly taskCount: number;
  /** Cumulative total credited since genesis. */
  readonly settledWei: bigint;
  readonly createdAt: bigint;
}

const fields = (list: string) =>
  list.split(",").map((field) => {
    const [type = "", name = ""] = field.trim().split(" ");
    return { type, name };
  });

export const sessionTypes = {
  Session: fields("address account,string pool,string role,bytes32 challenge,uint64 expiresAtMs"),
};
export const orderTypes = {
  Order: fields(
    "address requester,string pool,uint256 maxPerTaskWei,uint256 maxTotalWei,bytes32 modelsRoot,uint64 expiresAt,uint256 nonce",
  ),
};
export const receiptTypes = {
  Receipt: fields(
    "bytes32 taskId,uint32 attempt,address worker,bytes32 modelDigest,bytes32 imageDigest,bytes32 codeDigest," +
      "bytes32 inputDigest,bytes32 outputDigest,string runtime,uint64 startedAtMs,uint64 endedAtMs",
  ),
};
export const claimTypes = {
  Claim: fields("bytes32 taskId,uint32 attempt,address worker,uint64 deadlineMs"),
};
export const attestationTypes = {
  Attestation: fields("bytes32 validationId,bytes32 votesRoot,address validator"),
};
export const batchHeaderTypes = {
  BatchHeader: fields(
    "uint64 sequence,bytes32 previousHash,uint64 epoch,bytes32 taskRoot,bytes32 balanceRoot,uint32 taskCount," +
      "uint256 settledWei,uint64 createdAt",
  ),
};

/** What an agent's host vouches for, see protocol/call-window.ts; its digest stands in a receipt, no contract reads it. */
export const callWindowTypes = {
  CallWindow: fields(
    "bytes32 windowId,bytes32 agentId,string callerId,bytes16 nonce,bytes32 receiptKey,uint64 firstAtMs,uint64 lastAtMs," +
      "uint64 count,uint64 failed,uint256 revenueWei,bytes32 root,bytes32 seed,uint32 samples",
  ),
};

/** What a validator signs of a model that it has scanned and loaded: `hashFindings` of protocol/model; never seen by a contract. */
export const modelFindingTypes = {
  ModelFinding: fields("bytes32 modelDigest,bytes32 findingsHash,string runtime,address validator"),
};

/** What a validator signs who has checked a proof: `hashStatement` and `hashProofWords` of protocol/proof.ts. */
export const proofEndorsementTypes = {
  ProofEndorsement: fields("bytes32 statementHash,bytes32 proofHash,address validator"),
};

export type MessageTypes = Record<string, { type: string; name: string }[]>;

export function buildDomain(domain: ProtocolDomain): TypedDataDomain {
  return { name: "Inferium", version: "1", chainId: domain.chainId, verifyingContract: domain.settlement };
}

/** The EIP-712 hash of a message. @throws TypeError where a field does not fit its type */
type HashStruct = (message: object) => string;

/** What hashes a type is made once; there are a few of them. */
const hashers = new WeakMap<MessageTypes, HashStruct>();
/** By chain and contract: one entry for each deployment that this process talks to. */
const domainHashes = new Map<string, string>();
const maxDomains = 64;

/** The EIP-712 digest that is signed, 0x-hex of 32 bytes. */
export function hashMessage(domain: ProtocolDomain, types: MessageTypes, message: object): string {
  let hashStruct = hashers.get(types);
  if (hashStruct === undefined) {
    hashStruct = createStructHasher(types);
    hashers.set(types, hashStruct);
  }
  return hashSigned(hashDomain(domain), hashStruct(message));
}

/** ethers decides about everything that is not written in the usual form. */
function createStructHasher(types: MessageTypes): HashStruct {
  const encoder = TypedDataEncoder.from(types);
  const members = types[encoder.primaryType] ?? [];
  const typeHash = keccakText(encoder.encodeType(encoder.primaryType));
  const hashWords = createWordHasher(["bytes32", ...members.map(({ type }) => type)]);
  return (message) => {
    const named = message as Readonly<Record<string, unknown>>;
    return hashWords([typeHash, ...members.map(({ name }) => named[name])]) ?? encoder.hash(message);
  };
}

function hashDomain(domain: ProtocolDomain): string {
  const key = `${domain.chainId} ${domain.settlement}`;
  const known = domainHashes.get(key);
  if (known !== undefined) return known;
  const hash = TypedDataEncoder.hashDomain(buildDomain(domain));
  if (domainHashes.size >= maxDomains) domainHashes.clear();
  domainHashes.set(key, hash);
  return hash;
}

/**
 * Recovering a signer costs milliseconds, and a validator meets each receipt twice: when it votes and when it certifies.
 * The answer depends on the digest and the signature alone, so remembering it changes no result.
 */
const recovered = new Map<string, string | undefined>();
const maxRecovered = 8_192;

/** The checksummed address that signed, or undefined where signature or message is malformed. */
export function recoverSigner(
  domain: ProtocolDomain,
  types: MessageTypes,
  message: object,
  signature: string,
): string | undefined {
  const digest = hashOrUndefined(domain, types, message);
  return digest === undefined ? undefined : recoverDigestSigner(digest, signature);
}

/** The same for the digest of a message that is known already. */
export function recoverDigestSigner(digest: string, signature: string): string | undefined {
  const key = `${digest}${signature}`;
  if (recovered.has(key)) return recovered.get(key);
  const signer = recoverAddress(digest, signature);
  const [oldest] = recovered.keys();
  if (recovered.size >= maxRecovered && oldest !== undefined) recovered.delete(oldest);
  recovered.set(key, signer);
  return signer;
}

function hashOrUndefined(domain: ProtocolDomain, types: MessageTypes, message: object): string | undefined {
  try {
    return hashMessage(domain, types, message);
  } catch {
    // Fields that do not fit their types cannot have been signed by anybody.
    return undefined;
  }
}

/** The id of a task on the chain: UIDs are unique across clusters and time, names are not. */
export function computeTaskId(uid: string): string {
  return keccakText(`inferium/task/${uid}`);
}

export function computeValidationId(uid: string): string {
  return keccakText(`inferium/validation/${uid}`);
}
