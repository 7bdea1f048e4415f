// From request to a synced file: p2p-tui beside what people use instead. `npm run bench:transfer -- [options]`
//   --runs N     runs of each, alternating (default 5); the medians count
//   --size S     of the one large file, as 1G or 256M (default 1G)
//   --files N    of 50 KB each in the folder (default 2000); 0: no folder
//   --only REGEX only contestants whose names match, beside p2p-tui
// P2P_TUI names another build than dist/p2p-tui.js.
// Installs nothing: a rival whose programs are absent is left out, and named.
import {execFileSync} from 'node:child_process';
import {createCipheriv, randomBytes, randomUUID} from 'node:crypto';
import {once} from 'node:events';
import {createWriteStream} from 'node:fs';
import {mkdir, mkdtemp, readdir, rename, rm, writeFile} from 'node:fs/promises';
import {cpus, tmpdir} from 'node:os';
import path from 'node:path';
import {finished} from 'node:stream/promises';
import {parseArgs} from 'node:util';
import {type Contestant, findProgram, type Prepared, type Rival, type Workload} from './transfer/contestant.ts';
import {median, ServerMeter} from './transfer/measure.ts';
import {ours} from './transfer/p2p-tui.ts';
import {plainCopy} from './transfer/plain-copy.ts';
import {rsync} from './transfer/rsync.ts';
import {scp} from './transfer/scp.ts';
import {syncthing} from './transfer/syncthing.ts';
import {transmission} from './transfer/transmission.ts';
import {web} from './transfer/web.ts';

type Result = {seconds: number; net?: number; cpu: number; sender: number; receiver: number};

const MiB = 1024 * 1024;
const smallFileBytes = 50_000;
const rivals: Rival[] = [ours, web, rsync, scp, transmission, syncthing, plainCopy];

const {values: flags} = parseArgs({
	options: {
		runs: {type: 'string', default: '5'},
		size: {type: 'string', default: '1G'},
		files: {type: 'string', default: '2000'},
		only: {type: 'string', default: ''},
	},
});

function parseSize(text: string): number {
	const match = /^(\d+)([KMG]?)$/i.exec(text);
	if (!match) throw new Error(`--size ${text}: write 1G or 256M`);
	return Number(match[1]) * 1024 ** ' KMG'.indexOf(match[2]?.toUpperCase() || ' ');
}

/** A file that neither compresses nor has holes. */
async function writeNoise(file: string, bytes: number): Promise<void> {
	const cipher = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
	const zeros = Buffer.alloc(MiB);
	const out = createWriteStream(file);
	for (let left = bytes; left > 0; left -= MiB) {
		const chunk = cipher.update(left < MiB ? zeros.subarray(0, left) : zeros);
		if (!out.write(chunk)) await once(out, 'drain');
	}
	out.end();
	await finished(out);
}

async function oneFile(scratch: string, bytes: number): Promise<Workload> {
	const folder = path.join(scratch, 'large');
	await mkdir(folder);
	await writeNoise(path.join(folder, 'large.bin'), bytes);
	return {name: `one file of ${bytes / MiB} MiB`, folder, files: ['large.bin'], bytes};
}

async function manyFiles(scratch: string, count: number): Promise<Workload> {
	const folder = path.join(scratch, 'many');
	await mkdir(folder);
	const files = Array.from({length: count}, (_, index) => `${index}.bin`);
	for (const file of files) await writeFile(path.join(folder, file), randomBytes(smallFileBytes));
	return {name: `${count} files of 50 KB`, folder, files, bytes: count * smallFileBytes};
}

/** One run into an empty folder. @param check compares what came with what was sent */
async function runOnce(contestant: Contestant, workload: Workload, scratch: string, check: boolean): Promise<Result> {
	const into = path.join(scratch, 'into');
	await mkdir(into);
	// Earlier writes must not be paid for by this run.
	execFileSync('sync');
	const meter = new ServerMeter(contestant.servers, contestant.beside);
	const {code, seconds, net, cpu, rss, arrived, stdout, stderr} = await contestant.run(into);
	const server = meter.read();
	if (code === null) throw new Error('it was ended: it took more than ten minutes, or a signal came');
	if (code !== 0) throw new Error(`it ended with ${code}: ${stderr.slice(-300) || stdout.slice(-300)}`);
	if (check) {
		const sent = workload.files.length > 1 ? workload.folder : path.join(workload.folder, workload.files[0]!);
		execFileSync(findProgram('diff') ?? 'diff', ['-rq', sent, arrived]);
	}
	// ext4 passes over the numbers of files that were deleted some seconds ago, one by one, at each new file: deleting
	// thousands between the runs would be most of what the next one costs. They go at the end, with the rest.
	if (workload.files.length > 1) await rename(into, path.join(scratch, `came-${randomUUID()}`));
	else await rm(into, {recursive: true});
	return {seconds, ...(net !== undefined && {net}), cpu: cpu + server.cpu, sender: server.rss, receiver: rss};
}

