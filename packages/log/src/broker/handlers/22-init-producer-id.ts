import type { initProducerId } from '../../wire/messages/index.ts'
import { TRANSACTIONS_TOPIC } from '../coordination/partition-directory.ts'
import type { Handler } from '../handler.ts'

/**
 * InitProducerId. Without a transactional id: an id for idempotence. With one: an epoch above all that were in use, after what was open has
 * been aborted. From version 3 on a producer may say who it is and ask for its next epoch (KIP-360).
 */
export const handleInitProducerId: Handler<typeof initProducerId> = async (context, request, session) => {
  const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch } = request
  if (transactionalId !== null) await context.partitions.ensureInternalTopic(TRANSACTIONS_TOPIC)
  const answer = await context.transactions.initProducerId({
    transactionalId,
    timeoutMs,
    expected: producerId === -1 ? undefined : { producerId, producerEpoch },
    inProcess: session.inProcess
  })
  return { throttleTimeMs: 0, ...answer }
}
