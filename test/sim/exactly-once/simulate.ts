/**
 * Exactly once, under everything that goes wrong: the settling process is killed at every one of its steps, a second operator
 * races it with the same certificates, the chain reorganises, stalls until fees are raised, and loses nonces to outside use,
 * and the endpoint drops, repeats, delays and lies. The seed decides which faults come when.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Wallet } from "ethers";
import { systemClock } from "../../../src/base/clock.ts";
import { describeError } from "../../../src/base/errors.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { loadArtifact } from "../../../src/chain/artifacts.ts";
import { buildCertificate, sortAddresses } from "../../../src/chain/certificate.ts";
import { openSettler, type Settler } from "../../../src/chain/settler.ts";
import { developmentAccounts } from "../../../src/embedded/chain/development-accounts.ts";
import { configMaps } from "../../../src/kube/core-resources.ts";
import { BatchBook } from "../../../src/operator/batch-book.ts";
import { RecordStore } from "../../../src/operator/record-store.ts";
import { readHeader } from "../../../src/pool/batch-data.ts";
import { createRandom, type SeededRandom } from "../../chaos/random.ts";
import { type ChainFixture, memoryJournal, startChain, treasury } from "../../integration/chain/chain-fixture.ts";
import { countFault, type FaultCounts, type ScenarioReport } from "../scenario.ts";
import { assertExactlyOnce, type Outcome } from "./assert-exactly-once.ts";
import { killSteps } from "./faults.ts";
import { openFileClient } from "./file-client.ts";
import { type RpcProxy, startRpcProxy } from "./rpc-proxy.ts";
import type { ProcessSettings } from "./settling-process.ts";
import { rewardWei, writeTasks } from "./world.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly tasks: number;
  readonly batchSize: number;
  /** Times that the process is killed; each step in turn. */
  readonly kills: number;
  readonly timeoutMs: number;
  readonly onProgress?: (line: string) => void;
}

export type SimulationReport = ScenarioReport & Outcome;

interface World {
  readonly options: SimulationOptions;
  readonly dir: string;
  readonly chain: ChainFixture;
  readonly proxy: RpcProxy;
  readonly random: SeededRandom;
  readonly faults: FaultCounts;
  /** Whether the chain mines nothing at all just now. */
  readonly stalled: { now: boolean };
  readonly settings: Omit<ProcessSettings, "killAt">;
  readonly book: () => Promise<BatchBook>;
}

