import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { hashHeader } from "../../../src/chain/header.ts";
import { zeroHash } from "../../../src/protocol/settlement.ts";
import { openChainView } from "../../../src/validator/chain-view.ts";
import { aBatch, aSettler, aTask, type ChainFixture, certify, startChain } from "../chain/chain-fixture.ts";

let chain: ChainFixture;
let folder = "";
let addressesFile = "";

beforeAll(async () => {
  chain = await startChain();
  folder = await mkdtemp(join(tmpdir(), "inferium-view-"));
  addressesFile = join(folder, "addresses.json");
  await writeFile(addressesFile, JSON.stringify(chain.client.addresses));
});
afterAll(async () => {
  await chain?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("what a validator reads from the chain", () => {
  test("the last header, the validator set, where rewards go and what a requester may spend", async () => {
    const view = openChainView({ rpcUrl: chain.rpcUrl, addressesFile }, chain.client.domain);
    expect(await view.readHead()).toMatchObject({ sequence: 0n, headerHash: zeroHash });
    const batch = aBatch(chain, { tasks: [aTask(chain, 1)] });
    const settler = await aSettler(chain);
    await settler.settle(batch.header, await certify(chain, batch.header));
    expect(await view.readHead()).toEqual({
      sequence: 1n,
      headerHash: hashHeader(chain.client.domain, batch.header),
    });
    expect([...(await view.readValidators(1n))].sort()).toEqual(chain.validators.map(({ address }) => address).sort());
    const workers = chain.workers.map(({ address }) => address);
    const stranger = `0x${"9".repeat(40)}`;
    expect(await view.readPayouts([...workers, stranger])).toEqual([...workers, `0x${"0".repeat(40)}`]);
    expect(await view.readSpendable(chain.requester.address)).toBe(1_000n * oneToken);
    await view.close();
  });

  test("many nodes are read together as each is alone", async () => {
    const { client } = chain;
    const addresses = [...chain.workers, ...chain.validators].map(({ address }) => address);
    expect(await client.nodes(addresses)).toEqual(await Promise.all(addresses.map((one) => client.node(one))));
    expect(await client.claimedOf(addresses)).toEqual(await Promise.all(addresses.map((one) => client.claimed(one))));
  });

  test("a chain that the pool does not settle on is refused", async () => {
    const view = openChainView({ rpcUrl: chain.rpcUrl, addressesFile }, { ...chain.client.domain, chainId: 1 });
    await expect(view.readHead()).rejects.toMatchObject({ code: "WrongChain" });
  });

  test("a chain that is away may be there later", async () => {
    const view = openChainView({ rpcUrl: "http://127.0.0.1:9", addressesFile }, chain.client.domain);
    await expect(view.readHead()).rejects.toMatchObject({ disposition: "retry" });
    await expect(view.readHead()).rejects.toMatchObject({ disposition: "retry" });
    await view.close();
  });

  test("a file without the addresses is named", async () => {
    const view = openChainView({ rpcUrl: chain.rpcUrl, addressesFile: join(folder, "none.json") }, chain.client.domain);
    await expect(view.readHead()).rejects.toThrow(/none\.json/);
  });
});
