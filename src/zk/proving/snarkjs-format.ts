/** Keys and proofs in snarkjs' form, which adds a third coordinate to each point. Pure; of the process that runs snarkjs. */
import type { SnarkjsProof, SnarkjsVerifyingKey } from "snarkjs";
import type { Groth16Proof, PointG1, PointG2, VerifyingKey } from "./groth16.ts";

export function toSnarkjsKey({ alpha, beta, gamma, delta, ic }: VerifyingKey): SnarkjsVerifyingKey {
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

export function toSnarkjsProof({ a, b, c }: Groth16Proof): SnarkjsProof {
  return { pi_a: projectiveG1(a), pi_b: projectiveG2(b), pi_c: projectiveG1(c), protocol: "groth16", curve: "bn128" };
}

/** snarkjs adds a third coordinate, which is 1. */
function projectiveG1(point: PointG1): string[] {
  return [...point, "1"];
}

function projectiveG2([x, y]: PointG2): string[][] {
  return [[...x], [...y], ["1", "0"]];
}
