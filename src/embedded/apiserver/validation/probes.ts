/** Probes and lifecycle handlers. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import type { Findings } from "./findings.ts";
import { checkHeaderName, checkPort } from "./names.ts";

const handlers = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];

export interface HandlerPlace {
  readonly path: string;
  readonly graceSeconds: unknown;
}

export function checkHandler(handler: JsonObject, { path, graceSeconds }: HandlerPlace, found: Findings): void {
  const given = handlers.filter((name) => isObject(handler[name]));
  if (given.length === 0) {
    found.required(path, "must specify a handler type");
    return;
  }
  for (const name of given.slice(1)) found.forbidden(`${path}.${name}`, "may not specify more than 1 handler type");
  const [first = ""] = given;
  const action = asObject(handler[first]);
  const at = `${path}.${first}`;
  if (first === "exec" && asArray(action.command).length === 0) found.required(`${at}.command`);
  if (first === "httpGet") checkHttpGet(action, at, found);
  if (first === "tcpSocket") found.holds(`${at}.port`, action.port ?? 0, checkPort);
  if (first === "grpc") found.holds(`${at}.port`, Number(action.port ?? 0), checkPort);
  if (first !== "sleep" || graceSeconds === undefined) return;
  const seconds = Number(action.seconds ?? 0);
  if (seconds < 0 || seconds > Number(graceSeconds))
    found.invalid(at, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`);
}

function checkHttpGet(action: JsonObject, path: string, found: Findings): void {
  if (asString(action.path) === "") found.required(`${path}.path`);
  found.holds(`${path}.port`, action.port ?? 0, checkPort);
  found.oneOf(`${path}.scheme`, action.scheme, ["HTTP", "HTTPS"]);
  for (const header of asArray(action.httpHeaders).map(asObject))
    found.holds(`${path}.httpHeaders`, asString(header.name), checkHeaderName);
}

type ProbeKind = "livenessProbe" | "readinessProbe" | "startupProbe";
export const probeKinds: readonly ProbeKind[] = ["livenessProbe", "readinessProbe", "startupProbe"];

export function checkProbe(probe: unknown, kind: ProbeKind, place: HandlerPlace, found: Findings): void {
  if (!isObject(probe)) return;
  const { path } = place;
  checkHandler(probe, place, found);
  for (const field of [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ])
    found.notNegative(`${path}.${field}`, probe[field]);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && Number(grace) <= 0)
    found.invalid(`${path}.terminationGracePeriodSeconds`, grace, "must be greater than 0");
  if (kind === "readinessProbe" && grace !== undefined)
    found.invalid(`${path}.terminationGracePeriodSeconds`, grace, "must not be set for readinessProbes");
  if (kind !== "readinessProbe" && Number(probe.successThreshold ?? 0) !== 1)
    found.invalid(`${path}.successThreshold`, probe.successThreshold, "must be 1");
}

export function checkLifecycle(lifecycle: unknown, place: HandlerPlace, found: Findings): void {
  if (!isObject(lifecycle)) return;
  for (const name of ["postStart", "preStop"]) {
    if (isObject(lifecycle[name])) checkHandler(lifecycle[name], { ...place, path: `${place.path}.${name}` }, found);
  }
  if (lifecycle.stopSignal !== undefined)
    found.forbidden(`${place.path}.stopSignal`, "may not be set for containers with empty `spec.os.name`");
}
