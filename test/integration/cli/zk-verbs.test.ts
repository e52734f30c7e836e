/** The verbs of a ceremony as they are typed, but that the circuit's first key is made once for all of them. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { Contract, ContractFactory, Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { digestToBytes32 } from "../../../src/base/digest.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { loadArtifact } from "../../../src/chain/artifacts.ts";
import { openProvider } from "../../../src/chain/provider.ts";
import { runBeacon } from "../../../src/cli/zk/beacon.ts";
import { addZkCommands } from "../../../src/cli/zk/commands.ts";
import { runContribute } from "../../../src/cli/zk/contribute.ts";
import { runRegister } from "../../../src/cli/zk/register.ts";
import { runSetup } from "../../../src/cli/zk/setup.ts";
import { runVerify } from "../../../src/cli/zk/verify.ts";
import type { ZkSession } from "../../../src/cli/zk/zk-session.ts";
import { type Anvil, startAnvil } from "../../../src/embedded/chain/anvil.ts";
import { ProofArtifactStore } from "../../../src/zk/proving/artifact-store.ts";
import { createSnarkjsBackend } from "../../../src/zk/proving/snarkjs-backend.ts";
import { withFirstKey } from "../../support/first-key.ts";
import { buildIntegerModel } from "../../support/integer-model.ts";
import { hasPowersOfTau, powersOfTauPath } from "../../support/powers-of-tau.ts";
import { provenCase } from "../../support/proven-case.ts";

let dir: string;
let anvil: Anvil;
let registry: string;
const snarkjs = createSnarkjsBackend({ timeoutMs: 300_000 });
const backend = withFirstKey(snarkjs);
const at = (name: string) => join(dir, name);
const lines: string[] = [];
const io = { out: (line: string) => void lines.push(line), note: () => undefined };

/** What a verb says; the last line is the JSON, where that was asked for. */
async function say(verb: (session: ZkSession) => Promise<number>): Promise<string[]> {
  lines.length = 0;
  const session: ZkSession = { io, env: { INFERIUM_RPC_URL: anvil.rpcUrl, INFERIUM_KEY_FILE: at("key") }, backend };
  expect(await verb(session)).toBe(0);
  return [...lines];
}

async function json(verb: (session: ZkSession) => Promise<number>): Promise<Record<string, unknown>> {
  return JSON.parse((await say(verb)).at(-1) ?? "");
}

const circuit = () => ({
  model: at("model.onnx"),
  rows: 1,
  powersOfTau: powersOfTauPath,
  powersOfTauName: "given",
  dir: at("ceremony"),
});

