/**
 * Raw requests to whatever API server is under test: no retries, no decoding beyond JSON, so that a case sees what is on
 * the wire. `expect` and `refuse` check an answer and return it; a wrong status shows the whole answer.
 */
import { type Dispatcher, request } from "undici";
import { expect } from "vitest";

// biome-ignore lint/suspicious/noExplicitAny: cases look into answers of every shape
export type Body = any;

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  /** Parsed where the answer is JSON; text otherwise. */
  readonly body: Body;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: Body;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Identity {
  readonly user: string;
  readonly groups?: readonly string[];
}

export interface Endpoint {
  readonly server: string;
  readonly dispatcher: Dispatcher;
  /** The Authorization header; undefined sends none. */
  readonly authorization: string | undefined;
}

const requestTimeoutMs = 30_000;
const patchTypes = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

export class ConformanceApi {
  readonly #endpoint: Endpoint;
  readonly #headers: Readonly<Record<string, string | string[]>>;

  constructor(endpoint: Endpoint, headers: Readonly<Record<string, string | string[]>> = {}) {
    this.#endpoint = endpoint;
    this.#headers = headers;
  }

  /** The same administrator, who impersonates somebody. */
  as(identity: Identity): ConformanceApi {
    const groups = identity.groups === undefined ? {} : { "impersonate-group": [...identity.groups] };
    return new ConformanceApi(this.#endpoint, { "impersonate-user": identity.user, ...groups });
  }

  withToken(token: string): ConformanceApi {
    return new ConformanceApi({ ...this.#endpoint, authorization: `Bearer ${token}` });
  }

  anonymous(): ConformanceApi {
    return new ConformanceApi({ ...this.#endpoint, authorization: undefined });
  }

  get(path: string, options?: RequestOptions): Pending {
    return this.send("GET", path, undefined, options);
  }

  post(path: string, body: unknown, options?: RequestOptions): Pending {
    return this.send("POST", path, body, options);
  }

  put(path: string, body: unknown, options?: RequestOptions): Pending {
    return this.send("PUT", path, body, options);
  }

  delete(path: string, body?: unknown, options?: RequestOptions): Pending {
    return this.send("DELETE", path, body, options);
  }

  patch(path: string, kind: keyof typeof patchTypes, body: unknown, options?: RequestOptions): Pending {
    return this.send("PATCH", path, body, {
      headers: { "content-type": patchTypes[kind], ...options?.headers },
    });
  }

  /** Strings and bytes go as they are, anything else as JSON. */
  send(method: string, path: string, body?: unknown, options: RequestOptions = {}): Pending {
    return new Pending(`${method} ${path}`, this.#send(method, path, body, options.headers ?? {}));
  }

  async #send(method: string, path: string, body: unknown, extra: Readonly<Record<string, string>>): Promise<Reply> {
    const reply = await request(`${this.#endpoint.server}${path}`, {
      method: method as "GET",
      dispatcher: this.#endpoint.dispatcher,
      signal: AbortSignal.timeout(requestTimeoutMs),
      headers: flatten({
        ...this.#identity(),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...extra,
      }),
      body: encode(body),
    });
    const text = await reply.body.text();
    const isJson = /^application\/json/.test(String(reply.headers["content-type"]));
    return { status: reply.statusCode, headers: reply.headers, body: isJson && text !== "" ? JSON.parse(text) : text };
  }

  /** The bytes of an answer as they came, compressed or not. */
  async bytes(
    path: string,
    options: RequestOptions = {},
  ): Promise<{ readonly headers: Reply["headers"]; readonly body: Buffer }> {
    const reply = await request(`${this.#endpoint.server}${path}`, {
      dispatcher: this.#endpoint.dispatcher,
      signal: AbortSignal.timeout(requestTimeoutMs),
      headers: { ...this.#identity(), ...options.headers },
    });
    return { headers: reply.headers, body: Buffer.from(await reply.body.arrayBuffer()) };
  }

  /** Reads a watch until `until` holds of the events so far or the server ends it. Fails after `timeoutMs`. */
  async watch(
    path: string,
    until: (events: readonly WatchEvent[]) => boolean,
    options: { readonly onOpen?: () => unknown; readonly accept?: string; readonly timeoutMs?: number } = {},
  ): Promise<WatchEvent[]> {
    const timeoutMs = options.timeoutMs ?? 20_000;
    const events: WatchEvent[] = [];
    const controller = new AbortController();
    const timer = setTimeout(
      () => controller.abort(new Error(`watch ${path}: ${timeoutMs} ms in vain; got ${JSON.stringify(events)}`)),
      timeoutMs,
    );
    try {
      const reply = await request(`${this.#endpoint.server}${path}`, {
        dispatcher: this.#endpoint.dispatcher,
        signal: controller.signal,
        headers: flatten({ ...this.#identity(), ...(options.accept === undefined ? {} : { accept: options.accept }) }),
      });
      if (reply.statusCode !== 200) throw new Error(`watch ${path}: ${reply.statusCode} ${await reply.body.text()}`);
      await options.onOpen?.();
      let rest = "";
      for await (const chunk of reply.body) {
        const lines = (rest + String(chunk)).split("\n");
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

  #identity(): Record<string, string | string[]> {
    const { authorization } = this.#endpoint;
    return { ...(authorization === undefined ? {} : { authorization }), ...this.#headers };
  }
}

/** Names and values in turn. A list of values is that many headers: joined by commas they would be one value. */
function flatten(headers: Record<string, string | string[]>): string[] {
  return Object.entries(headers).flatMap(([name, values]) => [values].flat().flatMap((value) => [name, value]));
}

function encode(body: unknown): string | Buffer | null {
  if (body === undefined) return null;
  return typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
}

/** An answer to come. Awaited as it is, nothing is checked. */
export class Pending implements PromiseLike<Reply> {
  readonly #what: string;
  readonly #reply: Promise<Reply>;

  constructor(what: string, reply: Promise<Reply>) {
    this.#what = what;
    this.#reply = reply;
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a promise with two more methods
  then<A = Reply, B = never>(
    onReply?: ((reply: Reply) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#reply.then(onReply, onError);
  }

  /** The status, and what the body must hold (as `toMatchObject`). Returns the body. */
  async expect(status: number, shape?: object): Promise<Body> {
    const reply = await this.#checkStatus(status);
    if (shape !== undefined) expect(reply.body, this.#what).toMatchObject(shape);
    return reply.body;
  }

  /** A failure as a `Status` object with this code and reason. Returns the Status. */
  async refuse(status: number, reason: string, shape: object = {}): Promise<Body> {
    const reply = await this.#checkStatus(status);
    const want = { kind: "Status", apiVersion: "v1", status: "Failure", code: status, reason, ...shape };
    expect(reply.body, this.#what).toMatchObject(want);
    return reply.body;
  }

  async #checkStatus(status: number): Promise<Reply> {
    const reply = await this.#reply;
    if (reply.status === status) return reply;
    throw new Error(`${this.#what}: expected ${status}, got ${reply.status}: ${JSON.stringify(reply.body)}`);
  }
}
