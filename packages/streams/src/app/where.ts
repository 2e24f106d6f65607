import type { Log, OpenLogOptions } from '@millrace/log'

/** Whether a log was given open, so that it stays the caller's. */
export function isLog(where: string | OpenLogOptions | Log): where is Log {
  return typeof where === 'object' && 'producer' in where && typeof where.producer === 'function'
}
