import { CorruptionError } from '../errors.ts'

/** Keys and values of the internal topics begin with their version as an int16. */
export function withVersion(version: number, body: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(2 + body.length)
  whole.writeInt16BE(version, 0)
  body.copy(whole, 2)
  return whole
}

/** The version at the start of a key or value of `topic`. @throws CorruptionError when it is cut off */
export function versionOf(bytes: Buffer, topic: string): number {
  if (bytes.length >= 2) return bytes.readInt16BE(0)
  const message = `a record of ${topic} is too short for its version; restore the topic from a copy`
  throw new CorruptionError({ message, path: topic, position: 0 })
}
