import {chmod, chown, mkdir, readdir, stat, symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {lockFolder} from '../../source/core/folder-lock.ts';
import {protectFolder} from '../../source/core/private-folder.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

describe.skipIf(process.platform === 'win32')('a data folder', () => {
	test('is made for its owner alone, and so is the lock in it, whatever the umask', async () => {
		const folder = path.join(await tempFolder(), 'deep', 'data');
		const before = process.umask(0);
		try {
			const lock = lockFolder(folder);
			expect(lock?.mended).toEqual([]);
			for (const name of await readdir(folder))
				expect([name, await modeOf(path.join(folder, name))]).toEqual([name, 0o600]);
			lock?.release();
		} finally {
			process.umask(before);
		}
		expect(await modeOf(folder)).toBe(0o700);
		expect(protectFolder(folder)).toEqual([]);
	});

	test('that others can read is mended and told, its files of ours as well and nothing else', async () => {
		const folder = await tempFolder();
		const others = path.join(await tempFolder(), 'target');
		await writeFile(others, '', {mode: 0o644});
		await mkdir(path.join(folder, 'downloads'), {mode: 0o755});
		for (const name of ['catalog.db', 'catalog.db-wal', 'known_servers', 'p2p-tui.log.1', 'holiday.jpg', 'downloads/a'])
			await writeFile(path.join(folder, name), '', {mode: 0o644});
		await symlink(others, path.join(folder, 'index.db'));
		await chmod(folder, 0o755);
		expect(protectFolder(folder).sort()).toEqual(
			[folder, 'catalog.db', 'catalog.db-wal', 'known_servers', 'p2p-tui.log.1'].sort(),
		);
		expect(await modeOf(folder)).toBe(0o700);
		for (const name of ['catalog.db', 'catalog.db-wal', 'known_servers', 'p2p-tui.log.1'])
			expect(await modeOf(path.join(folder, name))).toBe(0o600);
		for (const file of [path.join(folder, 'holiday.jpg'), path.join(folder, 'downloads', 'a'), others])
			expect(await modeOf(file)).toBe(0o644);
		expect(protectFolder(folder)).toEqual([]);
	});

	test('that others can write into is refused, with the way out', async () => {
		const folder = await tempFolder();
		for (const mode of [0o770, 0o707, 0o1777]) {
			await chmod(folder, mode);
			expect(() => protectFolder(folder)).toThrow(
				expect.objectContaining({code: 'unsafe-folder', hint: expect.stringContaining('chmod 700')}),
			);
			expect((await stat(folder)).mode & 0o1777).toBe(mode);
		}
	});

	test('under a file is told as what it is', async () => {
		const file = path.join(await tempFolder(), 'file');
		await writeFile(file, '');
		expect(() => protectFolder(path.join(file, 'data'))).toThrow(expect.objectContaining({name: 'P2pError'}));
	});

	// Only root can make a folder that belongs to somebody else, and then it is root that may use it.
	test.runIf(process.getuid?.() === 0)("of another user is root's to use", async () => {
		const folder = await tempFolder();
		await chown(folder, 65_534, 65_534);
		expect(protectFolder(folder)).toEqual([]);
	});
});
