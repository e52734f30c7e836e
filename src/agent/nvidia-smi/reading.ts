/** What one reading of `nvidia-smi -q -x` says, in numbers and with units in the names. Types only. */
export interface HardwareReading {
  /** How many GPUs the document says there are; it may describe fewer. */
  readonly attachedGpus: number;
  readonly driverVersion: string | undefined;
  /** Highest CUDA version that the driver supports. */
  readonly cudaVersion: string | undefined;
  /** GPUs whose values hold together, in the order of the document. */
  readonly gpus: readonly GpuReading[];
  /** GPUs that were reported with values which cannot be true; nothing of theirs is believed. */
  readonly quarantined: readonly QuarantinedGpu[];
  /** The document says that it is a recording which is played back. */
  readonly simulated: boolean;
}

export interface GpuReading {
  readonly uuid: string;
  readonly product: string;
  readonly architecture: string | undefined;
  readonly pciBusId: string | undefined;
  readonly memoryMiB: number;
  readonly memoryUsedMiB: number | undefined;
  /** Percent; not available while MIG is on. */
  readonly utilization: number | undefined;
  readonly temperatureC: number | undefined;
  readonly powerW: number | undefined;
  readonly powerLimitW: number | undefined;
  readonly migEnabled: boolean;
  readonly migInstances: readonly MigInstance[];
  /** Why its clocks are lowered by heat or power, as the driver names it; empty at full speed. */
  readonly slowdowns: readonly string[];
  /** Why the GPU should take no work; empty where it is healthy. */
  readonly faults: readonly string[];
}

export interface MigInstance {
  readonly index: number;
  readonly gpuInstanceId: number;
  /** Memory of the GPU instance, divided by the compute instances that share it. */
  readonly memoryMiB: number;
  /** Such as `1g.20gb`; undefined where the document's figures fit no known profile. */
  readonly profile: string | undefined;
}

export interface QuarantinedGpu {
  /** Position in the document, from 0. */
  readonly index: number;
  readonly uuid: string | undefined;
  readonly reason: string;
}
