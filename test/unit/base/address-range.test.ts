import { describe, expect, it } from "vitest";
import { isAddressRange } from "../../../src/base/address-range.ts";

describe("an address range", () => {
  it.each(["10.0.0.7", "127.0.0.0/8", "0.0.0.0/0", "10.0.0.0/32", "::1", "fd00::/8", "::/0", "::1/128"])(
    "is %s",
    (text) => expect(isAddressRange(text)).toBe(true),
  );

  it.each(["", "localhost", "10.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/", "fd00::/129", "*"])(
    "is not %j",
    (text) => expect(isAddressRange(text)).toBe(false),
  );
});
