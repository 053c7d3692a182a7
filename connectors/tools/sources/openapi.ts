import type { PublishedOperation } from '../../../gateway/catalog/folder.ts'

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'] as const

interface Parameter {
  readonly $ref?: string
  readonly name?: string
  readonly in?: string
  readonly 'x-multi-segment'?: boolean
}

interface OperationObject {
  readonly operationId?: string
  readonly deprecated?: boolean
  readonly parameters?: readonly Parameter[]
  readonly servers?: readonly { readonly url: string }[]
  readonly requestBody?: { readonly content?: Readonly<Record<string, unknown>> }
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
}

type PathItem = Partial<Record<(typeof METHODS)[number], OperationObject>> & {
  readonly parameters?: readonly Parameter[]
}

/** As much of an OpenAPI 3.0 document as a catalogue needs. */
export interface OpenApiDocument {
  readonly info: { readonly version: string; readonly license?: { readonly name?: string } }
  readonly paths: Readonly<Record<string, PathItem>>
  readonly components?: { readonly parameters?: Readonly<Record<string, Parameter>> }
}

export interface OpenApiOptions {
  /** Put before every path, for descriptions whose server address has a path of its own. */
  readonly basePath?: string
  /** Put before every operation id, where the vendor's products share ids. */
  readonly idPrefix?: string
}

/**
 * Reads the operations of an OpenAPI 3.0 document: method, path, id, slash parameters, scopes, media types.
 *
 * @throws RangeError for an operation without an id.
 */
export function operationsOfOpenApi(
  document: OpenApiDocument,
  options: OpenApiOptions = {},
): PublishedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method]
      if (operation === undefined) return []
      if (operation.operationId === undefined) throw new RangeError(`${method} ${path} has no operationId`)
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])]
      return [
        {
          id: (options.idPrefix ?? '') + operation.operationId,
          method: method.toUpperCase(),
          path: (options.basePath ?? '') + path,
          slash: slashParameters(document, parameters),
          ...(operation.servers?.[0] !== undefined && { origin: operation.servers[0].url }),
          consumes: unusualMediaTypes(operation),
          scopes: scopesOf(operation),
          ...(operation.deprecated === true && { deprecated: true as const }),
        },
      ]
    }),
  )
}

/** Resolves references within the document only; a description may not make the generator fetch. */
function slashParameters(document: OpenApiDocument, parameters: readonly Parameter[]): string[] {
  const names = parameters
    .map((parameter) => {
      const name = parameter.$ref?.split('/').at(-1)
      return name === undefined ? parameter : (document.components?.parameters?.[name] ?? parameter)
    })
    .filter((parameter) => parameter.in === 'path' && parameter['x-multi-segment'] === true)
    .map((parameter) => parameter.name ?? '')
  return [...new Set(names)]
}

function unusualMediaTypes(operation: OperationObject): string[] {
  const types = Object.keys(operation.requestBody?.content ?? {})
  return types.length === 1 && types[0] === 'application/json' ? [] : types
}

function scopesOf(operation: OperationObject): string[] {
  const scopes = (operation.security ?? []).flatMap((requirement) => Object.values(requirement).flat())
  return [...new Set(scopes)].toSorted()
}