describe.skipIf(!hasPowersOfTau)("inferium zk", () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "inferium-zk-"));
    anvil = await startAnvil({ port: 0, dataDir: at("chain"), logger: silentLogger });
    const provider = await openProvider({ rpcUrl: anvil.rpcUrl, timeoutMs: 10_000 });
    const admin = new Wallet(anvil.accounts[0]!.privateKey, provider);
    const { abi, bytecode } = loadArtifact("ModelRegistry");
    const models = await new ContractFactory(abi, bytecode, admin).deploy(admin.address, true);
    await models.waitForDeployment();
    registry = String(models.target);
    provider.destroy();
    await writeFile(at("key"), admin.privateKey);
    await writeFile(at("model.onnx"), provenCase().onnx);
    await writeFile(at("dice"), "3 1 4 1 5");
  }, 60_000);
  afterAll(async () => {
    await snarkjs.close();
    await anvil?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  test("a dry run writes nothing, and tells what would be made", async () => {
    const said = await json((session) => runSetup({ ...circuit(), output: "json", dryRun: true }, session));
    expect(said).toMatchObject({
      dryRun: true,
      security: "development, not secure",
      constraintCount: expect.any(Number),
    });
    expect(await readdir(dir)).not.toContain("ceremony");
  });

  test("a ceremony from the first key to the chain", async () => {
    expect((await say((session) => runSetup(circuit(), session))).join("\n")).toContain(
      "Setup: development, not secure.",
    );
    const asked = { dir: at("ceremony"), name: "validator-1", entropyFile: at("dice") };
    const planned = await json((session) => runContribute({ ...asked, dryRun: true, output: "json" }, session));
    expect(planned).toMatchObject({ step: 1, dryRun: true });
    const contributed = await json((session) => runContribute({ ...asked, output: "json" }, session));
    expect(contributed.contributionHash).toMatch(/^[0-9a-f]{128}$/);
    const closing = { dir: at("ceremony"), confirmations: 0, iterations: 10, rpcUrl: anvil.rpcUrl, block: 1 };
    const dry = await json((session) => runBeacon({ ...closing, dryRun: true, output: "json" }, session));
    const closed = await json((session) => runBeacon({ ...closing, output: "json" }, session));
    expect(closed.beacon).toEqual(dry.beacon);
    expect(closed.beacon).toMatchObject({ source: "block 1 of chain 31337" });
    const verified = await say((session) => runVerify({ ...circuit(), rpcUrl: anvil.rpcUrl }, session));
    expect(verified.join("\n")).toMatch(
      /Contribution 1: "validator-1" [0-9a-f]{128}\nBeacon: .* looked up on the chain/,
    );
    expect(verified).toContain("Setup: development, not secure. Whoever made it may be able to forge proofs.");
  }, 120_000);

  test("registering refuses a setup for development, tries first, and then keeps and sends", async () => {
    const options = {
      ...circuit(),
      store: at("store"),
      registry,
      allowDevelopmentSetup: false,
      output: "json" as const,
    };
    const session = { io, env: {}, backend };
    await expect(runRegister(options, session)).rejects.toMatchObject({ code: "DevelopmentSetup" });
    const allowed = { ...options, allowDevelopmentSetup: true };
    const dry = await json((with_) => runRegister({ ...allowed, dryRun: true }, with_));
    expect(dry).toMatchObject({ dryRun: true, chain: { gas: expect.stringMatching(/^\d+$/) } });
    expect(await readdir(dir)).not.toContain("store");
    const done = await json((with_) => runRegister(allowed, with_));
    expect(done).toMatchObject({
      security: "development, not secure",
      chain: { txHash: expect.stringMatching(/^0x/) },
    });
    const { record, ceremonyDigest } = done as {
      record: { modelDigest: `sha256:${string}` };
      ceremonyDigest: `sha256:${string}`;
    };
    const provider = await openProvider({ rpcUrl: anvil.rpcUrl, timeoutMs: 10_000 });
    const onChain = await new Contract(registry, loadArtifact("ModelRegistry").abi, provider).getFunction("circuitOf")(
      digestToBytes32(record.modelDigest),
      1,
    );
    provider.destroy();
    expect(onChain.ceremonyDigest).toBe(digestToBytes32(ceremonyDigest));
    expect(onChain.isDevelopment).toBe(true);
    await expect(json((with_) => runRegister(allowed, with_))).rejects.toMatchObject({
      evidence: { revert: "AlreadyRegistered" },
    });
  }, 120_000);

  test("a beacon that is not its block's hash is found out", async () => {
    const other = { ...circuit(), dir: at("other") };
    await say((session) => runSetup(other, session));
    await say((session) => runContribute({ dir: other.dir, name: "validator-1" }, session));
    const claimed = { value: "ab".repeat(32), source: "block 1 of chain 31337", confirmations: 0, iterations: 10 };
    await say((session) => runBeacon({ dir: other.dir, ...claimed }, session));
    const verify = runVerify({ ...other, rpcUrl: anvil.rpcUrl }, { io, env: {}, backend });
    await expect(verify).rejects.toMatchObject({ code: "BeaconMismatch" });
  }, 120_000);

  test.each<[string, string, (session: ZkSession) => Promise<number>]>([
    [
      "a block that is not deep enough",
      "BlockNotDeep",
      (session) =>
        runBeacon({ dir: at("x"), rpcUrl: anvil.rpcUrl, block: 1, confirmations: 64, iterations: 10 }, session),
    ],
    [
      "neither a value nor a block",
      "InvalidOption",
      (session) => runBeacon({ dir: at("x"), confirmations: 0, iterations: 10 }, session),
    ],
    [
      "a model that is not there",
      "FileUnreadable",
      (session) => runSetup({ ...circuit(), model: at("nothing") }, session),
    ],
    [
      "powers of tau that nobody knows",
      "InvalidPowersOfTau",
      (session) => runSetup({ ...circuit(), powersOfTau: at("dice") }, session),
    ],
    [
      "a circuit that is too large",
      "CircuitTooLarge",
      async (session) => {
        await writeFile(at("large.onnx"), buildIntegerModel({ sizes: [300, 4], seed: 1, outputs: ["label"] }));
        return runSetup({ ...circuit(), model: at("large.onnx"), rows: 16, dir: at("large") }, session);
      },
    ],
    [
      "a ceremony that is not there",
      "CeremonyMissing",
      (session) => runContribute({ dir: at("nowhere"), name: "validator-1" }, session),
    ],
  ])("says clearly what is wrong with %s", async (_, code, verb) => {
    await expect(verb({ io, env: {}, backend })).rejects.toMatchObject({ code });
  });

  test("the tile's ceremony is kept without a model, and goes to no ModelRegistry", async () => {
    const { model: _, ...rest } = circuit();
    const tile = { ...rest, tile: true, dir: at("tile") };
    const begun = await json((session) => runSetup({ ...tile, output: "json" }, session));
    expect(begun).toMatchObject({ subject: { kind: "Tile" }, constraintCount: 4015 });
    await say((session) => runContribute({ dir: tile.dir, name: "validator-1" }, session));
    const verified = await json((session) => runVerify({ ...tile, output: "json" }, session));
    expect(verified.verifyingKeyWords).toHaveLength(26);
    const session = { io, env: {}, backend };
    const keep = { ...tile, store: at("store"), allowDevelopmentSetup: true };
    await expect(runRegister({ ...keep, allowDevelopmentSetup: false }, session)).rejects.toMatchObject({
      code: "DevelopmentSetup",
    });
    await expect(runRegister({ ...keep, registry }, session)).rejects.toMatchObject({ code: "InvalidOption" });
    await say(() => runRegister(keep, session));
    expect(await new ProofArtifactStore(keep.store).readTileKeys()).toMatchObject({ constraintCount: 4015 });
    const swapped = runVerify({ ...circuit(), dir: tile.dir }, session);
    await expect(swapped).rejects.toMatchObject({ code: "ModelMismatch" });
    await expect(runSetup({ ...tile, model: at("model.onnx") }, session)).rejects.toMatchObject({
      code: "InvalidOption",
    });
    await expect(runSetup(rest, session)).rejects.toMatchObject({ code: "InvalidOption" });
  }, 300_000);

  test("verbs are found, and their options read", async () => {
    let status: number | undefined;
    const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
    addZkCommands(program, {
      env: {},
      io,
      clock: systemClock,
      signal: new AbortController().signal,
      setExitStatus: (code) => {
        status = code;
      },
    });
    const model = ["--model", at("model.onnx"), "--powers-of-tau", powersOfTauPath];
    lines.length = 0;
    await program.parseAsync(["zk", "setup", "--dir", at("typed"), ...model, "--dry-run", "-o", "json"], {
      from: "user",
    });
    expect(status).toBe(0);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ dryRun: true, subject: { kind: "Model", rows: 1 } });
    await expect(program.parseAsync(["zk", "contribute"], { from: "user" })).rejects.toThrow(/--dir/);
  });
});
