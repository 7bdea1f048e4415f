import {spawn} from 'node:child_process';
import {existsSync, statSync} from 'node:fs';
import path from 'node:path';

/** The desktop's own program that shows a folder, with its arguments; undefined where there is no desktop. */
export function showCommand(
	file: string,
	platform: NodeJS.Platform = process.platform,
	env: NodeJS.ProcessEnv = process.env,
): {program: string; args: string[]} | undefined {
	const isFolder = existsSync(file) && statSync(file).isDirectory();
	if (platform === 'darwin') return {program: 'open', args: isFolder ? [file] : ['-R', file]};
	if (platform === 'win32') return {program: 'explorer', args: [isFolder ? file : `/select,${file}`]};
	if (!env.DISPLAY && !env.WAYLAND_DISPLAY) return undefined;
	return {program: 'xdg-open', args: [isFolder ? file : path.dirname(file)]};
}

/** Shows a file in the desktop's file manager, where there is one; the program outlives ours. */
export function showFile(file: string): void {
	const command = showCommand(file);
	if (!command) return;
	const child = spawn(command.program, command.args, {detached: true, stdio: 'ignore'});
	// A desktop without that program: the path has been told, which is enough.
	child.on('error', () => {});
	child.unref();
}
