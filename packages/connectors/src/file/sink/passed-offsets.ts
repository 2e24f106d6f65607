import { join } from 'node:path'
import type { FileSystem } from '@millrace/log'
import type { SinkOffset } from '../../sink.ts'
import { removeIfThere } from './claims.ts'

const NAME = /^\.passed\+(.+)\+(\d+)\+(\d+)$/

/** Notes on the disk that a partition is passed up to an offset, where no file says so: behind records that made no rows, or were put aside. */
export async function notePassed(
  files: FileSystem,
  directory: string,
  { topic, partition, offset }: SinkOffset
): Promise<void> {
  const earlier = passedOffsets(files, directory).filter((passed) => {
    return passed.topic === topic && passed.partition === partition && passed.offset !== offset
  })
  files.open(pathOf(directory, { topic, partition, offset }), 'write').close()
  await files.syncDirectory(directory)
  for (const passed of earlier) removeIfThere(files, pathOf(directory, passed))
}

/** What was noted in a directory, of any partition; of one that crashed in between two notes there may be both. */
export function passedOffsets(files: FileSystem, directory: string): readonly SinkOffset[] {
  return files.list(directory).flatMap(({ name }) => {
    const [, topic, partition, offset] = NAME.exec(name) ?? []
    return topic === undefined ? [] : [{ topic, partition: Number(partition), offset: Number(offset) }]
  })
}

function pathOf(directory: string, { topic, partition, offset }: SinkOffset): string {
  return join(directory, `.passed+${topic}+${partition}+${offset}`)
}
