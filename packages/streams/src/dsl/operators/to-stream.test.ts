import { expect, it } from 'vitest'
import { long } from '../../serde/long.ts'
import { string } from '../../serde/string.ts'
import { TopologyTestDriver } from '../../testing/topology-test-driver.ts'
import { defineTopology } from '../define-topology.ts'

const TEXT = { key: string(), value: string() }

it('a table becomes a stream under new keys, deletions too, and what is by key below goes through a topic', async () => {
  const topology = defineTopology('app', (b) => {
    const rows = b.table('rows', TEXT)
    rows.toStream((value, { key }) => `${key}/${value?.length ?? 'gone'}`, { name: 'by-length' }).to('out')
    rows
      .toStream((value) => value?.length ?? -1, { key: long() })
      .groupByKey({ name: 'lengths' })
      .count({ store: 'n' })
  })
  expect(topology.subtopologies).toHaveLength(2)
  const driver = await TopologyTestDriver.open(topology)
  await driver.input<string, string>('rows').pipe('a', 'xx', 1)
  await driver.input<string, string | null>('rows').pipe('a', null, 2)
  expect(driver.output('out').readAll()).toMatchObject([
    { key: 'a/2', value: 'xx', timestamp: 1 },
    { key: 'a/gone', value: null, timestamp: 2 }
  ])
  expect(driver.store('n').get(2)?.value).toBe(1)
})

it('a table says under which name it is queried', () => {
  const names: (string | undefined)[] = []
  defineTopology('app', (b) => {
    const named = b.table('rows', { ...TEXT, store: 'kept' })
    const counted = named.groupBy((value) => value ?? '').count()
    const tables = [named, named.mapValues((value) => value), b.table('others', TEXT), counted]
    for (const table of tables) names.push(table.queryableStoreName())
  })
  expect(names).toEqual(['kept', undefined, undefined, undefined])
})

it('a joiner with a global table is told both keys', async () => {
  const topology = defineTopology('app', (b) => {
    const users = b.globalTable('users', TEXT)
    const joined = b
      .stream('in', TEXT)
      .leftJoin(users, (_value, user, { key, mappedKey }) => `${key}>${mappedKey}=${user}`, {
        key: (value) => (value === '' ? null : value)
      })
    joined.to('out', { value: string() })
  })
  const driver = await TopologyTestDriver.open(topology)
  await driver.input<string, string>('users').pipe('u1', 'Ada')
  for (const [key, value] of Object.entries({ a: 'u1', b: 'u2', c: '' })) {
    await driver.input<string, string>('in').pipe(key, value)
  }
  expect(driver.output('out').readValues()).toEqual(['a>u1=Ada', 'b>u2=null', 'c>null=null'])
})
