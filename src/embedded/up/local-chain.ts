/**
 * The local chain of an embedded run, ready to settle: contracts deployed, every member bonded by the whitepaper's
 * amounts, the requester's deposit in escrow. Labelled a development chain wherever it shows.
 */
import type { Logger } from "../../base/log.ts";
import type { ContractAddresses } from "../../chain/addresses.ts";
import { bondNodes, type ChainWriter, depositFor, mintTokens } from "../../chain/bond.ts";
import { type ChainClient, connectChain } from "../../chain/client.ts";
import { deployContracts } from "../../chain/deploy.ts";
import { defaultDeployParameters } from "../../chain/deploy-parameters.ts";
import { openProvider } from "../../chain/provider.ts";
import { parseIfr } from "../../protocol/amount.ts";
import { startAnvil } from "../chain/anvil.ts";
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
/** Days on a chain that holds real money; a trial is over before. */
const quickParameters = {
  challengeSeconds: 1,
  withdrawalSeconds: 10,
  jurySize: 2,
  juryCommitSeconds: 5,
  juryRevealSeconds: 5,
  vetoSeconds: 1,
} as const;

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
    const addresses = await deployContracts({ signer, parameters: { ...quickParameters, validators } });
    const writer: ChainWriter = { signer, addresses };
    await fund(writer, accounts, members);
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

async function fund(writer: ChainWriter, accounts: Accounts, members: readonly Member[]): Promise<void> {
  const { workerBondWei, validatorBondWei } = defaultDeployParameters;
  const bonds = members.map((member) => ({
    node: member.key,
    role: member.role,
    payout: member.owner,
    amountWei: member.role === "Worker" ? workerBondWei : validatorBondWei,
  }));
  const deposit = parseIfr("100000");
  const total = bonds.reduce((sum, bond) => sum + bond.amountWei, deposit);
  await mintTokens(writer, [{ account: accounts.deployer.address, amountWei: total }]);
  await bondNodes(writer, bonds);
  await depositFor(writer, [{ account: accounts.requester.address, amountWei: deposit }]);
}
