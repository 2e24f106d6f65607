import { SerdeError } from '@millrace/streams'

/** Bytes before a payload in Confluent's wire format: the magic byte 0 and the schema's id, big-endian. */
export const FRAME_BYTES = 5

const MAGIC = 0

/** The bytes that come before a payload written with the schema of an id. */
export function frameHeader(id: number): Buffer {
  const header = Buffer.allocUnsafe(FRAME_BYTES)
  header[0] = MAGIC
  header.writeUInt32BE(id, 1)
  return header
}

/**
 * The id of the schema that bytes were written with.
 * @throws SerdeError when they are not in Confluent's wire format.
 */
export function framedSchemaId(bytes: Buffer, start: number, end: number): number {
  if (end - start < FRAME_BYTES) throw unframed(`${end - start} bytes are too few for a magic byte and a schema id`)
  if (bytes[start] !== MAGIC) throw unframed(`they begin with ${bytes[start]}, not with the magic byte 0`)
  return bytes.readUInt32BE(start + 1)
}

function unframed(problem: string): SerdeError {
  return new SerdeError({
    serde: 'schema registry',
    operation: 'decode',
    problem: `the bytes are not in Confluent's wire format: ${problem}`
  })
}
