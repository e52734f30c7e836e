/** A bare HTTPS client for one embedded API server: what the tests see is what is on the wire. */
import { Readable } from "node:stream";
import { Agent, request } from "undici";
import { silentLogger } from "../../../src/base/log.ts";
import { type ApiServer, type ApiServerOptions, startApiServer } from "../../../src/embedded/apiserver/server.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

export interface WatchEvent {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly object: any;
}

export class ApiClient {
  readonly server: ApiServer;
  readonly #agent: Agent;
  #token: string;

  constructor(server: ApiServer, token = server.adminToken) {
    this.server = server;
    this.#token = token;
    this.#agent = new Agent({ connect: { ca: server.caPem } });
  }

  as(token: string): ApiClient {
    return new ApiClient(this.server, token);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.send("GET", path, undefined, headers);
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    return this.send("POST", path, body, headers);
  }

  put(path: string, body: unknown): Promise<Reply> {
    return this.send("PUT", path, body);
  }

  delete(path: string, body?: unknown): Promise<Reply> {
    return this.send("DELETE", path, body);
  }

  patch(path: string, kind: "json" | "merge" | "strategic" | "apply", body: unknown): Promise<Reply> {
    const types = {
      json: "application/json-patch+json",
      merge: "application/merge-patch+json",
      strategic: "application/strategic-merge-patch+json",
      apply: "application/apply-patch+yaml",
    };
    return this.send("PATCH", path, body, { "content-type": types[kind] });
  }

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const raw = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const authorization: Record<string, string> = this.#token === "" ? {} : { authorization: `Bearer ${this.#token}` };
    const type: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    const reply = await request(`${this.server.url}${path}`, {
      method: method as "GET",
      dispatcher: this.#agent,
      headers: { ...authorization, ...type, ...headers },
      body: body === undefined ? null : (raw ?? null),
    });
    const text = await reply.body.text();
    const isJson = String(reply.headers["content-type"]).startsWith("application/json");
    return { status: reply.statusCode, headers: reply.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** POSTs a body of unknown length. Returns the status code. */
  async stream(path: string, chunks: AsyncIterable<Buffer>): Promise<number> {
    const reply = await request(`${this.server.url}${path}`, {
      method: "POST",
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
      body: Readable.from(chunks),
    });
    await reply.body.dump();
    return reply.statusCode;
  }

  /** Reads a watch until `until` holds of the events so far, the stream ends, or 10 s have passed. */
  async watch(
    path: string,
    until: (events: WatchEvent[]) => boolean,
    options: { onOpen?: () => void | Promise<void>; accept?: string } = {},
  ): Promise<WatchEvent[]> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new Error("watch: 10 s without what was waited for")), 10_000);
    const events: WatchEvent[] = [];
    try {
      const reply = await request(`${this.server.url}${path}`, {
        dispatcher: this.#agent,
        signal: controller.signal,
        headers: { authorization: `Bearer ${this.#token}`, ...(options.accept ? { accept: options.accept } : {}) },
      });
      await options.onOpen?.();
      let rest = "";
      for await (const chunk of reply.body) {
        rest += String(chunk);
        const lines = rest.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) events.push(JSON.parse(line) as WatchEvent);
        if (until(events)) break;
      }
      return events;
    } finally {
      clearTimeout(timer);
      controller.abort();
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

export interface TestServer {
  readonly server: ApiServer;
  readonly api: ApiClient;
  stop(): Promise<void>;
}

export async function startTestServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const server = await startApiServer({ logger: silentLogger, ...options });
  const api = new ApiClient(server);
  return {
    server,
    api,
    stop: async () => {
      await api.close();
      await server.close();
    },
  };
}

export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not within 10 s: ${what}`);
}

export const configMap = (name: string, data: Record<string, string> = {}, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  data,
});

export const aPod = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...metadata },
  spec: { containers: [{ name: "main", image: "busybox:1" }], ...spec },
});
