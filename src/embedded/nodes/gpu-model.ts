/**
 * GPU models of the simulated nodes: what their vendor's data sheets say of them, as nvidia-smi would print it. Facts only;
 * identities (UUIDs, serials, bus addresses) are made up per GPU in simulated-gpu.ts.
 */
export interface GpuModel {
  readonly product: string;
  readonly brand: string;
  readonly architecture: string;
  readonly computeCapability: string;
  readonly memoryMiB: number;
  /** Kept by driver and firmware. */
  readonly reservedMiB: number;
  readonly bar1MiB: number;
  readonly pciDeviceId: string;
  readonly pciSubsystemId: string;
  readonly partNumber: string;
  readonly pcieGen: number;
  /** Maxima, in MHz. */
  readonly clocks: { readonly graphics: number; readonly memory: number; readonly video: number };
  /** In W. */
  readonly power: { readonly idle: number; readonly limit: number; readonly min: number; readonly max: number };
  readonly ecc: boolean;
  /** Replaces bad rows instead of retiring pages: Ampere and later data-center GPUs. */
  readonly remapsRows: boolean;
  readonly migCapable: boolean;
  readonly fan: boolean;
}

export const a100Sxm80: GpuModel = {
  product: "NVIDIA A100-SXM4-80GB",
  brand: "NVIDIA",
  architecture: "Ampere",
  computeCapability: "8.0",
  memoryMiB: 81_920,
  reservedMiB: 868,
  bar1MiB: 131_072,
  pciDeviceId: "20B210DE",
  pciSubsystemId: "147F10DE",
  partNumber: "20B2-895-A1",
  pcieGen: 4,
  clocks: { graphics: 1_410, memory: 1_593, video: 1_290 },
  power: { idle: 62, limit: 400, min: 100, max: 400 },
  ecc: true,
  remapsRows: true,
  migCapable: true,
  fan: false,
};

export const l4: GpuModel = {
  product: "NVIDIA L4",
  brand: "NVIDIA",
  architecture: "Ada Lovelace",
  computeCapability: "8.9",
  memoryMiB: 23_034,
  reservedMiB: 570,
  bar1MiB: 32_768,
  pciDeviceId: "27B810DE",
  pciSubsystemId: "16CA10DE",
  partNumber: "27B8-895-A1",
  pcieGen: 4,
  clocks: { graphics: 2_040, memory: 6_251, video: 1_770 },
  power: { idle: 13, limit: 72, min: 40, max: 72 },
  ecc: true,
  remapsRows: true,
  migCapable: false,
  fan: false,
};

export const rtx4070: GpuModel = {
  product: "NVIDIA GeForce RTX 4070",
  brand: "GeForce",
  architecture: "Ada Lovelace",
  computeCapability: "8.9",
  memoryMiB: 12_282,
  reservedMiB: 287,
  bar1MiB: 16_384,
  pciDeviceId: "278610DE",
  pciSubsystemId: "16B210DE",
  partNumber: "2786-250-A1",
  pcieGen: 4,
  clocks: { graphics: 3_105, memory: 10_501, video: 2_415 },
  power: { idle: 11, limit: 200, min: 100, max: 215 },
  ecc: false,
  remapsRows: false,
  migCapable: false,
  fan: true,
};

export const p4: GpuModel = {
  product: "Tesla P4",
  brand: "Tesla",
  architecture: "Pascal",
  computeCapability: "6.1",
  memoryMiB: 7_680,
  reservedMiB: 65,
  bar1MiB: 256,
  pciDeviceId: "1BB310DE",
  pciSubsystemId: "11D810DE",
  partNumber: "900-2G414-0000-000",
  pcieGen: 3,
  clocks: { graphics: 1_531, memory: 3_003, video: 1_379 },
  power: { idle: 6, limit: 75, min: 60, max: 75 },
  ecc: true,
  remapsRows: false,
  migCapable: false,
  fan: false,
};
