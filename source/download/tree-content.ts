import {createHash} from 'node:crypto';
import type {TreeFile} from './types.ts';

/** A folder's files in the order in which all peers list them: by the bytes of their paths. */
export function sortTree(files: readonly TreeFile[]): TreeFile[] {
	return files
		.map(file => ({file, bytes: Buffer.from(file.path)}))
		.sort((a, b) => Buffer.compare(a.bytes, b.bytes))
		.map(({file}) => file);
}

/**
 * What tells one folder from another: SHA-256 over a line `<content ID>  <path>` for each file, sorted, as `sha256sum`
 * writes them. Equal trees have equal IDs, whatever the folder is called.
 */
export function contentOfTree(sorted: readonly TreeFile[]): string {
	const hash = createHash('sha256');
	for (const {path, content} of sorted) hash.update(`${content}  ${path}\n`);
	return hash.digest('hex');
}
