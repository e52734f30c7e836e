/** Who calls the agent: one within its means, one that calls on and on however little it may spend. Each keeps its receipts. */
import { setTimeout as sleep } from "node:timers/promises";
import { parseReceipt, receiptHeader } from "../../../src/protocol/call-receipt.ts";
import type { CallLeaf } from "../../../src/protocol/calls.ts";

export interface AnsweredLeaf extends CallLeaf {
  readonly answeredAtMs: number;
}

export interface Caller {
  readonly id: string;
  readonly key: string;
  /** Of all answers that arrived, with when they did. */
  readonly leaves: AnsweredLeaf[];
  /** Refused for want of budget. */
  refused: number;
  stop(): Promise<void>;
}

/** @param urlOf the gateway that serves now */
export function startCaller(id: string, key: string, urlOf: () => string): Caller {
  const stopping = new AbortController();
  const caller = { id, key, leaves: [] as AnsweredLeaf[], refused: 0 };
  const loops = Array.from({ length: 2 }, async (_, lane) => {
    for (let n = lane; !stopping.signal.aborted; n += 2) {
      await callOnce(caller, urlOf(), n).catch(() => undefined);
      await sleep(15);
    }
  });
  return Object.assign(caller, {
    async stop() {
      stopping.abort(new Error("the simulation stops calling"));
      await Promise.all(loops);
    },
  });
}

async function callOnce(caller: Omit<Caller, "stop">, url: string, n: number): Promise<void> {
  const inputs = [{ name: "x", shape: [1], datatype: "UINT8", data: [n % 100] }];
  const response = await fetch(`${url}/v2/models/doubler/infer`, {
    method: "POST",
    body: JSON.stringify({ inputs }),
    headers: { "content-type": "application/json", authorization: `Bearer ${caller.key}` },
    signal: AbortSignal.timeout(5_000),
  });
  const answeredAtMs = Date.now();
  await response.arrayBuffer();
  if (response.status === 402) caller.refused += 1;
  const receipt = response.status === 200 ? response.headers.get(receiptHeader) : null;
  if (receipt) caller.leaves.push({ ...parseReceipt(receipt).leaf, answeredAtMs });
}
