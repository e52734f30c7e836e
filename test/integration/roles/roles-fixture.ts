/** Workers and validators of this process, joined to a memory pool over real TLS, with the real MNIST model and images. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Wallet } from "ethers";
import type { Clock } from "../../../src/base/clock.ts";
import { sha256 } from "../../../src/base/digest.ts";
import { createLogger, type Logger } from "../../../src/base/log.ts";
import { cutBatches, loadMnist, type MnistBatch } from "../../../src/embedded/demo/data/mnist.ts";
import { createExecutor, type Executor } from "../../../src/inference/execute.ts";
import type { SignedOrder } from "../../../src/pool/batch-evidence.ts";
import { createSigner } from "../../../src/pool/signer.ts";
import { zeroHash } from "../../../src/protocol/settlement.ts";
import { orderTypes } from "../../../src/protocol/typed-data.ts";
import { readValidatorConfig } from "../../../src/validator/config.ts";
import { runValidator, type ValidatorDependencies } from "../../../src/validator/run-validator.ts";
import { readWorkerConfig } from "../../../src/worker/config.ts";
import { runWorker } from "../../../src/worker/run-worker.ts";
import { aServer, domain, onCleanup } from "../pool/pool-fixture.ts";
import { createMemoryPool, type MemoryPool } from "./memory-pool.ts";

export const treasury = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
export const requesterWallet = Wallet.createRandom();
export const tokens = (count: number) => BigInt(count) * 10n ** 18n;

/** Set TEST_LOG to see what the roles say. */
export function aLogger(who: string): Logger {
  const quiet = { write: () => undefined };
  return createLogger(process.env.TEST_LOG === undefined ? quiet : { level: "debug", fields: { who } });
}

export interface Scene {
  readonly folder: string;
  readonly pool: MemoryPool;
  readonly validatorKeys: readonly Wallet[];
  readonly model: { readonly uri: string; readonly digest: string };
  readonly url: string;
  readonly caFile: string;
}

export interface Member {
  readonly account: string;
  stop(): Promise<void>;
}

/** A pool with its server and three known validators, none of them running. */
export async function aScene(): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "inferium-roles-"));
  onCleanup(() => rm(folder, { recursive: true, force: true }));
  const validatorKeys = [1, 2, 3].map(() => new Wallet(Wallet.createRandom().privateKey));
  const pool = createMemoryPool({ domain, treasury, validators: validatorKeys.map((key) => key.address) });
  const server = await aServer(pool.backend);
  const caFile = join(folder, "ca.crt");
  await writeFile(caFile, server.caPem);
  const modelPath = join(import.meta.dirname, "../../../src/embedded/demo/models/mnist-int8.onnx");
  const modelFile = join(folder, "mnist.onnx");
  await writeFile(modelFile, await readFile(modelPath));
  const model = { uri: pathToFileURL(modelFile).href, digest: sha256(await readFile(modelPath)) };
  return { folder, pool, validatorKeys, model, url: server.url, caFile };
}

/** Images of the test set as a file that tasks can name. */
export async function anInput(
  scene: Scene,
  index = 0,
  count = 100,
): Promise<{ uri: string; digest: string; batch: MnistBatch }> {
  const batch = cutBatches(await loadMnist("test"), count)[index];
  if (batch === undefined) throw new Error(`there is no batch ${index}`);
  const path = join(scene.folder, `images-${index}-${count}.safetensors`);
  await writeFile(path, batch.file);
  return { uri: pathToFileURL(path).href, digest: sha256(batch.file), batch };
}

export async function anOrder(overrides: Partial<SignedOrder["message"]> = {}): Promise<SignedOrder> {
  const message = {
    requester: requesterWallet.address,
    pool: "test-pool",
    maxPerTaskWei: tokens(10).toString(),
    maxTotalWei: tokens(1000).toString(),
    modelsRoot: zeroHash,
    expiresAt: Math.floor(Date.now() / 1_000) + 3_600,
    nonce: "1",
    ...overrides,
  };
  const signer = createSigner(requesterWallet.privateKey);
  return { message, signature: await signer.signTypedData(domain, orderTypes, message) };
}

async function memberVariables(scene: Scene, key: { privateKey: string; address: string }) {
  const home = join(scene.folder, key.address);
  await mkdir(home, { recursive: true });
  await writeFile(join(home, "key"), key.privateKey, { mode: 0o600 });
  return {
    INFERIUM_POOL_URL: scene.url,
    INFERIUM_POOL_CA_FILE: scene.caFile,
    INFERIUM_POOL_NAME: "test-pool",
    INFERIUM_KEY_FILE: join(home, "key"),
    INFERIUM_CACHE_DIR: join(home, "cache"),
    INFERIUM_STATE_DIR: join(home, "state"),
    INFERIUM_ALLOWED_FILE_ROOTS: scene.folder,
    INFERIUM_CLAIM_WAIT_MS: "1000",
    INFERIUM_HEARTBEAT_MS: "100",
    INFERIUM_TREASURY: treasury,
  };
}

export interface WorkerOptions {
  readonly key?: { readonly privateKey: string; readonly address: string };
  readonly wrap?: (honest: Executor) => Executor;
  readonly variables?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

export async function startWorker(scene: Scene, options: WorkerOptions = {}): Promise<Member> {
  const key = options.key ?? Wallet.createRandom();
  const config = readWorkerConfig({ ...(await memberVariables(scene, key)), ...options.variables });
  const wrapped = options.wrap?.(createExecutor(config.executor));
  if (wrapped !== undefined) onCleanup(() => wrapped.close());
  const execute = wrapped === undefined ? {} : { execute: wrapped.execute };
  return start(key.address, (signal) =>
    runWorker(config, { ...execute, ...pickClock(options), signal, logger: aLogger(`worker ${key.address}`) }),
  );
}

export async function startValidator(
  scene: Scene,
  key: Wallet,
  extra: Pick<ValidatorDependencies, "chain" | "clock"> & { variables?: Readonly<Record<string, string>> } = {},
): Promise<Member> {
  const config = readValidatorConfig({ ...(await memberVariables(scene, key)), ...extra.variables });
  const logger = aLogger(`validator ${key.address}`);
  const chain = extra.chain === undefined ? {} : { chain: extra.chain };
  return start(key.address, (signal) => runValidator(config, { signal, logger, ...chain, ...pickClock(extra) }));
}

export function startValidators(scene: Scene, extra: Pick<ValidatorDependencies, "clock"> = {}): Promise<Member[]> {
  return Promise.all(scene.validatorKeys.map((key) => startValidator(scene, key, extra)));
}

const pickClock = ({ clock }: { readonly clock?: Clock }) => (clock === undefined ? {} : { clock });

function start(account: string, run: (signal: AbortSignal) => Promise<void>): Member {
  const controller = new AbortController();
  const done = run(controller.signal);
  const stop = async () => {
    controller.abort(new Error("test is over"));
    await done;
  };
  onCleanup(stop);
  return { account, stop };
}
