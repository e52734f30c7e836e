/** Strategies of events, which are stored as core/v1: lenient there, strict in events.k8s.io/v1. */
import { asObject, asString, isObject } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";
import type { StatusCause } from "../status.ts";
import { Findings } from "../validation/findings.ts";

const longest: Readonly<Record<string, number>> = { reportingInstance: 128, action: 128, reason: 128, message: 1024 };
const mismatch = "does not match event.namespace";

function checkBoth(event: KubeObject, reporter: string, found: Findings): void {
  const about = asString(asObject(event.involvedObject).namespace);
  const own = event.metadata.namespace ?? "";
  if (event.eventTime === undefined) {
    const isFine = about === "" ? own === "default" : about === own;
    if (!isFine) found.invalid("involvedObject.namespace", about, mismatch);
    return;
  }
  if (about === "" && own !== "default" && own !== "kube-system")
    found.invalid("involvedObject.namespace", about, mismatch);
  const controller = asString(event.reportingComponent);
  if (controller === "") found.required(reporter);
  found.qualifiedName(reporter, controller);
  for (const field of ["reportingInstance", "action", "reason"])
    if (asString(event[field]) === "") found.required(field);
  for (const [field, limit] of Object.entries(longest))
    if (asString(event[field]).length > limit) found.invalid(field, "", `can have at most ${limit} characters`);
}

export const coreEventStrategy: Strategy = {
  validate: (event) => {
    const found = new Findings();
    checkBoth(event, "reportingComponent", found);
    return found.list;
  },
};

export const eventStrategy: Strategy = {
  validate: (event, old) => {
    const found = new Findings();
    checkBoth(event, "reportingController", found);
    if (old === undefined) found.add(...checkNew(event));
    return found.list;
  },
};

function checkNew(event: KubeObject): StatusCause[] {
  const found = new Findings();
  if (event.eventTime === undefined) found.required("eventTime");
  if (event.type !== "Normal" && event.type !== "Warning")
    found.invalid("type", "", `has invalid value: ${asString(event.type)}`);
  for (const field of ["firstTimestamp", "lastTimestamp"])
    if (event[field] !== undefined) found.invalid(field, "", "needs to be unset");
  if (Number(event.count ?? 0) !== 0) found.invalid("count", "", "needs to be unset");
  if (isObject(event.source) && Object.keys(event.source).length > 0) found.invalid("source", "", "needs to be unset");
  return found.list;
}
