/**
 * What each call of the pool API must look like, as JSON Schema. Strict: an unknown field is more likely a typing error
 * or another version than something to ignore. What a request means is the backend's to judge, not this file's.
 */
import { agentSchemas } from "./agent-schemas.ts";
import { digest, hex, list, object, whole } from "./schema-parts.ts";
import { poolLimits } from "./wire.ts";

const text = (maxLength: number) => ({ type: "string", minLength: 1, maxLength });

const address = { type: "string", pattern: "^0x[0-9a-fA-F]{40}$" };
/** A name in Kubernetes. */
const objectName = { type: "string", pattern: "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", maxLength: 253 };
const role = { enum: ["Worker", "Validator", "Gateway"] };
const timeMs = whole();
const attemptNumber = whole(2 ** 32 - 1);
/** EIP-2098: the contracts take no other form, so evidence in another form would be none. */
const compactSignature = hex(64);
const sequence = { type: "string", pattern: "^(0|[1-9][0-9]{0,19})$" };

const challenge = object({ account: address, role });
const session = object({
  account: address,
  role,
  challenge: hex(32),
  expiresAtMs: timeMs,
  signature: { type: "string", pattern: "^0x([0-9a-f]{128}|[0-9a-f]{130})$" },
});

const claim = object(
  {
    slots: whole(1024),
    models: list(digest, 256),
    freeMemoryMiB: whole(2 ** 40),
    waitMs: whole(poolLimits.maxWaitMs),
  },
  ["freeMemoryMiB"],
);

const signedClaim = object({ deadlineMs: timeMs, signature: compactSignature });
const running = list(object({ taskId: hex(32), attempt: attemptNumber, claim: signedClaim }, ["claim"]), 1024);
const heartbeat = object({ running, models: list(digest, 256) });

const inlineTensor = object(
  {
    dtype: text(16),
    shape: list(whole(2 ** 40), 16),
    data: list({ type: "number" }, poolLimits.maxOutputBytes),
    base64: { type: "string", maxLength: Math.ceil(poolLimits.maxOutputBytes / 3) * 4 },
  },
  ["data", "base64"],
);
const inlineTensors = {
  type: "object",
  propertyNames: text(1024),
  maxProperties: 4096,
  additionalProperties: inlineTensor,
};

const receiptFields = object({
  taskId: hex(32),
  attempt: attemptNumber,
  worker: address,
  modelDigest: hex(32),
  imageDigest: hex(32),
  codeDigest: hex(32),
  inputDigest: hex(32),
  outputDigest: hex(32),
  runtime: text(256),
  startedAtMs: timeMs,
  endedAtMs: timeMs,
});
const completed = object({
  kind: { const: "Completed" },
  receipt: object({ message: receiptFields, signature: compactSignature }),
  output: inlineTensors,
  items: whole(2 ** 31),
});
const failed = object({
  kind: { const: "Failed" },
  taskId: hex(32),
  attempt: attemptNumber,
  reason: { type: "string", pattern: "^[A-Z][A-Za-z0-9]{0,63}$" },
  message: { type: "string", maxLength: 2048 },
  retryable: { type: "boolean" },
});
const byKind = (oneOf: readonly object[]) => ({
  type: "object",
  discriminator: { propertyName: "kind" },
  required: ["kind"],
  properties: { kind: { type: "string" } },
  oneOf,
});
const receipt = object({ namespace: objectName, task: objectName, outcome: byKind([completed, failed]) });

