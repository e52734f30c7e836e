import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../../src/base/log.ts";
import type { PodApi } from "../../../../src/embedded/kubelet/pod-api.ts";
import type { PodStatus } from "../../../../src/embedded/kubelet/status-types.ts";
import { StatusWriter } from "../../../../src/embedded/kubelet/status-writer.ts";
import { aPod, FakeClock } from "./builders.ts";

/** @param answers of the server, one per write; the last one stays */
function open(...answers: (boolean | Error)[]) {
  const clock = new FakeClock();
  const sent: (string | undefined)[] = [];
  const writeStatus = async (_pod: unknown, status: PodStatus) => {
    sent.push(status.phase);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) throw answer;
    return answer ?? true;
  };
  const api = { writeStatus } as unknown as PodApi;
  const signal = new AbortController().signal;
  return { clock, sent, writer: new StatusWriter({ pod: aPod(), api, clock, logger: silentLogger, signal }) };
}

describe("StatusWriter", () => {
  it("writes changes that come together once, and the newest of them", async () => {
    const { clock, sent, writer } = open(true);
    writer.publish({ phase: "Pending" });
    writer.publish({ phase: "Running" });
    await clock.advance(1_000);
    expect(sent).toEqual(["Running"]);
  });

  it("writes nothing for a status that is equal to the last", async () => {
    const { clock, sent, writer } = open(true);
    writer.publish({ phase: "Running" });
    await clock.advance(1_000);
    writer.publish({ phase: "Running" });
    await clock.advance(1_000);
    expect(sent).toEqual(["Running"]);
  });

  it("tries again with growing pauses until the server takes it", async () => {
    const { clock, sent, writer } = open(new Error("down"), new Error("down"), true);
    writer.publish({ phase: "Running" });
    await clock.advance(60_000);
    expect(sent).toHaveLength(3);
    await writer.flush();
  });

  it("replaces what it failed to write by what is newer", async () => {
    const { clock, sent, writer } = open(new Error("down"), true);
    writer.publish({ phase: "Running" });
    await clock.advance(30);
    writer.publish({ phase: "Succeeded" });
    await clock.advance(60_000);
    expect(sent).toEqual(["Running", "Succeeded"]);
  });

  it("stops when the pod is gone", async () => {
    const { clock, sent, writer } = open(false);
    writer.publish({ phase: "Running" });
    await clock.advance(1_000);
    writer.publish({ phase: "Succeeded" });
    await clock.advance(60_000);
    expect(sent).toEqual(["Running"]);
  });
});
