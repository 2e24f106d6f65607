import type { Incompatibility } from './incompatibility.ts'

/** A schema that its language accepts. */
export interface ParsedSchema {
  /** The text that a registry keeps: two spellings of one schema have the same. */
  readonly canonical: string
  /** The canonical text when names are in full and the order of attributes does not count. */
  normalized(): string
  /** Why data of `writer` cannot be read with this schema. Empty: it can. Both are of one language. */
  incompatibilitiesWith(writer: ParsedSchema): readonly Incompatibility[]
}
