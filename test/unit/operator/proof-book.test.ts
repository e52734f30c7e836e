import { describe, expect, test } from "vitest";
import type { Clock } from "../../../src/base/clock.ts";
import type { ValidationObject } from "../../../src/operator/kinds.ts";
import { ProofBook } from "../../../src/operator/proof-book.ts";
import type { ValidateDuty } from "../../../src/pool/duty.ts";
import type { ProtocolSigner } from "../../../src/pool/signer.ts";
import { endorsementOf, type ProofData } from "../../../src/protocol/proof.ts";
import { computeTaskId, proofEndorsementTypes } from "../../../src/protocol/typed-data.ts";
import { aProof, aReceipt, domain, validators, worker } from "../validator/a-batch.ts";

const [prover, second, third] = validators;
const receipt = await aReceipt({ taskId: computeTaskId("uid") });
const place = { namespace: "default", validation: "val" };
const validation = {
  metadata: { namespace: "default", name: "val", uid: "validation-uid" },
  spec: {
    policy: "ZeroKnowledge",
    receipts: [{ task: "t", uid: "uid", attempt: 1, worker: worker.address, digest: "0x" }],
    validators: validators.map(({ address }) => ({ name: address, address })),
    quorum: 2,
  },
} as unknown as ValidationObject;

function aBook() {
  let nowMs = 0;
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, sleep: () => Promise.resolve() };
  const changes: string[] = [];
  const item = { taskId: receipt.message.taskId, receipt } as ValidateDuty["items"][number];
  const book = new ProofBook({
    ...{ domain, clock, timing: { provingMs: 60_000, endorsingMs: 10_000, stragglerMs: 500 } },
    buildItems: async () => [item],
    onChange: (key) => changes.push(key),
  });
  const panel = book.open(validation);
  return { book, panel, changes, pass: (ms: number) => (nowMs += ms) };
}

const sign = (signer: ProtocolSigner, proof: ProofData, as = signer.address) =>
  signer.signTypedData(domain, proofEndorsementTypes, endorsementOf(proof, as));

async function submission(proof: ProofData, signer = prover) {
  const rest = { circuitDigest: `sha256:${"1".repeat(64)}`, developmentSetup: true, proveMs: 5 };
  return { kind: "prove", ...place, proof, ...rest, signature: await sign(signer, proof) } as const;
}

describe("ProofBook", () => {
  test("asks the first that was drawn for a proof, then the others for their word", async () => {
    const { book, panel } = aBook();
    expect((await book.nextDuty(prover.address))?.kind).toBe("prove");
    expect(await book.nextDuty(prover.address)).toBeUndefined();
    expect(await book.nextDuty(second.address)).toBeUndefined();
    const proof = aProof(receipt);
    expect(book.prove(prover.address, await submission(proof))).toEqual({ status: "Recorded" });
    expect(await book.nextDuty(second.address)).toMatchObject({ kind: "endorse", proof });
    const signature = await sign(second, proof);
    expect(book.endorse(second.address, { kind: "endorse", ...place, signature })).toEqual({ status: "Recorded" });
    expect([...panel.endorsements.keys()]).toEqual([prover.address, second.address]);
    expect(await book.nextDuty(second.address)).toBeUndefined();
  });

  test("an unanswered duty is handed out again", async () => {
    const { book, pass } = aBook();
    await book.nextDuty(prover.address);
    pass(10_000);
    expect((await book.nextDuty(prover.address))?.kind).toBe("prove");
  });

  test.each<[string, Partial<ProofData>]>([
    ["AnotherWorker", { worker: validators[2].address }],
    ["AnotherAttempt", { attempt: 2 }],
    ["AnotherTask", { taskId: computeTaskId("other") }],
  ])("refuses a proof for other work: %s", async (code, change) => {
    const { book, panel } = aBook();
    const request = await submission(aProof(receipt, change));
    expect(() => book.prove(prover.address, request)).toThrow(expect.objectContaining({ code }));
    expect(panel.proof).toBeUndefined();
  });

  test("refuses who was not asked, who is not on the panel, and who did not sign", async () => {
    const { book } = aBook();
    const proof = aProof(receipt);
    const request = await submission(proof);
    const code = (name: string) => expect.objectContaining({ code: name });
    expect(() => book.prove(second.address, request)).toThrow(code("NotProver"));
    expect(() => book.prove(worker.address, request)).toThrow(code("NotOnPanel"));
    const bySecond = { ...request, signature: await sign(second, proof) };
    expect(() => book.prove(prover.address, bySecond)).toThrow(code("NotSignedByValidator"));
    book.prove(prover.address, request);
    const { signature } = request;
    expect(() => book.endorse(third.address, { kind: "endorse", ...place, signature })).toThrow(
      code("NotSignedByValidator"),
    );
  });

  test("a prover that cannot ends the wait; another's word against a proof is kept beside it", async () => {
    const because = { reason: "NotRegistered", message: "No circuit." };
    const failing = aBook();
    failing.book.decline(second.address, { kind: "decline", ...place, ...because });
    expect(failing.panel.failure).toBeUndefined();
    failing.book.decline(prover.address, { kind: "decline", ...place, ...because });
    expect(failing.panel.failure).toEqual(because);
    expect(failing.changes).toContain("default/val");
    expect(failing.book.prove(prover.address, await submission(aProof(receipt)))).toEqual({ status: "Late" });

    const { book, panel } = aBook();
    book.prove(prover.address, await submission(aProof(receipt)));
    book.decline(second.address, { kind: "decline", ...place, reason: "InvalidProof", message: "No." });
    expect(panel.failure).toBeUndefined();
    expect(panel.declined.get(second.address)?.reason).toBe("InvalidProof");
    expect(await book.nextDuty(second.address)).toBeUndefined();
  });
});
