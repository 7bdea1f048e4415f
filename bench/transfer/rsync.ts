import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {endProcess, findProgram, freePort, type Rival, startServer} from './contestant.ts';
import {runMeasured} from './measure.ts';

/** rsync from its own daemon: no encryption, a whole-file checksum on the way. */
export const rsync: Rival = async (workload, scratch) => {
	const program = findProgram('rsync');
	if (!program) return 'rsync is not installed';
	const port = await freePort();
	const config = path.join(scratch, 'rsyncd.conf');
	const root = process.getuid?.() === 0 ? 'uid = root\ngid = root\n' : '';
	await writeFile(config, `use chroot = no\n${root}[files]\npath = ${workload.folder}\nread only = yes\n`);
	const args = ['--daemon', '--no-detach', '--address=127.0.0.1', `--port=${port}`, `--config=${config}`];
	const server = await startServer(program, args, port);
	const url = `rsync://127.0.0.1:${port}/files/`;
	return {
		contestants: [
			{
				name: 'rsync daemon',
				note: 'no TLS, checksum',
				servers: [server],
				async run(into) {
					const script = `'${program}' -W -r "$1" "$2/" && find "$2" -type f -exec sync {} +`;
					const ended = await runMeasured('sh', ['-c', script, 'sh', url, into]);
					return {...ended, arrived: workload.files.length > 1 ? into : path.join(into, workload.files[0]!)};
				},
			},
		],
		stop: () => endProcess(server),
	};
};
