/**
 * A small HTTP or HTTPS server that answers as a script says, for tests of how a client of the Kubernetes API bears
 * refusals, resets, truncated and silent streams. Each verb has its list of replies; the last one repeats.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** `WATCH` is a GET with `watch=true`. */
export type Verb = "GET" | "WATCH" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface SeenRequest {
  readonly verb: Verb;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Common name of the client's certificate. */
  readonly peer: string | undefined;
}

export type Reply = (response: ServerResponse, request: SeenRequest) => void | Promise<void>;

export interface MisbehavingServer {
  readonly url: string;
  readonly requests: SeenRequest[];
  /** Sockets accepted since the start. */
  readonly accepted: number;
  readonly openSockets: number;
  /** Replaces the replies of a verb. */
  script(verb: Verb, ...replies: Reply[]): void;
  count(verb: Verb): number;
  close(): Promise<void>;
}

export async function startMisbehavingServer(tls?: ServerOptions): Promise<MisbehavingServer> {
  const scripts = new Map<Verb, Reply[]>();
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let accepted = 0;
  const onRequest = async (incoming: IncomingMessage, response: ServerResponse) => {
    const request = await readRequest(incoming);
    requests.push(request);
    const replies = scripts.get(request.verb) ?? [];
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    await (reply ?? replyStatus(501, "NotImplemented"))(response, request);
  };
  const server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest);
  server.on("connection", (socket: Socket) => {
    accepted++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    requests,
    get accepted() {
      return accepted;
    },
    get openSockets() {
      return sockets.size;
    },
    script: (verb, ...replies) => void scripts.set(verb, replies),
    count: (verb) => requests.filter((request) => request.verb === verb).length,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function readRequest(incoming: IncomingMessage): Promise<SeenRequest> {
  let body = "";
  for await (const chunk of incoming) body += chunk;
  const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://server");
  const verb = searchParams.get("watch") === "true" ? "WATCH" : (incoming.method as Verb);
  const { socket } = incoming;
  const peer = socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN?.toString() : undefined;
  return { verb, path: pathname, query: searchParams, headers: incoming.headers, body, peer };
}

/** A well-behaved JSON answer. */
export function replyJson(body: unknown, status = 200): Reply {
  return (response) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** A metav1.Status, as an API server sends its refusals. */
export function replyStatus(status: number, reason: string, headers: Record<string, string> = {}): Reply {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(buildStatus(status, reason)));
  };
}

export function buildStatus(code: number, reason: string, message = `scripted ${reason}`) {
  return { apiVersion: "v1", kind: "Status", status: "Failure", code, reason, message };
}

/** Breaks the connection without an answer. */
export const replyReset: Reply = (response) => void (response.socket as Socket).resetAndDestroy();

/** Takes the request and never answers. */
export const replyNothing: Reply = () => undefined;

export type StreamEnd = "close" | "stall" | "reset";

/** A watch that sends `events`, one a line, and then ends as told. */
export function replyStream(events: readonly unknown[], end: StreamEnd): Reply {
  return (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    for (const event of events) response.write(`${JSON.stringify(event)}\n`);
    if (end === "close") response.end();
    // Not at once: the events must get out before the reset, which drops what is still buffered.
    if (end === "reset") setTimeout(() => (response.socket as Socket | null)?.resetAndDestroy(), 30);
  };
}
