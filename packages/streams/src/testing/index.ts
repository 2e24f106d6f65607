/** For tests of topologies: `@millrace/streams/testing`. */

// The contract of stores for large values: cases for any test runner
export { type BlobStoreUnderTest, blobContract } from './blob-contract.ts'
// The driver
export type { TestDriverOptions } from './driver-run.ts'
// The contract of state engines: cases for any test runner
export { type EngineUnderTest, engineContract } from './engine-contract.ts'
// Several instances in a simulated world
export { SimulatedRunError, simulate } from './simulate.ts'
export type { SimulatedFaults } from './simulated-faults.ts'
export type { SimulatedInput, SimulateOptions } from './simulated-options.ts'
export type { SimulatedCounts, SimulatedRecord, SimulatedResult } from './simulated-result.ts'
// Topics
export type { PipeOptions, TestInput } from './test-input.ts'
export type { TestOutput, TestRecord } from './test-output.ts'
// Stores
export type { TestStore, TestStoreEntry } from './test-store.ts'
export type { TopicSerdes } from './topic-serdes.ts'
export { TopologyTestDriver } from './topology-test-driver.ts'
