/** Backends of the tests' own, labelled as such: they speak the protocols and compute nothing of worth. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface TestBackend {
  readonly url: string;
  /** Of all requests, in order: method, path and body. */
  readonly requests: { readonly path: string; readonly body: string; readonly headers: IncomingMessage["headers"] }[];
  close(): Promise<void>;
}

type Answer = (path: string, body: string, response: ServerResponse) => void | Promise<void>;

export async function startTestBackend(answer: Answer): Promise<TestBackend> {
  const requests: TestBackend["requests"] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString("utf8");
    const path = request.url ?? "";
    requests.push({ path, body, headers: request.headers });
    await answer(path, body, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const json = (response: ServerResponse, status: number, value: object) =>
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));

/** A model server that answers `infer` only when it is let. */
export async function startHeldOip(): Promise<TestBackend & { release(): void }> {
  const held = Promise.withResolvers<void>();
  const backend = await startTestBackend(async (path, _, response) => {
    if (path === "/v2") return void json(response, 200, { name: "test", version: "0", extensions: [] });
    if (!path.endsWith("/infer")) return void response.writeHead(200).end();
    await held.promise;
    json(response, 200, {
      model_name: "mnist",
      outputs: [{ name: "label", datatype: "INT64", shape: [1], data: [3] }],
    });
  });
  return { ...backend, release: () => held.resolve() };
}

const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "parrot", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

/** An OpenAI-compatible server that says the last message again, word by word. It is a test backend and no model. */
export function startParrot(options: { readonly breakAfter?: number } = {}): Promise<TestBackend> {
  return startTestBackend(async (path, body, response) => {
    const request = JSON.parse(body) as { stream?: boolean; messages?: { content: string }[]; input?: string };
    const words = (request.messages?.at(-1)?.content ?? "").split(" ");
    if (words[0] === "fail") return void json(response, 500, { error: { message: "internal of the backend" } });
    if (words[0] === "refuse") {
      const error = {
        message: "max_tokens is too large",
        type: "invalid_request_error",
        param: "max_tokens",
        code: null,
      };
      return void json(response, 400, { error });
    }
    if (path === "/v1/embeddings") {
      const data = [{ object: "embedding", index: 0, embedding: [0.5, 0.25] }];
      return void json(response, 200, {
        object: "list",
        model: "parrot",
        data,
        usage: { prompt_tokens: 1, total_tokens: 1 },
      });
    }
    if (!request.stream) {
      const message = { role: "assistant", content: words.join(" ") };
      const choices = [{ index: 0, message, finish_reason: "stop" }];
      return void json(response, 200, { id: "c", object: "chat.completion", created: 1, model: "parrot", choices });
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (words[0] === "mute") return void response.end();
    for (const [index, word] of words.entries()) {
      if (options.breakAfter === index) return void response.destroy();
      response.write(chunk({ content: index === 0 ? word : ` ${word}` }));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    response.end(`${chunk({}, "stop")}data: [DONE]\n\n`);
  });
}
