import {expect, test} from 'vitest';
import {browseResponseSchema, errorBodySchema, peerNodeInfoSchema} from '../../source/api/schemas.ts';
import {decodePieceLayer} from '../../source/content/piece-layer.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {SecureClient} from '../../source/net/secure-client.ts';
import {fetchFrom, someBytes, uploadServer} from '../helpers/upload.ts';

test('GET /v1 says who this is and how much it shares', async () => {
	const {catalog, port, identity} = await uploadServer();
	await catalog.write('1.txt', 'hello');
	const client = new SecureClient(await temporaryIdentity());
	const target = {host: '127.0.0.1', port, id: identity.id};
	const info = await client.json(target, {path: '/v1', schema: peerNodeInfoSchema});
	await client.close();
	expect(info).toEqual({kind: 'peer', id: identity.id, name: 'alice', version: '1.2.3', files: 1, bytes: 5});
});

test('the pieces route gives the piece layer that belongs to the content', async () => {
	const {catalog, port} = await uploadServer();
	const several = await catalog.write('1.bin', someBytes(1_000_000));
	const empty = await catalog.write('empty', '');
	for (const {content, size} of [several, empty]) {
		const answer = await fetchFrom(port, `/v1/files/${content}/pieces`);
		expect(answer.headers['content-type']).toBe('application/octet-stream');
		const pieces = decodePieceLayer(answer.body, content, size);
		expect(pieces).toMatchObject({size, pieceSize: 262_144});
		expect(pieces.layer.length).toBe(Math.ceil(size / 262_144) * 32);
	}
});

test('browse and search answer from the catalog, and say what is wrong with a question', async () => {
	const {catalog, port, bugs} = await uploadServer();
	await catalog.write('music/ümlaut song.flac', 'la la');
	const ask = async (url: string) => {
		const {status, body} = await fetchFrom(port, url);
		const json = JSON.parse(body.toString());
		return status === 200 ? browseResponseSchema.parse(json).entries : `${status} ${errorBodySchema.parse(json).code}`;
	};
	const entry = {type: 'file', path: 'share/music/ümlaut song.flac', size: 5};
	expect(await ask('/v1/browse')).toMatchObject([entry]);
	expect(await ask(`/v1/browse?path=${encodeURIComponent('share/music/')}`)).toMatchObject([entry]);
	expect(await ask('/v1/browse?path=nothing')).toBe('404 not-found');
	expect(await ask('/v1/browse?path=share/../..')).toBe('400 bad-name');
	expect(await ask('/v1/browse?path=a%00b')).toBe('400 bad-name');
	expect(await ask('/v1/browse?path=a&path=b')).toBe('400 bad-request');
	expect(await ask('/v1/search?q=song')).toMatchObject([entry]);
	expect(await ask('/v1/search?q=nothing')).toEqual([]);
	expect(await ask('/v1/search')).toBe('400 bad-request');
	expect(await ask('/v1/search?q=a&limit=0')).toBe('400 bad-request');
	expect(await ask(`/v1/search?q=${'a'.repeat(300)}`)).toBe('400 bad-query');
	expect(bugs).toEqual([]);
});

test('a bug in the catalog is told here, not to the caller', async () => {
	const {catalog, port, bugs} = await uploadServer();
	catalog.find = () => {
		throw new TypeError('secret inner thing');
	};
	const answer = await fetchFrom(port, `/v1/files/${'a'.repeat(64)}`);
	expect(answer.status).toBe(500);
	expect(answer.body.toString()).not.toContain('secret');
	expect(bugs).toEqual(['File server: secret inner thing']);
});
