// The built program as a user runs it: an index server, one and four peers, `get` in a process of its own.
import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {contentOf} from './content-of.ts';
import {type Contestant, endProcess, findProgram, type Rival, type Run, type Workload} from './contestant.ts';
import {runMeasured} from './measure.ts';

const program = process.env.P2P_TUI ?? fileURLToPath(new URL('../../dist/p2p-tui.js', import.meta.url));
const peers = 4;

type Event = {event: string; time: string} & Record<string, unknown>;

/** Starts the program and resolves when an event has come that fits. */
function start(args: string[], ready: (event: Event) => boolean): Promise<{child: ChildProcess; seen: Event[]}> {
	const child = spawn(process.execPath, [program, ...args, '--json'], {stdio: ['ignore', 'pipe', 'inherit']});
	const seen: Event[] = [];
	return new Promise((resolve, reject) => {
		child.once('exit', code => reject(new Error(`p2p-tui ${args.join(' ')} ended with ${code}`)));
		createInterface({input: child.stdout}).on('line', line => {
			if (seen.length > 1000) return;
			const event = JSON.parse(line) as Event;
			seen.push(event);
			if (ready(event)) resolve({child, seen});
		});
	});
}

export const ours: Rival = async (workload, scratch) => {
	if (!existsSync(program)) return 'p2p-tui: dist/ is missing, run npm run build first';
	const children: ChildProcess[] = [];
	const stop = async () => {
		for (const child of children.toReversed()) await endProcess(child);
	};
	try {
		const {child, seen} = await start(
			['--mode', 'server', '--host', '0', '--port', '0', '--data-dir', path.join(scratch, 'server')],
			event => event.event === 'listening',
		);
		children.push(child);
		const server = `127.0.0.1:${seen.find(event => event.event === 'listening')!.port}`;
		const senders: ChildProcess[] = [];
		let url = '';
		for (let number = 1; number <= peers; number++) {
			const name = `sender${number}`;
			const data = path.join(scratch, name);
			const args = ['--mode', 'peer', '--host', '0', '--port', '0', '--server', server, '--name', name];
			const sender = await start(
				[...args, '--data-dir', data, '--downloads', path.join(data, 'downloads'), '--share', workload.folder],
				event => event.event === 'registered' && Number(event.files) >= workload.files.length,
			);
			children.push(sender.child);
			url ||= `https://127.0.0.1:${sender.seen.find(event => event.event === 'listening')!.port}/v1/files`;
			senders.push(sender.child);
		}
		const one = ['--from', 'sender1'];
		const getter = {workload, server, scratch};
		const contestants: Contestant[] =
			workload.files.length > 1
				? [{...contestant('p2p-tui, 1 source', getter, one), beside: [child], servers: [senders[0]!]}]
				: [
						{...contestant('p2p-tui, 1 source', getter, one), beside: [child], servers: [senders[0]!]},
						{...contestant('p2p-tui, 4 sources', getter, []), beside: [child], servers: senders},
					];
		const curl = findProgram('curl');
		if (curl) contestants.push({...(await byCurl(curl, workload, url, scratch)), servers: [senders[0]!]});
		return {contestants, stop};
	} catch (error) {
		await stop();
		throw error;
	}
};

/** What the sending end alone does: the same files from a peer of ours by curl, which verifies nothing. */
async function byCurl(curl: string, {folder, files}: Workload, url: string, scratch: string) {
	const config = path.join(scratch, 'curl-from-peer.conf');
	const contents = new Map<string, string>();
	for (const file of files) contents.set(file, await contentOf(path.join(folder, file)));
	return {
		name: files.length > 1 ? 'curl --parallel, p2p-tui sends' : 'curl, p2p-tui sends',
		note: 'TLS, not verified',
		async run(into: string): Promise<Run> {
			const lines = [...contents].map(
				([file, content]) => `url="${url}/${content}"\noutput="${path.join(into, file)}"\n`,
			);
			await writeFile(config, lines.join(''));
			const script = `'${curl}' -k -s -S -f --parallel -K "$1" && find "$2" -type f -exec sync {} +`;
			const ended = await runMeasured('sh', ['-c', script, 'sh', config, into]);
			return {...ended, arrived: files.length > 1 ? into : path.join(into, files[0]!)};
		},
	};
}

type Getter = {workload: Workload; server: string; scratch: string};

function contestant(
	name: string,
	{workload, server, scratch}: Getter,
	from: string[],
): Omit<Contestant, 'servers' | 'beside'> {
	const isFolder = workload.files.length > 1;
	const wanted = isFolder ? path.basename(workload.folder) : `name:${workload.files[0]}`;
	const data = path.join(scratch, 'getter');
	return {
		name,
		note: 'TLS, verified',
		async run(into): Promise<Run> {
			// Its key stays, as it does for a user; the list of downloads goes, so that nothing is known to be there.
			for (const file of ['get.db', 'get.db-wal', 'get.db-shm']) await rm(path.join(data, file), {force: true});
			const args = ['get', wanted, '--server', server, '--data-dir', data, '--downloads', into, '--prefix', ''];
			const ended = await runMeasured(process.execPath, [program, ...args, ...from, '--json']);
			const events = ended.stdout.split('\n').flatMap(line => (line ? [JSON.parse(line) as Event] : []));
			const at = (event: string) => Date.parse(events.find(each => each.event === event)?.time ?? '');
			const net = (at('download-finished') - at('download-started')) / 1000;
			const arrived = path.join(into, isFolder ? path.basename(workload.folder) : workload.files[0]!);
			return {...ended, arrived, ...(net >= 0 && {net})};
		},
	};
}
