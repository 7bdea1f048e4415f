// Bundles the program into dist/: one launcher, the command line, and one file per worker, with shared chunks.
// A bundle starts in about half the time of several hundred small files.
import {chmodSync, globSync, readFileSync, renameSync, rmSync} from 'node:fs';
import {type BuildOptions, build} from 'esbuild';

const quiet = process.argv.includes('--quiet');
const {version} = JSON.parse(readFileSync('package.json', 'utf8')) as {version: string};

/** CommonJS packages inside the bundle still use what Node gives to CommonJS modules. */
const commonJs = [
	"import {createRequire as __createRequire} from 'node:module';",
	"import {fileURLToPath as __fileURLToPath} from 'node:url';",
	'const require=__createRequire(import.meta.url);',
	'const __filename=__fileURLToPath(import.meta.url);',
	"const __dirname=__fileURLToPath(new URL('.',import.meta.url));",
].join('');

// Built beside the old one and put in its place at the end: a build that fails leaves a program that runs.
const fresh = `dist.${process.pid}`;
process.on('exit', () => rmSync(fresh, {recursive: true, force: true}));

// The launcher must parse on any Node back to 12, so that an old one gets a sentence and not a syntax error.
await build({
	entryPoints: ['source/p2p-tui.ts'],
	outdir: fresh,
	format: 'esm',
	platform: 'node',
	target: 'es2020',
	logLevel: 'warning',
	supported: {'dynamic-import': true},
});

/** Workers that start while somebody waits for them, and load the same few modules each time: one file loads faster than many. */
const lean = ['source/download/transfer-worker.ts', 'source/upload/small-file-worker.ts'];
const workers = globSync('source/**/*-worker.ts').filter(file => !lean.includes(file));
const bundled: BuildOptions = {
	outbase: 'source',
	outdir: fresh,
	bundle: true,
	format: 'esm',
	platform: 'node',
	target: 'node22.22',
	jsx: 'automatic',
	minifyWhitespace: true,
	minifySyntax: true,
	legalComments: 'linked',
	logLevel: quiet ? 'warning' : 'info',
	// hyperdht brings native modules, which are found from where they are installed.
	external: ['react-devtools-core', 'hyperdht'],
	define: {'process.env.NODE_ENV': '"production"', __VERSION__: JSON.stringify(version)},
	banner: {js: commonJs},
};
await build({
	...bundled,
	entryPoints: ['source/cli.tsx', ...workers],
	splitting: true,
	chunkNames: 'chunks/[name]-[hash]',
});
await build({...bundled, entryPoints: lean});
// What is in few files loads faster than what is cut for all commands to share: it is what people wait for.
await build({
	...bundled,
	entryPoints: ['source/cli/get-program.ts'],
	splitting: true,
	chunkNames: 'cli/get/[name]-[hash]',
});
chmodSync(`${fresh}/p2p-tui.js`, 0o755);
rmSync('dist', {recursive: true, force: true});
renameSync(fresh, 'dist');
