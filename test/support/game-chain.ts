/**
 * The contracts of the dispute game on a local chain, with a bonded worker and a challenger that can pay its bonds. The tile's key is for
 * development (tile-keys.ts).
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Contract, ContractFactory, type ContractRunner, type HDNodeWallet, Wallet } from "ethers";
import { digestToBytes32, sha256 } from "../../src/base/digest.ts";
import { type ContractName, loadArtifact } from "../../src/chain/artifacts.ts";
import { mintTokens } from "../../src/chain/bond.ts";
import { oneToken } from "../../src/chain/deploy-parameters.ts";
import { InferenceGameClient } from "../../src/chain/inference-game.ts";
import { digestTensors } from "../../src/protocol/tensors/canonical.ts";
import type { NamedTensors } from "../../src/protocol/tensors/tensor.ts";
import { buildDomain, type ReceiptMessage, receiptTypes } from "../../src/protocol/typed-data.ts";
import { type GameModel, registrationOf } from "../../src/zk/game/game-model.ts";
import { createTileProver, type ProveTile } from "../../src/zk/game/prove-tile.ts";
import { ProofArtifactStore } from "../../src/zk/proving/artifact-store.ts";
import { verifyingKeyWords } from "../../src/zk/proving/groth16.ts";
import { developmentPowersOfTau } from "../../src/zk/proving/powers-of-tau.ts";
import { createSnarkjsBackend } from "../../src/zk/proving/snarkjs-backend.ts";
import { type ChainFixture, startChain } from "../integration/chain/chain-fixture.ts";
import { makeTileKeys } from "./tile-keys.ts";

export const moveSeconds = 3_600;
export const gameBond = 500n * oneToken;

export interface GameFixture {
  readonly chain: ChainFixture;
  readonly address: string;
  readonly worker: HDNodeWallet;
  readonly proveTile: ProveTile;
  readonly constraintCount: number;
  register(model: GameModel): Promise<bigint>;
  /** Signed by the worker. */
  sign(model: GameModel, input: NamedTensors, output: NamedTensors): Promise<SignedReceipt>;
  defender(): InferenceGameClient;
  challenger(): InferenceGameClient;
  /** Past the deadline of any move. */
  warp(): Promise<void>;
  stop(): Promise<void>;
}

export interface SignedReceipt {
  readonly receipt: ReceiptMessage;
  readonly workerSignature: string;
}

export async function startGame(): Promise<GameFixture> {
  const chain = await startChain();
  const dir = await mkdtemp(join(tmpdir(), "inferium-game-"));
  const store = new ProofArtifactStore(dir);
  const backend = createSnarkjsBackend({ timeoutMs: 300_000 });
  const { verifyingKey, provingKeyDigest, r1csDigest, constraintCount } = await makeTileKeys(store, backend);
  const { signer } = chain.admin;
  const { token, settlement, registry } = chain.addresses;
  const models = await create("GameModels", [signer.address], signer);
  const setup = {
    r1csDigest: digestToBytes32(r1csDigest),
    powersOfTau: digestToBytes32(developmentPowersOfTau.digest),
    ceremonyDigest: digestToBytes32(sha256("a test")),
    isDevelopment: true,
  };
  const verifier = await create("TileVerifier", [verifyingKeyWords(verifyingKey), setup, true], signer);
  const parameters = { bond: gameBond, moveSeconds, workerBps: 1_000, defenderBps: 3_000 };
  const game = await create(
    "InferenceGame",
    [token, settlement, registry, models.target, verifier.target, signer.address, parameters],
    signer,
  );
  const address = String(game.target);
  const nodes = new Contract(registry, loadArtifact("NodeRegistry").abi, signer);
  await (await nodes.getFunction("grantRole")(await nodes.getFunction("SLASHER_ROLE")(), address)).wait();
  const challengerKey = new Wallet(chain.settlerKey.privateKey, chain.provider);
  await mintTokens(chain.admin, [{ account: challengerKey.address, amountWei: 100_000n * oneToken }]);
  const erc20 = new Contract(token, loadArtifact("IFRToken").abi, challengerKey);
  await (await erc20.getFunction("approve")(address, 100_000n * oneToken)).wait();
  const worker = chain.workers[0]!.connect(chain.provider);
  await chain.provider.send("anvil_setBalance", [worker.address, "0x56bc75e2d63100000"]);
  let attempts = 0;
  const client = (key: InferenceGameClientSigner) =>
    new InferenceGameClient({ signer: key, address, timeoutMs: 30_000 });
  return {
    chain,
    address,
    worker,
    proveTile: createTileProver({ store, backend, provingKeyDigest }),
    constraintCount,
    register: async (model) => {
      const sent = await models.getFunction("register")(digestToBytes32(model.modelDigest), registrationOf(model));
      return (await sent.wait())?.gasUsed ?? 0n;
    },
    sign: async (model, input, output) => {
      attempts += 1;
      const receipt = aReceipt(worker.address, model, { input, output, attempt: attempts });
      const workerSignature = await worker.signTypedData(buildDomain(chain.client.domain), receiptTypes, receipt);
      return { receipt, workerSignature };
    },
    defender: () => client(worker),
    challenger: () => client(challengerKey),
    warp: async () => {
      await chain.provider.send("evm_increaseTime", [moveSeconds + 60]);
      await chain.provider.send("evm_mine", []);
    },
    stop: async () => {
      await backend.close();
      await rm(dir, { recursive: true, force: true });
      await chain.stop();
    },
  };
}

type InferenceGameClientSigner = ConstructorParameters<typeof InferenceGameClient>[0]["signer"];

function aReceipt(
  worker: string,
  model: GameModel,
  { input, output, attempt }: { input: NamedTensors; output: NamedTensors; attempt: number },
): ReceiptMessage {
  const zero = `0x${"00".repeat(32)}`;
  return {
    taskId: `0x${"77".repeat(32)}`,
    attempt,
    worker,
    modelDigest: digestToBytes32(model.modelDigest),
    imageDigest: zero,
    codeDigest: zero,
    inputDigest: digestToBytes32(digestTensors(input)),
    outputDigest: digestToBytes32(digestTensors(output)),
    runtime: "test",
    startedAtMs: 1,
    endedAtMs: 2,
  };
}

async function create(name: ContractName, values: readonly unknown[], runner: ContractRunner) {
  const { abi, bytecode } = loadArtifact(name);
  const contract = await new ContractFactory(abi, bytecode, runner).deploy(...values);
  await contract.waitForDeployment();
  return contract;
}
