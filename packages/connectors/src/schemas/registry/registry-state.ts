import type { CompatibilityLevel } from '../compatibility/level.ts'
import type { RegisteredSchema, SchemaText } from '../schema.ts'
import type { RegistryMode } from './registry-mode.ts'
import type { RegistryRecord, StoredSchema, SubjectConfig } from './registry-record.ts'

/** A version as it stands. */
export interface StateVersion extends RegisteredSchema {
  readonly deleted: boolean
}

/**
 * What the topic says so far: a pure function of its records, in their order. Nothing else changes it, so two registries that have read the
 * same topic give the same answers and the same next id.
 */
export class RegistryState {
  readonly #subjects = new Map<string, Map<number, StoredSchema>>()
  readonly #schemas = new Map<number, SchemaText>()
  /** How many versions have an id. */
  readonly #uses = new Map<number, number>()
  readonly #ids = new Map<string, number>()
  readonly #configs = new Map<string | null, SubjectConfig>()
  readonly #modes = new Map<string | null, RegistryMode>()
  #maxId = 0

  /** The greatest id that was ever given away; 0: none. */
  get maxId(): number {
    return this.#maxId
  }

  /** Takes the next record of the topic in. */
  apply(record: RegistryRecord): void {
    switch (record.kind) {
      case 'schema':
        if (record.value === null) this.#remove(record.subject, record.version)
        else this.#put(record.subject, record.version, record.value)
        break
      case 'config':
        setOrDelete(this.#configs, record.subject, record.value)
        break
      case 'mode':
        setOrDelete(this.#modes, record.subject, record.value)
        break
      case 'delete-subject':
        this.#softDelete(record.subject, record.version)
        break
      case 'clear-subject':
        for (const { version, deleted } of this.versions(record.subject)) {
          if (deleted) this.#remove(record.subject, version)
        }
        break
      case 'noop':
        this.#maxId = Math.max(this.#maxId, record.maxId)
    }
  }

  /** Subjects with at least one version, deleted ones included, in the order of their names. */
  subjects(): string[] {
    return [...this.#subjects.keys()].toSorted()
  }

  /** A subject's versions, deleted ones included, in their order; empty: there is no such subject. */
  versions(subject: string): StateVersion[] {
    const versions = [...(this.#subjects.get(subject) ?? [])]
    return versions
      .map(([version, stored]) => ({ subject, version, ...stored }))
      .toSorted((a, b) => a.version - b.version)
  }

  /** The schema of an id, also when all its versions are deleted but not for good. */
  schema(id: number): SchemaText | undefined {
    return this.#schemas.get(id)
  }

  /** The id that a schema (canonical) has in any subject. */
  idOf(text: SchemaText): number | undefined {
    return this.#ids.get(identityOf(text))
  }

  /** The version of a subject that holds a schema (canonical): the latest one if there are several. */
  find(subject: string, text: SchemaText): StateVersion | undefined {
    const identity = identityOf(text)
    return this.versions(subject).findLast((version) => identityOf(version) === identity)
  }

  /** Versions whose schema refers to one. */
  referencesTo(subject: string, version: number): StateVersion[] {
    return this.subjects()
      .flatMap((name) => this.versions(name))
      .filter(({ references }) => references.some((one) => one.subject === subject && one.version === version))
  }

  /** What is set for a subject itself, or globally (null); undefined: nothing. */
  config(subject: string | null): SubjectConfig | undefined {
    return this.#configs.get(subject)
  }

  /** The level that applies to a subject. */
  levelOf(subject: string): CompatibilityLevel {
    return this.config(subject)?.compatibilityLevel ?? this.config(null)?.compatibilityLevel ?? 'BACKWARD'
  }

  /** Whether schemas of a subject are normalized whatever the request says. */
  normalizes(subject: string): boolean {
    return this.config(subject)?.normalize ?? this.config(null)?.normalize ?? false
  }

  /** The mode set for a subject itself, or globally (null); undefined: none. */
  mode(subject: string | null): RegistryMode | undefined {
    return this.#modes.get(subject)
  }

  /** The mode that applies to a subject. */
  modeOf(subject: string): RegistryMode {
    const global = this.mode(null) ?? 'READWRITE'
    return global === 'READONLY_OVERRIDE' ? global : (this.mode(subject) ?? global)
  }

  #put(subject: string, version: number, stored: StoredSchema): void {
    const versions = this.#subjects.get(subject) ?? new Map<number, StoredSchema>()
    this.#subjects.set(subject, versions)
    const before = versions.get(version)
    versions.set(version, stored)
    if (before?.id === stored.id) return
    if (before !== undefined) this.#release(before)
    const { id, schemaType, schema, references } = stored
    this.#uses.set(id, (this.#uses.get(id) ?? 0) + 1)
    if (!this.#schemas.has(id)) this.#schemas.set(id, { schemaType, schema, references })
    const identity = identityOf(stored)
    if (!this.#ids.has(identity)) this.#ids.set(identity, id)
    this.#maxId = Math.max(this.#maxId, id)
  }

  #softDelete(subject: string, upTo: number): void {
    const versions = this.#subjects.get(subject) ?? new Map<number, StoredSchema>()
    for (const [version, stored] of versions) {
      if (version <= upTo) versions.set(version, { ...stored, deleted: true })
    }
  }

  #remove(subject: string, version: number): void {
    const versions = this.#subjects.get(subject)
    const stored = versions?.get(version)
    if (versions === undefined || stored === undefined) return
    versions.delete(version)
    if (versions.size === 0) this.#subjects.delete(subject)
    this.#release(stored)
  }

  #release(stored: StoredSchema): void {
    const left = (this.#uses.get(stored.id) ?? 1) - 1
    this.#uses.set(stored.id, left)
    if (left > 0) return
    this.#uses.delete(stored.id)
    this.#schemas.delete(stored.id)
    const identity = identityOf(stored)
    if (this.#ids.get(identity) === stored.id) this.#ids.delete(identity)
  }
}

/** Texts that are equal exactly when the schemas are the same. */
function identityOf({ schemaType, schema, references }: SchemaText): string {
  return JSON.stringify([schemaType, schema, references.map(({ name, subject, version }) => [name, subject, version])])
}

function setOrDelete<K, V>(map: Map<K, V>, key: K, value: V | null): void {
  if (value === null) map.delete(key)
  else map.set(key, value)
}
