import { describe, expect, it } from "vitest";
import { createAddressCheck } from "../../../src/inference/address-policy.ts";

describe("addresses that artifacts are read from", () => {
  const check = createAddressCheck();

  it.each([
    ...["127.0.0.1", "127.255.255.254", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1"],
    ...["169.254.169.254", "169.254.170.2", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe"],
    // NAT64 and 6to4 lead to the IPv4 host as well.
    ...["64:ff9b::169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "2002:7f00:1::1"],
    ...["100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254", "fd00:42::42"],
    ...["224.0.0.1", "255.255.255.255", "ff02::1", "", "localhost", "1.2.3"],
  ])("do not include %j", (address) => {
    expect(check(address)).toEqual(expect.any(String));
  });

  it.each([
    ...["8.8.8.8", "10.96.0.1", "172.16.4.4", "192.168.1.1", "100.64.0.1", "2606:4700::1", "fd00::1", "fc00:1::2"],
    ...["::ffff:10.0.0.1", "64:ff9b::808:808", "2002:808:808::1", "126.255.255.255", "128.0.0.1", "169.253.255.255"],
  ])("include %s", (address) => {
    expect(check(address)).toBeUndefined();
  });

  it("include what a setting allows, in every spelling, and nothing beside it", () => {
    const lenient = createAddressCheck(["127.0.0.0/8", "::1", "169.254.1.1"]);
    const allowed = ["127.0.0.1", "::1", "169.254.1.1", "::ffff:127.0.0.1"];
    expect(allowed.map(lenient)).toEqual(allowed.map(() => undefined));
    expect(["169.254.169.254", "::", "0.0.0.0", "fe80::1"].map(lenient)).not.toContain(undefined);
  });
});
