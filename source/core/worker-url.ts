import {existsSync} from 'node:fs';

/**
 * Where a worker's entry file is: the TypeScript file when run from the sources (Node strips the types), the bundle
 * beside the launcher when run from dist/.
 *
 * @param name path below source/ without its ending, such as `share/hash-worker`
 */
export function workerUrl(name: string): URL {
	if (import.meta.url.endsWith('/core/worker-url.ts')) return new URL(`../${name}.ts`, import.meta.url);
	for (let folder = new URL('.', import.meta.url), depth = 0; depth < 4; folder = new URL('..', folder), depth++) {
		const found = new URL(`${name}.js`, folder);
		if (existsSync(found)) return found;
	}
	throw new Error(`The worker ${name} is missing from this installation`);
}
