import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { EndpointPool, parseEndpoints } from "../../../src/chain/endpoints.ts";

const servers: Server[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

interface Node {
  block: number;
  readonly asked: string[];
  readonly url: string;
}

/** An endpoint that knows a height and its name. */
async function aNode(block: number, name: string): Promise<Node> {
  const node = { block, asked: [] as string[], url: "" };
  const server = createServer(async (request, response) => {
    const { id, method } = JSON.parse(Buffer.concat(await request.toArray()).toString());
    node.asked.push(method);
    const answers: Record<string, string> = { eth_chainId: "0x1", eth_blockNumber: `0x${node.block.toString(16)}` };
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: answers[method] ?? name }));
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  node.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return node;
}

const call = (pool: EndpointPool, method: string) =>
  pool.send({ jsonrpc: "2.0", id: 1, method, params: [] }).then(([first]) => first?.result);

describe("endpoints of which one lags", () => {
  test("the one that is ahead is asked while the other rests, and the other again when it has caught up", async () => {
    let now = 0;
    const [slow, quick] = [await aNode(100, "slow"), await aNode(100, "quick")];
    const pool = new EndpointPool(parseEndpoints(`${slow.url},${quick.url}`), 2_000, () => now);
    await pool.start();
    slow.block = 200;
    quick.block = 197;
    expect(await call(pool, "eth_blockNumber")).toBe("0xc8");
    slow.block = 196;
    quick.block = 201;
    expect(await call(pool, "eth_blockNumber")).toBe("0xc9");
    expect(await call(pool, "eth_call")).toBe("quick");
    now += 1_001;
    slow.block = 201;
    expect(await call(pool, "eth_call")).toBe("slow");
  });

  test("where all lag, as after a deep reorganisation, that is what the chain is", async () => {
    const [a, b] = [await aNode(50, "a"), await aNode(50, "b")];
    const pool = new EndpointPool(parseEndpoints(`${a.url},${b.url}`), 2_000);
    await pool.start();
    expect(await call(pool, "eth_blockNumber")).toBe("0x32");
    a.block = 10;
    b.block = 10;
    expect(await call(pool, "eth_blockNumber")).toBe("0xa");
    expect(await call(pool, "eth_blockNumber")).toBe("0xa");
  });

  test("within three blocks it is taken as it is", async () => {
    const [a, b] = [await aNode(50, "a"), await aNode(50, "b")];
    const pool = new EndpointPool(parseEndpoints(`${a.url},${b.url}`), 2_000);
    await pool.start();
    await call(pool, "eth_blockNumber");
    a.block = 47;
    expect(await call(pool, "eth_blockNumber")).toBe("0x2f");
  });
});
