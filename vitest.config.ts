import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.ts'

/** Processes that tests start find here what Node compiled of the sources before, which is two thirds of what it takes them to start. */
const NODE_COMPILE_CACHE = fileURLToPath(new URL('node_modules/.cache/millrace-compiled', import.meta.url))

export default defineConfig({
  ssr: { resolve: { conditions: ['source'], externalConditions: ['source'] } },
  resolve: { conditions: ['source'] },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'examples/**/*.test.ts',
      'test/**/*.test.ts',
      'tools/**/*.test.ts',
      'bench/**/*.test.ts'
    ],
    // What hangs is to be noticed; a machine under load is no failure.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A condition is waited for as long as a test may take.
    expect: { poll: { timeout: 100_000 } },
    pool: 'forks',
    // Many files wait for other processes most of the time, so that two processors have work for three workers.
    maxWorkers: Math.max(3, availableParallelism()),
    // No module keeps state that is not tied to a log, a topology or a store: files of one worker share what was imported.
    isolate: false,
    // Node runs the tests' sources as it runs everybody's, without a transformation.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    env: { NODE_COMPILE_CACHE },
    globalSetup: './test/compile-ahead.ts',
    sequence: { sequencer: LongestFirst }
  }
})
