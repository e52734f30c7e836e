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
