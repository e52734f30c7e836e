import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { createPoolClock } from "../../../src/pool/pool-clock.ts";

function aScene() {
  const own = { wallMs: 50_000, passedMs: 7.25 };
  const clock = createPoolClock({ ...systemClock, now: () => own.wallMs, monotonic: () => own.passedMs });
  return { own, clock };
}

describe("the pool's time as a member has it", () => {
  test("is its own until the pool was heard, then what the pool said and what has passed since", () => {
    const { own, clock } = aScene();
    expect(clock.now()).toBe(50_000);
    clock.hear("1000000");
    own.passedMs += 500;
    expect(clock.now()).toBe(1_000_500);
  });

  test("does not move where its own clock is set", () => {
    const { own, clock } = aScene();
    clock.hear("1000000");
    own.wallMs -= 3_600_000;
    expect(clock.now()).toBe(1_000_000);
  });

  test("is what was heard last, as after another operator took over", () => {
    const { clock } = aScene();
    clock.hear("1000000");
    clock.hear("400");
    expect(clock.now()).toBe(400);
  });

  test.each([undefined, "", "soon", "-5", "1e9", "1.5", "9".repeat(16), ["1", "2"]])(
    "hears no time in %j",
    (header) => {
      const { clock } = aScene();
      clock.hear("1000000");
      clock.hear(header);
      expect(clock.now()).toBe(1_000_000);
    },
  );
});
