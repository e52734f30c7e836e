/**
 * What settling costs on the chain, from real receipts on anvil (hardfork prague): gas per task by quorum and batch size,
 * beside one transaction for each task with the same quorum, in the same run. Steady state: the first transaction of each
 * kind, which writes fresh storage, is not counted.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AbiCoder, ContractFactory, keccak256, type Signer, Wallet } from "ethers";
import { silentLogger } from "../../src/base/log.ts";
import { bondNodes, depositFor, mintTokens } from "../../src/chain/bond.ts";
import { encodeSettle } from "../../src/chain/calls.ts";
import { buildCertificate } from "../../src/chain/certificate.ts";
import { type ChainClient, connectChain } from "../../src/chain/client.ts";
import { deployContracts } from "../../src/chain/deploy.ts";
import { oneToken } from "../../src/chain/deploy-parameters.ts";
import { hashHeader } from "../../src/chain/header.ts";
import { openProvider } from "../../src/chain/provider.ts";
import { sendBatch } from "../../src/chain/send-batch.ts";
import { startAnvil } from "../../src/embedded/chain/anvil.ts";
import { completeTaskLeaf, hashTaskLeaf } from "../../src/protocol/merkle.ts";
import { computeRewardSplit } from "../../src/protocol/reward.ts";
import { type Batch, computeBatch, type SettledTask, zeroHash } from "../../src/protocol/settlement.ts";
import { batchHeaderTypes, buildDomain } from "../../src/protocol/typed-data.ts";

const allQuorums = [
  { signers: 5, of: 7 },
  { signers: 11, of: 16 },
] as const;
const allSizes = [1, 16, 256, 1_024] as const;
const targets: Readonly<Record<string, number>> = {
  "5/7 256": 300,
  "5/7 1024": 75,
  "11/16 256": 400,
  "11/16 1024": 100,
};
/** Votes on one task that are paid. */
const paidVotes = 3;
const workerCount = 32;

interface BatchGas {
  readonly quorum: string;
  readonly size: number;
  readonly gasPerBatch: number;
  readonly gasPerTask: number;
  readonly target?: number;
  readonly met?: boolean;
}

export interface GasBench {
  readonly [key: string]: unknown;
  readonly batches: readonly BatchGas[];
  readonly onePerTask: readonly { readonly quorum: string; readonly gasPerTask: number }[];
}

interface Scope {
  readonly quorums: readonly { readonly signers: number; readonly of: number }[];
  readonly sizes: readonly number[];
}

/** @param scope all that there are targets for, and less in the test that it still runs */
export async function benchGas(
  { quorums, sizes }: Scope = { quorums: allQuorums, sizes: allSizes },
): Promise<GasBench> {
  const batches: BatchGas[] = [];
  const onePerTask: { quorum: string; gasPerTask: number }[] = [];
  for (const { signers, of } of quorums) {
    const quorum = `${signers}/${of}`;
    const scene = await openScene(signers, of);
    try {
      for (const size of sizes) {
        const gasPerBatch = await scene.settleBatch(size);
        const gasPerTask = Math.round((gasPerBatch / size) * 10) / 10;
        const target = targets[`${quorum} ${size}`];
        batches.push({
          quorum,
          size,
          gasPerBatch,
          gasPerTask,
          ...(target ? { target, met: gasPerTask <= target } : {}),
        });
      }
      onePerTask.push({ quorum, gasPerTask: await scene.settleOne() });
    } finally {
      await scene.close();
    }
  }
  return { batches, onePerTask, hardfork: "prague", unit: "gas" };
}

