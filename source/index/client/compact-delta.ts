import {setImmediate as nextTurn} from 'node:timers/promises';
import {promisify} from 'node:util';
import {zstdCompress} from 'node:zlib';
import {limits} from '../../api/limits.ts';
import type {CatalogChange} from '../../api/schemas.ts';
import {packCompact} from '../compact-changes.ts';
import type {CatalogLog} from './link.ts';

const compress = promisify(zstdCompress);

/** Changes that are read from the catalog at once. */
const pageSize = 1000;
/** Known files of which fewer go as lines: they cost little, and a server looks through the whole catalog for them. */
const leastChanged = 500;
/** The same as a part of all files: one in so many. */
const leastPart = 400;

/**
 * The changes after `from` in columns, compressed, for a server that knows the catalog up to there.
 *
 * @returns undefined where they are better sent as lines: too few, too many, or hardly any of files that it knows; or
 * where they are of another epoch by now
 */
export async function compactDelta(
	catalog: CatalogLog,
	{epoch, from, to}: {epoch: string; from: number; to: number},
	signal: AbortSignal,
): Promise<Buffer | undefined> {
	const least = Math.max(leastChanged, catalog.files / leastPart);
	if (from === 0 || to - from < least) return undefined;
	const changes = new Map<string, CatalogChange>();
	const known = new Set<string>();
	for (let at = from; at < to; ) {
		const page = catalog.changesSince(at, pageSize, from);
		if (page.epoch !== epoch) return undefined;
		for (const change of page.changes) changes.set(change.path, change);
		for (const path of page.known ?? []) known.add(path);
		if (changes.size > limits.compactChanges) return undefined;
		if (page.last || page.to <= at) break;
		at = page.to;
		await nextTurn();
		signal.throwIfAborted();
	}
	if (known.size < least) return undefined;
	const body = await packCompact(changes.values(), known, catalog.files);
	return body && body.length <= limits.compactBytes ? compress(body) : undefined;
}
