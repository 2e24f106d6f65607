import type { Environment } from '../environment/environment.ts'
import { CorruptionError } from '../errors.ts'
import { readPartitionMetadata } from '../storage/checkpoint/partition-metadata.ts'
import type { OnBrokerEvent } from './event.ts'
import { METADATA_TOPIC } from './metadata-log.ts'
import { randomUuid } from './uuid.ts'

/** Longest file name that file systems take. */
const MAX_NAME_BYTES = 255
const DELETE_SUFFIX = '-delete'
const STRAY_SUFFIX = '-stray'

/** The partition directories within one log directory. */
export interface PartitionDirectories {
  readonly environment: Environment
  /** The log directory. */
  readonly path: string
  readonly report: OnBrokerEvent
}

/** What the metadata log tells of topics. */
export interface KnownTopics {
  hasName(topic: string): boolean
  wasRemoved(topicId: string): boolean
}

/** Name of a partition's directory. */
export function partitionName(topic: string, index: number): string {
  return `${topic}-${index}`
}

/**
 * Puts the directories in order before partitions open: removes those of deleted topics, and puts aside (never removes) those whose topic
 * nobody knows, so that a topic of the same name does not inherit them.
 */
export async function tidyPartitionDirectories(directories: PartitionDirectories, topics: KnownTopics): Promise<void> {
  const { environment, path } = directories
  let changed = false
  for (const { name, kind } of environment.files.list(path)) {
    if (kind !== 'directory') continue
    if (name.endsWith(DELETE_SUFFIX)) {
      environment.files.removeDirectory(`${path}/${name}`)
      changed = true
    } else if (isPartitionName(name)) {
      const topicId = topicIdOf(directories, name)
      if (topicId !== undefined && topics.wasRemoved(topicId)) environment.files.removeDirectory(`${path}/${name}`)
      // The id of a known topic's directory may be what is damaged: the partition finds out when it opens.
      else if (topics.hasName(name.slice(0, name.lastIndexOf('-')))) continue
      else putAside(directories, name)
      changed = true
    }
  }
  if (changed) await environment.files.syncDirectory(path)
}

/** Takes a closed partition's directory out of the way of a new topic with its name. Resolves with the path to remove later. */
export async function markDeleted(directories: PartitionDirectories, name: string): Promise<string | undefined> {
  const { environment, path } = directories
  if (!environment.files.exists(`${path}/${name}`)) return undefined
  const marked = `${path}/${suffixed(environment, name, DELETE_SUFFIX)}`
  environment.files.rename(`${path}/${name}`, marked)
  await environment.files.syncDirectory(path)
  return marked
}

/** Undefined where the file that tells it is missing or damaged. */
function topicIdOf({ environment, path }: PartitionDirectories, name: string): string | undefined {
  try {
    return readPartitionMetadata(environment.files, `${path}/${name}`)
  } catch (error) {
    if (error instanceof CorruptionError) return undefined
    throw error
  }
}

function isPartitionName(name: string): boolean {
  return /^.+-\d+$/.test(name) && !name.startsWith(`${METADATA_TOPIC}-`)
}

function putAside({ environment, path, report }: PartitionDirectories, name: string): void {
  const movedTo = `${path}/${suffixed(environment, name, STRAY_SUFFIX)}`
  environment.files.rename(`${path}/${name}`, movedTo)
  report({ kind: 'stray-directory', path: `${path}/${name}`, movedTo })
}

/** As in Kafka: the name, cut where needed, and a part that no other directory has. */
function suffixed(environment: Environment, name: string, suffix: string): string {
  const unique = `.${randomUuid(environment.random)}${suffix}`
  return name.slice(0, MAX_NAME_BYTES - unique.length) + unique
}
