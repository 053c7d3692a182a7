import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** For `vitest bench` alone: tests have their own at the root. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..', '..'),
    pool: 'forks',
    fileParallelism: false,
    benchmark: { include: ['test/bench/*.bench.ts'] },
  },
})
