import { defineConfig } from "vitest/config";

/** Tests of what users get; they need `dist/`. */
const PACKAGE_TESTS = ["test/dist/**/*.test.ts", "examples/**/*.test.ts"];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    // Two cores are what CI has.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: "package", include: PACKAGE_TESTS, globalSetup: "test/build.ts" },
      },
      {
        extends: true,
        test: {
          name: "source",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...PACKAGE_TESTS],
        },
      },
    ],
  },
});
