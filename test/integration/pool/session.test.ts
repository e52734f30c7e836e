import { getAddress } from "ethers";
import { describe, expect, test } from "vitest";
import { aBackend } from "../../support/pool-backend.ts";
import { aCaller, aClient, aMovableClock, answerChallenge, aServer, aSigner, openToken } from "./pool-fixture.ts";

const emptyClaim = { slots: 1, models: [], waitMs: 0 };

describe("sessions with the pool", () => {
  test("whoever signs the challenge with its own key gets a token that works", async () => {
    const server = await aServer(aBackend());
    const call = aCaller(server);
    const signer = aSigner();
    const opened = await call("/v1/session", await answerChallenge(call, signer.address, { signer }));
    expect(opened.status).toBe(200);
    expect(opened.body.node).toMatch(/^node-/);
    expect((await call("/v1/claim", emptyClaim, String(opened.body.token))).status).toBe(200);
  });

  test("a challenge signed with another key is refused", async () => {
    const call = aCaller(await aServer(aBackend()));
    const answer = await answerChallenge(call, aSigner().address, { signer: aSigner() });
    expect(await call("/v1/session", answer)).toMatchObject({ status: 401, body: { error: { code: "WrongSigner" } } });
  });

  test("a challenge is good for one session only", async () => {
    const call = aCaller(await aServer(aBackend()));
    const signer = aSigner();
    const answer = await answerChallenge(call, signer.address, { signer });
    expect((await call("/v1/session", answer)).status).toBe(200);
    expect(await call("/v1/session", answer)).toMatchObject({
      status: 401,
      body: { error: { code: "ChallengeUsed" } },
    });
  });

  test("a challenge that another server issued is refused", async () => {
    const other = aCaller(await aServer(aBackend()));
    const call = aCaller(await aServer(aBackend()));
    const signer = aSigner();
    const answer = await answerChallenge(other, signer.address, { signer });
    expect(await call("/v1/session", answer)).toMatchObject({
      status: 401,
      body: { error: { code: "ChallengeForged" } },
    });
  });

  test("a challenge for one role opens no session in another", async () => {
    const call = aCaller(await aServer(aBackend()));
    const signer = aSigner();
    const answer = await answerChallenge(call, signer.address, { signer, role: "Worker" });
    const moved = await call("/v1/session", { ...answer, role: "Validator" });
    expect(moved).toMatchObject({ status: 401, body: { error: { code: "ChallengeForged" } } });
  });

  test("a challenge that was answered too late is refused", async () => {
    const clock = aMovableClock();
    const call = aCaller(await aServer(aBackend(), { clock }));
    const signer = aSigner();
    const answer = await answerChallenge(call, signer.address, { signer });
    clock.advance(61_000);
    expect(await call("/v1/session", answer)).toMatchObject({
      status: 401,
      body: { error: { code: "ChallengeExpired" } },
    });
  });

  test("an account that the backend does not know gets no challenge", async () => {
    const backend = aBackend({ admit: async () => ({ refusal: "UnknownAccount", message: "No WorkerNode has it." }) });
    const call = aCaller(await aServer(backend));
    const answer = await call("/v1/session/challenge", { account: aSigner().address, role: "Worker" });
    expect(answer).toMatchObject({ status: 403, body: { error: { code: "UnknownAccount" } } });
  });

  test("an account that is forgotten between challenge and session gets no session", async () => {
    let known = true;
    const refusal = { refusal: "UnknownAccount", message: "No WorkerNode has it." };
    const call = aCaller(await aServer(aBackend({ admit: async () => (known ? { node: "n" } : refusal) })));
    const signer = aSigner();
    const answer = await answerChallenge(call, signer.address, { signer });
    known = false;
    expect((await call("/v1/session", answer)).status).toBe(403);
  });

  test("a token stops working when it expires", async () => {
    const clock = aMovableClock();
    const call = aCaller(await aServer(aBackend(), { clock, limits: { sessionTtlMs: 5_000 } }));
    const token = await openToken(call);
    expect((await call("/v1/claim", emptyClaim, token)).status).toBe(200);
    clock.advance(5_001);
    expect(await call("/v1/claim", emptyClaim, token)).toMatchObject({
      status: 401,
      body: { error: { code: "NoSession" } },
    });
  });

  test("an account that opens one session too many loses its oldest, not a stranger's", async () => {
    const call = aCaller(await aServer(aBackend(), { limits: { maxSessionsPerAccount: 2 } }));
    const stranger = await openToken(call);
    const signer = aSigner();
    const tokens: string[] = [];
    for (let i = 0; i < 3; i++) {
      const opened = await call("/v1/session", await answerChallenge(call, signer.address, { signer }));
      tokens.push(String(opened.body.token));
    }
    const statuses = await Promise.all(
      [...tokens, stranger].map(async (token) => (await call("/v1/claim", emptyClaim, token)).status),
    );
    expect(statuses).toEqual([401, 200, 200, 200]);
  });

  test.for([
    { name: "none", token: undefined },
    { name: "one that nobody issued", token: "A".repeat(43) },
    { name: "one with characters that no token has", token: "!!!" },
  ])("a call with $name as token is refused", async ({ token }) => {
    const call = aCaller(await aServer(aBackend()));
    expect((await call("/v1/claim", emptyClaim, token)).status).toBe(401);
  });

  test.for([
    { role: "Validator" as const, path: "/v1/receipt" },
    { role: "Worker" as const, path: "/v1/attest" },
    { role: "Worker" as const, path: "/v1/batch" },
    { role: "Worker" as const, path: "/v1/item" },
  ])("a $role may not call $path", async ({ role, path }) => {
    const call = aCaller(await aServer(aBackend()));
    const answer = await call(path, {}, await openToken(call, role));
    expect(answer).toMatchObject({ status: 403, body: { error: { code: "WrongRole" } } });
  });

  test("the backend is told who calls by the session and not by the request", async () => {
    const callers: unknown[] = [];
    const backend = aBackend({
      heartbeat: async (caller) => {
        callers.push(caller);
        return { cancel: [] };
      },
    });
    const signer = aSigner();
    const client = aClient(await aServer(backend), { signer });
    await client.heartbeat({ running: [], models: [] });
    const node = `node-${signer.address.slice(2, 8).toLowerCase()}`;
    expect(callers).toEqual([{ account: getAddress(signer.address), role: "Worker", node }]);
  });
});
