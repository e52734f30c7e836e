/** Calls through a gateway that hosts the model itself: keys, prices, receipts, windows, proofs. */
import { afterEach, describe, expect, it } from "vitest";
import { InferiumError } from "../../../src/base/errors.ts";
import { readInline } from "../../../src/pool/inline-tensors.ts";
import { verifyReceiptSignature } from "../../../src/pool/receipt-signature.ts";
import { parseReceipt } from "../../../src/protocol/call-receipt.ts";
import { computeWindowId, hashCallLeaf, sampleCalls, verifyCallProof } from "../../../src/protocol/calls.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { tensorFrom } from "../../../src/protocol/tensors/elements.ts";
import {
  aCaller,
  aKey,
  anAgent,
  createRecordingSink,
  type GatewayRig,
  infer,
  inferBody,
  openGateway,
  testSeed,
  until,
  untilReady,
} from "./support/gateway-rig.ts";
import { startHeldOip } from "./support/test-backends.ts";

let rig: GatewayRig;
afterEach(() => rig.close());

async function open(...args: Parameters<typeof openGateway>): Promise<void> {
  rig = await openGateway(...args);
  await untilReady(rig.url);
}

const windows = { maxCalls: 1_000, maxAgeMs: 60_000, maxBytes: 2 ** 24, maxHeldBytes: 2 ** 26, keptWindows: 10 };
const receiptOf = (response: Response) => parseReceipt(response.headers.get("inferium-receipt") ?? "");

describe("a receipt", () => {
  it("names digests of exactly what went in and came out, and is signed by the key that the gateway says", async () => {
    await open([anAgent]);
    const response = await infer(rig.url, { body: inferBody(7) });
    const { outputs } = (await response.json()) as { outputs: { name: string; data: number[] }[] };
    const receipt = receiptOf(response);
    const { leaf, hash } = receipt;
    const [label, score] = outputs.map(({ data }) => data);
    expect(leaf).toMatchObject({ index: 0, outcome: "Ok", priceWei: "100" });
    expect(leaf.inputDigest).toBe(
      digestTensors(new Map([["pixels", tensorFrom("uint8", [1, 784], new Array(784).fill(7))]])),
    );
    expect(leaf.outputDigest).toBe(
      digestTensors(
        new Map([
          ["label", tensorFrom("int64", [1], label!)],
          ["score", tensorFrom("int32", [1], score!)],
        ]),
      ),
    );
    const { publicKey } = (await (await fetch(`${rig.url}/inferium/v1/receipt-key`)).json()) as { publicKey: string };
    expect(verifyReceiptSignature(publicKey, receipt)).toBe(true);
    const another = hashCallLeaf({ ...leaf, priceWei: "99" });
    expect(verifyReceiptSignature(publicKey, { ...receipt, hash: another })).toBe(false);
    expect(hash).toBe(hashCallLeaf(leaf));
  });
});

describe("a window", () => {
  it("closes when it has its number of calls, and opens those that the seed picks", async () => {
    await open([anAgent], { windows: { ...windows, maxCalls: 10 } });
    for (let i = 0; i < 10; i++) expect((await infer(rig.url, { body: inferBody(i) })).status).toBe(200);
    await until(() => rig.sink.opened.size === 1);
    const [window] = rig.sink.windows;
    expect(window).toMatchObject({ agentId: "uid-1", callerId: "alice", count: 10, failed: 0, revenueWei: "1000" });
    expect(computeWindowId(window!)).toBe(window!.windowId);
    const opened = rig.sink.opened.get(window!.windowId)!;
    expect(opened.map(({ leaf }) => leaf.index)).toEqual(sampleCalls(testSeed, 10, 4));
    for (const { leaf, proof, input, output } of opened) {
      const place = { root: window!.root, count: 10, index: leaf.index, leaf: hashCallLeaf(leaf), proof };
      expect(verifyCallProof(place)).toBe(true);
      if (input?.kind !== "tensors" || output?.kind !== "tensors") throw new Error("no tensors");
      expect(digestTensors(readInline(input.tensors))).toBe(leaf.inputDigest);
      expect(digestTensors(readInline(output.tensors))).toBe(leaf.outputDigest);
      expect(readInline(input.tensors).get("pixels")?.data[0]).toBe(leaf.index);
    }
  });

  it("closes with age, and gives its caller a proof of each call, and nobody else", async () => {
    const bob = { ...aCaller, id: "bob", keyDigest: aCaller.keyDigest.replace(/.{8}$/, "00000000") };
    await open([{ ...anAgent, callers: [aCaller, bob] }], { windows: { ...windows, maxAgeMs: 50 } });
    const { leaf } = receiptOf(await infer(rig.url));
    await until(() => rig.sink.opened.size === 1);
    const path = `${rig.url}/inferium/v1/windows/${leaf.windowId}`;
    const headers = { authorization: `Bearer ${aKey}` };
    type Shown = { state: string; window: { root: string; count: number }; leaf: typeof leaf; proof: string[] };
    const shown = (await (await fetch(`${path}/calls/0`, { headers })).json()) as Shown;
    expect(shown.leaf).toEqual(leaf);
    const { root, count } = shown.window;
    expect(verifyCallProof({ root, count, index: 0, leaf: hashCallLeaf(leaf), proof: shown.proof })).toBe(true);
    expect((await fetch(path)).status).toBe(404);
    expect((await fetch(`${path}/calls/1`, { headers })).status).toBe(404);
  });

  it("is committed again and again until the pool takes it", async () => {
    const sink = createRecordingSink();
    let failures = 0;
    sink.beforeCommit = () => {
      if (failures++ < 2) throw new InferiumError("PoolUnreachable", "away", { disposition: "retry" });
    };
    await open([anAgent], { windows: { ...windows, maxCalls: 1 } }, sink);
    await infer(rig.url);
    await until(() => sink.opened.size === 1);
    expect(failures).toBe(3);
  });

  it("keeps calls away when what the pool does not take fills the memory", async () => {
    const sink = createRecordingSink();
    let isAway = true;
    sink.beforeCommit = () => {
      if (isAway) throw new InferiumError("PoolUnreachable", "away", { disposition: "retry" });
    };
    await open([anAgent], { windows: { ...windows, maxCalls: 1, maxHeldBytes: 3_000 } }, sink);
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await infer(rig.url)).status);
    expect(statuses).toEqual([200, 200, 200, 503]);
    isAway = false;
    await until(async () => (await infer(rig.url)).status === 200);
  });
});

