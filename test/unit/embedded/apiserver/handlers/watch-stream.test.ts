import type { IncomingMessage, ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../../../src/base/clock.ts";
import { silentLogger } from "../../../../../src/base/log.ts";
import { parseListOptions } from "../../../../../src/embedded/apiserver/handlers/list-options.ts";
import { WatchStream } from "../../../../../src/embedded/apiserver/handlers/watch-stream.ts";
import type { Exchange } from "../../../../../src/embedded/apiserver/http/exchange.ts";
import { RequestLife } from "../../../../../src/embedded/apiserver/http/request-life.ts";
import type { ApiContext } from "../../../../../src/embedded/apiserver/operations/context.ts";
import type { ResourceKind } from "../../../../../src/embedded/apiserver/registry/kind.ts";
import type { Store } from "../../../../../src/embedded/apiserver/storage/store.ts";
import { StoredObject } from "../../../../../src/embedded/apiserver/storage/stored-object.ts";

const kind = { kind: "Thing", apiVersion: "v1", builtin: true, plural: "things" } as ResourceKind;
const thing = (name: string, size = 10) =>
  new StoredObject(name, { apiVersion: "v1", kind: "Thing", metadata: { name }, text: "x".repeat(size) }, 1);

/** A stream whose client reads only when the test does. */
function openStream(store: Partial<Store> = {}) {
  const response = new PassThrough();
  Object.assign(response, { writeHead: () => response, flushHeaders: () => undefined });
  response.on("error", () => undefined);
  const query = new URLSearchParams();
  const exchange: Partial<Exchange> = {
    request: {} as IncomingMessage,
    response: response as unknown as ServerResponse,
    query,
    form: "object",
    life: new RequestLife(),
  };
  const context = {
    store: { isFlushed: true, revision: () => 1, ...store } as Store,
    clock: systemClock,
    logger: silentLogger,
  } as ApiContext;
  const stream = new WatchStream(context, exchange as Exchange, kind, parseListOptions(query));
  const read = async () => {
    await turns();
    return String(response.read() ?? "")
      .split("\n")
      .filter((line) => line !== "");
  };
  return { stream, response, read };
}

const turns = async () => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe("a watch stream", () => {
  test("the state comes before events, and as fast as the client reads, whatever its size", async () => {
    const { stream, response, read } = openStream();
    stream.state(Array.from({ length: 3_000 }, (_, index) => thing(`state-${index}`, 10_000)));
    stream.event("ADDED", thing("event"));
    await turns();
    expect(response.readableLength).toBeLessThan(1_000_000);
    const names: string[] = [];
    while (names.length < 3_001) {
      const lines = await read();
      expect(lines.length).toBeGreaterThan(0);
      names.push(...lines.map((line) => JSON.parse(line).object.metadata.name as string));
    }
    expect(names.at(-1)).toBe("event");
    expect(new Set(names).size).toBe(3_001);
    stream.close();
  });

  test("a client that does not read is cut off when ten thousand events wait for it", async () => {
    const { stream, response } = openStream();
    let closed = false;
    stream.onClose(() => {
      closed = true;
    });
    stream.event("ADDED", thing("fills-the-socket", 100_000));
    await turns();
    for (let index = 0; index < 10_000; index += 1) stream.event("ADDED", thing("waits"));
    expect(response.destroyed).toBe(false);
    stream.event("ADDED", thing("one-too-many"));
    expect(response.destroyed).toBe(true);
    expect(closed).toBe(true);
  });

  test("nothing is shown before it is durable", async () => {
    let flush = () => undefined as undefined;
    const flushed = new Promise<void>((resolve) => {
      flush = () => void resolve() as undefined;
    });
    const store = { isFlushed: false, flushed: () => flushed };
    const { stream, read } = openStream(store);
    stream.event("ADDED", thing("a"));
    expect(await read()).toEqual([]);
    store.isFlushed = true;
    flush();
    expect(await read()).toHaveLength(1);
    stream.close();
  });

  test("an error is the last thing that is sent", async () => {
    const { stream, response, read } = openStream();
    stream.fail({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", code: 410 });
    stream.event("ADDED", thing("late"));
    const lines = await read();
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(["ERROR"]);
    expect(response.writableEnded).toBe(true);
  });
});
