/** JSON text to a request of the pool API, or a 400 that names the field and what was expected of it. */
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import type { AgentsRequest, LoadRequest, OpenRequest, WindowRequest } from "./agent-requests.ts";
import { PoolRefusal } from "./refusal.ts";
import { requestSchemas } from "./request-schemas.ts";
import type {
  AttestRequest,
  BatchRequest,
  CapabilityRequest,
  ChallengeRequest,
  ClaimRequest,
  HeartbeatRequest,
  ItemRequest,
  ReceiptRequest,
  SessionRequest,
} from "./wire.ts";

// That the schemas are schemas is a test's to show; to check it here would double what a process needs to start.
const ajv = new Ajv({ discriminator: true, strict: true, allErrors: false, validateSchema: false });

/** Compiled when the first request of its kind comes: an operator sees few kinds in its first second. What it gives throws PoolRefusal 400 InvalidJson, InvalidRequest. */
function parserOf<T>(schema: object): (body: Buffer) => T {
  let validate: ValidateFunction<T> | undefined;
  return (body) => {
    const value = parseJson(body);
    validate ??= ajv.compile<T>(schema);
    if (validate(value)) return value;
    throw new PoolRefusal(400, "InvalidRequest", `The request is not valid: ${explain(validate.errors?.[0])}.`);
  };
}

export const parseChallenge = parserOf<ChallengeRequest>(requestSchemas.challenge);
export const parseSession = parserOf<SessionRequest>(requestSchemas.session);
export const parseClaim = parserOf<ClaimRequest>(requestSchemas.claim);
export const parseHeartbeat = parserOf<HeartbeatRequest>(requestSchemas.heartbeat);
export const parseReceipt = parserOf<ReceiptRequest>(requestSchemas.receipt);
export const parseCapability = parserOf<CapabilityRequest>(requestSchemas.capability);
export const parseAttest = parserOf<AttestRequest>(requestSchemas.attest);
export const parseBatch = parserOf<BatchRequest>(requestSchemas.batch);
export const parseItem = parserOf<ItemRequest>(requestSchemas.item);
export const parseAgents = parserOf<AgentsRequest>(requestSchemas.agents);
export const parseWindow = parserOf<WindowRequest>(requestSchemas.window);
export const parseOpen = parserOf<OpenRequest>(requestSchemas.open);
export const parseLoad = parserOf<LoadRequest>(requestSchemas.load);

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new PoolRefusal(400, "InvalidJson", `The request's ${body.length} bytes are not JSON; expected one object.`);
  }
}

function explain(error: ErrorObject | undefined): string {
  if (error === undefined) return "it does not fit its schema";
  const where = error.instancePath === "" ? "the body" : error.instancePath.slice(1).replaceAll("/", ".");
  const { additionalProperty, allowedValues } = error.params;
  const detail = additionalProperty ?? (Array.isArray(allowedValues) ? allowedValues.join(", ") : undefined);
  return `${where} ${error.message}${detail === undefined ? "" : ` (${String(detail).slice(0, 100)})`}`;
}
