import { defineConfig } from 'vitest/config'

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
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A condition is waited for as long as a test may take: a machine under load is no failure.
    expect: { poll: { timeout: 25_000 } },
    pool: 'forks'
  }
})
