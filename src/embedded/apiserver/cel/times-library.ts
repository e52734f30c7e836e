/** Conversions between times, durations and other types that the engine does not bring. */
import type { Environment } from "@marcbachmann/cel-js";
import { showTime } from "./format-string.ts";

const timestamp = "google.protobuf.Timestamp";
const duration = "google.protobuf.Duration";

export function registerTimes(environment: Environment): void {
  environment
    .registerFunction(`string(${timestamp}): string`, (time: Date) => showTime(time))
    .registerFunction(`string(${duration}): string`, (span: object) => String(span))
    .registerFunction(`int(${timestamp}): int`, (time: Date) => BigInt(Math.floor(time.getTime() / 1000)))
    .registerFunction(`timestamp(${timestamp}): ${timestamp}`, (time: Date) => time)
    .registerFunction(`duration(${duration}): ${duration}`, (span: object) => span);
}
