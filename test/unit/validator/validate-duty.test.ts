import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { InferiumError } from "../../../src/base/errors.ts";
import type { Execution } from "../../../src/inference/execute.ts";
import type { ValidateDuty } from "../../../src/pool/duty.ts";
import type { AttestRequest, SignedReceipt } from "../../../src/pool/wire.ts";
import { computeCommitment } from "../../../src/protocol/commitment.ts";
import { attestationTypes, computeValidationId, recoverSigner } from "../../../src/protocol/typed-data.ts";
import type { Execute } from "../../../src/validator/judge.ts";
import { commitVotes, computeVotesRoot, revealVotes, type VoteContext } from "../../../src/validator/validate-duty.ts";
import { openVoteRecords } from "../../../src/validator/vote-record.ts";
import { aReceipt, domain, modelDigest, validators } from "./a-batch.ts";

let stateDir = "";
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "inferium-votes-"));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

const signer = validators[0];
const never = new AbortController().signal;
const validationId = computeValidationId("validation-1");
const hash = (pair: string) => `sha256:${pair.repeat(32)}` as const;

/** Arrives at what aReceipt says, without a model. */
const agrees: Execute = async () =>
  ({
    outputs: new Map(),
    outputDigest: hash("c3"),
    inputDigest: hash("b2"),
    modelDigest: `sha256:${modelDigest.slice(2)}`,
    runtime: { version: "1", provider: "cpu", isa: "avx2", level: "all" },
    items: 1,
  }) satisfies Execution;

function aDuty(...receipts: SignedReceipt[]): ValidateDuty {
  return {
    kind: "validate",
    namespace: "demo",
    validation: "validation-1",
    validationId,
    items: receipts.map((receipt) => ({
      taskId: receipt.message.taskId,
      attempt: receipt.message.attempt,
      model: { uri: "file:///model", digest: `sha256:${modelDigest.slice(2)}` },
      input: { uri: "file:///input", digest: hash("b2") },
      verification: { policy: "Exact" as const },
      receipt,
    })),
    deadlineMs: Date.now() + 60_000,
  };
}

/** Over the state folder; every call is like a restart. */
async function aValidator(execute: Execute = agrees) {
  const sent: AttestRequest[] = [];
  const attest = async (request: AttestRequest) => {
    sent.push(request);
    return { status: "Recorded" as const };
  };
  const records = await openVoteRecords(stateDir, systemClock);
  const context: VoteContext = { client: { attest }, signer, domain, execute, records, clock: systemClock };
  return {
    sent,
    records,
    commit: (duty: ValidateDuty, signal = never) => commitVotes(context, duty, signal),
    reveal: (id = validationId) =>
      revealVotes(
        context,
        { kind: "reveal", namespace: "demo", validation: "validation-1", validationId: id, deadlineMs: 0 },
        never,
      ),
  };
}

type Reveal = Extract<AttestRequest, { kind: "reveal" }>;

function revealOf(sent: readonly AttestRequest[]): Reveal {
  const reveal = sent.find((request): request is Reveal => request.kind === "reveal");
  if (reveal === undefined) throw new Error("nothing was revealed");
  return reveal;
}

