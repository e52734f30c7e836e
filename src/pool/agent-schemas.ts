/** What the calls of a gateway must look like, as JSON Schema; see request-schemas.ts. */
import { digest, hex, list, object, whole } from "./schema-parts.ts";
import { poolLimits } from "./wire.ts";

const decimal = { type: "string", pattern: "^(0|[1-9][0-9]{0,77})$" };
const callerId = { type: "string", minLength: 1, maxLength: 63 };

const tensor = object(
  {
    dtype: { type: "string", minLength: 1, maxLength: 16 },
    shape: list(whole(2 ** 40), 16),
    data: list({ type: "number" }, poolLimits.maxOutputBytes),
    base64: { type: "string", maxLength: poolLimits.maxBodyBytes },
  },
  ["data", "base64"],
);
const content = {
  type: "object",
  discriminator: { propertyName: "kind" },
  required: ["kind"],
  properties: { kind: { type: "string" } },
  oneOf: [
    object({
      kind: { const: "tensors" },
      tensors: {
        type: "object",
        propertyNames: { type: "string", minLength: 1, maxLength: 1024 },
        maxProperties: 64,
        additionalProperties: tensor,
      },
    }),
    object({ kind: { const: "body" }, base64: { type: "string", maxLength: poolLimits.maxBodyBytes } }),
  ],
};
const leaf = object({
  windowId: hex(32),
  index: whole(),
  outcome: { enum: ["Ok", "Failed"] },
  inputDigest: digest,
  outputDigest: digest,
  priceWei: decimal,
  startedAtMs: whole(),
  endedAtMs: whole(),
});

const agents = object({ version: { type: "string", maxLength: 64 }, waitMs: whole(poolLimits.maxWaitMs) });
const window = object({
  windowId: hex(32),
  agentId: hex(32),
  callerId,
  nonce: hex(16),
  receiptKey: hex(32),
  firstAtMs: whole(),
  lastAtMs: whole(),
  count: { ...whole(), minimum: 1 },
  failed: whole(),
  revenueWei: decimal,
  root: digest,
});
const open = object({
  windowId: hex(32),
  calls: list(object({ leaf, proof: list(digest, 64), input: content, output: content }, ["input", "output"]), 64),
});
const load = object({
  loads: list(
    object({
      agentId: hex(32),
      inFlight: whole(1e9),
      queued: whole(1e9),
      p95Ms: { type: "number", minimum: 0, maximum: 1e9 },
      callsPerSecond: { type: "number", minimum: 0, maximum: 1e9 },
    }),
    1024,
  ),
});

export const agentSchemas = { agents, window, open, load };
