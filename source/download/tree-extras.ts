import * as fs from 'node:fs/promises';
import path from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {pieceSizeFor} from '../content/content-id.ts';
import {displayText} from '../core/display.ts';
import {P2pError} from '../core/errors.ts';
import {writeError} from './disk-error.ts';
import type {OpenTree, TreeState} from './tree-state.ts';

/** Names that are told of those set aside. */
const named = 3;
const entriesPerTurn = 1000;

/** What was moved out of a tree's folder: into which folder, how many entries, and the first of their names. */
export type SetAside = {folder: string; count: number; names: string[]};

/**
 * Moves out of a tree's folder what is not of the tree: whatever others put there while it was gathered, and what lies
 * where a large file belongs but is not that file. Nothing is deleted: it goes into a folder beside.
 *
 * @param all the tree is complete: each of its files must be there
 * @returns undefined when there was nothing
 * @throws P2pError changed when one of its files is gone; not-writable, disk-full
 */
export async function setAsideExtras(
	{folder: {path: top}, folders}: OpenTree,
	tree: TreeState,
	all: boolean,
): Promise<SetAside | undefined> {
	const files = new Map<string, number>();
	for (const [n, {place}] of tree.files.entries()) {
		files.set(keyOf(place), n);
		if (n % entriesPerTurn === 0) await nextTurn();
	}
	const inside = new Set(folders.map(folder => keyOf(relative(top, folder))));
	let aside: SetAside | undefined;
	let found = 0;
	try {
		for (const folder of folders) {
			const within = relative(top, folder);
			for await (const entry of await fs.opendir(folder, {bufferSize: entriesPerTurn})) {
				const place = within === '' ? entry.name : `${within}/${entry.name}`;
				const n = files.get(keyOf(place));
				const mayBe = n !== undefined && entry.isFile() && !isWrongLarge(tree, n);
				if (mayBe) found++;
				if (mayBe || (entry.isDirectory() && inside.has(keyOf(place)))) continue;
				aside ??= {folder: await fs.mkdtemp(`${top.slice(0, -'.tree'.length)}.extra-`), count: 0, names: []};
				await moveInto(aside.folder, top, place);
				if (aside.count++ < named) aside.names.push(place);
			}
		}
	} catch (error) {
		throw writeError(error, top);
	}
	if (all && found < tree.files.length)
		throw new P2pError('changed', `Somebody replaced or removed files in ${displayText(top)}`, {
			hint: 'Retry the download: only those are fetched again',
		});
	return aside;
}

/** What was set aside, in words. */
export function describeAside({folder, count, names}: SetAside): string {
	const more = count > names.length ? ' and more' : '';
	const what = count === 1 ? 'entry is' : 'entries are';
	return `${count} ${what} not of this folder (${displayText(names.join(', '))}${more}): left out, now in ${displayText(folder)}`;
}

/** Large files are put there once they are complete: another one in such a place is not ours. Small ones are replaced. */
function isWrongLarge(tree: TreeState, n: number): boolean {
	const {size} = tree.files[n]!;
	return tree.from[n] === 0 && size > pieceSizeFor(size);
}

async function moveInto(folder: string, top: string, place: string): Promise<void> {
	const to = path.join(folder, place);
	await fs.mkdir(path.dirname(to), {recursive: true});
	await fs.rename(path.join(top, place), to);
}

function relative(top: string, inside: string): string {
	return path.relative(top, inside).split(path.sep).join('/');
}

/** macOS may list a name composed otherwise than it was written. */
function keyOf(place: string): string {
	return process.platform === 'darwin' ? place.normalize('NFC') : place;
}
