import {environmentFlags, type Flags, mergeFlags} from '../config/settings.ts';
import {displayJson, displayText} from '../core/display.ts';
import {type ErrorCode, errorLine, P2pError} from '../core/errors.ts';
import {type ExitCode, exitCodes} from '../core/exit-codes.ts';

/** What every command gets: its arguments, its settings, where to print, and how it is interrupted. */
export type CommandContext = {
	/** Arguments after the command's name. */
	input: string[];
	/** Flags over environment; the config file of the data folder comes below, once that folder is known. */
	flags: Flags;
	mode?: string;
	from: string[];
	/** Where `migrate` puts an index. */
	to?: string;
	/** Where `id` writes the key, or takes it from; `force`: even in place of another. */
	exportFile?: string;
	importFile?: string;
	force: boolean;
	/** Whom `share` names with --for. */
	audience: string[];
	/** How `invite` makes a link, or takes one back; `qr: false`: without a picture. */
	invite: {uses?: string; expires?: string; withdraw?: string; qr?: boolean};
	json: boolean;
	headless: boolean;
	debug: boolean;
	theme?: 'dark' | 'light';
	ascii: boolean;
	/** What --no-mouse, --no-bell, --no-title and --no-notify say. */
	screen: {mouse?: boolean; bell?: boolean; title?: boolean; notify?: boolean};
	/** Lines and a prompt instead of drawn screens. */
	plain: boolean;
	/** Aborted by the first ^C or SIGTERM. */
	signal: AbortSignal;
};

/** One of the files in this folder. */
export type Command = (context: CommandContext) => Promise<ExitCode>;

/** One line on standard output. */
export function printLine(line: string): void {
	process.stdout.write(`${line}\n`);
}

/** One JSON object on a line of standard output. */
export function printJson(value: unknown): void {
	process.stdout.write(`${displayJson(value)}\n`);
}

/** An event line as `--json` prints it. */
export function printEvent(event: string, payload: object): void {
	printJson({time: new Date().toISOString(), event, ...payload});
}

/** Tells an error the way the command line promises, and gives the exit code that fits. */
export function tellError(error: unknown, {json, debug}: Pick<CommandContext, 'json' | 'debug'>): ExitCode {
	const known = error instanceof P2pError;
	const code: ErrorCode = known ? error.code : 'internal';
	const message = displayText(errorLine(error));
	if (json) printEvent('error', {code, message, ...(known && error.details && {details: error.details})});
	process.stderr.write(
		known
			? `p2p-tui: ${message}\n`
			: `p2p-tui: something went wrong that should not: ${message}${debug ? '' : '. Run again with --debug for more'}\n`,
	);
	if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
	return known ? error.exitCode : exitCodes.failed;
}

/** The flags of the command line over those of the environment. */
export function withEnvironment(flags: Flags): Flags {
	return mergeFlags(flags, environmentFlags(process.env));
}
