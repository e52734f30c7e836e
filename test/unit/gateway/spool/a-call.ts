/** Calls and windows as the spool keeps them. */
import { sha256 } from "../../../../src/base/digest.ts";
import { describeTensors } from "../../../../src/gateway/meter/contents.ts";
import { createOpenWindow, type FinishedCall } from "../../../../src/gateway/meter/open-window.ts";
import type { SpooledWindow } from "../../../../src/gateway/spool/spool-record.ts";
import { tensorFrom } from "../../../../src/protocol/tensors/elements.ts";

export const aWindow: SpooledWindow = {
  owner: { agentId: "a-1", callerId: "alice" },
  nonce: `0x${"1".repeat(32)}`,
  receiptKey: `0x${"5a".repeat(32)}`,
};

export function aCall(n: number): FinishedCall {
  const inputs = new Map([["x", tensorFrom("uint8", [3], [n, 2, 3])]]);
  const outputs = new Map([["y", tensorFrom("float32", [1], [n / 2])]]);
  const times = { startedAtMs: 1_000 + n, endedAtMs: 1_002 + n };
  return { ...describeTensors(inputs, outputs), outcome: "Ok", priceWei: BigInt(10 + n), ...times };
}

/** Of an agent of OpenAI's API: nothing is kept of it but digests. */
export function aFailedCall(): FinishedCall {
  const digests = { inputDigest: sha256("in"), outputDigest: `sha256:${"0".repeat(64)}` };
  const kept = { inputs: undefined, outputs: undefined, sizeBytes: 400 };
  return { ...digests, ...kept, outcome: "Failed", priceWei: 0n, startedAtMs: 5, endedAtMs: 6 };
}

export function anOpenWindow(calls: readonly FinishedCall[], { owner, ...rest } = aWindow) {
  const window = createOpenWindow(owner, { ...rest, openedAtMs: 0 });
  for (const call of calls) window.add(call);
  return window;
}
