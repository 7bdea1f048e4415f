#!/usr/bin/env node
// The launcher. It imports nothing, so that it also runs on a Node too old for the program and can say so.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 22)) {
	console.error(
		`p2p-tui needs Node.js 22.22 or newer; this is ${process.versions.node}. Install a newer one from your package manager or with a version manager, then run it again.`,
	);
	process.exitCode = 1;
} else {
	// Node still calls its SQLite experimental; that is our business, not the person's.
	const emitWarning = process.emitWarning.bind(process);
	process.emitWarning = ((warning: string | Error, ...rest: never[]) => {
		if (!String(warning).startsWith('SQLite is an experimental')) emitWarning(warning, ...rest);
	}) as typeof process.emitWarning;
	// The built files, beside this one in dist/.
	import(process.argv[2] === 'get' ? './cli/get-program.js' : './cli.js');
}

export {};
