import {generateKeyPairSync} from 'node:crypto';
import {chmod, readFile, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {loadIdentity} from '../../source/identity/identity.ts';
import {openKnownServers} from '../../source/identity/known-servers.ts';
import {exportKey, importKey} from '../../source/identity/move-key.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

describe('a key', () => {
	test('moves to another folder with its ID', async () => {
		const [here, there] = [await tempFolder(), path.join(await tempFolder(), 'new')];
		const file = path.join(await tempFolder(), 'key.pem');
		const id = await exportKey(here, file);
		expect(id).toBe((await loadIdentity(here)).id);
		expect((await stat(file)).mode & 0o777).toBe(0o600);
		expect(importKey(there, file)).toEqual({id});
		expect((await loadIdentity(there)).id).toBe(id);
		expect((await stat(path.join(there, 'identity.key'))).mode & 0o777).toBe(0o600);
		expect(importKey(there, file)).toEqual({id});
	});

	test('is not exported over a file, nor where there is no folder', async () => {
		const folder = await tempFolder();
		const file = path.join(await tempFolder(), 'letter.txt');
		await writeFile(file, 'dear');
		await expect(exportKey(folder, file)).rejects.toMatchObject({code: 'not-writable'});
		expect(await readFile(file, 'utf8')).toBe('dear');
		await expect(exportKey(folder, path.join(file, 'x'))).rejects.toMatchObject({name: 'P2pError'});
	});

	test('gives way to another only by force, and is kept each time', async () => {
		const folder = await tempFolder();
		const first = await loadIdentity(folder);
		const files = [path.join(await tempFolder(), 'a'), path.join(await tempFolder(), 'b')];
		const ids = [await exportKey(await tempFolder(), files[0]!), await exportKey(await tempFolder(), files[1]!)];
		expect(() => importKey(folder, files[0]!)).toThrow(
			expect.objectContaining({code: 'refused', hint: expect.stringContaining('--force')}),
		);
		expect((await loadIdentity(folder)).id).toBe(first.id);
		const old = path.join(folder, 'identity.key.old');
		expect(importKey(folder, files[0]!, {force: true})).toEqual({id: ids[0], kept: old});
		expect(importKey(folder, files[1]!, {force: true})).toEqual({id: ids[1], kept: `${old}-2`});
		expect(await readFile(old, 'utf8')).toBe(first.keyPem);
		expect(await loadIdentity(folder)).toMatchObject({id: ids[1]});
	});

	test('that is none is refused, and nothing changes', async () => {
		const folder = await tempFolder();
		const file = path.join(await tempFolder(), 'key');
		const rsa = generateKeyPairSync('rsa', {modulusLength: 2048}).privateKey.export({type: 'pkcs8', format: 'pem'});
		const locked = generateKeyPairSync('ed25519').privateKey.export({
			type: 'pkcs8',
			format: 'pem',
			cipher: 'aes-256-cbc',
			passphrase: 'x',
		});
		for (const text of ['', 'hello', rsa, locked, 'x'.repeat(100_000)]) {
			await writeFile(file, text);
			expect(() => importKey(folder, file, {force: true})).toThrow(expect.objectContaining({code: 'bad-key'}));
		}
		expect(() => importKey(folder, path.join(folder, 'missing'))).toThrow(expect.objectContaining({code: 'not-found'}));
		await expect(stat(path.join(folder, 'identity.key'))).rejects.toThrow('ENOENT');
	});

	test('does not go into a folder that others can write', async () => {
		const folder = await tempFolder();
		const file = path.join(await tempFolder(), 'key');
		await exportKey(await tempFolder(), file);
		await chmod(folder, 0o777);
		expect(() => importKey(folder, file)).toThrow(expect.objectContaining({code: 'unsafe-folder'}));
		await chmod(folder, 0o700);
	});
});

test('servers that are met at the same moment are all pinned, and of two keys at one address the first', async () => {
	const folder = await tempFolder();
	const known = openKnownServers(folder);
	const ids = Array.from({length: 20}, (_, i) => i.toString(16).padStart(64, '0'));
	await Promise.all(ids.map((id, i) => known.check(`host:${i + 1}`, id)));
	for (const [i, id] of ids.entries()) expect(openKnownServers(folder).get(`host:${i + 1}`)).toBe(id);
	const [first, second] = await Promise.allSettled([known.check('x:1', ids[1]!), known.check('x:1', ids[2]!)]);
	expect([first.status, second]).toEqual([
		'fulfilled',
		{status: 'rejected', reason: expect.objectContaining({code: 'identity-changed'})},
	]);
	expect(known.get('x:1')).toBe(ids[1]);
});
