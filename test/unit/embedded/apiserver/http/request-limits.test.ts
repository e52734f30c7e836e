import { expect, test } from "vitest";
import { RequestLimits } from "../../../../../src/embedded/apiserver/http/request-limits.ts";

test("above its limit a kind of request is sent away for a second, and let in again when one has ended", () => {
  const limits = new RequestLimits({ mutating: 1, readOnly: 2 });
  const end = limits.enter("mutating");
  limits.enter("readOnly");
  expect(() => limits.enter("mutating")).toThrow("Too many requests, please try again later.");
  try {
    limits.enter("mutating");
  } catch (error) {
    expect(error).toMatchObject({
      status: { code: 429, reason: "TooManyRequests", details: { retryAfterSeconds: 1 } },
    });
  }
  end();
  limits.enter("mutating");
});

test("one user has half of them at most, and whoever may do everything has no share of its own", () => {
  const limits = new RequestLimits({ mutating: 2, readOnly: 4 });
  const alice = { username: "alice", groups: ["system:authenticated"] };
  const end = limits.enterAs("mutating", alice);
  expect(() => limits.enterAs("mutating", alice)).toThrow("Too many requests, please try again later.");
  limits.enterAs("readOnly", alice);
  limits.enterAs("mutating", { ...alice, username: "bob" });
  const admin = { username: "admin", groups: ["system:masters"] };
  for (let i = 0; i < 10; i++) limits.enterAs("mutating", admin);
  end();
  limits.enterAs("mutating", alice);
});
