/** A worker and a validator as they are started, over the real pool API: a challenge is run, answered, and checked. */
import { Wallet } from "ethers";
import { describe, expect, test } from "vitest";
import type { CapabilityRequest, ChallengeCheck, ClaimResponse } from "../../../src/pool/wire.ts";
import { digestBytes } from "../../../src/protocol/challenge/decide-challenge.ts";
import type { ChallengePlan } from "../../../src/protocol/challenge/plan.ts";
import { aServer } from "../pool/pool-fixture.ts";
import { aScene, startValidator, startWorker } from "./roles-fixture.ts";

const nothing: ClaimResponse = { assignments: [], duties: [] };
const plan: ChallengePlan = {
  ...{ seed: `0x${"c1".repeat(32)}`, size: 256, columns: 40, rounds: 6, kept: 4, passes: 2, devices: 1 },
};
/** More than a CPU is let compute. */
const forGpus: ChallengePlan = { ...plan, size: 8_192, columns: 80_000, rounds: 16, kept: 16 };
const challengeId = "c".repeat(32);

/** A pool that hands this challenge out once, and then has nothing. */
async function aPool(given: ChallengePlan, columns: readonly number[] = []) {
  const answers: CapabilityRequest[] = [];
  const checks: ChallengeCheck[] = [];
  const claims: string[] = [];
  const handed = { worker: false, validator: false };
  const server = await aServer({
    admit: async (account) => ({ node: account.slice(0, 8).toLowerCase() }),
    claim: async ({ role }, { waitMs }) => {
      claims.push(role);
      if (role === "Worker" && !handed.worker) {
        handed.worker = true;
        return { ...nothing, challenge: { challengeId, plan: given, limitMs: 60_000 } };
      }
      if (role === "Validator" && !handed.validator) {
        handed.validator = true;
        return {
          assignments: [],
          duties: [{ kind: "challenge", challengeId, plan: given, columns, deadlineMs: Date.now() + 60_000 }],
        };
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(waitMs, 200)));
      return nothing;
    },
    heartbeat: async () => ({ cancel: [] }),
    receipt: async () => ({ status: "Recorded" }),
    capability: async (_, request) => {
      answers.push(request);
      return { status: "Recorded" };
    },
    attest: async (_, request) => {
      if (request.kind === "challenge") checks.push(request);
      return { status: "Recorded" };
    },
    batch: async () => Promise.reject(new Error("not asked")),
    item: async () => Promise.reject(new Error("not asked")),
  });
  return { answers, checks, claims, url: server.url, variables: { INFERIUM_POOL_URL: server.url } };
}

const poll = <T>(read: () => T) => expect.poll(read, { timeout: 30_000 });

describe("a challenge", () => {
  test("is answered by a worker as a validator finds it, and the worker goes on claiming", async () => {
    const scene = await aScene();
    const pool = await aPool(plan, [39, 0, 17]);
    await startWorker(scene, { variables: pool.variables });
    await startValidator(scene, new Wallet(Wallet.createRandom().privateKey), { variables: pool.variables });
    await poll(() => pool.answers.length + pool.checks.length).toBe(2);
    const [answer] = pool.answers;
    expect(answer).toMatchObject({ challengeId, outcome: { kind: "Done", provider: "cpu" } });
    const digests = Buffer.from(answer?.outcome.kind === "Done" ? answer.outcome.digests : "", "base64");
    expect(digests).toHaveLength(plan.columns * digestBytes);
    const checked = Buffer.from(pool.checks[0]?.digests ?? "", "base64");
    expect(checked).toHaveLength(3 * digestBytes);
    for (const [at, column] of [39, 0, 17].entries()) {
      const own = digests.subarray(column * digestBytes, (column + 1) * digestBytes);
      expect(checked.subarray(at * digestBytes, (at + 1) * digestBytes)).toEqual(own);
    }
    const before = pool.claims.filter((role) => role === "Worker").length;
    await poll(() => pool.claims.filter((role) => role === "Worker").length).toBeGreaterThan(before);
  });

  test("for GPUs is declined at once by a worker that computes on its CPU", async () => {
    const scene = await aScene();
    const pool = await aPool(forGpus);
    await startWorker(scene, { variables: pool.variables });
    await poll(() => pool.answers.length).toBe(1);
    expect(pool.answers[0]?.outcome).toMatchObject({ kind: "Failed", reason: "NoDevice" });
  });

  test("asking for too much of a validator is told as a problem", async () => {
    const scene = await aScene();
    const pool = await aPool(
      plan,
      Array.from({ length: 65 }, () => 1),
    );
    await startValidator(scene, new Wallet(Wallet.createRandom().privateKey), { variables: pool.variables });
    await poll(() => pool.checks.length).toBe(1);
    expect(pool.checks[0]?.digests).toBeUndefined();
    expect(pool.checks[0]?.problem).toContain("65 columns");
  });
});
