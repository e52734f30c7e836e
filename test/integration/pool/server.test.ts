import { connect } from "node:tls";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { InferiumError } from "../../../src/base/errors.ts";
import type { ClaimResponse } from "../../../src/pool/wire.ts";
import { aBackend } from "../../support/pool-backend.ts";
import { aCaller, aClient, aServer, onCleanup, openToken } from "./pool-fixture.ts";

const emptyClaim = { slots: 1, models: [], waitMs: 0 };
const nothing: ClaimResponse = { assignments: [], duties: [] };

/** Resolves when the signal is aborted. */
function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** Writes to the server byte by byte as told and answers all that came back when it closed. */
async function talk(server: { url: string; caPem: string }, text: string): Promise<string> {
  const { port } = new URL(server.url);
  const socket = connect({ port: Number(port), host: "127.0.0.1", ca: server.caPem });
  onCleanup(async () => socket.destroy());
  let answer = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    answer += chunk;
  });
  socket.write(text);
  return new Promise((resolve, reject) => {
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

describe("what the pool server bounds", () => {
  test("a body over the limit is refused, and the connection goes on working", async () => {
    const call = aCaller(await aServer(aBackend(), { limits: { maxBodyBytes: 1000 } }));
    const token = await openToken(call);
    const answer = await call("/v1/claim", { ...emptyClaim, models: Array(100).fill("sha256:00") }, token);
    expect(answer).toMatchObject({ status: 413, body: { error: { code: "BodyTooLarge" } } });
    expect((await call("/v1/claim", emptyClaim, token)).status).toBe(200);
  });

  test("a body over the limit is refused also where its length was not announced", async () => {
    const server = await aServer(aBackend(), { limits: { maxOpenBodyBytes: 100 } });
    const chunk = `60\r\n${"x".repeat(96)}\r\n`;
    const head = "POST /v1/session HTTP/1.1\r\nhost: pool\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    expect(await talk(server, `${head}${chunk}${chunk}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
  });

  test.for([
    { name: "headers", text: "POST /v1/claim HTTP/1.1\r\nhost: pool\r\n" },
    { name: "a body", text: "POST /v1/session HTTP/1.1\r\nhost: pool\r\ncontent-length: 100\r\n\r\n{" },
  ])("a sender that never finishes $name is cut off", async ({ text }) => {
    const server = await aServer(aBackend(), { limits: { headersTimeoutMs: 200, requestTimeoutMs: 400 } });
    expect(await talk(server, text)).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("an account that calls too often is told when to come back", async () => {
    const call = aCaller(await aServer(aBackend(), { limits: { accountRate: { perSecond: 0.5, burst: 2 } } }));
    const token = await openToken(call);
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await call("/v1/claim", emptyClaim, token));
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 429]);
    expect(Number(answers[2]?.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    // Another account is not slowed by it.
    expect((await call("/v1/claim", emptyClaim, await openToken(call))).status).toBe(200);
  });

  test("strangers share a rate by address", async () => {
    const call = aCaller(await aServer(aBackend(), { limits: { addressRate: { perSecond: 0.1, burst: 1 } } }));
    const body = { account: `0x${"1".repeat(40)}`, role: "Worker" };
    expect((await call("/v1/session/challenge", body)).status).toBe(200);
    expect((await call("/v1/session/challenge", body)).status).toBe(429);
  });

  test("claims that wait are bounded for an account and in all", async () => {
    const release = Promise.withResolvers<ClaimResponse>();
    const backend = aBackend({ claim: () => release.promise });
    const call = aCaller(await aServer(backend, { limits: { maxWaitingClaims: 2, maxWaitingClaimsPerAccount: 1 } }));
    const [first, second, third] = [await openToken(call), await openToken(call), await openToken(call)];
    const waiting = [call("/v1/claim", emptyClaim, first), call("/v1/claim", emptyClaim, second)];
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await call("/v1/claim", emptyClaim, first)).toMatchObject({
      status: 429,
      body: { error: { code: "TooManyClaims" } },
    });
    expect(await call("/v1/claim", emptyClaim, third)).toMatchObject({
      status: 503,
      body: { error: { code: "PoolBusy" } },
    });
    release.resolve(nothing);
    expect((await Promise.all(waiting)).map((answer) => answer.status)).toEqual([200, 200]);
    expect((await call("/v1/claim", emptyClaim, first)).status).toBe(200);
  });

  test("a backend that hangs is given up", async () => {
    const backend = aBackend({ heartbeat: () => new Promise(() => undefined) });
    const call = aCaller(await aServer(backend, { limits: { backendTimeoutMs: 50 } }));
    const answer = await call("/v1/heartbeat", { running: [], models: [] }, await openToken(call));
    expect(answer).toMatchObject({ status: 503, body: { error: { code: "BackendTimeout" } } });
  });
});

describe("claims that wait", () => {
  test("a waiting claim is answered when work arrives", async () => {
    const work = Promise.withResolvers<ClaimResponse>();
    const asked = Promise.withResolvers<void>();
    const backend = aBackend({
      claim: () => {
        asked.resolve();
        return work.promise;
      },
    });
    const client = aClient(await aServer(backend));
    const claim = client.claim({ slots: 1, models: [], waitMs: 20_000 });
    await asked.promise;
    const duty = { kind: "reveal" as const, namespace: "a", validation: "v", validationId: "0x00", deadlineMs: 1 };
    work.resolve({ assignments: [], duties: [duty] });
    expect((await claim).duties).toEqual([duty]);
  });

  test("a claim may wait for longer than a request may take to come in", async () => {
    const work = Promise.withResolvers<ClaimResponse>();
    const server = await aServer(aBackend({ claim: () => work.promise }), {
      limits: { headersTimeoutMs: 1_000, requestTimeoutMs: 1_500 },
    });
    const call = aCaller(server);
    const claim = call("/v1/claim", emptyClaim, await openToken(call));
    setTimeout(() => work.resolve(nothing), 3_000);
    expect((await claim).status).toBe(200);
  });

  test("the backend hears that a waiting caller went away", async () => {
    const gone = Promise.withResolvers<string>();
    const asked = Promise.withResolvers<void>();
    const backend = aBackend({
      claim: async (_caller, _request, signal) => {
        asked.resolve();
        await untilAborted(signal);
        gone.resolve(signal.reason.code);
        return nothing;
      },
    });
    const client = aClient(await aServer(backend));
    const stop = new AbortController();
    const claim = client.claim({ slots: 1, models: [], waitMs: 20_000 }, stop.signal);
    await asked.promise;
    stop.abort(new Error("stopping"));
    await expect(claim).rejects.toThrow("stopping");
    expect(await gone.promise).toBe("ClientGone");
  });

  test("a server that closes ends waiting claims with their answers and takes no more", async () => {
    const asked = Promise.withResolvers<void>();
    const backend = aBackend({
      claim: async (_caller, _request, signal) => {
        asked.resolve();
        await untilAborted(signal);
        return nothing;
      },
    });
    const server = await aServer(backend);
    const client = aClient(server, { maxAttempts: 1 });
    const claim = client.claim({ slots: 1, models: [], waitMs: 20_000 });
    await asked.promise;
    await server.close();
    expect(await claim).toEqual(nothing);
    await expect(client.claim(emptyClaim)).rejects.toMatchObject({ code: "PoolUnreachable", disposition: "retry" });
  });
});

describe("answers of the pool server", () => {
  test.for([
    { name: "that is no JSON", body: "{", want: { status: 400, code: "InvalidJson" } },
    { name: "without a field", body: { slots: 1, models: [] }, want: { status: 400, code: "InvalidRequest" } },
    { name: "with a field too many", body: { ...emptyClaim, more: 1 }, want: { status: 400, code: "InvalidRequest" } },
    {
      name: "that waits too long",
      body: { ...emptyClaim, waitMs: 30_001 },
      want: { status: 400, code: "InvalidRequest" },
    },
    { name: "with negative slots", body: { ...emptyClaim, slots: -1 }, want: { status: 400, code: "InvalidRequest" } },
  ])("a request $name is refused with the reason", async ({ body, want }) => {
    const call = aCaller(await aServer(aBackend()));
    const answer = await call("/v1/claim", body, await openToken(call));
    expect({ status: answer.status, code: answer.body.error?.code }).toEqual(want);
  });

  test.for([
    {
      name: "reject",
      error: new InferiumError("TaskGone", "The task is gone."),
      want: { status: 422, code: "TaskGone" },
    },
    {
      name: "retry",
      error: new InferiumError("NoLeader", "Not the leader.", { disposition: "retry" }),
      want: { status: 503, code: "NoLeader", retryAfter: "1" },
    },
    { name: "a bug", error: new TypeError("secret detail"), want: { status: 500, code: "Internal" } },
  ])("a backend error that means $name becomes its status", async ({ error, want }) => {
    const call = aCaller(await aServer(aBackend({ heartbeat: () => Promise.reject(error) })));
    const answer = await call("/v1/heartbeat", { running: [], models: [] }, await openToken(call));
    const retryAfter = answer.headers["retry-after"];
    expect({ status: answer.status, code: answer.body.error?.code, ...(retryAfter && { retryAfter }) }).toEqual(want);
    expect(JSON.stringify(answer.body)).not.toContain("secret detail");
  });

  test("an unknown path is 404 and a wrong method 405", async () => {
    const server = await aServer(aBackend());
    expect((await aCaller(server)("/v2/claim", {})).status).toBe(404);
    expect(await talk(server, "GET /v1/claim HTTP/1.1\r\nhost: pool\r\nconnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 405 /,
    );
  });

  test("calls are counted by verb and code", async () => {
    const registry = new Registry();
    const call = aCaller(await aServer(aBackend(), { registry }));
    await call("/v1/claim", emptyClaim, await openToken(call));
    await call("/v1/claim", emptyClaim);
    const text = await registry.metrics();
    expect(text).toContain('inferium_pool_requests_total{verb="claim",code="200"} 1');
    expect(text).toContain('inferium_pool_requests_total{verb="claim",code="401"} 1');
    expect(text).toContain('inferium_pool_waiting_claims{role="Worker"} 0');
  });
});
