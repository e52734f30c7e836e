/**
 * `pods/NAME/exec` and `pods/NAME/attach`: the client's WebSocket is passed through to the kubelet of the pod's node, byte
 * for byte, once that has accepted it. The older SPDY protocol is not served. Effects: one connection to the kubelet.
 */
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { Duplex } from "node:stream";
import { describeError } from "../../../base/errors.ts";
import { forbiddenAccess } from "../authorization/forbidden-access.ts";
import type { Exchange } from "../http/exchange.ts";
import { asString } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { ApiContext, Target } from "../operations/context.ts";
import { readObject } from "../operations/read.ts";
import { badRequest, failure, methodNotAllowed } from "../status.ts";
import { buildKubeletUrl, chooseContainer, type KubeletClientOptions, requireKubeletClient } from "./kubelet-client.ts";

const connectTimeoutMs = 10_000;
const maxErrorBytes = 1_024;

/** The API's parameters and those of a kubelet. */
const streams = { stdin: "input", stdout: "output", stderr: "error", tty: "tty" } as const;

export class PodStreamProxy {
  readonly #context: ApiContext;
  readonly #options: KubeletClientOptions | undefined;

  constructor(context: ApiContext, options: KubeletClientOptions | undefined) {
    this.#context = context;
    this.#options = options;
  }

  async handle(exchange: Exchange, target: Target): Promise<void> {
    const { method, headers } = exchange.request;
    if (method !== "GET" && method !== "POST") throw methodNotAllowed();
    const kind = target.subresource === "exec" ? "exec" : "attach";
    this.#checkAccess(exchange, target);
    const pod = readObject(this.#context, target).object;
    const url = this.#buildUrl(kind, pod, exchange.query);
    if (headers.upgrade?.toLowerCase() !== "websocket") {
      throw badRequest(
        headers.upgrade === undefined
          ? "Upgrade request required"
          : `unable to upgrade to ${headers.upgrade}: this server streams over WebSocket only (kubectl 1.31 and later)`,
      );
    }
    const options = requireKubeletClient(this.#options, `pod ${kind} streams`);
    await passThrough(exchange, url, options);
  }

  /** Who opens a stream may do as much as who creates: the method of a WebSocket is GET, and must not make it less. */
  #checkAccess(exchange: Exchange, target: Target): void {
    const attributes = {
      ...{ verb: "create", group: "", version: "v1", resource: "pods", subresource: target.subresource },
      ...{ name: target.name, namespace: target.namespace ?? "" },
    };
    const decision = this.#context.authorizer.authorize(exchange.user, attributes);
    if (!decision.allowed) throw forbiddenAccess(exchange.user, attributes, decision.reason);
  }

  #buildUrl(kind: "exec" | "attach", pod: KubeObject, query: URLSearchParams): URL {
    const container = chooseContainer(pod, query.get("container") ?? "");
    const command = query.getAll("command");
    if (kind === "exec" && command.length === 0) throw badRequest("you must specify at least 1 container command");
    const phase = asString(statusOf(pod).phase);
    if (phase === "Succeeded" || phase === "Failed") {
      throw badRequest(`cannot ${kind} into a container in a completed pod; current phase is ${phase}`);
    }
    if (asString(specOf(pod).nodeName) === "")
      throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
    const url = buildKubeletUrl(this.#context, pod, kind, container);
    for (const word of command) url.searchParams.append("command", word);
    for (const [name, kubeletName] of Object.entries(streams)) {
      if (["true", "1"].includes(query.get(name) ?? "")) url.searchParams.set(kubeletName, "1");
    }
    return url;
  }
}

const handshakeHeaders = ["upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol"];

async function passThrough(exchange: Exchange, url: URL, options: KubeletClientOptions): Promise<void> {
  const client = exchange.request.socket;
  const { answer, socket, head } = await openUpgrade(exchange.request, url, options);
  const lines = [`HTTP/1.1 101 ${answer.statusMessage ?? "Switching Protocols"}`];
  for (let index = 0; index < answer.rawHeaders.length; index += 2) {
    lines.push(`${answer.rawHeaders[index]}: ${answer.rawHeaders[index + 1]}`);
  }
  client.write(`${lines.join("\r\n")}\r\n\r\n`);
  client.write(head);
  await joinSockets(client, socket, exchange.life.signal);
}

interface Upgraded {
  readonly answer: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

function openUpgrade(incoming: IncomingMessage, url: URL, options: KubeletClientOptions): Promise<Upgraded> {
  const headers: Record<string, string> = { authorization: `Bearer ${options.token}`, connection: "Upgrade" };
  for (const name of handshakeHeaders) {
    const value = incoming.headers[name];
    if (typeof value === "string") headers[name] = value;
  }
  return new Promise((resolve, reject) => {
    const call = request(url, { ca: options.caPem, headers, agent: false, timeout: connectTimeoutMs });
    call.once("timeout", () => call.destroy(new Error(`no answer within ${connectTimeoutMs} ms`)));
    call.once("error", (error) => reject(failure(500, "InternalError", `dial ${url.host}: ${describeError(error)}`)));
    call.once("upgrade", (answer, socket, head) => {
      socket.setTimeout(0);
      resolve({ answer, socket, head });
    });
    call.once("response", (answer) => {
      readText(answer).then(
        (text) => reject(refusal(answer.statusCode ?? 500, text)),
        (error: unknown) => reject(failure(500, "InternalError", describeError(error))),
      );
    });
    call.end();
  });
}

async function readText(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString("utf8", 0, maxErrorBytes).trim();
}

function refusal(code: number, text: string): Error {
  if (code === 404) return failure(404, "NotFound", text);
  if (code === 400) return badRequest(text);
  return failure(500, "InternalError", `the kubelet answered ${code}: ${text}`);
}

/** Resolves when both have closed. An error on one side ends the other; the signal ends both. */
function joinSockets(one: Duplex, other: Duplex, signal: AbortSignal): Promise<void> {
  const end = () => {
    one.destroy();
    other.destroy();
  };
  signal.addEventListener("abort", end, { once: true });
  return new Promise((resolve) => {
    let open = 2;
    const follow = (from: Duplex, to: Duplex) => {
      from.on("error", () => to.destroy());
      from.once("close", () => {
        to.end();
        open -= 1;
        if (open === 0) resolve();
      });
      from.pipe(to);
    };
    follow(one, other);
    follow(other, one);
  });
}
