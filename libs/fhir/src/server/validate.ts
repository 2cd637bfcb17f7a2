/** What a resource must satisfy before it is stored: R4's structure and invariants, and its required code bindings. */
import {
  badRequest,
  type InternalSchemaElement,
  OperationOutcomeError,
  tryGetDataType,
  validateResource,
  validationError,
} from '@medplum/core';
import type { Resource } from '@medplum/fhirtypes';
import { codesOf, loadDefinitions } from './definitions.ts';

/** Medplum's validator checks structure, cardinality and invariants, but lets any code through a required binding. */
export function checkResource(resource: Resource): void {
  loadDefinitions();
  if (!/^[A-Z][A-Za-z]+$/.test(resource.resourceType ?? '') || !tryGetDataType(resource.resourceType)) {
    throw new OperationOutcomeError(badRequest('Unknown resource type', 'resourceType'));
  }
  validateResource(resource);
  checkCodes(resource, resource.resourceType, resource.resourceType);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

function checkCodes(value: unknown, type: string, path: string): void {
  const schema = tryGetDataType(type);
  if (!schema || !isObject(value)) return;
  for (const [name, element] of Object.entries(schema.elements)) {
    for (const [key, elementType] of fieldsOf(name, element)) {
      const held = value[key];
      if (held === undefined) continue;
      const items = Array.isArray(held) ? held : [held];
      items.forEach((item, i) => {
        const at = `${path}.${key}${Array.isArray(held) ? `[${i}]` : ''}`;
        const nested = isObject(item) && typeof item['resourceType'] === 'string' ? item['resourceType'] : elementType;
        checkBinding(item, element, at);
        checkCodes(item, nested, at);
      });
    }
  }
}

/** `value[x]` stands in JSON under one name a type, such as `valueQuantity`. */
function fieldsOf(name: string, { type }: InternalSchemaElement): readonly (readonly [string, string])[] {
  if (!name.endsWith('[x]')) return [[name, type[0]?.code ?? '']];
  const stem = name.slice(0, -3);
  return type.map(({ code }) => [`${stem}${code.charAt(0).toUpperCase()}${code.slice(1)}`, code]);
}

function checkBinding(item: unknown, { binding }: InternalSchemaElement, at: string): void {
  if (typeof item !== 'string' || binding?.strength !== 'required' || !binding.valueSet) return;
  const allowed = codesOf(binding.valueSet);
  if (!allowed || allowed.has(item)) return;
  throw new OperationOutcomeError(validationError(`not a code of ${binding.valueSet}`, [at]));
}
