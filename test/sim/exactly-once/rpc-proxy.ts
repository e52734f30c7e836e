/** An endpoint that drops requests and answers, sends things twice, is slow, and lies about nonces, as often as it is told. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { SeededRandom } from "../../chaos/random.ts";
import type { FaultCounts } from "../scenario.ts";

export interface RpcProxy {
  readonly url: string;
  /** Faults from now on, or none. */
  setFaulty(on: boolean): void;
  close(): Promise<void>;
}

const share = { dropRequest: 0.01, dropAnswer: 0.01, duplicate: 0.02, delay: 0.04, lie: 0.04 } as const;
const maxDelayMs = 150;

export async function startRpcProxy(target: string, random: SeededRandom, counts: FaultCounts): Promise<RpcProxy> {
  let faulty = true;
  const forward = async (body: string) => {
    const answer = await fetch(target, { method: "POST", headers: { "content-type": "application/json" }, body });
    return answer.text();
  };
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readAll(request);
    const strike = (name: keyof typeof share) => {
      if (!faulty || random.next() >= share[name]) return false;
      counts[`rpc-${name}`] = (counts[`rpc-${name}`] ?? 0) + 1;
      return true;
    };
    if (strike("delay")) await sleep(random.between(1, maxDelayMs));
    if (strike("dropRequest")) return request.socket.destroy();
    if (strike("duplicate")) await forward(body);
    const answer = await forward(body);
    if (strike("dropAnswer")) return request.socket.destroy();
    const isNonce = body.includes("eth_getTransactionCount") && body.includes('"pending"');
    response.setHeader("content-type", "application/json");
    return response.end(isNonce && strike("lie") ? addNonces(answer, random.between(1, 3)) : answer);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setFaulty: (on) => {
      faulty = on;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readAll(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}

/** As an endpoint that holds transactions which nobody else has. */
function addNonces(answer: string, more: number): string {
  const body = JSON.parse(answer) as { result: string };
  return JSON.stringify({ ...body, result: `0x${(Number(body.result) + more).toString(16)}` });
}
