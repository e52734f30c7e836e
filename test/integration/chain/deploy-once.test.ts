import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Contract, id, Wallet } from "ethers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import type { ContractAddresses } from "../../../src/chain/addresses.ts";
import { loadArtifact } from "../../../src/chain/artifacts.ts";
import { parseParameters } from "../../../src/chain/parse-parameters.ts";
import { openProvider } from "../../../src/chain/provider.ts";
import { type DeployCommandOptions, runDeploy } from "../../../src/cli/chain/deploy.ts";
import { type Anvil, startAnvil } from "../../../src/embedded/chain/anvil.ts";

let dir: string;
let anvil: Anvil;
const guardian = new Wallet(`0x${"71".repeat(32)}`).address;
const validator = new Wallet(`0x${"72".repeat(32)}`).address;
const holder = new Wallet(`0x${"73".repeat(32)}`);
const outsider = new Wallet(`0x${"74".repeat(32)}`);

/** Governance from the first block, with one holder that carries every vote, and votes that take seconds. */
function parameters(change: Record<string, unknown> = {}): string {
  return JSON.stringify({
    validators: [validator],
    admin: "timelock",
    guardian,
    challengeSeconds: 7_200,
    allocations: [{ account: holder.address, amountWei: "200000000000000000000000" }],
    votingDelaySeconds: 1,
    votingPeriodSeconds: 10,
    timelockSeconds: 5,
    ...change,
  });
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-deploy-"));
  anvil = await startAnvil({ port: 0, dataDir: join(dir, "anvil"), logger: silentLogger });
  await writeFile(join(dir, "key"), anvil.accounts[0]!.privateKey);
  await writeFile(join(dir, "parameters.yaml"), parameters());
});
afterAll(async () => {
  await anvil?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function deploy(options: Partial<DeployCommandOptions> = {}) {
  const lines: string[] = [];
  const paths = { parameters: join(dir, "parameters.yaml"), out: join(dir, "addresses.json") };
  const status = await runDeploy(
    { ...paths, keyFile: join(dir, "key"), rpcUrl: anvil.rpcUrl, ...options },
    { env: {}, io: { out: (line) => void lines.push(line), note: () => undefined } },
  );
  return { status, out: lines.at(-1) ?? "", lines };
}

async function deployWith(text: string, options: Partial<DeployCommandOptions> = {}) {
  const path = join(dir, "wrong.yaml");
  await writeFile(path, text);
  return deploy({ out: join(dir, "nowhere.json"), ...options, parameters: path });
}

test("deploys once, finds what stands, and leaves no role with the deployer", async () => {
  const before = await deploy({ dryRun: true });
  expect(before.out).toMatch(/^Dry run: 0 of 14 contracts stand, 0x\w{40} would deploy 14\. Nothing was sent\.$/);
  const first = await deploy();
  expect(first.lines.slice(14, -1)).toEqual([]);
  expect(first.status).toBe(0);
  expect(first.out).toBe("0 of 14 contracts stood, 14 were deployed; code and parameters are as they must be.");
  // The dry run has said where.
  expect(first.lines.slice(0, 14)).toEqual(before.lines.slice(0, 14));
  const {
    chainId,
    deployer: by,
    fromBlock,
    ...addresses
  } = JSON.parse(await readFile(join(dir, "addresses.json"), "utf8"));
  expect({ chainId, by, fromBlock }).toEqual({ chainId: 31_337, by: anvil.accounts[0]!.address, fromBlock: 0 });
  const again = await deploy();
  expect(again.out).toContain("14 of 14 contracts stood, 0 were deployed");
  expect(JSON.parse(await readFile(join(dir, "addresses.json"), "utf8"))).toMatchObject(addresses);
  // Whoever doubts it needs the files alone, and no key.
  expect((await deploy({ verify: true, keyFile: join(dir, "absent") })).status).toBe(0);
  // Without the file it is found all the same, with the block where it began.
  const found = await deploy({ out: join(dir, "lost.json") });
  expect(found.out).toContain("14 of 14 contracts stood, 0 were deployed");
  expect(JSON.parse(await readFile(join(dir, "lost.json"), "utf8"))).toEqual({
    ...{ chainId, deployer: by, ...addresses, fromBlock: 1 },
  });

  const other = join(dir, "other.yaml");
  await writeFile(other, (await readFile(join(dir, "parameters.yaml"), "utf8")).replace("7200", "9000"));
  const differs = await deploy({ verify: true, parameters: other });
  expect(differs.status).toBe(1);
  expect(differs.lines.slice(-2)).toEqual(["settlement: challengeSeconds() is 7200, expected 9000", "1 difference."]);

  const provider = await openProvider({ rpcUrl: anvil.rpcUrl, timeoutMs: 5_000 });
  const deployer = anvil.accounts[0]!.address;
  const roles = [
    "MINTER_ROLE",
    "ROTATOR_ROLE",
    "REMOVER_ROLE",
    "SLASHER_ROLE",
    "GUARDIAN_ROLE",
    "PROPOSER_ROLE",
    "EXECUTOR_ROLE",
  ];
  const { abi } = loadArtifact("NodeRegistry");
  const asked = [
    "token",
    "registry",
    "validatorSets",
    "settlement",
    "slashing",
    "disputes",
    "agentRevenue",
    "modelRegistry",
    "timelock",
  ];
  for (const contract of asked) {
    for (const role of [`0x${"0".repeat(64)}`, ...roles.map((name) => id(name))]) {
      const data = abi.encodeFunctionData("hasRole", [role, deployer]);
      expect([contract, await provider.call({ to: addresses[contract], data })]).toEqual([
        contract,
        `0x${"0".repeat(64)}`,
      ]);
    }
  }
  await provider.send("anvil_setCode", [addresses.escrow, "0x6001"]);
  expect((await deploy({ verify: true })).lines).toContain(
    `escrow: other code than TaskEscrow's at ${addresses.escrow}`,
  );
  provider.destroy();
});

test("where governance is the admin from the start, a holder of the first tokens changes a parameter by vote", async () => {
  const out = join(dir, "governed.json");
  // Another account, so that nothing that stands is found.
  await writeFile(join(dir, "second-key"), anvil.accounts[1]!.privateKey);
  expect((await deploy({ out, keyFile: join(dir, "second-key") })).status).toBe(0);
  const at = JSON.parse(await readFile(out, "utf8")) as ContractAddresses;
  const provider = await openProvider({ rpcUrl: anvil.rpcUrl, timeoutMs: 5_000 });
  for (const { address } of [holder, outsider])
    await provider.send("anvil_setBalance", [address, "0x8ac7230489e80000"]);
  const pass = (seconds: number) =>
    provider.send("evm_increaseTime", [seconds]).then(() => provider.send("evm_mine", []));
  const governor = new Contract(at.governor, loadArtifact("InferiumGovernor").abi, holder.connect(provider));
  const change = loadArtifact("Settlement").abi.encodeFunctionData("setChallengeSeconds", [7_300]);
  const action = [[at.settlement], [0n], [change]] as const;
  const foreign = governor.connect(outsider.connect(provider)) as Contract;
  await expect(foreign.getFunction("propose").staticCall(...action, "ours")).rejects.toThrow(
    /InsufficientProposerVotes/,
  );
  // A proposer's votes are those of the second before: the last block of the deployment may be of this one.
  await pass(2);
  await (await governor.getFunction("propose")(...action, "a longer window")).wait();
  const hash = id("a longer window");
  const proposal = await governor.getFunction("hashProposal")(...action, hash);
  await pass(2);
  await (await governor.getFunction("castVote")(proposal, 1)).wait();
  await pass(11);
  await (await governor.getFunction("queue")(...action, hash)).wait();
  await pass(6);
  await (await foreign.getFunction("execute")(...action, hash)).wait();
  const settlement = new Contract(at.settlement, loadArtifact("Settlement").abi, provider);
  expect(await settlement.getFunction("challengeSeconds")()).toBe(7_300n);
  provider.destroy();
});

const refused = [
  { name: "nobody could ever vote", change: { allocations: [] }, want: /nobody could propose anything, ever/ },
  {
    name: "the largest holder could not propose",
    change: { allocations: [{ account: holder.address, amountWei: "99999999999999999999999" }] },
    want: /largest of 1 allocations is 99999999999999999999999 wei/,
  },
  {
    name: "more is allocated than can be minted",
    change: { allocations: [{ account: holder.address, amountWei: "250000000000000000000000001" }] },
    want: /at most 250000000000000000000000000 can be minted/,
  },
  { name: "nobody could pause in time", change: { guardian: undefined }, want: /guardian is missing/ },
  { name: "the window leaves no time to prove", change: { withdrawalSeconds: 14_400 }, want: /two challenge windows/ },
  { name: "a bound is passed", change: { missedBps: 501 }, want: /missedBps is 501; the contracts take 1 to 500/ },
  { name: "a validator comes twice", change: { validators: [validator, validator] }, want: /named more than once/ },
  {
    name: "an allocation is misspelt",
    change: { allocations: [{ account: holder.address, amount: "1" }] },
    want: /allocations\[0\]\.amount is "1"; expected account or amountWei/,
  },
];
test.each(refused)("nothing is sent where $name", async ({ change, want }) => {
  const provider = await openProvider({ rpcUrl: anvil.rpcUrl, timeoutMs: 5_000 });
  const nonce = await provider.getTransactionCount(anvil.accounts[2]!.address);
  await writeFile(join(dir, "third-key"), anvil.accounts[2]!.privateKey);
  await expect(deployWith(parameters(change), { keyFile: join(dir, "third-key") })).rejects.toMatchObject({
    code: "InvalidParameters",
    message: expect.stringMatching(want),
  });
  expect(await provider.getTransactionCount(anvil.accounts[2]!.address)).toBe(nonce);
  provider.destroy();
});

test("another chain's addresses are not written over, and what is no such file is named", async () => {
  const out = join(dir, "elsewhere.json");
  const text = await readFile(join(dir, "governed.json"), "utf8");
  await writeFile(out, text.replace("31337", "1"));
  await expect(deploy({ out })).rejects.toMatchObject({ code: "OtherDeployment" });
  expect(await readFile(out, "utf8")).toContain('"chainId": 1,');
  await writeFile(out, "{}");
  await expect(deploy({ out })).rejects.toMatchObject({ code: "InvalidAddresses" });
  await expect(deploy({ out: join(dir, "no/such/folder.json") })).rejects.toMatchObject({ code: "FileUnwritable" });
  await expect(deploy({ verify: true, out: join(dir, "none.json") })).rejects.toMatchObject({ code: "FileUnreadable" });
  await expect(deploy({ chainId: 5 })).rejects.toMatchObject({ code: "WrongChainId" });
});

test("an account without money deploys nothing", async () => {
  await writeFile(join(dir, "poor-key"), `0x${"75".repeat(32)}`);
  await expect(deployWith(parameters(), { keyFile: join(dir, "poor-key") })).rejects.toThrow(/insufficient funds/i);
});

test.each([
  ["validators: []", /validators is \[\]; expected a list/],
  ["validators: ['0x1']", /validators\[0\] is "0x1"; expected an address/],
  [`validators: ["${validator}"]\nbond: 1`, /bond is 1; expected one of validators/],
  [`validators: ["${validator}"]\nworkerBondWei: 1`, /workerBondWei is 1; expected wei as digits in quotes/],
  [`validators: ["${validator}"]\nreporterBps: 20000`, /reporterBps is 20000; expected basis points/],
  ["challengeSeconds: 1", /validators is missing/],
  ["[", /neither YAML nor JSON/],
])("parameters %j are refused", (text, message) => {
  expect(() => parseParameters(text)).toThrow(message);
});
