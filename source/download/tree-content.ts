import {createHash} from 'node:crypto';
import type {TreeFile} from './types.ts';

/** Stands where a file has its content ID. */
const noContent = '0'.repeat(64);

/** A folder's files in the order in which all peers list them: by the bytes of their paths. */
export function sortTree(files: readonly TreeFile[]): TreeFile[] {
	return files
		.map(file => ({file, bytes: Buffer.from(file.path)}))
		.sort((a, b) => Buffer.compare(a.bytes, b.bytes))
		.map(({file}) => file);
}

function sortPaths(paths: readonly string[]): string[] {
	return paths
		.map(path => Buffer.from(path))
		.sort(Buffer.compare)
		.map(String);
}

/**
 * What tells one folder from another: SHA-256 over a line `<content ID>  <path>` for each file, sorted, as `sha256sum`
 * writes them; then a line `<64 zeros>  <path>/` for each folder that holds nothing. Equal trees have equal IDs, whatever
 * the folder is called.
 */
export function contentOfTree(sorted: readonly TreeFile[], folders: readonly string[] = []): string {
	const hash = createHash('sha256');
	for (const {path, content} of sorted) hash.update(`${content}  ${path}\n`);
	for (const path of sortPaths(folders)) hash.update(`${noContent}  ${path}/\n`);
	return hash.digest('hex');
}
