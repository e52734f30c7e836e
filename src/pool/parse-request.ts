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

/** Compiled when the first request of its kind comes: an operator sees few kinds in its first second. */
function prepare<T>(schema: object): () => ValidateFunction<T> {
  let validate: ValidateFunction<T> | undefined;
  return () => {
    validate ??= ajv.compile<T>(schema);
    return validate;
  };
}

const validators = {
  challenge: prepare<ChallengeRequest>(requestSchemas.challenge),
  session: prepare<SessionRequest>(requestSchemas.session),
  claim: prepare<ClaimRequest>(requestSchemas.claim),
  heartbeat: prepare<HeartbeatRequest>(requestSchemas.heartbeat),
  receipt: prepare<ReceiptRequest>(requestSchemas.receipt),
  capability: prepare<CapabilityRequest>(requestSchemas.capability),
  attest: prepare<AttestRequest>(requestSchemas.attest),
  batch: prepare<BatchRequest>(requestSchemas.batch),
  item: prepare<ItemRequest>(requestSchemas.item),
  agents: prepare<AgentsRequest>(requestSchemas.agents),
  window: prepare<WindowRequest>(requestSchemas.window),
  open: prepare<OpenRequest>(requestSchemas.open),
  load: prepare<LoadRequest>(requestSchemas.load),
};

export const parseChallenge = (body: Buffer) => parse(validators.challenge, body);
export const parseSession = (body: Buffer) => parse(validators.session, body);
export const parseClaim = (body: Buffer) => parse(validators.claim, body);
export const parseHeartbeat = (body: Buffer) => parse(validators.heartbeat, body);
export const parseReceipt = (body: Buffer) => parse(validators.receipt, body);
export const parseCapability = (body: Buffer) => parse(validators.capability, body);
export const parseAttest = (body: Buffer) => parse(validators.attest, body);
export const parseBatch = (body: Buffer) => parse(validators.batch, body);
export const parseItem = (body: Buffer) => parse(validators.item, body);
export const parseAgents = (body: Buffer) => parse(validators.agents, body);
export const parseWindow = (body: Buffer) => parse(validators.window, body);
export const parseOpen = (body: Buffer) => parse(validators.open, body);
export const parseLoad = (body: Buffer) => parse(validators.load, body);

/** @throws PoolRefusal 400 InvalidJson, InvalidRequest */
function parse<T>(prepared: () => ValidateFunction<T>, body: Buffer): T {
  const value = parseJson(body);
  const validate = prepared();
  if (validate(value)) return value;
  throw new PoolRefusal(400, "InvalidRequest", `The request is not valid: ${explain(validate.errors?.[0])}.`);
}

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
