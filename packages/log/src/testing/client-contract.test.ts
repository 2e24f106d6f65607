import { describe, it } from 'vitest'
import { brokerFixture } from '../broker/broker-fixture.ts'
import { encodingInProcess } from '../transport/encoding-in-process.ts'
import { InProcessTransport, type ServingBroker } from '../transport/in-process.ts'
import { clientContract } from './client-contract.ts'

const ways: readonly (readonly [string, (broker: ServingBroker) => ServingBroker])[] = [
  ['by reference', (broker) => broker],
  ['with every message encoded and decoded', encodingInProcess]
]

describe.each(ways)('the clients and a broker in one process, %s', (_how, reach) => {
  const cases = clientContract(async () => {
    const { environment, start } = brokerFixture()
    const broker = await start()
    const transport = new InProcessTransport(reach(broker), { timers: environment.timers, clientId: 'contract' })
    const close = async () => {
      await transport.close()
      await broker.close()
    }
    return { transport, environment, close }
  })
  for (const { name, run } of cases) it(name, run)
})
