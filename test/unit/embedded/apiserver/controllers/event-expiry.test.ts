import { expect, test } from "vitest";
import { silentLogger } from "../../../../../src/base/log.ts";
import { EventExpiry } from "../../../../../src/embedded/apiserver/controllers/event-expiry.ts";
import type { ApiContext } from "../../../../../src/embedded/apiserver/operations/context.ts";
import { MemoryStore } from "../../../../../src/embedded/apiserver/storage/memory-store.ts";

const hourMs = 3_600_000;
const start = Date.parse("2026-01-01T00:00:00Z");

test("an event goes an hour after it was last written, and is told of as deleted", () => {
  let now = start;
  const store = new MemoryStore();
  const context = { store, clock: { now: () => now }, logger: silentLogger } as unknown as ApiContext;
  const expiry = new EventExpiry(context);
  const anEvent = (name: string) => ({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace: "default", creationTimestamp: new Date(start).toISOString() },
    lastTimestamp: new Date(now).toISOString(),
  });
  store.create("events", "default/once", anEvent("once"));
  store.create("events", "default/again", anEvent("again"));
  now = start + hourMs / 2;
  store.update("events", "default/again", anEvent("again"));
  now = start + hourMs - 1;
  expiry.sweep();
  expect(store.count("events")).toBe(2);
  const deleted: string[] = [];
  store.watchAll((event) => deleted.push(`${event.type} ${event.current.key}`));
  now = start + hourMs;
  expiry.sweep();
  expect(deleted).toEqual(["DELETED default/once"]);
  now = start + hourMs * 1.5;
  expiry.sweep();
  expect(store.count("events")).toBe(0);
  expiry.stop();
});
