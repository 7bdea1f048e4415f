import {readFileSync} from 'node:fs';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import {P2pError} from '../core/errors.ts';
import {isPeerId} from './peer-id.ts';

/** A private network that this data folder's key is a member of. */
export type KnownNetwork = {
	/** Server ID. */
	server: string;
	/** HOST:PORT where it was joined or met last. */
	address: string;
	name: string;
	/** The newest membership, as it is shown to other members. */
	membership: string;
	/** 32 bytes in hex that only members know. */
	networkKey: string;
	/** Milliseconds by which the server's clock is ahead of ours. */
	clock: number;
};

const fileName = 'memberships.json';

/**
 * The private networks of a data folder.
 *
 * @throws P2pError bad-database when the file is damaged: what is private must not become open by that
 */
export function knownNetworks(folder: string): KnownNetwork[] {
	const file = path.join(folder, fileName);
	try {
		const {networks} = JSON.parse(readFileSync(file, 'utf8')) as {networks: KnownNetwork[]};
		if (networks.every(isNetwork)) return networks;
		throw new Error('it is not what was written');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
		throw new P2pError('bad-database', `The memberships in ${file} cannot be read: ${(error as Error).message}`, {
			hint: 'Move it away: the servers know this peer and sign new ones',
			cause: error,
		});
	}
}

/** Remembers a network, in place of what was known of it. */
export async function keepNetwork(folder: string, network: KnownNetwork): Promise<void> {
	const others = knownNetworks(folder).filter(({server}) => server !== network.server);
	await write(folder, [...others, network]);
}

/** Forgets the network of an address or server ID. @returns what it was */
export async function forgetNetwork(folder: string, where: string): Promise<KnownNetwork | undefined> {
	const all = knownNetworks(folder);
	const found = all.find(({server, address}) => server === where || address === where);
	if (found)
		await write(
			folder,
			all.filter(network => network !== found),
		);
	return found;
}

async function write(folder: string, networks: KnownNetwork[]): Promise<void> {
	await writeFileAtomic(path.join(folder, fileName), `${JSON.stringify({networks}, undefined, '\t')}\n`, {mode: 0o600});
}

function isNetwork(value: KnownNetwork): boolean {
	const {server, address, name, membership, networkKey, clock} = value;
	const texts = [address, name, membership].every(text => typeof text === 'string');
	return texts && isPeerId(server) && isPeerId(networkKey) && Number.isFinite(clock);
}
