/** What one Event says and which Events are the same news. Pure but for the random part of a name. */
import { randomBytes } from "node:crypto";
import type { KubeEvent, ObjectReference } from "./control-types.ts";
import { events } from "./core-resources.ts";
import { formatMicroTime, type KubeObject } from "./object.ts";

export interface EventInput {
  /** What the event is about. */
  readonly regarding: KubeObject | ObjectReference;
  readonly related?: KubeObject | ObjectReference | undefined;
  readonly type: "Normal" | "Warning";
  /** PascalCase word: why. */
  readonly reason: string;
  /** PascalCase word: what was done. */
  readonly action: string;
  /** Tells this news from others of the same reason and action, where the note alone does not. */
  readonly seriesKey?: string;
  /** A sentence for people; cut at 1,024 bytes. */
  readonly note: string;
}

export interface EventReporter {
  /** Such as `example.com/controller-name`. */
  readonly reportingController: string;
  /** Such as the pod's name. */
  readonly reportingInstance: string;
}

export interface Series {
  readonly key: string;
  readonly event: KubeEvent;
  count: number;
  /** 0: the event itself is not yet written. */
  writtenCount: number;
  lastSeenAt: number;
  /** MicroTime. */
  lastSeen: string;
}

/** In bytes of UTF-8, as the API server counts; a longer value gets the whole event refused. */
const maxNoteBytes = 1_024;
const maxWordBytes = 128;

export function buildEvent(input: EventInput, reporter: EventReporter, nowMs: number): KubeEvent {
  const regarding = toReference(input.regarding);
  const namespace = regarding.namespace ?? "default";
  const suffix = `${nowMs.toString(16)}${randomBytes(3).toString("hex")}`;
  return {
    apiVersion: events.apiVersion,
    kind: events.kind,
    metadata: { name: `${(regarding.name ?? "unnamed").slice(0, 200)}.${suffix}`, namespace },
    eventTime: formatMicroTime(nowMs),
    type: input.type,
    reason: cutBytes(input.reason, maxWordBytes),
    action: cutBytes(input.action, maxWordBytes),
    note: cutBytes(input.note, maxNoteBytes),
    regarding,
    ...(input.related === undefined ? {} : { related: toReference(input.related) }),
    reportingController: reporter.reportingController,
    reportingInstance: cutBytes(reporter.reportingInstance, maxWordBytes),
  };
}

/** The longest start of `text` within `maxBytes` that ends with a whole character. */
function cutBytes(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes));
  return text.slice(0, read);
}

/** Equal keys: one series. The note is left out, so that a changing number in it does not make each event news. */
export function computeSeriesKey(input: EventInput): string {
  const regarding = toReference(input.regarding);
  const related = input.related === undefined ? {} : toReference(input.related);
  const about = [regarding, related].flatMap(({ kind, namespace, name, uid }) => [kind, namespace, name, uid]);
  return JSON.stringify([...about, input.type, input.reason, input.action, input.seriesKey]);
}

function toReference(object: KubeObject | ObjectReference): ObjectReference {
  if (!("metadata" in object)) return object;
  const { apiVersion, kind, metadata } = object;
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}
