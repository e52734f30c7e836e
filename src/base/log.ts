/**
 * Structured logs: one JSON object a line on stderr, a constant message plus fields. Info is for a change of state only.
 * Values under names that look secret are replaced, so that no key or token can reach a log by accident.
 */
export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose every line also carries `fields`. */
  child(fields: LogFields): Logger;
}

const order: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };
const secretName = /(private|secret|token|password|mnemonic|authorization)/i;

export interface LoggerOptions {
  readonly level?: LogLevel;
  readonly fields?: LogFields;
  readonly write?: (line: string) => void;
}

export function createLogger(options: LoggerOptions = {}): Logger {
  const threshold = order[options.level ?? "info"];
  const fixed = options.fields ?? {};
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const log = (level: LogLevel, message: string, fields?: LogFields) => {
    if (order[level] < threshold) return;
    const head = { time: new Date().toISOString(), level, msg: message };
    // A field of one of these names must not hide what the line is.
    const entry = { ...head, ...fixed, ...fields, ...head };
    write(`${JSON.stringify(entry, redact)}\n`);
  };
  return {
    debug: (message, fields) => log("debug", message, fields),
    info: (message, fields) => log("info", message, fields),
    warn: (message, fields) => log("warn", message, fields),
    error: (message, fields) => log("error", message, fields),
    child: (fields) => createLogger({ ...options, fields: { ...fixed, ...fields } }),
  };
}

function redact(name: string, value: unknown): unknown {
  if (typeof value === "string" && secretName.test(name)) return "[redacted]";
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return value.message;
  return value;
}

export const silentLogger: Logger = createLogger({ write: () => undefined });