describe("a caller", () => {
  it("without a key, or with another's, is told so", async () => {
    await open([anAgent]);
    for (const key of ["", "wrong"]) {
      const response = await infer(rig.url, { key });
      expect(response.status).toBe(401);
      expect(((await response.json()) as { error: string }).error).toContain("Authorization: Bearer KEY");
    }
    expect((await fetch(`${rig.url}/v2/models/mnist`)).status).toBe(401);
  });

  it("can call for its budget and not for more, also after windows were committed", async () => {
    const caller = { ...aCaller, budgetWei: "250" };
    await open([{ ...anAgent, callers: [caller] }], { windows: { ...windows, maxCalls: 2 } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await infer(rig.url)).status);
    await until(() => rig.sink.opened.size === 1);
    statuses.push((await infer(rig.url)).status);
    expect(statuses).toEqual([200, 200, 402, 402]);
    // What the operator says next has the window subtracted already.
    rig.directory.set([{ ...anAgent, callers: [{ ...caller, budgetWei: "150" }] }]);
    expect([(await infer(rig.url)).status, (await infer(rig.url)).status]).toEqual([200, 402]);
  });

  it("does not pay for a call that the model refuses", async () => {
    await open([{ ...anAgent, callers: [{ ...aCaller, budgetWei: "100" }] }]);
    const wrong = JSON.stringify({ inputs: [{ name: "other", shape: [1], datatype: "UINT8", data: [1] }] });
    expect((await infer(rig.url, { body: wrong })).status).toBe(400);
    expect((await infer(rig.url, { body: "{" })).status).toBe(400);
    expect((await infer(rig.url)).status).toBe(200);
  });

  it("has as many calls per second as it may, and is told when the next may come", async () => {
    const limits = { ...anAgent.limits, requestsPerSecond: 0.01, burst: 2 };
    await open([{ ...anAgent, limits }]);
    const responses = [await infer(rig.url), await infer(rig.url), await infer(rig.url)];
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(Number(responses[2]!.headers.get("retry-after"))).toBeGreaterThan(10);
  });

  it("of an agent that asks for no key pays nothing and is known by its address", async () => {
    await open([{ ...anAgent, callers: "anyone" }], { windows: { ...windows, maxCalls: 1 } });
    expect((await infer(rig.url, { key: "" })).status).toBe(200);
    await until(() => rig.sink.windows.length === 1);
    expect(rig.sink.windows[0]).toMatchObject({ callerId: "anyone", revenueWei: "0", count: 1 });
  });

  it("may not send more than the agent takes", async () => {
    await open([{ ...anAgent, limits: { ...anAgent.limits, maxBodyBytes: 500 } }]);
    expect((await infer(rig.url)).status).toBe(413);
  });
});

describe("draining", () => {
  it("of one agent refuses new calls and closes its windows", async () => {
    await open([anAgent]);
    await infer(rig.url);
    rig.directory.set([{ ...anAgent, draining: true }]);
    const response = await infer(rig.url);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
    await until(() => rig.sink.opened.size === 1);
    rig.directory.set([anAgent]);
    expect((await infer(rig.url)).status).toBe(200);
  });

  it("of the gateway ends calls in progress well and delivers every window", async () => {
    const backend = await startHeldOip();
    try {
      await open([{ ...anAgent, backends: [backend.url] }], { concurrency: 2, drainDelayMs: 10 });
      const calls = Array.from({ length: 5 }, async (_, i) => (await infer(rig.url, { body: inferBody(i) })).status);
      await until(() => rig.sink.loads.some(({ inFlight, queued }) => inFlight === 2 && queued === 3));
      const closing = rig.gateway.close();
      expect((await fetch(`${rig.url}/v2/health/ready`).catch(() => ({ status: 503 }))).status).toBe(503);
      await until(async () => (await fetch(rig.url).catch(() => undefined)) === undefined);
      backend.release();
      expect(await Promise.all(calls)).toEqual([200, 200, 200, 200, 200]);
      expect(await closing).toBe(0);
      expect(rig.sink.windows.map(({ count }) => count)).toEqual([5]);
    } finally {
      await backend.close();
    }
  });

  it("of an agent that is gone leaves nothing behind", async () => {
    await open([anAgent]);
    await infer(rig.url);
    rig.directory.set([]);
    expect((await infer(rig.url)).status).toBe(404);
    await until(() => rig.sink.opened.size === 1);
  });
});

it("loads are reported for each agent", async () => {
  await open([anAgent]);
  await infer(rig.url);
  await until(() => rig.sink.loads.some(({ callsPerSecond }) => callsPerSecond > 0));
  const busy = rig.sink.loads.find(({ callsPerSecond }) => callsPerSecond > 0)!;
  expect(busy).toMatchObject({ agentId: "uid-1", queued: 0 });
  expect(busy.p95Ms).toBeGreaterThan(0);
});
