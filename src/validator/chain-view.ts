/**
 * What a validator asks the chain before it signs a batch, so that neither the operator's word nor a gap in its own record
 * has to be trusted. Connects when it is first asked: a validator may start before its chain, and votes without it.
 */
import { readFile } from "node:fs/promises";
import { getAddress } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { type ContractAddresses, contractOf } from "../chain/addresses.ts";
import { type ChainClient, connectChain } from "../chain/client.ts";
import { readHeaderHash } from "../chain/settled-headers.ts";
import type { ProtocolDomain } from "../protocol/typed-data.ts";
import type { ChainView } from "./certify/certify-duty.ts";

export interface ChainConfig {
  readonly rpcUrl: string;
  /** JSON file with the contracts' addresses by name. */
  readonly addressesFile: string;
}

export interface OpenChainView extends Required<ChainView> {
  close(): Promise<void>;
}

const callTimeoutMs = 10_000;

/** The reads throw InferiumError RpcUnavailable and RpcFailed (retry), WrongChain, FileUnreadable. */
export function openChainView(config: ChainConfig, domain: ProtocolDomain): OpenChainView {
  let connection: Promise<ChainClient> | undefined;
  const connect = (): Promise<ChainClient> => {
    connection ??= connectToPoolChain(config, domain).catch((error: unknown) => {
      connection = undefined;
      throw error;
    });
    return connection;
  };
  return {
    async readHead() {
      const client = await connect();
      const { sequence, headerHash } = await client.lastBatch();
      return { sequence, headerHash };
    },
    readHeaderHash: async (sequence) => readHeaderHash(await connect(), sequence, 0),
    readSpendable: async (requester) => (await connect()).spendable(requester),
    readValidators: async (epoch) => (await (await connect()).validators(epoch)).map((address) => getAddress(address)),
    readAgent: async (agentId) => (await connect()).agent(agentId),
    readModelRegistry: async () => getAddress((await connect()).addresses.modelRegistry),
    readCircuit: async (modelDigest, rows) => (await connect()).circuit(modelDigest, rows),
    readPayouts: async (nodes) => (await connect()).payouts(nodes),
    async close() {
      (await connection?.catch(() => undefined))?.close();
    },
  };
}

/** @throws InferiumError RpcUnavailable (retry), WrongChain, FileUnreadable */
export async function connectToPoolChain(
  { rpcUrl, addressesFile }: ChainConfig,
  domain: ProtocolDomain,
): Promise<ChainClient> {
  const addresses = await readAddresses(addressesFile);
  const client = await connectChain({ rpcUrl, addresses, timeoutMs: callTimeoutMs });
  if (client.chainId === domain.chainId && getAddress(addresses.settlement) === getAddress(domain.settlement))
    return client;
  client.close();
  const got = `chain ${client.chainId}, settlement ${addresses.settlement}`;
  throw new InferiumError(
    "WrongChain",
    `The chain configured is ${got}; the pool settles on ${domain.chainId}, ${domain.settlement}.`,
  );
}

async function readAddresses(path: string): Promise<ContractAddresses> {
  try {
    const value = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    for (const name of Object.keys(contractOf)) getAddress(String(value[name]));
    return value as unknown as ContractAddresses;
  } catch (cause) {
    const message = `${path} does not hold the contracts' addresses (${Object.keys(contractOf).join(", ")}).`;
    throw new InferiumError("FileUnreadable", message, { cause });
  }
}
