// A folder by its path, through the real program: server, peer, get.
import {readdir, readFile} from 'node:fs/promises';
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

	const none = await runProgram(['get', 'testing_files/nowhere', '--from', '1', ...options]);
	expect(none.code).toBe(3);
});
