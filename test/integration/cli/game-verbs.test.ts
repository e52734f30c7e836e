/**
 * A dispute game from the command line: the contracts deployed by `chain deploy --game-keys`, the sides played by processes of the
 * command, and whoever is wrong loses. What is refused is refused by name.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import type { BaseWallet } from "ethers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { digestToBytes32 } from "../../../src/base/digest.ts";
import { mintTokens } from "../../../src/chain/bond.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { addChainCommands } from "../../../src/cli/chain/commands.ts";
import { addZkCommands } from "../../../src/cli/zk/commands.ts";
import { writeInline } from "../../../src/pool/inline-tensors.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { createTensor, type NamedTensors } from "../../../src/protocol/tensors/tensor.ts";
import { buildDomain, type ReceiptMessage, receiptTypes } from "../../../src/protocol/typed-data.ts";
import { ProofArtifactStore } from "../../../src/zk/proving/artifact-store.ts";
import { createSnarkjsBackend } from "../../../src/zk/proving/snarkjs-backend.ts";
import { aGameCase } from "../../support/game-case.ts";
import { buildImageModel } from "../../support/integer-model.ts";
import { hasPowersOfTau } from "../../support/powers-of-tau.ts";
import { makeTileKeys } from "../../support/tile-keys.ts";
import { type ChainFixture, startChain } from "../chain/chain-fixture.ts";

const { onnx, model, input, output } = aGameCase();
const main = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));
const parameters = { challengeSeconds: 0, allowDevelopmentSetup: true, gameMoveSeconds: 3_600 };

let dir: string;
let chain: ChainFixture;
const at = (name: string) => join(dir, name);

interface Said {
  readonly status: number;
  readonly told: Record<string, unknown>;
}

const common = () => ["--rpc-url", chain.rpcUrl, "-o", "json"];
const game = (verb: string, ...rest: string[]) => [
  "zk",
  "game",
  verb,
  ...rest,
  ...common(),
  "--addresses",
  at("addresses"),
];
const result = (task: string) => ["--task", at(task), "--model", at("model.onnx")];
const as = (key: string) => ["--key-file", at(key)];

/** In this process: rejects with the verb's error. */
async function run(args: readonly string[]): Promise<Said> {
  const lines: string[] = [];
  let status = 0;
  const program = new Command().exitOverride();
  const context = {
    env: {},
    io: { out: (line: string) => void lines.push(line), note: () => undefined },
    clock: systemClock,
    signal: new AbortController().signal,
    setExitStatus: (code: number) => {
      status = code;
    },
  };
  addChainCommands(program, context);
  addZkCommands(program, context);
  await program.parseAsync([...args], { from: "user" });
  return { status, told: JSON.parse(lines.at(-1) ?? "{}") };
}

/** As a process of its own. */
function spawnVerb(args: readonly string[]): Promise<Said & { readonly error: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { timeout: 120_000 }, (failure, stdout, stderr) => {
      const status = failure === null ? 0 : Number(failure.code ?? -1);
      resolve({ status, told: JSON.parse(stdout.trim().split("\n").at(-1) || "{}"), error: stderr });
    });
  });
}

/** The task as `kubectl get -o json` prints it, with the worker's receipt for this output. */
async function writeTask(name: string, signed: NamedTensors, attempt: number): Promise<void> {
  const zero = `0x${"00".repeat(32)}`;
  const worker = chain.workers[0]!;
  const message: ReceiptMessage = {
    ...{ taskId: `0x${"77".repeat(32)}`, attempt, worker: worker.address },
    ...{ modelDigest: digestToBytes32(model.modelDigest), imageDigest: zero, codeDigest: zero },
    ...{ inputDigest: digestToBytes32(digestTensors(input)), outputDigest: digestToBytes32(digestTensors(signed)) },
    ...{ runtime: "test", startedAtMs: 1, endedAtMs: 2 },
  };
  const signature = await worker.signTypedData(buildDomain(chain.client.domain), receiptTypes, message);
  const task = {
    metadata: { name },
    spec: {
      model: { uri: "https://models.example.org/m.onnx", digest: model.modelDigest },
      input: { inline: writeInline(input) },
    },
    status: { receipt: { message, signature }, output: { inline: writeInline(signed) } },
  };
  await writeFile(at(name), JSON.stringify(task));
}

/** The second row's label is another one. */
function lie(): NamedTensors {
  const labels = BigInt64Array.from(new BigInt64Array(output.get("label")!.data.slice().buffer));
  labels[1] = (labels[1]! + 1n) % 3n;
  return new Map([...output, ["label", createTensor("int64", [2], new Uint8Array(labels.buffer))]]);
}

