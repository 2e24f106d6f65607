import { isTest } from './layers.ts'
import { type Finding, lineAt, type SourceFile } from './source-file.ts'

/** Finds exported declarations without a documentation comment right above them. */
export function checkDocumentation(files: readonly SourceFile[]): Finding[] {
  return files
    .filter((file) => file.path.startsWith('packages/') && !/\.test\.ts$/.test(file.path))
    .flatMap((file) => undocumented(file))
}

function undocumented(file: SourceFile): Finding[] {
  const documented = new Set<string>()
  const findings: Finding[] = []
  for (const node of file.program.body) {
    if (node.type !== 'ExportNamedDeclaration' || !node.declaration) continue
    const names = declaredNames(node.declaration)
    const hasComment = file.comments.some(
      (comment) =>
        comment.block &&
        comment.text.startsWith('*') &&
        file.text.slice(comment.end, node.start).trim() === '' &&
        comment.end <= node.start
    )
    for (const name of names) {
      // Overloads and a type beside a value of the same name share the first one's comment.
      if (hasComment || documented.has(name)) documented.add(name)
      else
        findings.push({ path: file.path, line: lineAt(file.text, node.start), message: `${name} has no documentation` })
    }
  }
  return findings
}

function declaredNames(declaration: { type: string; id?: unknown; declarations?: unknown }): string[] {
  if (Array.isArray(declaration.declarations)) return declaration.declarations.map((one) => nameOf(one.id))
  return [nameOf(declaration.id)]
}

function nameOf(id: unknown): string {
  return typeof id === 'object' && id !== null && 'name' in id ? String(id.name) : '(pattern)'
}

/** Share of exported declarations that are documented, and how many there are; test support counts. */
export function documentedShare(files: readonly SourceFile[]): { exported: number; undocumented: number } {
  const sources = files.filter((file) => file.path.startsWith('packages/') && !isTest(file.path))
  const exported = sources.flatMap((file) =>
    file.program.body.filter((node) => node.type === 'ExportNamedDeclaration' && node.declaration)
  ).length
  return { exported, undocumented: checkDocumentation(sources).length }
}