describe("commit and reveal", () => {
  test("what is revealed after a restart is what was committed to, signed", async () => {
    const duty = aDuty(await aReceipt(), await aReceipt({ attempt: 2, outputDigest: `0x${"dd".repeat(32)}` }));
    const before = await aValidator();
    await before.commit(duty);
    const after = await aValidator(() => Promise.reject(new Error("must not run again")));
    await after.reveal();
    const reveal = revealOf(after.sent);
    expect(reveal.votes.map(({ vote }) => vote)).toEqual(["Accept", "Reject"]);
    const votesRoot = computeVotesRoot(domain, duty, reveal.votes);
    const validator = signer.address;
    const commitment = computeCommitment({ validationId, votesRoot, validator, salt: reveal.salt });
    expect(before.sent).toEqual([{ kind: "commit", namespace: "demo", validation: "validation-1", commitment }]);
    expect(recoverSigner(domain, attestationTypes, { validationId, votesRoot, validator }, reveal.signature)).toBe(
      validator,
    );
    expect(reveal.note).toMatch(/^1: Reject: the output has digest 0xdddd/);
  });

  test("the votes are on the disk before their commitment is sent", async () => {
    const records = await openVoteRecords(stateDir, systemClock);
    let onDisk: unknown;
    const attest = async () => {
      onDisk = await records.find(validationId);
      return { status: "Recorded" as const };
    };
    const context: VoteContext = { client: { attest }, signer, domain, execute: agrees, records, clock: systemClock };
    await commitVotes(context, aDuty(await aReceipt()), never);
    expect(onDisk).toMatchObject({ validationId, votes: [{ vote: "Accept" }] });
  });

  test("asked again for one Validation, even with other receipts, it answers with the first commitment", async () => {
    const validator = await aValidator();
    await validator.commit(aDuty(await aReceipt()));
    await validator.commit(aDuty(await aReceipt({ outputDigest: `0x${"dd".repeat(32)}` })));
    expect(validator.sent[1]).toEqual(validator.sent[0]);
  });

  test("there is nothing to reveal where nothing was committed", async () => {
    const { reveal, sent } = await aValidator();
    await expect(reveal()).rejects.toMatchObject({ code: "NotCommitted" });
    expect(sent).toEqual([]);
  });

  test("a stop in the middle records no vote, so that the duty can be done after the restart", async () => {
    const stop = new AbortController();
    const stopping: Execute = async () => {
      stop.abort(new Error("stopping"));
      throw new Error("aborted");
    };
    const { commit, sent } = await aValidator(stopping);
    await expect(commit(aDuty(await aReceipt()), stop.signal)).rejects.toThrow("stopping");
    expect(sent).toEqual([]);
    const { commit: again, records } = await aValidator();
    await again(aDuty(await aReceipt()));
    expect((await records.find(validationId))?.votes).toMatchObject([{ vote: "Accept" }]);
  });

  test.for<{ name: string; receipt: () => Promise<SignedReceipt>; execute?: Execute; want: string }>([
    {
      name: "a receipt that another signed",
      receipt: () => aReceipt({}, validators[1]),
      want: "signed by",
    },
    {
      name: "a model that is not there",
      receipt: () => aReceipt(),
      execute: () => Promise.reject(new InferiumError("NotFound", "There is no file.")),
      want: "cannot re-execute: There is no file.",
    },
  ])("it abstains from $name", async ({ receipt, execute, want }) => {
    const { commit, reveal, sent } = await aValidator(execute);
    await commit(aDuty(await receipt()));
    await reveal();
    expect(revealOf(sent).votes).toEqual([{ vote: "Abstain", outputDigest: `0x${"0".repeat(64)}` }]);
    expect(revealOf(sent).note).toContain(want);
  });

  test("it abstains where the receipt is not about the item it came with", async () => {
    const duty = aDuty(await aReceipt());
    const [item] = duty.items;
    if (item === undefined) throw new Error("no item");
    const { commit, reveal, sent } = await aValidator();
    await commit({ ...duty, items: [{ ...item, attempt: 9 }] });
    await reveal();
    expect(revealOf(sent).votes[0]?.vote).toBe("Abstain");
  });

  test("a duty without receipts is not answered", async () => {
    const { commit } = await aValidator();
    await expect(commit(aDuty())).rejects.toMatchObject({ code: "InvalidDuty" });
  });
});

describe("the record of votes", () => {
  const record = {
    validationId,
    votesRoot: "0x01",
    commitment: "0x02",
    salt: "0x03",
    votes: [{ vote: "Accept" as const, outputDigest: "0x04" }],
    overheadMs: 1,
  };

  test("takes one root for a Validation", async () => {
    const { records } = await aValidator();
    await records.save(record);
    await expect(records.save({ ...record, votesRoot: "0x09" })).rejects.toMatchObject({ code: "AlreadyVoted" });
    expect((await records.find(validationId))?.votesRoot).toBe("0x01");
  });

  test("an id that is no id reaches no file", async () => {
    const { records } = await aValidator();
    await expect(records.find("../../secret")).rejects.toMatchObject({ code: "InvalidValidationId" });
  });

  test("a damaged record is not voted over", async () => {
    const { records, commit } = await aValidator();
    await records.save(record);
    await writeFile(join(stateDir, "votes", `${validationId}.json`), "{");
    await expect(commit(aDuty(await aReceipt()))).rejects.toMatchObject({ code: "StateUnreadable" });
    expect(await readFile(join(stateDir, "votes", `${validationId}.json`), "utf8")).toBe("{");
  });

  test("forgets what is older than anything that can be disputed, and nothing younger", async () => {
    const { records } = await aValidator();
    const other = computeValidationId("validation-2");
    await records.save(record);
    await records.save({ ...record, validationId: other });
    const old = Date.now() / 1000 - 31 * 86_400;
    await utimes(join(stateDir, "votes", `${other}.json`), old, old);
    await records.prune();
    expect(await readdir(join(stateDir, "votes"))).toEqual([`${validationId}.json`]);
  });
});
