import {open} from 'node:fs/promises';
import path from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {writeError} from './disk-error.ts';
import type {DownloadHost} from './job.ts';
import type {TreeState} from './tree-state.ts';

const lookedUpPerTurn = 100;
const copiesAtOnce = 4;

/** Copies those missing files of a tree that we have elsewhere. @returns how many */
export async function copyFromHere(
	{localCopies, pool}: DownloadHost,
	tree: TreeState,
	top: string,
	signal: AbortSignal,
): Promise<number> {
	let copied = 0;
	let looked = 0;
	const missing = tree.missing();
	const work = async () => {
		for (let n = missing.pop(); n !== undefined && !signal.aborted; n = missing.pop()) {
			const {content, size, place} = tree.files[n]!;
			if (size === 0) continue;
			if (++looked % lookedUpPerTurn === 0) await nextTurn();
			for (const {file, size: found} of localCopies(content)) {
				if (found !== size || !(await pool.copy({from: file, to: path.join(top, place), content, size}, signal)))
					continue;
				tree.have(n, 255);
				copied++;
				break;
			}
		}
	};
	await Promise.all(Array.from({length: copiesAtOnce}, work));
	signal.throwIfAborted();
	return copied;
}

/** Makes the empty files of a tree, and copies those whose bytes lie in it under another name. */
export async function writeFree(
	{pool}: DownloadHost,
	tree: TreeState,
	top: string,
	signal: AbortSignal,
): Promise<void> {
	const missing = tree.missing();
	if (missing.length === 0) return;
	const there = new Map<string, number>();
	for (const [n, {content}] of tree.files.entries()) if (tree.from[n] !== 0) there.set(content, n);
	try {
		for (const n of missing) {
			const {content, size, place} = tree.files[n]!;
			const to = path.join(top, place);
			const same = there.get(content);
			if (size === 0) await (await open(to, 'w')).close();
			else if (same === undefined) continue;
			else if (!(await pool.copy({from: path.join(top, tree.files[same]!.place), to, content, size}, signal))) continue;
			tree.have(n, 255);
		}
	} catch (error) {
		throw writeError(error, top);
	}
}
