/** `inferium replay FILE`: plays a recorded trace of an operator's pool again, prints its decisions, and explains a task. */
import { open } from "node:fs/promises";
import { InferiumError } from "../base/errors.ts";
import { type Decision, type Passed, Replay } from "../protocol/replay.ts";
import { parseTraceEvent, type TraceEvent } from "../protocol/trace.ts";
import type { WaitingTask } from "../protocol/waiting-task.ts";
import type { CliIo } from "./context.ts";
import { formatTable } from "./table.ts";

export interface ReplayOptions {
  /** Task, as namespace/name. */
  readonly explain?: string;
  readonly output?: "text" | "json";
}

/** @returns 1 where a decision differs from the record. @throws InferiumError InvalidTrace, TraceUnreadable, TaskNotInTrace */
export async function runReplay(path: string, options: ReplayOptions, io: CliIo): Promise<number> {
  const replay = new Replay(options.explain);
  const counts = { events: 0, decisions: 0, tasks: 0, different: 0 };
  for await (const { text, number, isCutOff } of readLines(path)) {
    const event = isCutOff ? parseIfWhole(text, number, io) : parseTraceEvent(text, number);
    if (event === undefined) break;
    counts.events++;
    const decision = replay.apply(event);
    if (!decision) continue;
    const isSame = decision.taken.map(({ id }) => id).join("\n") === decision.recorded.join("\n");
    counts.decisions++;
    counts.tasks += decision.taken.length;
    if (!isSame) counts.different++;
    if (options.explain === undefined) printDecision(io, decision, { isSame, isJson: options.output === "json" });
  }
  if (options.explain !== undefined) printExplanation(io, replay, { ...options, explain: options.explain });
  const summary = `${counts.events} events, ${counts.decisions} decisions, ${counts.tasks} tasks given; ${counts.different} decisions differ from the record.`;
  io.note(summary);
  return counts.different === 0 ? 0 : 1;
}

interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** The last one, where nothing ends it: an operator was killed while it wrote it, or is writing it. */
  readonly isCutOff: boolean;
}

/** Undefined, with a warning, where the line is only the beginning of one. */
function parseIfWhole(text: string, number: number, io: CliIo): TraceEvent | undefined {
  if (isJson(text)) return parseTraceEvent(text, number);
  io.note(`Line ${number}, the last of the trace, was not written to its end and is left out.`);
  return undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function* readLines(path: string): AsyncGenerator<Line> {
  const file = await open(path).catch((cause: unknown) => {
    throw new InferiumError("TraceUnreadable", `Cannot read the trace ${path}; give the file of INFERIUM_TRACE_FILE.`, {
      cause,
    });
  });
  let number = 0;
  let rest = "";
  for await (const chunk of file.createReadStream({ encoding: "utf8" }) as AsyncIterable<string>) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) {
      number++;
      if (text !== "") yield { text, number, isCutOff: false };
    }
  }
  if (rest !== "") yield { text: rest, number: number + 1, isCutOff: true };
}

const timeOf = (atMs: number) => new Date(atMs).toISOString();

function printDecision(io: CliIo, decision: Decision, { isSame, isJson }: { isSame: boolean; isJson: boolean }): void {
  const { atMs, worker, taken, recorded } = decision;
  if (isJson) {
    io.out(JSON.stringify({ at: timeOf(atMs), worker, taken, ...(isSame ? {} : { recorded }) }));
    return;
  }
  const given = taken.length === 0 ? "nothing" : taken.map(describeTask).join(", ");
  io.out(
    `${timeOf(atMs)} ${worker}: ${given}${isSame ? "" : ` (the record says: ${recorded.join(", ") || "nothing"})`}`,
  );
}

function describeTask({ id, tenant, requirements, failedWorkers }: WaitingTask): string {
  const retry = failedWorkers.length === 0 ? "" : `, failed ${failedWorkers.length} times`;
  return `${id} (of ${tenant}, tier ${requirements.tier}${retry})`;
}

function printExplanation(
  io: CliIo,
  replay: Replay,
  { explain: id, output }: ReplayOptions & { explain: string },
): void {
  const { story, passed } = replay;
  if (story.length === 0)
    throw new InferiumError("TaskNotInTrace", `The trace knows no task ${id}; give it as namespace/name.`);
  const reasons = countReasons(passed);
  const lines =
    output === "json"
      ? [JSON.stringify({ task: id, story: story.map(toStory), passed: reasons })]
      : formatStory({ id, story, passed: reasons });
  for (const line of lines) io.out(line);
}

function formatStory({ id, story, passed }: { id: string; story: Replay["story"]; passed: ReasonCount[] }): string[] {
  const rows = passed.map(({ reason, count, last }) => [String(count), reason, last]);
  const table = formatTable(["CLAIMS", "REASON", "LAST"], rows).map((line) => `  ${line}`);
  const claims = rows.length === 0 ? ["No claim got another instead."] : ["Claims that got others instead:", ...table];
  return [...story.map(({ atMs, what }) => `${timeOf(atMs)} ${id} ${what}`), ...claims];
}

interface ReasonCount {
  readonly reason: string;
  readonly count: number;
  readonly last: string;
}

const toStory = ({ atMs, what }: Replay["story"][number]) => ({ at: timeOf(atMs), what });

function countReasons(passed: readonly Passed[]): ReasonCount[] {
  const byReason = Map.groupBy(passed, ({ reason }) => reason);
  return [...byReason].map(([reason, claims]) => ({ reason, count: claims.length, last: describeLast(claims.at(-1)) }));
}

function describeLast(passed: Passed | undefined): string {
  if (!passed) return "";
  const { atMs, worker, instead } = passed;
  return `${timeOf(atMs)} ${worker} got ${instead ? describeTask(instead) : "nothing"}`;
}