async function compare(workload: Workload, scratch: string): Promise<string> {
	const prepared: Prepared[] = [];
	const notes: string[] = [];
	try {
		for (const [index, rival] of rivals.entries()) {
			const folder = path.join(scratch, `rival${index}`);
			await mkdir(folder);
			const ready = await rival(workload, folder);
			if (typeof ready === 'string') notes.push(`left out: ${ready}`);
			else prepared.push(ready);
		}
		let contestants = prepared
			.flatMap(each => each.contestants)
			.filter(({name}) => name.startsWith('p2p-tui') || new RegExp(flags.only).test(name));
		const results = new Map<Contestant, Result[]>();
		const take = async (contestant: Contestant, check: boolean) => {
			try {
				return await runOnce(contestant, workload, scratch, check);
			} catch (error) {
				notes.push(`left out: ${contestant.name}, ${(error as Error).message.trim()}`);
				contestants = contestants.filter(other => other !== contestant);
				await rm(path.join(scratch, 'into'), {recursive: true, force: true});
				return undefined;
			}
		};
		// Round 0 warms up, and shows that every one of them brings the right bytes.
		for (let round = 0; round <= Number(flags.runs); round++) {
			for (const contestant of contestants) {
				const result = await take(contestant, round === 0);
				if (!result || round === 0) continue;
				results.set(contestant, [...(results.get(contestant) ?? []), result]);
				process.stderr.write(`  ${contestant.name}: ${result.seconds.toFixed(2)} s, CPU ${result.cpu.toFixed(2)} s\n`);
			}
		}
		return table(workload, contestants, results, notes);
	} finally {
		for (const each of prepared.toReversed()) await each.stop();
	}
}

function table(workload: Workload, contestants: Contestant[], all: Map<Contestant, Result[]>, notes: string[]): string {
	const rows = contestants.map(contestant => {
		const results = all.get(contestant) ?? [];
		const of = (value: (result: Result) => number | undefined) =>
			median(results.flatMap(result => value(result) ?? []));
		return {contestant, seconds: of(result => result.seconds), of, results};
	});
	const base = rows.find(({contestant}) => /^curl.*, nginx$/.test(contestant.name))?.seconds;
	const head = [
		'',
		'bytes are',
		'seconds',
		'its own transfer',
		'MB/s',
		'against curl',
		'CPU s, both ends',
		'peak MB, sender',
		'receiver',
	];
	const mega = (bytes: number) => String(Math.round(bytes / 1e6));
	const lines = rows.map(({contestant, seconds, of, results}) => [
		contestant.name,
		contestant.note,
		seconds.toFixed(2),
		results.some(({net}) => net !== undefined) ? of(result => result.net).toFixed(2) : '',
		mega(workload.bytes / seconds),
		base === undefined ? '' : `${(base / seconds).toFixed(2)}×`,
		of(result => result.cpu).toFixed(2),
		mega(of(result => result.sender)),
		mega(of(result => result.receiver)),
	]);
	const rule = head.map((_, index) => (index < 2 ? '---' : '---:'));
	const text = [head, rule, ...lines].map(cells => `| ${cells.join(' | ')} |`).join('\n');
	return [`### ${workload.name}`, '', text, ...(notes.length > 0 ? ['', ...notes.map(note => `- ${note}`)] : [])].join(
		'\n',
	);
}

if (process.platform !== 'linux') throw new Error('This comparison reads /proc: it runs on Linux');
const scratch = await mkdtemp(path.join(tmpdir(), 'p2p-tui-bench-'));
try {
	const size = parseSize(flags.size);
	const count = Number(flags.files);
	const tables: string[] = [];
	if (size > 0) tables.push(await inFolder('a', folder => oneFile(folder, size)));
	if (count > 0) tables.push(await inFolder('b', folder => manyFiles(folder, count)));
	process.stdout.write(`Node ${process.version}, ${cpus().length} cores, medians of ${flags.runs} runs each\n\n`);
	process.stdout.write(`${tables.join('\n\n')}\n`);
} finally {
	await rm(scratch, {recursive: true, force: true});
	if ((await readdir(tmpdir())).includes(path.basename(scratch))) process.exitCode = 1;
}

async function inFolder(name: string, make: (folder: string) => Promise<Workload>): Promise<string> {
	const folder = path.join(scratch, name);
	await mkdir(folder);
	try {
		return await compare(await make(folder), folder);
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
}
