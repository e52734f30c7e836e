import { defineConfig } from "vitest/config";

// One project per kind of test: `npx vitest --project unit`. Integration and end-to-end tests start
// processes and servers on loopback, so their files run one after another.
export default defineConfig({
  test: {
    testTimeout: 10_000,
    hookTimeout: 30_000,
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { extends: true, test: { name: "integration", include: ["test/integration/**/*.test.ts"], testTimeout: 60_000, maxWorkers: 2 } },
      { extends: true, test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], testTimeout: 300_000, hookTimeout: 300_000, fileParallelism: false } },
    ],
  },
});
