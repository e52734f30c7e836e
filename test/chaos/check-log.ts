/**
 * Compares what one informer told its handlers with what had to be told. Every event must come once and in order. Only
 * what happened while the informer could not watch may be coalesced: versions after the last line it read and up to the
 * list that it then read. Pure.
 */
import type { ExpectedEvent } from "./history.ts";

export type LogEntry =
  /** A whole list, or the end of a WatchList's initial events, was read. */
  | { readonly kind: "list"; readonly resourceVersion: number }
  /** A line of a watch was read. */
  | { readonly kind: "line"; readonly resourceVersion: number }
  /** The informer was stopped: the last line read may not have been taken. */
  | { readonly kind: "stop" }
  | {
      readonly kind: "event";
      readonly type: "added" | "updated" | "deleted";
      readonly key: string;
      readonly uid: string;
      readonly resourceVersion: number;
      readonly previousVersion: number | undefined;
    };

export interface LogVerdict {
  readonly events: number;
  /** Had to come and did not. */
  readonly missed: string[];
  /** Came and had not to, or at the wrong time, or in the wrong shape. */
  readonly wrong: string[];
  /** Rightly left out, because a list stood in for them. */
  readonly coalesced: number;
  readonly lists: number;
}

interface Gap {
  readonly after: number;
  readonly upTo: number;
}

type SeenEvent = Extract<LogEntry, { kind: "event" }>;

export function checkLog(log: readonly LogEntry[], expected: ReadonlyMap<string, ExpectedEvent[]>): LogVerdict {
  const gaps = findGaps(log);
  const seen = Map.groupBy(
    log.filter((entry) => entry.kind === "event"),
    (event) => event.key,
  );
  const verdict = { events: 0, missed: [] as string[], wrong: [] as string[], coalesced: 0, lists: gaps.length };
  for (const key of new Set([...seen.keys(), ...expected.keys()])) {
    checkKey(seen.get(key) ?? [], expected.get(key) ?? [], { gaps, verdict });
  }
  return verdict;
}

function findGaps(log: readonly LogEntry[]): Gap[] {
  const gaps: Gap[] = [];
  let last = 0;
  let lastButOne = 0;
  for (const entry of log) {
    if (entry.kind === "event") continue;
    if (entry.kind === "stop") {
      last = lastButOne;
      continue;
    }
    if (entry.kind === "list") gaps.push({ after: last, upTo: entry.resourceVersion });
    if (entry.resourceVersion !== last) lastButOne = last;
    last = entry.resourceVersion;
  }
  return gaps;
}

interface Comparison {
  readonly gaps: readonly Gap[];
  readonly verdict: { events: number; missed: string[]; wrong: string[]; coalesced: number };
}

function checkKey(seen: readonly SeenEvent[], expected: readonly ExpectedEvent[], comparison: Comparison): void {
  const { verdict } = comparison;
  let position = 0;
  let held: SeenEvent | undefined;
  for (const event of seen) {
    verdict.events++;
    const problem = findShapeProblem(event, held);
    if (problem !== undefined) verdict.wrong.push(`${describe(event)}: ${problem}`);
    held = event.type === "deleted" ? undefined : event;
    const found = expected.findIndex((wanted, index) => index >= position && isSame(wanted, event));
    if (found < 0) {
      verdict.wrong.push(`${describe(event)}: not in the server's history, or told before`);
      continue;
    }
    passOver(expected.slice(position, found), comparison);
    position = found + 1;
  }
  passOver(expected.slice(position), comparison);
}

function findShapeProblem(event: SeenEvent, held: SeenEvent | undefined): string | undefined {
  if (event.type === "added") return held === undefined ? undefined : "added, but it was there";
  if (held === undefined) return `${event.type}, but it was not there`;
  if (held.uid !== event.uid) return `of uid ${event.uid}, but ${held.uid} was there`;
  if (event.type === "updated" && event.previousVersion !== held.resourceVersion) {
    return `previous is @${event.previousVersion}, but @${held.resourceVersion} was there`;
  }
  return undefined;
}

function isSame(wanted: ExpectedEvent, event: SeenEvent): boolean {
  if (wanted.uid !== event.uid || wanted.deleted !== (event.type === "deleted")) return false;
  return wanted.deleted || wanted.resourceVersion === event.resourceVersion;
}

function passOver(events: readonly ExpectedEvent[], { gaps, verdict }: Comparison): void {
  for (const event of events) {
    if (gaps.some((gap) => event.after < gap.upTo && event.upTo > gap.after)) verdict.coalesced++;
    else verdict.missed.push(`${event.deleted ? "deleted" : "written"} ${event.key}@${event.resourceVersion ?? "?"}`);
  }
}

function describe(event: SeenEvent): string {
  return `${event.type} ${event.key}@${event.resourceVersion}`;
}
