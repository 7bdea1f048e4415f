// Fifty real nodes, of which half are killed at once while others come: no file that a living node shares may be lost.
import {expect, onTestFinished, test} from 'vitest';
import {fileOf, type Group, startGroup} from '../helpers/dht-group.ts';
import {waitFor} from '../helpers/wait-for.ts';

const perGroup = 5;
const filesOfGroup = 20;

/** A group of nodes of which the first shares files of its own. */
type Member = Group & {ports: number[]; from: number; to: number};

test('half of fifty nodes are killed, others join, files come and go: what the living share is found', async () => {
	const groups: Member[] = [];
	onTestFinished(async () => {
		await Promise.all(groups.map(group => group.kill()));
	});
	let next = 0;
	const join = async (): Promise<Member> => {
		const group = startGroup();
		const bootstrap = groups.flatMap(({ports}) => ports.slice(0, 1)).slice(-3);
		const {ports} = await group.tell('start', {count: perGroup, bootstrap});
		const member = {...group, ports, from: next, to: next + filesOfGroup};
		next = member.to;
		groups.push(member);
		return member;
	};
	const publish = ({tell, from, to}: Member) => tell('publish', {node: 0, from, to});
	/** Whether a node finds a file, by words or by the number in its name. */
	const finds = async (group: Member, index: number) => {
		const {words, content} = fileOf(index);
		const query = `${words[0]} ${String(index).padStart(6, '0')}`;
		return (await group.tell('search', {node: index % perGroup, query, content})).found;
	};
	/** Files of living groups that some living node does not find. */
	const missing = async (living: Member[]) => {
		const lost: number[] = [];
		for (const {from, to} of living)
			for (let index = from; index < to; index++)
				if (!(await finds(living[(index * 7) % living.length]!, index))) lost.push(index);
		return lost;
	};

	while (groups.length < 10) await join();
	await Promise.all(groups.map(publish));
	expect(await missing(groups)).toEqual([]);

	const dead = groups.filter((_, index) => index % 2 === 1);
	const living = groups.filter(group => !dead.includes(group));
	await Promise.all(dead.map(group => group.kill()));
	for (const group of dead) groups.splice(groups.indexOf(group), 1);
	// At once, with half of the table's copies gone and nobody told: at most one in a hundred may take a second look.
	const lost = await missing(living);
	expect(lost.length).toBeLessThanOrEqual((living.length * filesOfGroup) / 100);
	for (const index of lost) await waitFor(`file ${index} to be found again`, () => finds(living[0]!, index), 30_000);

	// Others come in their place, and the living go on publishing and removing.
	const [first] = living;
	const newcomer = await join();
	await publish(newcomer);
	const more = {...first!, from: next, to: next + 10};
	await publish(more);
	await first!.tell('remove', {node: 0, from: first!.from, to: first!.from + 5});
	const now = [...living.slice(1), newcomer, {...first!, from: first!.from + 5}, more];
	for (const index of await missing(now)) {
		const owner = now.find(({from, to}) => index >= from && index < to)!;
		await waitFor(`file ${index} of group ${groups.indexOf(owner)}`, () => finds(newcomer, index), 30_000);
	}
	for (let index = first!.from; index < first!.from + 5; index++)
		await waitFor(`file ${index} to be gone`, async () => !(await finds(newcomer, index)), 30_000);
}, 240_000);
