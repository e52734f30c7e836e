/** Disputes from the watch over a settled batch to the penalties: real contracts and transactions, scripted pool and executions. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { InferiumError } from "../../../src/base/errors.ts";
import { createLogger, silentLogger } from "../../../src/base/log.ts";
import { mintTokens } from "../../../src/chain/bond.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { createDisputeReader } from "../../../src/chain/dispute-reader.ts";
import type { JudgeItem } from "../../../src/pool/duty.ts";
import { runDisputes } from "../../../src/validator/dispute/run-disputes.ts";
import type { Execute } from "../../../src/validator/judge.ts";
import type { ChainFixture } from "./chain-fixture.ts";
import {
  honestExecute,
  rightOutput,
  type SettledResult,
  settleResult,
  startDisputeChain,
  wrongOutput,
} from "./dispute-scene.ts";

let chain: ChainFixture;
let dir: string;
const parties: { stop(): Promise<void> }[] = [];
const waiting = { timeout: 60_000, interval: 100 };
const bondWei = 1_000n * oneToken;
const stakeWei = 50_000n * oneToken;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-disputes-"));
  chain = await startDisputeChain();
  await writeFile(join(dir, "addresses.json"), JSON.stringify(chain.addresses));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(parties.splice(0).map((party) => party.stop()));
  await chain?.stop();
  await rm(dir, { recursive: true, force: true });
});

interface PartyPlan {
  readonly result: SettledResult;
  readonly execute?: Execute;
  readonly item?: () => Promise<{ item: JudgeItem }>;
}

/** The disputes of one validator, over its state folder: starting it again is a restart. */
async function startParty(index: number, plan: PartyPlan) {
  const wallet = chain.validators[index]!;
  const stateDir = join(dir, String(index));
  await mkdir(stateDir, { recursive: true });
  const keyFile = join(stateDir, "key");
  await writeFile(keyFile, wallet.privateKey);
  const controller = new AbortController();
  const done = runDisputes(
    {
      config: { watchRate: 0.02, pollMs: 100, confirmations: 1, fromBlock: 0, maxFeePerGasWei: 500n * 10n ** 9n },
      chain: { rpcUrl: chain.rpcUrl, addressesFile: join(dir, "addresses.json") },
      key: { keyFile, passwordFile: undefined },
      ...{ stateDir, domain: chain.client.domain, clock: systemClock, metrics: undefined },
      pool: {
        batch: async () => ({ batch: plan.result.data }),
        item: plan.item ?? (async () => ({ item: plan.result.item })),
      },
      execute: plan.execute ?? honestExecute,
      logger: process.env.TEST_LOG === undefined ? silentLogger : createLogger({ level: "debug", fields: { index } }),
    },
    controller.signal,
  );
  const party = {
    async stop() {
      controller.abort(new Error("test is over"));
      await done;
    },
  };
  parties.push(party);
  return party;
}

const reader = () => createDisputeReader(chain.client);
const fundWatcher = () => mintTokens(chain.admin, [{ account: chain.validators[1]!.address, amountWei: bondWei }]);

async function theDispute() {
  const [opened] = await reader().list(0);
  if (opened === undefined) throw new Error("nothing is disputed yet");
  return { ...opened, ...(await reader().dispute(opened.id)) };
}

