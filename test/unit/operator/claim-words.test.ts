import { describe, expect, test } from "vitest";
import { ClaimWords } from "../../../src/operator/claim-words.ts";
import { claimTypes } from "../../../src/protocol/typed-data.ts";
import { aClaim, domain, nowMs, validators, worker } from "../validator/a-batch.ts";

const deadlineMs = nowMs + 60_000;

async function aWord(attempt: number, signer = worker) {
  const { message, signature } = await aClaim({ attempt, deadlineMs }, signer);
  const { taskId } = message;
  return { taskId, attempt, claim: { deadlineMs, signature }, assignedUntilMs: deadlineMs };
}

describe("a worker's word for what it runs", () => {
  test("is kept where it signed the assignment's own deadline", async () => {
    const words = new ClaimWords(domain);
    const word = await aWord(1);
    words.hear(worker.address, [word, { ...(await aWord(2)), assignedUntilMs: deadlineMs + 1 }]);
    const message = { taskId: word.taskId, attempt: 1, worker: worker.address, deadlineMs };
    expect(words.find(worker.address, word.taskId, 1)).toEqual({ message, signature: word.claim.signature });
    expect(words.find(worker.address, word.taskId, 2)).toBeUndefined();
  });

  test("is not kept where another signed, or nobody", async () => {
    const words = new ClaimWords(domain);
    const { claim: _, ...bare } = await aWord(2);
    const foreign = await aWord(1, validators[0]);
    words.hear(worker.address, [foreign, bare]);
    expect(words.find(worker.address, foreign.taskId, 1)).toBeUndefined();
    expect(words.find(worker.address, bare.taskId, 2)).toBeUndefined();
    const other = await validators[0].signTypedData({ ...domain, chainId: 1 }, claimTypes, {
      ...{ taskId: bare.taskId, attempt: 2, worker: worker.address, deadlineMs },
    });
    words.hear(worker.address, [{ ...bare, claim: { deadlineMs, signature: other } }]);
    expect(words.find(worker.address, bare.taskId, 2)).toBeUndefined();
  });

  test("is that of the last heartbeat alone", async () => {
    const words = new ClaimWords(domain);
    const word = await aWord(1);
    words.hear(worker.address, [word]);
    words.hear(worker.address, [await aWord(2)]);
    expect(words.find(worker.address, word.taskId, 1)).toBeUndefined();
    expect(words.find(worker.address, word.taskId, 2)).toBeDefined();
    words.hear(worker.address, []);
    expect(words.find(worker.address, word.taskId, 2)).toBeUndefined();
  });
});
