import path from 'node:path';
import {type Program, projectFolder, startProgram, testingFiles} from './program.ts';
import {tempFolder} from './temp-folder.ts';

/** A started index server or peer. */
export type Node = Program & {port: number; id: string; dataDir: string};

/** Starts an index server on loopback and waits until it listens. */
export async function startServer(
	options: {port?: number; dataDir?: string; args?: string[]; env?: Record<string, string>} = {},
): Promise<Node & {address: string}> {
	const dataDir = options.dataDir ?? path.join(await tempFolder(), 'server');
	const where = ['--host', '0', '--port', String(options.port ?? 0), '--data-dir', dataDir];
	const program = startProgram(['--mode', 'server', ...where, '--json', ...(options.args ?? [])], {env: options.env});
	const listening = await program.event('listening');
	const port = Number(listening.port);
	return {...program, port, id: String(listening.id), dataDir, address: `127.0.0.1:${port}`};
}

/** Starts a peer that shares folders and waits until the server has taken in what the first scan found. */
export async function startPeer(options: {
	server: string;
	name: string;
	shares?: string[];
	dataDir?: string;
	port?: number;
	downloads?: string;
	args?: string[];
	/** Files that reach the index, where that are not all. */
	expected?: number;
}): Promise<Node> {
	const folder = options.dataDir ?? path.join(await tempFolder(), options.name);
	const shares = options.shares ?? [testingFiles];
	const program = startProgram([
		...[
			'--mode',
			'peer',
			'--host',
			'0',
			'--port',
			String(options.port ?? 0),
			'--server',
			options.server,
			'--name',
			options.name,
		],
		...['--data-dir', folder, '--downloads', options.downloads ?? path.join(folder, 'downloads'), '--json'],
		...shares.flatMap(share => ['--share', share]),
		...(options.args ?? []),
	]);
	const listening = await program.event('listening');
	const scanned = await program.event('scan', event => event.done === true);
	await program.event('registered', event => Number(event.files) >= (options.expected ?? Number(scanned.files)));
	return {...program, port: Number(listening.port), id: String(listening.id), dataDir: folder};
}

/** A folder of the project as a share. */
export function projectPath(...parts: string[]): string {
	return path.join(projectFolder, ...parts);
}
