import { expect, it } from 'vitest'
import { checkLockFile } from './lock-file.ts'

const complete = {
  '': { devDependencies: { checker: '1.0.0' } },
  'node_modules/checker': {
    integrity: 'sha512-a',
    optionalDependencies: { 'checker-darwin': '1.0.0', shared: '2.0.0' }
  },
  'node_modules/checker-darwin': { integrity: 'sha512-b', dependencies: { shared: '2.0.0' } },
  'node_modules/checker/node_modules/shared': { integrity: 'sha512-c' },
  'node_modules/shared': { integrity: 'sha512-d' },
  'node_modules/@own/app': { resolved: 'packages/app', link: true },
  'packages/app': { dependencies: { shared: '2.0.0' } }
}

const found = (packages: object) => checkLockFile(JSON.stringify({ packages }, null, 2))

it('finds nothing in a lock file that installs everywhere', () => {
  expect(found(complete)).toEqual([])
})

it('finds packages of other platforms that are not locked, missing checksums and the names of registries', () => {
  const { 'node_modules/checker-darwin': _, ...incomplete } = complete
  const findings = found({
    ...incomplete,
    'node_modules/shared': { resolved: 'https://registry.example/shared-2.0.0.tgz' }
  })
  expect(findings.map(({ message }) => message)).toEqual([
    'node_modules/checker needs checker-darwin, not locked',
    'node_modules/shared has no checksum',
    'node_modules/shared names a registry: set omit-lockfile-registry-resolved'
  ])
  expect(findings[0]).toMatchObject({ path: 'package-lock.json', line: 8 })
})
