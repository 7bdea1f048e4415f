// A folder by its path, through the real program: server, peer, get.
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, test} from 'vitest';
import {projectPath, startPeer, startServer} from '../helpers/network.ts';
import {runProgram} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

test('get of a path from ls fetches the folder, or the file, from that peer', async () => {
	const server = await startServer();
	await startPeer({server: server.address, name: 'alice'});
	const folder = await tempFolder();
	const options = [
		'--server',
		server.address,
		'--data-dir',
		path.join(folder, 'data'),
		'--downloads',
		folder,
		'--json',
	];
	const got = await runProgram(['get', 'testing_files/notes', '--from', 'alice', ...options]);
	expect(got.code).toBe(0);
	const lines = got.stdout
		.trim()
		.split('\n')
		.map(line => JSON.parse(line));
	const place = path.join(folder, 'downloaded_notes');
	expect(lines.at(-1)).toMatchObject({event: 'download-finished', name: 'notes', path: place, alreadyThere: false});
	expect(lines.filter(({event}) => event === 'download-started')).toHaveLength(1);
	const original = projectPath('testing_files', 'notes');
	const names = await readdir(original, {recursive: true});
	expect((await readdir(place, {recursive: true})).sort()).toEqual(names.sort());
	const table = 'timetable.csv';
	expect((await readFile(path.join(place, table))).equals(await readFile(path.join(original, table)))).toBe(true);

	const file = await runProgram(['get', `testing_files/notes/${table}`, '--from', '1', ...options]);
	expect(JSON.parse(file.stdout.trim().split('\n').at(-1)!)).toMatchObject({
		path: path.join(folder, `downloaded_${table}`),
	});

	// As a link, which names peer and server: nothing else is needed, and nothing is remembered from it.
	const listed = await runProgram(['ls', '1', 'testing_files', ...options]);
	const links = Object.fromEntries(listed.events.map(entry => [entry.path, String(entry.link)]));
	const elsewhere = await tempFolder();
	const alone = ['--data-dir', path.join(elsewhere, 'data'), '--downloads', elsewhere, '--json'];
	const linked = await runProgram(['get', links['testing_files/notes']!, ...alone]);
	expect(linked.events.at(-1), linked.stderr).toMatchObject({path: path.join(elsewhere, 'downloaded_notes')});
	const byContent = await runProgram(['get', links['testing_files/1.txt']!, ...alone]);
	expect(byContent.events.at(-1), byContent.stderr).toMatchObject({path: path.join(elsewhere, 'downloaded_1.txt')});
	const found = await runProgram(['search', '1.txt', ...options]);
	expect(found.events[0]?.link).toBe(links['testing_files/1.txt']);
	const twice = await runProgram(['get', links['testing_files/notes']!, '--from', '1', ...alone]);
	expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('leave --from out')]);

	const none = await runProgram(['get', 'testing_files/nowhere', '--from', '1', ...options]);
	expect(none.code).toBe(3);
});

test('empty folders and empty files of a real share arrive, also those made while it is shared', async () => {
	const folder = await tempFolder();
	const share = path.join(folder, 'box');
	await mkdir(path.join(share, 'full', 'hollow', 'deep'), {recursive: true});
	await mkdir(path.join(share, 'nothing'));
	await writeFile(path.join(share, 'full', 'zero.txt'), '');
	await writeFile(path.join(share, 'full', 'one.txt'), 'one');
	const server = await startServer();
	const alice = await startPeer({server: server.address, name: 'alice', shares: [share]});
	await mkdir(path.join(share, 'full', 'late'));
	// The file behind it says when the folder has been seen.
	await writeFile(path.join(share, 'full', 'two.txt'), 'two');
	await alice.event('registered', event => event.files === 3);
	const get = async (wanted: string) => {
		const options = ['--server', server.address, '--data-dir', path.join(folder, 'me'), '--downloads', folder];
		const {code, stdout, stderr, events} = await runProgram(['get', wanted, '--from', 'alice', ...options, '--json']);
		expect(code, stdout + stderr).toBe(0);
		return readdir(String(events.at(-1)?.path), {recursive: true});
	};
	expect((await get('box/full')).sort()).toEqual(
		['hollow', 'hollow/deep', 'late', 'one.txt', 'two.txt', 'zero.txt'].map(path.normalize),
	);
	expect(await get('box/nothing')).toEqual([]);
	expect((await get('box')).sort()).toEqual(
		[
			...['full', 'full/hollow', 'full/hollow/deep', 'full/late', 'full/one.txt', 'full/two.txt', 'full/zero.txt'],
			'nothing',
		].map(path.normalize),
	);
});
