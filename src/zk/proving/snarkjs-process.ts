/**
 * The process that runs snarkjs: its WebAssembly threads, its memory and its GPL-3.0 code stay out of ours, and it can be killed in
 * the middle of a proof. Started by snarkjs-backend.ts; answers one request after another over IPC and ends with its parent.
 * Effects: reads r1cs, powers of tau and witness files, writes proving keys.
 */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { groth16, type SnarkjsProof, type SnarkjsVerifyingKey, zKey } from "snarkjs";
import { describeError } from "../../base/errors.ts";
import type { Groth16Proof, PointG1, PointG2, VerifyingKey } from "./groth16.ts";
import type { SnarkjsAnswer, SnarkjsRequest, SnarkjsResult } from "./snarkjs-messages.ts";

process.on("message", async (request: SnarkjsRequest) => {
  const answer = await respond(request);
  process.send?.(answer);
});
// snarkjs leaves its threads running: without this the process would outlive its parent.
process.on("disconnect", () => process.exit(0));

async function respond(request: SnarkjsRequest): Promise<SnarkjsAnswer> {
  try {
    return { result: await run(request) };
  } catch (error) {
    return { error: describeError(error) };
  }
}

async function run(request: SnarkjsRequest): Promise<SnarkjsResult> {
  if (request.kind === "setUp") return setUp(request);
  if (request.kind === "verify") {
    return groth16.verify(toSnarkjsKey(request.key), request.signals, toSnarkjsProof(request.proof));
  }
  const { proof, publicSignals } = await groth16.prove(request.zkeyPath, request.witnessPath);
  return { proof: fromSnarkjsProof(proof), signals: publicSignals };
}

async function setUp(request: Extract<SnarkjsRequest, { kind: "setUp" }>): Promise<VerifyingKey> {
  const initialPath = `${request.zkeyPath}.initial`;
  try {
    const made = await zKey.newZKey(request.r1csPath, request.powersOfTauPath, initialPath);
    if (made === -1) throw new Error("the circuit is larger than the powers of tau, or their file is not prepared");
    // The first key's delta is 1, which everybody knows: only a contribution makes it one that nobody can forge with.
    await zKey.contribute(initialPath, request.zkeyPath, request.contributor, randomBytes(64).toString("hex"));
    return fromSnarkjsKey(await zKey.exportVerificationKey(request.zkeyPath));
  } finally {
    await rm(initialPath, { force: true });
  }
}

function fromSnarkjsKey(key: SnarkjsVerifyingKey): VerifyingKey {
  return {
    alpha: toG1(key.vk_alpha_1),
    beta: toG2(key.vk_beta_2),
    gamma: toG2(key.vk_gamma_2),
    delta: toG2(key.vk_delta_2),
    ic: key.IC.map(toG1),
  };
}

function toSnarkjsKey({ alpha, beta, gamma, delta, ic }: VerifyingKey): SnarkjsVerifyingKey {
  return {
    protocol: "groth16",
    curve: "bn128",
    nPublic: ic.length - 1,
    vk_alpha_1: projectiveG1(alpha),
    vk_beta_2: projectiveG2(beta),
    vk_gamma_2: projectiveG2(gamma),
    vk_delta_2: projectiveG2(delta),
    IC: ic.map(projectiveG1),
  };
}

function fromSnarkjsProof({ pi_a, pi_b, pi_c }: SnarkjsProof): Groth16Proof {
  return { a: toG1(pi_a), b: toG2(pi_b), c: toG1(pi_c) };
}

function toSnarkjsProof({ a, b, c }: Groth16Proof): SnarkjsProof {
  return { pi_a: projectiveG1(a), pi_b: projectiveG2(b), pi_c: projectiveG1(c), protocol: "groth16", curve: "bn128" };
}

/** snarkjs adds a third coordinate, which is 1. */
function toG1([x = "", y = ""]: readonly string[]): PointG1 {
  return [x, y];
}

function toG2([x = [], y = []]: readonly (readonly string[])[]): PointG2 {
  return [toG1(x), toG1(y)];
}

function projectiveG1(point: PointG1): string[] {
  return [...point, "1"];
}

function projectiveG2([x, y]: PointG2): string[][] {
  return [[...x], [...y], ["1", "0"]];
}
