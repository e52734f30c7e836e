/** One request on its way through the server: what the handlers may know of it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { UserInfo } from "../authorization/user-info.ts";
import type { FieldValidation, WriteOptions } from "../operations/context.ts";
import { parseDryRun } from "../operations/delete-options.ts";
import { badRequest } from "../status.ts";
import type { ResponseForm } from "./negotiate.ts";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly pathname: string;
  readonly query: URLSearchParams;
  readonly form: ResponseForm;
  readonly user: UserInfo;
  /** Aborted when the client is gone or the server closes. */
  readonly signal: AbortSignal;
}

const maxManagerLength = 128;

export function writeOptionsOf(exchange: Exchange): WriteOptions {
  const { query, request } = exchange;
  const agent = (request.headers["user-agent"] ?? "unknown").split("/")[0] ?? "unknown";
  const fieldManager = query.get("fieldManager") ?? (agent.trim().slice(0, maxManagerLength) || "unknown");
  if (fieldManager.length > maxManagerLength)
    throw badRequest(`fieldManager must be at most ${maxManagerLength} characters long`);
  return {
    user: exchange.user,
    dryRun: parseDryRun(query.getAll("dryRun")),
    fieldManager,
    fieldValidation: parseFieldValidation(query.get("fieldValidation")),
    warnings: [],
  };
}

function parseFieldValidation(value: string | null): FieldValidation {
  if (value === null || value === "") return "Warn";
  if (value === "Ignore" || value === "Warn" || value === "Strict") return value;
  throw badRequest(`fieldValidation must be Ignore, Warn or Strict, got ${JSON.stringify(value)}`);
}
