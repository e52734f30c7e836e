/**
 * A key that lives elsewhere: behind a JSON-RPC endpoint that speaks eth_accounts, eth_signTransaction and
 * eth_signTypedData, as web3signer, clef and nodes do. What comes back is checked to be what was asked for, so that a signer
 * that is wrong or taken over cannot make the settler send something else.
 */
import {
  AbstractSigner,
  FetchRequest,
  getAddress,
  type Provider,
  type Signer,
  Transaction,
  type TransactionRequest,
  type TypedDataDomain,
  TypedDataEncoder,
  type TypedDataField,
  toQuantity,
} from "ethers";
import { InferiumError } from "../base/errors.ts";
import { describeRpcError } from "./revert.ts";

export interface RemoteSignerOptions {
  readonly url: string;
  /** Which of its accounts; may be left out where it has one. */
  readonly address?: string | undefined;
  readonly timeoutMs?: number;
}

/** @throws InferiumError SignerUnavailable, SignerAccount */
export async function openRemoteSigner(options: RemoteSignerOptions, provider: Provider | null): Promise<Signer> {
  const accounts = ((await call(options, "eth_accounts", [])) as string[]).map((account) => getAddress(account));
  const wanted = options.address === undefined ? undefined : getAddress(options.address);
  const address = wanted ?? (accounts.length === 1 ? accounts[0] : undefined);
  if (address !== undefined && accounts.includes(address)) return new RemoteSigner(options, address, provider);
  const has = accounts.length === 0 ? "no account" : accounts.join(", ");
  const what = wanted === undefined ? "Name one of them." : `${wanted} is not among them.`;
  throw new InferiumError("SignerAccount", `The remote signer has ${has}. ${what}`, { disposition: "fatal" });
}

class RemoteSigner extends AbstractSigner {
  readonly #options: RemoteSignerOptions;
  readonly #address: string;

  constructor(options: RemoteSignerOptions, address: string, provider: Provider | null) {
    super(provider);
    this.#options = options;
    this.#address = address;
  }

  async getAddress(): Promise<string> {
    return this.#address;
  }

  override connect(provider: Provider | null): Signer {
    return new RemoteSigner(this.#options, this.#address, provider);
  }

  async signTransaction(request: TransactionRequest): Promise<string> {
    const { from: _, ...fields } = request;
    const wanted = Transaction.from({ ...fields, type: 2 } as Parameters<typeof Transaction.from>[0]);
    const answer = await call(this.#options, "eth_signTransaction", [toRpc(wanted, this.#address)]);
    const raw = typeof answer === "string" ? answer : (answer as { raw?: string } | null)?.raw;
    if (typeof raw !== "string") throw refused("answered without a signed transaction");
    const signed = parse(raw);
    if (signed.from !== this.#address) throw refused(`signed as ${signed.from ?? "nobody"}, not as ${this.#address}`);
    if (signed.unsignedHash !== wanted.unsignedHash) throw refused("signed another transaction than it was asked for");
    return raw;
  }

  async signMessage(): Promise<string> {
    throw new InferiumError("SignerRefused", "The remote signer is asked for transactions and typed data only.");
  }

  async signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<string> {
    const payload = TypedDataEncoder.getPayload(domain, types, value);
    return (await call(this.#options, "eth_signTypedData", [this.#address, payload])) as string;
  }
}

function parse(raw: string): Transaction {
  try {
    return Transaction.from(raw);
  } catch (cause) {
    throw new InferiumError("SignerRefused", "The remote signer's answer is no transaction.", { cause });
  }
}

function toRpc(transaction: Transaction, from: string): Record<string, unknown> {
  const { to, data, nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas, value, chainId } = transaction;
  return {
    from,
    ...(to === null ? {} : { to }),
    data,
    nonce: toQuantity(nonce),
    gas: toQuantity(gasLimit),
    maxFeePerGas: toQuantity(maxFeePerGas ?? 0n),
    maxPriorityFeePerGas: toQuantity(maxPriorityFeePerGas ?? 0n),
    value: toQuantity(value),
    chainId: toQuantity(chainId),
  };
}

async function call({ url, timeoutMs }: RemoteSignerOptions, method: string, params: unknown[]): Promise<unknown> {
  const request = new FetchRequest(url);
  request.timeout = timeoutMs ?? 10_000;
  request.body = { jsonrpc: "2.0", id: 1, method, params };
  let body: { result?: unknown; error?: { message?: string } };
  try {
    const response = await request.send();
    response.assertOk();
    body = response.bodyJson as typeof body;
  } catch (error) {
    const message = `The remote signer did not answer ${method}: ${describeRpcError(error)}.`;
    throw new InferiumError("SignerUnavailable", message, { disposition: "retry" });
  }
  if (body.error !== undefined) throw refused(`refused ${method}: ${body.error.message ?? "no reason given"}`);
  return body.result;
}

function refused(what: string): InferiumError {
  return new InferiumError("SignerRefused", `The remote signer ${what}. Nothing was sent.`);
}
