import { RegistryErrorCode, SchemaNotFoundError } from '../errors.ts'
import type { Change } from './change.ts'
import { refused, subjectNotFound } from './refusals.ts'
import type { RegistryMode } from './registry-mode.ts'
import type { SubjectConfig } from './registry-record.ts'
import type { RegistryState } from './registry-state.ts'

/** Runs a change in its turn. */
type Run = <T>(plan: () => Change<T>) => Promise<T>

/** A setting as it is asked for. */
export interface SettingQuery {
  /** Whether the global setting is the answer for a subject that has none. Default false. */
  readonly defaultToGlobal?: boolean
}

/** Compatibility and mode, globally (subject null) and of subjects. */
export class RegistrySettings {
  readonly #state: RegistryState
  readonly #run: Run

  /** A registry's own. */
  constructor(state: RegistryState, run: Run) {
    this.#state = state
    this.#run = run
  }

  /** What is configured. @throws SchemaNotFoundError (40408) for a subject without a setting. */
  async config(subject: string | null, { defaultToGlobal = false }: SettingQuery = {}): Promise<SubjectConfig> {
    const global = { compatibilityLevel: 'BACKWARD' as const, ...this.#state.config(null) }
    if (subject === null) return global
    const own = this.#state.config(subject)
    if (own !== undefined) return defaultToGlobal ? { ...global, ...own } : own
    if (defaultToGlobal) return global
    const message = `Subject '${subject}' does not have subject-level compatibility configured`
    throw new SchemaNotFoundError(RegistryErrorCode.SUBJECT_WITHOUT_LEVEL, message)
  }

  /** Sets what is given of it, and leaves the rest. */
  setConfig(subject: string | null, config: SubjectConfig): Promise<SubjectConfig> {
    return this.#run(() => {
      const value = { ...this.#state.config(subject), ...config }
      return { records: [{ kind: 'config', subject, value }], result: () => config }
    })
  }

  /** Takes a setting away; what it was. @throws SchemaNotFoundError for a subject that has none. */
  deleteConfig(subject: string | null): Promise<SubjectConfig> {
    return this.#run(() => {
      const before = this.#state.config(subject)
      if (before === undefined && subject !== null) throw subjectNotFound(subject)
      return { records: [{ kind: 'config', subject, value: null }], result: () => before ?? {} }
    })
  }

  /** The mode. @throws SchemaNotFoundError (40409) for a subject without one. */
  async mode(subject: string | null, { defaultToGlobal = false }: SettingQuery = {}): Promise<RegistryMode> {
    if (subject === null) return this.#state.mode(null) ?? 'READWRITE'
    const own = this.#state.mode(subject)
    if (own !== undefined) return own
    if (defaultToGlobal) return this.#state.modeOf(subject)
    const message = `Subject '${subject}' does not have subject-level mode configured`
    throw new SchemaNotFoundError(RegistryErrorCode.SUBJECT_WITHOUT_MODE, message)
  }

  /** Sets the mode. `force` allows IMPORT where there are schemas already. */
  setMode(
    subject: string | null,
    mode: RegistryMode,
    { force = false }: { readonly force?: boolean } = {}
  ): Promise<RegistryMode> {
    return this.#run(() => {
      if (mode === 'IMPORT' && !force && this.#hasSchemas(subject)) {
        throw refused(
          RegistryErrorCode.OPERATION_NOT_PERMITTED,
          'Cannot import since found existing subjects; set force=true'
        )
      }
      return { records: [{ kind: 'mode', subject, value: mode }], result: () => mode }
    })
  }

  /** Takes the mode of a subject away; what it was. @throws SchemaNotFoundError when it has none. */
  deleteMode(subject: string): Promise<RegistryMode> {
    return this.#run(() => {
      const before = this.#state.mode(subject)
      if (before === undefined) throw subjectNotFound(subject)
      return { records: [{ kind: 'mode', subject, value: null }], result: () => before }
    })
  }

  #hasSchemas(subject: string | null): boolean {
    const subjects = subject === null ? this.#state.subjects() : [subject]
    return subjects.some((name) => this.#state.versions(name).some(({ deleted }) => !deleted))
  }
}
