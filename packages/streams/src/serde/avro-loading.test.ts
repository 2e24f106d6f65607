import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const program = `
import { createRequire } from 'node:module'
const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('/avsc/'))
const { avro } = await import('./index.ts')
const before = loaded()
const serde = avro({ type: 'record', name: 'Click', fields: [{ name: 'page', type: 'string' }] })
const bytes = serde.encode({ page: '/' })
console.log(JSON.stringify({ before, after: loaded(), read: serde.decode(bytes, 0, bytes.length) }))
`

describe('the Avro library', () => {
  it('is loaded with the first Avro serde, not with the package', async () => {
    const cwd = fileURLToPath(new URL('..', import.meta.url))
    const args = ['--conditions=source', '--input-type=module', '-e', program]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd })
    expect(JSON.parse(stdout)).toEqual({ before: false, after: true, read: { page: '/' } })
  })
})
