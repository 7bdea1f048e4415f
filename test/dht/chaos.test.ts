// Fifty real nodes, of which half are killed at once while others come: no file that a living node shares may be lost.
import {expect, onTestFinished, test} from 'vitest';
import {fileOf, type Group, startGroup} from '../helpers/dht-group.ts';
import {waitFor} from '../helpers/wait-for.ts';

const perGroup = 5;
const filesOfGroup = 12;
/** Bytes of a process with five nodes. */
const mostMemory = 400e6;

/** A group of nodes of which the first shares files of its own. */
type Member = Group & {ports: number[]; from: number; to: number};

test('half of fifty nodes are killed, others join, files come and go: what the living share is found', async () => {
	const [groups, started]: [Member[], Group[]] = [[], []];
	onTestFinished(async () => {
		await Promise.all(started.map(group => group.kill()));
	});
	let next = 0;
	const fork = () => {
		const group = startGroup();
		started.push(group);
		return group;
	};
	const join = async (group: Group): Promise<Member> => {
		const bootstrap = groups.flatMap(({ports}) => ports.slice(0, 1)).slice(-3);
		const {ports} = await group.tell('start', {count: perGroup, bootstrap});
		const member = {...group, ports, from: next, to: next + filesOfGroup};
		next = member.to;
		groups.push(member);
		return member;
	};
	const publish = ({tell, from, to}: Pick<Member, 'tell' | 'from' | 'to'>) => tell('publish', {node: 0, from, to});
	/** Whether a node finds a file by a word and the number in its name. */
	const finds = async (group: Group, index: number) => {
		const {words, content} = fileOf(index);
		const query = `${words[0]} ${String(index).padStart(6, '0')}`;
		return (await group.tell('search', {node: index % perGroup, query, content})).found;
	};
	/** Files that some node does not find: each is looked for by another group than its own, which do it at the same time. */
	const missing = async (searchers: Group[], shared: Array<Pick<Member, 'from' | 'to'>>) => {
		const lost: number[] = [];
		const indexes = shared.flatMap(({from, to}) => Array.from({length: to - from}, (_, at) => from + at));
		await Promise.all(
			searchers.map(async (group, lane) => {
				for (const index of indexes)
					if ((index * 7) % searchers.length === lane && !(await finds(group, index))) lost.push(index);
			}),
		);
		return lost;
	};
	/** All of them, asking again for those that were not found at once. */
	const findAll = async (searchers: Group[], shared: Array<Pick<Member, 'from' | 'to'>>) => {
		let lost = await missing(searchers, shared);
		await waitFor(
			`files ${lost} to be found`,
			async () => {
				if (lost.length > 0)
					lost = await missing(
						searchers,
						lost.map(index => ({from: index, to: index + 1})),
					);
				return lost.length === 0;
			},
			120_000,
		);
	};

	for (const group of Array.from({length: 10}, fork)) await join(group);
	await Promise.all(groups.map(publish));
	// A search ends with what it has after 2.5 s, which fifty nodes on two busy cores may need: then it is asked again.
	await findAll(groups, groups);

	const dead = groups.filter((_, index) => index % 2 === 1);
	const living = groups.filter(group => !dead.includes(group));
	await Promise.all(dead.map(group => group.kill()));
	for (const group of dead) groups.splice(groups.indexOf(group), 1);
	// With half of the table's copies gone and nobody told. How many take a second look is what bench/dht.ts measures.
	await findAll(living, living);

	// Others come in their place, and the living go on publishing and removing.
	const [first] = living;
	const newcomer = await join(fork());
	const more = {...first!, from: next, to: next + 10};
	await Promise.all([publish(newcomer), publish(more)]);
	const removed = {from: first!.from, to: first!.from + 5};
	await first!.tell('remove', {node: 0, ...removed});
	await findAll(groups, [...living.slice(1), newcomer, {...first!, from: removed.to}, more]);
	// A keeper that no tombstone reached forgets them by the next sweep of everything, which waits for twenty times as long as
	// the last one took: on a busy machine that is a minute and more.
	const gone = async () => (await missing(groups, [removed])).length === 5;
	await waitFor('the removed files to be gone', gone, 150_000);

	const stats = await Promise.all(groups.map(group => group.tell('stats', {})));
	for (const {rss} of stats) expect(rss).toBeLessThan(mostMemory);
}, 300_000);
