import {createZstdCompress} from 'node:zlib';
import {Client} from 'undici';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import {tlsOptions} from '../../source/net/tls-options.ts';
import type {Corpus} from './corpus.ts';

/** The epoch of everyone's catalog. */
export const catalogEpoch = 'ab'.repeat(16);
/** Peers that register at the same time, unless said otherwise. */
const usualLanes = 4;

export type RegisterResult = {files: number; seconds: number};
/** What a peer sends. */
export type Upload = {identity: Identity; body: Buffer};

/** The uploads of a corpus by peer. Making up names is not the server's work: they are ready before the clock starts. */
export async function prepareUploads(corpus: Corpus, most = 1_000_000): Promise<Map<number, Promise<Upload>>> {
	const prepared = new Map<number, Promise<Upload>>();
	const ahead = corpus.files <= most ? corpus.peers : 4;
	for (let peer = 0; peer < ahead; peer++) prepared.set(peer, Promise.resolve(await makeUpload(corpus, peer)));
	return prepared;
}

/** Registers the whole corpus through the API, every peer under a key of its own, as its client sends it: NDJSON in zstd. */
export async function registerAll(
	port: number,
	corpus: Corpus,
	uploads?: Map<number, Promise<Upload>>,
	lanes = usualLanes,
): Promise<RegisterResult> {
	let next = 0;
	let files = 0;
	const prepared = new Map(uploads ?? (await prepareUploads(corpus)));
	// Each once: what another lane has taken already is not there any more, and is not to be made again.
	let made = Math.max(-1, ...prepared.keys());
	const prepare = (upTo: number) => {
		while (made < Math.min(upTo, corpus.peers - 1)) prepared.set(++made, makeUpload(corpus, made));
	};
	const started = performance.now();
	await Promise.all(
		Array.from({length: lanes}, async () => {
			for (let peer = next++; peer < corpus.peers; peer = next++) {
				prepare(peer);
				const {identity, body} = (await prepared.get(peer)) as Upload;
				prepared.delete(peer);
				// Not `files += await`: that takes what it adds to before it waits, and loses what other lanes add meanwhile.
				const taken = await upload(port, identity, peer, corpus.perPeer, body);
				files += taken;
				prepare(peer + lanes);
			}
		}),
	);
	return {files, seconds: (performance.now() - started) / 1000};
}

async function makeUpload(corpus: Corpus, peer: number): Promise<Upload> {
	const identity = await temporaryIdentity();
	const zstd = createZstdCompress();
	const chunks: Buffer[] = [];
	zstd.on('data', chunk => chunks.push(chunk));
	let lines = '';
	for (const change of corpus.catalog(peer)) lines += `${JSON.stringify(change)}\n`;
	zstd.end(lines);
	await new Promise(resolve => zstd.once('end', resolve));
	return {identity, body: Buffer.concat(chunks)};
}

async function upload(port: number, identity: Identity, peer: number, files: number, body: Buffer): Promise<number> {
	const client = new Client(`https://127.0.0.1:${port}`, {connect: {...tlsOptions(identity)}, headersTimeout: 0});
	const epoch = catalogEpoch;
	try {
		const call = async (method: 'PUT' | 'POST', path: string, type: string, data: string | Buffer) => {
			const encoding = typeof data === 'string' ? {} : {'content-encoding': 'zstd'};
			const {statusCode, body: answer} = await client.request({
				...{method, path, body: data, headers: {'content-type': type, ...encoding}},
			});
			const value = (await answer.json()) as {files: number; rejectedCount: number};
			if (statusCode !== 200 || value.rejectedCount > 0)
				throw new Error(`${path}: ${statusCode} ${JSON.stringify(value)}`);
			return value;
		};
		const registration = {name: `peer ${peer}`, port: 25_000, epoch, version: files};
		await call('PUT', '/v1/peers/me', 'application/json', JSON.stringify(registration));
		const path = `/v1/peers/me/files?epoch=${epoch}&from=0&to=${files}`;
		return (await call('POST', path, 'application/x-ndjson', body)).files;
	} finally {
		await client.close();
	}
}
