import type { Field, FieldType, Struct } from '../schema.ts'
import { inVersions } from '../versions.ts'
import { defaultOf, isDefault, isObject } from './defaults.ts'
import { within } from './errors.ts'
import { ByteReader } from './reader.ts'
import { type Codec, fixedCodecs, mismatch } from './scalars.ts'
import { arrayCodec, bytesCodec, recordsCodec, stringCodec } from './variable.ts'
import { ByteWriter } from './writer.ts'

/** One version of a message, and whether that version is flexible (KIP-482). */
export interface MessageForm {
  readonly version: number
  readonly flexible: boolean
}

interface Slot {
  readonly name: string
  readonly field: Field
  /** Absent in a version that lacks the field. */
  readonly codec: Codec | undefined
}

/** A struct's fields as one version carries them. */
interface Layout {
  /** In declaration order, as the objects have them. */
  readonly slots: readonly Slot[]
  readonly plain: readonly (Slot & { readonly codec: Codec })[]
  /** Ascending by tag. */
  readonly tagged: readonly (Slot & { readonly codec: Codec; readonly tag: number })[]
}

const compiled = new WeakMap<Struct, Map<number, Codec>>()

/** The codec of a struct in one version; compiled once. */
export function structCodec(struct: Struct, form: MessageForm): Codec {
  let versions = compiled.get(struct)
  if (versions === undefined) {
    versions = new Map()
    compiled.set(struct, versions)
  }
  const key = form.version * 2 + (form.flexible ? 1 : 0)
  let codec = versions.get(key)
  if (codec === undefined) {
    codec = compileStruct(struct, form)
    versions.set(key, codec)
  }
  return codec
}

function compileStruct(struct: Struct, form: MessageForm): Codec {
  const layout = layOut(struct, form)
  const minBytes = layout.plain.reduce((sum, slot) => sum + slot.codec.minBytes, form.flexible ? 1 : 0)
  return {
    minBytes,
    write: (writer, value) => {
      if (!isObject(value)) throw mismatch('an object', value)
      writePlain(layout, writer, value)
      if (form.flexible) writeTagged(layout, writer, value)
    },
    read: (reader) => {
      const value: Record<string, unknown> = {}
      for (const slot of layout.slots) value[slot.name] = readSlot(slot, reader)
      if (form.flexible) readTagged(layout, reader, value)
      return value
    }
  }
}

function layOut(struct: Struct, form: MessageForm): Layout {
  const slots = Object.entries(struct.fields).map(([name, field]): Slot => {
    const present = inVersions(field.versions, form.version) && (field.tag === undefined || form.flexible)
    return { name, field, codec: present ? fieldCodec(field, form) : undefined }
  })
  const plain: (Slot & { codec: Codec })[] = []
  const tagged: (Slot & { codec: Codec; tag: number })[] = []
  for (const { name, field, codec } of slots) {
    if (codec === undefined) continue
    if (field.tag === undefined) plain.push({ name, field, codec })
    else tagged.push({ name, field, codec, tag: field.tag })
  }
  tagged.sort((left, right) => left.tag - right.tag)
  return { slots, plain, tagged }
}

function fieldCodec(field: Field, form: MessageForm): Codec {
  return typeCodec(field.type, form, inVersions(field.nullable, form.version))
}

function typeCodec(type: FieldType, message: MessageForm, nullable: boolean): Codec {
  const form = { flexible: message.flexible, nullable }
  switch (type.kind) {
    case 'string':
      return stringCodec(form)
    case 'bytes':
      return bytesCodec(form)
    case 'records':
      return recordsCodec(form)
    case 'array':
      return arrayCodec(form, typeCodec(type.element, message, false))
    case 'struct': {
      const codec = structCodec(type, message)
      return nullable ? nullableCodec(codec) : codec
    }
    default:
      return fixedCodecs[type.kind]
  }
}

/** A leading byte tells null (-1) from a value (1). */
function nullableCodec(codec: Codec): Codec {
  return {
    minBytes: 1,
    write: (writer, value) => {
      const at = writer.reserve(1)
      writer.buffer.writeInt8(value === null ? -1 : 1, at)
      if (value !== null) codec.write(writer, value)
    },
    read: (reader) => (reader.buffer.readInt8(reader.take(1)) < 0 ? null : codec.read(reader))
  }
}

function writePlain(layout: Layout, writer: ByteWriter, value: Record<string, unknown>): void {
  let name = ''
  try {
    for (const slot of layout.plain) {
      name = slot.name
      slot.codec.write(writer, value[name])
    }
  } catch (error) {
    throw within(error, name)
  }
}

function writeTagged(layout: Layout, writer: ByteWriter, value: Record<string, unknown>): void {
  if (layout.tagged.length === 0) {
    writer.uvarint(0)
    return
  }
  const present = layout.tagged.filter((slot) => !isDefault(slot.field, value[slot.name]))
  writer.uvarint(present.length)
  for (const slot of present) {
    const content = new ByteWriter()
    try {
      slot.codec.write(content, value[slot.name])
    } catch (error) {
      throw within(error, slot.name)
    }
    writer.uvarint(slot.tag)
    writer.uvarint(content.sizeBytes)
    for (const chunk of content.finish()) writer.bytes(chunk)
  }
}

function readSlot(slot: Slot, reader: ByteReader): unknown {
  if (slot.codec === undefined || slot.field.tag !== undefined) return defaultOf(slot.field)
  try {
    return slot.codec.read(reader)
  } catch (error) {
    throw within(error, slot.name)
  }
}

function readTagged(layout: Layout, reader: ByteReader, value: Record<string, unknown>): void {
  const count = reader.uvarint()
  for (let i = 0; i < count; i++) {
    const tag = reader.uvarint()
    const sizeBytes = reader.uvarint()
    const at = reader.take(sizeBytes)
    const slot = layout.tagged.find((candidate) => candidate.tag === tag)
    // A tag that we do not know belongs to a newer protocol.
    if (slot !== undefined) value[slot.name] = readContent(slot, new ByteReader(reader.buffer, at, at + sizeBytes))
  }
}

function readContent(slot: Slot & { readonly codec: Codec }, content: ByteReader): unknown {
  try {
    const value = slot.codec.read(content)
    if (content.remaining > 0) content.fail(`${content.remaining} bytes follow the value of a tagged field`)
    return value
  } catch (error) {
    throw within(error, slot.name)
  }
}
