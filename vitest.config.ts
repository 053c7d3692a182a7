import { defineConfig } from 'vitest/config'

/**
 * On a shared machine a real process can be late for a real deadline. There, tests that talk to processes get a
 * second look; what fails twice is a defect. On a developer's machine they get none.
 */
const retry = process.env['CI'] === undefined ? 0 : 1

export default defineConfig({
  test: {
    restoreMocks: true,
    pool: 'forks',
    // One more than the two cores of the smallest machine: much of the time is waiting for processes.
    maxWorkers: 3,
    // Node loads the tests as it loads the gateway: nothing is rewritten, and so nothing waits for it. No test replaces
    // a module, which is all that the other loaders are for.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/policy/**/*.test.ts', 'test/regressions/**/*.test.ts'],
          // Nothing in them outlives its test, so that they can share what is imported once.
          isolate: false,
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/conformance/**/*.test.ts'],
          // Each starts gateways of its own, on ports and in folders of their own. The program and the compiled schemas
          // are shared: loading them anew for each file took as long as all the tests.
          isolate: false,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          retry,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          retry,
          // One after the other: they measure how long a recovery takes.
          fileParallelism: false,
        },
      },
      { extends: true, test: { name: 'soak', include: ['test/soak/**/*.test.ts'] } },
    ],
  },
})