async function fund(key: BaseWallet, name: string): Promise<void> {
  await chain.provider.send("anvil_setBalance", [key.address, "0x56bc75e2d63100000"]);
  await writeFile(at(name), key.privateKey);
}

describe.skipIf(!hasPowersOfTau)("inferium zk game", () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "inferium-game-verbs-"));
    chain = await startChain({ parameters: { ...parameters } });
    const backend = createSnarkjsBackend({ timeoutMs: 300_000 });
    await makeTileKeys(new ProofArtifactStore(at("keys")), backend);
    await backend.close();
    await fund(chain.admin.signer, "admin");
    await fund(chain.settlerKey, "challenger");
    await fund(chain.workers[0]!, "worker");
    await mintTokens(chain.admin, [{ account: chain.settlerKey.address, amountWei: 1_000n * oneToken }]);
    await writeFile(at("model.onnx"), onnx);
    await writeTask("honest", output, 1);
    await writeTask("wrong", lie(), 2);
    const validators = chain.validators.map(({ address }) => address);
    await writeFile(at("parameters"), JSON.stringify({ ...parameters, validators }));
    const file = {
      chainId: chain.client.chainId,
      deployer: chain.admin.signer.address,
      fromBlock: 0,
      ...chain.addresses,
    };
    await writeFile(at("addresses"), JSON.stringify(file));
  }, 240_000);
  afterAll(async () => {
    await chain?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const deploy = (...rest: string[]) => [
    "chain",
    "deploy",
    "--parameters",
    at("parameters"),
    "--out",
    at("addresses"),
    ...common(),
    ...rest,
  ];

  test("before the contracts stand, every verb says how they are deployed", async () => {
    await expect(run(game("status", "--worker", chain.workers[0]!.address))).rejects.toMatchObject({
      code: "NotDeployed",
      message: expect.stringContaining("--game-keys"),
    });
  });

  test("chain deploy --game-keys deploys them once, and lets the game take stakes", async () => {
    const withKeys = deploy(...as("admin"), "--game-keys", at("keys"));
    await expect(run(deploy(...as("admin"), "--game-keys", dir))).rejects.toMatchObject({ code: "NoTileKeys" });
    expect((await run([...withKeys, "--dry-run"])).told).toMatchObject({ found: 14, deploysGame: true });
    const first = await run(withKeys);
    expect(first).toMatchObject({ status: 0, told: { findings: [], found: 14 } });
    const addresses = first.told.addresses as Record<string, string>;
    expect(JSON.parse(await readFile(at("addresses"), "utf8"))).toMatchObject({
      inferenceGame: addresses.inferenceGame,
    });
    expect((await run(withKeys)).told).toMatchObject({ addresses, findings: [] });
    expect(await run(deploy("--verify"))).toMatchObject({ status: 0, told: { findings: [] } });
    await writeFile(
      at("other"),
      JSON.stringify({ ...parameters, gameMoveSeconds: 60, validators: [chain.workers[0]!.address] }),
    );
    const other = await run(deploy("--verify").map((arg) => (arg === at("parameters") ? at("other") : arg)));
    expect(other.status).toBe(1);
    expect(JSON.stringify(other.told.findings)).toContain("parameters() is 500000000000000000000,3600,1000,3000");
  });

  test("a game is refused whose longest course outlasts a worker's stake, and keys for development where they are not allowed", async () => {
    const validators = [chain.workers[0]!.address];
    const given = async (name: string, changes: object) => {
      await writeFile(at(name), JSON.stringify({ ...parameters, validators, ...changes }));
      return deploy(...as("admin"), "--game-keys", at("keys")).map((arg) =>
        arg === at("parameters") ? at(name) : arg,
      );
    };
    await expect(run(await given("slow", { gameMoveSeconds: 86_400 }))).rejects.toMatchObject({
      code: "InvalidParameters",
      message: expect.stringContaining("gameMoveSeconds"),
    });
    await expect(run(await given("strict", { allowDevelopmentSetup: false }))).rejects.toMatchObject({
      code: "DevelopmentSetup",
    });
  });

  test("a model is registered by the admin alone; what has no game is refused by name", async () => {
    const register = (...rest: string[]) => run(game("register", ...rest));
    await expect(register("--model", at("model.onnx"), ...as("challenger"))).rejects.toMatchObject({
      code: "TransactionReverted",
    });
    const steps = [{ kind: "convolution", filters: 2, size: [3, 3] }] as const;
    await writeFile(
      at("images.onnx"),
      buildImageModel({ isRectified: true, image: [1, 6, 6], steps, sizes: [3], seed: 1, outputs: ["label"] }),
    );
    await expect(register("--model", at("images.onnx"), ...as("admin"))).rejects.toMatchObject({
      code: "UnsupportedLayer",
    });
    const registered = await register("--model", at("model.onnx"), ...as("admin"));
    expect(registered.told).toMatchObject({ model: model.modelDigest, layers: [{}, {}] });
  });

  test("whoever challenges a right result, in spite of the warning, loses to the worker's proof: both sides as processes", async () => {
    await expect(run(game("open", ...result("honest"), ...as("challenger")))).rejects.toMatchObject({
      code: "NothingToChallenge",
    });
    const open = game("open", ...result("honest"), ...as("challenger"), "--row", "1");
    expect((await run([...open, "--dry-run"])).told).toEqual({ dryRun: true, row: 1, bond: "500" });
    const { game: id = "", stage } = (await run(open)).told as { game?: string; stage?: string };
    expect(stage).toBe("Claiming");
    const refuse = async (code: string, verb: string, ...rest: string[]) =>
      expect(run(game(verb, id, ...rest))).rejects.toMatchObject({ code });
    await refuse("NotYourTurn", "answer", ...result("honest"), ...as("challenger"));
    await refuse("NotAPlayer", "bisect", ...result("honest"), ...as("challenger"));
    await refuse("AnotherReceipt", "bisect", ...result("wrong"), ...as("worker"));
    await refuse("NothingToResolve", "resolve", ...as("admin"));
    expect((await run(game("bisect", id, ...result("honest"), ...as("worker")))).told).toMatchObject({
      move: "claim",
      stage: "Layers",
      turn: "Worker",
    });
    const play = (key: string, ...rest: string[]) =>
      spawnVerb(game("play", id, ...result("honest"), ...as(key), "--poll-ms", "50", ...rest));
    const [worker, challenger] = await Promise.all([play("worker", "--game-keys", at("keys")), play("challenger")]);
    const loser = chain.settlerKey.address;
    expect(worker).toMatchObject({ status: 0, told: { outcome: "Upheld", loser }, error: "" });
    expect(challenger).toMatchObject({ status: 1, told: { outcome: "Upheld", loser }, error: "" });
    expect((worker.told.moves as string[]).at(-1)).toBe("prove");
    await refuse("GameClosed", "answer", ...result("honest"), ...as("challenger"));
    const listed = await run(game("status", "--worker", chain.workers[0]!.address));
    expect(listed.told).toMatchObject({ games: [{ game: id, outcome: "Upheld" }] });
    const { told } = await run(game("collect", ...as("admin"), "--account", chain.workers[0]!.address));
    expect(told).toMatchObject({ account: chain.workers[0]!.address });
    expect(await chain.client.balanceOf(chain.workers[0]!.address)).toBe(150n * oneToken);
  }, 240_000);

  test("a worker that signed a wrong result can defend it with nothing, and loses stake when its time is over", async () => {
    const { stakeWei } = await chain.client.node(chain.workers[0]!.address);
    const opened = await run(game("open", ...result("wrong"), ...as("challenger")));
    expect(opened).toMatchObject({ status: 0, told: { stage: "Claiming", row: 1, turn: "Worker" } });
    const id = String(opened.told.game);
    const defence = await spawnVerb(game("play", id, ...result("wrong"), ...as("worker"), "--game-keys", at("keys")));
    expect(defence.status).toBe(1);
    expect(defence.error).toContain("ReceiptIsWrong");
    await chain.provider.send("evm_increaseTime", [3_700]);
    await chain.provider.send("evm_mine", []);
    const resolved = await run(game("resolve", id, ...as("challenger")));
    expect(resolved.told).toMatchObject({ move: "timeOut", outcome: "Refuted", loser: chain.workers[0]!.address });
    expect((await chain.client.node(chain.workers[0]!.address)).stakeWei).toBe((stakeWei * 9n) / 10n);
  }, 240_000);

  test.each([
    ["a game that nobody opened", "UnknownGame", () => game("status", `0x${"12".repeat(32)}`)],
    ["what is no game", "InvalidOption", () => game("status", "12")],
    ["neither game nor worker", "InvalidOption", () => game("status")],
    [
      "a model that is not the receipt's",
      "DigestMismatch",
      () => game("open", "--task", at("honest"), "--model", at("images.onnx"), ...as("challenger")),
    ],
    [
      "a row that is not there",
      "InvalidRow",
      () => game("open", ...result("honest"), ...as("challenger"), "--row", "2"),
    ],
    [
      "a key without the bond",
      "InsufficientBond",
      () => game("open", ...result("wrong"), ...as("worker"), "--row", "0"),
    ],
  ])("refuses %s", async (_, code, args) => {
    await expect(run(args())).rejects.toMatchObject({ code });
  });
});
