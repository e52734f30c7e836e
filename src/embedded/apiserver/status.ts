/**
 * Errors as the Kubernetes API words them: a `Status` object with a code, a reason and causes. Everything that a
 * request handler throws on purpose is a StatusError; the HTTP layer turns it into the response.
 */
export interface StatusCause {
  readonly reason?: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: { readonly continue?: string };
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

/** What an error is about: the plural resource (or kind) and its group, as `details` and messages name it. */
export interface Subject {
  readonly resource: string;
  readonly group: string;
}

export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly status: Status;

  constructor(status: Status) {
    super(status.message);
    this.status = status;
  }

  get code(): number {
    return this.status.code ?? 500;
  }
}

export function failure(code: number, reason: string, message: string, details?: StatusDetails): StatusError {
  const base = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason } as const;
  return new StatusError(details === undefined ? { ...base, code } : { ...base, details, code });
}

export function qualified(subject: Subject): string {
  return subject.group === "" ? subject.resource : `${subject.resource}.${subject.group}`;
}

function detailsOf(subject: Subject, name: string): StatusDetails {
  const group = subject.group === "" ? {} : { group: subject.group };
  return { ...(name === "" ? {} : { name }), ...group, kind: subject.resource };
}

export function notFound(subject: Subject, name: string): StatusError {
  return failure(404, "NotFound", `${qualified(subject)} "${name}" not found`, detailsOf(subject, name));
}

export function alreadyExists(subject: Subject, name: string): StatusError {
  return failure(409, "AlreadyExists", `${qualified(subject)} "${name}" already exists`, detailsOf(subject, name));
}

export function conflict(subject: Subject, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(subject)} "${name}": ${why}`;
  return failure(409, "Conflict", message, detailsOf(subject, name));
}

export function staleObject(subject: Subject, name: string): StatusError {
  const why = "the object has been modified; please apply your changes to the latest version and try again";
  return conflict(subject, name, why);
}

/** 422 with one cause a finding. `kind` is the Kind word, as the real server words it. */
export function invalid(kind: Subject, name: string, causes: readonly StatusCause[]): StatusError {
  const all = causes.map((cause) => (cause.field ? `${cause.field}: ${cause.message}` : cause.message));
  const parts = [...new Set(all)];
  const list = parts.length === 1 ? parts[0] : `[${parts.join(", ")}]`;
  const message = `${qualified(kind)} "${name}" is invalid: ${list}`;
  return failure(422, "Invalid", message, { ...detailsOf(kind, name), causes });
}

export function forbidden(subject: Subject, name: string, why: string): StatusError {
  const message = `${qualified(subject)} "${name}" is forbidden: ${why}`;
  return failure(403, "Forbidden", message, detailsOf(subject, name));
}

/** An error that the real server has no words for either: a 500 with the message alone. */
export const unspecified = (message: string): StatusError =>
  new StatusError({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code: 500 });

export const badRequest = (message: string): StatusError => failure(400, "BadRequest", message);

export const unauthorized = (): StatusError => failure(401, "Unauthorized", "Unauthorized");

export const pathNotFound = (): StatusError =>
  failure(404, "NotFound", "the server could not find the requested resource", {});

export const methodNotAllowed = (): StatusError =>
  failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});

export const notImplemented = (what: string): StatusError =>
  failure(501, "NotImplemented", `${what} is not implemented by this embedded API server`);

export const unsupportedMediaType = (accepted: readonly string[]): StatusError => {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`;
  return failure(415, "UnsupportedMediaType", message);
};

export const notAcceptable = (accepted: readonly string[]): StatusError =>
  failure(406, "NotAcceptable", `406: Not Acceptable\n\nAvailable representations: ${accepted.join(", ")}`, {});

export const expired = (message: string, inconsistentContinue?: string): StatusError => {
  const error = failure(410, "Expired", message);
  if (inconsistentContinue === undefined) return error;
  return new StatusError({ ...error.status, metadata: { continue: inconsistentContinue } });
};

export const tooLarge = (limit: number): StatusError =>
  failure(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limit}`);

/** Causes in the words of Kubernetes field errors. `got` is shown as Go's %#v would for a string, else as JSON. */
export const cause = {
  required: (field: string, detail = ""): StatusCause => ({
    reason: "FieldValueRequired",
    message: `Required value${detail === "" ? "" : `: ${detail}`}`,
    field,
  }),
  invalid: (field: string, got: unknown, detail: string): StatusCause => ({
    reason: "FieldValueInvalid",
    message: `Invalid value: ${show(got)}: ${detail}`,
    field,
  }),
  /** Of a whole object or list, whose value would say too much. */
  invalidWhole: (field: string, detail: string): StatusCause => ({
    reason: "FieldValueInvalid",
    message: `Invalid value: ${detail}`,
    field,
  }),
  typeInvalid: (field: string, got: unknown, detail: string): StatusCause => ({
    reason: "FieldValueTypeInvalid",
    message: `Invalid value: ${show(got)}: ${detail}`,
    field,
  }),
  unsupported: (field: string, got: unknown, values: readonly unknown[]): StatusCause => ({
    reason: "FieldValueNotSupported",
    message: `Unsupported value: ${show(got)}: supported values: ${values.map(quote).join(", ")}`,
    field,
  }),
  forbidden: (field: string, detail: string): StatusCause => ({
    reason: "FieldValueForbidden",
    message: `Forbidden: ${detail}`,
    field,
  }),
  duplicate: (field: string, got: unknown): StatusCause => ({
    reason: "FieldValueDuplicate",
    message: `Duplicate value: ${show(got)}`,
    field,
  }),
  tooMany: (field: string, got: number, limit: number): StatusCause => ({
    reason: "FieldValueTooMany",
    message: `Too many: ${got}: must have at most ${limit} ${limit === 1 ? "item" : "items"}`,
    field,
  }),
  tooLong: (field: string, limit: number): StatusCause => ({
    reason: "FieldValueTooLong",
    message: `Too long: may not be more than ${limit} ${limit === 1 ? "byte" : "bytes"}`,
    field,
  }),
} as const;

function show(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}

/** Kubernetes quotes supported values, whatever their type. */
function quote(value: unknown): string {
  return JSON.stringify(typeof value === "string" ? value : JSON.stringify(value));
}
