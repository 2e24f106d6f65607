import type { ConnectorEvent } from '../../../connector-event.ts'
import type { PostgresClient } from '../../driver.ts'
import type { RelationMessage } from '../pgoutput/message.ts'
import type { TypeCatalog } from '../types/type-catalog.ts'
import type { OutOfLineMemory } from './out-of-line-memory.ts'
import { TableEncoder } from './table-encoder.ts'
import { isSameShape, KEY_SQL, OUT_OF_LINE_SQL, qualifiedName, shapeOf } from './table-shape.ts'

/** What becomes of a table's changes. */
export type TableRole = 'capture' | 'outbox' | 'signal' | 'ignore'

/** A table of the stream. */
export interface Relation {
  readonly oid: number
  readonly encoder: TableEncoder
  readonly role: TableRole
  /** All columns are in old tuples. */
  readonly hasFullIdentity: boolean
  /** Used again for each row. */
  readonly newPlaces: Int32Array
  readonly oldPlaces: Int32Array
}

/** What the relations need. */
export interface RelationsParts {
  readonly client: PostgresClient
  readonly types: TypeCatalog
  readonly memory: OutOfLineMemory
  readonly roleOf: (name: string) => TableRole
  readonly report: (event: ConnectorEvent) => void
}

/** The tables that the stream has announced, by their object ids. */
export class Relations {
  readonly #parts: RelationsParts
  readonly #relations = new Map<number, Relation>()

  constructor(parts: RelationsParts) {
    this.#parts = parts
  }

  get(oid: number): Relation | undefined {
    return this.#relations.get(oid)
  }

  /** Takes the shape that the stream announces from here on. */
  async announce(message: RelationMessage): Promise<void> {
    const { types, client, memory, roleOf, report } = this.#parts
    const name = qualifiedName(message)
    const role = roleOf(name)
    const oids = message.columns.map((column) => column.type)
    if (!types.knows(oids)) await types.load(oids)
    const facts = await tableFacts(client, message.oid)
    const shape = shapeOf(message, facts.primaryKey)
    const before = this.#relations.get(message.oid)
    if (!before) await memory.open(name)
    this.#relations.set(message.oid, {
      oid: message.oid,
      encoder: new TableEncoder(shape, types, facts.outOfLineBytes),
      role,
      hasFullIdentity: message.replicaIdentity === 'f',
      newPlaces: new Int32Array(message.columns.length * 2),
      oldPlaces: new Int32Array(message.columns.length * 2)
    })
    if (before && role === 'capture' && !isSameShape(before.encoder.shape, shape)) {
      const columns = shape.columns.map((column) => column.name).join(', ')
      const was = before.encoder.name === name ? '' : ` (was ${before.encoder.name})`
      report({
        level: 'info',
        code: 'schema-changed',
        message: `${name}${was} has the columns ${columns} from here on`
      })
    }
  }
}

interface TableFacts {
  readonly primaryKey: readonly string[]
  readonly outOfLineBytes: number | undefined
}

/** What a relation message does not say; as it is now, nothing when the table is gone. */
async function tableFacts(client: PostgresClient, oid: number): Promise<TableFacts> {
  const { rows } = await client.query({
    text: `select (select json_agg(a.attname) from json_to_recordset(${KEY_SQL}) as k(number int)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number)::text as key,
      ${OUT_OF_LINE_SQL} as target
      from pg_class c where c.oid = $1::oid`,
    values: [oid]
  })
  const row = rows[0]
  return {
    primaryKey: typeof row?.key === 'string' ? (JSON.parse(row.key) ?? []) : [],
    outOfLineBytes: typeof row?.target === 'number' ? row.target : undefined
  }
}
