/** The unmodified `openai` package against the gateway, before a test backend that is no model. */
import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256 } from "../../../src/base/digest.ts";
import type { AgentEntry } from "../../../src/pool/agents.ts";
import { verifyReceiptSignature } from "../../../src/pool/receipt-signature.ts";
import { parseReceipt } from "../../../src/protocol/call-receipt.ts";
import { aCaller, aKey, anAgent, type GatewayRig, openGateway, until } from "./support/gateway-rig.ts";
import { startParrot, type TestBackend } from "./support/test-backends.ts";

let parrot: TestBackend;
let broken: TestBackend;
let rig: GatewayRig;
let client: OpenAI;

const open = (backend: string, changes: Partial<AgentEntry> = {}): AgentEntry => {
  const { model: _, ...agent } = anAgent;
  return { ...agent, protocol: "openai", modelName: "parrot", backends: [backend], ...changes };
};

beforeAll(async () => {
  parrot = await startParrot();
  broken = await startParrot({ breakAfter: 2 });
  const poor = { ...aCaller, id: "poor", keyDigest: sha256("poor-key"), budgetWei: "99" };
  rig = await openGateway([
    open(`${parrot.url}/v1`, { callers: [aCaller, poor] }),
    open(broken.url, { agentId: "uid-2", name: "broken", modelName: "broken" }),
    open("http://127.0.0.1:9", { agentId: "uid-3", name: "away", modelName: "away" }),
    { ...anAgent, agentId: "uid-4" },
  ]);
  client = new OpenAI({ baseURL: `${rig.url}/v1`, apiKey: aKey, maxRetries: 0 });
});

afterAll(async () => {
  await rig.close();
  await parrot.close();
  await broken.close();
});

const say = (content: string, model = "parrot") => ({ model, messages: [{ role: "user" as const, content }] });

async function errorOf(call: PromiseLike<unknown>): Promise<InstanceType<typeof APIError>> {
  const error = await Promise.resolve(call).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof APIError) return error;
  throw new Error(`expected an APIError, got ${String(error)}`);
}

describe("the OpenAI client", () => {
  it("lists the agents that speak its API, and finds one by name", async () => {
    const models = [];
    for await (const model of client.models.list()) models.push(model.id);
    expect(models).toEqual(["parrot", "broken", "away"]);
    expect(await client.models.retrieve("parrot")).toMatchObject({ id: "parrot", object: "model", owned_by: "team-a" });
    expect((await errorOf(client.models.retrieve("mnist"))).status).toBe(404);
  });

  it("completes a chat, with a receipt of the very bytes", async () => {
    const { data, response } = await client.chat.completions.create(say("so it goes")).withResponse();
    expect(data.choices[0]?.message.content).toBe("so it goes");
    const { leaf } = parseReceipt(response.headers.get("inferium-receipt") ?? "");
    expect(leaf.inputDigest).toBe(sha256(parrot.requests.at(-1)!.body));
    expect(leaf).toMatchObject({ outcome: "Ok", priceWei: "100" });
  });

  it("tells the backend nothing of its key", async () => {
    await client.chat.completions.create(say("hush"));
    const { headers } = parrot.requests.at(-1)!;
    expect(JSON.stringify(headers)).not.toContain(aKey);
    expect(headers.authorization).toBeUndefined();
  });

  it("streams a chat word by word, and passes over the receipt at its end", async () => {
    const stream = await client.chat.completions.create({ ...say("one two three"), stream: true });
    const words = [];
    for await (const part of stream) words.push(part.choices[0]?.delta.content);
    expect(words).toEqual(["one", " two", " three", undefined]);
  });

  it("embeds", async () => {
    const { data } = await client.embeddings.create({ model: "parrot", input: "text", encoding_format: "float" });
    expect(data[0]?.embedding).toEqual([0.5, 0.25]);
  });

  it("gets errors of the kinds that it knows", async () => {
    const strange = new OpenAI({ baseURL: `${rig.url}/v1`, apiKey: "nobody", maxRetries: 0 });
    const poor = new OpenAI({ baseURL: `${rig.url}/v1`, apiKey: "poor-key", maxRetries: 0 });
    const cases = [
      [strange.chat.completions.create(say("x")), 401, "invalid_api_key"],
      [poor.chat.completions.create(say("x")), 402, "insufficient_quota"],
      [client.chat.completions.create(say("x", "nothing")), 404, "model_not_found"],
      [client.chat.completions.create(say("x", "mnist")), 404, "model_not_found"],
      [client.chat.completions.create(say("fail")), 502, "backend_failed"],
      [client.chat.completions.create(say("x", "away")), 503, "backend_unreachable"],
    ] as const;
    for (const [call, status, code] of cases) expect(await errorOf(call)).toMatchObject({ status, code });
  });

  it("reads the backend's own words where its request is wrong", async () => {
    expect(await errorOf(client.chat.completions.create(say("refuse")))).toMatchObject({
      status: 400,
      param: "max_tokens",
    });
  });

  it("sees a stream break off that the backend breaks off, and does not pay", async () => {
    const stream = await client.chat.completions.create({ ...say("one two three", "broken"), stream: true });
    const words: unknown[] = [];
    await expect(
      (async () => {
        for await (const part of stream) words.push(part.choices[0]?.delta.content);
      })(),
    ).rejects.toThrow();
    expect(words).toEqual(["one", " two"]);
  });

  it("hears of a stream that ends before it says anything, and does not pay", async () => {
    const call = client.chat.completions.create({ ...say("mute", "broken"), stream: true });
    expect(await errorOf(call)).toMatchObject({ status: 502, code: "backend_failed" });
  });
});

