// Contract suites: cases for any test runner

// One partition by itself, without a broker
export {
  batchOf,
  type FixtureOptions,
  type PartitionFixture,
  partitionFixture,
  type ReadRecord,
  readAll
} from '../partition/partition-fixture.ts'
export type { ClusterUnderTest } from './client-contract/client-scene.ts'
export { clientContract } from './client-contract.ts'
export type { ContractCase } from './contract-case.ts'
export { type Fault, type FaultPlan, FaultyTransport, nextRequests } from './faulty-transport.ts'
export { type FileSystemUnderTest, fileSystemContract } from './file-system-contract.ts'
export { SeededRandom } from './seeded-random.ts'
// A simulated world: seeded time, disk and network
export type { DiskOptions, SimulatedDisk } from './simulated-disk.ts'
export { SimulatedLog, type SimulatedLogOptions, type SimulatedReach } from './simulated-log.ts'
export type { SimulatedMachine } from './simulated-machine.ts'
export type { NetworkOptions, SimulatedNetwork } from './simulated-network.ts'
export { SimulationStuckError } from './simulated-scheduler.ts'
export { SimulatedWorld, simulatedEnvironment, type WorldOptions } from './simulated-world.ts'
