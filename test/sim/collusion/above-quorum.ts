/**
 * A quorum colludes: two validators of the three that a task asks for approve what its worker has not computed, and the batch is
 * settled. One honest validator looks at what is settled, disputes it, and a jury of others runs it again. Both that approved
 * must lose stake and seat, the worker its tenth, nobody else anything, and the watcher gets its bond back.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { mintTokens } from "../../../src/chain/bond.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { createDisputeReader } from "../../../src/chain/dispute-reader.ts";
import { runDisputes } from "../../../src/validator/dispute/run-disputes.ts";
import type { ChainFixture } from "../../integration/chain/chain-fixture.ts";
import {
  honestExecute,
  type SettledResult,
  settleResult,
  startDisputeChain,
  wrongOutput,
} from "../../integration/chain/dispute-scene.ts";
import { countFault } from "../scenario.ts";
import { comesTrue, type Part } from "./part.ts";

const bondWei = 1_000n * oneToken;
const places = [0, 1, 2, 3, 4, 5, 6];

export const colludeAboveQuorum: Part = async (random, faults) => {
  const shuffled = places.map((place) => ({ place, at: random.next() })).sort((a, b) => a.at - b.at);
  const [one = 0, other = 0, watcher = 0, ...rest] = shuffled.map(({ place }) => place);
  // More jurors than accused, as the contract asks.
  const chain = await startDisputeChain({ jurySize: 3 });
  const dir = await mkdtemp(join(tmpdir(), "inferium-collusion-"));
  const stopping = new AbortController();
  const parties: Promise<void>[] = [];
  try {
    await writeFile(join(dir, "addresses.json"), JSON.stringify(chain.addresses));
    const result = await settleResult(chain, { outputDigest: wrongOutput, approvers: [one, other] });
    countFault(faults, "wrong-result-settled");
    const addressOf = (place: number) => chain.validators[place]!.address;
    await mintTokens(chain.admin, [{ account: addressOf(watcher), amountWei: bondWei }]);
    for (const place of [watcher, ...rest])
      parties.push(runParty({ chain, dir, result, signal: stopping.signal }, place, place === watcher ? 1 : 0));
    const reader = createDisputeReader(chain.client);
    const read = async () => {
      const [opened] = await reader.list(0);
      return opened === undefined ? undefined : { ...opened, ...(await reader.dispute(opened.id)) };
    };
    await comesTrue(async () => (await read())?.state === "Closed");
    const dispute = await read();
    const problems: string[] = [];
    if (dispute?.ruling !== "Overturned")
      problems.push(`ruling: ${dispute?.ruling ?? "nobody disputed"}, expected Overturned`);
    if (dispute && dispute.challenger !== addressOf(watcher))
      problems.push(`watcher: ${dispute.challenger} disputed it`);
    const seated = await chain.client.validators(await chain.client.epoch());
    const stakeOf = async (address: string) => (await chain.client.node(address)).stakeWei;
    for (const place of [one, other]) {
      if ((await stakeOf(addressOf(place))) !== 0n)
        problems.push(`caught: validator ${place} approved it and kept its stake`);
      if (seated.includes(addressOf(place))) problems.push(`caught: validator ${place} approved it and kept its seat`);
    }
    const workerWei = await stakeOf(chain.workers[0]!.address);
    if (workerWei !== 9_000n * oneToken)
      problems.push(`caught: the worker has ${workerWei} wei, expected a tenth less`);
    let slashedWrongly = 0;
    for (const place of [watcher, ...rest]) {
      if ((await stakeOf(addressOf(place))) === 50_000n * oneToken) continue;
      slashedWrongly++;
      problems.push(`slash: validator ${place} is honest and lost stake`);
    }
    const isBack = async () => (await chain.client.balanceOf(addressOf(watcher))) === bondWei;
    if (!(await comesTrue(isBack))) problems.push("bond: the watcher did not get it back");
    const summary = `validators ${one} and ${other} approved a wrong result; validator ${watcher} disputed it, the jury overturned it, both lost everything`;
    return {
      ...{ problems, tasks: 1, lost: 0, slashedWrongly },
      summary: problems.length === 0 ? summary : `${problems.length} problems`,
    };
  } finally {
    stopping.abort(new Error("the simulation is over"));
    await Promise.all(parties);
    await chain.stop();
    await rm(dir, { recursive: true, force: true });
  }
};

interface Scene {
  readonly chain: ChainFixture;
  readonly dir: string;
  readonly result: SettledResult;
  readonly signal: AbortSignal;
}

async function runParty({ chain, dir, result, signal }: Scene, place: number, watchRate: number): Promise<void> {
  const stateDir = join(dir, String(place));
  await mkdir(stateDir, { recursive: true });
  const keyFile = join(stateDir, "key");
  await writeFile(keyFile, chain.validators[place]!.privateKey);
  const config = { watchRate, pollMs: 100, confirmations: 1, fromBlock: 0, maxFeePerGasWei: 500n * 10n ** 9n };
  await runDisputes(
    {
      config,
      chain: { rpcUrl: chain.rpcUrl, addressesFile: join(dir, "addresses.json") },
      key: { keyFile, passwordFile: undefined },
      ...{ stateDir, domain: chain.client.domain, clock: systemClock, metrics: undefined, logger: silentLogger },
      pool: { batch: async () => ({ batch: result.data }), item: async () => ({ item: result.item }) },
      execute: honestExecute,
    },
    signal,
  );
}
