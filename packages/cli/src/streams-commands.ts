import {
  describeTopology,
  diffTopologies,
  formatDiff,
  formatLikeKafkaStreams,
  formatPlan,
  formatReset,
  type LintFinding,
  lintTopology,
  planStart,
  resetApplication,
  toDot,
  toMermaid
} from '@millrace/streams'
import type { CommandLine } from './command-line.ts'
import { NoLogError } from './errors.ts'
import { missingDirectory } from './missing-directory.ts'
import { loadDescription, loadTopology } from './topology-file.ts'

/** What a command prints, and how the process ends. */
export interface Outcome {
  readonly text: string
  readonly exitCode: 0 | 1
}

/** Carries a command out. @throws TopologyFileError, and what opening the log, planning or resetting throws. */
export async function runStreamsCommand(line: CommandLine): Promise<Outcome> {
  const [first, second] = line.files
  if (line.command === 'diff') {
    const diff = diffTopologies(await loadDescription(first), await loadDescription(second))
    return { text: line.json ? jsonOf(diff) : formatDiff(diff), exitCode: diff.mustReset ? 1 : 0 }
  }
  const topology = await loadTopology(first)
  switch (line.command) {
    case 'describe':
      return succeeded(line.json ? jsonOf(describeTopology(topology)) : formatLikeKafkaStreams(topology))
    case 'mermaid':
      return succeeded(drawn(line, 'mermaid', toMermaid(topology)))
    case 'dot':
      return succeeded(drawn(line, 'dot', toDot(topology)))
    case 'lint': {
      const findings = lintTopology(topology)
      const warns = findings.some(({ severity }) => severity === 'warning')
      return { text: line.json ? jsonOf(findings) : formatFindings(findings), exitCode: warns ? 1 : 0 }
    }
    case 'plan': {
      // To look is not to touch: what would be made in a log that is not there is what would be made in an empty one.
      const plan = await planStart(topology, { log: missingDirectory(line.log) === undefined ? line.log : 'memory:' })
      return { text: line.json ? jsonOf(plan) : formatPlan(plan), exitCode: plan.startable ? 0 : 1 }
    }
    case 'reset': {
      const { log, dryRun, to, stateDirectory } = line
      const missing = missingDirectory(log)
      if (missing !== undefined) throw new NoLogError(missing)
      const report = await resetApplication(topology, {
        log,
        dryRun,
        ...(to && { to }),
        ...(stateDirectory !== undefined && { stateDirectory })
      })
      return succeeded(line.json ? jsonOf(report) : formatReset(report))
    }
  }
}

function succeeded(text: string): Outcome {
  return { text, exitCode: 0 }
}

function drawn({ json }: CommandLine, language: string, text: string): string {
  return json ? jsonOf({ language, text }) : text
}

function formatFindings(findings: readonly LintFinding[]): string {
  if (findings.length === 0) return 'nothing found\n'
  return findings.map(({ severity, rule, node, message }) => `${severity} ${rule} ${node}: ${message}\n`).join('')
}

function jsonOf(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
