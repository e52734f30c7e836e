import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeError } from "../../../src/base/errors.ts";
import { depositFor } from "../../../src/chain/bond.ts";
import { connectChain } from "../../../src/chain/client.ts";
import { aBatch, aSettler, aTask, type ChainFixture, certify, memoryJournal, startChain } from "./chain-fixture.ts";

let chain: ChainFixture;

beforeAll(async () => {
  chain = await startChain();
});
afterAll(() => chain?.stop());

const away = { code: "RpcFailed", disposition: "retry" };

describe("an endpoint that went away", () => {
  test("is an error to retry for every read and write, and nothing is signed", async () => {
    const store = memoryJournal();
    const batch = aBatch(chain, { tasks: [aTask(chain, 1)] });
    const certificate = await certify(chain, batch.header);
    const settler = await aSettler(chain, { store });
    process.kill(chain.anvilPid, "SIGKILL");
    await expect(chain.client.lastBatch()).rejects.toMatchObject(away);
    await expect(chain.client.blockNumber()).rejects.toMatchObject(away);
    await expect(chain.client.blockHash(1)).rejects.toMatchObject(away);
    await expect(settler.settle(batch.header, certificate)).rejects.toMatchObject(away);
    await expect(depositFor(chain.admin, [{ account: chain.requester.address, amountWei: 1n }])).rejects.toMatchObject(
      away,
    );
    expect(store.entries.size).toBe(0);
  });

  test("is said with its origin and without its path, which may hold a key", async () => {
    const rpcUrl = "http://127.0.0.1:9/v3/0123456789abcdef";
    const error = await connectChain({ rpcUrl, addresses: chain.addresses, timeoutMs: 1_000 }).catch((e) => e);
    expect(error).toMatchObject({ code: "RpcUnavailable", disposition: "retry" });
    expect(error.message).toContain("http://127.0.0.1:9:");
    expect(error.message).not.toContain("0123456789abcdef");
  });

  test("that refuses a call is quoted without the URL", async () => {
    const server = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      const { id, method } = JSON.parse(body);
      response
        .writeHead(method === "eth_chainId" ? 200 : 401)
        .end(JSON.stringify({ jsonrpc: "2.0", id, result: "0x1" }));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const rpcUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v3/0123456789abcdef`;
    const client = await connectChain({ rpcUrl, addresses: chain.addresses, timeoutMs: 1_000 });
    const error = await client.lastBatch().catch((e) => e);
    expect(error).toMatchObject(away);
    expect(error.message).toContain("401");
    expect(describeError(error)).not.toContain("0123456789abcdef");
    client.close();
    server.closeAllConnections();
    server.close();
  });
});
