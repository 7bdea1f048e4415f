import {createWriteStream} from 'node:fs';
import {pipeline} from 'node:stream/promises';
import {createZstdDecompress} from 'node:zlib';
import {formatAddress} from '../../core/address.ts';
import {P2pError} from '../../core/errors.ts';
import type {Identity} from '../../identity/identity.ts';
import {answeredError, SecureClient} from '../../net/secure-client.ts';
import type {Neighbour} from './cluster-log.ts';

/** Milliseconds that a server may take to make a copy of its index: half a second per million files. */
const copyTimeout = 120_000;

/**
 * Copies the read model of another index server into a file, over TLS with the key that the cluster says it has.
 *
 * @throws P2pError unreachable, wrong-peer, refused, catching-up, disk-full…
 */
export async function fetchReplica(identity: Identity, server: Neighbour, file: string): Promise<void> {
	const client = new SecureClient(identity, {connections: 1});
	try {
		const body = await client.send(server, {path: '/v1/replica', headersTimeout: copyTimeout});
		if (body.statusCode !== 200) throw await answeredError(body, formatAddress(server));
		try {
			await pipeline(body, createZstdDecompress(), createWriteStream(file, {mode: 0o600}));
		} catch (cause) {
			throw new P2pError('source-lost', 'The copy of the index broke off', {cause});
		}
	} finally {
		client.close();
	}
}
