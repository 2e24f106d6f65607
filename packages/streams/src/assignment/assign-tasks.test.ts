import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AssignableTask, assignTasks } from './assign-tasks.ts'
import { taskName } from './task-id.ts'

const tasksOf = (stateful: number, stateless: number): AssignableTask[] => [
  ...Array.from({ length: stateful }, (_, partition) => ({ id: { subtopology: 0, partition }, stateful: true })),
  ...Array.from({ length: stateless }, (_, partition) => ({ id: { subtopology: 1, partition }, stateful: false }))
]

describe('assignTasks', () => {
  it('keeps a stateful task where its state is', () => {
    const members = [
      { memberId: 'a', previousTasks: new Set(['0_1', '0_3']) },
      { memberId: 'b', previousTasks: new Set(['0_0', '0_2']) }
    ]
    const assigned = assignTasks(tasksOf(4, 0), members)
    expect(assigned.get('a')?.map(taskName)).toEqual(['0_1', '0_3'])
    expect(assigned.get('b')?.map(taskName)).toEqual(['0_0', '0_2'])
  })

  it('gives a newcomer its share of stateful tasks', () => {
    const members = [
      { memberId: 'a', previousTasks: new Set(['0_0', '0_1', '0_2', '0_3']) },
      { memberId: 'b', previousTasks: new Set<string>() }
    ]
    const assigned = assignTasks(tasksOf(4, 0), members)
    expect(assigned.get('a')).toHaveLength(2)
    expect(assigned.get('b')).toHaveLength(2)
  })

  it('assigns every task once and balances each kind to within one, whatever was where', () => {
    fc.assert(
      fc.property(
        fc.nat(12),
        fc.nat(12),
        fc.array(fc.array(fc.constantFrom('0_0', '0_1', '0_2', '1_0', '1_1')), { minLength: 1, maxLength: 5 }),
        (stateful, stateless, previous) => {
          const members = previous.map((names, i) => ({ memberId: `m${i}`, previousTasks: new Set(names) }))
          const assigned = [...assignTasks(tasksOf(stateful, stateless), members).values()]
          expect(assigned.flat().map(taskName).sort()).toEqual(
            tasksOf(stateful, stateless)
              .map((task) => taskName(task.id))
              .sort()
          )
          for (const subtopology of [0, 1]) {
            const counts = assigned.map((ids) => ids.filter((id) => id.subtopology === subtopology).length)
            expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
          }
        }
      )
    )
  })
})
