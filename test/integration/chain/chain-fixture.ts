/** A fresh local chain with all contracts, seven bonded validators, two bonded workers and a deposit. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BaseWallet, type HDNodeWallet, type JsonRpcProvider, toBeHex, Wallet } from "ethers";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import type { ContractAddresses } from "../../../src/chain/addresses.ts";
import { bondNodes, type ChainWriter, depositFor, mintTokens } from "../../../src/chain/bond.ts";
import { buildCertificate, type Certificate } from "../../../src/chain/certificate.ts";
import { type ChainClient, connectChain } from "../../../src/chain/client.ts";
import { deployContracts } from "../../../src/chain/deploy.ts";
import { type DeployParameters, oneToken } from "../../../src/chain/deploy-parameters.ts";
import { hashHeader } from "../../../src/chain/header.ts";
import type { JournalEntry, JournalStore } from "../../../src/chain/journal.ts";
import { openProvider } from "../../../src/chain/provider.ts";
import { openSettler, type Settler, type SettlerOptions } from "../../../src/chain/settler.ts";
import { startAnvil } from "../../../src/embedded/chain/anvil.ts";
import { type Batch, computeBatch, type SettledTask, zeroHash } from "../../../src/protocol/settlement.ts";
import { type BatchHeaderMessage, batchHeaderTypes, buildDomain } from "../../../src/protocol/typed-data.ts";

export interface ChainFixture {
  readonly rpcUrl: string;
  readonly anvilPid: number;
  readonly provider: JsonRpcProvider;
  readonly client: ChainClient;
  readonly addresses: ContractAddresses;
  /** Deployer, admin and owner of all bonds. */
  readonly admin: ChainWriter & { readonly signer: BaseWallet };
  /** Another funded account, for the settler. */
  readonly settlerKey: BaseWallet;
  readonly validators: readonly HDNodeWallet[];
  readonly workers: readonly HDNodeWallet[];
  readonly requester: HDNodeWallet;
  stop(): Promise<void>;
}

export const treasury = `0x${"00".repeat(19)}fe`;

export interface ChainSetup {
  readonly parameters?: Partial<DeployParameters>;
  /** Every node bonds itself, as different owners do, and has ether. */
  readonly ownBonds?: boolean;
  /** Blocks also without transactions. */
  readonly blockSeconds?: number;
}

export async function startChain(setup: ChainSetup = {}): Promise<ChainFixture> {
  const dataDir = await mkdtemp(join(tmpdir(), "inferium-chain-"));
  const { blockSeconds } = setup;
  const ticking = blockSeconds === undefined ? {} : { blockSeconds };
  const anvil = await startAnvil({ port: 0, dataDir, logger: silentLogger, ...ticking });
  const provider = await openProvider({ rpcUrl: anvil.rpcUrl, timeoutMs: 10_000 });
  const wallet = (index: number) => new Wallet(anvil.accounts[index]!.privateKey, provider);
  const validators = Array.from({ length: 7 }, () => Wallet.createRandom());
  const workers = Array.from({ length: 2 }, () => Wallet.createRandom());
  const signer = wallet(0);
  // A window of no length: what is settled is final at once, and can be claimed.
  const parameters = { challengeSeconds: 0, ...setup.parameters, validators: validators.map((v) => v.address) };
  const addresses = await deployContracts({ signer, parameters });
  const client = await connectChain({ rpcUrl: anvil.rpcUrl, addresses, timeoutMs: 10_000 });
  const stop = async () => {
    client.close();
    provider.destroy();
    await anvil.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  const requester = Wallet.createRandom();
  const admin = { signer, addresses };
  await mintTokens(admin, [{ account: signer.address, amountWei: 1_000_000n * oneToken }]);
  const bonds = [
    ...validators.map((node) => ({
      node,
      role: "Validator" as const,
      payout: node.address,
      amountWei: 50_000n * oneToken,
    })),
    ...workers.map((node) => ({ node, role: "Worker" as const, payout: node.address, amountWei: 10_000n * oneToken })),
  ];
  if (setup.ownBonds === true) await bondThemselves(admin, provider, bonds);
  else await bondNodes(admin, bonds);
  await depositFor(admin, [{ account: requester.address, amountWei: 1_000n * oneToken }]);
  const rest = { admin, settlerKey: wallet(1), validators, workers, requester, stop };
  return { rpcUrl: anvil.rpcUrl, anvilPid: anvil.pid, provider, client, addresses, ...rest };
}

type NodeBond = {
  readonly node: HDNodeWallet;
  readonly role: "Worker" | "Validator";
  payout: string;
  amountWei: bigint;
};

async function bondThemselves(admin: ChainWriter, provider: JsonRpcProvider, bonds: readonly NodeBond[]) {
  const { addresses } = admin;
  await mintTokens(
    admin,
    bonds.map(({ node, amountWei }) => ({ account: node.address, amountWei })),
  );
  for (const bond of bonds) {
    await provider.send("anvil_setBalance", [bond.node.address, toBeHex(10n ** 19n)]);
    await bondNodes({ signer: bond.node.connect(provider), addresses }, [bond]);
  }
}

export function aTask(chain: ChainFixture, number: number, rewardWei = oneToken): SettledTask {
  const worker = chain.workers[0]!.address;
  return {
    taskId: `0x${number.toString(16).padStart(64, "0")}`,
    attempt: 1,
    receiptDigest: `0x${"ab".repeat(32)}`,
    worker,
    workerPayee: worker,
    requester: chain.requester.address,
    rewardWei,
    validatorPayees: chain.validators.slice(0, 3).map((validator) => validator.address),
  };
}

export interface BatchOptions {
  readonly tasks: readonly SettledTask[];
  readonly previous?: Batch;
}

/** The batch after `previous`, or the first. */
export function aBatch(chain: ChainFixture, { tasks, previous }: BatchOptions): Batch {
  return computeBatch({
    sequence: (previous?.header.sequence ?? 0n) + 1n,
    previousHash: previous === undefined ? zeroHash : hashHeader(chain.client.domain, previous.header),
    epoch: 1n,
    createdAt: 1_800_000_000n,
    previousBalances: previous?.balances ?? new Map(),
    previousSpent: previous?.spent ?? new Map(),
    tasks,
    treasury,
  });
}

export async function certify(chain: ChainFixture, header: BatchHeaderMessage, signers = 5): Promise<Certificate> {
  const signatures = new Map<string, string>();
  for (const validator of chain.validators.slice(0, signers)) {
    const signature = await validator.signTypedData(buildDomain(chain.client.domain), batchHeaderTypes, header);
    signatures.set(validator.address, signature);
  }
  return buildCertificate(await chain.client.validators(header.epoch), signatures);
}

/** A journal in memory, which outlives the settlers that a test opens on it. */
export function memoryJournal(): JournalStore & { readonly entries: Map<string, JournalEntry> } {
  const entries = new Map<string, JournalEntry>();
  return {
    entries,
    load: async () => [...entries.values()],
    save: async (entry) => void entries.set(entry.id, entry),
  };
}

export function aSettler(chain: ChainFixture, overrides: Partial<SettlerOptions> = {}): Promise<Settler> {
  return openSettler({
    client: chain.client,
    signer: chain.settlerKey,
    store: memoryJournal(),
    logger: silentLogger,
    confirmations: 1,
    timeoutMs: 10_000,
    clock: systemClock,
    ...overrides,
  });
}
