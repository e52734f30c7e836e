import { describe, expect, test } from "vitest";
import { compareComputeCapability, lookUpComputeCapability } from "../../../src/protocol/tier-compute-capability.ts";

describe("lookUpComputeCapability", () => {
  const cases: readonly { product: string; architecture?: string; want: string | undefined }[] = [
    { product: "NVIDIA A100-SXM4-80GB", architecture: "Ampere", want: "8.0" },
    { product: "NVIDIA A100-SXM4-80GB", want: "8.0" },
    { product: "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb", want: "8.0" },
    { product: "NVIDIA A100X", architecture: "Ampere", want: "8.0" },
    { product: "NVIDIA A30", want: "8.0" },
    { product: "NVIDIA A10G", architecture: "Ampere", want: "8.6" },
    { product: "NVIDIA A10G", want: "8.6" },
    { product: "NVIDIA GeForce RTX 3080", want: "8.6" },
    { product: "Tesla T4", architecture: "Turing", want: "7.5" },
    { product: "Tesla T4", want: "7.5" },
    { product: "Tesla V100-SXM2-16GB", want: "7.0" },
    { product: "Tesla P100-PCIE-16GB", architecture: "Pascal", want: "6.0" },
    { product: "Tesla P4", want: "6.1" },
    { product: "NVIDIA L4", want: "8.9" },
    { product: "NVIDIA L40S", want: "8.9" },
    { product: "NVIDIA GeForce RTX 4070", architecture: "Ada Lovelace", want: "8.9" },
    { product: "NVIDIA H100 80GB HBM3", want: "9.0" },
    { product: "NVIDIA GH200 480GB", want: "9.0" },
    { product: "NVIDIA B200", architecture: "Blackwell", want: "10.0" },
    { product: "NVIDIA GB300", architecture: "Blackwell", want: "10.3" },
    { product: "NVIDIA GeForce RTX 5090", want: "12.0" },
    { product: "NVIDIA RTX PRO 6000 Blackwell Server Edition", architecture: "Blackwell", want: "12.0" },
    { product: "NVIDIA GB10", architecture: "Blackwell", want: "12.1" },
    { product: "Tesla K80", want: "3.7" },
    { product: "Tesla M60", want: "5.2" },
    { product: "NVIDIA Z1", architecture: "Rubin", want: undefined },
    { product: "NVIDIA Blackwell Next", architecture: "Blackwell", want: undefined },
    { product: "Graphics Device", want: undefined },
  ];
  test.each(cases)("$product of $architecture has $want", ({ product, architecture, want }) => {
    expect(lookUpComputeCapability(product, architecture)).toBe(want);
  });
});

describe("compareComputeCapability", () => {
  test.each([
    ["8.0", "8.0", 0],
    ["8.9", "8.0", 1],
    ["10.0", "9.0", 1],
    ["7.5", "12.0", -1],
  ])("%s against %s", (a, b, want) => {
    expect(Math.sign(compareComputeCapability(a, b))).toBe(want);
  });

  test("refuses what is no capability", () => {
    expect(() => compareComputeCapability("8", "8.0")).toThrow("expected major.minor");
  });
});
