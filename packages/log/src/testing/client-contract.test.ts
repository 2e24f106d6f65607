import { describe, it } from 'vitest'
import { brokerFixture } from '../broker/broker-fixture.ts'
import { InProcessTransport } from '../transport/in-process.ts'
import { clientContract } from './client-contract.ts'

describe('the clients over the in-process transport', () => {
  const cases = clientContract(async () => {
    const { environment, start } = brokerFixture()
    const broker = await start()
    const transport = new InProcessTransport(broker, { timers: environment.timers, clientId: 'contract' })
    const close = async () => {
      await transport.close()
      await broker.close()
    }
    return { transport, environment, close }
  })
  for (const { name, run } of cases) it(name, run)
})
