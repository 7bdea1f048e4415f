import {randomBytes} from 'node:crypto';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {diskError} from '../../core/errors.ts';

const idPattern = /^[0-9a-f]{32}$/;

/**
 * What tells this server from the others of its cluster, also where they share one key. It is of the data folder, so
 * that a server that starts again takes the place of its earlier process.
 *
 * @throws P2pError not-readable, not-writable, disk-full
 */
export function serverInstance(dataDir: string): string {
	const file = path.join(dataDir, 'cluster-server');
	try {
		const known = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
		if (idPattern.test(known)) return known;
		const made = randomBytes(16).toString('hex');
		writeFileSync(file, `${made}\n`, {mode: 0o600});
		return made;
	} catch (error) {
		throw diskError(error, `Cannot use ${file}`);
	}
}
