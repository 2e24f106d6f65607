// Contract suites: cases for any test runner
export type { ContractCase } from './contract-case.ts'
export { type FileSystemUnderTest, fileSystemContract } from './file-system-contract.ts'
