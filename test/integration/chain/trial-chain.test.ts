/** The program beside a development chain: what it sets up, once and again, and which chains it leaves alone. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wallet } from "ethers";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { type ChainClient, connectChain } from "../../../src/chain/client.ts";
import { findAnvil } from "../../../src/embedded/chain/anvil-binary.ts";
import { developmentAccounts } from "../../../src/embedded/chain/development-accounts.ts";
import { runTrialChain } from "../../../src/embedded/chain/run-trial-chain.ts";
import { trialAddresses } from "../../../src/embedded/chain/set-up-trial.ts";

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (let end = ending.pop(); end !== undefined; end = ending.pop()) await end();
});

const settler = Wallet.createRandom();
const wallets = { "worker-a": Wallet.createRandom(), "validator-a": Wallet.createRandom() };
const later = Wallet.createRandom();

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "trial-chain-"));
  ending.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function aKeysFolder(more: Readonly<Record<string, { readonly privateKey: string }>> = {}): Promise<string> {
  const folder = await aFolder();
  for (const [name, { privateKey }] of Object.entries({ settler, ...wallets, ...more })) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, "key"), privateKey);
  }
  return folder;
}

/** As the chart starts it, but for the port, which it says. */
async function startAnvilOf(state: string, port = 0): Promise<{ rpcUrl: string; port: number; child: ChildProcess }> {
  const args = [`--host=127.0.0.1`, `--port=${port}`, "--hardfork=prague", "--chain-id=31337"];
  const child = spawn(findAnvil(), [...args, `--state=${state}`, "--state-interval=5"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { HOME: await aFolder() },
  });
  ending.push(() => stop(child));
  const listening = await new Promise<number>((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk;
      const found = /Listening on 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    child.once("exit", (code) => reject(new Error(`anvil ended with ${code}: ${text}`)));
  });
  return { rpcUrl: `http://127.0.0.1:${listening}`, port: listening, child };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

async function aFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function aRun(rpcUrl: string, keysDir: string) {
  const stopping = new AbortController();
  const healthAddress = `127.0.0.1:${await aFreePort()}`;
  const common = { signal: stopping.signal, logger: silentLogger, clock: systemClock };
  const ended = runTrialChain({ rpcUrl, keysDir, healthAddress, blockSeconds: 1, ...common });
  ended.catch(() => undefined);
  ending.push(async () => {
    stopping.abort();
    await ended.catch(() => undefined);
  });
  const readiness = () =>
    fetch(`http://${healthAddress}/readyz`).then(
      ({ status }) => status,
      () => 0,
    );
  const untilReady = () => expect.poll(readiness, { timeout: 60_000 }).toBe(200);
  const end = async () => {
    stopping.abort();
    await ended;
  };
  return { ended, untilReady, readiness, end };
}

async function aClient(rpcUrl: string): Promise<ChainClient> {
  const client = await connectChain({ rpcUrl, addresses: trialAddresses(), timeoutMs: 10_000 });
  ending.push(() => client.close());
  return client;
}

async function expectSetUp(client: ChainClient, validators: readonly { readonly address: string }[]): Promise<void> {
  for (const { address } of [wallets["worker-a"], ...validators]) {
    // Of an owner of its own: who shares an owner never judges the other.
    expect(await client.node(address)).toMatchObject({ state: "Active", owner: address, payout: address });
  }
  const seated = await client.validators(await client.epoch());
  expect(seated.toSorted()).toEqual(validators.map(({ address }) => address).toSorted());
  const requester = developmentAccounts(4)[3]?.address ?? "";
  expect(await client.spendable(requester)).toBe(100_000n * 10n ** 18n);
  expect(await client.provider.getBalance(settler.address)).toBeGreaterThan(0n);
}

describe("a development chain for a trial", () => {
  test("gets the contracts, and every member stake, a seat and an owner of its own; twice is once; newcomers are added", async () => {
    const { rpcUrl } = await startAnvilOf(join(await aFolder(), "chain.json"));
    const first = await aRun(rpcUrl, await aKeysFolder());
    await first.untilReady();
    const client = await aClient(rpcUrl);
    await expectSetUp(client, [wallets["validator-a"]]);
    await first.end();
    const [deployer] = developmentAccounts(1);
    const sent = await client.provider.getTransactionCount(deployer?.address ?? "");
    const again = await aRun(rpcUrl, await aKeysFolder());
    await again.untilReady();
    expect(await client.provider.getTransactionCount(deployer?.address ?? "")).toBe(sent);
    await again.end();
    const grown = await aRun(rpcUrl, await aKeysFolder({ "validator-b": later }));
    await grown.untilReady();
    await expectSetUp(client, [wallets["validator-a"], later]);
  });

  test("is the same after its process was replaced, and is set up anew where it begins anew", async () => {
    const state = join(await aFolder(), "chain.json");
    const before = await startAnvilOf(state);
    const run = await aRun(before.rpcUrl, await aKeysFolder());
    await run.untilReady();
    const client = await aClient(before.rpcUrl);
    const bonded = { address: trialAddresses().registry, fromBlock: 0, toBlock: "latest" };
    const logs = await client.provider.getLogs(bonded);
    expect(logs.length).toBeGreaterThan(2);
    await stop(before.child);
    const kept = await startAnvilOf(state, before.port);
    await run.untilReady();
    const sameLogs = (await client.provider.getLogs(bonded)).map(({ transactionHash }) => transactionHash);
    expect(sameLogs).toEqual(logs.map(({ transactionHash }) => transactionHash));
    await stop(kept.child);
    await startAnvilOf(join(await aFolder(), "other.json"), before.port);
    const codeOf = () => client.provider.getCode(trialAddresses().settlement);
    await expect.poll(codeOf, { timeout: 60_000 }).not.toBe("0x");
    await run.untilReady();
    await expectSetUp(client, [wallets["validator-a"]]);
  });

  test("is never another chain", async () => {
    const server = createServer(async (request, response) => {
      let text = "";
      for await (const chunk of request) text += chunk;
      const answer = (call: { id: number; method: string }) =>
        call.method === "eth_chainId"
          ? { jsonrpc: "2.0", id: call.id, result: "0x1" }
          : { jsonrpc: "2.0", id: call.id, error: { code: -32601, message: "no such method" } };
      const body = JSON.parse(text);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(Array.isArray(body) ? body.map(answer) : answer(body)));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ending.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { ended } = await aRun(`http://127.0.0.1:${port}`, await aKeysFolder());
    await expect(ended).rejects.toMatchObject({
      code: "NoDevelopmentChain",
      message: expect.stringContaining("is chain 1, which is no anvil"),
    });
  });

  test("needs the keys of its members, and says where it looked", async () => {
    const { ended } = await aRun("http://127.0.0.1:1", join(await aFolder(), "nothing"));
    await expect(ended).rejects.toMatchObject({ code: "KeyUnreadable", message: expect.stringContaining("settler") });
  });
});