export async function simulateExactlyOnce(options: SimulationOptions): Promise<SimulationReport> {
  const startedMs = performance.now();
  const dir = await mkdtemp(join(tmpdir(), "inferium-sim-"));
  const chain = await startChain();
  const faults: FaultCounts = {};
  const random = createRandom(options.seed);
  const proxy = await startRpcProxy(chain.rpcUrl, random.fork("rpc"), faults);
  try {
    await writeTasks(dir, chain, options.tasks);
    // Deeper than any reorganisation, which must not reach the deployment.
    await chain.provider.send("anvil_mine", ["0x20"]);
    const world = buildWorld({ options, dir, chain, proxy, random, faults, stalled: { now: false } });
    await runFaults(world, startedMs + options.timeoutMs);
    const outcome = await assertExactlyOnce(dir, chain);
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    return { ...outcome, seed: options.seed, seconds, faults };
  } finally {
    await proxy.close();
    await chain.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

function buildWorld(parts: Omit<World, "settings" | "book">): World {
  const { dir, chain, proxy, options } = parts;
  const settings = {
    ...{ dir, rpcUrl: proxy.url, addresses: chain.addresses, treasury, confirmations: 1, batchSize: options.batchSize },
    settlerKey: chain.settlerKey.privateKey,
    validatorKeys: chain.validators.map((validator) => validator.privateKey),
  };
  const maps = openFileClient(join(dir, "maps"), configMaps);
  const store = (kind: string) => new RecordStore({ client: maps, namespace: "inferium-system", pool: "sim", kind });
  const book = async () => {
    const opened = new BatchBook({
      states: store("batch"),
      bodies: store("batch-body"),
      lapsed: store("batch-lapsed"),
    });
    await opened.load();
    return opened;
  };
  return { ...parts, settings, book };
}

async function runFaults(world: World, deadlineMs: number): Promise<void> {
  const stopping = new AbortController();
  const troubles = [troubleChain(world, stopping.signal), raceSettler(world, stopping.signal)];
  try {
    await killAndRestart(world, deadlineMs);
  } finally {
    stopping.abort();
    await Promise.all(troubles);
  }
  // Everything is allowed to go well now: what is still open must come to its end.
  world.proxy.setFaulty(false);
  await world.chain.provider.send("evm_setAutomine", [true]);
  const last = await startProcess(world, undefined);
  try {
    await untilSettled(world, deadlineMs);
  } finally {
    last.child.kill("SIGKILL");
    await last.exited;
  }
}

/** Each step in turn, at its first time or a later one, so that every gap between two steps is one where it died. */
async function killAndRestart(world: World, deadlineMs: number): Promise<void> {
  const random = world.random.fork("kills");
  for (let run = 0; run < world.options.kills && performance.now() < deadlineMs; run++) {
    const step = killSteps[run % killSteps.length] ?? "gathered";
    // Fees are raised where nothing is mined, and then only.
    const isStalled = step.startsWith("outbox-raise");
    if (isStalled) await setMining(world, false);
    const { child, exited } = await startProcess(world, { step, count: isStalled ? 1 : random.between(1, 2) });
    // A step that does not come, as a raised fee without need, ends in a kill at any other time.
    const runMs = isStalled ? longestRaiseMs : longestRunMs;
    const died = await Promise.race([exited.then(() => true), sleep(runMs).then(() => false)]);
    countFault(world.faults, died ? `kill-${step}` : "kill-anywhere");
    if (!died) {
      child.kill("SIGKILL");
      await exited;
    }
    if (isStalled) await setMining(world, true);
    if (run % 10 === 9) world.options.onProgress?.(`${run + 1} kills, ${await countSettled(world)} batches settled`);
    if (await isAllSettled(world)) return;
  }
}

const longestRunMs = 6_000;
/** A batch has to be gathered, signed and sent before anybody finds that nothing is mined. */
const longestRaiseMs = 20_000;
/** A machine that is busy takes its time to start one. */
const longestStartMs = 60_000;

/** While it is off nothing else troubles the chain. */
async function setMining(world: World, on: boolean): Promise<void> {
  world.stalled.now = !on;
  await world.chain.provider.send("evm_setAutomine", [on]);
  if (!on) return;
  await world.chain.provider.send("evm_mine", []);
  countFault(world.faults, "stall-until-kill");
}

interface Started {
  readonly child: ChildProcess;
  /** Also where it has died before anybody looked. */
  readonly exited: Promise<unknown>;
}

/** Resolves once it works, or has died. */
async function startProcess(world: World, killAt: ProcessSettings["killAt"]): Promise<Started> {
  const path = join(world.dir, "settings.json");
  await writeFile(path, JSON.stringify({ ...world.settings, ...(killAt ? { killAt } : {}) }));
  const script = new URL("settling-process.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, path], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const ready = Promise.withResolvers<void>();
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    if (text.includes("ready")) ready.resolve();
    for (const line of text.split("\n").filter((part) => part.startsWith("refused"))) {
      countFault(world.faults, "refusals-seen");
      world.options.onProgress?.(line);
    }
  });
  await Promise.race([ready.promise, exited, sleep(longestStartMs, undefined, { ref: false })]);
  return { child, exited };
}

/** Reorganisations, stalls that need a higher fee, outside use of the settler's wallet, and epochs that end. */
async function troubleChain(world: World, signal: AbortSignal): Promise<void> {
  const { chain, faults } = world;
  const random = world.random.fork("chain");
  const rpc = (method: string, ...params: unknown[]) => chain.provider.send(method, params);
  const outside = new Wallet(chain.settlerKey.privateKey, chain.provider);
  const troubles = {
    async reorg() {
      const depth = random.between(1, 8);
      await rpc("anvil_reorg", depth, []);
      countFault(faults, `reorg-depth-${depth}`);
    },
    async stall() {
      await rpc("evm_setAutomine", false);
      await sleep(random.between(400, 1_200));
      // One that was begun before a stall for a kill does not end that one.
      if (world.stalled.now) return;
      await rpc("evm_mine");
      await rpc("evm_setAutomine", true);
      countFault(faults, "stall");
    },
    async outsideUse() {
      await outside.sendTransaction({ to: chain.requester.address, value: 1n });
      countFault(faults, "outside-use");
    },
    async lapse() {
      const { abi } = loadArtifact("ValidatorSets");
      const data = abi.encodeFunctionData("rotate", [sortAddresses(chain.validators.map(({ address }) => address))]);
      // Twice: the grace of the epoch before the last is over.
      for (let time = 0; time < 2; time++) {
        const sent = await chain.admin.signer.sendTransaction({ to: chain.addresses.validatorSets, data });
        await sent.wait(1, 5_000);
      }
      countFault(faults, "epoch-lapse");
    },
    async blocks() {
      await rpc("anvil_mine", `0x${random.between(1, 8).toString(16)}`);
    },
  };
  const kinds = ["reorg", "reorg", "stall", "outsideUse", "outsideUse", "blocks", "blocks", "blocks", "lapse"] as const;
  while (!signal.aborted) {
    await sleep(random.between(500, 3_000), undefined, { signal }).catch(() => undefined);
    if (!signal.aborted && !world.stalled.now)
      await troubles[random.pick(kinds)]().catch(() => countFault(faults, "trouble-not-taken"));
  }
}

/** A second operator that was not told that it does not lead: same certificates, another key, its own journal. */
async function raceSettler(world: World, signal: AbortSignal): Promise<void> {
  const { chain, faults } = world;
  const key = developmentAccounts(10)[2]?.privateKey ?? "";
  const signer = new Wallet(key, chain.provider);
  const shared = { client: chain.client, store: memoryJournal(), logger: silentLogger, clock: systemClock };
  const rival: Settler = await openSettler({ ...shared, signer, confirmations: 1, timeoutMs: 3_000, patienceMs: 500 });
  const random = world.random.fork("rival");
  while (!signal.aborted) {
    await sleep(random.between(20, 300), undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await raceOnce(world, rival).catch((error) => noteRefusal(faults, error));
  }
}

async function raceOnce(world: World, rival: Settler): Promise<void> {
  const record = await (await world.book()).readOpen();
  if (record?.state !== "Certified") return;
  const header = readHeader(record.body.data.header);
  const members = await world.chain.client.validators(header.epoch);
  const certificate = buildCertificate(members, new Map(Object.entries(record.signatures)));
  await rival.settle(header, certificate);
  countFault(world.faults, "rival-settled-or-found");
}

/** The rival loses most races; that it is refused is the point. */
function noteRefusal(faults: FaultCounts, error: unknown): void {
  countFault(faults, /refused by the contract/.test(describeError(error)) ? "rival-refused" : "rival-failed");
}

async function countSettled(world: World): Promise<number> {
  return Number((await world.chain.client.lastBatch()).sequence);
}

/** All tasks are in batches, and the chain has the last of them. */
async function isAllSettled(world: World): Promise<boolean> {
  const { last } = await world.book();
  if (last?.state !== "Applied") return false;
  const head = await world.chain.client.lastBatch();
  const paid = BigInt(last.body.data.header.settledWei);
  return head.headerHash === last.headerHash && paid >= rewardWei * BigInt(world.options.tasks);
}

async function untilSettled(world: World, deadlineMs: number): Promise<void> {
  while (!(await isAllSettled(world).catch(() => false))) {
    if (performance.now() > deadlineMs) {
      const { last } = await world.book();
      throw new Error(
        `seed ${world.options.seed}: not all is settled in time; the chain has ${await countSettled(world)} batches, ` +
          `the last record is ${last?.sequence} ${last?.state}`,
      );
    }
    await sleep(200);
    await world.chain.provider.send("evm_mine", []);
  }
  // Longer than the settle stage waits between two looks at the chain.
  await sleep(2_500);
  if (!(await isAllSettled(world))) await untilSettled(world, deadlineMs);
}
