import { join } from 'node:path'
import type { FileSystem } from '@millrace/log'
import type { OpenedPartition, SinkRecord } from '../../sink.ts'
import { ForeignFilesError } from '../errors.ts'
import { removeIfThere } from './claims.ts'
import { parseFinishedName } from './part-file.ts'
import { passedOffsets } from './passed-offsets.ts'

const NAME = /^\.topic\+(.+)\+([\w-]+)$/

/** Whose directory it is. */
interface Directory {
  readonly name: string
  readonly directory: string
}

/** What is in the directory must be of the topics that are read; which they are is noted there. @throws ForeignFilesError */
export async function requireOwnFiles(
  files: FileSystem,
  { name, directory }: Directory,
  partitions: readonly OpenedPartition[]
): Promise<void> {
  for (const [topic, topicId] of new Map(partitions.map((opened) => [opened.topic, opened.topicId]))) {
    const [known] = noted(files, directory, topic)
    if (topicId === undefined || known === topicId) continue
    if (known !== undefined && hasFilesOf(files, directory, topic)) {
      throw new ForeignFilesError(
        name,
        { directory, topic },
        `they are of the one with the id ${known}, now it is ${topicId}`
      )
    }
    await noteTopicId(files, directory, { topic, topicId })
  }
}

/** The runner goes on behind what the directory has, unless the log is another one. @throws ForeignFilesError */
export function requireAhead(record: SinkRecord, begun: number | undefined, { name, directory }: Directory): void {
  const { topic, partition, offset } = record
  if (begun === undefined || offset >= begun) return
  const detail = `they reach up to offset ${begun} of partition ${partition}, of which offset ${offset} is to be written`
  throw new ForeignFilesError(name, { directory, topic }, detail)
}

function hasFilesOf(files: FileSystem, directory: string, topic: string): boolean {
  return (
    files.list(directory).some((file) => parseFinishedName(file.name)?.topic === topic) ||
    passedOffsets(files, directory).some((passed) => passed.topic === topic)
  )
}

async function noteTopicId(
  files: FileSystem,
  directory: string,
  { topic, topicId }: { readonly topic: string; readonly topicId: string }
): Promise<void> {
  const earlier = noted(files, directory, topic).filter((other) => other !== topicId)
  files.open(pathOf(directory, topic, topicId), 'write').close()
  for (const other of earlier) removeIfThere(files, pathOf(directory, topic, other))
  await files.syncDirectory(directory)
}

function noted(files: FileSystem, directory: string, topic: string): readonly string[] {
  return files.list(directory).flatMap(({ name }) => {
    const [, ofTopic, topicId] = NAME.exec(name) ?? []
    return ofTopic === topic && topicId !== undefined ? [topicId] : []
  })
}

function pathOf(directory: string, topic: string, topicId: string): string {
  return join(directory, `.topic+${topic}+${topicId}`)
}
