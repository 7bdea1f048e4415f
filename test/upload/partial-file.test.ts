// Serving what is still being downloaded.
import {randomBytes} from 'node:crypto';
import {rename, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, test} from 'vitest';
import {pieceSizeFor} from '../../source/content/content-id.ts';
import {decodePieceLayer} from '../../source/content/piece-layer.ts';
import {fetchFrom, hashFile, uploadServer} from '../helpers/upload.ts';

/** A server that has verified pieces 0 and 2 of four; the others are holes. */
async function partialServer() {
	const running = await uploadServer();
	const {catalog} = running;
	const bytes = randomBytes(4 * pieceSizeFor(1) - 1000);
	const whole = path.join(catalog.folder, 'whole');
	await writeFile(whole, bytes);
	const {content, size, pieceSize, pieceLayer} = await hashFile(whole);
	await rm(whole);
	const file = path.join(catalog.folder, `${content}.part`);
	const there = Buffer.from(bytes);
	for (const piece of [1, 3]) there.fill(0, piece * pieceSize, Math.min(size, (piece + 1) * pieceSize));
	await writeFile(file, there);
	const have = new Uint8Array([0b1010_0000]);
	const partial = {content, name: 'film.bin', file, folder: catalog.folder, size, have, layer: pieceLayer};
	catalog.partials.set(content, partial);
	const get = (range?: string, url = `/v1/files/${content}`) =>
		fetchFrom(running.port, url, range ? {headers: {range: `bytes=${range}`}} : {});
	return {...running, bytes, content, size, pieceSize, partial, get};
}

test('says which pieces it has', async () => {
	const {content, size, partial, get} = await partialServer();
	const ask = async () => decodePieceLayer((await get(undefined, `/v1/files/${content}/pieces`)).body, content, size);
	expect((await ask()).have).toEqual(Buffer.from([0b1010_0000]));
	partial.have[0] = 0b1110_0000;
	expect((await ask()).have).toEqual(Buffer.from([0b1110_0000]));
});

test('serves ranges inside verified pieces, and no byte of the others', async () => {
	const {bytes, pieceSize, size, partial, get, events} = await partialServer();
	const second = await get(`${2 * pieceSize}-${3 * pieceSize - 1}`);
	expect(second.status).toBe(206);
	expect(second.body.equals(bytes.subarray(2 * pieceSize, 3 * pieceSize))).toBe(true);
	expect((await get(`100-199`)).body.equals(bytes.subarray(100, 200))).toBe(true);
	for (const range of [
		undefined,
		`${pieceSize}-${2 * pieceSize - 1}`,
		`0-${pieceSize}`,
		`${2 * pieceSize - 1}-${2 * pieceSize}`,
		'-1',
	]) {
		const refused = await get(range);
		expect(refused.status).toBe(404);
		expect(JSON.parse(refused.body.toString())).toMatchObject({code: 'not-found', details: {pieces: 4, here: 2}});
	}
	// A piece more: at once.
	await writeFile(partial.file, bytes);
	partial.have[0] = 0b1111_0000;
	expect((await get()).body.equals(bytes)).toBe(true);
	expect((await get(`${size}-`)).status).toBe(416);
	expect(events.every(({name}) => name === 'film.bin')).toBe(true);
});

test('goes on from the finished file when it is shared, else has nothing more', async () => {
	const {catalog, bytes, content, partial, pieceSize, get} = await partialServer();
	expect((await get(`0-9`)).status).toBe(206);
	const finished = path.join(catalog.folder, 'film.bin');
	await writeFile(partial.file, bytes);
	await rename(partial.file, finished);
	catalog.partials.delete(content);
	expect((await get('0-9')).status).toBe(404);
	await catalog.add('film.bin');
	expect((await get(`${pieceSize}-`)).body.equals(bytes.subarray(pieceSize))).toBe(true);
});

test('serves nothing of a download that was begun anew in between', async () => {
	const {catalog, content, partial, get, bugs} = await partialServer();
	const before = {...partial};
	let asked = 0;
	catalog.partial = () => (asked++ === 0 ? before : {...partial, have: new Uint8Array([0])});
	expect((await get('0-9')).status).toBe(404);
	expect(asked).toBe(2);
	expect(bugs).toEqual([]);
	expect(content).toHaveLength(64);
});

test('a partial file that has gone is not found', async () => {
	const {partial, get} = await partialServer();
	await rm(partial.file);
	expect((await get('0-9')).status).toBe(404);
});
