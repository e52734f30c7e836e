/** Schedules of cron jobs: five fields, or a word such as `@daily`. The details are those of the parser in Go. Pure. */
interface Field {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly names?: readonly string[];
}

const fields: readonly Field[] = [
  { name: "minute", low: 0, high: 59 },
  { name: "hour", low: 0, high: 23 },
  { name: "day of month", low: 1, high: 31 },
  {
    name: "month",
    low: 1,
    high: 12,
    names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  },
  { name: "day of week", low: 0, high: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];
const words = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/** The detail of a finding, or undefined for a schedule that means something. */
export function checkSchedule(schedule: string): string | undefined {
  const text = schedule.replace(/^(?:CRON_)?TZ=\S+\s+/, "").trim();
  if (text.startsWith("@")) {
    if (words.includes(text) || /^@every \d+(\.\d+)?(ns|us|ms|s|m|h)/.test(text)) return undefined;
    return `unrecognized descriptor: ${text}`;
  }
  const parts = text === "" ? [] : text.split(/\s+/);
  if (parts.length !== fields.length) return `expected exactly 5 fields, found ${parts.length}: ${goList(parts)}`;
  for (const [index, field] of fields.entries()) {
    for (const item of (parts[index] ?? "").split(",")) {
      const problem = checkItem(item, field);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

const goList = (parts: readonly string[]) => `[${parts.join(" ")}]`;

function checkItem(item: string, field: Field): string | undefined {
  const [range = "", step, ...more] = item.split("/");
  if (more.length > 0) return `too many slashes: ${item}`;
  if (step !== undefined && !/^\d+$/.test(step))
    return `failed to parse int from ${step}: strconv.Atoi: parsing "${step}": invalid syntax`;
  if (step !== undefined && Number(step) === 0) return `step of range should be a positive number: ${item}`;
  if (range === "*" || range === "?") return undefined;
  const [from = "", to, ...rest] = range.split("-");
  if (rest.length > 0) return `too many hyphens: ${item}`;
  const low = readNumber(from, field);
  const high = to === undefined ? (step === undefined ? low : field.high) : readNumber(to, field);
  if (low === undefined || high === undefined) {
    const bad = low === undefined ? from : (to ?? "");
    return `failed to parse int from ${bad}: strconv.Atoi: parsing "${bad}": invalid syntax`;
  }
  if (low < field.low) return `beginning of range (${low}) below minimum (${field.low}): ${item}`;
  if (high > field.high) return `end of range (${high}) above maximum (${field.high}): ${item}`;
  return low > high ? `beginning of range (${low}) beyond end of range (${high}): ${item}` : undefined;
}

function readNumber(text: string, field: Field): number | undefined {
  const index = field.names?.indexOf(text.toLowerCase()) ?? -1;
  if (index >= 0) return index + field.low;
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

export function checkTimeZone(zone: string): string | undefined {
  if (zone === "") return "timeZone must be nil or non-empty string";
  if (zone.toLowerCase() === "local")
    return "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return undefined;
  } catch {
    return `unknown time zone ${zone}`;
  }
}