const vote = object({ vote: { enum: ["Accept", "Reject", "Abstain"] }, outputDigest: hex(32) });
const decimal = { type: "string", pattern: "^(0|[1-9][0-9]{0,77})$" };
const proof = object({
  taskId: hex(32),
  attempt: attemptNumber,
  worker: address,
  modelDigest: digest,
  verifyingKeyDigest: digest,
  rows: { type: "integer", minimum: 1, maximum: 2 ** 32 - 1 },
  salt: decimal,
  signals: { ...list(decimal, 3), minItems: 3 },
  words: { ...list(decimal, 8), minItems: 8 },
});
const challengeId = { type: "string", pattern: "^[0-9a-f]{32}$" };
/** Of 4 bytes for each of 600,000 columns at most. */
const digests = { type: "string", pattern: "^[A-Za-z0-9+/]*={0,2}$", maxLength: 3_200_000 };
const evidence = object({
  kind: { const: "NvidiaGpu" },
  report: { type: "string", pattern: "^[A-Za-z0-9+/]*={0,2}$", maxLength: 32_768 },
  certificates: list(text(16_384), 8),
});
const capability = object({
  challengeId,
  outcome: byKind([
    object({ kind: { const: "Done" }, digests, provider: text(64), evidence: list(evidence, 16) }, ["evidence"]),
    object({
      kind: { const: "Failed" },
      reason: { type: "string", pattern: "^[A-Z][A-Za-z0-9]{0,63}$" },
      message: { type: "string", maxLength: 1024 },
    }),
  ]),
});

/** As the custom resource takes them. */
const reason = { type: "string", pattern: "^[A-Z][A-Za-z0-9]{0,63}$" };
const anyText = (maxLength: number) => ({ type: "string", maxLength });
const modelValues = list(object({ name: anyText(256), type: text(512) }), 64);
const findings = object(
  {
    bytes: whole(Number.MAX_SAFE_INTEGER),
    irVersion: whole(Number.MAX_SAFE_INTEGER),
    nodes: whole(Number.MAX_SAFE_INTEGER),
    parameters: whole(Number.MAX_SAFE_INTEGER),
    opsets: list(object({ domain: text(128), version: whole(Number.MAX_SAFE_INTEGER) }), 16),
    operators: list(object({ name: anyText(256), count: whole(Number.MAX_SAFE_INTEGER) }), 256),
    inputs: modelValues,
    outputs: modelValues,
    integerOnly: { type: "boolean" },
    weights: { enum: ["SevenBits", "EightBits", "NotConstant", "None"] },
    nondeterministic: list(text(256), 32),
    problems: list(object({ reason, message: anyText(1_024) }), 16),
  },
  ["irVersion", "nondeterministic"],
);
const modelOutcome = byKind([
  object(
    {
      ...{ kind: { const: "Found" }, findings, runtime: anyText(256), signature: compactSignature },
      samples: list(inlineTensors, 8),
    },
    ["samples"],
  ),
  object({ kind: { const: "Unable" }, reason, message: anyText(1_024) }),
]);

const ofValidation = { namespace: objectName, validation: objectName };
const attest = byKind([
  object({ kind: { const: "commit" }, ...ofValidation, commitment: hex(32) }),
  object(
    {
      kind: { const: "reveal" },
      ...ofValidation,
      votes: { ...list(vote, 1024), minItems: 1 },
      salt: hex(32),
      signature: compactSignature,
      overheadMs: timeMs,
      note: { type: "string", maxLength: 2048 },
    },
    ["note"],
  ),
  object({
    kind: { const: "prove" },
    ...ofValidation,
    proof,
    circuitDigest: digest,
    developmentSetup: { type: "boolean" },
    proveMs: timeMs,
    signature: compactSignature,
  }),
  object({ kind: { const: "endorse" }, ...ofValidation, signature: compactSignature }),
  object({
    kind: { const: "decline" },
    ...ofValidation,
    reason: { type: "string", pattern: "^[A-Z][A-Za-z0-9]{0,63}$" },
    message: { type: "string", maxLength: 1024 },
  }),
  object(
    {
      kind: { const: "challenge" },
      challengeId,
      digests: { ...digests, maxLength: 4096 },
      problem: { type: "string", maxLength: 1024 },
    },
    ["digests", "problem"],
  ),
  object({ kind: { const: "model" }, checkId: challengeId, outcome: modelOutcome }),
  object({ kind: { const: "certify" }, sequence, headerHash: hex(32), signature: compactSignature }),
  object({ kind: { const: "refuse" }, sequence, headerHash: hex(32), reason: text(2048) }),
]);

const batch = object({ sequence });
const item = object({ taskId: hex(32), attempt: attemptNumber });

export const requestSchemas = {
  ...{ challenge, session, claim, heartbeat, receipt, capability, attest, batch, item },
  ...agentSchemas,
};
