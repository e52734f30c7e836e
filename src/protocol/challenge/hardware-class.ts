/**
 * How much arithmetic a claimed GPU must show. Pure.
 * Source of the figures: peak FP32 (not tensor core) throughput as NVIDIA's data sheets and architecture whitepapers publish
 * it, in TFLOPS, of the slowest variant that goes by the name. They were not measured by this project. Of them half is asked,
 * on average over the computation: GPUs since Ampere multiply matrices at several times their figure (TF32), older ones reach
 * 70 to 90 % of it, and what a CPU reaches is an order of magnitude below.
 */
import { lookUpComputeCapability } from "../tier-compute-capability.ts";

interface PublishedRate {
  readonly product: RegExp;
  readonly teraflops: number;
}

/** Read from the top; names as nvidia-smi prints them, with blanks in place of dashes. */
const published: readonly PublishedRate[] = [
  { product: /\bG?B[23]00\b/, teraflops: 62 },
  { product: /\bG?H200\b|\bGH200\b|\bH100 (SXM|80GB HBM3)|\bH800\b/, teraflops: 60 },
  { product: /\bH100\b/, teraflops: 48 },
  { product: /\bH20\b/, teraflops: 44 },
  { product: /\bA(100|800)X?\b/, teraflops: 19.5 },
  { product: /\bA30X?\b/, teraflops: 10.3 },
  { product: /\bA40\b/, teraflops: 37.4 },
  { product: /\bA10G?\b/, teraflops: 31.2 },
  { product: /\bA16\b/, teraflops: 4.5 },
  { product: /\bA2\b/, teraflops: 4.5 },
  { product: /\bL40S\b/, teraflops: 91.6 },
  { product: /\bL40\b/, teraflops: 90.5 },
  { product: /\bL20\b/, teraflops: 59.8 },
  { product: /\bL4\b/, teraflops: 30.3 },
  { product: /\bL2\b/, teraflops: 24.1 },
  { product: /\bT4G?\b/, teraflops: 8.1 },
  { product: /\bV100S?\b|\bTITAN V\b/, teraflops: 14 },
  { product: /\bP100\b/, teraflops: 9.3 },
  { product: /\bP40\b/, teraflops: 11.8 },
  { product: /\bP4\b/, teraflops: 5.5 },
  { product: /\bRTX 6000 Ada\b/, teraflops: 91.1 },
  { product: /\bRTX A6000\b/, teraflops: 38.7 },
  { product: /\bRTX 5090\b/, teraflops: 104.8 },
  { product: /\bRTX 5080\b/, teraflops: 56.3 },
  { product: /\bRTX 4090\b/, teraflops: 73.5 },
  { product: /\bRTX 4080\b/, teraflops: 48.7 },
  { product: /\bRTX 4070\b/, teraflops: 29.1 },
  { product: /\bRTX 3090\b/, teraflops: 35.6 },
  { product: /\bRTX 3080\b/, teraflops: 29.8 },
];

/** By compute capability, of the slowest that has it: what a product of no known name must show. */
const byCapability: Readonly<Record<string, number>> = {
  "12.0": 20,
  "10.0": 62,
  "10.3": 62,
  "9.0": 44,
  "8.9": 20,
  "8.6": 4.5,
  "8.0": 10.3,
  "7.5": 4,
  "7.0": 14,
  "6.1": 2,
  "6.0": 9.3,
};
/** Any other GPU. */
const unknownTeraflops = 2;

/** Published peak of the product, in operations per second. */
export function findPeakRate(product: string, computeCapability: string | undefined): number {
  const name = product.replaceAll("-", " ");
  const known = published.find((entry) => entry.product.test(name))?.teraflops;
  const capability = computeCapability ?? lookUpComputeCapability(product, undefined);
  const fallback =
    capability !== undefined && Object.hasOwn(byCapability, capability) ? byCapability[capability] : undefined;
  return (known ?? fallback ?? unknownTeraflops) * 1e12;
}
