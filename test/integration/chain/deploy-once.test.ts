import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { id, Wallet } from "ethers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { loadArtifact } from "../../../src/chain/artifacts.ts";
import { parseParameters } from "../../../src/chain/parse-parameters.ts";
import { openProvider } from "../../../src/chain/provider.ts";
import { runDeploy } from "../../../src/cli/chain/deploy.ts";
import { type Anvil, startAnvil } from "../../../src/embedded/chain/anvil.ts";

let dir: string;
let anvil: Anvil;
const guardian = new Wallet(`0x${"71".repeat(32)}`).address;
const validator = new Wallet(`0x${"72".repeat(32)}`).address;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-deploy-"));
  anvil = await startAnvil({ port: 0, dataDir: join(dir, "anvil"), logger: silentLogger });
  await writeFile(join(dir, "key"), anvil.accounts[0]!.privateKey);
  const text = `validators: ["${validator}"]\nadmin: timelock\nguardian: "${guardian}"\nchallengeSeconds: 7200\n`;
  await writeFile(join(dir, "parameters.yaml"), text);
});
afterAll(async () => {
  await anvil?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function deploy(options: { verify?: boolean; parameters?: string } = {}) {
  const lines: string[] = [];
  const paths = { parameters: options.parameters ?? join(dir, "parameters.yaml"), out: join(dir, "addresses.json") };
  const status = await runDeploy(
    { ...paths, keyFile: join(dir, "key"), rpcUrl: anvil.rpcUrl, verify: options.verify ?? false },
    { env: {}, io: { out: (line) => void lines.push(line), note: () => undefined } },
  );
  return { status, out: lines.join("\n") };
}

test("deploys once, finds what stands, and leaves no role with the deployer", async () => {
  const first = await deploy();
  expect(first).toEqual({
    status: 0,
    out: "0 of 11 contracts stood, 11 were deployed; code and parameters are as they must be.",
  });
  const addresses = JSON.parse(await readFile(join(dir, "addresses.json"), "utf8"));
  const again = await deploy();
  expect(again.out).toContain("11 of 11 contracts stood, 0 were deployed");
  expect(JSON.parse(await readFile(join(dir, "addresses.json"), "utf8"))).toEqual(addresses);
  expect((await deploy({ verify: true })).status).toBe(0);

  const other = join(dir, "other.yaml");
  await writeFile(other, (await readFile(join(dir, "parameters.yaml"), "utf8")).replace("7200", "9000"));
  const differs = await deploy({ verify: true, parameters: other });
  expect(differs).toEqual({
    status: 1,
    out: "settlement: challengeSeconds() is 7200, expected 9000\n1 differences.",
  });

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
  expect((await deploy({ verify: true })).out).toContain(`escrow: other code than TaskEscrow's at ${addresses.escrow}`);
  provider.destroy();
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
