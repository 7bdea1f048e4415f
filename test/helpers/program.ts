import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {onTestFinished} from 'vitest';
import {waitFor} from './wait-for.ts';

/** The project's top folder. */
export const projectFolder = fileURLToPath(new URL('../..', import.meta.url));
/** The built program: what a user runs. */
export const programFile = path.join(projectFolder, 'dist', 'p2p-tui.js');
/** The files that come with the project. */
export const testingFiles = path.join(projectFolder, 'testing_files');

/** One line that the program printed with --json. */
export type PrintedEvent = {time: string; event: string} & Record<string, unknown>;

/** A running or ended program. */
export type Program = {
	child: ChildProcess;
	stdout(): string;
	stderr(): string;
	/** What was printed as JSON so far. */
	events(): PrintedEvent[];
	/** The first event of that name, from `after` on, that fits; waits for it, fails at once when the program ends. */
	event(name: string, fits?: (event: PrintedEvent) => boolean, after?: number): Promise<PrintedEvent>;
	/** Ends it by SIGTERM (or another signal) and waits for the end. */
	stop(signal?: NodeJS.Signals): Promise<number | null>;
	/** The exit code, when it has ended; null when a signal ended it. */
	ended: Promise<number | null>;
};

/** How a program is run. `uid`: as another user, which only root can; `prefix`: a command that runs it. */
export type RunOptions = {cwd?: string; env?: Record<string, string>; uid?: number; prefix?: string[]};

/** Starts the built program. It is killed when the test ends, if it still runs then. */
export function startProgram(args: string[], options: RunOptions = {}): Program {
	if (!existsSync(programFile)) throw new Error('dist/ is missing: run npm run build, or npm test, which does');
	const [command, ...rest] = [...(options.prefix ?? []), process.execPath, programFile, ...args];
	const child = spawn(command!, rest, {
		cwd: options.cwd ?? projectFolder,
		env: {...process.env, NODE_ENV: '', ...options.env},
		stdio: ['ignore', 'pipe', 'pipe'],
		...(options.uid !== undefined && {uid: options.uid, gid: options.uid}),
	});
	let out = '';
	let err = '';
	child.stdout.setEncoding('utf8').on('data', text => {
		out += text;
	});
	child.stderr.setEncoding('utf8').on('data', text => {
		err += text;
	});
	let running = true;
	const ended = new Promise<number | null>((resolve, reject) => {
		child.once('error', reject);
		child.once('close', code => {
			running = false;
			resolve(code);
		});
	});
	onTestFinished(async () => {
		if (running) child.kill('SIGKILL');
		await ended;
	});
	const events = () =>
		out
			.slice(0, out.lastIndexOf('\n') + 1)
			.split('\n')
			.filter(line => line.startsWith('{'))
			.map(line => JSON.parse(line) as PrintedEvent);
	return {
		child,
		stdout: () => out,
		stderr: () => err,
		events,
		async event(name, fits = () => true, after = 0) {
			const find = () =>
				events()
					.slice(after)
					.find(event => event.event === name && fits(event));
			const found = await waitFor(`the event ${name} of ${args.join(' ')}`, () => find() ?? !running).catch(
				(error: Error) => {
					throw new Error(`${error.message}\n${out}${err}`);
				},
			);
			if (found === true) {
				const last = find();
				if (last) return last;
				throw new Error(`The program ended without the event ${name}:\n${out}${err}`);
			}
			return found;
		},
		async stop(signal = 'SIGTERM') {
			child.kill(signal);
			return ended;
		},
		ended,
	};
}

/** Runs the built program to its end. */
export async function runProgram(
	args: string[],
	options?: RunOptions,
): Promise<{code: number | null; stdout: string; stderr: string; events: PrintedEvent[]}> {
	const program = startProgram(args, options);
	const code = await program.ended;
	return {code, stdout: program.stdout(), stderr: program.stderr(), events: program.events()};
}
