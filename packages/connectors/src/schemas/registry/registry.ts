import type { Log } from '@millrace/log'
import type { Incompatibility } from '../compatibility/incompatibility.ts'
import { type CompatibilityLevel, incompatibilitiesAt } from '../compatibility/level.ts'
import type { ParsedSchema } from '../compatibility/parsed-schema.ts'
import { IncompatibleSchemaError, RegistryErrorCode } from '../errors.ts'
import type { RegisteredSchema, SchemaText, VersionChoice } from '../schema.ts'
import type { Change } from './change.ts'
import { deleteSubject, deleteVersion } from './deletions.ts'
import { refused, schemaNotFound, subjectNotFound, versionNotFound } from './refusals.ts'
import { RegistryState, type StateVersion } from './registry-state.ts'
import { RegistryTopic } from './registry-topic.ts'
import { parseSchema, resolveSchema } from './schema-parser.ts'
import { RegistrySettings } from './settings.ts'

/** Options of {@link openRegistry}. */
export interface RegistryOptions {
  readonly log: Log
  /** Default `_schemas`, Confluent's. */
  readonly topic?: string
}

/** How a schema is registered or looked up. */
export interface SchemaOptions {
  /** Whether other spellings of the schema count as the same. Default: as the subject is configured. */
  readonly normalize?: boolean
}

/** Which schema it is to be in import mode; in others neither is given. */
export interface ImportedAs {
  readonly id?: number
  readonly version?: number
}

/**
 * A schema registry in this process, with Confluent's rules, kept in a compacted topic of a log. It is the topic's one writer: opening another
 * fences this one. Calls that change something run one after the other.
 */
export class Registry {
  readonly settings: RegistrySettings
  readonly #state: RegistryState
  readonly #topic: RegistryTopic
  readonly #parsed = new Map<string, ParsedSchema>()
  #line: Promise<unknown> = Promise.resolve()

  /** Of the log. */
  readonly clusterId: string

