/** For tests of one's own connectors: `@millrace/connectors/testing`. */

// A log whose process is killed
export { CrashingLog, Freezer } from './crashing-log.ts'
// The smallest connectors that keep the contracts
export { MemoryQueue } from './memory-source.ts'
export { MemoryTarget } from './memory-target.ts'
export { eventually, NotYetError } from './patience.ts'
// The contracts: cases for any test runner
export { type SinkRecordContent, type SinkUnderTest, sinkContract } from './sink-contract.ts'
export { type SourceUnderTest, sourceContract } from './source-contract.ts'
