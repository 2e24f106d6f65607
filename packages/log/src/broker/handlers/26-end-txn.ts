import type { endTxn } from '../../wire/messages/index.ts'
import type { Handler } from '../handler.ts'

/** Version from which on the end of a transaction bumps the epoch and the answer tells it (KIP-890). */
const FIRST_BUMPING_VERSION = 5

/** EndTxn: commits or aborts. Answered once the decision is durable; the markers are written after that. */
export const handleEndTxn: Handler<typeof endTxn> = async (context, request, session) => {
  const clientVersion = session.apiVersion >= FIRST_BUMPING_VERSION ? 2 : 0
  const answer = await context.transactions.endTransaction(request, { commit: request.committed, clientVersion })
  return { throttleTimeMs: 0, ...answer }
}