  /** Use {@link openRegistry}. */
  constructor(parts: { readonly state: RegistryState; readonly topic: RegistryTopic; readonly clusterId: string }) {
    const { state } = parts
    this.#state = state
    this.#topic = parts.topic
    this.clusterId = parts.clusterId
    this.settings = new RegistrySettings(state, (plan) => this.#change(plan))
  }

  /** What the topic says: for reading. */
  get state(): RegistryState {
    return this.#state
  }

  /**
   * Registers a schema under a subject, unless it is there; either way, its id and version. A schema has one id, in however many subjects.
   * @throws InvalidSchemaError, IncompatibleSchemaError, RegistryRefusedError; RegistryFencedError, RegistryUnavailableError.
   */
  register(
    subject: string,
    schema: SchemaText,
    options: SchemaOptions & { readonly as?: ImportedAs } = {}
  ): Promise<RegisteredSchema> {
    return this.#change(() => {
      const { text, parsed } = this.#accept(subject, schema, options)
      const known = this.#state.find(subject, text)
      const as = options.as ?? {}
      if (known !== undefined && !known.deleted && (as.id === undefined || as.id === known.id)) {
        return { records: [], result: () => known }
      }
      this.#requireWritable(subject, as)
      const versions = this.#state.versions(subject)
      if (this.#state.modeOf(subject) !== 'IMPORT') {
        const found = this.#incompatibilities(parsed, versions, this.#state.levelOf(subject))
        if (found.length > 0) throw new IncompatibleSchemaError(subject, found)
      }
      const version = as.version ?? (versions.at(-1)?.version ?? 0) + 1
      const id = as.id ?? this.#state.idOf(text) ?? this.#state.maxId + 1
      const value = { ...text, id, deleted: false }
      return {
        records: [{ kind: 'schema', subject, version, value }],
        result: () => ({ subject, version, id, ...text })
      }
    })
  }

  /** The version of a subject that holds a schema. @throws SchemaNotFoundError, InvalidSchemaError */
  async lookup(
    subject: string,
    schema: SchemaText,
    options: SchemaOptions & { readonly deleted?: boolean } = {}
  ): Promise<RegisteredSchema> {
    const versions = this.#state.versions(subject)
    if (versions.length === 0) throw subjectNotFound(subject)
    const found = this.#state.find(subject, this.#accept(subject, schema, options).text)
    if (found === undefined || (found.deleted && options.deleted !== true)) throw schemaNotFound()
    return found
  }

  /** The schema of an id. @throws SchemaNotFoundError */
  async schemaById(id: number): Promise<SchemaText> {
    const text = this.#state.schema(id)
    if (text === undefined) throw schemaNotFound(id)
    return text
  }

  /** One version of a subject; the latest is the last that is not deleted. @throws SchemaNotFoundError */
  async version(
    subject: string,
    version: VersionChoice,
    options: { readonly deleted?: boolean } = {}
  ): Promise<RegisteredSchema> {
    return this.#version(subject, version, options.deleted === true)
  }

  /** Numbers of a subject's versions. @throws SchemaNotFoundError when there are none. */
  async versions(subject: string, options: { readonly deleted?: boolean } = {}): Promise<number[]> {
    const versions = this.#state.versions(subject).filter((one) => options.deleted === true || !one.deleted)
    if (versions.length === 0) throw subjectNotFound(subject)
    return versions.map(({ version }) => version)
  }

  /**
   * Why a schema may not be registered, against one version or, by the subject's level, against those it compares with; empty: it may, as anything may
   * where there is no version yet.
   * @throws SchemaNotFoundError for a version by its number that is not there, InvalidSchemaError.
   */
  async checkCompatibility(
    subject: string,
    schema: SchemaText,
    options: SchemaOptions & { readonly version?: VersionChoice } = {}
  ): Promise<readonly Incompatibility[]> {
    const { parsed } = this.#accept(subject, schema, options)
    return this.#incompatibilities(parsed, this.#comparedWith(subject, options.version), this.#state.levelOf(subject))
  }

  /** Deletes a subject, so that only those see it who ask for deleted ones, or, after that, for good; the versions it had. */
  deleteSubject(subject: string, options: { readonly permanent?: boolean } = {}): Promise<number[]> {
    return this.#change(() => deleteSubject(this.#state, subject, options.permanent === true))
  }

  /** Deletes one version in the same way; its number. */
  deleteVersion(
    subject: string,
    version: VersionChoice,
    options: { readonly permanent?: boolean } = {}
  ): Promise<number> {
    return this.#change(() => deleteVersion(this.#state, { subject, version }, options.permanent === true))
  }

  /** Waits for changes under way, and gives the topic up. The log stays open. */
  async close(): Promise<void> {
    await this.#line.catch(() => undefined)
    await this.#topic.close()
  }

  /** Plans a change on the state as it is when its turn comes, and writes it. */
  #change<T>(plan: () => Change<T>): Promise<T> {
    const turn = this.#line.then(async () => {
      await this.#topic.settle()
      const { records, result } = plan()
      if (records.length > 0) await this.#topic.write(records)
      return result()
    })
    this.#line = turn.catch(() => undefined)
    return turn
  }

  #accept(
    subject: string,
    schema: SchemaText,
    { normalize }: SchemaOptions
  ): { text: SchemaText; parsed: ParsedSchema } {
    const parsed = this.#parse(schema, true)
    const isNormalized = normalize === true || this.#state.normalizes(subject)
    const canonical = isNormalized ? parsed.normalized() : parsed.canonical
    const references = isNormalized ? sortedReferences(schema) : schema.references
    return { text: { schemaType: schema.schemaType, schema: canonical, references }, parsed }
  }

  #parse(text: SchemaText, isNew = false): ParsedSchema {
    const resolved = resolveSchema(text, ({ subject, version }) =>
      this.#state.versions(subject).find((one) => one.version === version)
    )
    return parseSchema(resolved, { isNew })
  }

  #parseStored(version: StateVersion): ParsedSchema {
    const key = `${version.id}`
    const parsed = this.#parsed.get(key) ?? this.#parse(version)
    this.#parsed.set(key, parsed)
    return parsed
  }

  #incompatibilities(
    parsed: ParsedSchema,
    versions: readonly StateVersion[],
    level: CompatibilityLevel
  ): Incompatibility[] {
    if (level === 'NONE') return []
    const earlier = versions.filter(({ deleted }) => !deleted).map((version) => this.#parseStored(version))
    return incompatibilitiesAt(level, parsed, earlier)
  }

  #comparedWith(subject: string, version: VersionChoice | undefined): StateVersion[] {
    if (typeof version === 'number') return [this.#version(subject, version, false)]
    const versions = this.#state.versions(subject).filter(({ deleted }) => !deleted)
    return version === 'latest' ? versions.slice(-1) : versions
  }

  #version(subject: string, version: VersionChoice, deleted: boolean): StateVersion {
    const all = this.#state.versions(subject)
    const visible = all.filter((one) => deleted || !one.deleted)
    if (visible.length === 0) throw subjectNotFound(subject)
    const found = version === 'latest' ? visible.at(-1) : visible.find((one) => one.version === version)
    if (found === undefined) throw versionNotFound(version)
    return found
  }

  #requireWritable(subject: string, { id, version }: ImportedAs): void {
    const mode = this.#state.modeOf(subject)
    if (mode.startsWith('READONLY')) {
      throw refused(RegistryErrorCode.OPERATION_NOT_PERMITTED, `Subject ${subject} is in read-only mode`)
    }
    if (mode === 'IMPORT' && (id === undefined || version === undefined)) {
      throw refused(
        RegistryErrorCode.OPERATION_NOT_PERMITTED,
        `Subject ${subject} is in import mode: give the schema's id and version`
      )
    }
    if (mode !== 'IMPORT' && id !== undefined) {
      throw refused(RegistryErrorCode.OPERATION_NOT_PERMITTED, `Subject ${subject} is not in import mode`)
    }
    if (mode !== 'IMPORT' && version !== undefined) {
      const next = (this.#state.versions(subject).at(-1)?.version ?? 0) + 1
      if (version !== next)
        throw refused(RegistryErrorCode.INVALID_SCHEMA, `Version is not one more than previous version (${next})`)
    }
  }
}

/**
 * Opens the registry of a log, and takes over from whoever had it open. Ids and versions are those that the topic gives.
 * @throws UsageError for a topic that would not keep schemas. RegistryTopicError for one that is no registry's.
 */
export async function openRegistry({ log, topic = '_schemas' }: RegistryOptions): Promise<Registry> {
  const state = new RegistryState()
  const opened = await RegistryTopic.open(log, topic, (record) => state.apply(record))
  return new Registry({ state, topic: opened, clusterId: log.clusterId })
}

function sortedReferences({ references }: SchemaText): SchemaText['references'] {
  const keyed = new Map(references.map((one) => [`${one.name} ${one.subject} ${one.version}`, one]))
  return [...keyed].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, reference]) => reference)
}
