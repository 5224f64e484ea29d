import { fileURLToPath } from 'node:url'
import { App, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'

/** The context under which findings of CDK's validation are errors, in `Template.fromStack` as in `cdk synth`. */
const strict = { '@aws-cdk/core:validateAgainstDefaultRules': true }

export const handlerDirectory = fileURLToPath(new URL('../fixture/handler', import.meta.url))
export const handlerEntry = fileURLToPath(new URL('../fixture/entry.ts', import.meta.url))

export function aStack(context: Record<string, unknown> = {}): Stack {
  return new Stack(new App({ context: { ...strict, ...context }, analyticsReporting: false }), 'Test')
}

/** What a stack with these constructs synthesizes; throws where CDK's validation finds anything. */
export function synth(build: (stack: Stack) => void): Template {
  const stack = aStack()
  build(stack)
  return Template.fromStack(stack)
}

export interface Statement {
  Effect: string
  Action: string | string[]
  Resource: unknown
  Condition?: unknown
}

/** All that a role may do, by hand and by CDK, with every action on its own: `{ action: statements }`. */
export function rightsOf(template: Template, rolePattern: RegExp): Record<string, Statement[]> {
  const rights: Record<string, Statement[]> = {}
  const add = (statements: Statement[]) => {
    for (const statement of statements) {
      for (const action of [statement.Action].flat()) {
        rights[action] ??= []
        rights[action].push(statement)
      }
    }
  }
  const roles = Object.entries(template.findResources('AWS::IAM::Role')).filter(([id]) =>
    rolePattern.test(id),
  )
  if (roles.length !== 1)
    throw new Error(`${rolePattern} fits ${roles.map(([id]) => id).join(', ') || 'no role'}`)
  const [[roleId, role]] = roles as [
    [string, { Properties: { Policies?: { PolicyDocument: { Statement: Statement[] } }[] } }],
  ]
  for (const policy of role.Properties.Policies ?? []) add(policy.PolicyDocument.Statement)
  for (const policy of Object.values(template.findResources('AWS::IAM::Policy'))) {
    if (policy.Properties.Roles.some((one: { Ref: string }) => one.Ref === roleId)) {
      add(policy.Properties.PolicyDocument.Statement)
    }
  }
  return rights
}

/** Of a resource, as CDK types what it has read back: untyped. */
export type Properties = ReturnType<Template['findResources']>[string]

/** The one resource of a type (whose logical id fits), with its id. */
export function only(template: Template, type: string, pattern = /./): [id: string, properties: Properties] {
  const found = Object.entries(template.findResources(type)).filter(([id]) => pattern.test(id))
  if (found.length !== 1) throw new Error(`${found.length} resources of ${type} fit ${pattern}`)
  const [[id, resource]] = found as [[string, { Properties: Properties }]]
  return [id, resource.Properties]
}
