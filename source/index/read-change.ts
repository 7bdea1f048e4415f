import {limits} from '../api/limits.ts';
import {type CatalogChange, catalogChangeSchema} from '../api/schemas.ts';

const contentPattern = /^[0-9a-f]{64}$/;

/**
 * One line of a catalog upload, parsed, as a change; a text says what is wrong with it. Written by hand because there are
 * millions of them and the schema takes several times as long; a test holds the two together on arbitrary input.
 */
export function readChange(value: unknown): CatalogChange | string {
	return quickly(value) ?? thoroughly(value);
}

/** A change that is as it should be; undefined for everything else. */
function quickly(value: unknown): CatalogChange | undefined {
	if (typeof value !== 'object' || value === null) return undefined;
	const {op, path, size, content, mtime} = value as Partial<Record<string, unknown>>;
	if (typeof path !== 'string' || path.length === 0 || path.length > limits.pathBytes) return undefined;
	if (op === 'remove') return {op, path};
	if (op !== 'add' || !isCount(size) || typeof content !== 'string' || !contentPattern.test(content)) return undefined;
	if (mtime === undefined) return {op, path, size, content};
	return Number.isSafeInteger(mtime) ? {op, path, size, content, mtime: mtime as number} : undefined;
}

function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= limits.fileSize;
}

/** The same by the schema, which knows what to say. */
function thoroughly(value: unknown): CatalogChange | string {
	const parsed = catalogChangeSchema.safeParse(value);
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0];
	return `${issue?.path.join('.') ?? ''} ${issue?.message ?? 'not a change'}`.trim();
}
