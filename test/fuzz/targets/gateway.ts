/**
 * The gateway over HTTP, in both of its protocols, with callers that are hostile and a backend that is: whatever comes from
 * either, it answers in its protocol's words, never 500, and takes a good call afterwards.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "undici";
import type { SeededRandom } from "../../chaos/random.ts";
import { aKey, anAgent, inferBody, openGateway, untilReady } from "../../integration/gateway/support/gateway-rig.ts";
import { mutateBytes, mutateText } from "../mutate-bytes.ts";
import { type Json, mutateJson } from "../mutate-json.ts";
import type { FuzzTarget } from "../target.ts";

const chat: Json = {
  ...{ model: "parrot", stream: false, max_tokens: 8, temperature: 0.5, n: 1, stop: ["x"] },
  messages: [
    { role: "system", content: "be short" },
    { role: "user", content: [{ type: "text", text: "one two" }] },
  ],
};
const answerOf: Json = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "parrot" },
  choices: [{ index: 0, message: { role: "assistant", content: "one two" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
};
const chunkOf: Json = {
  ...{ id: "c", object: "chat.completion.chunk", created: 1, model: "parrot" },
  choices: [{ index: 0, delta: { content: "one" }, finish_reason: null }],
};

const paths = [
  ...["/v2", "/v2/health/ready", "/v2/models/mnist", "/v2/models/mnist/ready", "/v2/models/mnist/versions/1/infer"],
  ...["/v1/models", "/v1/models/parrot", "/v1/completions", "/v1/embeddings", "/inferium/v1/receipt-key"],
  ...[`/inferium/v1/windows/0x${"ab".repeat(32)}/calls/0`, `/inferium/v1/windows/0x${"ab".repeat(32)}`],
  ...["/v2/models/%00/infer", "/v2/models/../../etc/infer", "/v2//models", "/v1/chat/completions/", "/%"],
] as [string, ...string[]];

export const gateway: FuzzTarget = {
  name: "gateway",
  what: "the gateway: Open Inference Protocol and OpenAI's API, with hostile callers and a hostile backend",
  hangMs: 15_000,
  async open() {
    const backend = await startHostileBackend();
    const { model: _, ...rest } = anAgent;
    const parrot = { ...rest, agentId: "uid-2", protocol: "openai" as const, modelName: "parrot", name: "parrot" };
    const rig = await openGateway([anAgent, { ...parrot, backends: [`${backend.url}/v1`] }]);
    await untilReady(rig.url);
    const client = new Pool(rig.url, { headersTimeout: 12_000, bodyTimeout: 12_000 });
    const send = async (path: string, body: string | Uint8Array | null, headers: Record<string, string>) => {
      const method = body === null ? "GET" : "POST";
      const response = await client.request({ path, method, headers, body });
      const text = await response.body.text().catch(() => "cut off");
      if (response.statusCode === 500) throw new Error(`${method} ${path} answered 500: ${text.slice(0, 300)}`);
      // What an OpenAI backend answers is passed on as it is.
      const isOurs = response.statusCode >= 400 && text !== "" && !path.startsWith("/v1/chat");
      if (isOurs && !("error" in JSON.parse(text)))
        throw new Error(`${method} ${path} answered ${response.statusCode}: ${text.slice(0, 300)}`);
      return response.statusCode;
    };
    return {
      async execute(random) {
        backend.answerWith(random);
        const headers = aHead(random);
        const kind = random.next();
        if (kind < 0.4) {
          const body = anInference(random);
          return `infer ${await send("/v2/models/mnist/infer", body, headers)}`;
        }
        if (kind < 0.8) {
          const asked = { ...(chat as object), stream: random.next() < 0.5 } as Json;
          const body = JSON.stringify(random.next() < 0.3 ? asked : mutateJson(asked, random));
          return `chat ${await send("/v1/chat/completions", random.next() < 0.1 ? mutateText(body, random) : body, headers)}`;
        }
        if (kind < 0.97) return `path ${await send(random.pick(paths), random.next() < 0.5 ? null : "{}", headers)}`;
        const status = await send("/v2/models/mnist/infer", inferBody(), {
          ...aHead(),
          authorization: `Bearer ${aKey}`,
        });
        if (status !== 200) throw new Error(`a good call was answered ${status}`);
        return "good";
      },
      async close() {
        await client.destroy();
        await rig.close();
        await backend.close();
      },
    };
  },
};

function aHead(random?: SeededRandom): Record<string, string> {
  const type = "application/json";
  if (random === undefined) return { "content-type": type };
  const key = random.pick([aKey, aKey, aKey, aKey, "", "x".repeat(4_000), `${aKey}0`]);
  return {
    "content-type": random.pick([type, type, type, "text/plain", "application/json; charset=utf-16"]),
    ...(key === "" ? {} : { authorization: `Bearer ${key}` }),
    ...(random.next() < 0.2
      ? { "inference-header-content-length": random.pick(["0", "1", "-1", "9e9", "x", "40"]) }
      : {}),
  };
}

function anInference(random: SeededRandom): string | Uint8Array {
  const good = inferBody(random.between(0, 255), "id");
  if (random.next() < 0.2) return good;
  if (random.next() < 0.2) return mutateBytes(Buffer.from(good), random);
  const body = JSON.stringify(mutateJson(JSON.parse(good) as Json, random));
  return random.next() < 0.1 ? mutateText(body, random) : body;
}

/** Answers as a stranger's model server may: well, changed, with an error, broken off, or as a stream of that. */
async function startHostileBackend() {
  let next: SeededRandom | undefined;
  const server = createServer((request, response) => {
    request.resume();
    const random = next;
    if (random === undefined) return void response.writeHead(200).end("{}");
    const say = (value: Json) => {
      const text = JSON.stringify(random.next() < 0.3 ? value : mutateJson(value, random));
      return random.next() < 0.2 ? mutateText(text, random) : text;
    };
    const status = random.pick([200, 200, 200, 200, 204, 301, 400, 429, 500, 503]);
    if (random.next() < 0.4) {
      response.writeHead(status, { "content-type": "text/event-stream" });
      for (let left = random.between(0, 4); left > 0 && status !== 204; left--)
        response.write(`${random.pick(["data: ", "data:", "", "event: x\ndata: "])}${say(chunkOf)}\n\n`);
      if (random.next() < 0.2) return void response.destroy();
      return void response.end(random.pick(["data: [DONE]\n\n", "", "data: [DONE]"]));
    }
    response.writeHead(status, { "content-type": random.pick(["application/json", "text/html"]) });
    if (status === 204) return void response.end();
    const text = say(answerOf);
    if (random.next() < 0.1) {
      response.write(text.slice(0, text.length / 2));
      return void response.destroy();
    }
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answerWith: (random: SeededRandom) => {
      next = random.fork("backend");
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
