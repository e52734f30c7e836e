import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../../../src/base/log.ts";
import { LogFile } from "../../../../src/embedded/kubelet/log-file.ts";
import {
  formatLogEntry,
  LineSplitter,
  maxLineBytes,
  parseLogEntry,
} from "../../../../src/embedded/kubelet/log-line.ts";
import { type LogQuery, readLog } from "../../../../src/embedded/kubelet/log-reader.ts";
import { parseLogQuery, parseLogTarget } from "../../../../src/embedded/kubelet/log-request.ts";
import { FakeClock } from "./builders.ts";

describe("LineSplitter", () => {
  it("joins a line, and a character, that came in two chunks", () => {
    const splitter = new LineSplitter();
    const bytes = Buffer.from("héllo\nrest");
    expect(splitter.push(bytes.subarray(0, 2))).toEqual([]);
    expect(splitter.push(bytes.subarray(2))).toEqual([{ text: "héllo", isPartial: false }]);
    expect(splitter.flush()).toEqual([{ text: "rest", isPartial: true }]);
    expect(splitter.flush()).toEqual([]);
  });

  it("cuts a line that is too long into parts", () => {
    const pieces = new LineSplitter().push(Buffer.from(`${"x".repeat(maxLineBytes + 1)}\n`));
    expect(pieces.map((piece) => [piece.text.length, piece.isPartial])).toEqual([
      [maxLineBytes, true],
      [1, false],
    ]);
  });
});

it("reads back the entries it writes, and nothing else", () => {
  const entry = { time: "2026-01-01T00:00:00.000000000Z", stream: "stderr", isPartial: true, text: "a b " } as const;
  expect(parseLogEntry(formatLogEntry(entry).slice(0, -1))).toEqual(entry);
  expect(parseLogEntry("garbage")).toBeUndefined();
});

describe("a log file", () => {
  let directory: string;
  let clock: FakeClock;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "log-"));
    clock = new FakeClock();
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const create = (maxBytes = 1_000_000) =>
    LogFile.create({ path: join(directory, "0.log"), clock, logger: silentLogger, maxBytes });
  const read = async (log: LogFile, query: Partial<LogQuery> = {}) => {
    let text = "";
    const signal = AbortSignal.timeout(5_000);
    for await (const piece of readLog(log, { follow: false, timestamps: false, ...query }, signal)) text += piece;
    return text;
  };

  it("gives the whole, the tail, the recent and the first bytes", async () => {
    const log = await create();
    await log.copy(Readable.from([Buffer.from("one\ntwo\n")]), "stdout");
    await clock.advance(10_000);
    await log.copy(Readable.from([Buffer.from("three")]), "stderr");
    expect(await read(log)).toBe("one\ntwo\nthree");
    expect(await read(log, { tailLines: 2 })).toBe("two\nthree");
    expect(await read(log, { tailLines: 0 })).toBe("");
    expect(await read(log, { sinceMs: clock.now() - 5_000 })).toBe("three");
    expect(await read(log, { limitBytes: 5 })).toBe("one\nt");
    expect(await read(log, { tailLines: 1, timestamps: true })).toBe("2026-01-01T00:00:10.000000000Z three");
    await log.close();
  });

  it("keeps at most two files of the bounded size, and reads across them", async () => {
    const log = await create(1_000);
    for (let line = 0; line < 100; line++) await log.copy(Readable.from([Buffer.from(`line ${line}\n`)]), "stdout");
    expect(log.rotations).toBeGreaterThan(2);
    const sizes = await Promise.all([log.path, `${log.path}.1`].map(async (path) => (await readFile(path)).length));
    expect(Math.max(...sizes)).toBeLessThan(1_100);
    expect(await read(log, { tailLines: 20 })).toMatch(/^line 80\n[\s\S]*line 99\n$/);
    await log.close();
  });

  it("follows appends across a rotation until the log ends", async () => {
    const log = await create(200);
    await log.copy(Readable.from([Buffer.from("first\n")]), "stdout");
    const following = read(log, { follow: true });
    for (let line = 0; line < 8; line++) {
      await log.copy(Readable.from([Buffer.from(`line ${line}\n`)]), "stdout");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await log.close();
    expect(await following).toBe(`first\n${Array.from({ length: 8 }, (_, line) => `line ${line}\n`).join("")}`);
  });
});

describe("a log request", () => {
  const parse = (text: string) => parseLogQuery(new URLSearchParams(text), 100_000);
  it.each([
    { text: "", want: { follow: false, timestamps: false } },
    { text: "follow=true&tailLines=0", want: { follow: true, timestamps: false, tailLines: 0 } },
    {
      text: "sinceSeconds=10&limitBytes=5",
      want: { follow: false, timestamps: false, sinceMs: 90_000, limitBytes: 5 },
    },
    { text: "sinceTime=1970-01-01T00:00:01Z", want: { follow: false, timestamps: false, sinceMs: 1_000 } },
  ])("reads '$text'", ({ text, want }) => {
    expect(parse(text)).toEqual(want);
  });

  it.each(["tailLines=x", "tailLines=-1", "sinceTime=soon", "limitBytes=1e3"])("refuses '%s' in a sentence", (text) => {
    expect(parse(text)).toMatch(/must be/);
  });

  it("names what it is about", () => {
    const target = parseLogTarget(new URL("https://k/containerLogs/ns/p/c?previous=true"));
    expect(target).toEqual({ namespace: "ns", pod: "p", container: "c", previous: true });
    expect(parseLogTarget(new URL("https://k/containerLogs/ns/p"))).toBeUndefined();
  });
});
