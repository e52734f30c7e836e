import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createClient } from "../../../src/kube/client.ts";
import { createStaticConnection } from "../../../src/kube/connection.ts";
import { configMaps, pods } from "../../../src/kube/core-resources.ts";
import { createKubeMetrics } from "../../../src/kube/metrics.ts";
import { createTransport, type Transport, type TransportOptions } from "../../../src/kube/transport.ts";
import {
  type MisbehavingServer,
  replyJson,
  replyNothing,
  replyReset,
  replyStatus,
  replyStream,
  startMisbehavingServer,
} from "../../support/misbehaving-server.ts";

let server: MisbehavingServer;
const transports: Transport[] = [];

beforeEach(async () => {
  server = await startMisbehavingServer();
});

afterEach(async () => {
  await Promise.all(transports.splice(0).map((transport) => transport.close()));
  await server.close();
});

function connect(options: TransportOptions = {}): Transport {
  const transport = createTransport(createStaticConnection({ server: server.url, token: "t0" }), options);
  transports.push(transport);
  return transport;
}

const get = { method: "GET", path: "/api/v1/nodes/n" } as const;
const post = { method: "POST", path: "/api/v1/nodes", body: { a: 1 } } as const;

describe("requests", () => {
  const cases = [
    {
      name: "a GET throttled with Retry-After is sent again",
      request: get,
      reply: replyStatus(429, "TooManyRequests", { "retry-after": "0" }),
      want: { tries: 2 },
    },
    {
      name: "a POST throttled with Retry-After is sent again, since it was not executed",
      request: post,
      reply: replyStatus(429, "TooManyRequests", { "retry-after": "0" }),
      want: { tries: 2 },
    },
    {
      name: "a 503 with Retry-After is sent again",
      request: post,
      reply: replyStatus(503, "ServiceUnavailable", { "retry-after": "0" }),
      want: { tries: 2 },
    },
    {
      name: "a 429 without Retry-After is a decision of the server and is given to the caller",
      request: post,
      reply: replyStatus(429, "TooManyRequests"),
      want: { tries: 1, code: "KubeTooManyRequests", disposition: "retry" },
    },
    {
      name: "a 500 is given to the caller",
      request: get,
      reply: replyStatus(500, "InternalError"),
      want: { tries: 1, code: "KubeInternalError", disposition: "retry" },
    },
    {
      name: "a GET answered 500 with Retry-After is sent again",
      request: get,
      reply: replyStatus(500, "ServerTimeout", { "retry-after": "0" }),
      want: { tries: 2 },
    },
    {
      name: "a POST answered 500 with Retry-After is not: it may have been executed",
      request: post,
      reply: replyStatus(500, "ServerTimeout", { "retry-after": "0" }),
      want: { tries: 1, code: "KubeServerTimeout", disposition: "retry" },
    },
    { name: "a GET whose connection is reset is sent again", request: get, reply: replyReset, want: { tries: 2 } },
    {
      name: "a POST whose connection is reset is not: it may have been executed",
      request: post,
      reply: replyReset,
      want: { tries: 1, code: "KubeUnreachable", disposition: "retry" },
    },
    {
      name: "a refusal is given to the caller as one",
      request: post,
      reply: replyStatus(422, "Invalid"),
      want: { tries: 1, code: "KubeInvalid", disposition: "reject" },
    },
    {
      name: "a 401 is tried once more with fresh credentials",
      request: post,
      reply: replyStatus(401, "Unauthorized"),
      want: { tries: 2 },
    },
  ];
  for (const { name, request, reply, want } of cases) {
    test(name, async () => {
      server.script(request.method, reply, replyJson({ ok: true }));
      const answer = connect().request(request);
      if (want.code === undefined) expect(await answer).toEqual({ ok: true });
      else await expect(answer).rejects.toMatchObject({ code: want.code, disposition: want.disposition });
      expect(server.requests).toHaveLength(want.tries);
    });
  }

  test("wait as long as Retry-After says", async () => {
    const waits: number[] = [];
    const clock = { now: () => 0, monotonic: () => 0, sleep: async (ms: number) => void waits.push(ms) };
    server.script("GET", replyStatus(429, "TooManyRequests", { "retry-after": "7" }), replyJson({}));
    await connect({ clock, random: () => 0 }).request(get);
    expect(waits).toEqual([7_050]);
  });

  test("do not wait for a Retry-After beyond the call's time-out, and tell the caller of it", async () => {
    server.script("GET", replyStatus(429, "TooManyRequests", { "retry-after": "60" }));
    await expect(connect().request({ ...get, timeoutMs: 5_000 })).rejects.toMatchObject({
      status: 429,
      retryAfterMs: 60_000,
    });
  });

  test("give up a GET that is reset again and again", async () => {
    server.script("GET", replyReset);
    await expect(connect({ maxRetries: 2 }).request(get)).rejects.toMatchObject({ code: "KubeUnreachable" });
    expect(server.requests).toHaveLength(3);
  });

  test("end at their time-out when no answer comes", async () => {
    server.script("GET", replyNothing);
    await expect(connect().request({ ...get, timeoutMs: 150 })).rejects.toMatchObject({ code: "KubeTimeout" });
  });

  test("end with the caller's own reason when aborted, also while waiting to try again", async () => {
    server.script("GET", replyStatus(429, "TooManyRequests", { "retry-after": "20" }));
    const stop = new AbortController();
    const answer = connect().request({ ...get, signal: stop.signal });
    setTimeout(() => stop.abort(new Error("shutting down")), 100);
    await expect(answer).rejects.toThrow("shutting down");
  }, 5_000);

  test("name the server's words in the error", async () => {
    server.script("GET", replyStatus(404, "NotFound"));
    await expect(connect().request(get)).rejects.toThrow(
      "GET /api/v1/nodes/n was answered 404 NotFound: scripted NotFound",
    );
  });

  test("share kept-alive connections instead of opening one per call", async () => {
    server.script("GET", replyJson({}));
    const transport = connect({ maxConnections: 8 });
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 40 }, () => transport.request(get)));
    }
    expect(server.requests).toHaveLength(400);
    expect(server.accepted).toBeLessThanOrEqual(8);
    await transport.close();
    await expect.poll(() => server.openSockets).toBe(0);
  });

  test("are counted by method, code and host", async () => {
    const registry = new Registry();
    server.script("GET", replyStatus(500, "InternalError"), replyJson({}));
    const transport = connect({ metrics: createKubeMetrics(registry) });
    await transport.request(get).catch(() => undefined);
    await transport.request(get);
    const { host } = new URL(server.url);
    const text = await registry.metrics();
    expect(text).toContain(`rest_client_requests_total{method="GET",code="500",host="${host}"} 1`);
    expect(text).toContain(`rest_client_requests_total{method="GET",code="200",host="${host}"} 1`);
  });

  test("carry the token, and the fresh one after a 401", async () => {
    const asked: boolean[] = [];
    const connection = {
      ...createStaticConnection({ server: server.url }),
      authorization: async (options: { fresh?: boolean } = {}) => {
        asked.push(options.fresh ?? false);
        return options.fresh ? "Bearer new" : "Bearer old";
      },
    };
    server.script("GET", replyStatus(401, "Unauthorized"), replyJson({}));
    const transport = createTransport(connection);
    transports.push(transport);
    await transport.request(get);
    expect(asked).toEqual([false, true]);
    expect(server.requests.map((request) => request.headers.authorization)).toEqual(["Bearer old", "Bearer new"]);
  });
});

