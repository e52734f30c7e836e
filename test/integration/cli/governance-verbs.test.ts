/** `inferium governance` from a wish to a changed parameter, on a real chain whose time is moved by hand. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { Contract } from "ethers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { type ContractAddresses, contractOf } from "../../../src/chain/addresses.ts";
import { loadArtifact } from "../../../src/chain/artifacts.ts";
import { mintTokens } from "../../../src/chain/bond.ts";
import { createReader } from "../../../src/chain/client.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { governedGroups } from "../../../src/chain/governed-groups.ts";
import { readParameters } from "../../../src/chain/governed-parameters.ts";
import { addChainCommands } from "../../../src/cli/chain/commands.ts";
import { type ChainFixture, startChain } from "../chain/chain-fixture.ts";

const day = 86_400;
const votingDelay = 100;
const votingPeriod = 1_000;
const timelockDelay = 500;
const governed = ["registry", "settlement", "validatorSets", "agentRevenue"] as const;
let chain: ChainFixture;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-governance-"));
  chain = await startChain({
    ownBonds: true,
    parameters: {
      ...{ votingDelaySeconds: votingDelay, votingPeriodSeconds: votingPeriod, timelockSeconds: timelockDelay },
      ...{ proposalThresholdWei: 60_000n * oneToken, governorQuorumBps: 500 },
    },
  });
  await writeFile(at("addresses"), JSON.stringify(chain.addresses));
  await writeFile(at("holder"), chain.settlerKey.privateKey);
  await writeFile(at("validator"), chain.validators[0]!.privateKey);
  await writeFile(at("stranger"), chain.requester.privateKey);
  await mintTokens(chain.admin, [{ account: chain.settlerKey.address, amountWei: 60_000n * oneToken }]);
  // The rest stays with the deployer: so far no vote can do anything there.
  for (const name of governed) await call(name, "grantRole", [`0x${"0".repeat(64)}`, chain.addresses.timelock]);
  // Votes are those of a second that is over.
  await pass(2);
});
afterAll(async () => {
  await chain?.stop();
  await rm(dir, { recursive: true, force: true });
});

const at = (name: string) => join(dir, name);
const pass = async (seconds: number) => {
  await chain.provider.send("evm_increaseTime", [seconds]);
  await chain.provider.send("anvil_mine", ["0x1"]);
};

async function call(name: keyof ContractAddresses, method: string, values: readonly unknown[]): Promise<void> {
  const contract = new Contract(chain.addresses[name], loadArtifact(contractOf[name]).abi, chain.admin.signer);
  await (await contract.getFunction(method)(...values)).wait();
}

async function governance(args: readonly string[], key = "holder"): Promise<string> {
  const lines: string[] = [];
  const program = new Command().exitOverride();
  addChainCommands(program, {
    env: { INFERIUM_RPC_URL: chain.rpcUrl, INFERIUM_ADDRESSES_FILE: at("addresses"), INFERIUM_KEY_FILE: at(key) },
    io: { out: (line) => void lines.push(line), note: () => undefined },
    clock: systemClock,
    signal: new AbortController().signal,
    setExitStatus: () => undefined,
  });
  await program.parseAsync(["governance", ...args], { from: "user" });
  return lines.join("\n");
}

const json = async (args: readonly string[], key?: string) =>
  JSON.parse(await governance([...args, "-o", "json"], key));
const propose = (changes: readonly string[], description = "A change", ...more: string[]) =>
  governance(["propose", ...changes.flatMap((change) => ["--set", change]), "--description", description, ...more]);

describe("inferium governance parameters", () => {
  test("shows each parameter with its bounds, and whether a vote can change it", async () => {
    const { parameters, rules } = await json(["parameters"]);
    const find = (wanted: string) => parameters.find(({ name }: { name: string }) => name === wanted);
    expect(find("registry.workerMinimum")).toEqual({
      ...{ name: "registry.workerMinimum", unit: "IFR", value: String(10_000n * oneToken), isGoverned: true },
      ...{ least: "1", most: String(10_000_000n * oneToken) },
    });
    // Twice the window is less than the wait for a withdrawal, which is four days; a trial may go as low as it began.
    expect(find("settlement.challengeSeconds")).toMatchObject({ value: "0", least: "0", most: String(2 * day - 1) });
    expect(find("slashing.rejectedBps")).toMatchObject({ value: "1000", isGoverned: false });
    expect(find("timelock.delay")).toMatchObject({ value: "500", least: "500", most: String(30 * day) });
    expect(rules.thresholdWei).toBe(String(60_000n * oneToken));
    const text = await governance(["parameters"]);
    expect(text).toMatch(/^PARAMETER +VALUE +LEAST +MOST$/m);
    expect(text).toMatch(/^governor\.votingPeriod +1000s +1000s +30d$/m);
    expect(text).toMatch(/^disputes\.jurySize +5 +2 +32 +not under the timelock$/m);
    expect(text).toContain("A proposal takes 60000 votes");
  });

  test("the bounds are the contracts' own", async () => {
    const parameters = await readParameters(createReader(chain.provider, chain.addresses), chain.addresses);
    const tried: string[] = [];
    for (const { contract, setter, fields, check } of governedGroups) {
      // The governor takes calls of its proposals alone; shares that must sum up cannot be moved one by one.
      if (contract === "governor" || check !== undefined) continue;
      const from = contract === "timelock" ? chain.addresses.timelock : chain.admin.signer.address;
      const own = fields.map(({ name }) => parameters.find((parameter) => parameter.name === `${contract}.${name}`)!);
      for (const [index, { name, least, most }] of own.entries()) {
        if (least === undefined || most === undefined) continue;
        const takes = async (value: bigint) => {
          const values = own.map((parameter, place) => (place === index ? value : parameter.value));
          const { abi } = loadArtifact(contractOf[contract]);
          const data = abi.encodeFunctionData(setter, values.length === 1 ? values : [values]);
          const call = chain.provider.call({ from, to: chain.addresses[contract], data });
          return call.then(
            () => true,
            () => false,
          );
        };
        const verdicts = [await takes(least), await takes(most), await takes(most + 1n)];
        if (least > 0n) verdicts.push(await takes(least - 1n));
        expect({ name, verdicts }).toEqual({ name, verdicts: [true, true, false, false].slice(0, verdicts.length) });
        tried.push(name);
      }
    }
    expect(tried).toHaveLength(18);
  });

  test("validators vote with their bonds", async () => {
    const { voters } = await json(["voters"]);
    expect(voters).toHaveLength(7);
    expect(voters).toContainEqual({
      ...{ account: chain.validators[0]!.address, tokensWei: "0" },
      ...{ stakesWei: String(50_000n * oneToken), votesWei: String(50_000n * oneToken) },
    });
    expect(await governance(["voters", chain.validators[1]!.address])).toMatch(/ 50000 +0 +50000 +3\.\d+ %/);
  });
});

describe("inferium governance propose", () => {
  test("says what is wrong before it sends anything", async () => {
    const refused = (changes: string[], code: string, message: RegExp) =>
      expect(propose(changes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    await refused(["registry.minimum=5"], "UnknownParameter", /there are registry\.workerMinimum, /);
    await refused(["registry.workerMinimum"], "InvalidOption", /expected a parameter and its value/);
    await refused(
      ["registry.reporterBps=3001"],
      "InvalidParameters",
      /cannot be 3001; the contract takes 0 bps to 3000 bps/,
    );
    await refused(["registry.workerDelay=soon"], "InvalidParameters", /expected seconds, or such as 15m, 12h, 2d/);
    await refused(["registry.workerMinimum=10000"], "InvalidParameters", /is 10000 IFR already/);
    await refused(["agentRevenue.hostBps=1000"], "InvalidParameters", /sum to 8500 bps; they must sum to 10000/);
    await refused(["agentRevenue.treasury=me"], "InvalidParameters", /is an address; "me" is none/);
    await refused(["slashing.missedBps=50"], "NotGoverned", /slashing does not do what the timelock says/);
    await refused([], "InvalidOption", /Give what is to change/);
    await expect(governance(["propose", "--description", "x", "--call", "settlement.sweep()"])).rejects.toMatchObject({
      code: "InvalidOption",
      message: expect.stringContaining("Settlement cannot be called so"),
    });
    // Held tokens do not vote before they are delegated.
    await refused(["settlement.challengeSeconds=1h"], "TooFewVotes", /has 0 votes; a proposal takes 60000/);
    expect(await governance(["list"])).toBe("There are no proposals.");
  });

  test("leads a change from the proposal to the contracts", async () => {
    const changes = ["registry.workerMinimum=12000.5", "registry.workerDelay=10d", "settlement.challengeSeconds=1h"];
    await governance(["delegate"]);
    await pass(2);
    expect(JSON.parse(await propose(changes, "Longer", "--dry-run", "-o", "json"))).toMatchObject({ dryRun: true });
    expect(await json(["list"])).toEqual([]);
    const { proposal: id } = JSON.parse(await propose(changes, "Longer", "-o", "json"));
    await expect(propose(changes, "Longer")).rejects.toMatchObject({ code: "AlreadyProposed" });
    const [listed] = await json(["list"]);
    expect(listed).toMatchObject({ proposal: id, state: "Pending", description: "Longer", forWei: "0" });
    const minimum = 12_000n * oneToken + oneToken / 2n;
    expect(listed.actions.map(({ text }: { text: string }) => text)).toEqual([
      `registry.setParameters([${minimum}, ${50_000n * oneToken}, ${10 * day}, ${21 * day}, 3000])`,
      "settlement.setChallengeSeconds(3600)",
    ]);

    await expect(vote(id, "for")).rejects.toMatchObject({
      code: "WrongState",
      message: expect.stringContaining("is Pending: voting begins after 20"),
    });
    await pass(votingDelay + 1);
    await vote(id.slice(0, 12), "for");
    await expect(vote(id, "against")).rejects.toMatchObject({ code: "AlreadyVoted" });
    await expect(vote(id, "for", "stranger")).rejects.toMatchObject({
      code: "TooFewVotes",
      message: expect.stringContaining("had no votes at 20"),
    });
    await vote(id, "for", "validator", "--reason", "windows are too short");
    expect(await governance(["status", id])).toMatch(/votes +110000 for, 0 against, 0 abstain; quorum \d+/);
    await expect(governance(["queue", id])).rejects.toMatchObject({ code: "WrongState" });

    await pass(votingPeriod + 1);
    await governance(["queue", id], "validator");
    await expect(governance(["execute", id])).rejects.toMatchObject({
      code: "TooEarly",
      message: expect.stringContaining("waits in the timelock"),
    });
    await pass(timelockDelay + 1);
    await governance(["execute", id], "validator");
    expect(await json(["status", id])).toMatchObject({ state: "Executed" });
    const { parameters } = await json(["parameters"]);
    expect(parameters).toContainEqual(
      expect.objectContaining({ name: "registry.workerMinimum", value: String(minimum) }),
    );
    expect(parameters).toContainEqual(
      expect.objectContaining({ name: "registry.validatorDelay", value: `${21 * day}` }),
    );
    expect(parameters).toContainEqual(expect.objectContaining({ name: "settlement.challengeSeconds", value: "3600" }));
  });

  test("any other call can be proposed too, and taken back before the vote", async () => {
    const rotate = `validatorSets.rotate(${JSON.stringify([chain.validators[0]!.address])})`;
    const { proposal: id } = await json(["propose", "--call", rotate, "--description", "One alone"]);
    expect(await governance(["status", id])).toContain(
      `does        validatorSets.rotate([${chain.validators[0]!.address}])`,
    );
    await governance(["cancel", id]);
    expect(await json(["status", id])).toMatchObject({ state: "Canceled" });
    await expect(governance(["status", "999999"])).rejects.toMatchObject({ code: "ProposalUnknown" });
    await expect(governance(["status", "first"])).rejects.toThrow(/expected the number that list shows/);
  });
});

function vote(id: string, choice: string, key?: string, ...more: string[]): Promise<string> {
  return governance(["vote", id, "--choice", choice, ...more], key);
}
