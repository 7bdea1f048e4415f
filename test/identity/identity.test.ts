import {X509Certificate} from 'node:crypto';
import {chmod, readFile, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {loadIdentity} from '../../source/identity/identity.ts';
import {openKnownServers} from '../../source/identity/known-servers.ts';
import {isPeerId, peerIdOfKey} from '../../source/identity/peer-id.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

describe('the identity of a data folder', () => {
	test('is made once, for its owner alone, and carried by its certificate', async () => {
		const folder = path.join(await tempFolder(), 'data');
		const first = await loadIdentity(folder);
		const second = await loadIdentity(folder);
		expect(isPeerId(first.id)).toBe(true);
		expect(second).toMatchObject({id: first.id, certificatePem: first.certificatePem});
		const certificate = new X509Certificate(first.certificatePem);
		expect(peerIdOfKey(certificate.publicKey)).toBe(first.id);
		expect(certificate.verify(certificate.publicKey)).toBe(true);
		expect((await stat(folder)).mode & 0o777).toBe(0o700);
		expect((await stat(path.join(folder, 'identity.key'))).mode & 0o777).toBe(0o600);
	});

	test('is one and the same for two starts at the same moment', async () => {
		const folder = await tempFolder();
		const all = await Promise.all(Array.from({length: 8}, () => loadIdentity(folder)));
		expect(new Set(all.map(identity => identity.id)).size).toBe(1);
	});

	test('is refused when others can read the key, with the command that mends it', async () => {
		const folder = await tempFolder();
		await loadIdentity(folder);
		await chmod(path.join(folder, 'identity.key'), 0o644);
		await expect(loadIdentity(folder)).rejects.toMatchObject({
			code: 'bad-key',
			hint: expect.stringContaining('chmod 600'),
		});
	});

	test('is refused, not replaced, when the key is damaged', async () => {
		const folder = await tempFolder();
		const file = path.join(folder, 'identity.key');
		await writeFile(file, 'not a key', {mode: 0o600});
		await expect(loadIdentity(folder)).rejects.toMatchObject({
			code: 'bad-key',
			hint: expect.stringContaining('backup'),
		});
		expect(await readFile(file, 'utf8')).toBe('not a key');
	});

	test('gets a new certificate when the stored one is for another key', async () => {
		const [a, b] = [await tempFolder(), await tempFolder()];
		const first = await loadIdentity(a);
		await loadIdentity(b);
		await writeFile(path.join(b, 'identity.crt'), first.certificatePem);
		const second = await loadIdentity(b);
		expect(peerIdOfKey(new X509Certificate(second.certificatePem).publicKey)).toBe(second.id);
	});
});

describe('known servers', () => {
	const [one, two] = ['1'.repeat(64), '2'.repeat(64)];

	test('a key is pinned at first use and another one refused with both fingerprints and the way out', async () => {
		const folder = await tempFolder();
		await openKnownServers(folder).check('nas:45000', one);
		const known = openKnownServers(folder);
		await known.check('nas:45000', one);
		await known.check('other:45000', two);
		const refusal = known.check('nas:45000', two);
		await expect(refusal).rejects.toMatchObject({
			code: 'identity-changed',
			exitCode: 6,
			hint: expect.stringContaining('known_servers'),
		});
		await expect(refusal).rejects.toThrow(new RegExp(`${one}.*${two}`));
		expect(known.get('nas:45000')).toBe(one);
	});

	test('a damaged line costs that line alone', async () => {
		const folder = await tempFolder();
		await writeFile(path.join(folder, 'known_servers'), `rubbish\nnas:1 short\n# a comment\nnas:2 ${one}\n`);
		const known = openKnownServers(folder);
		expect([known.get('nas:1'), known.get('nas:2')]).toEqual([undefined, one]);
	});
});
