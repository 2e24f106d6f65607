import { writeFileAtomically } from '../../environment/atomic-file.ts'
import type { FileSystem } from '../../environment/environment.ts'
import { CorruptionError } from '../../errors.ts'
import { isMissing } from '../errors.ts'

/** Name of the file that ties a partition directory to its topic's id. */
export const PARTITION_METADATA = 'partition.metadata'

/** Content of `partition.metadata`: Kafka's, with the topic id as an unpadded base64url uuid. */
export function encodePartitionMetadata(topicId: string): Buffer {
  return Buffer.from(`version: 0\ntopic_id: ${topicId}`)
}

/** Writes `partition.metadata`, synced. */
export async function writePartitionMetadata(files: FileSystem, directory: string, topicId: string): Promise<void> {
  await writeFileAtomically(files, `${directory}/${PARTITION_METADATA}`, encodePartitionMetadata(topicId))
}

/**
 * The topic id a partition directory belongs to, base64url; undefined when there is no such file.
 * @throws CorruptionError when the file is not readable as one.
 */
export function readPartitionMetadata(files: FileSystem, directory: string): string | undefined {
  const path = `${directory}/${PARTITION_METADATA}`
  let text: string
  try {
    text = files.readFile(path).toString('utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  const found = /^version: 0\ntopic_id: ([A-Za-z0-9_-]{22})\n?$/.exec(text)
  if (found === null) throw new CorruptionError({ message: `${path} names no topic id`, path, position: 0 })
  return found[1]
}
