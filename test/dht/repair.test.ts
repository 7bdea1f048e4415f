// Copies that went with their nodes, in a network where nobody knows everybody: the next nodes get them, before republishing.
import {expect, onTestFinished, test} from 'vitest';
import {startGroup} from '../helpers/dht-group.ts';
import {waitFor} from '../helpers/wait-for.ts';

// Those that stay must be more than a small network has: in that one everybody is asked, and less need be sent.
test('when a third of thirty-nine nodes is killed, others keep what they kept', async () => {
	const groups = Array.from({length: 3}, startGroup);
	onTestFinished(async () => {
		await Promise.all(groups.map(group => group.kill()));
	});
	const [publisher, other, dying] = [groups[0]!, groups[1]!, groups[2]!];
	const {ports} = await publisher.tell('start', {count: 13, bootstrap: []});
	for (const group of [dying, other]) await group.tell('start', {count: 13, bootstrap: ports.slice(0, 3)});
	await publisher.tell('publish', {node: 0, from: 0, to: 200});
	const kept = async () => {
		const stats = await Promise.all([publisher, other].map(group => group.tell('stats', {})));
		return stats.flatMap(({records}) => records).reduce((sum, records) => sum + records, 0);
	};
	const before = await kept();
	await dying.kill();
	// Nothing but a repair brings them a record: what is there is published anew after hours only.
	await waitFor('others to keep what the killed kept', async () => (await kept()) > before * 1.04, 120_000);
	expect(await kept()).toBeGreaterThan(before);
});
