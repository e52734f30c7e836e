/** Tells of something about an object in an Event beside it; in `default` for one without a namespace. Effects: one write. */
import { randomBytes } from "node:crypto";
import { formatTime, type KubeObject } from "../object.ts";
import { type ApiContext, internalWrite } from "../operations/context.ts";
import { createObject } from "../operations/create.ts";

export interface Report {
  readonly component: string;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export function reportEvent(context: ApiContext, about: KubeObject, report: Report): void {
  const kind = context.kinds.find("", "v1", "events");
  if (kind === undefined) return;
  const { namespace = "default", name, uid, resourceVersion } = about.metadata;
  const now = formatTime(context.clock.now());
  const event = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { namespace, name: `${name}.${randomBytes(8).toString("hex")}` },
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      name,
      uid,
      resourceVersion,
      ...(about.metadata.namespace === undefined ? {} : { namespace }),
    },
    type: report.type,
    reason: report.reason,
    message: report.message,
    source: { component: report.component },
    reportingComponent: report.component,
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  };
  createObject(context, { kind, namespace }, event, internalWrite("kube-controller-manager"));
}
