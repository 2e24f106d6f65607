import { adminCases } from './client-contract/admin-cases.ts'
import { ClientScene, type ClusterUnderTest } from './client-contract/client-scene.ts'
import { consumeCases } from './client-contract/consume-cases.ts'
import { groupCases } from './client-contract/group-cases.ts'
import { idempotenceCases } from './client-contract/idempotence-cases.ts'
import { produceCases } from './client-contract/produce-cases.ts'
import { transactionCases } from './client-contract/transaction-cases.ts'
import type { ContractCase } from './contract-case.ts'

/**
 * What producer, consumer and admin promise, whatever brokers and transport they work with. `open` is called once per case; a cluster that is
 * shared is as good as a new one, since no case uses another's names.
 */
export function clientContract(open: () => Promise<ClusterUnderTest>): readonly ContractCase[] {
  const cases = [
    ...produceCases,
    ...idempotenceCases,
    ...transactionCases,
    ...consumeCases,
    ...groupCases,
    ...adminCases
  ]
  return cases.map(([name, run]) => ({
    name,
    run: async () => {
      const scene = new ClientScene(await open())
      try {
        await run(scene)
      } finally {
        await scene.close()
      }
    }
  }))
}
