import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { KubeApiError } from "../../../src/kube/api-error.ts";
import { createEventRecorder, type EventRecorderOptions } from "../../../src/kube/events.ts";
import { createKubeMetrics } from "../../../src/kube/metrics.ts";
import type { KubeRequest, Transport } from "../../../src/kube/transport.ts";
import { createManualClock } from "./manual-clock.ts";

const thing = { apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "t", namespace: "ns", uid: "u1" } };
const started = { regarding: thing, type: "Normal", reason: "Started", action: "Start", note: "It began." } as const;

function setUp(options: Partial<EventRecorderOptions> = {}) {
  const clock = createManualClock(Date.parse("2026-01-02T03:04:05.006Z"));
  const registry = new Registry();
  const requests: KubeRequest[] = [];
  let failing: Error | undefined;
  const transport: Transport = {
    fieldManager: "test",
    stream: () => {
      throw new Error("events are never watched here");
    },
    close: async () => undefined,
    request: async <T>(request: KubeRequest) => {
      requests.push(request);
      if (failing) throw failing;
      return {} as T;
    },
  };
  const recorder = createEventRecorder(transport, {
    reportingController: "example.com/c",
    reportingInstance: "pod-1",
    clock,
    metrics: createKubeMetrics(registry),
    ...options,
  });
  const fail = (error: Error | undefined) => {
    failing = error;
  };
  return { clock, recorder, requests, registry, fail };
}

describe("the event recorder", () => {
  test("writes a complete events.k8s.io/v1 Event with a six-digit time", async () => {
    const { clock, recorder, requests } = setUp();
    recorder.record({ ...started, note: "x".repeat(2_000) });
    await clock.advance(0);
    expect(requests[0]).toMatchObject({ method: "POST", path: "/apis/events.k8s.io/v1/namespaces/ns/events" });
    expect(requests[0]?.body).toMatchObject({
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { namespace: "ns", name: expect.stringMatching(/^t\.[0-9a-f]+$/) },
      eventTime: "2026-01-02T03:04:05.006000Z",
      type: "Normal",
      reason: "Started",
      action: "Start",
      regarding: { apiVersion: "example.com/v1", kind: "Thing", name: "t", namespace: "ns", uid: "u1" },
      reportingController: "example.com/c",
      reportingInstance: "pod-1",
    });
    expect(requests[0]?.body).toHaveProperty("note", "x".repeat(1_024));
  });

  test("cuts what is too long by bytes, as the server counts, and never inside a character", async () => {
    const { clock, recorder, requests } = setUp();
    recorder.record({ ...started, note: `a${"é".repeat(1_000)}`, reason: "R".repeat(200) });
    await clock.advance(0);
    const body = requests[0]?.body;
    expect(body).toHaveProperty("note", `a${"é".repeat(511)}`);
    expect(body).toHaveProperty("reason", "R".repeat(128));
  });

  test("counts repeats, whatever their note, into one series that is written once per flush", async () => {
    const { clock, recorder, requests } = setUp({ flushMs: 1_000 });
    for (let n = 0; n < 50; n++) recorder.record({ ...started, note: `attempt ${n}` });
    await clock.advance(999);
    expect(requests).toHaveLength(1);
    await clock.advance(1);
    expect(requests).toHaveLength(2);
    expect(requests[1]).toMatchObject({
      method: "PATCH",
      body: { series: { count: 50, lastObservedTime: "2026-01-02T03:04:05.006000Z" } },
    });
    await clock.advance(10_000);
    expect(requests).toHaveLength(2);
  });

  test("begins anew for another reason, another object, or after a long pause", async () => {
    const { clock, recorder, requests } = setUp({ seriesIdleMs: 60_000 });
    recorder.record(started);
    recorder.record({ ...started, reason: "Stopped" });
    recorder.record({ ...started, regarding: { ...thing, metadata: { ...thing.metadata, uid: "u2" } } });
    await clock.advance(60_000);
    recorder.record(started);
    await clock.advance(0);
    expect(requests.map((request) => request.method)).toEqual(["POST", "POST", "POST", "POST"]);
  });

  test("bounds its rate and its backlog, and counts what it drops", async () => {
    const { clock, recorder, requests, registry } = setUp({ ratePerSecond: 2, burst: 3, maxPending: 5 });
    for (let n = 0; n < 20; n++) recorder.record({ ...started, reason: `Reason${n}` });
    await clock.advance(0);
    expect(requests).toHaveLength(3);
    await clock.advance(1_000);
    expect(requests).toHaveLength(5);
    await clock.advance(10_000);
    // One was taken from the backlog before it was full.
    expect(requests).toHaveLength(6);
    expect(await registry.metrics()).toContain('event_recorder_discarded_total{reason="overflow"} 14');
  });

  test("survives a refusal and writes the same news again when it comes again", async () => {
    const { clock, recorder, requests, registry, fail } = setUp();
    fail(new KubeApiError({ request: "POST", status: 403, body: { reason: "Forbidden" } }));
    recorder.record(started);
    await clock.advance(0);
    fail(undefined);
    recorder.record(started);
    await clock.advance(0);
    expect(requests.map((request) => request.method)).toEqual(["POST", "POST"]);
    expect(await registry.metrics()).toContain('event_recorder_discarded_total{reason="refused"} 1');
  });

  test("writes counted repeats when it stops, and nothing after", async () => {
    const { clock, recorder, requests, registry } = setUp();
    recorder.record(started);
    await clock.advance(0);
    recorder.record(started);
    const stopped = recorder.stop(1_000);
    await clock.advance(0);
    await stopped;
    recorder.record({ ...started, reason: "TooLate" });
    await clock.advance(60_000);
    expect(requests.map((request) => request.method)).toEqual(["POST", "PATCH"]);
    expect(clock.sleepers).toBe(0);
    expect(await registry.metrics()).not.toContain('reason="stopped"');
  });
});
