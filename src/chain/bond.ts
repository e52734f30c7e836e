/**
 * Bonding nodes and paying in and out: the transactions of owners, requesters and the embedded run. They go out in bursts
 * with explicit nonces and are not journalled: who repeats one sees what the chain says first.
 */
import { Signature, type Signer, type TransactionReceipt } from "ethers";
import { systemClock } from "../base/clock.ts";
import type { BatchHeaderMessage } from "../protocol/typed-data.ts";
import type { ContractAddresses } from "./addresses.ts";
import { type ContractName, loadArtifact } from "./artifacts.ts";
import { encodeClaimMany, type RewardClaim } from "./calls.ts";
import { type PlannedTransaction, requireProvider, type SendOptions, sendBatch } from "./send-batch.ts";

export interface ChainWriter {
  /** Connected to a provider. Sends, pays the gas, and owns the tokens that are pulled. */
  readonly signer: Signer;
  readonly addresses: ContractAddresses;
  /** For each transaction to be mined. Default 60 s. */
  readonly timeoutMs?: number;
}

export interface BondRequest {
  /** The node's own key, which must agree to its first owner; only signs, needs no ether. */
  readonly node: Pick<Signer, "getAddress" | "signTypedData">;
  readonly role: "Worker" | "Validator";
  /** Where its rewards go. */
  readonly payout: string;
  readonly amountWei: bigint;
}

export interface TokenAmount {
  readonly account: string;
  readonly amountWei: bigint;
}

export const roleCode = { Worker: 1, Validator: 2 } as const;
const consentSeconds = 3_600;
/** What a node signs to let somebody else pay its first bond. */
export const consentTypes = {
  BondConsent: ["address node", "uint8 role", "address owner", "address payout", "uint64 expiresAt"].map((field) => {
    const [type = "", name = ""] = field.split(" ");
    return { type, name };
  }),
};

/**
 * Approve once for all, then bond each node with the node's consent; the signer becomes the owner.
 * @throws InferiumError TransactionReverted (such as BondTooSmall, NodeIsDisqualified), TransactionTimeout, RpcFailed
 */
export async function bondNodes(writer: ChainWriter, requests: readonly BondRequest[]): Promise<TransactionReceipt[]> {
  const total = requests.reduce((sum, request) => sum + request.amountWei, 0n);
  const expiresAt = await readExpiry(writer.signer);
  const bonds: PlannedTransaction[] = [];
  for (const request of requests) bonds.push(await planBond(writer, request, expiresAt));
  const approval = planApproval(writer.addresses, writer.addresses.registry, total);
  return (await send(writer, [approval, ...bonds])).slice(1);
}

export async function bondNode(writer: ChainWriter, request: BondRequest): Promise<TransactionReceipt[]> {
  return bondNodes(writer, [request]);
}

/** The signer must hold the minter role. */
export async function mintTokens(writer: ChainWriter, amounts: readonly TokenAmount[]): Promise<TransactionReceipt[]> {
  const { token } = writer.addresses;
  return send(
    writer,
    amounts.map(({ account, amountWei }) => plan("IFRToken", token, ["mint", [account, amountWei], 200_000n])),
  );
}

/** Deposit for requesters, pulled from the signer. */
export async function depositFor(writer: ChainWriter, amounts: readonly TokenAmount[]): Promise<TransactionReceipt[]> {
  const { escrow } = writer.addresses;
  const total = amounts.reduce((sum, { amountWei }) => sum + amountWei, 0n);
  const deposits = amounts.map(({ account, amountWei }) =>
    plan("TaskEscrow", escrow, ["depositFor", [account, amountWei], 200_000n]),
  );
  return (await send(writer, [planApproval(writer.addresses, escrow, total), ...deposits])).slice(1);
}

/**
 * Pay accounts what the balance root of a final header proves and was not claimed yet. Anybody may send it.
 * @param header the newest final one: see ChainClient.finalHeader
 */
export async function claimMany(
  writer: ChainWriter,
  header: BatchHeaderMessage,
  claims: readonly RewardClaim[],
): Promise<TransactionReceipt[]> {
  const planned: PlannedTransaction[] = [];
  for (let start = 0; start < claims.length; start += claimsPerTransaction) {
    const part = claims.slice(start, start + claimsPerTransaction);
    const gasLimit = 120_000n + 150_000n * BigInt(part.length);
    planned.push({
      action: "Claiming rewards",
      to: writer.addresses.distributor,
      data: encodeClaimMany(header, part),
      gasLimit,
    });
  }
  return send(writer, planned);
}

/** Keeps a transaction within a third of a common block. */
const claimsPerTransaction = 64;

async function planBond(writer: ChainWriter, request: BondRequest, expiresAt: number): Promise<PlannedTransaction> {
  const node = await request.node.getAddress();
  const role = roleCode[request.role];
  const owner = await writer.signer.getAddress();
  const { payout, amountWei } = request;
  const domain = await readConsentDomain(writer);
  const consent = await request.node.signTypedData(domain, consentTypes, { node, role, owner, payout, expiresAt });
  const compact = Signature.from(consent).compactSerialized;
  const values = [node, role, payout, amountWei, expiresAt, compact];
  return plan("NodeRegistry", writer.addresses.registry, ["bondWithConsent", values, 300_000n]);
}

export async function readConsentDomain({ signer, addresses }: Pick<ChainWriter, "signer" | "addresses">) {
  const { chainId } = await requireProvider(signer).getNetwork();
  return { name: "Inferium", version: "1", chainId, verifyingContract: addresses.registry };
}

/** The contract compares with the chain's clock, which can run ahead of ours, or stand still while no block is mined. */
export async function readExpiry(signer: Signer): Promise<number> {
  const block = await requireProvider(signer).getBlock("latest");
  return Math.max(block?.timestamp ?? 0, Math.floor(systemClock.now() / 1_000)) + consentSeconds;
}

function planApproval(addresses: ContractAddresses, spender: string, amountWei: bigint): PlannedTransaction {
  return plan("IFRToken", addresses.token, ["approve", [spender, amountWei], 100_000n]);
}

type Call = readonly [name: string, values: readonly unknown[], gasLimit: bigint];

function plan(contract: ContractName, to: string, [name, values, gasLimit]: Call): PlannedTransaction {
  const data = loadArtifact(contract).abi.encodeFunctionData(name, values);
  return { action: `${contract}.${name}`, to, data, gasLimit };
}

function send(writer: ChainWriter, planned: readonly PlannedTransaction[]): Promise<TransactionReceipt[]> {
  const options: SendOptions = { timeoutMs: writer.timeoutMs ?? 60_000 };
  return sendBatch(writer.signer, planned, options);
}
