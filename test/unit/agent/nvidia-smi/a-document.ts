/** Small `nvidia-smi -q -x` documents for tests: only what the parser reads, each part replaceable. */
export interface GpuParts {
  uuid?: string;
  product?: string;
  architecture?: string;
  total?: string;
  used?: string;
  mig?: string;
  /** Further elements. */
  extra?: string;
}

export function aGpuElement(parts: GpuParts = {}): string {
  const { uuid = "GPU-11111111-2222-3333-4444-555555555555", product = "NVIDIA A30", architecture = "Ampere" } = parts;
  return `<gpu id="00000000:01:00.0">
    <product_name>${product}</product_name>
    <product_architecture>${architecture}</product_architecture>
    ${parts.mig ?? "<mig_mode><current_mig>N/A</current_mig></mig_mode>"}
    <uuid>${uuid}</uuid>
    <fb_memory_usage><total>${parts.total ?? "24576 MiB"}</total><used>${parts.used ?? "300 MiB"}</used></fb_memory_usage>
    ${parts.extra ?? ""}
  </gpu>`;
}

export function aDocument(gpus: readonly string[] = [aGpuElement()], attached: string | number = gpus.length): string {
  return `<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
<nvidia_smi_log>
  <timestamp>Tue Mar  3 12:00:00 2026</timestamp>
  <driver_version>550.90.07</driver_version>
  <cuda_version>12.4</cuda_version>
  <attached_gpus>${attached}</attached_gpus>
  ${gpus.join("\n")}
</nvidia_smi_log>
`;
}

export interface MigDeviceParts {
  index: number;
  gpuInstance: number;
  total: string;
  multiprocessors?: number;
}

export function aMigMode(devices: readonly MigDeviceParts[]): string {
  const elements = devices.map(
    ({ index, gpuInstance, total, multiprocessors = 14 }) => `<mig_device>
      <index>${index}</index><gpu_instance_id>${gpuInstance}</gpu_instance_id><compute_instance_id>0</compute_instance_id>
      <device_attributes><shared><multiprocessor_count>${multiprocessors}</multiprocessor_count></shared></device_attributes>
      <fb_memory_usage><total>${total}</total><used>1 MiB</used></fb_memory_usage>
    </mig_device>`,
  );
  return `<mig_mode><current_mig>Enabled</current_mig></mig_mode><mig_devices>${elements.join("")}</mig_devices>`;
}
