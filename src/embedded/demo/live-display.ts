/**
 * Shows lines that change: redrawn in place on a terminal, printed only when they say something new elsewhere. Never
 * writes to stdout when that is reserved for a machine.
 */
export interface LiveDisplay {
  update(lines: readonly string[]): void;
  /** Text that stays, above whatever is redrawn. */
  print(text: string): void;
  /** Leaves the last lines standing. */
  finish(): void;
}

export interface DisplayStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const plainIntervalMs = 2_000;

export function createLiveDisplay(stream: DisplayStream): LiveDisplay {
  let drawn = 0;
  let last = "";
  const clear = () => {
    if (drawn > 0) stream.write(`\x1b[${drawn}A\x1b[0J`);
    drawn = 0;
  };
  const draw = (lines: readonly string[]) => {
    const width = stream.columns ?? 200;
    for (const line of lines) stream.write(`${line.slice(0, width - 1)}\n`);
    drawn = lines.length;
  };
  if (!stream.isTTY) {
    let printedAt = Number.NEGATIVE_INFINITY;
    return {
      update(lines) {
        // Without a cursor a table per second would be noise: now and then the first line, which says how far it is.
        const text = (lines[0] ?? "").replace(/^\s*\d+ s {2}/, "");
        if (text === last || performance.now() - printedAt < plainIntervalMs) return;
        stream.write(`${lines[0] ?? ""}\n`);
        printedAt = performance.now();
        last = text;
      },
      print: (text) => void stream.write(`${text}\n`),
      finish: () => undefined,
    };
  }
  let current: readonly string[] = [];
  return {
    update(lines) {
      clear();
      current = lines;
      draw(lines);
    },
    print(text) {
      clear();
      stream.write(`${text}\n`);
      draw(current);
    },
    finish() {
      drawn = 0;
      current = [];
    },
  };
}
