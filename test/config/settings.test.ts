import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {configFile} from '../../source/config/config-file.ts';
import {dataFolderFor, ownDataFolder} from '../../source/config/data-folders.ts';
import {lastServers, rememberServers} from '../../source/config/remembered.ts';
import {environmentFlags, mergeFlags, peerOptions, serverOptions} from '../../source/config/settings.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

describe('peerOptions', () => {
	test('fills in what was not said', () => {
		const options = peerOptions({}, '/data');
		expect(options).toMatchObject({
			dataDir: '/data',
			servers: [],
			shares: [],
			prefix: 'downloaded_',
			downloads: path.resolve('downloads'),
		});
		expect(options.port).toBeUndefined();
		expect(options.name).not.toBe('');
	});

	test('reads addresses with 0 as this machine, and says each thing once', () => {
		const options = peerOptions(
			{server: ['0', '127.0.0.1:45000', 'nas:1'], share: ['a', './a'], prefix: '', host: '0', port: '0'},
			'/data',
		);
		expect(options).toMatchObject({
			servers: ['127.0.0.1:45000', 'nas:1'],
			shares: [path.resolve('a')],
			prefix: '',
			host: '127.0.0.1',
			port: 0,
		});
	});

	test.each([
		{port: '70000'},
		{port: 'x'},
		{server: ['a b']},
		{prefix: '../'},
		{name: ''},
		{name: 'a\u001b[2J'},
		{name: 'x'.repeat(65)},
		{host: '1.2.3'},
	])('refuses %j', flags => {
		expect(() => peerOptions(flags, '/data')).toThrow(expect.objectContaining({code: 'usage', exitCode: 2}));
	});
});

test('flags win over the environment, and that over the file, setting by setting', () => {
	const environment = environmentFlags({P2P_TUI_SERVER: 'a, b:2', P2P_TUI_NAME: 'env'});
	expect(mergeFlags({name: 'flag', server: []}, environment, {name: 'file', port: '1', server: ['c']})).toEqual({
		name: 'flag',
		server: ['a', ' b:2'],
		port: '1',
	});
	expect(serverOptions(mergeFlags({}, {port: '9'}), '/d').port).toBe(9);
});

test('a config file that is wrong is refused by name and place; none is fine', async () => {
	const folder = await tempFolder();
	expect(configFile(folder)).toEqual({});
	const file = path.join(folder, 'config.json');
	await writeFile(file, '{"port": 25001, "share": ["~/music"]}');
	expect(configFile(folder)).toEqual({port: '25001', share: ['~/music']});
	await writeFile(file, '{"share": "music"}');
	expect(() => configFile(folder)).toThrow(/config\.json: share: /);
	await writeFile(file, '{');
	expect(() => configFile(folder)).toThrow(expect.objectContaining({code: 'usage'}));
});

test('the servers used last are remembered, and a damaged record is as none', async () => {
	const folder = await tempFolder();
	expect(lastServers(folder)).toEqual([]);
	await rememberServers(folder, ['nas:45000']);
	expect(lastServers(folder)).toEqual(['nas:45000']);
	await writeFile(path.join(folder, 'last-servers.json'), 'x');
	expect(lastServers(folder)).toEqual([]);
});

test('a data folder that was asked for and is in use is an error; the default one gives way to the next', async () => {
	const folder = path.join(await tempFolder(), 'data');
	const mine = ownDataFolder('peer', folder);
	expect(mine.folder).toBe(folder);
	expect(() => ownDataFolder('peer', folder)).toThrow(
		expect.objectContaining({code: 'in-use', hint: expect.stringContaining('--data-dir')}),
	);
	mine.lock.release();
	expect(path.basename(dataFolderFor('peer', undefined))).toBe('peer');
});

test('a server takes limits on files per peer and on how long it remembers, from flags, environment and file', () => {
	expect(serverOptions({maxFilesPerPeer: '2500000', retentionDays: 7}, '/data')).toMatchObject({
		...{maxFilesPerPeer: 2_500_000, retentionDays: 7},
	});
	const environment = {P2P_TUI_MAX_FILES_PER_PEER: '10', P2P_TUI_RETENTION_DAYS: '90'};
	expect(serverOptions(environmentFlags(environment), '/data')).toMatchObject({maxFilesPerPeer: 10, retentionDays: 90});
	expect(serverOptions({}, '/data')).toMatchObject({maxFilesPerPeer: undefined, retentionDays: undefined});
	for (const flags of [{maxFilesPerPeer: '0'}, {maxFilesPerPeer: 'all'}, {retentionDays: '40000'}])
		expect(() => serverOptions(flags, '/data')).toThrow(/Not a number of/);
});