describe("streams", () => {
  const readAll = async (lines: AsyncIterable<string>) => {
    const all: string[] = [];
    for await (const line of lines) all.push(line);
    return all;
  };

  test("give line after line and end when the server closes cleanly", async () => {
    server.script("GET", replyStream([{ n: 1 }, { n: "zwölf €" }], "close"));
    expect(await readAll(connect().stream({ path: "/x" }))).toEqual(['{"n":1}', '{"n":"zwölf €"}']);
  });

  test("put together a line, and a character, that comes in two pieces", async () => {
    const bytes = Buffer.from('{"n":"€"}\n{"n":2}\n');
    server.script("GET", async (response) => {
      response.writeHead(200).write(bytes.subarray(0, 7));
      await new Promise((resolve) => setTimeout(resolve, 50));
      response.end(bytes.subarray(7));
    });
    expect(await readAll(connect().stream({ path: "/x" }))).toEqual(['{"n":"€"}', '{"n":2}']);
  });

  test("fail when the connection breaks in the middle", async () => {
    server.script("GET", replyStream([{ n: 1 }], "reset"));
    await expect(readAll(connect().stream({ path: "/x" }))).rejects.toMatchObject({ code: "KubeUnreachable" });
  });

  test("fail when they stall", async () => {
    server.script("GET", replyStream([{ n: 1 }], "stall"));
    const stream = connect().stream({ path: "/x", stallMs: 200 });
    await expect(readAll(stream)).rejects.toMatchObject({ code: "KubeStreamStalled", disposition: "retry" });
  });

  test("close their connection when the reader leaves", async () => {
    server.script("GET", replyStream([{ n: 1 }], "stall"));
    for await (const line of connect().stream({ path: "/x" })) {
      expect(line).toBe('{"n":1}');
      break;
    }
    await expect.poll(() => server.openSockets).toBe(0);
  });
});

