import {constants} from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import {diskError, P2pError, systemCode} from '../core/errors.ts';

const maxNameBytes = 255;

/** A folder that can be shared: its real path, and what tells it from another in its place. */
export type ShareFolder = {folder: string; identity: string};

/**
 * Follows links in the path of a folder to be shared, and checks that it can be read.
 *
 * @throws P2pError not-found, usage (not a folder), not-readable
 */
export async function checkShareFolder(folder: string): Promise<ShareFolder> {
	const doing = `Cannot share ${folder}`;
	try {
		const real = await fs.realpath(path.resolve(folder));
		const stats = await fs.stat(real, {bigint: true});
		if (!stats.isDirectory())
			throw new P2pError('usage', `${doing}: it is not a folder`, {hint: 'Share the folder that the file is in'});
		await fs.access(real, constants.R_OK | constants.X_OK);
		return {folder: real, identity: `${stats.dev}:${stats.ino}`};
	} catch (error) {
		if (error instanceof P2pError) throw error;
		const told = diskError(error, doing);
		if (!(told instanceof P2pError)) throw new P2pError('not-readable', `${doing}: ${String(error)}`, {cause: error});
		const hints: Record<string, string> = {
			ENOENT: 'Check the spelling, or make the folder first',
			EACCES: 'Give yourself the right to read it, or share another folder',
		};
		throw new P2pError(told.code, told.message, {hint: hints[systemCode(error) ?? ''] ?? told.hint, cause: error});
	}
}

/** Whether `inner` is `outer` or lies in it. Both absolute and real. */
export function isInside(inner: string, outer: string): boolean {
	const relative = path.relative(outer, inner);
	return relative === '' || (relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative));
}

/** A share's name: its folder's own name made fit for a path, with a number when another share has it. */
export function shareName(folder: string, taken: Iterable<string>): string {
	const own = path.basename(folder).replace(/^\.+/, '');
	let name = own.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\:*?"<>|]/gu, '_') || 'root';
	// Room for a number, without cutting a character in two.
	while (Buffer.byteLength(name) > maxNameBytes - 8) name = [...name].slice(0, -1).join('');
	// Some systems do not tell Music from music.
	const others = new Set([...taken].map(other => other.toLowerCase()));
	for (let number = 1; ; number++) {
		const candidate = number === 1 ? name : `${name} (${number})`;
		if (!others.has(candidate.toLowerCase())) return candidate;
	}
}
