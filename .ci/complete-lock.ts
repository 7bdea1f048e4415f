// Completes package-lock.json after a change of dependencies: node .ci/complete-lock.ts
// npm leaves a platform's binary package out of the lock when the registry at hand does not carry it, and then `npm ci`
// refuses the lock everywhere. Each such package gets its entry, by the os, cpu and libc that its name tells.
import {readFileSync, writeFileSync} from 'node:fs';

type Entry = {
	version?: string;
	dev?: boolean;
	optional?: boolean;
	os?: string[];
	cpu?: string[];
	libc?: string[];
	optionalDependencies?: Record<string, string>;
};
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {packages: Record<string, Entry>};

const systems = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'aix', 'win32'];
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];
let added = 0;

for (const [, owner] of Object.entries(lock.packages)) {
	for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
		const key = `node_modules/${name}`;
		const parts = name.split(/[/-]/);
		const os = systems.find(system => parts.includes(system));
		const cpu = processors.find(processor => parts.includes(processor));
		if (lock.packages[key] || !os || !cpu || !/^\d/.test(version)) continue;
		const libc = os !== 'linux' ? undefined : /musl/.test(name) ? 'musl' : /gnu/.test(name) ? 'glibc' : undefined;
		lock.packages[key] = {
			version,
			cpu: [cpu],
			...(owner.dev && {dev: true}),
			...(libc && {libc: [libc]}),
			optional: true,
			os: [os],
		};
		added++;
	}
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync('package-lock.json', `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(`${added} entries added`);
