/** What `/version` says. The numbers name the Kubernetes API that is spoken; the build says whose server this is. */
export const versionInfo = {
  major: "1",
  minor: "36",
  emulationMajor: "1",
  emulationMinor: "36",
  minCompatibilityMajor: "1",
  minCompatibilityMinor: "35",
  gitVersion: "v1.36.0-inferium",
  gitCommit: "inferium-embedded-apiserver",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "none (inferium embedded API server on Node.js)",
  compiler: "node",
  platform: `${process.platform}/${process.arch}`,
} as const;
