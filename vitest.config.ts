import { defineConfig } from "vitest/config";

// One project per kind of test: `npx vitest --project unit`. They run one kind after another, but for the charts, which
// wait for most of their time and do so beside the conformance cases; end-to-end tests start the whole system, so their
// files run one by one.
/** Folders of integration tests whose files share a process; all others' files have one each. */
const together = ["agent", "apiserver", "controllers", "gateway", "inference", "kube", "kubelet", "pool"].map(
  (folder) => `test/integration/${folder}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          // Loading the same modules anew for each file took three times as long as the tests.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: together,
          // As above. What is left behind in a process must not show in the next file: each stops what it starts.
          isolate: false,
          testTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          // Whole operators, chains and proofs: modules are little of what these take, and snarkjs keeps curves and threads for a process.
          name: "integration-apart",
          include: ["test/integration/**/*.test.ts"],
          exclude: together,
          testTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          globalSetup: "test/conformance/support/global-setup.ts",
          isolate: false,
          testTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: "circuits",
          include: ["test/circuits/**/*.test.ts"],
          isolate: false,
          testTimeout: process.env.INFERIUM_CIRCUITS === "long" ? 900_000 : 60_000,
          hookTimeout: 240_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "charts",
          include: ["test/charts/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: "rbac",
          include: ["test/rbac/**/*.test.ts"],
          isolate: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          sequence: { groupOrder: 5 },
        },
      },
      {
        extends: true,
        test: {
          name: "image",
          include: ["test/image/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: 1,
          sequence: { groupOrder: 4 },
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
