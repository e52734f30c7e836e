/**
 * Recovering the signer of a receipt, as the operator does for each receipt and vote, over the same with ethers alone.
 * Distinct receipts (answers are remembered); the two take turns in rounds, and medians are compared.
 */
import { verifyTypedData, Wallet } from "ethers";
import { buildDomain, receiptTypes, recoverSigner } from "../../src/protocol/typed-data.ts";

const rounds = 40;
const perRound = 25;
const domain = { chainId: 31337, settlement: `0x${"5".repeat(40)}` };

export interface SignatureBench {
  readonly [key: string]: unknown;
  /** Our time over that of ethers, median of the rounds; below 1 is faster. */
  readonly ratio: number;
  readonly millisecondsPerReceipt: number;
}

interface Signed {
  readonly message: object;
  readonly signature: string;
}

export async function benchSignatures(): Promise<SignatureBench> {
  const wallet = Wallet.createRandom();
  const ratios: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const signed = await Promise.all(Array.from({ length: perRound }, (_, i) => sign(wallet, round * perRound + i)));
    const mine = time(signed, (one) => recoverSigner(domain, receiptTypes, one.message, one.signature));
    const theirs = time(signed, (one) =>
      verifyTypedData(buildDomain(domain), receiptTypes, one.message, one.signature),
    );
    ours.push(mine / perRound);
    ratios.push(mine / theirs);
  }
  return { ratio: round3(median(ratios)), millisecondsPerReceipt: round3(median(ours)), rounds, perRound };
}

async function sign(wallet: ReturnType<typeof Wallet.createRandom>, index: number): Promise<Signed> {
  const digest = (byte: string) => `0x${byte.repeat(32)}`;
  const message = {
    taskId: `0x${index.toString(16).padStart(64, "0")}`,
    attempt: 1,
    worker: wallet.address,
    modelDigest: digest("01"),
    imageDigest: digest("02"),
    codeDigest: digest("03"),
    inputDigest: digest("04"),
    outputDigest: digest("05"),
    runtime: "onnxruntime",
    startedAtMs: 1n,
    endedAtMs: 2n,
  };
  return { message, signature: await wallet.signTypedData(buildDomain(domain), receiptTypes, message) };
}

function time(signed: readonly Signed[], work: (one: Signed) => unknown): number {
  const startedAt = performance.now();
  for (const one of signed) work(one);
  return performance.now() - startedAt;
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const round3 = (value: number) => Number(value.toFixed(3));
