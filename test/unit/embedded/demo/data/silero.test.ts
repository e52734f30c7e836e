import { describe, expect, it } from "vitest";
import { buildSileroInput } from "../../../../../src/embedded/demo/data/silero.ts";
import { readWav } from "../../../../../src/embedded/demo/data/wav.ts";
import { viewElements } from "../../../../../src/protocol/tensors/elements.ts";

describe("Silero's input", () => {
  it("gives each window the 64 samples before it, silence before the first and after the last", () => {
    const samples = Float32Array.from({ length: 600 }, (_, i) => i + 1);
    const { tensors, windows } = buildSileroInput({ sampleRate: 16_000, samples });
    const rows = viewElements(tensors.get("input")!);
    expect(windows).toBe(2);
    expect(tensors.get("input")!.shape).toEqual([2, 576]);
    expect([rows[63], rows[64], rows[575]]).toEqual([0, 1, 512]);
    expect([rows[576], rows[576 + 64], rows[576 + 151], rows[576 + 152]]).toEqual([449, 513, 600, 0]);
  });

  it("starts from a state of zeros and names its sample rate", () => {
    const { tensors } = buildSileroInput({ sampleRate: 16_000, samples: new Float32Array(1) });
    expect([...viewElements(tensors.get("sr")!)]).toEqual([16_000n]);
    expect(tensors.get("state")).toMatchObject({ dtype: "float32", shape: [2, 1, 128] });
  });

  it("refuses another sample rate", () => {
    expect(() => buildSileroInput({ sampleRate: 8_000, samples: new Float32Array(1) })).toThrow(
      /8000 samples a second/,
    );
  });
});

describe("a WAV file", () => {
  const format = (encoding: number, channels: number, bits: number) => {
    const chunk = Buffer.alloc(24);
    chunk.write("fmt ");
    chunk.writeUInt32LE(16, 4);
    chunk.writeUInt16LE(encoding, 8);
    chunk.writeUInt16LE(channels, 10);
    chunk.writeUInt32LE(16_000, 12);
    chunk.writeUInt16LE(bits, 22);
    return chunk;
  };
  const wav = (...chunks: Buffer[]) => Buffer.concat([Buffer.from("RIFF\0\0\0\0WAVE"), ...chunks]);
  const data = Buffer.from("data\x04\0\0\0\0\x80\0\x40", "latin1");
  const odd = Buffer.from("LIST\x01\0\0\0x\0", "latin1");

  it("is read past chunks of other kinds and odd lengths", () => {
    const { sampleRate, samples } = readWav(wav(format(1, 1, 16), odd, data));
    expect([sampleRate, ...samples]).toEqual([16_000, -1, 0.5]);
  });

  it.each([
    { what: "another container", bytes: Buffer.from("RIFX\0\0\0\0WAVE"), want: /not RIFF/ },
    { what: "floats", bytes: wav(format(3, 1, 32), data), want: /encoding 3/ },
    { what: "two channels", bytes: wav(format(1, 2, 16), data), want: /2 channels/ },
    { what: "no data", bytes: wav(format(1, 1, 16)), want: /no whole chunk "data"/ },
    {
      what: "an end before its data's",
      bytes: wav(format(1, 1, 16), data.subarray(0, 10)),
      want: /cut off in its chunk "data"/,
    },
  ])("is refused with $what", ({ bytes, want }) => {
    expect(() => readWav(bytes)).toThrow(want);
  });
});
