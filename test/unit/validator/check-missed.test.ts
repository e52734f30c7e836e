import { describe, expect, test } from "vitest";
import { checkHeader } from "../../../src/validator/certify/check-header.ts";
import { attemptKey, checkMissed } from "../../../src/validator/certify/check-missed.ts";
import { parseBatch } from "../../../src/validator/certify/parse-batch.ts";
import { aBatch, aClaim, aTask, domain, nowMs, otherDomain, validators } from "./a-batch.ts";

const rules = { domain, answered: new Set<string>() };

async function find(missed: Awaited<ReturnType<typeof aClaim>>[], given: Partial<typeof rules> = {}): Promise<string> {
  const batch = parseBatch(await aBatch([await aTask()], { missed }));
  return checkMissed(batch, { ...rules, ...given })?.code ?? "signed";
}

describe("claims that a batch says were missed", () => {
  test("may be signed where the worker signed them and their deadline had passed", async () => {
    expect(await find([await aClaim(), await aClaim({ attempt: 2, deadlineMs: nowMs })])).toBe("signed");
    expect(await find([])).toBe("signed");
  });

  const wrong = [
    { name: "of another signer", claim: () => aClaim({}, validators[0]), want: "ClaimNotSigned" },
    { name: "before the deadline", claim: () => aClaim({ deadlineMs: nowMs + 1 }), want: "MissedTooEarly" },
    {
      name: "with a longer signature",
      claim: async () => ({ ...(await aClaim()), signature: `0x${"11".repeat(65)}` }),
      want: "ClaimNotSigned",
    },
    {
      name: "of the very attempt that the batch pays",
      claim: async () => aClaim({ taskId: (await aTask()).taskId }),
      want: "MissedWasAnswered",
    },
  ];
  for (const { name, claim, want } of wrong) {
    test(`are refused ${name}`, async () => expect(await find([await claim()])).toBe(want));
  }

  test("are refused under another deployment's domain", async () => {
    expect(await find([await aClaim()], { domain: otherDomain })).toBe("ClaimNotSigned");
  });

  test("are refused where a receipt of the attempt was judged here", async () => {
    const claim = await aClaim();
    expect(await find([claim], { answered: new Set([attemptKey(claim.message)]) })).toBe("MissedWasAnswered");
    const other = new Set([attemptKey({ ...claim.message, attempt: 2 })]);
    expect(await find([claim], { answered: other })).toBe("signed");
  });

  test("are refused twice in a batch, and in numbers", async () => {
    const claim = await aClaim();
    expect(await find([claim, claim])).toBe("DuplicateMissed");
    const many = await Promise.all(Array.from({ length: 65 }, (_, attempt) => aClaim({ attempt })));
    expect(await find(many)).toBe("TooManyMissed");
  });

  test("stand in the task root, so that one left out or added shows", async () => {
    const batch = parseBatch(await aBatch([await aTask()], { missed: [await aClaim()] }));
    expect(checkHeader(batch, nowMs)).toBeUndefined();
    expect(checkHeader({ ...batch, missed: [] }, nowMs)?.code).toBe("HeaderMismatch");
    expect(checkHeader({ ...batch, missed: [await aClaim({ attempt: 2 })] }, nowMs)?.code).toBe("HeaderMismatch");
  });
});
