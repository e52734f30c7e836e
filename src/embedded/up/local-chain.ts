/**
 * The local chain of an embedded run, ready to settle: contracts deployed, every member bonded by its owner with the
 * whitepaper's amounts, the requester's deposit in escrow, ether for whoever sends transactions. Labelled a development chain
 * wherever it shows.
 */
import type { JsonRpcProvider } from "ethers";
import type { Logger } from "../../base/log.ts";
import type { ContractAddresses } from "../../chain/addresses.ts";
import { bondNodes, type ChainWriter, depositFor, mintTokens } from "../../chain/bond.ts";
import { type ChainClient, connectChain } from "../../chain/client.ts";
import { deployContracts } from "../../chain/deploy.ts";
import { defaultDeployParameters } from "../../chain/deploy-parameters.ts";
import { openProvider } from "../../chain/provider.ts";
import { parseIfr } from "../../protocol/amount.ts";
import { startAnvil } from "../chain/anvil.ts";
import { giveEther } from "../chain/give-ether.ts";
import { trialParameters } from "../chain/trial-parameters.ts";
import { type Accounts, createAccounts, type Member } from "./members.ts";

export interface LocalChain {
  readonly rpcUrl: string;
  readonly addresses: ContractAddresses;
  readonly accounts: Accounts;
  readonly client: ChainClient;
  /** Signs as the deployer; claims for everybody at the end. */
  readonly writer: ChainWriter;
  stop(): Promise<void>;
}

/** Validators are drawn from a block that comes after the receipts: it should not be long in coming. */
const blockSeconds = 0.25;

export async function startLocalChain(
  dataDir: string,
  members: readonly Member[],
  logger: Logger,
): Promise<LocalChain> {
  const anvil = await startAnvil({ port: 0, dataDir, logger, blockSeconds });
  try {
    const accounts = createAccounts(anvil.accounts);
    const validators = members.filter((member) => member.role === "Validator").map((member) => member.key.address);
    const provider = await openProvider({ rpcUrl: anvil.rpcUrl, timeoutMs: 10_000 });
    const signer = accounts.deployer.connect(provider);
    const addresses = await deployContracts({ signer, parameters: { ...trialParameters, validators } });
    const writer: ChainWriter = { signer, addresses };
    await fund(provider, writer, { accounts, members });
    const client = await connectChain({ rpcUrl: anvil.rpcUrl, addresses, timeoutMs: 10_000 });
    return {
      rpcUrl: anvil.rpcUrl,
      addresses,
      accounts,
      client,
      writer,
      async stop() {
        client.close();
        provider.destroy();
        await anvil.stop();
      },
    };
  } catch (error) {
    await anvil.stop();
    throw error;
  }
}

interface Funded {
  readonly accounts: Accounts;
  readonly members: readonly Member[];
}

async function fund(provider: JsonRpcProvider, writer: ChainWriter, { accounts, members }: Funded): Promise<void> {
  const { workerBondWei, validatorBondWei, disputeBondWei } = defaultDeployParameters;
  const bondOf = ({ role }: Member) => (role === "Worker" ? workerBondWei : validatorBondWei);
  const deposit = parseIfr("100000");
  const watcher = members.find(({ role, honest }) => role === "Validator" && honest);
  await Promise.all([
    giveEther(provider, [...members.map(({ owner }) => owner), ...members.map(({ key }) => key.address)]),
    mintTokens(writer, [
      { account: accounts.deployer.address, amountWei: deposit },
      ...members.map((member) => ({ account: member.owner, amountWei: bondOf(member) })),
      ...(watcher ? [{ account: watcher.key.address, amountWei: disputeBondWei }] : []),
    ]),
  ]);
  await Promise.all([
    depositFor(writer, [{ account: accounts.requester.address, amountWei: deposit }]),
    ...members.map((member) => bondMember(writer, member, bondOf(member))),
  ]);
}

/** Its owner bonds it, so that members of different owners are that on the chain as well. */
export async function bondMember(
  { signer, addresses }: ChainWriter,
  { key, role, owner, ownerKey }: Member,
  amountWei: bigint,
): Promise<void> {
  await bondNodes({ signer: ownerKey.connect(signer.provider), addresses }, [
    { node: key, role, payout: owner, amountWei },
  ]);
}
