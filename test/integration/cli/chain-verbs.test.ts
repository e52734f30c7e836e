import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InferenceTask } from "../../../src/api/v1alpha1/types.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { mintTokens } from "../../../src/chain/bond.ts";
import { addChainCommands } from "../../../src/cli/chain/commands.ts";
import { createSigner } from "../../../src/pool/signer.ts";
import { hashMessage, type ReceiptMessage, receiptTypes } from "../../../src/protocol/typed-data.ts";
import { aBatch, aSettler, aTask, type ChainFixture, certify, startChain } from "../chain/chain-fixture.ts";

let chain: ChainFixture;
let dir: string;
let owner: Wallet;
let settled: InferenceTask;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-cli-"));
  chain = await startChain();
  await file("addresses", JSON.stringify(chain.addresses));
  owner = new Wallet(chain.settlerKey.privateKey);
  await file("owner", owner.privateKey);
  await mintTokens(chain.admin, [{ account: owner.address, amountWei: 20_000n * 10n ** 18n }]);
  settled = await settleTask();
});
afterAll(async () => {
  await chain?.stop();
  await rm(dir, { recursive: true, force: true });
});

const pathOf = (name: string) => join(dir, name);
const file = (name: string, text: string) => writeFile(pathOf(name), text);

/** A task that is in the second of three batches, with the status that the operator writes. */
async function settleTask(): Promise<InferenceTask> {
  const worker = createSigner(chain.workers[0]!.privateKey);
  const digest = (byte: string) => `0x${byte.repeat(32)}`;
  const task = aTask(chain, 2);
  const message: ReceiptMessage = {
    ...{
      taskId: task.taskId,
      attempt: 1,
      worker: worker.address,
      modelDigest: digest("a1"),
      imageDigest: digest("00"),
    },
    ...{ codeDigest: digest("00"), inputDigest: digest("b2"), outputDigest: digest("c3"), runtime: "cpu" },
    ...{ startedAtMs: 1, endedAtMs: 2 },
  };
  const receiptDigest = hashMessage(chain.client.domain, receiptTypes, message);
  const first = aBatch(chain, { tasks: [aTask(chain, 1)] });
  const second = aBatch(chain, { tasks: [aTask(chain, 7), { ...task, receiptDigest }], previous: first });
  const third = aBatch(chain, { tasks: [aTask(chain, 3)], previous: second });
  const settler = await aSettler(chain, { signer: chain.admin.signer });
  for (const { header } of [first, second, third]) await settler.settle(header, await certify(chain, header));
  const signature = await worker.signTypedData(chain.client.domain, receiptTypes, message);
  return {
    metadata: { name: "job" },
    spec: { requester: chain.requester.address },
    status: {
      phase: "Succeeded",
      receipt: { message, signature, digest: receiptDigest },
      output: { digest: `sha256:${"c3".repeat(32)}` },
      settlement: { batch: 2, index: 1, proof: second.taskTree.proof(1), rewardWei: task.rewardWei.toString() },
    },
  } as unknown as InferenceTask;
}

async function run(...args: string[]): Promise<{ status: number | undefined; out: string }> {
  let status: number | undefined;
  const lines: string[] = [];
  const program = new Command().exitOverride();
  addChainCommands(program, {
    env: {
      INFERIUM_RPC_URL: chain.rpcUrl,
      INFERIUM_ADDRESSES_FILE: pathOf("addresses"),
      INFERIUM_KEY_FILE: pathOf("owner"),
    },
    io: { out: (line) => void lines.push(line), note: () => undefined },
    clock: systemClock,
    signal: new AbortController().signal,
    setExitStatus: (code) => {
      status = code;
    },
  });
  await program.parseAsync(args, { from: "user" });
  return { status, out: lines.join("\n") };
}

async function verify(change: (task: InferenceTask) => void): Promise<{ status: number | undefined; out: string }> {
  const task = structuredClone(settled);
  change(task);
  await file("task.json", JSON.stringify(task));
  return run("verify", "task", "--file", pathOf("task.json"));
}