describe("the client", () => {
  const item = (name: string) => ({ metadata: { name, namespace: "ns" } });

  test("reads all pages and gives each item the kind that the server leaves out", async () => {
    server.script(
      "GET",
      replyJson({ metadata: { resourceVersion: "7", continue: "next" }, items: [item("a"), item("b")] }),
      replyJson({ metadata: { resourceVersion: "7" }, items: [item("c")] }),
    );
    const list = await createClient(connect(), pods).list({ namespace: "ns", pageSize: 2, labelSelector: "a=b" });
    expect(list.resourceVersion).toBe("7");
    expect(list.items.map(({ kind, apiVersion, metadata }) => [kind, apiVersion, metadata.name])).toEqual([
      ["Pod", "v1", "a"],
      ["Pod", "v1", "b"],
      ["Pod", "v1", "c"],
    ]);
    expect(server.requests.map((request) => request.query.toString())).toEqual([
      "labelSelector=a%3Db&limit=2",
      "labelSelector=a%3Db&limit=2&continue=next",
    ]);
  });

  test("starts a list again in one piece when its continue token has expired", async () => {
    server.script(
      "GET",
      replyJson({ metadata: { resourceVersion: "7", continue: "next" }, items: [item("a")] }),
      replyStatus(410, "Expired"),
      replyJson({ metadata: { resourceVersion: "9" }, items: [item("a"), item("b")] }),
    );
    const list = await createClient(connect(), pods).list();
    expect([list.items.length, list.resourceVersion]).toEqual([2, "9"]);
    expect(server.requests[2]?.query.has("limit")).toBe(false);
  });

  test("applies with its field manager, by force, to the object or its status", async () => {
    server.script("PATCH", replyJson({}));
    const client = createClient(connect({ fieldManager: "mgr" }), configMaps);
    await client.apply({ metadata: { name: "c", namespace: "ns" }, data: { a: "b" } });
    await client.applyStatus({ metadata: { name: "c", namespace: "ns" } }, { force: false });
    const [first, second] = server.requests;
    expect(first).toMatchObject({
      path: "/api/v1/namespaces/ns/configmaps/c",
      headers: { "content-type": "application/apply-patch+yaml" },
    });
    expect(first?.query.toString()).toBe("fieldManager=mgr&force=true");
    expect(JSON.parse(first?.body ?? "")).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c", namespace: "ns" },
      data: { a: "b" },
    });
    expect(second?.path).toBe("/api/v1/namespaces/ns/configmaps/c/status");
    expect(second?.query.get("force")).toBe("false");
  });

  test("deletes with preconditions", async () => {
    server.script("DELETE", replyJson({}));
    await createClient(connect(), configMaps).delete(
      { name: "c", namespace: "ns" },
      { preconditions: { uid: "u" }, propagation: "Foreground" },
    );
    expect(JSON.parse(server.requests[0]?.body ?? "")).toMatchObject({
      kind: "DeleteOptions",
      preconditions: { uid: "u" },
      propagationPolicy: "Foreground",
    });
  });
});
