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

const ajv = new Ajv({ discriminator: true, strict: true, allErrors: false });

const validators = {
  challenge: ajv.compile<ChallengeRequest>(requestSchemas.challenge),
  session: ajv.compile<SessionRequest>(requestSchemas.session),
  claim: ajv.compile<ClaimRequest>(requestSchemas.claim),
  heartbeat: ajv.compile<HeartbeatRequest>(requestSchemas.heartbeat),
  receipt: ajv.compile<ReceiptRequest>(requestSchemas.receipt),
  capability: ajv.compile<CapabilityRequest>(requestSchemas.capability),
  attest: ajv.compile<AttestRequest>(requestSchemas.attest),
  batch: ajv.compile<BatchRequest>(requestSchemas.batch),
  item: ajv.compile<ItemRequest>(requestSchemas.item),
  agents: ajv.compile<AgentsRequest>(requestSchemas.agents),
  window: ajv.compile<WindowRequest>(requestSchemas.window),
  open: ajv.compile<OpenRequest>(requestSchemas.open),
  load: ajv.compile<LoadRequest>(requestSchemas.load),
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
function parse<T>(validate: ValidateFunction<T>, body: Buffer): T {
  const value = parseJson(body);
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
