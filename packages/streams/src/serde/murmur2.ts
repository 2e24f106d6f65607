const multiplier = 0x5bd1e995
const seed = 0x9747b28c

/** The partition, from 0 to below `partitions`, where Kafka's producers put these key bytes: murmur2 without its sign, modulo. */
export function partitionOf(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

/** Kafka's murmur2 (`org.apache.kafka.common.utils.Utils.murmur2`): 32 bits, signed. */
export function murmur2(bytes: Buffer): number {
  const { length } = bytes
  let hash = seed ^ length
  const wholeEnd = length & ~3
  for (let at = 0; at < wholeEnd; at += 4) {
    const word = Math.imul(bytes.readInt32LE(at), multiplier)
    hash = Math.imul(hash, multiplier) ^ Math.imul(word ^ (word >>> 24), multiplier)
  }
  for (let at = length - 1; at >= wholeEnd; at--) hash ^= bytes[at] << (8 * (at - wholeEnd))
  if (wholeEnd < length) hash = Math.imul(hash, multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}
