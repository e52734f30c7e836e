/** The log of a run: a file in its folder, so that the terminal stays readable. */
import { createWriteStream } from "node:fs";
import { join } from "node:path";

export interface RunLog {
  readonly path: string;
  readonly write: (line: string) => void;
  close(): Promise<void>;
}

export function openRunLog(dir: string): RunLog {
  const path = join(dir, "up.log");
  const stream = createWriteStream(path, { flags: "w", mode: 0o600 });
  return {
    path,
    write: (line) => void stream.write(line),
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}
