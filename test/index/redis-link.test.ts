import {expect, onTestFinished, test} from 'vitest';
import {keys} from '../../source/index/redis/keys.ts';
import {RedisLink} from '../../source/index/redis/redis-link.ts';
import {parseRedisUrl} from '../../source/index/redis/redis-url.ts';
import {hasRedisServer, startRedisCluster} from '../helpers/redis-cluster.ts';
import {waitFor} from '../helpers/wait-for.ts';

const there = await hasRedisServer();

test.skipIf(!there)(
	'whoever listens at a node that does not answer goes on without, and hears the next ones',
	async () => {
		// Nobody calls a frozen node dead so soon: the rest of the cluster goes on.
		const cluster = await startRedisCluster({nodeTimeout: 60_000});
		onTestFinished(cluster.stop);
		const link = new RedisLink(parseRedisUrl(cluster.url));
		await link.open();
		onTestFinished(() => link.close());
		const frozen = keys.events('frozen');
		const master = await cluster.masterOf(frozen);
		const others = Array.from({length: 20}, (_, number) => keys.events(`other ${number}`));
		const owners = await Promise.all(others.map(channel => cluster.masterOf(channel)));
		const channel = others[owners.findIndex(({id}) => id !== master.id)]!;
		expect(await link.call(frozen, ['GET', frozen])).toBeNull();
		master.freeze();
		await link.listen(frozen, () => undefined);
		const heard: string[] = [];
		await link.listen(channel, message => heard.push(message));
		await waitFor('what is said there', async () => {
			await link.call(channel, ['SPUBLISH', channel, 'hello']);
			return heard.includes('hello');
		});
		master.resume();
	},
);
