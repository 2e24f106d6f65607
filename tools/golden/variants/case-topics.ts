import type { GoldenCase } from '../case.ts'

const SOURCES = new Set(['stream', 'table', 'globalTable', 'versionedTable'])

/** Topics that a case reads. */
export function inputTopics({ topology }: Pick<GoldenCase, 'topology'>): string[] {
  return [...new Set(topology.flatMap(({ op, topic }) => (SOURCES.has(op) && topic !== undefined ? [topic] : [])))]
}

/** Topics that a case writes, in the order of its nodes; each once, though several nodes may write to it. */
export function outputTopics({ topology }: Pick<GoldenCase, 'topology'>): string[] {
  return [...new Set(topology.flatMap(({ op, topic }) => (op === 'to' && topic !== undefined ? [topic] : [])))]
}
