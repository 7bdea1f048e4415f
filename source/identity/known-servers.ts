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
	/** One change at a time, each from what the file says then: servers are met side by side. */
	let changing: Promise<unknown> = Promise.resolve();
	const change = (address: string, id: string, {keep}: {keep: boolean}): Promise<void> => {
		const done = changing.then(async () => {
			const pins = read();
			if (keep && pins.has(address)) return compare(address, id, pins.get(address));
			mkdirSync(folder, {recursive: true, mode: 0o700});
			const lines = [...pins.set(address, id)].map(([where, key]) => `${where} ${key}\n`);
			await writeFileAtomic(file, `# Index servers by address, pinned at first use.\n${lines.join('')}`, {mode: 0o600});
		});
		changing = done.catch(() => undefined);
		return done;
	};
	/** @throws P2pError identity-changed */
	const compare = (address: string, id: string, pinned: string | undefined) => {
		if (pinned === id) return;
		throw new P2pError(
			'identity-changed',
			`The server at ${address} shows another key than before: known ${pinned}, now ${id}`,
			{
				hint: `If it was set up anew, accept its key with: p2p-tui trust ${address} ${id} (it is kept in ${file}); if not, somebody may be in between`,
				details: {address, known: pinned, now: id},
			},
		);
	};
	return {
		get: address => read().get(address),
		set: (address, id) => change(address, id, {keep: false}),
		async check(address, id) {
			const pinned = read().get(address);
			if (pinned === undefined) return change(address, id, {keep: true});
			compare(address, id, pinned);
		},
	};
}