async function openScene(signers: number, of: number) {
  const dir = await mkdtemp(join(tmpdir(), "inferium-gas-"));
  const anvil = await startAnvil({ port: 0, dataDir: dir, logger: silentLogger });
  const provider = await openProvider({ rpcUrl: anvil.rpcUrl, timeoutMs: 10_000 });
  const deployer = new Wallet(anvil.accounts[0]?.privateKey ?? "", provider);
  const validators = Array.from({ length: of }, () => Wallet.createRandom());
  const addresses = await deployContracts({
    signer: deployer,
    parameters: { validators: validators.map(({ address }) => address) },
  });
  const client = await connectChain({ rpcUrl: anvil.rpcUrl, addresses, timeoutMs: 10_000 });
  const writer = { signer: deployer, addresses };
  const requester = Wallet.createRandom().address;
  await mintTokens(writer, [{ account: deployer.address, amountWei: 10_000_000n * oneToken }]);
  await bondNodes(
    writer,
    validators.map((node) => ({ node, role: "Validator", payout: node.address, amountWei: 50_000n * oneToken })),
  );
  await depositFor(writer, [{ account: requester, amountWei: 1_000_000n * oneToken }]);
  const workers = Array.from({ length: workerCount }, () => Wallet.createRandom().address);
  const payees = validators.slice(0, paidVotes).map(({ address }) => address);
  const tasks = createTasks({ requester, workers, payees });
  const settler = createSettler({ client, signer: deployer, certifiers: validators.slice(0, signers) });
  return {
    async settleBatch(size: number): Promise<number> {
      if (settler.isFirst) await settler.settle(tasks.take(1));
      return settler.settle(tasks.take(size));
    },
    async settleOne(): Promise<number> {
      const perTask = await deployPerTask(deployer, addresses.validatorSets);
      // Twice: only the second finds the accounts' slots written before.
      await settlePerTask({ client, perTask, signer: deployer, certifiers: validators.slice(0, signers) }, tasks.one());
      return settlePerTask(
        { client, perTask, signer: deployer, certifiers: validators.slice(0, signers) },
        tasks.one(),
      );
    },
    async close() {
      client.close();
      provider.destroy();
      await anvil.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

interface Parties {
  readonly requester: string;
  readonly workers: readonly string[];
  readonly payees: readonly string[];
}

function createTasks({ requester, workers, payees }: Parties) {
  let number = 0;
  const next = (worker: string): SettledTask => {
    number += 1;
    return {
      taskId: keccak256(`0x${number.toString(16).padStart(64, "0")}`),
      attempt: 1,
      receiptDigest: keccak256("0x01"),
      worker,
      workerPayee: worker,
      requester,
      rewardWei: oneToken,
      validatorPayees: payees,
    };
  };
  return {
    take: (count: number) => Array.from({ length: count }, (_, i) => next(workers[i % workers.length] ?? "")),
    one: () => next(workers[0] ?? ""),
  };
}

interface SettlerParts {
  readonly client: ChainClient;
  readonly signer: Signer;
  readonly certifiers: readonly { signTypedData: Wallet["signTypedData"]; readonly address: string }[];
}

function createSettler({ client, signer, certifiers }: SettlerParts) {
  let previous: Batch | undefined;
  return {
    get isFirst() {
      return previous === undefined;
    },
    async settle(tasks: readonly SettledTask[]): Promise<number> {
      const batch = computeBatch({
        sequence: (previous?.header.sequence ?? 0n) + 1n,
        previousHash: previous ? hashHeader(client.domain, previous.header) : zeroHash,
        epoch: 1n,
        createdAt: BigInt(Math.floor(Date.now() / 1_000)),
        previousBalances: previous?.balances ?? new Map(),
        previousSpent: previous?.spent ?? new Map(),
        tasks,
        treasury: `0x${"00".repeat(19)}fe`,
      });
      const signatures = new Map<string, string>();
      for (const one of certifiers) {
        signatures.set(
          one.address,
          await one.signTypedData(buildDomain(client.domain), batchHeaderTypes, { ...batch.header }),
        );
      }
      const certificate = buildCertificate(await client.validators(1n), signatures);
      previous = batch;
      const data = encodeSettle(batch.header, certificate);
      return send(signer, client.addresses.settlement, data);
    },
  };
}

async function deployPerTask(signer: Signer, validatorSets: string) {
  const path = new URL("../fixtures/PerTaskSettlement.json", import.meta.url);
  const { abi, bytecode } = JSON.parse(await readFile(path, "utf8"));
  const contract = await new ContractFactory(abi, bytecode, signer).deploy(validatorSets);
  await contract.waitForDeployment();
  return contract;
}

interface PerTaskParts extends SettlerParts {
  readonly perTask: Awaited<ReturnType<typeof deployPerTask>>;
}

async function settlePerTask(
  { client, perTask, signer, certifiers }: PerTaskParts,
  task: SettledTask,
): Promise<number> {
  const split = [...computeRewardSplit({ ...task, treasury: `0x${"00".repeat(19)}fe` })];
  const [payees, amounts] = [split.map(([account]) => account), split.map(([, wei]) => wei)];
  const digest = keccak256(
    AbiCoder.defaultAbiCoder().encode(["bytes32", "address[]", "uint256[]"], [hashTaskLeaf(task), payees, amounts]),
  );
  const members = await client.validators(1n);
  const signatures = new Map(
    certifiers.map((one) => [one.address, (one as unknown as Wallet).signingKey.sign(digest).serialized]),
  );
  const { bitmap, signatures: bytes } = buildCertificate(members, signatures);
  const leaf = completeTaskLeaf(task);
  const data = perTask.interface.encodeFunctionData("settle", [leaf, payees, amounts, 1n, bitmap, bytes]);
  return send(signer, await perTask.getAddress(), data);
}

async function send(signer: Signer, to: string, data: string): Promise<number> {
  const planned = { action: "Settling", to, data, gasLimit: 5_000_000n };
  const [receipt] = await sendBatch(signer, [planned], { timeoutMs: 30_000 });
  return Number(receipt?.gasUsed ?? 0n);
}
