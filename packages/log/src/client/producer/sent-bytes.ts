import { BATCH_HEADER_BYTES, BatchAttribute, BatchField, batchAttributes, writeInt53 } from '../../wire/batch/header.ts'
import { crc32c } from '../../wire/crc32c.ts'
import type { ProducerIdentity } from './producer-session.ts'

/**
 * The bytes of a batch that was given away, kept for a repetition. In process the broker owns them by now: it stamps offset and epoch (and
 * append time) into the header, and may serve them to readers. So a repetition is a copy, with the header as it was first sent.
 */
export class SentBytes {
  readonly #bytes: Buffer
  readonly #header: Buffer

  /** Takes note of the header; call it before the bytes are given away. */
  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#header = Buffer.from(bytes.subarray(0, BATCH_HEADER_BYTES))
  }

  get sizeBytes(): number {
    return this.#bytes.length
  }

  /** The same batch to send again, which a broker recognizes as a repetition. */
  repetition(): Buffer {
    const copy = Buffer.from(this.#bytes)
    this.#header.copy(copy)
    return copy
  }

  /** The same records as a new batch of `identity` from `baseSequence` on. */
  renumbered(identity: ProducerIdentity, baseSequence: number): Buffer {
    const copy = this.repetition()
    writeInt53(copy, identity.producerId, BatchField.producerId)
    copy.writeInt16BE(identity.producerEpoch, BatchField.producerEpoch)
    copy.writeInt32BE(baseSequence, BatchField.baseSequence)
    copy.writeUInt32BE(crc32c(copy, BatchField.attributes), BatchField.crc)
    return copy
  }

  get transactional(): boolean {
    return (batchAttributes(this.#header) & BatchAttribute.transactional) !== 0
  }
}
