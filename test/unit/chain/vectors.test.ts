import { readFileSync } from "node:fs";
import { Signature } from "ethers";
import { describe, expect, test } from "vitest";
import { compactSignature } from "../../../src/chain/certificate.ts";
import { hashHeader } from "../../../src/chain/header.ts";
import {
  buildBalanceTree,
  buildMerkleTree,
  hashBalanceLeaf,
  hashMissedLeaf,
  hashSpentLeaf,
  hashTaskLeaf,
  hashVoteLeaf,
  verifyMerkleProof,
} from "../../../src/protocol/merkle.ts";
import {
  attestationTypes,
  claimTypes,
  hashMessage,
  receiptTypes,
  recoverSigner,
} from "../../../src/protocol/typed-data.ts";

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), "utf8"));
const eip712 = read("chain-eip712");
const merkle = read("chain-merkle");

describe("the vectors that contracts/test/Vectors.t.sol checks too", () => {
  test("a receipt hashes to its digest", () => {
    expect(hashMessage(eip712.domain, receiptTypes, eip712.receipt.message)).toBe(eip712.receipt.digest);
  });

  test("a changed receipt does not", () => {
    const tampered = { ...eip712.receipt.message, attempt: 3 };
    expect(hashMessage(eip712.domain, receiptTypes, tampered)).not.toBe(eip712.receipt.digest);
  });

  test("a compact signature is the worker's", () => {
    const { message, compactSignature: compact } = eip712.receipt;
    const full = Signature.from(compact).serialized;
    expect(recoverSigner(eip712.domain, receiptTypes, message, full)).toBe(message.worker);
    expect(compactSignature(full)).toBe(compact);
  });

  test("a worker's claim hashes to its digest", () => {
    expect(hashMessage(eip712.domain, claimTypes, eip712.claim.message)).toBe(eip712.claim.digest);
  });

  test("an attestation hashes to its digest", () => {
    const { message, digest } = eip712.attestation;
    expect(hashMessage(eip712.domain, attestationTypes, message)).toBe(digest);
  });

  test.each(["batchHeader", "largestHeader"])("a batch header hashes to its digest: %s", (name) => {
    const { message, digest } = eip712[name];
    const header = {
      ...message,
      sequence: BigInt(message.sequence),
      epoch: BigInt(message.epoch),
      settledWei: BigInt(message.settledWei),
      createdAt: BigInt(message.createdAt),
    };
    expect(hashHeader(eip712.domain, header)).toBe(digest);
  });

  test("a redirected claim hashes to its digest under the distributor's domain", () => {
    const { distributor, message, digest } = eip712.claimTo;
    const types = {
      ClaimTo: [
        { name: "account", type: "address" },
        { name: "to", type: "address" },
        { name: "nonce", type: "uint256" },
        { name: "expiresAt", type: "uint64" },
      ],
    };
    expect(hashMessage({ ...eip712.domain, settlement: distributor }, types, message)).toBe(digest);
  });

  test("a balance and what was spent stand in one tree", () => {
    const { balance, spent, balanceTree } = merkle;
    const tree = buildBalanceTree(
      new Map([[balance.account, BigInt(balance.cumulativeWei)]]),
      new Map([[spent.requester, BigInt(spent.cumulativeWei)]]),
    );
    expect(tree.root).toBe(balanceTree.root);
    expect([tree.proof(0), tree.proof(1)]).toEqual([balanceTree.balanceProof, balanceTree.spentProof]);
  });

  test("each kind of leaf hashes to its vector", () => {
    const { vote, task, missed, balance, spent } = merkle;
    expect(hashVoteLeaf(vote)).toBe(vote.leaf);
    expect(hashTaskLeaf({ ...task, rewardWei: BigInt(task.rewardWei) })).toBe(task.leaf);
    expect(hashMissedLeaf(missed)).toBe(missed.leaf);
    expect(hashBalanceLeaf(balance.account, BigInt(balance.cumulativeWei))).toBe(balance.leaf);
    expect(hashSpentLeaf(spent.requester, BigInt(spent.cumulativeWei))).toBe(spent.leaf);
  });

  test.each(merkle.trees as { count: number; root: string; proofs: string[][] }[])(
    "a tree of $count leaves has its root and proofs",
    ({ count, root, proofs }) => {
      const leaves: string[] = merkle.leaves.slice(0, count);
      const tree = buildMerkleTree(leaves);
      expect(tree.root).toBe(root);
      for (const [index, leaf] of leaves.entries()) {
        expect(tree.proof(index)).toEqual(proofs[index]);
        expect(verifyMerkleProof(root, leaf, proofs[index]!)).toBe(true);
      }
    },
  );
});
