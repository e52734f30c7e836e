/**
 * What checking a proof costs on the chain: ModelRegistry and ZkVerifier on anvil, each proof verified in a transaction of its own. The
 * figure is the call's gas, without the 21,000 and the bytes that any transaction pays for.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Contract, ContractFactory, getBytes, type JsonRpcProvider, keccak256, toUtf8Bytes, Wallet } from "ethers";
import type { Digest } from "../../../src/base/digest.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { openProvider } from "../../../src/chain/provider.ts";
import { startAnvil } from "../../../src/embedded/chain/anvil.ts";
import {
  type Groth16Proof,
  proofWords,
  type VerifyingKey,
  verifyingKeyWords,
} from "../../../src/zk/proving/groth16.ts";
import { computeTaskSignal } from "../../../src/zk/statement.ts";

export interface ProvenOnChain {
  readonly modelDigest: Digest;
  readonly rows: number;
  readonly key: VerifyingKey;
  readonly proof: Groth16Proof;
  readonly signals: readonly bigint[];
}

export interface VerifierChain {
  /** Signal of the task that every proof is for. */
  readonly taskSignal: bigint;
  /** @throws where the chain refuses the proof */
  measureGas(proven: ProvenOnChain): Promise<number>;
  close(): Promise<void>;
}

const transactionGas = 21_000;
const taskId = keccak256(toUtf8Bytes("task"));
const attempt = 1;

export async function openVerifierChain(): Promise<VerifierChain> {
  const dir = await mkdtemp(join(tmpdir(), "inferium-zk-chain-"));
  const anvil = await startAnvil({ port: 0, dataDir: dir, logger: silentLogger });
  const provider = await openProvider({ rpcUrl: anvil.rpcUrl, timeoutMs: 30_000 });
  const signer = new Wallet(anvil.accounts[0]?.privateKey ?? "", provider);
  const registry = await deploy("ModelRegistry", [signer.address, true], signer);
  const verifier = await deploy("ZkVerifier", [await registry.getAddress()], signer);
  const task = {
    chainId: BigInt(anvil.chainId),
    registry: await registry.getAddress(),
    taskId,
    worker: signer.address,
    attempt,
  };
  return {
    taskSignal: computeTaskSignal(task),
    async measureGas(proven) {
      await register(registry, proven);
      return verify(verifier, proven, signer.address);
    },
    async close() {
      (provider as JsonRpcProvider).destroy();
      await anvil.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function deploy(name: string, args: readonly unknown[], signer: Wallet): Promise<Contract> {
  const path = new URL(`../../../contracts/artifacts/${name}.json`, import.meta.url);
  const { abi, bytecode } = JSON.parse(await readFile(path, "utf8"));
  const deployed = await new ContractFactory(abi, bytecode, signer).deploy(...args);
  await deployed.waitForDeployment();
  return new Contract(await deployed.getAddress(), abi, signer);
}

async function register(registry: Contract, { modelDigest, rows, key }: ProvenOnChain): Promise<void> {
  const word = keccak256("0x01");
  const circuit = [word, word, word, true, `0x${"00".repeat(20)}`];
  const sent = await registry
    .getFunction("register")
    .send(toBytes32(modelDigest), rows, circuit, verifyingKeyWords(key));
  await sent.wait();
}

async function verify(verifier: Contract, { modelDigest, rows, proof, signals }: ProvenOnChain, worker: string) {
  const statement = [taskId, attempt, worker, toBytes32(modelDigest), rows, signals[0], signals[1]];
  const sent = await verifier.getFunction("verify").send(statement, proofWords(proof));
  const receipt = await sent.wait();
  const bytes = getBytes(sent.data);
  const zeros = bytes.filter((byte) => byte === 0).length;
  return Number(receipt?.gasUsed ?? 0n) - transactionGas - 4 * zeros - 16 * (bytes.length - zeros);
}

function toBytes32(digest: Digest): string {
  return `0x${digest.slice("sha256:".length)}`;
}
