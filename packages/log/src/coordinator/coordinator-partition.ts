/**
 * The partition of an internal topic that keeps what belongs to a group or a transactional id: Java's hash of the id, without its sign,
 * modulo the number of partitions. Every client and every other Kafka tool reckons the same.
 */
export function coordinatorPartition(id: string, partitionCount: number): number {
  let hash = 0
  for (let index = 0; index < id.length; index += 1) hash = (Math.imul(hash, 31) + id.charCodeAt(index)) | 0
  // As in Java the smallest integer has no absolute value; Kafka takes 0 for it.
  const positive = hash === -0x8000_0000 ? 0 : Math.abs(hash)
  return positive % partitionCount
}
