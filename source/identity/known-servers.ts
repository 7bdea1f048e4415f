import {mkdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import {P2pError} from '../core/errors.ts';
import {isPeerId} from './peer-id.ts';

/** The server keys seen so far, by address: trust on first use, as SSH has it. */
export type KnownServers = {
	/** The server ID pinned for HOST:PORT. */
	get(address: string): string | undefined;
	/** Pins or replaces. */
	set(address: string, id: string): Promise<void>;
	/**
	 * Pins the key at first use. @throws P2pError identity-changed when another one is pinned: both fingerprints and the
	 * way to accept the new one are in the message
	 */
	check(address: string, id: string): Promise<void>;
};

const fileName = 'known_servers';

/** The known servers of a data folder: one `HOST:PORT ID` a line, `#` for comments; lines that make no sense are kept out. */
export function openKnownServers(folder: string): KnownServers {
	const file = path.join(folder, fileName);
	const read = () => {
		const pins = new Map<string, string>();
		let text = '';
		try {
			text = readFileSync(file, 'utf8');
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
		}
		for (const line of text.split('\n')) {
			const [address, id] = line.trim().split(/\s+/);
			if (address && !address.startsWith('#') && id && isPeerId(id)) pins.set(address, id);
		}
		return pins;
	};
	const known: KnownServers = {
		get: address => read().get(address),
		async set(address, id) {
			mkdirSync(folder, {recursive: true, mode: 0o700});
			const pins = read().set(address, id);
			const lines = [...pins].map(([where, key]) => `${where} ${key}\n`);
			await writeFileAtomic(file, `# Index servers by address, pinned at first use.\n${lines.join('')}`, {mode: 0o600});
		},
		async check(address, id) {
			const pinned = known.get(address);
			if (pinned === undefined) return known.set(address, id);
			if (pinned === id) return;
			throw new P2pError(
				'identity-changed',
				`The server at ${address} shows another key than before: known ${pinned}, now ${id}`,
				{
					hint: `If it was set up anew, delete its line from ${file} and connect again; if not, somebody may be in between`,
					details: {address, known: pinned, now: id},
				},
			);
		},
	};
	return known;
}
