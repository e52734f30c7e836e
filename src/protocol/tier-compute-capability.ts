/**
 * CUDA compute capability of a GPU that does not tell its own. No driver generation's `nvidia-smi -q -x` document carries
 * it, so it is looked up by architecture, and by product where one architecture has several. Pure.
 * Source of the figures: NVIDIA's "CUDA GPU Compute Capability" table.
 */
import { InferiumError } from "../base/errors.ts";

interface Rule {
  readonly architecture: string;
  readonly product: RegExp;
  readonly computeCapability: string;
}

/**
 * Read from the top: the first rule whose product matches within the architecture. The last rule of an architecture
 * takes all its other products.
 */
const rules: readonly Rule[] = [
  { architecture: "Kepler", product: /\bK80\b/, computeCapability: "3.7" },
  { architecture: "Kepler", product: /./, computeCapability: "3.5" },
  { architecture: "Maxwell", product: /\bGTX 7[45]0|\bM10\b/, computeCapability: "5.0" },
  { architecture: "Maxwell", product: /./, computeCapability: "5.2" },
  { architecture: "Pascal", product: /\bP100\b|\bGP100\b/, computeCapability: "6.0" },
  { architecture: "Pascal", product: /./, computeCapability: "6.1" },
  { architecture: "Volta", product: /./, computeCapability: "7.0" },
  { architecture: "Turing", product: /./, computeCapability: "7.5" },
  { architecture: "Ampere", product: /\b(A100|A800|A30)X?\b/, computeCapability: "8.0" },
  { architecture: "Ampere", product: /./, computeCapability: "8.6" },
  { architecture: "Ada Lovelace", product: /./, computeCapability: "8.9" },
  { architecture: "Hopper", product: /./, computeCapability: "9.0" },
  { architecture: "Blackwell", product: /\b(RTX|GeForce)\b/, computeCapability: "12.0" },
  { architecture: "Blackwell", product: /\bG?B300\b/, computeCapability: "10.3" },
  { architecture: "Blackwell", product: /\bGB10\b/, computeCapability: "12.1" },
  { architecture: "Blackwell", product: /\bG?B[12]00\b/, computeCapability: "10.0" },
];

/** Drivers before 470 name no architecture: these products tell theirs. */
const architecturesByProduct: readonly (readonly [RegExp, string])[] = [
  [/\bG?B[123]00\b|\bGB10\b|\bRTX 50\d0\b|\bRTX PRO \d+ Blackwell\b/, "Blackwell"],
  [/\b(G?H[128]00|H20)\b/, "Hopper"],
  [/\bL(2|4|20|40S?)\b|\bRTX 40\d0\b|\bAda Generation\b/, "Ada Lovelace"],
  [/\bA(2|10G?|16|30X?|40|100X?|800)\b|\bRTX 30\d0\b|\bRTX A\d000\b/, "Ampere"],
  [/\bT4G?\b|\bGTX 16\d0\b|\bRTX 20\d0\b|\bQuadro RTX\b|\bTITAN RTX\b/, "Turing"],
  [/\bV100S?\b|\bTITAN V\b|\bGV100\b/, "Volta"],
  [/\bP(4|6|40|100)\b|\bGTX 10\d0\b|\bTITAN Xp\b/, "Pascal"],
  [/\bM(4|6|10|40|60)\b|\bGTX 9\d0\b/, "Maxwell"],
  [/\bK(20|40|80|520)[mcX]?\b/, "Kepler"],
];

/** "8.0", or undefined where neither the architecture nor the product is known: an unknown GPU is not guessed at. */
export function lookUpComputeCapability(product: string, architecture: string | undefined): string | undefined {
  // Names come as "NVIDIA A100-SXM4-80GB" from nvidia-smi and as "NVIDIA-A100-SXM4-80GB" from labels.
  const name = product.replaceAll("-", " ");
  const family = architecture ?? architecturesByProduct.find(([pattern]) => pattern.test(name))?.[1];
  return rules.find((rule) => rule.architecture === family && rule.product.test(name))?.computeCapability;
}

/**
 * Compares by major, then minor, as numbers: "12.0" is above "8.9".
 * @throws InferiumError InvalidComputeCapability
 */
export function compareComputeCapability(a: string, b: string): number {
  const [majorA, minorA] = parseComputeCapability(a);
  const [majorB, minorB] = parseComputeCapability(b);
  return majorA - majorB || minorA - minorB;
}

function parseComputeCapability(value: string): readonly [number, number] {
  const [, major, minor] = /^(\d{1,3})\.(\d{1,2})$/.exec(value) ?? [];
  if (major === undefined || minor === undefined) {
    const message = `A compute capability is "${value.slice(0, 40)}"; expected major.minor, such as 8.0.`;
    throw new InferiumError("InvalidComputeCapability", message);
  }
  return [Number(major), Number(minor)];
}
