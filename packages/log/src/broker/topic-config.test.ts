import { describe, expect, it } from 'vitest'
import { parseLogConfig } from '../storage/log-config.ts'
import { topicConfigProblem, topicConfigs } from './topic-config.ts'

describe('topic configurations', () => {
  it('have the defaults that logs have', () => {
    const stated = Object.fromEntries(topicConfigs.map(({ name, default: value }) => [name, value]))
    expect(parseLogConfig(stated)).toEqual(parseLogConfig())
  })

  it('are sorted by name and named once', () => {
    const names = topicConfigs.map(({ name }) => name)
    expect(names).toEqual([...new Set(names)].sort())
  })

  it('accept what logs accept at the limits', () => {
    for (const { name, min, max, oneOf } of topicConfigs) {
      for (const value of [min, max, ...(oneOf ?? [])]) {
        if (value === undefined) continue
        const configs = { [name]: String(value) }
        expect(topicConfigProblem(new Map(Object.entries(configs)))).toBeUndefined()
        expect(() => parseLogConfig(configs)).not.toThrow()
      }
    }
  })

  it.each([
    ['retention.ms', '-2', 'at least -1'],
    ['retention.ms', '1.5', 'not an integer'],
    ['retention.ms', '9223372036854775808', '64 bits'],
    ['max.message.bytes', '2147483648', '32 bits'],
    ['min.cleanable.dirty.ratio', '1.1', 'at most 1'],
    ['min.cleanable.dirty.ratio', '', 'not a number'],
    ['preallocate', 'yes', 'neither true nor false'],
    ['cleanup.policy', 'delete,shrink', 'delete, compact'],
    ['message.timestamp.type', 'Never', 'CreateTime'],
    ['no.such.config', '1', 'Unknown']
  ])('refuse %s=%s', (name, value, reason) => {
    expect(topicConfigProblem(new Map([[name, value]]))).toContain(reason)
  })

  it('take lists with blanks, and both policies', () => {
    expect(topicConfigProblem(new Map([['cleanup.policy', 'compact, delete']]))).toBeUndefined()
  })
})
