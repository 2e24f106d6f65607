import type { Environment } from '@millrace/log'

/** Verifies the files of a LevelDB directory before it is opened. */
export async function verifyLevelFiles(_path: string, _environment: Environment): Promise<void> {}
