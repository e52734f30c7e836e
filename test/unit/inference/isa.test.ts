import { describe, expect, it } from "vitest";
import { parseIsa, readIsa } from "../../../src/inference/isa.ts";
import { formatRuntime } from "../../../src/inference/runtime.ts";

describe("the instruction set", () => {
  it.each([
    {
      name: "the best of x86 with 512-bit integer dot products",
      cpuinfo: "flags\t\t: fpu avx avx2 avx512f avx_vnni avx512_vnni\n",
      want: "avx512_vnni",
    },
    { name: "tiles before vectors", cpuinfo: "flags : avx2 avx512_vnni amx_int8", want: "amx_int8" },
    { name: "256-bit vectors", cpuinfo: "processor: 0\nflags : sse4_1 avx avx2\n", want: "avx2" },
    { name: "Arm's list under its own heading", cpuinfo: "Features\t: fp asimd aes asimddp", want: "asimddp" },
    { name: "nothing where no known flag is listed", cpuinfo: "flags : fpu vme", want: undefined },
    { name: "nothing where a flag is only part of a word", cpuinfo: "flags : xavx2 avx2x", want: undefined },
    { name: "nothing where there are no flags", cpuinfo: "model name : avx2", want: undefined },
  ])("is $name", ({ cpuinfo, want }) => {
    expect(parseIsa(cpuinfo)).toBe(want);
  });

  it("is the architecture where the kernel does not say", () => {
    expect(readIsa("/nonexistent/cpuinfo")).toBe(process.arch);
  });

  it("stands in a receipt beside version, provider and level", () => {
    const runtime = { version: "1.27.0", provider: "cpu", isa: "avx512_vnni", level: "all" };
    expect(formatRuntime(runtime)).toBe("onnxruntime/1.27.0 cpu avx512_vnni all");
  });
});
