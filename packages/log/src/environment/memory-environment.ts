import type { Environment } from './environment.ts'
import { MemoryFiles } from './memory-files.ts'
import { realEnvironment } from './real-environment.ts'

/** The real world with files of its own in memory, gone with the process: for `memory:` logs and tests. */
export function memoryEnvironment(): Environment {
  const real = realEnvironment()
  return { ...real, files: new MemoryFiles(real.clock) }
}
