import { expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { InferiumError } from "../../../src/base/errors.ts";
import { silentLogger } from "../../../src/base/log.ts";
import type { SessionOptions } from "../../../src/inference/session.ts";
import type { CapabilityRequest } from "../../../src/pool/wire.ts";
import { computeEvidenceNonce, decideChallenge } from "../../../src/protocol/challenge/decide-challenge.ts";
import { answerChallenge, type ChallengeContext } from "../../../src/worker/answer-challenge.ts";

const seed = `0x${"5e".repeat(32)}`;
const account = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";
const gpu = { uuid: "GPU-1", product: "Tesla T4", memoryMiB: 15_360, computeCapability: "7.5" };
const challengeOf = (gpus: readonly (typeof gpu)[]) => {
  const { plan, limitMs } = decideChallenge(gpus, seed);
  return { challengeId: "c".repeat(32), plan, limitMs };
};
const done = async () => ({ digests: Uint8Array.of(1, 2, 3, 4), provider: "cuda" });

async function answer(
  gpus: readonly (typeof gpu)[],
  parts: Partial<ChallengeContext> = {},
  signal = new AbortController().signal,
) {
  const told: CapabilityRequest[] = [];
  const client: ChallengeContext["client"] = {
    capability: async (request) => {
      told.push(request);
      return { status: "Recorded" };
    },
  };
  const session = { providers: ["cuda", "cpu"], threads: 1 } as const;
  const base = { client, session, run: done, account, collect: undefined, clock: systemClock, logger: silentLogger };
  await answerChallenge({ ...base, ...parts }, challengeOf(gpus), signal);
  return told[0]?.outcome;
}

test("one made for GPUs never falls back to the cpu, and one for a machine without any may", async () => {
  const asked: (readonly SessionOptions["providers"][number][] | undefined)[] = [];
  const run: ChallengeContext["run"] = async (_, session) => {
    asked.push(session.providers);
    return done();
  };
  await answer([gpu], { run });
  await answer([], { run });
  expect(asked).toEqual([["cuda"], ["cuda", "cpu"]]);
});

test("what cannot be run is told with its reason", async () => {
  const run = () => Promise.reject(new InferiumError("ProviderUnavailable", "cuda: no library"));
  expect(await answer([gpu], { run })).toEqual({
    kind: "Failed",
    reason: "ProviderUnavailable",
    message: "cuda: no library",
  });
});

test("a worker that is stopped meanwhile says so", async () => {
  const stopping = new AbortController();
  const run = () => {
    stopping.abort();
    return Promise.reject(new Error("aborted"));
  };
  expect(await answer([gpu], { run }, stopping.signal)).toMatchObject({ kind: "Failed", reason: "Stopped" });
});

test("evidence is asked for with the nonce of this challenge and this worker, and goes with the answer", async () => {
  const asked: string[] = [];
  const evidence = [{ kind: "NvidiaGpu", report: "", certificates: [] } as const];
  const collect = async (nonce: string) => {
    asked.push(nonce);
    return evidence;
  };
  expect(await answer([gpu], { collect })).toEqual({ kind: "Done", digests: "AQIDBA==", provider: "cuda", evidence });
  expect(asked).toEqual([computeEvidenceNonce(seed, account)]);
});

test("without evidence, or where it cannot be had, the answer goes alone", async () => {
  const alone = { kind: "Done", digests: "AQIDBA==", provider: "cuda" };
  expect(await answer([gpu])).toEqual(alone);
  expect(await answer([gpu], { collect: () => Promise.reject(new Error("no TEE")) })).toEqual(alone);
});

test("a pool that does not take the answer ends nothing", async () => {
  const client = { capability: () => Promise.reject(new InferiumError("PoolUnreachable", "It is away.")) };
  await expect(answer([gpu], { client })).resolves.toBeUndefined();
});
