/** `inferium dispute` from the evidence to the bond, on a real chain whose time is moved by hand. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { mintTokens } from "../../../src/chain/bond.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { addChainCommands } from "../../../src/cli/chain/commands.ts";
import { type ChainFixture, startChain } from "../chain/chain-fixture.ts";
import { quickDisputes, settleResult, wrongOutput } from "../chain/dispute-scene.ts";
import { pauseToken } from "../chain/pause-token.ts";

let chain: ChainFixture;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-dispute-cli-"));
  chain = await startChain({ ownBonds: true, parameters: { ...quickDisputes, vetoSeconds: 60 } });
  await writeFile(at("addresses"), JSON.stringify(chain.addresses));
  await writeFile(at("owner"), chain.settlerKey.privateKey);
  await writeFile(at("admin"), chain.admin.signer.privateKey);
  for (const { address, privateKey } of chain.validators) await writeFile(at(address), privateKey);
  const first = await settleResult(chain, { outputDigest: wrongOutput, approvers: [0] });
  const second = await settleResult(chain, { outputDigest: wrongOutput, approvers: [1], number: 2, previous: first });
  await writeFile(at("first"), JSON.stringify({ epoch: "1", task: first.task }));
  await writeFile(at("second"), JSON.stringify({ epoch: "1", task: second.task }));
});
afterAll(async () => {
  await chain?.stop();
  await rm(dir, { recursive: true, force: true });
});

const at = (name: string) => join(dir, name);
const skip = async (seconds: number) => {
  await chain.provider.send("evm_increaseTime", [seconds]);
  await chain.provider.send("anvil_mine", ["0x3"]);
};

async function dispute(args: readonly string[], key = "owner"): Promise<string> {
  const lines: string[] = [];
  const program = new Command().exitOverride();
  addChainCommands(program, {
    env: {
      INFERIUM_RPC_URL: chain.rpcUrl,
      INFERIUM_ADDRESSES_FILE: at("addresses"),
      INFERIUM_KEY_FILE: at(key),
    },
    io: { out: (line) => void lines.push(line), note: () => undefined },
    clock: systemClock,
    signal: new AbortController().signal,
    setExitStatus: () => undefined,
  });
  await program.parseAsync(["dispute", ...args], { from: "user" });
  return lines.join("\n");
}

const json = async (args: readonly string[], key?: string) => JSON.parse(await dispute([...args, "-o", "json"], key));

describe("inferium dispute", () => {
  test("says what is missing before it sends anything", async () => {
    await expect(dispute(["open", "--file", at("first")])).rejects.toMatchObject({
      code: "InsufficientBond",
      message: expect.stringContaining("a dispute takes a bond of 1000"),
    });
    await mintTokens(chain.admin, [{ account: chain.settlerKey.address, amountWei: 2_000n * oneToken }]);
    const stranger = chain.validators[5]!.address;
    await expect(dispute(["open", "--file", at("first"), "--accuse", stranger])).rejects.toMatchObject({
      code: "NobodyAccused",
    });
    await expect(dispute(["open", "--file", at("addresses")])).rejects.toMatchObject({ code: "FileUnreadable" });
    await expect(dispute(["open", "--file", at("first"), "--chain-id", "1"])).rejects.toMatchObject({
      code: "WrongChainId",
    });
    await expect(dispute(["status", `0x${"00".repeat(32)}`])).rejects.toMatchObject({ code: "DisputeUnknown" });
    await expect(dispute(["status", "17"])).rejects.toThrow(/expected 0x and 64 hex digits/);
    expect(await dispute(["list"])).toBe("There are no disputes.");
  });

  test("says that the token is paused, before anything is paid", async () => {
    const sent = () => chain.provider.getTransactionCount(chain.settlerKey.address);
    const before = await sent();
    const resume = await pauseToken(chain);
    await expect(dispute(["open", "--file", at("first")])).rejects.toMatchObject({
      code: "TokenPaused",
      message: expect.stringContaining("is paused by its administrator: no IFR can be moved until that ends."),
    });
    expect(await sent()).toBe(before);
    await resume();
    expect(await json(["open", "--file", at("first"), "--dry-run"])).toMatchObject({ dryRun: true });
  });

  test("a dry run opens nothing", async () => {
    const { dryRun, dispute: id } = await json(["open", "--file", at("first"), "--dry-run"]);
    expect(dryRun).toBe(true);
    await expect(dispute(["status", id])).rejects.toMatchObject({ code: "DisputeUnknown" });
  });

  test("leads a dispute from the evidence to the penalty and the bond", async () => {
    const accused = chain.validators[0]!.address;
    const opened = await json(["open", "--file", at("first")]);
    expect(opened.accused).toEqual([accused]);
    const id: string = opened.dispute;
    await expect(dispute(["open", "--file", at("first")])).rejects.toMatchObject({ code: "AlreadyDisputed" });
    expect(await json(["list"])).toMatchObject([{ dispute: id, state: "Drawing", ruling: "None" }]);
    await skip(1);
    await dispute(["draw", id]);
    const { jury } = await json(["status", id]);
    expect(jury).toHaveLength(2);
    await expect(vote("commit", id, accused)).rejects.toMatchObject({ code: "NotAJuror" });
    await vote("commit", id, jury[0]);
    await expect(vote("reveal", id, jury[0])).rejects.toThrow(/phase/);
    await vote("commit", id, jury[1]);
    for (const juror of jury) await vote("reveal", id, juror);
    await dispute(["rule", id]);
    await expect(dispute(["execute", id])).rejects.toThrow(/The phase before is not over/);
    await expect(dispute(["veto", id])).rejects.toThrow(/Only the holder of the role/);
    await skip(61);
    await dispute(["execute", id]);
    expect(await json(["status", id])).toMatchObject({ state: "Closed", ruling: "Overturned", overturn: 2 });
    expect(await chain.client.node(accused)).toMatchObject({ stakeWei: 0n });
    await dispute(["collect"]);
    expect(await chain.client.balanceOf(chain.settlerKey.address)).toBe(2_000n * oneToken);
    await expect(dispute(["collect"])).rejects.toMatchObject({ code: "NothingOwed" });
  });

  test("against who has nothing left there is nothing to open", async () => {
    await mintTokens(chain.admin, [{ account: chain.admin.signer.address, amountWei: 1_000n * oneToken }]);
    await expect(dispute(["open", "--file", at("first")], "admin")).rejects.toMatchObject({
      code: "NothingAtStake",
      message: expect.stringContaining("Underbonded"),
    });
  });

  test("the guardian's veto gives the bond back and takes nothing", async () => {
    const { dispute: id } = await json(["open", "--file", at("second")]);
    await skip(1);
    await dispute(["draw", id]);
    await skip(quickDisputes.juryCommitSeconds + quickDisputes.juryRevealSeconds + 2);
    await dispute(["rule", id]);
    await dispute(["veto", id], "admin");
    expect(await dispute(["status", id])).toContain("closed, Vetoed");
    expect(await chain.client.node(chain.validators[1]!.address)).toMatchObject({ stakeWei: 50_000n * oneToken });
  });

  test("after the window it is too late", async () => {
    await skip(15 * 86_400);
    await expect(dispute(["open", "--file", at("second")], "admin")).rejects.toMatchObject({ code: "WindowOver" });
  });

  test("verdict and salt are kept before they are sent, and never another", async () => {
    const [file] = await saltFiles();
    const before = await readFile(file!, "utf8");
    expect(JSON.parse(before)).toMatchObject({ verdict: "Wrong", salt: expect.stringMatching(/^0x[0-9a-f]{64}$/) });
  });
});

async function saltFiles(): Promise<string[]> {
  const names = await Promise.all(
    chain.validators.map(({ address }) => readFile(at(`salt-${address}`)).catch(() => undefined)),
  );
  return names.flatMap((text, index) => (text === undefined ? [] : [at(`salt-${chain.validators[index]!.address}`)]));
}

async function vote(verb: "commit" | "reveal", id: string, juror: string): Promise<void> {
  const verdict = verb === "commit" ? ["--verdict", "wrong"] : [];
  await dispute([verb, "--dispute", id, ...verdict, "--salt-file", at(`salt-${juror}`)], juror);
  if (verb === "reveal") return;
  const other = dispute([verb, "--dispute", id, "--verdict", "right", "--salt-file", at(`salt-${juror}`)], juror);
  await expect(other).rejects.toMatchObject({ code: "OtherVerdict" });
}