describe("a settled result that one validator approved", () => {
  test("is found wrong by a watcher, disputed and overturned: the approver loses stake and seat, the worker a tenth", async () => {
    const result = await settleResult(chain, { outputDigest: wrongOutput, approvers: [0] });
    await fundWatcher();
    for (const index of [1, 2, 3, 4, 5, 6]) await startParty(index, { result });
    await vi.waitFor(async () => expect(await theDispute()).toMatchObject({ state: "Closed" }), waiting);
    const accused = chain.validators[0]!.address;
    const dispute = await theDispute();
    expect(dispute).toMatchObject({ ruling: "Overturned", challenger: chain.validators[1]!.address, overturn: 2 });
    expect(await reader().jury(dispute.id)).not.toContain(accused);
    expect(await chain.client.node(accused)).toMatchObject({ stakeWei: 0n, state: "Underbonded" });
    expect(await chain.client.validators(await chain.client.epoch())).not.toContain(accused);
    expect(await chain.client.node(chain.workers[0]!.address)).toMatchObject({ stakeWei: 9_000n * oneToken });
    for (const index of [1, 2, 3, 4, 5, 6])
      expect(await chain.client.node(chain.validators[index]!.address)).toMatchObject({ stakeWei });
    // The bond comes back by itself.
    const balance = () => chain.client.balanceOf(chain.validators[1]!.address);
    await vi.waitFor(async () => expect(await balance()).toBe(bondWei), waiting);
    expect(await reader().list(0)).toHaveLength(1);
  }, 90_000);

  test("two watchers that dispute it at once: both are answered, both bonds come back, and nobody is punished twice", async () => {
    const result = await settleResult(chain, { outputDigest: wrongOutput, approvers: [0] });
    const watchers = [1, 2].map((index) => chain.validators[index]!.address);
    await mintTokens(
      chain.admin,
      watchers.map((account) => ({ account, amountWei: bondWei })),
    );
    // Neither waits for the other, and neither finds before both are there.
    vi.spyOn(Math, "random").mockReturnValue(0);
    const bothAreThere = Promise.withResolvers<void>();
    const arrived = new Set<number>();
    for (const index of [1, 2]) {
      const execute: Execute = async (...given) => {
        arrived.add(index);
        if (arrived.size === 2) bothAreThere.resolve();
        await bothAreThere.promise;
        return honestExecute(...given);
      };
      await startParty(index, { result, execute });
    }
    for (const index of [3, 4, 5, 6]) await startParty(index, { result });
    const disputes = async () => {
      const opened = await reader().list(0);
      return Promise.all(opened.map(({ id }) => reader().dispute(id)));
    };
    const bothClosed = watchers.map((challenger) =>
      expect.objectContaining({ challenger, state: "Closed", ruling: "Overturned" }),
    );
    await vi.waitFor(async () => {
      const found = await disputes();
      expect(found).toHaveLength(2);
      expect(found).toEqual(expect.arrayContaining(bothClosed));
    }, waiting);
    expect(await chain.client.node(chain.validators[0]!.address)).toMatchObject({ stakeWei: 0n });
    expect(await chain.client.node(chain.workers[0]!.address)).toMatchObject({ stakeWei: 9_000n * oneToken });
    for (const account of watchers)
      await vi.waitFor(async () => expect(await chain.client.balanceOf(account)).toBe(bondWei), waiting);
  }, 150_000);

  test("a right one is watched and left alone", async () => {
    const result = await settleResult(chain, { outputDigest: rightOutput, approvers: [0] });
    await fundWatcher();
    const ran = vi.fn(honestExecute);
    await startParty(1, { result, execute: ran });
    await vi.waitFor(() => expect(ran).toHaveBeenCalled(), waiting);
    await systemClock.sleep(1_500);
    expect(await reader().list(0)).toEqual([]);
    expect(await chain.client.balanceOf(chain.validators[1]!.address)).toBe(bondWei);
  }, 90_000);

  test("jurors that cannot run it cast no vote: nobody is slashed, and the bond goes back", async () => {
    const result = await settleResult(chain, { outputDigest: wrongOutput, approvers: [0] });
    await fundWatcher();
    await startParty(1, { result });
    const item = () => Promise.reject(new InferiumError("ReceiptGone", "It is gone."));
    for (const index of [2, 3, 4, 5, 6]) await startParty(index, { result, item });
    await vi.waitFor(async () => expect(await theDispute()).toMatchObject({ state: "Committing" }), waiting);
    await chain.provider.send("evm_increaseTime", [61]);
    await vi.waitFor(async () => expect(await theDispute()).toMatchObject({ state: "Closed" }), waiting);
    expect(await theDispute()).toMatchObject({ ruling: "Inconclusive", overturn: 0, uphold: 0 });
    expect(await chain.client.node(chain.validators[0]!.address)).toMatchObject({ stakeWei });
    const balance = () => chain.client.balanceOf(chain.validators[1]!.address);
    await vi.waitFor(async () => expect(await balance()).toBe(bondWei), waiting);
  }, 90_000);

  test("a juror that is stopped after its commitment reveals the same after its restart, without running it again", async () => {
    const result = await settleResult(chain, { outputDigest: wrongOutput, approvers: [0] });
    await fundWatcher();
    await startParty(1, { result });
    await vi.waitFor(async () => expect(await theDispute()).toMatchObject({ state: "Committing" }), waiting);
    const { id } = await theDispute();
    const jury = await reader().jury(id);
    for (const juror of jury) {
      const index = chain.validators.findIndex(({ address }) => address === juror);
      const first = await startParty(index, { result });
      await vi.waitFor(async () => expect(await committed(id)).toContain(juror), waiting);
      await first.stop();
      await startParty(index, { result, execute: () => Promise.reject(new Error("must not run again")) });
    }
    await vi.waitFor(async () => expect(await theDispute()).toMatchObject({ state: "Closed" }), waiting);
    expect(await theDispute()).toMatchObject({ ruling: "Overturned", overturn: 2 });
  }, 90_000);
});

async function committed(id: string): Promise<string[]> {
  const { loadArtifact } = await import("../../../src/chain/artifacts.ts");
  const { abi } = loadArtifact("Disputes");
  const topics = abi.encodeFilterTopics("Committed", [id]);
  const logs = await chain.provider.getLogs({ address: chain.addresses.disputes, topics, fromBlock: 0 });
  return logs.map((log) => abi.parseLog(log)?.args.juror as string);
}