describe("verify task", () => {
  test("proves a settled task from the chain alone, and says what is not proven", async () => {
    const { status, out } = await verify(() => undefined);
    expect(out).toContain("Task job is settled as its status says.");
    expect(out).toMatch(/5 of 7 validators of epoch 1 signed the batch, 5 are needed/);
    expect(out).toContain("not proven: on which hardware it ran");
    expect(out).not.toContain("FAILED");
    expect(status).toBe(0);
  });

  test.each<[string, string, (status: NonNullable<InferenceTask["status"]>) => void]>([
    [
      "another reward",
      "Inclusion",
      (status) => {
        status.settlement!.rewardWei = "7";
      },
    ],
    [
      "another batch",
      "Inclusion",
      (status) => {
        status.settlement!.batch = 3;
      },
    ],
    [
      "a forged proof",
      "Inclusion",
      (status) => {
        status.settlement!.proof = [`0x${"11".repeat(32)}`];
      },
    ],
    [
      "another result",
      "Output",
      (status) => {
        status.output!.digest = `sha256:${"d4".repeat(32)}`;
      },
    ],
    [
      "another worker",
      "Receipt",
      (status) => {
        status.receipt!.message.worker = chain.workers[1]!.address;
      },
    ],
    [
      "another output in the receipt",
      "Receipt",
      (status) => {
        status.receipt!.message.outputDigest = `0x${"d4".repeat(32)}`;
      },
    ],
  ])("refuses %s", async (_, check, tamper) => {
    const { status, out } = await verify((task) => tamper(task.status!));
    expect(out).toMatch(new RegExp(`FAILED +${check}`));
    expect(out).toContain("NOT settled as its status says");
    expect(status).toBe(1);
  });

  test("says that a batch is not there, and that a task is not settled", async () => {
    await expect(
      verify((task) => {
        task.status!.settlement!.batch = 9;
      }),
    ).rejects.toMatchObject({
      code: "BatchNotSettled",
    });
    await expect(
      verify((task) => {
        delete task.status!.settlement;
      }),
    ).rejects.toMatchObject({ code: "NotSettled" });
  });
});

describe("bonds and deposits", () => {
  test("a dry run sends nothing, a bond bonds, and too little is refused with the reason", async () => {
    const node = Wallet.createRandom();
    await file("node", node.privateKey);
    const bond = ["bond", "--role", "worker", "--node-key-file", pathOf("node")];
    const dry = await run(...bond, "--amount", "10000", "--dry-run", "-o", "json");
    expect(JSON.parse(dry.out)).toMatchObject({ dryRun: true, transactions: [{ action: "IFRToken.approve" }, {}] });
    expect((await chain.client.node(node.address)).state).toBe("None");
    await expect(run(...bond, "--amount", "1")).rejects.toMatchObject({
      evidence: { revert: "BondTooSmall" },
      message: expect.stringContaining("does not reach the minimum of the role"),
    });
    await expect(run(...bond, "--amount", "30000")).rejects.toMatchObject({ code: "InsufficientFunds" });
    await run(...bond, "--amount", "10000");
    expect(await chain.client.node(node.address)).toMatchObject({ state: "Active", owner: owner.address });
    await run("unbond", "--node", node.address, "--amount", "10000");
    expect((await chain.client.node(node.address)).unbondingWei).toBe(10_000n * 10n ** 18n);
    await expect(run("withdraw", "--node", node.address)).rejects.toMatchObject({
      evidence: { revert: "StillUnbonding" },
    });
  });

  test("a deposit is spendable, and what is asked back is not", async () => {
    await run("requester", "deposit", "--amount", "5");
    expect(await chain.client.spendable(owner.address)).toBe(5n * 10n ** 18n);
    await run("requester", "withdraw", "--amount", "2");
    expect(await chain.client.spendable(owner.address)).toBe(3n * 10n ** 18n);
    await expect(run("requester", "withdraw")).rejects.toMatchObject({ evidence: { revert: "NotReady" } });
  });
});

describe("the chain that is asked", () => {
  test("its status, another chain id and a chain without the contracts", async () => {
    expect(JSON.parse((await run("chain", "status", "-o", "json")).out)).toMatchObject({
      chainId: 31_337,
      lastBatch: "3",
      isLastFinal: true,
    });
    await expect(run("chain", "status", "--chain-id", "1")).rejects.toMatchObject({ code: "WrongChainId" });
    await file("wrong", JSON.stringify({ ...chain.addresses, settlement: Wallet.createRandom().address }));
    await expect(run("chain", "status", "--addresses", pathOf("wrong"))).rejects.toMatchObject({ code: "NotDeployed" });
  });
});
