import { join } from 'node:path'
import { type FileSystem, FileSystemError } from '@millrace/log'
import type { SinkPartition } from '../../sink.ts'

const NAME = /^\.claim\+(.+)\+(\d+)\+(\d+)$/

/** The right of one run to write a partition's files, until another takes it. */
export interface Claim extends SinkPartition {
  readonly epoch: number
}

/**
 * Claims a partition: of the files in the directory that say who may, the run's own is the only one then. Who finds its own gone may not finish a file
 * any more.
 */
export function takeClaim(files: FileSystem, directory: string, partition: SinkPartition): Claim {
  const others = claimsOf(files, directory, partition)
  const epoch = Math.max(0, ...others.map((claim) => claim.epoch)) + 1
  const claim = { ...partition, epoch }
  try {
    files.open(pathOf(directory, claim), 'create').close()
  } catch (error) {
    if (error instanceof FileSystemError && error.systemCode === 'EEXIST') return takeClaim(files, directory, partition)
    throw error
  }
  for (const other of others) removeIfThere(files, pathOf(directory, other))
  return claim
}

/** Whether nobody else has claimed the partition since. */
export function holds(files: FileSystem, directory: string, claim: Claim): boolean {
  return files.exists(pathOf(directory, claim))
}

/** Two that remove a file at once both succeed. */
export function removeIfThere(files: FileSystem, path: string): void {
  try {
    files.remove(path)
  } catch (error) {
    if (!(error instanceof FileSystemError && error.systemCode === 'ENOENT')) throw error
  }
}

function claimsOf(files: FileSystem, directory: string, { topic, partition }: SinkPartition): Claim[] {
  return files.list(directory).flatMap(({ name }) => {
    const [, ofTopic, ofPartition, epoch] = NAME.exec(name) ?? []
    return ofTopic === topic && Number(ofPartition) === partition ? [{ topic, partition, epoch: Number(epoch) }] : []
  })
}

function pathOf(directory: string, { topic, partition, epoch }: Claim): string {
  return join(directory, `.claim+${topic}+${partition}+${epoch}`)
}
