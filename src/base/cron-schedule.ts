/**
 * Cron schedules as CronJobs and Leaderboards write them: five fields with lists, ranges, steps and names, or a macro such as `@daily`;
 * in a time zone. Small enough to be ours: the runtime's own time zone data does the hard part. Pure.
 */
import { InferiumError } from "./errors.ts";

export interface CronSchedule {
  /** The first time after `afterMs` (milliseconds since the epoch); `undefined` when there is none in five years. */
  next(afterMs: number): number | undefined;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

/**
 * The latest time of the schedule after `afterMs` and not after `nowMs`: looked for backwards in growing steps, so that a long time away
 * costs little.
 */
export function findLatest(schedule: CronSchedule, afterMs: number, nowMs: number): number | undefined {
  for (let backMs = minuteMs; ; backMs *= 4) {
    const fromMs = Math.max(afterMs, nowMs - backMs);
    let latest: number | undefined;
    for (let time = schedule.next(fromMs); time !== undefined && time <= nowMs; time = schedule.next(time))
      latest = time;
    if (latest !== undefined || fromMs === afterMs) return latest;
  }
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const fields: readonly Field[] = [
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of month", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, names: months },
  { name: "day of week", min: 0, max: 7, names: days },
];

const macros: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

const minuteMs = 60_000;
const horizonMs = 5 * 366 * 86_400_000;

/** @throws InferiumError InvalidSchedule */
export function parseSchedule(text: string, timeZone: string | undefined): CronSchedule {
  const every = /^@every (\d+h)?(\d+m)?(\d+s)?$/.exec(text.trim());
  if (every !== null) return everySchedule(text, every);
  const parts = (macros[text.trim()] ?? text).trim().split(/\s+/);
  if (parts.length !== fields.length) {
    throw invalid(text, `expected exactly ${fields.length} fields, found ${parts.length}`);
  }
  const [minutes, hours, monthDays, monthSet, weekDays] = fields.map((field, index) =>
    parseField(text, parts[index] ?? "", field),
  ) as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
  if (weekDays.has(7)) weekDays.add(0);
  // As cron has it: with both days restricted, either one is enough.
  const isEither = !isStar(parts[2] ?? "") && !isStar(parts[4] ?? "");
  const wallClock = createWallClock(text, timeZone ?? "UTC");
  const matchesDay = (wall: WallTime) => {
    const [byMonth, byWeek] = [monthDays.has(wall.day), weekDays.has(wall.weekDay)];
    return monthSet.has(wall.month) && (isEither ? byMonth || byWeek : byMonth && byWeek);
  };
  return {
    next: (afterMs) => {
      let time = Math.floor(afterMs / minuteMs) * minuteMs + minuteMs;
      for (const end = afterMs + horizonMs; time < end; ) {
        const wall = wallClock(time);
        // Skips stay within the hour or the day as the wall shows it, so that no change of the offset is jumped over.
        if (!matchesDay(wall)) time += skipToNextDay(wall);
        else if (!hours.has(wall.hour)) time += (60 - wall.minute) * minuteMs;
        else if (!minutes.has(wall.minute)) time += minuteMs;
        else return time;
      }
      return undefined;
    },
  };
}

/** To the next full hour while the day may change its length, else close to midnight. */
function skipToNextDay(wall: WallTime): number {
  const hoursLeft = 24 - wall.hour;
  return hoursLeft > 3 ? (hoursLeft - 3) * 60 * minuteMs - wall.minute * minuteMs : (60 - wall.minute) * minuteMs;
}

function everySchedule(text: string, match: RegExpExecArray): CronSchedule {
  const amount = (index: number) => Number.parseInt(match[index] ?? "0", 10);
  const periodMs = amount(1) * 3_600_000 + amount(2) * minuteMs + amount(3) * 1_000;
  if (periodMs === 0) throw invalid(text, "expected a duration such as 1h30m after @every");
  return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + periodMs };
}

function isStar(part: string): boolean {
  return part === "*" || part === "?" || part.startsWith("*/");
}

function parseField(text: string, part: string, field: Field): Set<number> {
  const values = new Set<number>();
  for (const range of part.split(",")) {
    const match = /^(\*|\?|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d+))?$/.exec(range.toLowerCase());
    if (match === null) throw invalid(text, `"${range}" is no ${field.name}`);
    const [, from = "", to, by] = match;
    const isAll = from === "*" || from === "?";
    const first = isAll ? field.min : parseValue(text, from, field);
    const open = isAll || (by !== undefined && to === undefined) ? maxOf(field, isAll) : first;
    const last = to === undefined ? open : parseValue(text, to, field);
    const step = Number(by ?? 1);
    if (step === 0 || first > last) throw invalid(text, `"${range}" is no range of a ${field.name}`);
    for (let value = first; value <= last; value += step) values.add(value);
  }
  return values;
}

/** Sunday is 0; as 7 it is only understood where it is written. */
function maxOf(field: Field, isAll: boolean): number {
  return field.names === days && isAll ? 6 : field.max;
}

function parseValue(text: string, word: string, field: Field): number {
  const named = field.names?.indexOf(word) ?? -1;
  const value = named >= 0 ? named + field.min : /^\d+$/.test(word) ? Number(word) : Number.NaN;
  if (value >= field.min && value <= field.max) return value;
  throw invalid(text, `${field.name} "${word}" is not within ${field.min} to ${field.max}`);
}

interface WallTime {
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly weekDay: number;
}

function createWallClock(text: string, timeZone: string): (time: number) => WallTime {
  if (timeZone === "UTC" || timeZone === "Etc/UTC") return utcWall;
  const format = createFormat(text, timeZone);
  return (time) => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
    const numberOf = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
    return {
      month: numberOf("month"),
      day: numberOf("day"),
      hour: numberOf("hour"),
      minute: numberOf("minute"),
      weekDay: days.indexOf((parts.get("weekday") ?? "").toLowerCase()),
    };
  };
}

function utcWall(time: number): WallTime {
  const date = new Date(time);
  return {
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    weekDay: date.getUTCDay(),
  };
}

function createFormat(text: string, timeZone: string): Intl.DateTimeFormat {
  const numeric = { month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" } as const;
  try {
    return new Intl.DateTimeFormat("en-US", { ...numeric, timeZone, weekday: "short", hourCycle: "h23" });
  } catch {
    throw invalid(text, `unknown time zone ${timeZone}`);
  }
}

function invalid(text: string, why: string): InferiumError {
  return new InferiumError("InvalidSchedule", `Schedule "${text}" is not valid: ${why}.`);
}
