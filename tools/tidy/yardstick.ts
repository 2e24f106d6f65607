import { documentedShare } from './documentation.ts'
import { isTest } from './layers.ts'
import { lineAt, type SourceFile } from './source-file.ts'
import { type SyntaxNode, walk } from './walk.ts'

/** One row of the yardstick. */
export interface Measure {
  readonly name: string
  readonly value: string
  readonly target: string
  /** What is past the target, worst first, each with its place. */
  readonly beyond: readonly string[]
}

/** How large one thing is, and where it stands. */
interface Size {
  readonly where: string
  readonly size: number
}

interface FunctionSize {
  readonly where: string
  readonly lines: number
  readonly parameters: number
}

interface ClassSize {
  readonly where: string
  readonly methods: number
  readonly fields: number
}

/** Where the sources of the packages stand. A mirror, not a limit: what is past it asks for a better cut, or for a sentence why not. */
export function measure(files: readonly SourceFile[]): Measure[] {
  const sources = files.filter((file) => file.path.startsWith('packages/') && !isTest(file.path))
  const tests = files.filter((file) => isTest(file.path) || /^test\//.test(file.path))
  const sizes = sources.map((file) => ({ where: file.path, size: file.text.split('\n').length - 1 }))
  const functions = sources.flatMap(functionsOf)
  const functionLines = functions.map(({ where, lines }) => ({ where, size: lines }))
  const parameters = beyond(
    functions.map(({ where, parameters }) => ({ where, size: parameters })),
    3
  )
  const classes = sources.flatMap(classesOf)
  const lines = sum(sizes.map(({ size }) => size))
  const escapes = countEscapes(sources)
  const perThousand = (count: number) => ((count / lines) * 1000).toFixed(1)
  const documented = documentedShare(files)
  const testLines = sum(tests.map((file) => file.text.split('\n').length))
  return [
    row('source files / lines', `${sources.length} / ${lines}`, ''),
    row('file lines p50 / p90', `${quantile(sizes, 0.5)} / ${quantile(sizes, 0.9)}`, '110 / 260'),
    most('file lines max', sizes, 400),
    {
      name: 'function lines p90 / max',
      value: `${quantile(functionLines, 0.9)} / ${greatest(functionLines)}`,
      target: '40 / 70',
      beyond: beyond(functionLines, 70)
    },
    {
      name: 'functions with more than 3 parameters',
      value: `${parameters.length}`,
      target: '0',
      beyond: parameters
    },
    most(
      'class methods max',
      classes.map(({ where, methods }) => ({ where, size: methods })),
      12
    ),
    most(
      'class fields max',
      classes.map(({ where, fields }) => ({ where, size: fields })),
      10
    ),
    row(
      'any / ! / as per 1,000 lines',
      `${perThousand(escapes.any)} / ${perThousand(escapes.nonNull)} / ${perThousand(escapes.as)}`,
      '2 / 0.5 / 2'
    ),
    row('exports without documentation', `${documented.undocumented} of ${documented.exported}`, '0'),
    row('test lines : source lines', (testLines / lines).toFixed(1), '1 to 2.5')
  ]
}

function row(name: string, value: string, target: string): Measure {
  return { name, value, target, beyond: [] }
}

function most(name: string, sizes: readonly Size[], target: number): Measure {
  return { name, value: greatest(sizes), target: String(target), beyond: beyond(sizes, target) }
}

function beyond(sizes: readonly Size[], target: number): string[] {
  const larger = sizes.filter(({ size }) => size > target).sort((a, b) => b.size - a.size)
  return larger.map(({ where, size }) => `${size}  ${where}`)
}

function functionsOf(file: SourceFile): FunctionSize[] {
  const found: FunctionSize[] = []
  walk(file.program, (node) => {
    if (!('params' in node) || !('body' in node) || !Array.isArray(node.params)) return
    if (!/Function/.test(node.type)) return
    const line = lineAt(file.text, node.start)
    found.push({ where: `${file.path}:${line}`, lines: linesOf(file, node), parameters: node.params.length })
  })
  return found
}

function classesOf(file: SourceFile): ClassSize[] {
  const found: ClassSize[] = []
  walk(file.program, (node) => {
    if (node.type !== 'ClassDeclaration') return
    const members: readonly SyntaxNode[] = node.body.body
    const where = `${file.path}:${lineAt(file.text, node.start)}`
    const methods = members.filter((member) => member.type === 'MethodDefinition').length
    const fields = members.filter((member) => member.type === 'PropertyDefinition').length
    found.push({ where, methods, fields })
  })
  return found
}

function countEscapes(files: readonly SourceFile[]): { any: number; nonNull: number; as: number } {
  const count = { any: 0, nonNull: 0, as: 0 }
  for (const file of files) {
    walk(file.program, (node) => {
      if (node.type === 'TSAnyKeyword') count.any++
      else if (node.type === 'TSNonNullExpression') count.nonNull++
      else if (node.type === 'TSAsExpression' && file.text.slice(node.end - 5, node.end) !== 'const') count.as++
    })
  }
  return count
}

function linesOf(file: SourceFile, node: SyntaxNode): number {
  return file.text.slice(node.start, node.end).split('\n').length
}

function quantile(sizes: readonly Size[], share: number): number {
  const sorted = sizes.map(({ size }) => size).sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

function greatest(sizes: readonly Size[]): string {
  const first = sizes[0]
  if (first === undefined) return '0'
  const { size, where } = sizes.reduce((best, one) => (one.size > best.size ? one : best), first)
  return `${size} (${where})`
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
