// Contract suites: cases for any test runner
export type { ContractCase } from './contract-case.ts'
export { type FileSystemUnderTest, fileSystemContract } from './file-system-contract.ts'
export { SeededRandom } from './seeded-random.ts'
// A simulated world: seeded time, disk and network
export type { DiskOptions, SimulatedDisk } from './simulated-disk.ts'
export type { SimulatedMachine } from './simulated-machine.ts'
export type { NetworkOptions, SimulatedNetwork } from './simulated-network.ts'
export { SimulationStuckError } from './simulated-scheduler.ts'
export { SimulatedWorld, simulatedEnvironment, type WorldOptions } from './simulated-world.ts'
