import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parseAttest, parseClaim, parseReceipt } from "../../../src/pool/parse-request.ts";
import { requestSchemas } from "../../../src/pool/request-schemas.ts";

const hash = `0x${"a".repeat(64)}`;
const signature = `0x${"b".repeat(128)}`;
const message = {
  taskId: hash,
  attempt: 1,
  worker: "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
  modelDigest: hash,
  imageDigest: hash,
  codeDigest: hash,
  inputDigest: hash,
  outputDigest: hash,
  runtime: "onnxruntime/1.27.0 cpu avx2 all",
  startedAtMs: 1,
  endedAtMs: 2,
};
const completed = {
  namespace: "demo",
  task: "mnist-0",
  outcome: {
    kind: "Completed",
    receipt: { message, signature },
    output: {
      label: { dtype: "int64", shape: [1], data: [7] },
      score: { dtype: "int32", shape: [1], base64: "AAAAAA==" },
    },
    items: 1,
  },
};
const failed = {
  namespace: "demo",
  task: "mnist-0",
  outcome: { kind: "Failed", taskId: hash, attempt: 1, reason: "OutOfMemory", message: "", retryable: true },
};
const reveal = {
  kind: "reveal",
  namespace: "demo",
  validation: "val-1",
  votes: [{ vote: "Accept", outputDigest: hash }],
  salt: hash,
  signature,
  overheadMs: 12,
};
const certify = { kind: "certify", sequence: "18446744073709551615", headerHash: hash, signature };

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

describe("requests as they should be", () => {
  test.for<{ name: string; parse: (body: Buffer) => unknown; request: object }>([
    {
      name: "a claim",
      parse: parseClaim,
      request: { slots: 2, models: [`sha256:${"c".repeat(64)}`], freeMemoryMiB: 1, waitMs: 30_000 },
    },
    { name: "a receipt", parse: parseReceipt, request: completed },
    { name: "a failure", parse: parseReceipt, request: failed },
    {
      name: "a commitment",
      parse: parseAttest,
      request: { kind: "commit", namespace: "a", validation: "v", commitment: hash },
    },
    { name: "a reveal", parse: parseAttest, request: reveal },
    { name: "a reveal with a note", parse: parseAttest, request: { ...reveal, note: "why" } },
    { name: "a certification", parse: parseAttest, request: certify },
    {
      name: "a refusal",
      parse: parseAttest,
      request: { kind: "refuse", sequence: "1", headerHash: hash, reason: "why" },
    },
  ])("$name passes unchanged", ({ parse, request }) => {
    expect(parse(bytes(request))).toEqual(request);
  });
});

describe("requests that are refused", () => {
  const { signature: _, ...unsigned } = certify;
  test.for<{ name: string; parse: (body: Buffer) => unknown; request: unknown; says: RegExp }>([
    {
      name: "a receipt whose signature is not the compact form that contracts take",
      parse: parseReceipt,
      request: { ...completed, outcome: { ...completed.outcome, receipt: { message, signature: `${signature}1c` } } },
      says: /outcome\.receipt\.signature must match pattern/,
    },
    {
      name: "a receipt with a field that nobody signed",
      parse: parseReceipt,
      request: {
        ...completed,
        outcome: { ...completed.outcome, receipt: { message: { ...message, tip: 1 }, signature } },
      },
      says: /additional properties \(tip\)/,
    },
    {
      name: "an outcome of another kind",
      parse: parseReceipt,
      request: { ...completed, outcome: { ...completed.outcome, kind: "Perhaps" } },
      says: /outcome value of tag "kind" must be in oneOf/,
    },
    {
      name: "a task name that is a path",
      parse: parseReceipt,
      request: { ...completed, task: "../../secrets" },
      says: /task must match pattern/,
    },
    {
      name: "a failure reason that is a sentence",
      parse: parseReceipt,
      request: { ...failed, outcome: { ...failed.outcome, reason: "out of memory" } },
      says: /outcome\.reason must match pattern/,
    },
    {
      name: "a digest in capitals, of which there would be two for one value",
      parse: parseAttest,
      request: { ...certify, headerHash: hash.toUpperCase().replace("0X", "0x") },
      says: /headerHash must match pattern/,
    },
    {
      name: "a certification without its signature",
      parse: parseAttest,
      request: unsigned,
      says: /required property 'signature'/,
    },
    {
      name: "a sequence with leading zeros",
      parse: parseAttest,
      request: { ...certify, sequence: "01" },
      says: /sequence must match/,
    },
    {
      name: "a reveal without votes",
      parse: parseAttest,
      request: { ...reveal, votes: [] },
      says: /votes must NOT have fewer/,
    },
    {
      name: "a vote of another kind",
      parse: parseAttest,
      request: { ...reveal, votes: [{ vote: "Maybe", outputDigest: hash }] },
      says: /Accept, Reject, Abstain/,
    },
    {
      name: "a fraction of a slot",
      parse: parseClaim,
      request: { slots: 0.5, models: [], waitMs: 0 },
      says: /slots must be integer/,
    },
    { name: "a list", parse: parseClaim, request: [], says: /the body must be object/ },
    { name: "null", parse: parseClaim, request: null, says: /the body must be object/ },
  ])("$name", ({ parse, request, says }) => {
    expect(() => parse(bytes(request))).toThrow(
      expect.objectContaining({ code: "InvalidRequest", status: 400, message: expect.stringMatching(says) }),
    );
  });
});

/** A process checks no schema when it starts, and compiles each when it is first asked for. */
test.each(Object.entries(requestSchemas))("the schema of %s is a JSON schema, and a strict one", (_verb, schema) => {
  const ajv = new Ajv({ discriminator: true, strict: true, validateSchema: true });
  expect(() => ajv.compile(schema)).not.toThrow();
});
