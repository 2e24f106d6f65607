import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as streams from '../index.ts'
import * as rx from '../rx/index.ts'
import { string } from '../serde/string.ts'
import { defineTopology } from './define-topology.ts'

const text = { key: string(), value: string() }
const document = readFileSync(new URL('../../../../docs/operators.md', import.meta.url), 'utf8')

/** The cells of the rows of all tables, by the heading above. */
function rowsBySection(): ReadonlyMap<string, readonly (readonly string[])[]> {
  const sections = new Map<string, string[][]>()
  let section = ''
  for (const line of document.split('\n')) {
    section = /^## (.+)/.exec(line)?.[1] ?? section
    if (!line.startsWith('| ') || line.startsWith('| step |') || line.startsWith('| serde |')) continue
    const rows = sections.get(section) ?? []
    rows.push(line.slice(2, -2).split(' | '))
    sections.set(section, rows)
  }
  return sections
}

const sections = rowsBySection()

/** Whether a row of one of the sections is about the step: `name(` or `` `name` `` in its first cell. */
function hasRow(name: string, of: readonly string[]): boolean {
  const named = new RegExp(`\\b${name}(\\(|\`)`)
  return of.some((section) => (sections.get(section) ?? []).some(([what]) => named.test(what)))
}

/** What can be called on an object of the DSL, methods of its class and its own. */
function methodsOf(object: object): string[] {
  const ofClass = Object.getOwnPropertyNames(Object.getPrototypeOf(object))
  return [...ofClass, ...Object.keys(object)].filter(
    (name) => name !== 'constructor' && typeof Reflect.get(object, name) === 'function'
  )
}

/** One object of each kind that the DSL has, and where its steps are described. */
function fluentObjects(): Record<string, { readonly object: object; readonly sections: readonly string[] }> {
  const found: Record<string, { object: object; sections: readonly string[] }> = {}
  defineTopology('documented', (b) => {
    const stream = b.stream('in', text)
    const grouped = stream.groupByKey()
    const cogrouped = grouped.cogroup<string>((value) => value)
    const table = b.table('t', { ...text, store: 't' })
    const salted = stream.groupByKey({ salt: 2 })
    const keyed = ['By key']
    const all = ['In and out', 'Record by record', 'Processors', 'Durable RxJS operators', 'By key', 'Tables', 'Joins']
    found.StreamsBuilder = { object: b, sections: ['In and out', 'Processors', 'Tables'] }
    found.KStream = { object: stream, sections: all }
    found.KTable = { object: table, sections: ['Tables', 'Joins', 'By key'] }
    found.KGroupedStream = { object: grouped, sections: keyed }
    found.TimeWindowedKStream = { object: grouped.windowedBy(streams.tumbling({ size: 1 })), sections: keyed }
    found.SessionWindowedKStream = { object: grouped.windowedBy(streams.sessions({ gap: 1 })), sections: keyed }
    found.KGroupedTable = { object: table.groupBy((value) => value ?? ''), sections: ['Tables'] }
    found.CogroupedKStream = { object: cogrouped, sections: keyed }
    found.TimeWindowedCogroupedKStream = {
      object: cogrouped.windowedBy(streams.tumbling({ size: 1 })),
      sections: keyed
    }
    found.SaltedKStream = { object: salted, sections: keyed }
    found.SaltedWindowedKStream = { object: salted.windowedBy(streams.tumbling({ size: 1 })), sections: keyed }
  })
  return found
}

describe('docs/operators.md', () => {
  it.each(Object.entries(fluentObjects()))('has a row for every step of a %s', (_kind, { object, sections: of }) => {
    const methods = methodsOf(object)
    expect(methods.length).toBeGreaterThan(0)
    expect(methods.filter((name) => !hasRow(name, of))).toEqual([])
  })

  it('has a row for every durable operator, collector, window and serde', () => {
    const operators = Object.keys(rx).filter((name) => typeof Reflect.get(rx, name) === 'function')
    expect(operators.filter((name) => !hasRow(name, ['Durable RxJS operators']))).toEqual([])
    const collectors = ['first', 'last', 'min', 'max', 'average', 'topN', 'distinct']
    const windows = ['tumbling', 'hopping', 'sliding', 'sessions', 'unlimited', 'untilWindowCloses', 'untilTimeLimit']
    for (const name of [...collectors, ...windows]) expect(Reflect.get(streams, name)).toBeTypeOf('function')
    expect([...collectors, ...windows].filter((name) => !hasRow(name, ['By key']))).toEqual([])
    const serdes = Object.entries(streams).filter(([name, value]) => /^[a-z]/.test(name) && isSerdeMaker(name, value))
    expect(serdes.length).toBeGreaterThan(8)
    const told = document.slice(document.indexOf('## Serdes'))
    expect(serdes.map(([name]) => name).filter((name) => !new RegExp(`\\b${name}(<T>)?\\(`).test(told))).toEqual([])
  })

  it('has a test behind every row, and says of every step what it emits and keeps', () => {
    const described = [
      'In and out',
      'Record by record',
      'Durable RxJS operators',
      'Processors',
      'By key',
      'Tables',
      'Joins'
    ]
    for (const section of [...described, 'Serdes']) {
      const rows = (sections.get(section) ?? []).filter(([what]) => !/^`('|\{ every)|^---|^`emit`/.test(what))
      expect(rows.length).toBeGreaterThan(3)
      for (const row of rows) {
        expect(row.at(-1), row[0]).toMatch(/\]\(\.\.\/.+\.test\.ts\)/)
        expect(
          row.every((cell) => cell.trim() !== ''),
          row[0]
        ).toBe(true)
      }
    }
  })
})

/** Serdes that can be made without being told anything. */
function isSerdeMaker(name: string, value: unknown): boolean {
  if (typeof value !== 'function' || value.length > 0 || ['fail', 'skip', 'first', 'last'].includes(name)) return false
  const made: unknown = value()
  return typeof made === 'object' && made !== null && 'encode' in made && 'decode' in made
}
