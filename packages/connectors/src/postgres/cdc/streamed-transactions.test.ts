import { memoryEnvironment } from '@millrace/log'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StreamedTransactions } from './streamed-transactions.ts'

describe('StreamedTransactions', () => {
  it('gives the changes of what was committed, in order, whatever interleaves, is rolled back or spilled', () => {
    const operation = fc.record({
      xid: fc.integer({ min: 1, max: 3 }),
      part: fc.integer({ min: 0, max: 2 }),
      kind: fc.constantFrom('add', 'add', 'add', 'add', 'abort', 'commit'),
      size: fc.integer({ min: 1, max: 3000 })
    })
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 80 }),
        fc.integer({ min: 0, max: 20_000 }),
        (operations, memoryBytes) => {
          const { files } = memoryEnvironment()
          const streamed = new StreamedTransactions({ files, directory: '/spill', prefix: 'x-', memoryBytes })
          const model = new Map<number, { subtransaction: number; lsn: number; size: number }[]>()
          for (const [index, { xid, part, kind, size }] of operations.entries()) {
            const subtransaction = part === 0 ? xid : xid * 10 + part
            const changes = model.get(xid) ?? []
            if (kind === 'add') {
              model.set(xid, [...changes, { subtransaction, lsn: index, size }])
              streamed.add(xid, subtransaction, { lsn: index, bytes: Buffer.alloc(size, index) })
            } else if (kind === 'abort') {
              // A subtransaction's id is not used again after its abort.
              const kept = part === 0 ? [] : changes.filter((change) => change.subtransaction !== subtransaction)
              if (part !== 0 && kept.length < changes.length) continue
              model.set(xid, kept)
              streamed.abort(xid, subtransaction)
              if (part !== 0) streamed.abort(xid, xid)
              if (part !== 0) model.delete(xid)
            } else {
              const given = [...streamed.commit(xid)].map(({ lsn, bytes }) => [lsn, bytes.length, bytes[0]])
              expect(given).toEqual(changes.map((change) => [change.lsn, change.size, change.lsn & 255]))
              model.delete(xid)
            }
          }
          streamed.close()
          expect(streamed.memoryBytes).toBe(0)
          expect(files.exists('/spill') ? files.list('/spill') : []).toEqual([])
        }
      ),
      { numRuns: 60 }
    )
  })

  it('leaves out what was done after a savepoint that was rolled back', () => {
    const { files } = memoryEnvironment()
    const streamed = new StreamedTransactions({ files, directory: '/spill', prefix: 'x-', memoryBytes: 10 })
    streamed.add(7, 7, { lsn: 1, bytes: Buffer.from('kept') })
    streamed.add(7, 8, { lsn: 2, bytes: Buffer.from('undone') })
    streamed.add(7, 9, { lsn: 3, bytes: Buffer.from('kept too') })
    streamed.abort(7, 8)
    expect([...streamed.commit(7)].map((message) => message.lsn)).toEqual([1, 3])
  })

  it('removes files that a source which died has left', () => {
    const { files } = memoryEnvironment()
    const settings = { files, directory: '/spill', prefix: 'x-', memoryBytes: 1 }
    new StreamedTransactions(settings).add(1, 1, { lsn: 1, bytes: Buffer.from('ab') })
    expect(files.list('/spill').length).toBe(1)
    new StreamedTransactions(settings)
    expect(files.list('/spill')).toEqual([])
  })
})