it("a stream's receipt is of all bytes before it, and signed", async () => {
  const body = JSON.stringify({ ...say("a b"), stream: true });
  const headers = { authorization: `Bearer ${aKey}` };
  const text = await (await fetch(`${rig.url}/v1/chat/completions`, { method: "POST", body, headers })).text();
  const at = text.lastIndexOf(": inferium-receipt ");
  const receipt = parseReceipt(text.slice(at));
  const { leaf } = receipt;
  expect([leaf.inputDigest, leaf.outputDigest]).toEqual([sha256(body), sha256(text.slice(0, at))]);
  const { publicKey } = (await (await fetch(`${rig.url}/inferium/v1/receipt-key`)).json()) as { publicKey: string };
  expect(verifyReceiptSignature(publicKey, receipt)).toBe(true);
});

it("a caller that hangs up pays for what it was sent, and its backend is let go", async () => {
  const stream = await client.chat.completions.create({ ...say("w ".repeat(5_000)), stream: true });
  let words = 0;
  for await (const _ of stream) if (++words === 3) break;
  // Reports after this moment: of all four agents at once.
  const seen = rig.sink.loads.length + 4;
  await until(() => rig.sink.loads.slice(seen).some(({ agentId, inFlight }) => agentId === "uid-1" && inFlight === 0));
  rig.directory.set([]);
  await until(() => rig.sink.windows.some(({ agentId }) => agentId === "uid-2"));
  await until(() => rig.sink.opened.size >= 2);
  const [alice] = rig.sink.windows.filter(({ agentId }) => agentId === "uid-1");
  // Chat, hush, stream, embedding, receipt, and the one hung up on; the backend's failure is free.
  expect(alice).toMatchObject({ count: 7, failed: 1, revenueWei: "600" });
  // What was said and answered leaves the gateway by its digest alone.
  const opened = rig.sink.opened.get(alice?.windowId ?? "") ?? [];
  expect(opened.map((call) => Object.keys(call))).toEqual(opened.map(() => ["leaf", "proof"]));
  expect(opened.length).toBeGreaterThan(0);
  expect(rig.sink.windows.find(({ agentId }) => agentId === "uid-2")).toMatchObject({
    count: 2,
    failed: 2,
    revenueWei: "0",
  });
});
