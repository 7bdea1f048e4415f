import {fileOf, type Group, startGroup} from '../../test/helpers/dht-group.ts';

const [n, per, files] = process.argv.slice(2).map(Number) as [number, number, number];
const groups: Group[] = [];
const ports: number[] = [];
const ms: number[] = [];
for (let i = 0; i < n / per; i++) {
	const g = startGroup();
	groups.push(g);
	const r = await g.tell('start', {count: per, bootstrap: ports.slice(0, 3)});
	ports.push(...r.ports);
	ms.push(...r.ms);
}
console.log('join max', Math.max(...ms), 'avg', ms.reduce((a, b) => a + b) / ms.length);
await new Promise(r => setTimeout(r, 3000));
console.log('publish', await groups[0]!.tell('publish', {node: 0, from: 0, to: files}));
for (const g of groups) console.log(JSON.stringify(await g.tell('stats', {})));
const one = async (g: Group, i: number) => {
	const f = fileOf(i);
	return g.tell('search', {node: 0, query: f.words.slice(0, 2).join(' '), content: f.content});
};
async function recall(gs: Group[], count: number) {
	const r = [];
	for (let k = 0; k < count; k++) r.push(await one(gs[k % gs.length]!, Math.floor(Math.random() * files)));
	const firsts = r.map(x => x.first).sort((a, b) => a - b),
		full = r.map(x => x.ms).sort((a, b) => a - b);
	const q = (a: number[], p: number) => a[Math.floor(a.length * p)]?.toFixed(1);
	console.log(
		'recall',
		r.filter(x => x.found).length / r.length,
		'first p50',
		q(firsts, 0.5),
		'p99',
		q(firsts, 0.99),
		'full p50',
		q(full, 0.5),
		'p99',
		q(full, 0.99),
		r.find(x => x.error)?.error ?? '',
	);
}
await recall(groups, 200);
const kill = groups.filter((_, i) => i % 2 === 1 && i > 0);
for (const g of kill) g.child.kill('SIGKILL');
await recall(
	groups.filter(g => !kill.includes(g)),
	100,
);
for (const g of groups) g.child.kill('SIGKILL');
process.exit(0);
