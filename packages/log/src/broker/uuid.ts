import type { RandomSource } from '../environment/environment.ts'

/**
 * A random uuid (version 4) as Kafka prints them: 22 characters of base64url. One that begins with a dash would look like an
 * option on a command line and is not given out, as in Kafka.
 */
export function randomUuid(random: RandomSource): string {
  for (;;) {
    const bytes = Buffer.from(random.bytes(16))
    bytes[6] = (bytes[6] & 0x0f) | 0x40
    bytes[8] = (bytes[8] & 0x3f) | 0x80
    const text = bytes.toString('base64url')
    if (!text.startsWith('-')) return text
  }
}
