// Syncthing, two instances on loopback that know each other's keys and the sender's address. Nothing leaves the machine:
// no discovery, relays, NAT traversal, STUN, reports or upgrades. It is a program that runs all day, and measures its own
// hashing for two seconds whenever it starts: so the clock runs from the instant at which the folder, paused at the
// receiver until then, is let go, with both connected and the sender's folder scanned.
import type {ChildProcess} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {copyFile, mkdir, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {
	endProcess,
	findProgram,
	freePort,
	type Prepared,
	type Rival,
	startServer,
	type Workload,
} from './contestant.ts';
import {type Ended, runMeasured, ServerMeter} from './measure.ts';

const apiKey = 'benchmark';
const folderId = 'workload';
const marker = '.stfolder';
const lookMs = 20;
const patience = 120_000;

type Instance = {home: string; id: string; port: number; control: number};

/** Makes a key, and takes two ports: for peers and for its control interface. */
async function instance(program: string, home: string): Promise<Instance> {
	await runMeasured(program, ['generate', `--home=${home}`, '--no-default-folder'], {HOME: home});
	const {stdout} = await runMeasured(program, [`--home=${home}`, '--device-id'], {HOME: home});
	return {home, id: stdout.trim(), port: await freePort(), control: await freePort()};
}

type Setup = {self: Instance; other: Instance; address: string; folder: string; marker: string};

/** Writes the settings. Where the marker is what Syncthing would make itself, this is the receiver: paused at first. */
async function configure({self, other, address, folder, marker: name}: Setup): Promise<void> {
	const off = ['globalAnnounceEnabled', 'localAnnounceEnabled', 'relaysEnabled', 'natEnabled', 'startBrowser'];
	const options = {
		...{listenAddress: `tcp://127.0.0.1:${self.port}`, urAccepted: -1, autoUpgradeIntervalH: 0, stunKeepaliveStartS: 0},
		...{crashReportingEnabled: false, setLowPriority: false, reconnectionIntervalS: 1},
		...Object.fromEntries(off.map(option => [option, false])),
	};
	const device = (id: string, where: string) => `<device id="${id}" name="x"><address>${where}</address></device>`;
	const lines = Object.entries(options).map(([option, value]) => `<${option}>${value}</${option}>`);
	const text = `<configuration version="36">
<folder id="${folderId}" path="${folder}" type="sendreceive" rescanIntervalS="0" fsWatcherEnabled="false">
<device id="${self.id}"></device><device id="${other.id}"></device>
<markerName>${name}</markerName><paused>${name === marker}</paused></folder>
${device(self.id, 'dynamic')}${device(other.id, address)}
<gui enabled="true" tls="false"><address>127.0.0.1:${self.control}</address><apikey>${apiKey}</apikey></gui>
<options>${lines.join('')}</options>
</configuration>
`;
	await writeFile(path.join(self.home, 'config.xml'), text, {mode: 0o600});
}

function commandLine({home}: Instance): string[] {
	return ['serve', `--home=${home}`, '--no-browser', '--no-restart', '--no-upgrade', `--logfile=${home}/log`];
}

async function ask({control}: Instance, what: string, how: RequestInit = {}): Promise<unknown> {
	const answer = await fetch(`http://127.0.0.1:${control}/rest/${what}`, {...how, headers: {'x-api-key': apiKey}});
	if (!answer.ok) throw new Error(`it answered ${answer.status} to ${what}`);
	return answer.headers.get('content-type')?.startsWith('application/json') ? answer.json() : undefined;
}

/** Asks again and again until the answer is as wanted. Throws after two minutes. */
async function until(instance: Instance, what: string, wanted: (answer: unknown) => boolean): Promise<void> {
	for (const end = Date.now() + patience; Date.now() < end; await sleep(50))
		if (wanted(await ask(instance, what).catch(() => ({})))) return;
	throw new Error(`it never came so far: ${what}`);
}

export const syncthing: Rival = async (workload, scratch) => {
	const program = findProgram('syncthing');
	if (!program) return 'Syncthing (syncthing) is not installed';
	const sender = await instance(program, path.join(scratch, 'syncthing-sender'));
	const receiver = await instance(program, path.join(scratch, 'syncthing-receiver'));
	// A file of the folder is its marker, so that nothing is put beside what the others read.
	const [seen = ''] = workload.files;
	await configure({self: sender, other: receiver, address: 'dynamic', folder: workload.folder, marker: seen});
	const server = await startServer(program, commandLine(sender), sender.control);
	const stop = () => endProcess(server);
	try {
		await until(sender, `db/status?folder=${folderId}`, answer => {
			const {globalBytes, state} = answer as {globalBytes?: number; state?: string};
			return globalBytes === workload.bytes && state === 'idle';
		});
	} catch (error) {
		await stop();
		return `Syncthing: ${(error as Error).message}`;
	}
	return prepare({program, sender, receiver, workload, servers: [server], stop});
};

type Parts = {
	program: string;
	sender: Instance;
	receiver: Instance;
	workload: Workload;
	servers: Prepared['contestants'][number]['servers'];
	stop: () => Promise<void>;
};

function prepare({program, sender, receiver, workload, servers, stop}: Parts): Prepared {
	return {
		contestants: [
			{
				name: 'Syncthing, both running before',
				note: 'TLS, verified',
				servers,
				async run(into) {
					const home = `${receiver.home}-run`;
					await rm(home, {recursive: true, force: true});
					await mkdir(home);
					for (const file of ['cert.pem', 'key.pem'])
						await copyFile(path.join(receiver.home, file), path.join(home, file));
					const self = {...receiver, home, control: await freePort()};
					await configure({self, other: sender, address: `tcp://127.0.0.1:${sender.port}`, folder: into, marker});
					const child = await startServer(program, commandLine(self), self.control);
					try {
						await until(self, 'system/connections', answer => isConnected(answer, sender.id));
						const ended = await fromUnpaused(self, child, workload, into);
						await rm(path.join(into, marker), {recursive: true, force: true});
						return {...ended, arrived: workload.files.length > 1 ? into : path.join(into, workload.files[0]!)};
					} finally {
						await endProcess(child);
					}
				},
			},
		],
		stop,
	};
}

/** What passes from the instant the folder is no longer paused until all files have come and are synced. */
async function fromUnpaused(
	self: Instance,
	child: ChildProcess,
	{files}: Workload,
	into: string,
): Promise<Ended & {net: number}> {
	const wanted = new Set(files);
	const meter = new ServerMeter([child]);
	const start = performance.now();
	await ask(self, `config/folders/${folderId}`, {method: 'PATCH', body: '{"paused": false}'});
	// It verifies and syncs a file before it gives it its name.
	while (readdirSync(into).filter(name => wanted.has(name)).length < files.length) {
		if (performance.now() - start > patience) throw new Error('it took more than two minutes');
		await sleep(lookMs);
	}
	const synced = await runMeasured('find', [into, '-type', 'f', '-exec', 'sync', '{}', '+']);
	const seconds = (performance.now() - start) / 1000;
	const {cpu, rss} = meter.read();
	return {...synced, seconds, net: seconds, cpu: cpu + synced.cpu, rss};
}

function isConnected(answer: unknown, id: string): boolean {
	const {connections} = answer as {connections?: Record<string, {connected?: boolean}>};
	return connections?.[id]?.connected === true;
}
