/**
 * A plain HTTP server in front of a real API server that passes requests on, and does to some of them what its plan says.
 * Counts what it did. Listens on loopback.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Dispatcher, Pool } from "undici";
import type { KubeConnection } from "../../src/kube/connection.ts";
import { readLines } from "../../src/kube/response.ts";
import { type AnswerFault, type FaultPlan, nameAnswerFault, nameStreamFault, type StreamFault } from "./faults.ts";

export interface FaultProxy {
  readonly url: string;
  readonly requests: number;
  readonly openSockets: number;
  /** How often each fault was done. */
  readonly faults: ReadonlyMap<string, number>;
  /** Watches that did not ask for bookmarks. */
  readonly watchesWithoutBookmarks: number;
  /** From now on, and for streams already open, nothing goes wrong any more. */
  calm(): void;
  close(): Promise<void>;
}

export async function startFaultProxy(upstream: KubeConnection, plan: FaultPlan): Promise<FaultProxy> {
  const { ca } = await upstream.tls();
  const proxy = new HttpFaultProxy(
    new Pool(upstream.server, { connect: { ca, allowH2: false }, bodyTimeout: 0 }),
    plan,
  );
  await proxy.listen();
  return proxy;
}

type Answer = Dispatcher.ResponseData;

class HttpFaultProxy implements FaultProxy {
  url = "";
  requests = 0;
  watchesWithoutBookmarks = 0;
  readonly faults = new Map<string, number>();
  readonly #upstream: Pool;
  readonly #plan: FaultPlan;
  readonly #sockets = new Set<Socket>();
  /** What this proxy once said is gone stays gone, as at a server that has compacted its history. */
  #goneUpTo = 0;
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  #calm = false;

  constructor(upstream: Pool, plan: FaultPlan) {
    this.#upstream = upstream;
    this.#plan = plan;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  async listen(): Promise<void> {
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  calm(): void {
    this.#calm = true;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await this.#upstream.destroy();
  }

  /** Whatever fails here, the client sees a broken connection: one fault more, and a fair one. */
  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests++;
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    try {
      await this.#answer(request, response, gone.signal);
    } catch {
      response.destroy();
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { searchParams } = new URL(request.url ?? "/", "http://proxy");
    const watch = searchParams.get("watch") === "true";
    if (watch && searchParams.get("allowWatchBookmarks") !== "true") this.watchesWithoutBookmarks++;
    const body = await readAll(request);
    const fault = this.#calm ? undefined : this.#plan.answer({ watch, method: request.method ?? "" });
    if (fault) this.#count(nameAnswerFault(fault));
    const version = Number(searchParams.get("resourceVersion"));
    if (watch && fault?.kind === "status" && fault.status === 410) this.#compact(version);
    if (watch && version > 0 && version <= this.#goneUpTo) return refuse(gone410, response);
    if (fault && !(await applyBefore(fault, response, signal))) return;
    const answer = await this.#send(request, body, signal);
    if (fault?.kind === "reset") {
      if (!watch) await answer.body.text();
      return breakConnection(response);
    }
    if (watch && answer.statusCode === 200) return this.#stream(answer, response, { version, signal });
    const text = await answer.body.text();
    copyHead(answer, response);
    if (fault?.kind !== "truncated") return void response.end(text);
    response.write(text.slice(0, Math.ceil(text.length / 2)));
    await sleep(5);
    breakConnection(response);
  }

  #send(request: IncomingMessage, body: Buffer, signal: AbortSignal): Promise<Answer> {
    const { host, connection, "content-length": length, ...headers } = request.headers;
    return this.#upstream.request({
      method: request.method as Dispatcher.HttpMethod,
      path: request.url ?? "/",
      headers,
      body: body.length === 0 ? null : body,
      signal,
    });
  }

  async #stream(answer: Answer, response: ServerResponse, from: StreamStart): Promise<void> {
    const { signal } = from;
    const fault = this.#calm ? undefined : this.#plan.stream();
    copyHead(answer, response);
    response.flushHeaders();
    let lines = 0;
    let last = "";
    for await (const line of readLines(answer.body, "watch")) {
      if (fault && !this.#calm && lines++ >= fault.afterLines) {
        this.#count(nameStreamFault(fault));
        if (fault.duplicate && last !== "") this.#count("stream-duplicate");
        if (fault.end === "error" && fault.code === 410) this.#compact(readVersion(last) ?? from.version);
        return endStream(fault, response, { line, last, signal });
      }
      if (fault && fault.lineDelayMs > 0) await sleep(fault.lineDelayMs, undefined, { signal });
      last = line;
      response.write(`${line}\n`);
    }
    response.end();
  }

  #compact(version: number): void {
    this.#goneUpTo = Math.max(this.#goneUpTo, version);
  }

  #count(name: string): void {
    this.faults.set(name, (this.faults.get(name) ?? 0) + 1);
  }
}

interface StreamStart {
  /** The version that the watch started from; 0 for none. */
  readonly version: number;
  readonly signal: AbortSignal;
}

function readVersion(line: string): number | undefined {
  if (line === "") return undefined;
  const event = JSON.parse(line) as { object: { metadata?: { resourceVersion?: string } } };
  return Number(event.object.metadata?.resourceVersion ?? 0);
}

const gone410 = { kind: "status", status: 410, reason: "Expired" } as const;

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** False: the request has got its answer, or never will. */
async function applyBefore(fault: AnswerFault, response: ServerResponse, signal: AbortSignal): Promise<boolean> {
  if (fault.kind === "delay") await sleep(fault.delayMs, undefined, { signal });
  else if (fault.kind === "silence") return false;
  else if (fault.kind === "html") response.writeHead(502, { "content-type": "text/html" }).end("<h1>Bad Gateway</h1>");
  else if (fault.kind === "status") refuse(fault, response);
  else if (fault.kind === "reset" && !fault.executed) breakConnection(response);
  return fault.kind === "delay" || fault.kind === "truncated" || (fault.kind === "reset" && fault.executed);
}

function refuse(fault: Extract<AnswerFault, { kind: "status" }>, response: ServerResponse): void {
  const { status, reason, retryAfter } = fault;
  const headers = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(buildStatus(status, reason)));
}

interface StreamPosition {
  /** The line that the client will not get. */
  readonly line: string;
  readonly last: string;
  readonly signal: AbortSignal;
}

async function endStream(fault: StreamFault, response: ServerResponse, at: StreamPosition): Promise<void> {
  if (fault.duplicate && at.last !== "") response.write(`${at.last}\n`);
  if (fault.end === "error") {
    response.write(`${JSON.stringify({ type: "ERROR", object: buildStatus(fault.code, fault.reason) })}\n`);
  } else if (fault.midLine) response.write(at.line.slice(0, Math.ceil(at.line.length / 2)));
  if (fault.end === "stall") return sleep(stallMs, undefined, { signal: at.signal });
  // Not at once: what was written must get out before a reset, which drops what is still buffered.
  await sleep(5);
  if (fault.end === "reset") breakConnection(response);
  else response.end();
}

/** Longer than any client waits. */
const stallMs = 120_000;

function buildStatus(code: number, reason: string) {
  return { apiVersion: "v1", kind: "Status", status: "Failure", code, reason, message: `made up: ${reason}` };
}

function copyHead(answer: Answer, response: ServerResponse): void {
  const { connection, "transfer-encoding": encoding, "keep-alive": keepAlive, ...headers } = answer.headers;
  response.writeHead(answer.statusCode, headers as Record<string, string | string[]>);
}

function breakConnection(response: ServerResponse): void {
  (response.socket as Socket | null)?.resetAndDestroy();
}
