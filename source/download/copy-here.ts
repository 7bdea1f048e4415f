import * as fs from 'node:fs/promises';
import {displayText} from '../core/display.ts';
import {writeError} from './disk-error.ts';
import type {DownloadHost} from './job.ts';
import type {StoredDownload} from './journal.ts';
import {openPart} from './part-file.ts';
import {type Placement, placePart} from './place-file.ts';

/**
 * Makes a wanted file out of one of ours with the same content, where there is one: copied, checked, and given its name,
 * with nothing fetched.
 *
 * @param begins called before a copy is made
 * @returns where it lies now and where it came from; undefined when it has to be fetched
 * @throws P2pError in-use, disk-full, not-writable
 */
export async function copyHere(
	host: DownloadHost,
	{content, size, name}: StoredDownload,
	placement: Placement,
	signal: AbortSignal,
	begins: () => void,
): Promise<{path: string; where: string} | undefined> {
	const copies = size === 0 ? [] : host.localCopies(content).filter(copy => copy.size === size);
	if (copies.length === 0) return undefined;
	begins();
	const where = await copyIntoPart(host, copies, content, size, signal);
	signal.throwIfAborted();
	if (where === undefined) return undefined;
	const part = await openPart(host.folder, content, size);
	let alreadyThere = false;
	try {
		const placed = await placePart(part, placement, file => host.pool.hashFile(file, signal));
		alreadyThere = placed.alreadyThere;
		const message = `${displayText(name)}: copied from ${displayText(where)}, nothing was fetched`;
		host.bus.emit('log', {level: 'info', message});
		return {path: placed.path, where};
	} finally {
		await part.close({remove: alreadyThere});
	}
}

/** @returns where the bytes of the partial file came from; undefined when no copy has the content any more */
async function copyIntoPart(
	{folder, pool}: DownloadHost,
	copies: {file: string; where: string}[],
	content: string,
	size: number,
	signal: AbortSignal,
): Promise<string | undefined> {
	const part = await openPart(folder, content, size);
	const to = `${part.path.slice(0, -'.part'.length)}.copy`;
	let found: string | undefined;
	try {
		for (const {file, where} of copies) {
			if (signal.aborted || !(await pool.copy({from: file, to, content, size}, signal))) continue;
			await fs.rename(to, part.path);
			found = where;
			break;
		}
		return found;
	} catch (error) {
		throw writeError(error, folder);
	} finally {
		await part.close({remove: found === undefined && !part.existed});
	}
}
